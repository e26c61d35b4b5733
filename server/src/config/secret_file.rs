//! The file with the secret of the service. In development it is made by whoever starts first.
//!
//! Several processes may start at once. Whoever makes the secret holds a lock on the file until it is written whole,
//! and whoever reads it waits for that lock: all have the same secret, and nobody ever reads half of one. A process
//! that was killed in between leaves an empty file, which the next one fills.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, Read as _, Result, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::parse::Parsed;

/// Reads a secret; makes one first, where that is asked and there is none.
pub(super) fn read(path: &Path, generate: bool) -> Parsed<String> {
    let at = |what: &str, error: &Error| format!("{what} {}: {error}", path.display());
    if generate && is_missing(path) {
        make(path).map_err(|error| at("cannot write", &error))?;
    }
    whole(path).map_err(|error| at("cannot read", &error))
}

pub(super) fn is_missing(path: &Path) -> bool {
    // An empty one is being made at this moment, or was left by a process that was killed.
    std::fs::metadata(path).map_or(true, |metadata| metadata.len() == 0)
}

fn whole(path: &Path) -> Result<String> {
    let mut file = File::open(path)?;
    // Only a file that is being made is locked. Where files cannot be locked, there is nobody to wait for.
    file.lock_shared().ok();
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn make(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    }
    if let Some(parent) = path.parent() {
        folder.create(parent)?;
    }
    let mut file = options.open(path)?;
    file.lock()?;
    // Somebody else may have made it while this one waited.
    if file.metadata()?.len() == 0 {
        let mut bytes = [0; 48];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::other("no randomness"))?;
        file.write_all(BASE64_STANDARD.encode(bytes).as_bytes())?;
        // Before anything is derived from it and stored.
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_who_need_a_secret_at_once_get_the_same_one() {
        for _ in 0..50 {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("new/secret");
            let secrets: Vec<String> = std::thread::scope(|scope| {
                let readers: Vec<_> = (0..8).map(|_| scope.spawn(|| read(&path, true).expect("a secret"))).collect();
                readers.into_iter().map(|reader| reader.join().expect("no panic")).collect()
            });
            assert_eq!(secrets[0].len(), 64);
            assert!(secrets.iter().all(|secret| *secret == secrets[0]));
        }
    }

    #[test]
    fn a_secret_that_was_never_written_is_made_anew_and_a_whole_one_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        make(&path).expect("a secret");
        std::fs::write(&path, "").expect("cut short");
        let made = read(&path, true).expect("a secret");
        assert_eq!(made.len(), 64);
        assert_eq!(read(&path, true).as_ref(), Ok(&made));
    }
}
