//! `vestibule check`, and what a start says that fails: by the program itself.

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::mpsc;

fn vestibule(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.env_clear().current_dir(folder).args(arguments);
    for (name, value) in settings {
        command.env(format!("VESTIBULE_{name}"), value);
    }
    command.output().expect("the program")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("a folder").next().is_none()
}

#[test]
fn to_look_makes_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["check"][..],
        &["check", "--connect"],
        &["--help"],
        &["check", "--help"],
        &["openapi"],
        &["configuration"],
        &["--version"],
    ] {
        let output = vestibule(folder.path(), &[], arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        assert!(is_empty(folder.path()), "{arguments:?}");
    }
    let output = vestibule(folder.path(), &[("LISTEN", "127.0.0.1:4626")], &["check"]);
    assert!(said(&output).contains("public URL  http://localhost:4626"), "{}", said(&output));
}

#[test]
fn check_says_what_was_found_and_no_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [
        ("DATABASE_URL", "postgres://user:canary1@db.example:5433/accounts?sslmode=require"),
        ("SMTP_URL", "smtps://user:canary2@mail.example"),
    ];
    let told = said(&vestibule(folder.path(), &settings, &["check"]));
    for expected in ["The settings are in order.", "postgres://db.example:5433/accounts\n", "smtps://mail.example"] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(!told.contains("canary"), "{told}");
}

/// Answers like a mail server, once, and tells each line that it was told.
fn mail_server(takes_password: bool) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stream: TcpStream = listener.accept().expect("a client").0;
        let lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
        stream.write_all(b"220 mail.example\r\n").expect("a greeting");
        for line in lines.map_while(Result::ok) {
            let answer: &[u8] = match line.split(' ').next().unwrap_or_default() {
                "EHLO" => b"250-mail.example\r\n250 AUTH PLAIN\r\n",
                "AUTH" if takes_password => b"235 2.7.0 yes\r\n",
                "AUTH" => b"535 5.7.8 wrong password\r\n",
                "QUIT" => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            told.send(line).ok();
            if stream.write_all(answer).is_err() {
                break;
            }
        }
    });
    (port, heard)
}

#[test]
fn check_connect_greets_the_mail_server_and_signs_in() {
    for takes_password in [true, false] {
        let folder = tempfile::tempdir().expect("a folder");
        let (port, heard) = mail_server(takes_password);
        let url = format!("smtp://user:canary@127.0.0.1:{port}");
        let output = vestibule(folder.path(), &[("SMTP_URL", &url)], &["check", "--connect"]);
        let lines: Vec<String> = heard.iter().collect();
        assert!(lines[0].starts_with("EHLO ") && lines[1].starts_with("AUTH PLAIN "), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("MAIL") || line.starts_with("DATA")), "{lines:?}");
        assert_eq!(output.status.success(), takes_password, "{}", said(&output));
        if !takes_password {
            let told = said(&output);
            assert!(
                told.contains("VESTIBULE_SMTP_URL: the mail server cannot be used") && told.contains("535"),
                "{told}"
            );
            assert!(!told.contains("canary"), "{told}");
        }
    }
}

/// A port where nobody listens.
fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

#[test]
fn check_connect_says_why_nobody_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (database, mail) =
        (format!("postgres://u:canary@127.0.0.1:{}/v", dead_port()), format!("smtp://127.0.0.1:{}", dead_port()));
    let output = vestibule(folder.path(), &[("DATABASE_URL", &database), ("SMTP_URL", &mail)], &["check", "--connect"]);
    let told = said(&output);
    assert!(!output.status.success());
    for expected in
        ["VESTIBULE_DATABASE_URL: the database cannot be opened: ", "VESTIBULE_SMTP_URL: the mail server", "refused"]
    {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(!told.contains("canary"), "{told}");
}

#[tokio::test]
async fn check_connect_opens_either_engine() {
    let folder = tempfile::tempdir().expect("a folder");
    let postgres = support::new_schema().await;
    let output = vestibule(folder.path(), &[("DATABASE_URL", &postgres)], &["check", "--connect"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(is_empty(folder.path()));
    let migrated = vestibule(folder.path(), &[], &["migrate"]);
    assert!(migrated.status.success(), "{}", said(&migrated));
    let output = vestibule(folder.path(), &[], &["check", "--connect"]);
    assert!(output.status.success(), "{}", said(&output));
    let data = folder.path().join("data");
    for rest in ["vestibule.db-wal", "vestibule.db-shm"] {
        // With them, SQLite would read what was in the file before.
        std::fs::remove_file(data.join(rest)).ok();
    }
    std::fs::write(
        folder.path().join("data/vestibule.db"),
        "no database at all, but long enough to be read as one, ".repeat(40),
    )
    .expect("a file");
    let output = vestibule(folder.path(), &[], &["check", "--connect"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("file is not a database"), "{}", said(&output));
}

#[test]
fn a_start_that_fails_names_the_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let told = said(&vestibule(folder.path(), &[("LISTEN", &address)], &["serve"]));
    assert!(told.contains(&format!("VESTIBULE_LISTEN: cannot listen on {address}")), "{told}");
    assert!(told.contains("another program listens there"), "{told}");

    let database = format!("postgres://u:p@127.0.0.1:{}/v", dead_port());
    let told = said(&vestibule(folder.path(), &[("DATABASE_URL", &database), ("LISTEN", "127.0.0.1:0")], &["serve"]));
    assert!(
        told.contains("VESTIBULE_DATABASE_URL: the database cannot be opened") && told.contains("refused"),
        "{told}"
    );

    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let data_dir = file.join("data").display().to_string();
    let output = vestibule(folder.path(), &[("DATA_DIR", &data_dir)], &["serve"]);
    let expected = format!("  VESTIBULE_DATA_DIR: {} is a file; a folder is needed\n", file.display());
    assert_eq!(said(&output).lines().skip(1).collect::<Vec<_>>().join("\n") + "\n", expected);
}

#[cfg(unix)]
#[test]
fn a_settings_file_with_secrets_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vestibule.toml");
    let check = |text: &str, mode| {
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        let output = vestibule(folder.path(), &[], &["check", "--config", "vestibule.toml"]);
        (output.status.success(), said(&output))
    };
    for secret in [
        "secret = \"kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0yA\"",
        "smtp_url = \"smtps://user:word@mail.example\"",
        "database_url = \"postgres://user:word@db.example/v\"",
    ] {
        assert!(check(secret, 0o600).0, "{secret}");
        let (is_good, told) = check(secret, 0o644);
        assert!(!is_good && told.contains("the settings file holds secrets") && told.contains("chmod 600"), "{told}");
    }
    assert!(check("site_name = \"For everybody\"", 0o644).0);
}
