//! Hashes made by Django 5.2 (`encode` of its three hashers, at low cost), and texts that are none.

use super::*;

const PLAIN: &str = "three unrelated words";
const FOREIGN: &str = "Zoë ☕ 正しい馬 пароль";

/// 103 octets, of which bcrypt alone would read 72.
fn long() -> String {
    format!("{}end", "x".repeat(100))
}

fn vectors() -> Vec<(String, &'static str)> {
    vec![
        (PLAIN.to_owned(), "pbkdf2_sha256$1000$nQ6xaBmOohbs2HUJ2wZ6VL$8rENiV3iDeNnR8LPh7KMXWxuCuLBOr7C6cCGph4E/Po="),
        (FOREIGN.to_owned(), "pbkdf2_sha256$1000$PJjvJqeFb2MM3CfOc0bCii$pJqI9pftWlv2fqVQcY1hrshEXPTnU6guu2YNJNj+8V0="),
        (long(), "pbkdf2_sha256$1000$BPmOZXSvpPDSJyzmDHXcnH$CAFFnw7JfWEYIUe8ujT+0PS1JCc+45w5l3RgWPAQOGw="),
        (
            PLAIN.to_owned(),
            "argon2$argon2id$v=19$m=64,t=2,p=2$VU1lbVpUVjFnTEJ3dUdtbHZSOFZkVA$rkjBGpKyc2jYkW8PnEC4ml1szACoOtkdWYijBv1ae4k",
        ),
        (
            FOREIGN.to_owned(),
            "argon2$argon2id$v=19$m=64,t=2,p=2$eWxyS3hzS2pEeHZvS0tFTTNGMGM3Tw$w43knwzBdcuN3A2Q5nXOqlWsMW3ef7ti6520eu4XNyM",
        ),
        (
            long(),
            "argon2$argon2id$v=19$m=64,t=2,p=2$cm1ySmdKTUQzZDR5WmlFMWs2cHdocA$XhUCpKfn2svpECNWL6Az8+VCIfivkCTxYbcpo4Z5gu4",
        ),
        (
            PLAIN.to_owned(),
            "argon2$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$oK9Y0ynzExSImSw/XXIpNjBoDR6ck4H4SYg/tZFndAY",
        ),
        (PLAIN.to_owned(), "bcrypt_sha256$$2b$04$MbgHaSW2tYAYvEwYSPeTvefReP0ivYauckykggyL1nEnPauc85QX."),
        (FOREIGN.to_owned(), "bcrypt_sha256$$2b$04$CP/YNqLvdOm35PSxOcwSBeAtdaFDWs.21l7own5eyVzENxvdmEcIW"),
        (long(), "bcrypt_sha256$$2b$04$kIYESk3q0Ihxu3dI6ZaUR.tFa7/T28ZrySkzN7iLWKBEwtAIOj7UG"),
        (PLAIN.to_owned(), "bcrypt_sha256$$2a$04$cS4V2RRIUowGkuUWivzoGeDMMuEmnDCcs4Al6exx3OJkksfgcQVY6"),
        (PLAIN.to_owned(), "bcrypt_sha256$$2y$04$cS4V2RRIUowGkuUWivzoGeDMMuEmnDCcs4Al6exx3OJkksfgcQVY6"),
    ]
}

fn fault_of(stored: &str) -> Option<Unreadable> {
    ForeignHash::parse(stored).err()
}

#[test]
fn what_django_made_is_verified_exactly_as_it_was_typed() {
    for (password, stored) in vectors() {
        let hash = ForeignHash::parse(stored).unwrap_or_else(|fault| panic!("{stored}: {fault:?}"));
        assert!(hash.verify(password.as_bytes()), "{stored}");
        let mut shorter = password.clone();
        shorter.pop();
        let others = [format!("{password} "), password.to_uppercase(), shorter];
        for other in others.iter().map(String::as_str).chain(["", stored]) {
            assert!(!hash.verify(other.as_bytes()), "{stored} by {other}");
        }
    }
}

#[test]
fn another_spelling_of_the_same_letters_is_another_password() {
    let hash = ForeignHash::parse(vectors()[1].1).expect("a hash");
    assert!(!hash.verify(FOREIGN.replace('ë', "e\u{308}").as_bytes()));
}

#[test]
fn costs_beyond_the_caps_are_not_worked_out() {
    let tail = "nQ6xaBmOohbs2HUJ2wZ6VL$8rENiV3iDeNnR8LPh7KMXWxuCuLBOr7C6cCGph4E/Po=";
    assert_eq!(fault_of(&format!("pbkdf2_sha256$2000000${tail}")), None);
    for iterations in ["2000001", "4294967295", "99999999999999999999"] {
        assert_eq!(fault_of(&format!("pbkdf2_sha256${iterations}${tail}")), Some(Unreadable::TooCostly));
    }
    let tail = "VU1lbVpUVjFnTEJ3dUdtbHZSOFZkVA$rkjBGpKyc2jYkW8PnEC4ml1szACoOtkdWYijBv1ae4k";
    assert_eq!(fault_of(&format!("argon2$argon2id$v=19$m=262144,t=16,p=16${tail}")), None);
    for cost in ["m=262145,t=1,p=1", "m=64,t=17,p=1", "m=512,t=1,p=17", "m=4294967295,t=1,p=1"] {
        assert_eq!(fault_of(&format!("argon2$argon2id$v=19${cost}${tail}")), Some(Unreadable::TooCostly), "{cost}");
    }
    let tail = "MbgHaSW2tYAYvEwYSPeTvefReP0ivYauckykggyL1nEnPauc85QX.";
    assert_eq!(fault_of(&format!("bcrypt_sha256$$2b$15${tail}")), None);
    for cost in ["16", "31", "99"] {
        assert_eq!(fault_of(&format!("bcrypt_sha256$$2b${cost}${tail}")), Some(Unreadable::TooCostly));
    }
}

#[test]
fn a_text_that_is_no_hash_of_django_is_none() {
    for stored in ["", "!", "$", "$$", "md5$salt$hash", "pbkdf2_sha1$1$a$b", "bcrypt$$2b$04$a", "PBKDF2_SHA256$1$a$b"] {
        assert_eq!(fault_of(stored), Some(Unreadable::UnknownKind), "{stored}");
    }
    let pbkdf2 = "8rENiV3iDeNnR8LPh7KMXWxuCuLBOr7C6cCGph4E/Po=";
    let argon2 = "VU1lbVpUVjFnTEJ3dUdtbHZSOFZkVA$rkjBGpKyc2jYkW8PnEC4ml1szACoOtkdWYijBv1ae4k";
    let bcrypt = "MbgHaSW2tYAYvEwYSPeTvefReP0ivYauckykggyL1nEnPauc85QX.";
    for stored in [
        "pbkdf2_sha256$".to_owned(),
        "pbkdf2_sha256$$$".to_owned(),
        format!("pbkdf2_sha256$0$salt${pbkdf2}"),
        format!("pbkdf2_sha256$-1$salt${pbkdf2}"),
        format!("pbkdf2_sha256$+1$salt${pbkdf2}"),
        format!("pbkdf2_sha256$1$${pbkdf2}"),
        format!("pbkdf2_sha256$1$sa\0lt${pbkdf2}"),
        format!("pbkdf2_sha256$1${}${pbkdf2}", "s".repeat(600)),
        "pbkdf2_sha256$1$salt$".to_owned(),
        "pbkdf2_sha256$1$salt$c2hvcnQ=".to_owned(),
        "pbkdf2_sha256$1$salt$☕".to_owned(),
        "argon2$".to_owned(),
        format!("argon2$argon2d$v=19$m=64,t=2,p=2${argon2}"),
        format!("argon2$argon2id$v=16$m=64,t=2,p=2${argon2}"),
        format!("argon2$argon2id$m=64,t=2,p=2${argon2}"),
        format!("argon2$argon2id$v=19${argon2}"),
        format!("argon2$argon2id$v=19$m=64,t=0,p=2${argon2}"),
        format!("argon2$argon2id$v=19$m=8,t=1,p=16${argon2}"),
        "argon2$argon2id$v=19$m=64,t=2,p=2$VU1lbVpUVjFnTEJ3dUdtbHZSOFZkVA".to_owned(),
        format!("argon2$pbkdf2-sha256$v=19$m=64,t=2,p=2${argon2}"),
        "bcrypt_sha256$".to_owned(),
        format!("bcrypt_sha256$2b$04${bcrypt}"),
        format!("bcrypt_sha256$$2x$04${bcrypt}"),
        format!("bcrypt_sha256$$2b$03${bcrypt}"),
        format!("bcrypt_sha256$$2b$4${bcrypt}"),
        format!("bcrypt_sha256$$2b$+4${bcrypt}"),
        format!("bcrypt_sha256$$2b$04${bcrypt}a"),
        format!("bcrypt_sha256$$2b$04${}", &bcrypt[1..]),
        format!("bcrypt_sha256$$2b$04$☕{}", &bcrypt[3..]),
    ] {
        assert_eq!(fault_of(&stored), Some(Unreadable::Malformed), "{stored}");
    }
}

#[test]
fn no_piece_of_a_hash_breaks_its_reader() {
    for (_, stored) in vectors() {
        for end in 0..stored.len() {
            assert!(ForeignHash::parse(&stored[..end]).is_err() || end >= 60, "{}", &stored[..end]);
            for strange in ["$", "\0", "☕", "=", "9"] {
                drop(ForeignHash::parse(&format!("{}{strange}{}", &stored[..end], &stored[end + 1..])));
            }
        }
    }
}
