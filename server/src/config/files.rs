//! Files and folders: whether others may read what is secret, and whether we may write where we must.
//!
//! A secret that others can read is refused, with the command that ends it. Where the command cannot be given, because the file
//! is not ours or its file system is read-only, others reading it is how it was mounted: Docker gives secrets as 0444 of root,
//! Kubernetes as 0440 with our group. Then a warning has to do.

use std::io;
use std::path::Path;

use super::parse::Parsed;

/// What was found about a file that should be its owner's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Privacy {
    Private,
    /// Others may read it, and we cannot change that.
    Mounted(String),
    /// Others may read or write it.
    Loose(String),
}

/// A file that holds a secret.
pub(super) fn of_secret(path: &Path) -> Privacy {
    Mode::of(path).map_or(Privacy::Private, |mode| mode.of_secret(path))
}

/// The database and its folder. A database that others may read is safe in a folder that they cannot enter.
pub(super) fn of_database(path: &Path) -> Vec<Privacy> {
    let folder = folder_of(path);
    let Some(of_folder) = Mode::of(folder) else { return Vec::new() };
    let mut found = vec![of_folder.of_folder(folder)];
    if let Some(mode) = Mode::of(path) {
        found.push(mode.within(&of_folder).of_secret(path));
    }
    found
}

/// Whether this process can make files in a folder, or make the folder first.
pub(super) fn can_be_written(folder: &Path) -> Parsed<()> {
    writable_by(folder, &platform::user(), &platform::can_write)
}

fn writable_by(folder: &Path, user: &str, can_write: &dyn Fn(&Path) -> io::Result<()>) -> Parsed<()> {
    let is_missing = |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    for place in folder.ancestors().map(or_here) {
        let told =
            |error: &io::Error| format!("the folder {} cannot be written by {user}: {}", place.display(), plain(error));
        match std::fs::metadata(place) {
            Ok(metadata) if metadata.is_dir() => return can_write(place).map_err(|error| told(&error)),
            Ok(_) => return Err(format!("{} is a file; a folder is needed", place.display())),
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(told(&error)),
        }
    }
    Err(format!("there is no folder {}", folder.display()))
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(path))
}

fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// What the system says, without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Permissions, and whether we could change them.
#[derive(Clone, Copy, Debug)]
struct Mode {
    bits: u32,
    owner: u32,
    can_change: bool,
}

impl Mode {
    fn of(path: &Path) -> Option<Self> {
        platform::mode(path)
    }

    fn of_secret(self, path: &Path) -> Privacy {
        let Self { bits, owner, can_change } = self;
        let path = path.display();
        if bits.trailing_zeros() >= 6 {
            // No bit of group and others (0o077).
            return Privacy::Private;
        }
        if can_change {
            return Privacy::Loose(format!("{path} can be read by others; run `chmod 600 {path}`"));
        }
        if bits & 0o022 != 0 {
            return Privacy::Loose(format!("{path} can be written by others (mode {bits:04o}, owner uid {owner})"));
        }
        Privacy::Mounted(format!(
            "{path} can be read by others (mode {bits:04o}, owner uid {owner}), as it was mounted"
        ))
    }

    /// Whoever may write a folder may put another database into it. Others deleting nothing (sticky) is not enough
    /// for them to be harmless, but it is what `/tmp` has.
    fn of_folder(self, path: &Path) -> Privacy {
        let Self { bits, owner, can_change } = self;
        let path = path.display();
        if bits & 0o022 == 0 || bits & 0o1000 != 0 {
            return Privacy::Private;
        }
        if can_change && bits & 0o002 != 0 {
            return Privacy::Loose(format!("the folder {path} can be written by others; run `chmod 700 {path}`"));
        }
        Privacy::Mounted(format!("the folder {path} can be written by others (mode {bits:04o}, owner uid {owner})"))
    }

    /// What is left of permissions behind a folder that not everybody can enter.
    fn within(self, folder: &Self) -> Self {
        let can_enter = |bit: u32, all: u32| if folder.bits & bit == 0 { 0 } else { all };
        let bits = self.bits & (0o700 | can_enter(0o010, 0o070) | can_enter(0o001, 0o007));
        Self { bits, ..self }
    }
}

#[cfg(unix)]
mod platform {
    use std::io;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
    use rustix::process::geteuid;

    use super::Mode;

    pub(super) fn mode(path: &Path) -> Option<Mode> {
        let metadata = std::fs::metadata(path).ok()?;
        let is_read_only = statvfs(path).is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY));
        let (bits, owner) = (metadata.mode() & 0o7777, metadata.uid());
        Some(Mode { bits, owner, can_change: owner == geteuid().as_raw() && !is_read_only })
    }

    pub(super) fn user() -> String {
        format!("uid {}", geteuid().as_raw())
    }

    pub(super) fn can_write(folder: &Path) -> io::Result<()> {
        Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::path::Path;

    use super::Mode;

    pub(super) fn mode(_: &Path) -> Option<Mode> {
        None
    }

    pub(super) fn user() -> String {
        "this process".to_owned()
    }

    pub(super) fn can_write(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: bool = true;
    const OF_OTHERS: bool = false;

    fn mode(bits: u32, can_change: bool) -> Mode {
        Mode { bits, owner: 0, can_change }
    }

    #[derive(Debug, PartialEq, Eq)]
    enum Is {
        Private,
        Mounted,
        Loose,
    }

    fn is(privacy: &Privacy) -> Is {
        match privacy {
            Privacy::Private => Is::Private,
            Privacy::Mounted(_) => Is::Mounted,
            Privacy::Loose(_) => Is::Loose,
        }
    }

    #[test]
    fn a_secret_is_its_owners_alone_unless_it_was_mounted() {
        for (bits, whose, expected) in [
            (0o600, OURS, Is::Private),
            (0o400, OURS, Is::Private),
            (0o400, OF_OTHERS, Is::Private),
            (0o644, OURS, Is::Loose),
            (0o640, OURS, Is::Loose),
            (0o444, OURS, Is::Loose),
            (0o444, OF_OTHERS, Is::Mounted),
            (0o440, OF_OTHERS, Is::Mounted),
            (0o644, OF_OTHERS, Is::Mounted),
            (0o460, OF_OTHERS, Is::Loose),
            (0o666, OF_OTHERS, Is::Loose),
        ] {
            assert_eq!(is(&mode(bits, whose).of_secret(Path::new("s"))), expected, "{bits:o} {whose}");
        }
    }

    #[test]
    fn a_folder_is_not_for_everybody_to_write() {
        for (bits, whose, expected) in [
            (0o700, OURS, Is::Private),
            (0o755, OURS, Is::Private),
            (0o1777, OURS, Is::Private),
            (0o775, OURS, Is::Mounted),
            (0o2775, OF_OTHERS, Is::Mounted),
            (0o777, OF_OTHERS, Is::Mounted),
            (0o777, OURS, Is::Loose),
        ] {
            assert_eq!(is(&mode(bits, whose).of_folder(Path::new("d"))), expected, "{bits:o} {whose}");
        }
    }

    #[test]
    fn a_shut_folder_keeps_what_is_in_it() {
        let within = |file: u32, folder: u32| mode(file, OURS).within(&mode(folder, OURS)).bits;
        assert_eq!(within(0o644, 0o700), 0o600);
        assert_eq!(within(0o644, 0o750), 0o640);
        assert_eq!(within(0o666, 0o755), 0o666);
        assert_eq!(within(0o666, 0o701), 0o606);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named_with_who_cannot() {
        let place = tempfile::tempdir().expect("a folder");
        let refused = |_: &Path| Err(io::Error::from_raw_os_error(13));
        let told = writable_by(&place.path().join("a/b"), "uid 1000", &refused).expect_err("a fault");
        let expected =
            format!("the folder {} cannot be written by uid 1000: Permission denied", place.path().display());
        assert_eq!(told, expected);
        let file = place.path().join("file");
        std::fs::write(&file, "").expect("a file");
        let told = can_be_written(&file.join("data")).expect_err("a fault");
        assert_eq!(told, format!("{} is a file; a folder is needed", file.display()));
        assert_eq!(can_be_written(&place.path().join("new")), Ok(()));
        assert!(!place.path().join("new").exists(), "to look makes nothing");
    }
}
