//! Values that go in and come out.

use std::sync::Arc;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::{Metadata, Value};

/// Bounds of one connection.
#[pyclass(frozen, module = "decision_sidecar_native")]
pub(super) struct Limits(pub(super) Arc<crate::Limits>);

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(signature = (*, message_bytes_max=None, header_list_bytes_max=None, streams_max=None,
        stream_window_bytes=None, connection_window_bytes=None, queued_bytes_high=None, queued_bytes_low=None,
        resets_burst=None, resets_per_s=None, ping_interval_min_s=None, pings_too_early_max=None,
        keepalive_after_s=Some(60.0), keepalive_timeout_s=None, idle_max_s=None, age_max_s=None, age_grace_s=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords only: it is a record")]
    fn new(
        message_bytes_max: Option<usize>,
        header_list_bytes_max: Option<usize>,
        streams_max: Option<u32>,
        stream_window_bytes: Option<u32>,
        connection_window_bytes: Option<u32>,
        queued_bytes_high: Option<usize>,
        queued_bytes_low: Option<usize>,
        resets_burst: Option<u32>,
        resets_per_s: Option<f64>,
        ping_interval_min_s: Option<f64>,
        pings_too_early_max: Option<u32>,
        keepalive_after_s: Option<f64>,
        keepalive_timeout_s: Option<f64>,
        idle_max_s: Option<f64>,
        age_max_s: Option<f64>,
        age_grace_s: Option<f64>,
    ) -> PyResult<Self> {
        let by_default = crate::Limits::default();
        let limits = crate::Limits {
            message_bytes_max: message_bytes_max.unwrap_or(by_default.message_bytes_max),
            header_list_bytes_max: header_list_bytes_max.unwrap_or(by_default.header_list_bytes_max),
            streams_max: streams_max.unwrap_or(by_default.streams_max),
            stream_window_bytes: stream_window_bytes.unwrap_or(by_default.stream_window_bytes),
            connection_window_bytes: connection_window_bytes.unwrap_or(by_default.connection_window_bytes),
            queued_bytes_high: queued_bytes_high.unwrap_or(by_default.queued_bytes_high),
            queued_bytes_low: queued_bytes_low.unwrap_or(by_default.queued_bytes_low),
            resets_burst: resets_burst.unwrap_or(by_default.resets_burst),
            resets_per_s: resets_per_s.unwrap_or(by_default.resets_per_s),
            ping_interval_min_s: ping_interval_min_s.unwrap_or(by_default.ping_interval_min_s),
            pings_too_early_max: pings_too_early_max.unwrap_or(by_default.pings_too_early_max),
            keepalive_after_s,
            keepalive_timeout_s: keepalive_timeout_s.unwrap_or(by_default.keepalive_timeout_s),
            idle_max_s,
            age_max_s,
            age_grace_s: age_grace_s.unwrap_or(by_default.age_grace_s),
        };
        limits.check().map_err(PyValueError::new_err)?;
        Ok(Self(Arc::new(limits)))
    }
}

/// Bytes that all connections together may hold.
#[pyclass(frozen, module = "decision_sidecar_native")]
pub(super) struct Budget(pub(super) crate::Budget);

#[pymethods]
impl Budget {
    #[new]
    fn new(bytes_max: usize) -> Self {
        Self(crate::Budget::new(bytes_max))
    }

    #[getter]
    fn bytes_held(&self) -> usize {
        self.0.bytes_held()
    }
}

/// Runs with the bytes of any object that has some. `bytes` are read where they are; others are copied first, as
/// nothing keeps their owner from changing them.
pub(super) fn with_bytes<R>(input: &Bound<'_, PyAny>, run: impl FnOnce(&[u8]) -> R) -> PyResult<R> {
    if let Ok(bytes) = input.cast::<PyBytes>() {
        return Ok(run(bytes.as_bytes()));
    }
    let copy = PyBuffer::<u8>::get(input)?.to_vec(input.py())?;
    Ok(run(&copy))
}

pub(super) fn metadata_from(pairs: &Bound<'_, PyAny>) -> PyResult<Metadata> {
    let mut metadata = Metadata::new();
    for pair in pairs.try_iter()? {
        let (key, value): (String, Bound<'_, PyAny>) = pair?.extract()?;
        let value = match (value.cast::<PyBytes>(), value.cast::<PyString>()) {
            (Ok(bytes), _) if key.ends_with("-bin") => Value::Bytes(bytes.as_bytes().to_vec()),
            (_, Ok(text)) if !key.ends_with("-bin") => Value::Text(text.to_str()?.to_owned()),
            _ => {
                let message =
                    format!("metadata `{key}` rejected: wanted bytes for a key that ends with -bin, else str");
                return Err(PyTypeError::new_err(message));
            }
        };
        metadata.push((key, value));
    }
    Ok(metadata)
}

pub(super) fn metadata_to(py: Python<'_>, metadata: Metadata) -> Vec<(String, Bound<'_, PyAny>)> {
    let convert = |(key, value)| match value {
        Value::Text(text) => (key, PyString::new(py, &text).into_any()),
        Value::Bytes(bytes) => (key, PyBytes::new(py, &bytes).into_any()),
    };
    metadata.into_iter().map(convert).collect()
}
