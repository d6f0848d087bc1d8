//! Plain messages as native values of Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};

use crate::plain::{Field, Found, Kind, Scalar, Shape};

/// Reads messages of one shape.
#[pyclass(frozen, module = "decision_sidecar_native")]
pub(super) struct PlainReader {
    shape: Shape,
    empty: Py<PyString>,
}

#[pymethods]
impl PlainReader {
    #[new]
    #[pyo3(signature = (fields, *, key_bytes_max, value_bytes_max))]
    fn new(
        py: Python<'_>,
        fields: Vec<(u32, usize, usize)>,
        key_bytes_max: usize,
        value_bytes_max: usize,
    ) -> PyResult<Self> {
        let kinds = [Kind::Text, Kind::Texts, Kind::Values, Kind::Instant];
        let shape = fields
            .into_iter()
            .map(|(number, kind, most)| Some(Field { number, kind: *kinds.get(kind)?, most }))
            .collect::<Option<Vec<_>>>()
            .and_then(|fields| Shape::new(fields, key_bytes_max, value_bytes_max))
            .ok_or_else(|| {
                PyValueError::new_err("fields rejected: wanted each number of 1 to 63 once, kinds 0 to 3")
            })?;
        Ok(Self { shape, empty: PyString::new(py, "").unbind() })
    }

    /// The values of the fields in their order, None when the message is not plain.
    fn read<'py>(&self, py: Python<'py>, message: &Bound<'py, PyBytes>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let mut values: Vec<Option<Bound<'py, PyAny>>> = vec![None; self.shape.fields().len()];
        let mut failed = None;
        let plain = self.shape.read(message.as_bytes(), |place, found| {
            if failed.is_none()
                && let Err(error) = self.put(py, &mut values[place], place, found)
            {
                failed = Some(error);
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if plain.is_none() {
            return Ok(None);
        }
        let values = values.into_iter().zip(self.shape.fields()).map(|(value, field)| {
            value.unwrap_or_else(|| match field.kind {
                Kind::Text => self.empty.bind(py).clone().into_any(),
                Kind::Texts => PyList::empty(py).into_any(),
                Kind::Values => PyDict::new(py).into_any(),
                Kind::Instant => PyNone::get(py).to_owned().into_any(),
            })
        });
        PyTuple::new(py, values.collect::<Vec<_>>()).map(Some)
    }
}

impl PlainReader {
    fn put<'py>(
        &self,
        py: Python<'py>,
        slot: &mut Option<Bound<'py, PyAny>>,
        place: usize,
        found: Found<'_>,
    ) -> PyResult<()> {
        match found {
            Found::Text(text) if self.shape.fields()[place].kind == Kind::Text => {
                *slot = Some(PyString::new(py, text).into_any());
            }
            Found::Text(text) => {
                let texts = slot.get_or_insert_with(|| PyList::empty(py).into_any());
                texts.cast::<PyList>()?.append(PyString::new(py, text))?;
            }
            Found::Value(key, value) => {
                let values = slot.get_or_insert_with(|| PyDict::new(py).into_any());
                values.cast::<PyDict>()?.set_item(PyString::new(py, key), native(py, value))?;
            }
            Found::Instant(milliseconds) => *slot = Some(PyInt::new(py, milliseconds).into_any()),
        }
        Ok(())
    }
}

fn native<'py>(py: Python<'py>, value: Scalar<'_>) -> Bound<'py, PyAny> {
    match value {
        Scalar::Null => PyNone::get(py).to_owned().into_any(),
        Scalar::Bool(truth) => PyBool::new(py, truth).to_owned().into_any(),
        Scalar::Int(number) => PyInt::new(py, number).into_any(),
        Scalar::Double(number) => PyFloat::new(py, number).into_any(),
        Scalar::Text(text) => PyString::new(py, text).into_any(),
    }
}
