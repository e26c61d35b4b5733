//! What only whole processes can show of letters: one that was under way when the service was told to stop is the next
//! process's at once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::json;

const SOON: Duration = Duration::from_secs(20);

/// A mail server that says each command it heard; its answer to a whole message may never come.
fn mail_server(takes_letters: bool) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (say, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let say = say.clone();
            std::thread::spawn(move || converse(&stream, &say, takes_letters));
        }
    });
    (port, heard)
}

fn converse(mut stream: &TcpStream, say: &Sender<String>, takes_letters: bool) {
    let lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
    let mut in_data = false;
    stream.write_all(b"220 test\r\n").ok();
    for line in lines {
        let answer = match line.split(' ').next().unwrap_or_default() {
            "." if in_data => {
                in_data = false;
                say.send("letter".to_owned()).ok();
                if takes_letters { "250 taken" } else { continue }
            }
            _ if in_data => continue,
            "DATA" => {
                in_data = true;
                "354 go on"
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).ok();
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Server {
    /// Started, and ready.
    fn start(folder: &Path, port: u16, mail: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.env_clear().current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::null());
        for (name, value) in [
            ("DATA_DIR", folder.display().to_string()),
            ("LISTEN", format!("127.0.0.1:{port}")),
            ("PUBLIC_URL", format!("http://127.0.0.1:{port}")),
            ("SMTP_URL", format!("smtp://127.0.0.1:{mail}")),
            ("HASH_MEMORY_KIB", "64".to_owned()),
        ] {
            command.env(format!("VESTIBULE_{name}"), value);
        }
        let mut child = command.spawn().expect("the program");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        assert!(said.lines().map_while(Result::ok).any(|line| line.starts_with("Vestibule is ready")), "not started");
        Self(child)
    }

    /// As whoever runs services stops one.
    fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().expect("kill");
        assert!(told.success());
        assert!(self.0.wait().expect("its end").success());
    }
}

#[test]
fn a_letter_under_way_at_a_stop_is_sent_by_the_next_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|probe| probe.local_addr()).expect("a port").port();
    let (hanging, heard) = mail_server(false);
    let server = Server::start(folder.path(), port, hanging);
    let form = json!({ "email": "ada@example.com", "password": "three unrelated words",
        "password_confirm": "three unrelated words", "first_name": "Ada", "last_name": "Byron" });
    let url = format!("http://127.0.0.1:{port}/api/v1/auth/register/");
    assert_eq!(ureq::post(url).send_json(form).expect("an answer").status(), 201);
    heard.recv_timeout(SOON).expect("a letter on its way");
    server.stop();
    let (good, heard) = mail_server(true);
    let _next = Server::start(folder.path(), port, good);
    heard.recv_timeout(SOON).expect("the letter of the process that was stopped");
}
