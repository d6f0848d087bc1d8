//! What a failed call said: gRPC's status and the `google.rpc.Status` in its details, as a [`Fault`].

use std::error::Error as StdError;
use std::time::Duration;

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status, TimeoutExpired};

use crate::errors::{Error, Fault, Violation};
use crate::pb::rpc;

/// The error of a call that failed.
pub(crate) fn error_of(status: &Status, method: &'static str, event_id: &str) -> Error {
    let said = rpc::Status::decode(status.details()).unwrap_or_default();
    let mut fault = Fault::new(word(code_of(status)), status.message(), method, event_id);
    read_details(&mut fault, &said.details);
    Error::of(fault)
}

/// The error of one user among many.
pub(crate) fn error_of_message(status: &rpc::Status, method: &'static str) -> Error {
    let mut fault = Fault::new(word(Code::from_i32(status.code)), &status.message, method, "");
    read_details(&mut fault, &status.details);
    Error::of(fault)
}

/// What a stored failure says, without its details.
pub(crate) fn message_of(status: &rpc::Status) -> String {
    status.message.clone()
}

/// The code that a status stands for.
///
/// Why not `Status::code`: what the library makes of a broken connection depends on where it broke (unknown,
/// cancelled, internal); a source tells that no sidecar spoke.
pub(crate) fn code_of(status: &Status) -> Code {
    let Some(source) = status.source() else { return status.code() };
    if is_late(source) { Code::DeadlineExceeded } else { Code::Unavailable }
}

fn is_late(error: &(dyn StdError + 'static)) -> bool {
    error.is::<TimeoutExpired>() || error.source().is_some_and(is_late)
}

/// The code of a word, as `UNAVAILABLE`; of any other text it is unknown.
pub(crate) fn code_by_word(given: &str) -> Code {
    (0..=16).map(Code::from_i32).find(|code| word(*code) == given).unwrap_or(Code::Unknown)
}

fn read_details(fault: &mut Fault, details: &[Any]) {
    for detail in details {
        let bytes = detail.value.as_slice();
        match detail.type_url.rsplit('/').next() {
            Some("google.rpc.ErrorInfo") => {
                let info = rpc::ErrorInfo::decode(bytes).unwrap_or_default();
                if !info.reason.is_empty() {
                    fault.reason = info.reason;
                }
                fault.metadata = info.metadata;
            }
            Some("google.rpc.BadRequest") => {
                let refused = rpc::BadRequest::decode(bytes).unwrap_or_default().field_violations.into_iter();
                let violations = refused.map(|each| Violation { field: each.field, description: each.description });
                fault.violations.extend(violations);
            }
            Some("google.rpc.RetryInfo") => {
                let pause = rpc::RetryInfo::decode(bytes).unwrap_or_default().retry_delay;
                fault.retry_after = pause.and_then(|each| Duration::try_from(each).ok());
            }
            _ => {}
        }
    }
}

const fn word(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
