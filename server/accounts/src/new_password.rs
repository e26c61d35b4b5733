//! What makes a good new password, wherever one is chosen: the rules that need no dictionary (`contract`), then the
//! dictionary, with the words an attacker would try first.

use contract::{EmailAddress, Fault, Password};

use crate::password_hash::check_uncommon;
use crate::store::Account;
use crate::{Accounts, User};

/// Whose password it is to be, as far as that is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) email: &'a str,
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
}

impl Accounts {
    /// Whether it may be chosen. `again`: typed a second time, where that is asked.
    pub(crate) fn judge_new_password(
        &self,
        typed: &Password,
        again: Option<&Password>,
        about: About<'_>,
    ) -> Result<(), Fault> {
        let rules = &self.settings().sign_up;
        let email = EmailAddress::parse(about.email).ok();
        typed.check_new(rules.password_min_length, email.as_ref(), &rules.site_name)?;
        if again.is_some_and(|again| again != typed) {
            return Err(Fault::Mismatch);
        }
        self.judge_uncommon(typed, about)
    }

    /// The dictionary alone.
    pub(crate) fn judge_uncommon(&self, typed: &Password, about: About<'_>) -> Result<(), Fault> {
        let About { email, first_name, last_name } = about;
        let local_part = email.split('@').next().unwrap_or_default();
        check_uncommon(typed, &[email, local_part, first_name, last_name, &self.settings().sign_up.site_name])
    }
}

impl<'a> About<'a> {
    pub(crate) fn user(user: &'a User) -> Self {
        Self { email: &user.email, first_name: &user.first_name, last_name: &user.last_name }
    }

    pub(crate) fn account(account: &'a Account) -> Self {
        let (first_name, last_name) = account.names();
        Self { email: &account.email, first_name, last_name }
    }
}
