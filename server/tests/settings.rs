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
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("MAIL_FROM", "Us <nobody>"),
        ("MAX_CONNECTIONS", "0"),
        ("PORT", "3000"),
    ]);
    let expected = [
        "VESTIBULE_REGISTRTION: no such setting; did you mean VESTIBULE_REGISTRATION?",
        "VESTIBULE_REDIS_URL: is not supported by this version; unset it",
        "VESTIBULE_LISTEN: must be an address and port like 127.0.0.1:3000",
        "VESTIBULE_PASSWORD_MIN_LENGTH: must be a number from 8 to 64",
        "VESTIBULE_USER_TYPES: must not list admin: nobody may choose to be one",
        "VESTIBULE_LOG: must be a level, or filters such as info,accounts=debug",
        "VESTIBULE_COOKIE_DOMAIN: must be a parent domain of an https public URL",
        "VESTIBULE_TRUSTED_PROXIES: has 0.0.0.0/0, which is more than proxies: everybody in it could choose their own address",
        "VESTIBULE_MAIL_FROM: must be like Vestibule <account@example.org>; a name with commas or brackets needs quotation marks",
        "VESTIBULE_MAX_CONNECTIONS: must be a number from 16 to 1000000",
        "VESTIBULE_ACCESS_TTL: must be a whole number with a unit, like 90s, 5m, 24h or 14d",
    ];
    for sentence in expected {
        assert!(told.iter().any(|fault| fault == sentence), "{sentence}\nnot in {told:#?}");
    }
    assert!(told.iter().any(|fault| fault.starts_with("VESTIBULE_PORT: no such setting")), "{told:#?}");
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

#[cfg(unix)]
#[test]
fn a_database_that_others_could_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().display().to_string();
    let mode = |name: &str, mode| {
        let path = folder.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    std::fs::write(folder.path().join("vestibule.db"), "").expect("a file");
    mode("vestibule.db", 0o644);
    mode("", 0o700);
    let settings = [("DATA_DIR", data_dir.as_str())];
    Config::look(&sources(settings)).expect("nobody else can enter the folder");
    mode("", 0o755);
    let told = faults(&settings);
    assert_eq!(
        told,
        [format!(
            "VESTIBULE_DATA_DIR: {data_dir}/vestibule.db can be read by others; run `chmod 600 {data_dir}/vestibule.db`"
        )]
    );
    let url = format!("sqlite://{data_dir}/vestibule.db");
    let told = faults(&[("DATA_DIR", &data_dir), ("DATABASE_URL", &url)]);
    assert!(told[0].starts_with("VESTIBULE_DATABASE_URL: "), "{told:?}");
    mode("vestibule.db", 0o600);
    Config::look(&sources(settings)).expect("a private file");
    mode("", 0o777);
    let told = faults(&settings);
    assert_eq!(
        told,
        [format!("VESTIBULE_DATA_DIR: the folder {data_dir} can be written by others; run `chmod 700 {data_dir}`")]
    );
    mode("", 0o700);
}

#[test]
fn to_look_makes_neither_folder_nor_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data");
    Config::look(&sources([("DATA_DIR", &*data_dir.display().to_string())])).expect("good settings");
    assert!(!data_dir.exists());
}

#[test]
fn links_of_kubernetes_are_no_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [
        ("DATA_DIR", &*folder.path().display().to_string()),
        ("PORT", "tcp://10.0.0.7:3000"),
        ("SERVICE_HOST", "10.0.0.7"),
        ("SERVICE_PORT", "3000"),
        ("SERVICE_PORT_HTTP", "3000"),
        ("PORT_3000_TCP", "tcp://10.0.0.7:3000"),
        ("PORT_3000_TCP_ADDR", "10.0.0.7"),
        ("PORT_3000_TCP_PORT", "3000"),
        ("PORT_3000_TCP_PROTO", "tcp"),
    ];
    Config::look(&sources(settings)).expect("good settings");
}

#[test]
fn the_public_address_follows_the_port_where_we_listen() {
    let look = |settings: &[(&str, &str)]| Config::look(&sources(settings.iter().copied())).expect("good settings");
    let mut config = look(&[("LISTEN", "127.0.0.1:0")]);
    config.listens_at(4626);
    assert_eq!(
        (config.settings.public_url.as_str(), config.authority.as_str()),
        ("http://localhost:4626", "localhost:4626")
    );
    let config = look(&[("LISTEN", "127.0.0.1:4626"), ("PUBLIC_URL", "http://localhost:8080")]);
    assert_eq!(config.settings.public_url, "http://localhost:8080", "what was said stays");
    let told = faults(&[("LISTEN", "192.0.2.1:3000"), ("SMTP_URL", "smtp://127.0.0.1")]);
    assert_eq!(told, ["VESTIBULE_PUBLIC_URL: is needed when VESTIBULE_LISTEN is one address of a network"]);
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
