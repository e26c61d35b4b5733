//! Settings: what is refused, in which words, all at once.

mod support;

use server::Config;
use server::config::Sources;
use support::sources;

fn faults(settings: &[(&str, &str)]) -> Vec<String> {
    Config::read(&sources(settings.iter().copied())).expect_err("faults")
}

#[test]
fn all_faults_are_told_together_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = faults(&[
        ("DATA_DIR", &folder.path().display().to_string()),
        ("PASSWORD_MIN_LENGTH", "7"),
        ("REGISTRTION", "open"),
        ("USER_TYPES", "guest,admin"),
        ("LOG", "]["),
        ("COOKIE_DOMAIN", "evil.example; Secure"),
        ("ACCESS_TTL", "5"),
        ("LISTEN", "nowhere"),
        ("REDIS_URL", "redis://localhost"),
    ]);
    let expected = [
        "VESTIBULE_REGISTRTION: no such setting; did you mean VESTIBULE_REGISTRATION?",
        "VESTIBULE_REDIS_URL: is not supported by this version; unset it",
        "VESTIBULE_LISTEN: must be an address and port like 127.0.0.1:3000",
        "VESTIBULE_PASSWORD_MIN_LENGTH: must be a number from 8 to 64",
        "VESTIBULE_USER_TYPES: must not list admin: nobody may choose to be one",
        "VESTIBULE_LOG: must be a level, or filters such as info,accounts=debug",
        "VESTIBULE_COOKIE_DOMAIN: must be a parent domain of an https public URL",
        "VESTIBULE_ACCESS_TTL: must be a whole number with a unit, like 90s, 5m, 24h or 14d",
    ];
    for sentence in expected {
        assert!(told.iter().any(|fault| fault == sentence), "{sentence}\nnot in {told:#?}");
    }
}

#[test]
fn production_needs_a_secret_mail_and_https() {
    let told = faults(&[("PUBLIC_URL", "https://accounts.example")]);
    assert!(told.iter().any(|fault| fault.starts_with("VESTIBULE_SECRET: is needed in production")), "{told:?}");
    assert!(told.iter().any(|fault| fault.starts_with("VESTIBULE_SMTP_URL: is needed in production")), "{told:?}");
    let told = faults(&[("PUBLIC_URL", "http://accounts.example"), ("SECRET", "changeme")]);
    assert!(told.iter().any(|fault| fault.starts_with("VESTIBULE_PUBLIC_URL: must be https")), "{told:?}");
    assert!(told.iter().any(|fault| fault.starts_with("VESTIBULE_SECRET: must have 32 bytes")), "{told:?}");
    assert!(!told.iter().any(|fault| fault.contains("changeme")), "a secret is not repeated");
}

#[test]
fn an_open_mailbox_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = faults(&[("DATA_DIR", &folder.path().display().to_string()), ("LISTEN", "0.0.0.0:3000")]);
    assert!(told.iter().any(|fault| fault.contains("the built-in mailbox would be open")), "{told:?}");
}

#[test]
fn a_file_is_read_and_the_environment_wins() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!(
        "data_dir = \"{}\"\nsite_name = \"From the file\"\npassword_min_length = 15\nsite_nmae = \"x\"",
        folder.path().display()
    );
    let mut read = Sources { file: Some(file), ..sources([("SITE_NAME", "From the environment")]) };
    let told = Config::read(&read).expect_err("a fault");
    assert_eq!(told, ["site_nmae: no such setting; did you mean site_name?"]);
    read.file = read.file.map(|file| file.replace("site_nmae = \"x\"", ""));
    let config = Config::read(&read).expect("good settings");
    assert_eq!(config.settings.sign_up.site_name, "From the environment");
    assert_eq!(config.settings.sign_up.password_min_length, 15);
}

#[cfg(unix)]
#[test]
fn a_generated_secret_is_its_owners_alone_and_stays_the_same() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data").display().to_string();
    Config::read(&sources([("DATA_DIR", data_dir.as_str())])).expect("good settings");
    let path = folder.path().join("data/secret");
    let first = std::fs::read(&path).expect("a secret");
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    Config::read(&sources([("DATA_DIR", data_dir.as_str())])).expect("good settings");
    assert_eq!(std::fs::read(&path).expect("a secret"), first);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let told = faults(&[("DATA_DIR", data_dir.as_str())]);
    assert!(told[0].contains("can be read by others"), "{told:?}");
}

#[test]
fn secrets_are_never_shown_by_debug() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [
        ("DATA_DIR", &*folder.path().display().to_string()),
        ("DATABASE_URL", "postgres://user:canary1@localhost/db"),
        ("SMTP_URL", "smtps://user:canary2@mail.example"),
        ("SECRET", "canary3QkW7xQ2mZ9rT4vB8nL1cF6hJ3pD5s"),
    ];
    let shown = format!("{:?}", Config::read(&sources(settings)).expect("good settings"));
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn the_reference_is_the_table_in_the_docs() {
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md"))
        .expect("docs/configuration.md");
    assert_eq!(written, server::config::names::reference(), "run `make docs`");
}
