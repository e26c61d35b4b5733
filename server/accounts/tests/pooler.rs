//! PostgreSQL behind something: a pooler that takes what PgBouncer takes, one that mixes statements up, and nothing at
//! all. Each is a socket of this test.

mod support;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use accounts::{Accounts, Clock, Mailer, Store, waiting_once};
use contract::Refusal;
use support::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// What PgBouncer lets a client say at the start, unless it is told to ignore more.
const TAKEN: [&str; 8] = [
    "user",
    "database",
    "client_encoding",
    "DateStyle",
    "datestyle",
    "TimeZone",
    "standard_conforming_strings",
    "application_name",
];

/// The address of a test's own part of the throw-away server, without a name for its tables: that would be a setting
/// of the connection, which is what poolers refuse. So it is a setting of a role.
async fn as_a_role() -> (String, String) {
    let url = new_schema().await;
    let (server, name) = url.split_once("?options=-csearch_path%3D").expect("a schema");
    let name = name.split('&').next().expect("a name").to_owned();
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.expect("a server");
    for sql in [
        format!("CREATE ROLE {name} LOGIN"),
        format!("ALTER ROLE {name} SET search_path = {name}"),
        format!("GRANT ALL ON SCHEMA {name} TO {name}"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.expect("a role");
    }
    let host = server.split('@').nth(1).and_then(|rest| rest.split('/').next()).expect("a host").to_owned();
    (host, name)
}

/// A message, with its kind. The first of a connection has none.
async fn message(stream: &mut TcpStream, has_kind: bool) -> std::io::Result<Vec<u8>> {
    let mut message = if has_kind { vec![stream.read_u8().await?] } else { vec![] };
    let length = stream.read_u32().await?;
    message.extend_from_slice(&length.to_be_bytes());
    let begun = message.len();
    message.resize(begun + length as usize - 4, 0);
    stream.read_exact(&mut message[begun..]).await?;
    Ok(message)
}

/// The client's settings. It asks for TLS first, and is told that there is none.
async fn startup(client: &mut TcpStream) -> std::io::Result<(Vec<u8>, HashSet<String>)> {
    let mut first = message(client, false).await?;
    if first.len() == 8 {
        client.write_all(b"N").await?;
        first = message(client, false).await?;
    }
    let words: Vec<String> =
        first[8..].split(|octet| *octet == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    Ok((first, words.into_iter().step_by(2).filter(|name| !name.is_empty()).collect()))
}

/// A pooler of sessions that is as strict as PgBouncer. Open, it can be shut: then it takes connections and says nothing.
struct Pooler {
    url: String,
    is_shut: Arc<AtomicBool>,
    connections: Arc<AtomicUsize>,
}

impl Pooler {
    async fn new() -> Self {
        let (host, role) = as_a_role().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("postgres://{role}@{}/postgres", listener.local_addr().expect("an address"));
        let (is_shut, connections) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let pooler = Self { url, is_shut: is_shut.clone(), connections: connections.clone() };
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                if is_shut.load(Ordering::SeqCst) {
                    silent.push(client);
                } else {
                    tokio::spawn(lend(client, host.clone(), is_shut.clone()));
                }
            }
        });
        pooler
    }
}

/// A connection to the server for as long as the client has one, or until the pooler is shut.
async fn lend(mut client: TcpStream, host: String, is_shut: Arc<AtomicBool>) -> std::io::Result<()> {
    let (first, names) = startup(&mut client).await?;
    if let Some(name) = names.iter().find(|name| !TAKEN.contains(&name.as_str())) {
        let text = format!("SFATAL\0C08P01\0Munsupported startup parameter: {name}\0\0");
        client.write_u8(b'E').await?;
        client.write_u32(u32::try_from(text.len()).expect("short") + 4).await?;
        return client.write_all(text.as_bytes()).await;
    }
    let mut server = TcpStream::connect(host).await?;
    server.write_all(&first).await?;
    let shut = async {
        while !is_shut.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        copied = copy_bidirectional(&mut client, &mut server) => copied.map(drop),
        () = shut => Ok(()),
    }
}

/// A pooler of transactions that does not know prepared statements: every client has the same connection to the server,
/// one after the other, for as long as a transaction lasts.
async fn mixing_pooler() -> String {
    let (host, role) = as_a_role().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("postgres://{role}@{}/postgres", listener.local_addr().expect("an address"));
    let server: Arc<Mutex<Option<TcpStream>>> = Arc::default();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(share(client, host.clone(), server.clone()));
        }
    });
    url
}

async fn share(mut client: TcpStream, host: String, shared: Arc<Mutex<Option<TcpStream>>>) -> std::io::Result<()> {
    let (first, _) = startup(&mut client).await?;
    {
        let mut shared = shared.lock().await;
        if shared.is_none() {
            let mut server = TcpStream::connect(host).await?;
            server.write_all(&first).await?;
            while message(&mut server, true).await?[0] != b'Z' {}
            *shared = Some(server);
        }
    }
    // AuthenticationOk, ReadyForQuery.
    client.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await?;
    loop {
        let mut next = message(&mut client, true).await?;
        let mut shared = shared.lock().await;
        let Some(server) = shared.as_mut() else { return Ok(()) };
        loop {
            let asks = matches!(next[0], b'S' | b'Q');
            if next[0] == b'X' {
                return Ok(());
            }
            server.write_all(&next).await?;
            if asks {
                let mut answer = message(server, true).await?;
                while answer[0] != b'Z' {
                    client.write_all(&answer).await?;
                    answer = message(server, true).await?;
                }
                client.write_all(&answer).await?;
                if answer.last() == Some(&b'I') {
                    break;
                }
            }
            next = message(&mut client, true).await?;
        }
    }
}

async fn accounts_on(url: &str) -> Accounts {
    let store = Store::open(url).await.expect("a store");
    store.migrate().await.expect("tables");
    let mailer = Mailer::Mailbox(store.clone());
    let settings = accounts::Settings { rate_limits: false, ..settings() };
    let accounts = Accounts::new(settings, store, mailer, Clock::manual()).await.expect("accounts");
    accounts.prepare_keys().await.expect("a key");
    accounts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_of_sessions_is_asked_for_nothing_that_it_refuses() {
    let accounts = accounts_on(&Pooler::new().await.url).await;
    accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
    assert!(accounts.is_ready().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_mixes_up_statements_is_refused_in_words() {
    let refused = Store::open(&mixing_pooler().await).await.expect_err("no start");
    let words = format!("{refused:?}");
    assert!(words.contains("pool_mode=session") && words.contains("max_prepared_statements"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_once_for_a_database_that_is_not_there() {
    let pooler = Pooler::new().await;
    let accounts = accounts_on(&pooler.url).await;
    accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
    pooler.is_shut.store(true, Ordering::SeqCst);
    let ask = || async { accounts.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await };
    let tried = waiting_once(async {
        assert!(matches!(refusal(ask().await), Refusal::Unavailable { .. }));
        let tried = pooler.connections.load(Ordering::SeqCst);
        for _ in 0..10 {
            assert!(matches!(refusal(ask().await), Refusal::Unavailable { .. }));
        }
        assert_eq!(pooler.connections.load(Ordering::SeqCst), tried, "no other try in this request");
        tried
    })
    .await;
    // The next request is another one, and finds that the database is back.
    pooler.is_shut.store(false, Ordering::SeqCst);
    assert!(waiting_once(ask()).await.is_ok());
    assert!(pooler.connections.load(Ordering::SeqCst) > tried);
}
