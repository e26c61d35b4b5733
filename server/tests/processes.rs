//! What only whole processes can show: an end that outlives `kill -9`, and news from one process to another.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PASSWORD: &str = "three unrelated words";

struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn command(folder: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.env_clear().current_dir(folder);
    for (name, value) in [
        ("DATA_DIR", folder.display().to_string()),
        ("LISTEN", format!("127.0.0.1:{port}")),
        ("PUBLIC_URL", format!("http://127.0.0.1:{port}")),
        ("HASH_MEMORY_KIB", "64".to_owned()),
        ("HASH_ITERATIONS", "1".to_owned()),
        ("RATE_LIMITS", "off".to_owned()),
    ] {
        command.env(format!("VESTIBULE_{name}"), value);
    }
    command
}

impl Server {
    /// Started, and ready.
    fn start(folder: &Path, port: u16) -> Self {
        let mut command = command(folder, port);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        let is_ready = said.lines().map_while(Result::ok).any(|line| line.starts_with("Vestibule is ready"));
        assert!(is_ready, "the server did not start");
        Self { child, port }
    }

    /// At once, and without a word: SIGKILL.
    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    fn call(&self, method: &str, route: &str, access: &str, body: &Value) -> (u16, Value) {
        let url = format!("http://127.0.0.1:{}/{route}", self.port);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        if !access.is_empty() {
            request = request.header("authorization", format!("Bearer {access}"));
        }
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = if body.is_null() {
            agent.run(request.body(()).expect("a request")).expect("an answer")
        } else {
            let request = request.header("content-type", "application/json").body(body.to_string());
            agent.run(request.expect("a request")).expect("an answer")
        };
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or(Value::Null))
    }

    fn api(&self, route: &str, body: &Value) -> (u16, Value) {
        self.call("POST", &format!("api/v1/auth/{route}"), "", body)
    }

    fn is_in(&self, access: &str) -> bool {
        self.call("GET", "api/v1/auth/user/", access, &Value::Null).0 == 200
    }

    fn sign_up(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD, "password_confirm": PASSWORD, "first_name": "Ada", "last_name": "Byron" });
        assert_eq!(self.api("register/", &body).0, 201);
        let letters = until("a letter", || {
            let letters = self.call("GET", &format!("dev/mailbox/messages.json?to={email}"), "", &Value::Null).1;
            letters[0]["code"].is_string().then_some(letters)
        });
        let proof = json!({ "email": email, "code": letters[0]["code"], "password": PASSWORD });
        assert_eq!(self.api("verify-email/", &proof).0, 200);
    }

    fn sign_in(&self, email: &str) -> (String, String) {
        let (status, answer) = self.api("login/", &json!({ "email": email, "password": PASSWORD }));
        assert_eq!(status, 200);
        let text = |name: &str| answer["tokens"][name].as_str().expect("a token").to_owned();
        (text("access"), text("refresh"))
    }
}

/// Asks until it is so. Each question is a request, and no more is waited between them.
fn until<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "no {what} came");
    }
}

fn free_port() -> u16 {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    probe.local_addr().expect("an address").port()
}

fn run(folder: &Path, port: u16, arguments: &[&str]) -> String {
    let output = command(folder, port).args(arguments).output().expect("the program");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn what_was_answered_as_ended_is_dead_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let mut server = Server::start(folder.path(), port);
    server.sign_up("ada@example.com");
    for route in ["logout/", "logout/all/", "password/change/"] {
        let (access, refresh) = server.sign_in("ada@example.com");
        assert!(server.is_in(&access));
        let new = "tractor lemon violin";
        let body = if route.starts_with("password") {
            json!({ "old_password": PASSWORD, "new_password": new })
        } else {
            Value::Null
        };
        assert_eq!(server.call("POST", &format!("api/v1/auth/{route}"), &access, &body).0, 200);
        server.kill();
        server = Server::start(folder.path(), port);
        assert!(!server.is_in(&access), "{route}");
        assert_eq!(server.api("token/refresh/", &json!({ "refresh": refresh })).0, 401, "{route}");
        assert_eq!(server.api("token/verify/", &json!({ "token": access })).0, 401, "{route}");
    }
}

#[test]
fn what_a_command_does_is_felt_by_the_server_that_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let server = Server::start(folder.path(), port);
    server.sign_up("ada@example.com");
    let (access, _) = server.sign_in("ada@example.com");
    assert!(server.is_in(&access));

    let keys = |server: &Server| {
        server.call("GET", ".well-known/jwks.json", "", &Value::Null).1["keys"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(keys(&server), 1);
    let listed = run(folder.path(), port, &["keys", "rotate"]);
    assert!(listed.contains("signs in ten minutes"), "{listed}");
    until("second key", || (keys(&server) == 2).then_some(()));
    assert!(server.is_in(&access), "nobody is signed out");
    assert_eq!(run(folder.path(), port, &["keys", "list"]).lines().count(), 3);

    run(folder.path(), port, &["user", "disable", "ada@example.com"]);
    until("end", || (!server.is_in(&access)).then_some(()));
    assert_eq!(server.api("login/", &json!({ "email": "ada@example.com", "password": PASSWORD })).0, 401);
    run(folder.path(), port, &["user", "enable", "ada@example.com"]);
    server.sign_in("ada@example.com");
}
