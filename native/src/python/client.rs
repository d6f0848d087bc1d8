//! The client's role.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use super::server::WRITABLE;
use super::values::{Limits, metadata_from, metadata_to, with_bytes};
use crate::{ClientEvent, Metadata};

const REPLY: u8 = 6;
const FINISHED: u8 = 7;

/// How a call of a client ended.
#[pyclass(frozen, module = "decision_sidecar_native")]
pub(super) struct Outcome(crate::Outcome);

#[pymethods]
impl Outcome {
    #[getter]
    fn code(&self) -> u32 {
        self.0.code
    }

    #[getter]
    fn status_message(&self) -> &str {
        &self.0.status_message
    }

    #[getter]
    fn details<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.details)
    }

    #[getter]
    fn message<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.message.as_ref().map(|message| PyBytes::new(py, message))
    }

    #[getter]
    fn unprocessed(&self) -> bool {
        self.0.unprocessed
    }

    fn trailers<'py>(&self, py: Python<'py>) -> Vec<(String, Bound<'py, PyAny>)> {
        metadata_to(py, self.0.trailers())
    }
}

/// One connection as a client sees it.
#[pyclass(module = "decision_sidecar_native")]
pub(super) struct ClientConnection(crate::ClientConnection);

#[pymethods]
impl ClientConnection {
    #[new]
    #[pyo3(signature = (*, scheme, authority, user_agent, limits, now_s))]
    fn new(scheme: &str, authority: &str, user_agent: &str, limits: &Limits, now_s: f64) -> PyResult<Self> {
        let made = crate::ClientConnection::new(scheme, authority, user_agent, &limits.0, now_s);
        made.map(Self).map_err(PyValueError::new_err)
    }

    #[pyo3(signature = (path, message, metadata=None, timeout_s=None))]
    fn call(
        &mut self,
        path: &str,
        message: &[u8],
        metadata: Option<&Bound<'_, PyAny>>,
        timeout_s: Option<f64>,
    ) -> PyResult<u64> {
        let metadata = metadata.map(metadata_from).transpose()?.unwrap_or_default();
        Ok(self.0.call(path, message, metadata, timeout_s))
    }

    /// `call`, then `take_output`.
    fn ask<'py>(
        &mut self,
        path: &str,
        message: &Bound<'py, PyBytes>,
        metadata: &Bound<'py, PyTuple>,
        timeout_s: f64,
        bytes_max: usize,
    ) -> PyResult<(u64, Bound<'py, PyBytes>)> {
        // Why first: to iterate over nothing costs as much as the rest of what is done here for Python.
        let metadata = if metadata.is_empty() { Metadata::new() } else { metadata_from(metadata)? };
        let call_id = self.0.call(path, message.as_bytes(), metadata, Some(timeout_s));
        Ok((call_id, PyBytes::new(message.py(), self.0.take_output(bytes_max))))
    }

    #[pyo3(signature = (path, metadata=None, timeout_s=None))]
    fn open(&mut self, path: &str, metadata: Option<&Bound<'_, PyAny>>, timeout_s: Option<f64>) -> PyResult<u64> {
        let metadata = metadata.map(metadata_from).transpose()?.unwrap_or_default();
        Ok(self.0.open(path, metadata, timeout_s))
    }

    fn send(&mut self, call_id: u64, message: &[u8]) -> bool {
        self.0.send(call_id, message)
    }

    fn half_close(&mut self, call_id: u64) {
        self.0.half_close(call_id);
    }

    fn cancel(&mut self, call_id: u64) {
        self.0.cancel(call_id);
    }

    fn consumed(&mut self, call_id: u64, message_bytes: usize) {
        self.0.consumed(call_id, message_bytes);
    }

    fn receive<'py>(&mut self, data: &Bound<'py, PyAny>, now_s: f64) -> PyResult<Bound<'py, PyList>> {
        let events = with_bytes(data, |bytes| self.0.receive(bytes, now_s))?;
        events_to(data.py(), events)
    }

    fn receive_reply<'py>(
        &mut self,
        data: &Bound<'py, PyBytes>,
        now_s: f64,
        call_id: u64,
    ) -> Option<Bound<'py, PyBytes>> {
        let reply = self.0.receive_reply(data.as_bytes(), now_s, call_id)?;
        Some(PyBytes::new(data.py(), &reply))
    }

    fn take_events<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        events_to(py, self.0.take_events())
    }

    fn tick(&mut self, now_s: f64) -> Option<f64> {
        self.0.tick(now_s)
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
    fn drained(&self) -> bool {
        self.0.drained()
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

fn events_to(py: Python<'_>, events: Vec<ClientEvent>) -> PyResult<Bound<'_, PyList>> {
    let events: Vec<_> = events.into_iter().map(|event| event_to(py, event)).collect::<PyResult<_>>()?;
    PyList::new(py, events)
}

fn event_to(py: Python<'_>, event: ClientEvent) -> PyResult<Bound<'_, PyTuple>> {
    match event {
        ClientEvent::Reply { call_id, message } => (REPLY, call_id, PyBytes::new(py, &message)).into_pyobject(py),
        ClientEvent::Finished { call_id, outcome } => (FINISHED, call_id, Outcome(*outcome)).into_pyobject(py),
        ClientEvent::Writable { call_id } => (WRITABLE, call_id).into_pyobject(py),
    }
}
