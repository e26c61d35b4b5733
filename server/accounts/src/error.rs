//! Why a verb did not do what was asked.

use std::fmt;

use contract::{Fault, Field, FieldFault, Problem, Refusal};

/// The answer of a verb that did nothing. (A wrong code is counted, and a limit remembers; nothing else changes.)
#[derive(Debug)]
pub enum Error {
    /// Fields to be corrected; never empty.
    Invalid(Vec<FieldFault>),
    /// A policy says no.
    Refused(Refusal),
    /// Something broke. The cause is logged when the error becomes a [`Problem`], and goes no further.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One fault in one field.
    pub(crate) fn field(field: Field, fault: Fault) -> Self {
        Self::Invalid(vec![FieldFault { field, fault }])
    }

    /// Something that cannot happen, did.
    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<Vec<FieldFault>> for Error {
    fn from(faults: Vec<FieldFault>) -> Self {
        Self::Invalid(faults)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The one place where an internal error is logged and dropped.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(faults) => Self::Invalid(faults),
            Error::Refused(refusal) => Self::Refused(refusal),
            Error::Internal(cause) => {
                tracing::error!(%cause, "internal error");
                Self::Internal
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(faults) => write!(f, "{} fields to correct", faults.len()),
            Self::Refused(refusal) => f.write_str(refusal.code()),
            Self::Internal(cause) => write!(f, "internal error: {cause}"),
        }
    }
}

impl std::error::Error for Error {}
