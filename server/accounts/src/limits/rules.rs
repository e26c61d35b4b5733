//! What each limit is: the one table. `docs/operate/limits.md` shows it, and a test here keeps the two the same.

use chrono::TimeDelta;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limit {
    /// Sign-ups from one client network.
    Register,
    /// Tokens and codes from one client network.
    Confirm,
    /// Letters asked for from one client network.
    Resend,
    /// Letters asked for one address from one client network.
    ResendTo,
    /// Sign-ins from one client network.
    SignIn,
    /// Sign-ins for one account from one client network.
    SignInAs,
    /// Sign-ins for one account from anywhere.
    SignInAnywhere,
    /// Sign-ins for one account from a browser that has signed in to it before.
    SignInOnDevice,
    /// Sign-ins for one account from all such browsers.
    SignInOnDevices,
    /// Codes tried from one client network.
    CodeFrom,
    /// Codes tried for one address by clients that did not sign up with it.
    CodeFor,
    /// Password resets asked for from one client network.
    ResetRequest,
    /// Password resets asked for one address from one client network.
    ResetRequestFor,
    /// Tries of the present password by one session.
    ChangePassword,
    /// The same by all sessions of a person.
    ChangePasswordOf,
    /// Refresh tokens from one client network that are none of ours.
    Renew,
    /// Renewals of one session.
    RenewSession,
}

/// By what it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Per {
    Network,
    Account,
    AccountAndNetwork,
    AccountAndDevice,
    Session,
}

/// So many tries at once, and after so long without any all of them again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) per: Per,
    pub(crate) tries: u16,
    pub(crate) within: TimeDelta,
}

impl Limit {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 17] = [
        Self::Register,
        Self::Confirm,
        Self::Resend,
        Self::ResendTo,
        Self::SignIn,
        Self::SignInAs,
        Self::SignInAnywhere,
        Self::SignInOnDevice,
        Self::SignInOnDevices,
        Self::CodeFrom,
        Self::CodeFor,
        Self::ResetRequest,
        Self::ResetRequestFor,
        Self::ChangePassword,
        Self::ChangePasswordOf,
        Self::Renew,
        Self::RenewSession,
    ];

    /// Its name, in the log and in audit events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Confirm => "confirm",
            Self::Resend => "resend",
            Self::ResendTo => "resend_to",
            Self::SignIn => "sign_in",
            Self::SignInAs => "sign_in_as",
            Self::SignInAnywhere => "sign_in_anywhere",
            Self::SignInOnDevice => "sign_in_on_device",
            Self::SignInOnDevices => "sign_in_on_devices",
            Self::CodeFrom => "code_from",
            Self::CodeFor => "code_for",
            Self::ResetRequest => "reset_request",
            Self::ResetRequestFor => "reset_request_for",
            Self::ChangePassword => "change_password",
            Self::ChangePasswordOf => "change_password_of",
            Self::Renew => "renew",
            Self::RenewSession => "renew_session",
        }
    }

    pub(crate) const fn rule(self) -> Rule {
        let (per, tries, within) = match self {
            Self::Register => (Per::Network, 5, TimeDelta::minutes(1)),
            Self::Confirm => (Per::Network, 30, TimeDelta::minutes(1)),
            Self::Resend | Self::ResetRequest => (Per::Network, 10, TimeDelta::minutes(10)),
            Self::ResendTo => (Per::AccountAndNetwork, 5, TimeDelta::hours(1)),
            Self::SignIn => (Per::Network, 20, TimeDelta::minutes(1)),
            Self::SignInAs => (Per::AccountAndNetwork, 5, TimeDelta::minutes(5)),
            // Wide, because whoever fills it keeps the owner out too. Devices are known only to who had the password once.
            Self::SignInAnywhere | Self::SignInOnDevices => (Per::Account, 100, TimeDelta::hours(1)),
            Self::SignInOnDevice => (Per::AccountAndDevice, 5, TimeDelta::minutes(5)),
            // A code is one of a million, and right ones are given back.
            Self::CodeFrom => (Per::Network, 100, TimeDelta::days(1)),
            Self::CodeFor => (Per::Account, 20, TimeDelta::days(1)),
            Self::ResetRequestFor => (Per::AccountAndNetwork, 3, TimeDelta::hours(1)),
            Self::ChangePassword => (Per::Session, 5, TimeDelta::minutes(1)),
            Self::ChangePasswordOf => (Per::Account, 20, TimeDelta::hours(1)),
            // Tokens of ours are given back: a backend renews for all its people from one address.
            Self::Renew => (Per::Network, 300, TimeDelta::minutes(1)),
            // A browser that opens again renews in each of its tabs at once.
            Self::RenewSession => (Per::Session, 60, TimeDelta::minutes(1)),
        };
        Rule { per, tries, within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_network::Width;
    use crate::{hash_queue, hasher, refusals, tokens};

    const DOCS: &str = include_str!("../../../../docs/operate/limits.md");

    fn counted_by(per: Per) -> &'static str {
        match per {
            Per::Network => "client network",
            Per::Account => "account",
            Per::AccountAndNetwork => "account and client network",
            Per::AccountAndDevice => "account and known device",
            Per::Session => "session",
        }
    }

    /// The row of the table, up to the column in words.
    fn row(limit: Limit) -> String {
        let Rule { per, tries, within } = limit.rule();
        let wider = |width: Width| match per {
            Per::Network => (u32::from(width.factor()) * u32::from(tries)).to_string(),
            _ => "-".to_owned(),
        };
        let (wide, widest) = (wider(Width::Wide), wider(Width::Widest));
        let minutes = within.num_minutes();
        format!("| `{}` | {} | {tries} | {wide} | {widest} | {minutes} min | ", limit.name(), counted_by(per))
    }

    #[test]
    fn the_documented_limits_are_those_of_the_code() {
        for limit in Limit::ALL {
            assert!(DOCS.contains(&row(limit)), "docs/operate/limits.md lacks: {}", row(limit));
        }
        let rows = DOCS.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, Limit::ALL.len(), "a row of the table is of no limit");
    }

    #[test]
    fn the_documented_bounds_are_those_of_the_code() {
        for fact in [
            format!("{} buckets", super::super::MAX_BUCKETS),
            format!("{} places", hash_queue::MAX_WAITING),
            format!("{} seconds", hasher::MAX_WAIT.as_secs()),
            format!("{} tries", tokens::CODE_TRIES),
            format!("{} rows a minute", refusals::MAX_ROWS),
            format!("{} different tags", refusals::MAX_TAGS),
        ] {
            assert!(DOCS.contains(&fact), "docs/operate/limits.md lacks: {fact}");
        }
    }

    #[test]
    fn each_limit_is_listed_once_at_the_place_of_its_number() {
        for (at, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, at, "{limit:?}");
        }
    }
}
