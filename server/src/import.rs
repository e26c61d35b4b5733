//! `vestibule user import`: opens the file, shows how far it is, prints the report. What a line may say, and what
//! becomes of it, is the domain's.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read, stdin};
use std::path::Path;

use accounts::{Accounts, Clock, EmailVerification, ImportReport, Mailer, Store};
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret as _;

use crate::Config;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Imports the people of a file, `-` being standard input. An error when a line has a fault or the file was not
/// taken to its end; the report was printed before.
pub async fn run(config: &Config, file: &Path, dry_run: bool) -> Outcome<()> {
    let (source, bar) = open(file)?;
    let store = Store::open(config.database_url.expose_secret()).await?;
    // Not even tables are made by a dry run.
    if !dry_run {
        store.migrate().await?;
    }
    // An import posts no letter.
    let mailer = Mailer::Mailbox(store.clone());
    let accounts = Accounts::new(config.settings.clone(), store, mailer, Clock::System).await?;
    let report = accounts.import(BufReader::new(bar.wrap_read(source)), dry_run).await;
    bar.finish_and_clear();
    let asks_proof = config.settings.email_verification == EmailVerification::Mandatory;
    print!("{}", in_words(&report, dry_run, asks_proof));
    if report.is_whole() { Ok(()) } else { Err("not all lines were taken; the report says which, and why".into()) }
}

/// The bar is drawn on standard error, and only where that is a terminal.
fn open(file: &Path) -> Outcome<(Box<dyn Read + Send>, ProgressBar)> {
    if file == Path::new("-") {
        return Ok((Box::new(stdin()), unbounded()?));
    }
    let source = File::open(file).map_err(|error| format!("{}: cannot be read: {error}", file.display()))?;
    let about = source.metadata()?;
    if !about.is_file() {
        return Ok((Box::new(source), unbounded()?));
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% of {total_bytes}, {eta} left")?;
    Ok((Box::new(source), ProgressBar::new(about.len()).with_style(style)))
}

fn unbounded() -> Outcome<ProgressBar> {
    Ok(ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {bytes} read")?))
}

fn in_words(report: &ImportReport, dry_run: bool, asks_proof: bool) -> String {
    let mut text = String::new();
    let mut say = |line: String| writeln!(text, "{line}").unwrap_or_default();
    if dry_run {
        say("Dry run: nothing was written.".to_owned());
    }
    say(format!("Taken up to line: {}", report.taken));
    say(format!("{}: {}", if dry_run { "Would be created" } else { "Created" }, report.created));
    for (kind, number) in &report.kinds {
        say(format!("  password {}: {number}", kind.name()));
    }
    if report.unproven > 0 {
        say(format!("  email not verified: {}", report.unproven));
    }
    if report.unproven > 0 && asks_proof {
        say("    This site asks for proof of the address: until then nobody can sign in to these accounts, and"
            .to_owned());
        say("    they are deleted as sign-ups are that nobody proves.".to_owned());
    }
    say(format!("Clashes, left as they were: {}", report.clashes));
    for line in &report.first_clashes {
        say(format!("  line {line}"));
    }
    say_rest(&mut say, report.clashes, report.first_clashes.len());
    say(format!("Faults: {}", report.faults));
    for (line, what) in &report.first_faults {
        say(format!("  line {line}: {what}"));
    }
    say_rest(&mut say, report.faults, report.first_faults.len());
    if let Some(why) = &report.broken_off {
        say(format!("Broken off after line {}: {why}", report.taken));
        say("Nothing after that line was written. The same file can be imported again.".to_owned());
    }
    text
}

fn say_rest(say: &mut impl FnMut(String), all: u64, listed: usize) {
    let rest = all.saturating_sub(listed as u64);
    if rest > 0 {
        say(format!("  and {rest} more"));
    }
}

#[cfg(test)]
mod tests {
    use accounts::HashKind;

    use super::*;

    #[test]
    fn the_report_says_what_was_left_out_and_where() {
        let report = ImportReport {
            taken: 2_000,
            created: 3,
            unproven: 1,
            kinds: [(HashKind::Pbkdf2Sha256, 2), (HashKind::None, 1)].into(),
            clashes: 102,
            first_clashes: vec![7, 9],
            faults: 1,
            first_faults: vec![(12, "email: is missing".to_owned())],
            broken_off: Some("the disk is full".to_owned()),
        };
        let expected = "\
Dry run: nothing was written.
Taken up to line: 2000
Would be created: 3
  password pbkdf2_sha256: 2
  password none: 1
  email not verified: 1
Clashes, left as they were: 102
  line 7
  line 9
  and 100 more
Faults: 1
  line 12: email: is missing
Broken off after line 2000: the disk is full
Nothing after that line was written. The same file can be imported again.
";
        assert_eq!(in_words(&report, true, false), expected);
        assert!(in_words(&report, false, true).contains("they are deleted"));
    }
}
