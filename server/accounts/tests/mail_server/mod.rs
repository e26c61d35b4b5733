//! A mail server of a test: a socket that says what its script says, and remembers what it heard.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

/// What a server says to a command, in place of yes. Nothing at all, where it is empty.
pub type Script = &'static [(&'static str, &'static str)];

/// What a command begins with, and what `EHLO` is answered with.
const WELCOME: &str = "250-test\r\n250 SIZE 1000000";

/// A mail server of this test.
pub struct Server {
    pub port: u16,
    /// Lines of all clients, and of the messages.
    pub heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub async fn that_says(script: Script) -> Self {
        Self::start(script, None).await
    }

    pub async fn start(script: Script, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let lines = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, lines) = (tls.clone(), lines.clone());
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, script, &lines).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                converse(stream, script, &lines).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, heard }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn heard(&self, what: &str) -> usize {
        self.heard.lock().expect("no panic").iter().filter(|line| line.contains(what)).count()
    }

    /// Waits until a client has said this.
    pub async fn hears(&self, what: &str) {
        let begun = Instant::now();
        while self.heard(what) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody said {what}");
            tokio::task::yield_now().await;
        }
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite, script: Script, heard: &Mutex<Vec<String>>) {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader).lines();
    let mut in_data = false;
    let scripted = |command: &str| script.iter().find(|(of, _)| command.contains(of)).map(|(_, answer)| *answer);
    writer.write_all(format!("{}\r\n", scripted("greeting").unwrap_or("220 test")).as_bytes()).await.ok();
    while let Ok(Some(line)) = lines.next_line().await {
        heard.lock().expect("no panic").push(line.clone());
        let command = if line == "." { "end of data" } else { &line };
        let usual = match command.split(' ').next().unwrap_or_default() {
            _ if in_data && line != "." => continue,
            "EHLO" => WELCOME,
            "DATA" => "354 go on",
            _ => "250 ok",
        };
        let answer = scripted(command).unwrap_or(usual);
        in_data = answer.starts_with("354");
        if answer.is_empty() {
            // It never answers; whatever comes is heard.
            continue;
        }
        writer.write_all(format!("{answer}\r\n").as_bytes()).await.ok();
    }
}

/// A certificate authority nobody knows (PEM), and a server's TLS with a certificate of it.
pub fn private_authority() -> (Vec<u8>, TlsAcceptor) {
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("an authority");
    let issuer = rcgen::Issuer::from_params(&params, &key);
    let server_key = rcgen::KeyPair::generate().expect("a key");
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let server = server.signed_by(&server_key, &issuer).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let key = server_key.serialize_der().try_into().expect("a private key");
    let config = config.with_single_cert(vec![server.der().clone()], key).expect("a certificate and its key");
    (authority.pem().into_bytes(), TlsAcceptor::from(Arc::new(config)))
}

/// A port that was free a moment ago: nobody answers there.
pub async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("smtp://{}", listener.local_addr().expect("an address"))
}
