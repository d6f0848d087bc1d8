//! The server's role.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::values::{Budget, Limits, metadata_from, metadata_to, with_bytes};
use crate::ServerEvent;

const CALL: u8 = 0;
const OPENED: u8 = 1;
const MESSAGES: u8 = 2;
const ENDED: u8 = 3;
const CANCELLED: u8 = 4;
pub(super) const WRITABLE: u8 = 5;

/// The paths that are served.
#[pyclass(frozen, module = "decision_sidecar_native")]
pub(super) struct Methods(crate::Methods);

#[pymethods]
impl Methods {
    #[new]
    fn new(methods: &Bound<'_, PyAny>) -> PyResult<Self> {
        let methods: Vec<(String, bool, usize)> =
            methods.try_iter()?.map(|one| one?.extract()).collect::<PyResult<_>>()?;
        crate::Methods::new(methods).map(Self).map_err(PyValueError::new_err)
    }
}

/// The head of a call.
#[pyclass(frozen, module = "decision_sidecar_native")]
pub(super) struct Request(crate::Request);

#[pymethods]
impl Request {
    #[getter]
    fn authority(&self) -> String {
        self.0.authority()
    }

    fn header(&self, key: &str) -> Option<String> {
        self.0.header(key)
    }

    fn metadata<'py>(&self, py: Python<'py>) -> Vec<(String, Bound<'py, PyAny>)> {
        metadata_to(py, self.0.metadata())
    }
}

/// One connection as the server sees it.
#[pyclass(module = "decision_sidecar_native")]
pub(super) struct ServerConnection(crate::ServerConnection);

#[pymethods]
impl ServerConnection {
    #[new]
    fn new(methods: &Methods, limits: &Limits, budget: &Budget, now_s: f64) -> PyResult<Self> {
        let made = crate::ServerConnection::new(&methods.0, &limits.0, &budget.0, now_s);
        made.map(Self).map_err(PyValueError::new_err)
    }

    fn receive<'py>(&mut self, data: &Bound<'py, PyAny>, now_s: f64) -> PyResult<Bound<'py, PyList>> {
        let events = with_bytes(data, |bytes| self.0.receive(bytes, now_s))?;
        events_to(data.py(), events)
    }

    fn take_events<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        events_to(py, self.0.take_events())
    }

    fn reply(&mut self, call_id: u64, message: &[u8]) {
        self.0.reply(call_id, message);
    }

    fn start(&mut self, call_id: u64, metadata: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.start(call_id, metadata_from(metadata)?);
        Ok(())
    }

    fn send(&mut self, call_id: u64, message: &[u8]) -> bool {
        self.0.send(call_id, message)
    }

    fn send_all(&mut self, call_id: u64, messages: &Bound<'_, PyList>) -> PyResult<bool> {
        let mut room = true;
        for message in messages {
            room &= self.0.send(call_id, message.cast::<PyBytes>()?.as_bytes());
        }
        Ok(room)
    }

    #[pyo3(signature = (call_id, code, message="", details=b"".as_slice(), trailers=None))]
    fn finish(
        &mut self,
        call_id: u64,
        code: u32,
        message: &str,
        details: &[u8],
        trailers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let trailers = trailers.map(metadata_from).transpose()?.unwrap_or_default();
        self.0.finish(call_id, code, message, details, trailers);
        Ok(())
    }

    #[pyo3(signature = (call_id, message_bytes, messages=1))]
    fn consumed(&mut self, call_id: u64, message_bytes: usize, messages: usize) {
        self.0.consumed(call_id, message_bytes, messages);
    }

    fn request(&self, call_id: u64) -> Option<Request> {
        self.0.request(call_id).cloned().map(Request)
    }

    fn tick(&mut self, now_s: f64) -> Option<f64> {
        self.0.tick(now_s)
    }

    #[pyo3(signature = (*, r#final))]
    fn shut_down(&mut self, r#final: bool) {
        self.0.shut_down(r#final);
    }

    #[pyo3(signature = (bytes_max=None))]
    fn take_output<'py>(&mut self, py: Python<'py>, bytes_max: Option<usize>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.take_output(bytes_max.unwrap_or(usize::MAX)))
    }

    fn disconnected<'py>(&mut self, py: Python<'py>, reason: &str) -> PyResult<Bound<'py, PyList>> {
        events_to(py, self.0.disconnected(reason))
    }

    #[getter]
    fn calls_open(&self) -> usize {
        self.0.calls_open()
    }

    #[getter]
    fn closed(&self) -> bool {
        self.0.closed()
    }

    #[getter]
    fn failure(&self) -> &str {
        self.0.failure()
    }
}

/// Messages of one call that came one after another are one event: what an event costs counts on a stream of many.
fn events_to(py: Python<'_>, events: Vec<ServerEvent>) -> PyResult<Bound<'_, PyList>> {
    let all = PyList::empty(py);
    let mut last: Option<(u64, Bound<'_, PyList>)> = None;
    for event in events {
        let ServerEvent::Message { call_id, message } = event else {
            last = None;
            all.append(event_to(py, event)?)?;
            continue;
        };
        let message = PyBytes::new(py, &message);
        if let Some((_, messages)) = last.as_ref().filter(|(id, _)| *id == call_id) {
            messages.append(message)?;
            continue;
        }
        let messages = PyList::new(py, [message])?;
        all.append((MESSAGES, call_id, &messages).into_pyobject(py)?)?;
        last = Some((call_id, messages));
    }
    Ok(all)
}

fn event_to(py: Python<'_>, event: ServerEvent) -> PyResult<Bound<'_, PyTuple>> {
    match event {
        ServerEvent::Call { call_id, method, message, request } => {
            (CALL, call_id, method, PyBytes::new(py, &message), request.timeout_s()).into_pyobject(py)
        }
        ServerEvent::Opened { call_id, method, request } => {
            (OPENED, call_id, method, request.timeout_s()).into_pyobject(py)
        }
        ServerEvent::Message { call_id, message } => {
            (MESSAGES, call_id, [PyBytes::new(py, &message)]).into_pyobject(py)
        }
        ServerEvent::Ended { call_id } => (ENDED, call_id).into_pyobject(py),
        ServerEvent::Cancelled { call_id } => (CANCELLED, call_id).into_pyobject(py),
        ServerEvent::Writable { call_id } => (WRITABLE, call_id).into_pyobject(py),
    }
}
