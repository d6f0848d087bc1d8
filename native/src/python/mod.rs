//! The face for Python: conversions, and nothing else. Its types are in `decision_sidecar_native.pyi`.

mod client;
mod plain;
mod server;
mod values;

use pyo3::prelude::*;

/// Raised when anything of the face changes incompatibly.
const API_VERSION: u32 = 2;

#[pymodule]
mod decision_sidecar_native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::client::{ClientConnection, Outcome};
    #[pymodule_export]
    use super::plain::PlainReader;
    #[pymodule_export]
    use super::server::{Methods, Request, ServerConnection};
    #[pymodule_export]
    use super::values::{Budget, Limits};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("API_VERSION", super::API_VERSION)?;
        for (number, name) in super::EVENTS.iter().enumerate() {
            module.add(*name, number)?;
        }
        Ok(())
    }
}

/// Names of the first item of an event, by number.
const EVENTS: [&str; 8] = ["CALL", "OPENED", "MESSAGES", "ENDED", "CANCELLED", "WRITABLE", "REPLY", "FINISHED"];
