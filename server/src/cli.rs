//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Accounts for your web app: sign up, confirm, sign in. One program; its pages work without JavaScript.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, about)]
pub struct Cli {
    /// File with settings, in TOML; the environment wins.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do; `serve` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve pages and API.
    #[default]
    Serve,
    /// Explain every fault in the settings, in words; exit 1 if there is one.
    Check,
    /// Bring the tables of the database up to date.
    Migrate,
    /// Print the reference of all settings, as Markdown.
    Configuration,
    /// Work on people's accounts.
    #[command(subcommand)]
    User(UserCommand),
}

/// What can be done with people's accounts.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Take people in from another program. Prints a report; exit 1 if a line has a fault.
    Import {
        /// JSON lines, one person each; `-` is standard input.
        file: PathBuf,
        /// Look at everything, write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}
