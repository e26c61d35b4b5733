//! Settings of mail, as an operator may get them wrong.

mod support;

use server::Config;
use support::*;

fn read(settings: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data").display().to_string();
    let mut all = vec![("DATA_DIR", data_dir.as_str())];
    all.extend(settings);
    Config::read(&sources(all))
}

#[test]
fn a_file_of_authorities_is_read_at_start_and_told_when_it_holds_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    let name = path.display().to_string();
    let told = read(&[("SMTP_CA_FILE", &name)]).expect_err("no such file");
    assert!(told[0].starts_with("VESTIBULE_SMTP_CA_FILE: ") && told[0].contains("cannot be read"), "{told:?}");
    std::fs::write(&path, "not a certificate").expect("a file");
    let told = read(&[("SMTP_CA_FILE", &name)]).expect_err("no certificate");
    assert!(told[0].contains("holds no certificate"), "{told:?}");
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&path, pem).expect("a file");
    let config = read(&[("SMTP_CA_FILE", &name)]).expect("good settings");
    assert_eq!(config.smtp_authorities.as_deref(), Some(pem.as_bytes()));
}

#[test]
fn without_a_ceiling_there_is_none_and_it_is_never_nought() {
    assert_eq!(read(&[]).expect("good settings").settings.emails_per_hour, None);
    let config = read(&[("EMAILS_PER_HOUR", "500")]).expect("good settings");
    assert_eq!(config.settings.emails_per_hour, Some(500));
    for text in ["0", "-1", "many"] {
        let told = read(&[("EMAILS_PER_HOUR", text)]).expect_err("a fault");
        assert!(told[0].starts_with("VESTIBULE_EMAILS_PER_HOUR: "), "{told:?}");
    }
}

#[test]
fn a_sender_at_localhost_is_warned_about_in_production() {
    let production = [
        ("PUBLIC_URL", "https://accounts.example"),
        ("SECRET", "kW7xQ2mZ9rT4vB8nL1cF6hJ3pD5sG0yA"),
        ("SMTP_URL", "smtp://127.0.0.1:1"),
    ];
    let is_warned = |settings: &[(&str, &str)]| {
        let config = read(settings).expect("good settings");
        config.warnings.iter().any(|warning| warning.starts_with("VESTIBULE_MAIL_FROM: is at localhost"))
    };
    assert!(is_warned(&production));
    let with_sender = [&production[..], &[("MAIL_FROM", "Us <accounts@localhost.example>")]].concat();
    assert!(!is_warned(&with_sender));
    assert!(!is_warned(&[]), "development sends none");
}
