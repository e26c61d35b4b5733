//! People who come from another program, one JSON object on each line.
//!
//! An operator's verb: no visitor asks for it, and no limit applies. An account that is here already is never
//! touched; a line with a fault is left out and told. A thousand lines are one transaction, so after a failure the
//! report says how far it went and the same file may be given again. Memory does not grow with the file. What is told
//! never holds a hash or any other value of the file, but for the name of a key that is none of ours.

mod lines;
mod newcomer;

use std::collections::{BTreeMap, HashSet};
use std::io::BufRead;
use std::time::Duration;

use crate::tokens::{self, new_id};
use crate::{Accounts, Chain, Error, Result};
use lines::Lines;
pub(crate) use newcomer::Newcomer;

/// Lines of one transaction: few enough that sign-ins beside it do not wait long for SQLite's one writer.
const BATCH: usize = 1_000;

/// Between two of them. A server that waits for SQLite's lock only looks now and then whether it is free; without a
/// pause it would hardly ever find it so, and turn people away.
const PAUSE: Duration = Duration::from_millis(10);

/// Clashes and faults that are told with their line numbers; the rest are counted.
const LISTED: usize = 100;

/// What kind of hash a person brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashKind {
    /// `pbkdf2_sha256$…`, Django's default.
    Pbkdf2Sha256,
    /// `argon2$…`, Django's.
    Argon2,
    /// `bcrypt_sha256$…`, Django's.
    BcryptSha256,
    /// `$argon2id$…`, as ours are.
    Argon2id,
    /// No password: the account is opened by proving its mailbox.
    None,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The file was taken up to this line.
    pub taken: u64,
    /// New accounts.
    pub created: u64,
    /// Those of them whose address is not proven.
    pub unproven: u64,
    /// New accounts by the kind of their hash.
    pub kinds: BTreeMap<HashKind, u64>,
    /// Lines whose address has an account already, from before or by an earlier line.
    pub clashes: u64,
    /// The numbers of the first of them.
    pub first_clashes: Vec<u64>,
    /// Lines that cannot be taken.
    pub faults: u64,
    /// The first of them: number of the line, what is wrong with it.
    pub first_faults: Vec<(u64, String)>,
    /// Why it ended before the end of the file, if it did.
    pub broken_off: Option<String>,
}

impl Accounts {
    /// Takes people in from JSON lines. A dry run looks at the whole file in the same way and writes nothing.
    /// Reading waits for the source, so this is for a program of its own, not for a server that answers others.
    pub async fn import(&self, source: impl BufRead + Send, dry_run: bool) -> ImportReport {
        let mut lines = Lines::new(source);
        let mut seen = dry_run.then(HashSet::new);
        let mut report = ImportReport::default();
        loop {
            match self.import_batch(&mut lines, seen.as_mut()).await {
                Ok(part) if part.taken == 0 => break,
                Ok(part) => report.add(part),
                Err(error) => {
                    report.broken_off = Some(reason(error));
                    break;
                }
            }
        }
        if !dry_run {
            let (created, clashes, faults) = (report.created, report.clashes, report.faults);
            tracing::info!(event = "import", created, clashes, faults, taken = report.taken, "people imported");
        }
        report
    }

    /// A part of the report; at the end of the file one that took nothing. Everything is read and judged before the
    /// transaction begins: a source that is slow keeps nobody waiting.
    async fn import_batch(
        &self,
        lines: &mut Lines<impl BufRead>,
        seen: Option<&mut HashSet<u64>>,
    ) -> Result<ImportReport> {
        let (newcomers, mut part) = self.read_batch(lines)?;
        if let Some(seen) = seen {
            let mut tx = self.0.store.read().await?;
            for (line, newcomer) in &newcomers {
                let is_first = seen.insert(fingerprint(&newcomer.email_key));
                part.count(*line, newcomer, is_first && !tx.is_imported(newcomer).await?);
            }
            return Ok(part);
        }
        let now = self.0.clock.now();
        let mut tx = self.0.store.write_after_others().await?;
        for (line, newcomer) in &newcomers {
            part.count(*line, newcomer, tx.insert_imported_user(new_id(now)?, newcomer, now).await?);
        }
        tx.commit().await?;
        tokio::time::sleep(PAUSE).await;
        Ok(part)
    }

    /// So many lines, those with a fault told in the report already.
    fn read_batch(&self, lines: &mut Lines<impl BufRead>) -> Result<(Vec<(u64, Newcomer)>, ImportReport)> {
        let user_types = &self.settings().sign_up.user_types;
        let now = self.0.clock.now();
        let (mut newcomers, mut part) = (Vec::new(), ImportReport::default());
        for _ in 0..BATCH {
            let Some((number, line)) = lines.next().map_err(unreadable)? else { break };
            part.taken = number;
            match line.and_then(|line| Newcomer::read(line, user_types, now)) {
                Ok(newcomer) => newcomers.push((number, newcomer)),
                Err(fault) => {
                    part.faults += 1;
                    part.first_faults.push((number, fault));
                }
            }
        }
        Ok((newcomers, part))
    }
}

impl ImportReport {
    /// Whether every line was taken, or had an account before.
    pub fn is_whole(&self) -> bool {
        self.faults == 0 && self.broken_off.is_none()
    }

    fn count(&mut self, line: u64, newcomer: &Newcomer, is_new: bool) {
        if is_new {
            self.created += 1;
            self.unproven += u64::from(newcomer.verified_at.is_none());
            *self.kinds.entry(newcomer.kind).or_default() += 1;
        } else {
            self.clashes += 1;
            self.first_clashes.push(line);
        }
    }

    fn add(&mut self, part: Self) {
        self.taken = part.taken;
        self.created += part.created;
        self.unproven += part.unproven;
        for (kind, number) in part.kinds {
            *self.kinds.entry(kind).or_default() += number;
        }
        self.clashes += part.clashes;
        self.faults += part.faults;
        self.first_clashes.extend(part.first_clashes);
        self.first_clashes.truncate(LISTED);
        self.first_faults.extend(part.first_faults);
        self.first_faults.truncate(LISTED);
    }
}

impl HashKind {
    /// As an operator knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pbkdf2Sha256 => "pbkdf2_sha256",
            Self::Argon2 => "argon2",
            Self::BcryptSha256 => "bcrypt_sha256",
            Self::Argon2id => "argon2id",
            Self::None => "none",
        }
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::internal(format!("the file cannot be read: {error}"))
}

/// In words for an operator, who may know the cause.
fn reason(error: Error) -> String {
    match error {
        Error::Internal(cause) => Chain(&*cause).to_string(),
        Error::Invalid(_) | Error::Refused(_) => format!("the database does not answer ({error})"),
    }
}

/// Finds an address twice in a file of millions with eight octets for each.
fn fingerprint(key: &str) -> u64 {
    tokens::hash(key.as_bytes()).iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
