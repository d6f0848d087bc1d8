//! The errors of this client, divided by whose fault they are. None of them is gRPC's own.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::value::Value;

/// One thing wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The field's path, as `event_tags[revenue]` or `events[3].user_id`.
    pub field: String,
    /// What is wrong, what was wanted.
    pub description: String,
}

/// A value that has no wire form, found before anything is sent.
#[derive(Clone, Debug)]
pub(crate) struct Misfit {
    pub(crate) field: String,
    pub(crate) description: String,
}

/// What a failed call said, whatever carried it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fault {
    /// The word of gRPC, as `RESOURCE_EXHAUSTED`.
    pub code: &'static str,
    /// The word of the sidecar, as `OUTBOX_FULL`, for programs; `code` again where no sidecar spoke.
    pub reason: String,
    /// The same in English, for people.
    pub message: String,
    /// Everything wrong with the request; empty for other errors.
    pub violations: Vec<Violation>,
    /// How long to wait before a retry; none when the sidecar did not say.
    pub retry_after: Option<Duration>,
    /// What the sidecar's reason tells besides.
    pub metadata: BTreeMap<String, String>,
    /// The full name of the method that failed; empty when nothing was sent.
    pub method: &'static str,
    /// The id of the event that was not accepted; empty for other calls. A retry passes it on, so that the event is
    /// never recorded twice.
    pub event_id: String,
}

/// A call that was not answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The caller's: the request breaks the contract, or names what is not there; the same call will fail again.
    RequestRefused(Box<Fault>),
    /// The caller's: the token or the client certificate is missing, wrong, or not enough for this method.
    AccessDenied(Box<Fault>),
    /// The state's: the sidecar has no datafile yet; it answers as soon as it has one.
    NotReady(Box<Fault>),
    /// The state's: no sidecar answered. None listens there, it is stopping, or the connection broke.
    Unavailable(Box<Fault>),
    /// The state's: no answer within the deadline. An event may have been accepted: retry it with its `event_id`.
    DeadlinePassed(Box<Fault>),
    /// A bound's: it is reached (`OUTBOX_FULL`, `OUTBOX_UNWRITABLE`); waiting `retry_after` may help.
    Refused(Box<Fault>),
    /// The caller's: the client was closed before the call, or during it.
    ClientClosed(Box<Fault>),
    /// Ours: a fault of the sidecar or of this client; the message is for a bug report.
    SidecarFault(Box<Fault>),
}

impl Error {
    /// Everything that is known of it.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        match self {
            Self::RequestRefused(fault)
            | Self::AccessDenied(fault)
            | Self::NotReady(fault)
            | Self::Unavailable(fault)
            | Self::DeadlinePassed(fault)
            | Self::Refused(fault)
            | Self::ClientClosed(fault)
            | Self::SidecarFault(fault) => fault,
        }
    }

    /// The word of the sidecar, as `OUTBOX_FULL`.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.fault().reason
    }

    /// The word of gRPC, as `RESOURCE_EXHAUSTED`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.fault().code
    }

    /// Everything wrong with the request; empty for other errors.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.fault().violations
    }

    /// The id of the event that was not accepted; empty for other calls.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.fault().event_id
    }

    /// How long to wait before a retry; none when the sidecar did not say.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.fault().retry_after
    }

    /// Whether the same call can succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::NotReady(_) | Self::Unavailable(_) | Self::DeadlinePassed(_) | Self::Refused(_))
    }

    /// The error of a fault, by its code: the closed table of the contract; anything else is ours.
    pub(crate) fn of(fault: Fault) -> Self {
        let fault = Box::new(fault);
        match fault.code {
            "INVALID_ARGUMENT" | "NOT_FOUND" | "OUT_OF_RANGE" => Self::RequestRefused(fault),
            "UNAUTHENTICATED" | "PERMISSION_DENIED" => Self::AccessDenied(fault),
            "FAILED_PRECONDITION" => Self::NotReady(fault),
            "UNAVAILABLE" => Self::Unavailable(fault),
            "DEADLINE_EXCEEDED" => Self::DeadlinePassed(fault),
            "RESOURCE_EXHAUSTED" => Self::Refused(fault),
            _ => Self::SidecarFault(fault),
        }
    }

    pub(crate) fn closed(method: &'static str, event_id: &str) -> Self {
        let mut fault = Fault::new("CANCELLED", "the client is closed, so the call has no answer", method, event_id);
        "CLIENT_CLOSED".clone_into(&mut fault.reason);
        Self::ClientClosed(Box::new(fault))
    }

    /// A request that cannot be sent: one field of it, and why not.
    pub(crate) fn unsendable(misfit: Misfit, method: &'static str, event_id: &str) -> Self {
        let Misfit { field, description } = misfit;
        let mut fault = Fault::new("INVALID_ARGUMENT", &format!("{field} {description}"), method, event_id);
        fault.violations.push(Violation { field, description });
        Self::RequestRefused(Box::new(fault))
    }
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: &str, method: &'static str, event_id: &str) -> Self {
        Self {
            code,
            reason: code.to_owned(),
            message: message.to_owned(),
            violations: Vec::new(),
            retry_after: None,
            metadata: BTreeMap::new(),
            method,
            event_id: event_id.to_owned(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { method, reason, message, violations, .. } = self.fault();
        if !method.is_empty() {
            write!(f, "{method} failed: ")?;
        }
        write!(f, "{reason}: {message}")?;
        // The sidecar's message has the first violation in it already.
        for Violation { field, description } in violations.iter().filter(|each| !message.contains(&each.description)) {
            write!(f, "; {field}: {description}")?;
        }
        Ok(())
    }
}

impl StdError for Error {}

/// A variable of a decision that cannot be read as it was asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum VariableError {
    /// The flag has no such variable, or it is null, and the caller gave no default.
    #[non_exhaustive]
    Missing {
        /// The flag.
        flag_key: String,
        /// The variable.
        variable_key: String,
        /// What it was read as: `string`, `integer`, `double`, `boolean` or `json`.
        wanted: &'static str,
    },
    /// The variable is there, but of another type than it was read as.
    #[non_exhaustive]
    TypeMismatch {
        /// The flag.
        flag_key: String,
        /// The variable.
        variable_key: String,
        /// What it is.
        got: Value,
        /// What it was read as: `string`, `integer`, `double`, `boolean` or `json`.
        wanted: &'static str,
    },
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { flag_key, variable_key, wanted } => {
                write!(f, "flag `{flag_key}` has no value for variable `{variable_key}`, wanted {wanted} or a default")
            }
            Self::TypeMismatch { flag_key, variable_key, got, wanted } => {
                let kind = got.kind();
                write!(f, "variable `{variable_key}` of flag `{flag_key}` is {kind} `{got:?}`, wanted {wanted}")
            }
        }
    }
}

impl StdError for VariableError {}

/// What a caller configured, or an amount of money, that cannot be; the text says what was got and what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub(crate) String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Invalid {}
