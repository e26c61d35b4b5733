//! The body of a request, up to a limit, for both doors.

use std::error::Error as _;

use axum::body::{Body, Bytes, to_bytes};
use contract::Refusal;
use http_body_util::LengthLimitError;

/// Reads all of it. Too long is one thing; a transfer coding that is broken, or a client that broke off, another
/// (RFC 9112 7.1: whoever sends bad chunks is answered 400).
pub(crate) async fn read(body: Body, most: usize) -> Result<Bytes, Refusal> {
    to_bytes(body, most).await.map_err(|error| {
        let is_long = matches!(error.source(), Some(source) if source.is::<LengthLimitError>());
        if is_long { Refusal::TooLarge } else { Refusal::MalformedRequest }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_broke_is_not_called_too_long() {
        let broken = Body::from_stream(futures::stream::iter([
            Ok("{\"email\":"),
            Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "no size of a chunk")),
        ]));
        assert_eq!(read(broken, 100).await, Err(Refusal::MalformedRequest));
        assert_eq!(read(Body::from("x".repeat(101)), 100).await, Err(Refusal::TooLarge));
        assert_eq!(read(Body::from("x".repeat(100)), 100).await.map(|octets| octets.len()), Ok(100));
    }
}
