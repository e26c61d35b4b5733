//! The page door's adapter: a [`Problem`] as the error of a server function, with its status.

use accounts::Error;
use contract::{Problem, Refusal};
use http::StatusCode;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// What a server function answers instead of success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed(pub Problem);

impl FromServerFnError for Failed {
    type Encoder = JsonEncoding;

    /// The framework's own errors; their text is never echoed.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self(Problem::Refused(Refusal::MalformedRequest))
            }
            _ => Self(Problem::Internal),
        }
    }

    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.page_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}
