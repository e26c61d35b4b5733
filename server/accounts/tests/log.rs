//! What the log says when something breaks.

use std::io;
use std::sync::{Arc, Mutex};

use accounts::Error;
use contract::Problem;

/// An error of a library, which tells its cause by `source` alone.
#[derive(Debug)]
struct Broken(io::Error);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the key cannot be read")
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_internal_error_is_logged_with_its_causes_and_told_without() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let told = tracing::subscriber::with_default(log, || {
        Problem::from(Error::Internal(Broken(io::Error::other("disk on fire")).into()))
    });
    assert_eq!(told, Problem::Internal);
    let logged = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
    assert!(logged.contains("the key cannot be read: disk on fire"), "{logged}");
}
