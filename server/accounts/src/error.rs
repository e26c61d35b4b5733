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
                tracing::error!(cause = %Chain(&*cause), "internal error");
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
            Self::Internal(_) => f.write_str("internal error"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Invalid(_) | Self::Refused(_) => None,
            Self::Internal(cause) => Some(&**cause),
        }
    }
}

/// An error with its causes down to the first one, for a log or a terminal. Many errors repeat their cause in their own
/// text; what was said is not said again.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said.push_str(&text);
            }
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// An error of a library that tells its cause by `source` alone.
    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the certificate cannot be read")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_internal_error_is_told_down_to_its_first_cause() {
        let error = Error::internal(Outer(io::Error::other("disk on fire")));
        assert_eq!(Chain(&error).to_string(), "internal error: the certificate cannot be read: disk on fire");
    }

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let error = io::Error::other(Outer(io::Error::other("disk on fire")));
        assert_eq!(Chain(&error).to_string(), "the certificate cannot be read: disk on fire");
        assert_eq!(Chain(&Error::from(Refusal::NotFound)).to_string(), Refusal::NotFound.code());
    }
}
