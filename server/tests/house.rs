//! The walls of the house that Cargo cannot see. Each is a search through the source.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every `.rs` file below a folder, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("{}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).expect("inside").display().to_string();
                found.push((name, std::fs::read_to_string(&path).expect("text")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no source: the search proves nothing");
    found
}

fn holds_none_of(folder: &str, words: &[&str], except: &[&str]) {
    for (name, text) in sources(folder) {
        if except.iter().any(|allowed| name.contains(allowed)) {
            continue;
        }
        for word in words {
            let line =
                text.lines().enumerate().find(|(_, line)| line.contains(word) && !line.trim_start().starts_with("//"));
            assert!(line.is_none(), "{name}:{}: {word} does not belong here", line.map_or(0, |(at, _)| at + 1));
        }
    }
}

#[test]
fn sql_is_in_the_store_only() {
    // `sqlx::FromRow` and `#[sqlx(…)]` say how a row is read, not what is asked.
    holds_none_of(
        "server/accounts/src",
        &["sqlx::query", "sqlx::Error", "SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM"],
        &["src/store"],
    );
    holds_none_of("server/src", &["sqlx", "SELECT ", "INSERT INTO"], &[]);
    holds_none_of("app", &["sqlx"], &[]);
}

#[test]
fn the_domain_knows_no_web_and_no_environment() {
    holds_none_of("server/accounts/src", &["leptos", "axum", "http::", "std::env"], &[]);
    holds_none_of("app/contract/src", &["leptos", "axum", "sqlx", "tokio", "std::env", "SystemTime", "Utc::now"], &[]);
}

#[test]
fn time_and_chance_have_one_door_each() {
    holds_none_of("server/accounts/src", &["Utc::now", "SystemTime", "Instant::now"], &["clock.rs"]);
    holds_none_of("server/accounts/src", &["rand::fill", "now_v7", "generate_salt", "new_v4"], &["tokens.rs"]);
}

#[test]
fn the_environment_is_read_in_one_file() {
    holds_none_of("server/src", &["std::env::var", "env::vars"], &["config/read.rs"]);
    holds_none_of("app", &["std::env"], &[]);
}

#[test]
fn the_door_of_the_pages_hashes_and_mails_nothing() {
    holds_none_of("app/src", &["argon2", "lettre", "sqlx"], &[]);
    holds_none_of("server/src", &["argon2", "lettre::", "askama"], &[]);
}

#[test]
fn the_sql_is_one_text_for_both_engines() {
    holds_none_of(
        "server/accounts/src/store",
        &["ILIKE", "now()", "random()", "gen_random_uuid", "datetime(", "::uuid", "ANY("],
        &[],
    );
}

#[test]
fn files_stay_short() {
    for folder in ["app", "frontend", "server/src", "server/accounts/src"] {
        for (name, text) in sources(folder) {
            assert!(text.lines().count() <= 400, "{name} has {} lines", text.lines().count());
        }
    }
}

/// Nothing of the server may be compiled for the browser.
#[test]
fn the_browser_gets_the_app_and_its_words_only() {
    let tree = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--offline",
            "-p",
            "frontend",
            "--target",
            "wasm32-unknown-unknown",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .output()
        .expect("cargo");
    let tree = String::from_utf8(tree.stdout).expect("text");
    assert!(tree.contains("contract v") && tree.contains("leptos v"), "{tree}");
    for name in ["accounts", "server", "sqlx", "argon2", "lettre", "tokio", "axum", "jsonwebtoken", "aws-lc-rs"] {
        let found = tree.lines().any(|line| line.starts_with(&format!("{name} v")));
        assert!(!found, "{name} is compiled for the browser");
    }
}

#[test]
fn every_decision_is_linked_from_the_architecture() {
    let architecture = std::fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    let decisions: Vec<_> = std::fs::read_dir(root().join("docs/decisions")).expect("docs/decisions").collect();
    assert!(!decisions.is_empty());
    for entry in decisions {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        assert!(architecture.contains(&name), "{name} is not linked");
    }
}
