//! What an operator does on the command line, besides serving: by the same verbs as everything else.

use std::error::Error;

use accounts::{Clock, Error as Refused, KeyState, User};
use contract::Refusal;

use crate::cli::{Command, KeysCommand, UserCommand};
use crate::{Config, import, open};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Does what was asked, and says what was done.
pub async fn run(command: &Command, config: &Config) -> Outcome {
    if let Command::User(UserCommand::Import { file, dry_run }) = command {
        return import::run(config, file, *dry_run).await;
    }
    let accounts = open(config, Clock::System).await?;
    match command {
        Command::Keys(KeysCommand::List) => list(&accounts.signing_keys()),
        Command::Keys(KeysCommand::Rotate) => {
            list(&accounts.rotate_keys().await?);
            println!("The new key is published now. It signs in ten minutes, when every service has fetched it.");
        }
        Command::User(UserCommand::Disable { email }) => {
            let user = found(accounts.disable(email).await)?;
            println!("{} is disabled, and signed out everywhere.", user.email);
        }
        Command::User(UserCommand::Enable { email }) => {
            let user = found(accounts.enable(email).await)?;
            println!("{} is enabled.", user.email);
        }
        // The tables were brought up to date when they were opened.
        _ => println!("The tables are up to date."),
    }
    Ok(())
}

fn found(user: accounts::Result<User>) -> Result<User, Box<dyn Error + Send + Sync>> {
    user.map_err(|error| match error {
        Refused::Refused(Refusal::NotFound) => "there is no account with that address".into(),
        error => error.into(),
    })
}

fn list(keys: &[KeyState]) {
    let time = |at: &chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    println!("{:<17} {:<6} {:<24} {:<24} state", "kid", "alg", "signs from", "verifies until");
    for key in keys {
        let KeyState { id, algorithm, signs_from, retires_at, is_signing, .. } = key;
        let until = retires_at.as_ref().map_or_else(|| "-".to_owned(), time);
        let state = match (is_signing, retires_at) {
            (true, _) => "signs",
            (false, None) => "published, signs soon",
            (false, Some(_)) => "verifies",
        };
        println!("{id:<17} {algorithm:<6} {:<24} {until:<24} {state}", time(signs_from));
    }
}
