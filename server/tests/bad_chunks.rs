//! Bodies whose transfer coding is broken, over a connection: what no router sees by itself.

mod support;

use axum::http::StatusCode;
use server::listener::{Bounds, Patience};
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Everything that is answered to these octets, until the other side ends the connection.
async fn answer(address: std::net::SocketAddr, octets: &str) -> String {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    connection.write_all(octets.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("an answer");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn bad_chunks_are_400_at_both_doors() {
    let world = World::new(&[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let bounds = Bounds { connections: 64, per_network: 64, exempt: Vec::new(), patience: Patience::default() };
    let serving = tokio::spawn(server::listener::serve(listener, world.router.clone(), bounds, async {
        stopped.await.ok();
    }));
    for (path, content_type) in [
        ("/login", FORM),
        ("/api/v1/auth/login/", "application/json"),
        ("/api/v1/auth/logout/", "application/json"),
        ("/api/v1/auth/verify-email/", "application/json"),
    ] {
        // No size, no end of a chunk, a size beyond any.
        for body in ["no size\r\n", "5\r\nemailXX\r\n", "fffffffffffffffff\r\n", "-1\r\n\r\n"] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: {content_type}\r\naccept: text/html\r\n\
                 transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
            );
            let answer = answer(address, &format!("{head}{body}")).await;
            let status = format!("HTTP/1.1 {} ", StatusCode::BAD_REQUEST.as_u16());
            assert!(answer.starts_with(&status), "{path} {body:?}: {answer:.200}");
            if path.starts_with("/api/") {
                assert!(answer.contains("malformed_request"), "{path} {body:?}: {answer}");
            }
        }
        // Well formed, it is read.
        let whole = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost:3000\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\
             connection: close\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        assert!(!answer(address, &whole).await.contains("malformed_request"), "{path}");
    }
    stop.send(()).expect("a server");
    serving.await.expect("a task").expect("an end");
}
