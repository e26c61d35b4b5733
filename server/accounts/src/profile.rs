//! What people change about themselves. Their address, what the account is for and its id are not among it.

use contract::profile::{Profile, ProfileForm};
use contract::{Fault, Field, FieldFault};

use crate::audit::Event;
use crate::{Accounts, Error, Result, User, Visitor};

impl Accounts {
    /// Changes a person's own profile. What they are allowed is not theirs to change.
    pub async fn change_profile(&self, visitor: &Visitor, form: &ProfileForm) -> Result<User> {
        let user = &visitor.session()?.user;
        let now = Profile {
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            phone: user.phone.clone().unwrap_or_default(),
            locale: user.locale.clone(),
        };
        let checked = form.check(&now, &self.settings().sign_up);
        let fixed = read_only(form, user);
        let change = match (checked, fixed.is_empty()) {
            (Ok(change), true) => change,
            (checked, _) => return Err([fixed, checked.err().unwrap_or_default()].concat().into()),
        };
        let mut tx = self.0.store.write().await?;
        tx.change_profile(user.id, &change, self.0.clock.now()).await?;
        let account = tx.account(user.id).await?.ok_or_else(|| Error::internal("an account vanished"))?;
        self.record(&mut tx, Event::ProfileChanged, Some(visitor), Some(user.id), None).await?;
        self.commit_change(tx, user.id).await?;
        Ok(account.to_user())
    }
}

/// What was sent with another value than it has, and is not to be changed here.
fn read_only(form: &ProfileForm, user: &User) -> Vec<FieldFault> {
    let (id, kind) = (user.id.to_string(), &user.user_type);
    let fixed = [
        (Field::Id, &form.id, &id),
        (Field::Email, &form.email, &user.email),
        (Field::UserType, &form.user_type, kind),
    ];
    let changed = |(_, sent, now): &(Field, &Option<String>, &String)| {
        sent.as_ref().is_some_and(|sent| !sent.eq_ignore_ascii_case(now))
    };
    fixed.into_iter().filter(changed).map(|(field, ..)| FieldFault { field, fault: Fault::ReadOnly }).collect()
}
