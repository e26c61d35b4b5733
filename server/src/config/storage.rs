//! Settings about what is kept: the database and the secret. Both must be private, and where they are files, their folders
//! must be ours to write: told here, with path and user, and not by whatever fails first.

use std::path::Path;

use super::files::{self, Privacy};
use super::read::{Prepare, Reader};
use super::{names, secret, secret_file, urls};

impl Reader {
    /// The database, and for a file: that it is private, and that it can be written.
    pub(super) fn database_url(&mut self, data_dir: &Path) -> Option<String> {
        let (name, url) = match self.text(names::DATABASE_URL) {
            Some(url) => (names::DATABASE_URL, self.noted(names::DATABASE_URL, urls::database_url(&url))?),
            None => (names::DATA_DIR, urls::sqlite_url(&data_dir.join("vestibule.db"))),
        };
        if let Some(file) = urls::sqlite_file(&url) {
            self.noted(name, files::can_be_written(files::folder_of(&file)));
            for found in files::of_database(&file) {
                self.note_privacy(name, found);
            }
        }
        Some(url)
    }

    fn note_privacy(&mut self, name: &str, found: Privacy) {
        match found {
            Privacy::Private => {}
            Privacy::Mounted(what) => self.warnings.push(format!("{}{name}: {what}", names::PREFIX)),
            Privacy::Loose(what) => self.fault(name, &what),
        }
    }

    /// The secret; in development, one that is generated into the data folder.
    pub(super) fn secret(&mut self, is_production: bool, data_dir: &Path) -> Option<Vec<u8>> {
        let generated = match (self.text(names::SECRET), self.text(names::SECRET_FILE)) {
            (Some(_), Some(_)) => {
                self.fault(names::SECRET, "and VESTIBULE_SECRET_FILE are both set; keep one");
                return None;
            }
            (Some(text), None) => return self.noted(names::SECRET, secret::secret(&text)),
            (None, Some(file)) => return self.secret_of(names::SECRET_FILE, Path::new(&file), false),
            (None, None) if !is_production => data_dir.join("secret"),
            (None, None) => {
                self.fault(
                    names::SECRET,
                    "is needed in production (an https public URL); make one with `openssl rand -base64 48`",
                );
                return None;
            }
        };
        if self.prepare == Prepare::No && secret_file::is_missing(&generated) {
            self.noted(names::DATA_DIR, files::can_be_written(data_dir))?;
            let mut bytes = vec![0; 48];
            let filled = aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "no randomness".to_owned());
            return self.noted(names::SECRET, filled).map(|()| bytes);
        }
        self.secret_of(names::DATA_DIR, &generated, true)
    }

    fn secret_of(&mut self, name: &str, file: &Path, generate: bool) -> Option<Vec<u8>> {
        if generate {
            self.noted(name, files::can_be_written(files::folder_of(file)))?;
        }
        let text = self.noted(name, secret_file::read(file, generate))?;
        self.note_privacy(name, files::of_secret(file));
        self.noted(name, secret::secret(&text))
    }
}
