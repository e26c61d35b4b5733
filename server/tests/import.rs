//! `vestibule user import` as an operator runs it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PEOPLE: &str = r#"{"email": "ada@example.com", "email_verified": true}
{"email": "Ada@Example.com"}
"#;

fn vestibule(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(arguments)
        .env_clear()
        .env("VESTIBULE_DATA_DIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    program.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("a reader");
    program.wait_with_output().expect("an end")
}

fn import(folder: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let output = vestibule(folder, &[&["user", "import"], arguments].concat(), input);
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_file_is_looked_at_then_imported_and_can_be_imported_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("people.jsonl");
    std::fs::write(&file, PEOPLE).expect("a file");
    let file = file.to_str().expect("text");
    assert!(vestibule(folder.path(), &["migrate"], "").status.success());

    let report =
        "Taken up to line: 2\nCreated: 1\n  password none: 1\nClashes, left as they were: 1\n  line 2\nFaults: 0\n";
    let dry = format!("Dry run: nothing was written.\n{}", report.replace("Created", "Would be created"));
    for _ in 0..2 {
        assert_eq!(import(folder.path(), &["--dry-run", file], ""), (Some(0), dry.clone()));
    }
    assert_eq!(import(folder.path(), &[file], ""), (Some(0), report.to_owned()));
    let (code, again) = import(folder.path(), &[file], "");
    assert_eq!(code, Some(0));
    assert!(again.contains("Created: 0\nClashes, left as they were: 2\n  line 1\n  line 2\n"), "{again}");
}

#[test]
fn standard_input_is_imported_too_and_a_fault_makes_the_exit_code_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, report) = import(folder.path(), &["-"], &format!("{PEOPLE}{{\"email\": \"ada\"}}\n"));
    assert_eq!(code, Some(1));
    assert!(
        report.contains("Created: 1\n") && report.contains("  line 3: email: is not in the correct format\n"),
        "{report}"
    );
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = vestibule(folder.path(), &["user", "import", "nowhere.jsonl"], "");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.jsonl: cannot be read"));
}
