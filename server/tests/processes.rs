//! What only whole processes can show: an end that outlives `kill -9`, and news from one process to another.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

mod support;

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
        Self::begin(command(folder, port), port).wait_until_ready()
    }

    fn begin(mut command: Command, port: u16) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        Self { child, port }
    }

    fn wait_until_ready(mut self) -> Self {
        let said = BufReader::new(self.child.stdout.take().expect("its output"));
        let mut log = BufReader::new(self.child.stderr.take().expect("its log"));
        if said.lines().map_while(Result::ok).any(|line| line.starts_with("Vestibule is ready")) {
            // Somebody must read it, or the program would wait for that.
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
            return self;
        }
        let mut text = String::new();
        log.read_to_string(&mut text).ok();
        panic!("the server did not start: {text}");
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

    /// As a browser posts a form. Answers the status, and when to try again.
    fn post(&self, page: &str, body: &str) -> (u16, Option<String>) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        let request = agent.post(format!("http://127.0.0.1:{}/{page}", self.port));
        let request = request.header("content-type", support::FORM).header("sec-fetch-site", "same-origin");
        let answer = request.send(body).expect("an answer");
        let again = answer.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
        (answer.status().as_u16(), again)
    }

    fn api(&self, route: &str, body: &Value) -> (u16, Value) {
        self.call("POST", &format!("api/v1/auth/{route}"), "", body)
    }

    /// The same, and again when told to come back: another process may be writing, on a disk that is slow.
    fn api_at_last(&self, route: &str, body: &Value) -> (u16, Value) {
        until(route, || Some(self.api(route, body)).filter(|(status, _)| *status != 503))
    }

    fn is_in(&self, access: &str) -> bool {
        self.call("GET", "api/v1/auth/user/", access, &Value::Null).0 == 200
    }

    fn sign_up(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD, "password_confirm": PASSWORD, "first_name": "Ada", "last_name": "Byron" });
        assert_eq!(self.api_at_last("register/", &body).0, 201);
        let letters = until("a letter", || {
            let letters = self.call("GET", &format!("dev/mailbox/messages.json?to={email}"), "", &Value::Null).1;
            letters[0]["code"].is_string().then_some(letters)
        });
        let proof = json!({ "email": email, "code": letters[0]["code"], "password": PASSWORD });
        assert_eq!(self.api_at_last("verify-email/", &proof).0, 200);
    }

    fn sign_in(&self, email: &str) -> (String, String) {
        let (status, answer) = self.api_at_last("login/", &json!({ "email": email, "password": PASSWORD }));
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

/// Three at once, with nothing there yet, several times: each of them runs, with the same secret, tables and key.
fn start_together(folder: &Path, database: Option<&str>) {
    let begun: Vec<_> = (0..3)
        .map(|_| {
            let port = free_port();
            let mut command = command(folder, port);
            // The folder is theirs to make, too.
            command.env("VESTIBULE_DATA_DIR", folder.join("data"));
            if let Some(url) = database {
                command.env("VESTIBULE_DATABASE_URL", url);
            }
            Server::begin(command, port)
        })
        .collect();
    let servers: Vec<_> = begun.into_iter().map(Server::wait_until_ready).collect();
    let keys = |server: &Server| server.call("GET", ".well-known/jwks.json", "", &Value::Null).1;
    assert_eq!(keys(&servers[0])["keys"].as_array().map(Vec::len), Some(1));
    for server in &servers {
        assert_eq!(keys(server), keys(&servers[0]));
    }
    servers[0].sign_up("ada@example.com");
    let (_, refresh) = servers[1].sign_in("ada@example.com");
    let renewed = |server: &Server| {
        let (status, answer) = server.api_at_last("token/refresh/", &json!({ "refresh": refresh }));
        assert_eq!(status, 200);
        answer["tokens"]["refresh"].clone()
    };
    assert_eq!(renewed(&servers[1]), renewed(&servers[2]), "made with the same secret");
}

#[test]
fn processes_that_start_together_on_an_empty_folder_all_run() {
    for _ in 0..4 {
        let folder = tempfile::tempdir().expect("a folder");
        start_together(folder.path(), None);
    }
}

#[test]
fn processes_that_start_together_on_an_empty_postgresql_all_run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for _ in 0..2 {
        let folder = tempfile::tempdir().expect("a folder");
        let url = runtime.block_on(support::new_schema());
        start_together(folder.path(), Some(&url));
    }
}

/// No file of this process may grow any more, or each may again: what it writes fails, as on a disk that is broken.
#[cfg(target_os = "linux")]
fn limit_files(server: &Server, limit: &str) {
    let pid = server.child.id().to_string();
    let limited = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={limit}:")]).status();
    assert!(limited.expect("prlimit of util-linux").success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_cannot_write_says_so_and_goes_on_by_itself_when_it_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    // A write beyond the limit is to fail, and not to end the process.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\"", env!("CARGO_BIN_EXE_vestibule")]).env_clear();
    shell.current_dir(folder.path());
    for (name, value) in command(folder.path(), port).get_envs() {
        shell.env(name, value.expect("a value"));
    }
    let server = Server::begin(shell, port).wait_until_ready();
    server.sign_up("ada@example.com");
    let (access, _) = server.sign_in("ada@example.com");
    let is_ready = || server.call("GET", "readyz", "", &Value::Null).0;
    assert_eq!(is_ready(), 200);
    for _ in 0..2 {
        limit_files(&server, "0");
        let login = json!({ "email": "ada@example.com", "password": PASSWORD });
        for _ in 0..3 {
            let (status, answer) = server.api("login/", &login);
            assert_eq!((status, &answer["error"]["code"]), (503, &json!("unavailable")));
        }
        let sign_up = "email=grace%40example.com&password=tractor+lemon+violin&first_name=Grace&last_name=Hopper";
        let sign_in = format!("email=ada%40example.com&password={}", PASSWORD.replace(' ', "+"));
        let reset = "email=ada%40example.com";
        for (page, body) in [("register", sign_up), ("login", sign_in.as_str()), ("password/reset", reset)] {
            let (status, again) = server.post(page, body);
            assert_eq!((status, again.is_some()), (503, true), "{page}");
        }
        until("no", || (is_ready() == 503).then_some(()));
        assert_eq!(server.call("GET", "healthz", "", &Value::Null).0, 200, "it need not be restarted");
        assert_eq!(server.call("GET", "login", "", &Value::Null).0, 200, "what is only read goes on");
        assert!(server.is_in(&access));
        limit_files(&server, "unlimited");
        server.sign_in("ada@example.com");
        until("yes", || (is_ready() == 200).then_some(()));
    }
}
