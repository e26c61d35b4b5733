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
    /// Explain every fault in the settings, in words; exit 1 if there is one. Writes nothing.
    Check {
        /// Also open the database, and sign in to the mail server.
        #[arg(long)]
        connect: bool,
    },
    /// Bring the tables of the database up to date.
    Migrate,
    /// The keys that access tokens are signed with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The accounts of people.
    #[command(subcommand)]
    User(UserCommand),
    /// Print the description of the API (OpenAPI 3.1).
    Openapi,
    /// Print the reference of all settings, as Markdown.
    Configuration,
}

/// The keys of access tokens.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum KeysCommand {
    /// Show every key, and what it does.
    List,
    /// Make a new key. It is published at once and signs in ten minutes; nobody is signed out.
    Rotate,
}

/// The accounts of people.
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
    /// Shut an account, and sign it out everywhere.
    Disable {
        /// Its address.
        email: String,
    },
    /// Open a shut account.
    Enable {
        /// Its address.
        email: String,
    },
}
