//! Clients that hold connections: by real sockets on this machine. Whatever should end is awaited; nothing is timed.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures::stream;
use server::listener::{self, Bounds, Patience};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

const SHORT: Duration = Duration::from_millis(100);
static OCTETS: [u8; 65_536] = [0; 65_536];
const LONG: Duration = Duration::from_hours(1);

/// Nobody is in a hurry, and there is room for everybody.
fn bounds() -> Bounds {
    let patience = Patience { head: LONG, idle: LONG, stalled: LONG, rate: 1024 };
    Bounds { connections: 100, per_network: 100, exempt: Vec::new(), patience }
}

async fn start(router: Router, bounds: Bounds) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(listener::serve(listener, router, bounds, std::future::pending()));
    address
}

fn ok() -> Router {
    Router::new().route("/", get(|| async { "ok\n" }))
}

/// A test that waits for ever says nothing; one that fails does.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.unwrap_or_else(|_| panic!("{what}: never"))
}

struct Client(TcpStream);

impl Client {
    async fn new(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Asks, and reads all of the answer.
    async fn is_answered(&mut self) -> bool {
        if self.0.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.is_err() {
            return false;
        }
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            match self.0.read_buf(&mut answer).await {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
        answer.starts_with(b"HTTP/1.1 200 OK\r\n")
    }

    /// Until the server is gone.
    async fn is_closed(&mut self) {
        let mut octets = [0; 1024];
        while !matches!(self.0.read(&mut octets).await, Ok(0) | Err(_)) {}
    }

    /// An octet of a head at a time, until the server has had enough.
    async fn dribbles(&mut self) {
        self.0.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-y: ").await.expect("a beginning");
        let mut pause = tokio::time::interval(SHORT / 20);
        loop {
            tokio::select! {
                () = self.is_closed() => return,
                _ = pause.tick() => {}
            }
            if self.0.write_all(b"z").await.is_err() {
                return;
            }
        }
    }
}

/// An answer without an end, and when it is given up.
fn endless() -> (Router, oneshot::Receiver<()>) {
    let (alive, gone) = oneshot::channel::<()>();
    let alive = Arc::new(Mutex::new(Some(alive)));
    let answer = move || {
        let alive = alive.lock().expect("a lock").take();
        let octets = stream::repeat_with(move || {
            assert!(alive.is_some(), "asked once");
            Ok::<_, Infallible>(Bytes::from_static(&OCTETS))
        });
        std::future::ready(Body::from_stream(octets))
    };
    (Router::new().route("/", get(answer)), gone)
}

#[tokio::test]
async fn a_client_that_never_reads_loses_its_connection() {
    let (router, gone) = endless();
    let mut bounds = bounds();
    bounds.patience.stalled = SHORT;
    let mut client = Client::new(start(router, bounds).await).await;
    client.0.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    within("the answer is given up", gone).await.expect_err("the body is dropped");
    within("the connection is closed", client.is_closed()).await;
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_loses_its_connection() {
    let (router, mut gone) = endless();
    let mut bounds = bounds();
    bounds.patience.stalled = SHORT;
    // More than this client takes, and it takes something all the time.
    bounds.patience.rate = u32::MAX;
    let mut client = Client::new(start(router, bounds).await).await;
    client.0.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    let mut octets = [0; 4096];
    let reads = async {
        loop {
            tokio::select! {
                _ = &mut gone => return,
                () = tokio::time::sleep(SHORT / 20) => {}
            }
            if client.0.read_exact(&mut octets).await.is_err() {
                return;
            }
        }
    };
    within("the answer is given up", reads).await;
}

#[tokio::test]
async fn a_client_that_dribbles_its_head_loses_its_connection() {
    let mut bounds = bounds();
    bounds.patience.head = SHORT;
    let address = start(ok(), bounds).await;
    let mut client = Client::new(address).await;
    within("a first head", client.dribbles()).await;
    let mut client = Client::new(address).await;
    assert!(client.is_answered().await);
    within("a second head", client.dribbles()).await;
    let mut client = Client::new(address).await;
    within("a client that says nothing", client.is_closed()).await;
}

#[tokio::test]
async fn a_connection_at_rest_outlasts_the_time_of_a_head_and_is_closed_in_the_end() {
    let mut bounds = bounds();
    bounds.patience.head = SHORT;
    let address = start(ok(), bounds.clone()).await;
    let mut resting = Client::new(address).await;
    assert!(resting.is_answered().await);
    // Its end is the proof that the time of a head is over.
    within("another client", Client::new(address).await.dribbles()).await;
    assert!(resting.is_answered().await);

    bounds.patience = Patience { head: LONG, idle: SHORT, ..bounds.patience };
    let mut resting = Client::new(start(ok(), bounds).await).await;
    assert!(resting.is_answered().await);
    within("rest ends", resting.is_closed()).await;
}

/// A site whose handler says that it began, and goes on when it is told to.
fn slow() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (began.clone(), go_on.clone());
    let answer = move || {
        let (told, wait) = (told.clone(), wait.clone());
        async move {
            told.notify_one();
            wait.notified().await;
            "ok\n"
        }
    };
    (Router::new().route("/", get(answer)), began, go_on)
}

#[tokio::test]
async fn one_network_has_its_share_and_a_proxy_of_ours_has_none() {
    for (exempt, is_kept) in [(Vec::new(), false), (vec!["127.0.0.0/8".parse().expect("a net")], true)] {
        let (router, began, go_on) = slow();
        let address = start(router, Bounds { per_network: 1, exempt, ..bounds() }).await;
        let mut first = Client::new(address).await;
        let first = tokio::spawn(async move { first.is_answered().await });
        within("the first is asked", began.notified()).await;
        let mut second = Client::new(address).await;
        if is_kept {
            let second = tokio::spawn(async move { second.is_answered().await });
            within("the second is asked", began.notified()).await;
            go_on.notify_waiters();
            assert!(within("an answer", second).await.expect("no panic"));
        } else {
            within("the second is turned away", second.is_closed()).await;
            go_on.notify_waiters();
        }
        assert!(within("an answer", first).await.expect("no panic"), "the first keeps its place");
    }
}

#[tokio::test]
async fn who_rests_makes_room_for_who_asks() {
    for bounds in [Bounds { connections: 1, ..bounds() }, Bounds { per_network: 1, ..bounds() }] {
        let address = start(ok(), bounds).await;
        let mut resting = Client::new(address).await;
        assert!(resting.is_answered().await);
        for _ in 0..20 {
            let mut newcomer = Client::new(address).await;
            assert!(within("an answer", newcomer.is_answered()).await);
            within("the one at rest leaves", resting.is_closed()).await;
            resting = newcomer;
        }
    }
}

#[tokio::test]
async fn who_is_at_work_is_never_disturbed() {
    let (router, began, go_on) = slow();
    let address = start(router, Bounds { connections: 1, ..bounds() }).await;
    let mut first = Client::new(address).await;
    let first = tokio::spawn(async move { first.is_answered().await });
    within("the first is asked", began.notified()).await;
    let mut second = Client::new(address).await;
    let second = tokio::spawn(async move { second.is_answered().await });
    go_on.notify_one();
    assert!(within("an answer", first).await.expect("no panic"));
    within("the second is asked", began.notified()).await;
    go_on.notify_one();
    assert!(within("an answer", second).await.expect("no panic"));
}
