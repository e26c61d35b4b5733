//! The accept loop. `axum::serve` waits for a client for ever, so a thousand clients that say nothing, or that read nothing, could
//! hold every connection; here each connection has a place that it can lose.
//!
//! Places are counted in all and by network ([`places`]), and [`patience`] says when a client has had its time. Who
//! keeps a connection open for a next request is welcome until the places run short. A stop drains what is under way.

mod patience;
mod places;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::Config;
use patience::{Observed, Progress, Watch};
use places::Places;

const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEADER_OCTETS: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// After a failed accept (too many open files), so that the loop does not spin.
const PAUSE: Duration = Duration::from_millis(50);

/// What the listener gives, and for how long.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Connections at the same time.
    pub connections: usize,
    /// Of these from one IPv4 address or one IPv6 /64; from the IPv4 /24 or IPv6 /48 around it, ten times as many.
    pub per_network: usize,
    /// Networks whose connections are counted in all only: proxies, which speak for many.
    pub exempt: Vec<IpNet>,
    /// When a client has had its time.
    pub patience: Patience,
}

/// When a client has had its time.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request: from the beginning of the connection, later from the first octet.
    pub head: Duration,
    /// Between an answer and the next request. Longer than nginx (60 s) keeps a connection to us: whoever closes
    /// first must be the one who would send the next request, or it is lost on the way.
    pub idle: Duration,
    /// For taking any octet of an answer that waits.
    pub stalled: Duration,
    /// Octets a second at which a waiting answer must be taken on average; nobody holds a place by sipping.
    pub rate: u32,
}

impl Default for Patience {
    fn default() -> Self {
        let [head, idle, stalled] = [10, 75, 30].map(Duration::from_secs);
        Self { head, idle, stalled, rate: 1024 }
    }
}

impl Bounds {
    /// The operator's.
    pub fn of(config: &Config) -> Self {
        let mut exempt = config.trusted_proxies.clone();
        // A proxy, a probe or a load test on this machine.
        exempt.extend(["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse::<IpNet>().ok()));
        let connections = config.max_connections;
        Self { connections, per_network: (connections / 16).max(16), exempt, patience: Patience::default() }
    }
}

/// Serves until `stop` is done, then finishes what is under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let draining = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(MAX_HEADER_OCTETS).max_headers(MAX_HEADERS);
    let patience = bounds.patience;
    let places = Places::new(bounds);
    let mut stop = pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = places.free() => permit?,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            places.make_room();
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let progress = Arc::new(Progress::new(patience));
        // Whose network has its share hears nothing, and is closed.
        let Some(place) = places.take(permit, peer.ip(), &progress) else { continue };
        stream.set_nodelay(true).ok();
        let observed = TokioIo::new(Observed::new(stream, progress.clone()));
        let connection = http.serve_connection(observed, service(router.clone(), peer, progress.clone()));
        let connection = draining.watch(connection);
        tokio::spawn(async move {
            until_over(connection, Watch::new(progress)).await;
            drop(place);
        });
    }
    drop(listener);
    tokio::time::timeout(DRAIN_TIMEOUT, draining.shutdown()).await.ok();
    Ok(())
}

/// Until the connection ends, or its client has had its time. A client that breaks off is nobody's fault.
async fn until_over<T>(connection: impl Future<Output = T>, mut watch: Watch) {
    let mut connection = pin!(connection);
    std::future::poll_fn(|context| match connection.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(()),
        Poll::Pending => watch.poll(context),
    })
    .await;
}

fn service(
    router: Router,
    peer: SocketAddr,
    progress: Arc<Progress>,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future = impl Future<Output = Result<axum::response::Response, std::convert::Infallible>> + Send,
> {
    hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        progress.asked();
        let (answer, progress) = (router.clone().oneshot(request), progress.clone());
        async move {
            let answer = answer.await;
            progress.answered();
            answer
        }
    })
}
