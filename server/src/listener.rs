//! The accept loop. `axum::serve` waits for request headers for ever, so a thousand slow clients could hold every
//! connection; here headers have a time limit, connections a number, and a stop drains what is under way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: usize = 4096;
const MAX_HEADER_OCTETS: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// After a failed accept (too many open files), so that the loop does not spin.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, then finishes what is under way.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let draining = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_OCTETS)
        .max_headers(MAX_HEADERS);
    let mut stop = std::pin::pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            place = places.clone().acquire_owned() => place.map_err(io::Error::other)?,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        stream.set_nodelay(true).ok();
        let connection = http.serve_connection(TokioIo::new(stream), service(router.clone(), peer));
        let connection = draining.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is nobody's fault.
            connection.await.ok();
            drop(place);
        });
    }
    drop(listener);
    tokio::time::timeout(DRAIN_TIMEOUT, draining.shutdown()).await.ok();
    Ok(())
}

fn service(
    router: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future = impl Future<Output = Result<axum::response::Response, std::convert::Infallible>> + Send,
> {
    hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    })
}
