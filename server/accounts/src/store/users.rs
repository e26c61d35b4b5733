//! Table `users`.

use chrono::{DateTime, Utc};
use contract::profile::ProfileChange;
use uuid::Uuid;

use super::{Tx, on_either};
use crate::import::Newcomer;
use crate::{Result, User};

/// What a sign-up says about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) user_type: String,
    pub(crate) phone: Option<String>,
    pub(crate) locale: String,
    pub(crate) terms_version: Option<String>,
    pub(crate) terms_accepted_at: Option<DateTime<Utc>>,
}

/// A row to be.
pub(crate) struct NewUser<'a> {
    pub(crate) id: Uuid,
    pub(crate) email: &'a str,
    pub(crate) email_key: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) profile: &'a Profile,
    /// When its mailbox was proven.
    pub(crate) verified_at: Option<DateTime<Utc>>,
    /// Since when the address is its own.
    pub(crate) address_held_at: Option<DateTime<Utc>>,
    pub(crate) first_signed_in_at: Option<DateTime<Utc>>,
    /// Hash of the network that the sign-up came from.
    pub(crate) signed_up_from: Option<&'a [u8]>,
    pub(crate) now: DateTime<Utc>,
}

/// A row, as far as sign-in and proof need it.
#[derive(Clone, sqlx::FromRow)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) email_key: String,
    pub(crate) password_hash: String,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    pub(crate) disabled_at: Option<DateTime<Utc>>,
    pub(crate) first_signed_in_at: Option<DateTime<Utc>>,
    password_changed_at: Option<DateTime<Utc>>,
    first_name: String,
    last_name: String,
    user_type: String,
    phone: Option<String>,
    locale: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Account {
    pub(crate) fn to_user(&self) -> User {
        User {
            id: self.id,
            email: self.email.clone(),
            email_verified: self.verified_at.is_some(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            user_type: self.user_type.clone(),
            phone: self.phone.clone(),
            locale: self.locale.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// When the password was chosen last, or the account became its address's. What was known of its browsers before
    /// may be another's.
    pub(crate) fn changed_hands_at(&self) -> Option<DateTime<Utc>> {
        self.password_changed_at.max(self.verified_at)
    }

    /// Given name and family name.
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.first_name, &self.last_name)
    }

    /// What says nothing of the person who typed it: kind and language.
    pub(crate) fn blank_profile(&self) -> Profile {
        Profile { user_type: self.user_type.clone(), locale: self.locale.clone(), ..Profile::default() }
    }
}

impl Tx {
    /// A new row. False when the address belongs to somebody and this row is to hold it, too: the index decides, so
    /// two at once are one.
    pub(crate) async fn insert_user(&mut self, user: &NewUser<'_>) -> Result<bool> {
        let profile = user.profile;
        let inserted = on_either!(self, conn => sqlx::query(
            "INSERT INTO users (id, email, email_key, password_hash, first_name, last_name, user_type, phone, locale,
                                terms_version, terms_accepted_at, verified_at, address_held_at, first_signed_in_at,
                                created_at, updated_at, signed_up_from)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16)
             ON CONFLICT (email_key) WHERE address_held_at IS NOT NULL DO NOTHING")
            .bind(user.id).bind(user.email).bind(user.email_key).bind(user.password_hash)
            .bind(&profile.first_name).bind(&profile.last_name).bind(&profile.user_type)
            .bind(&profile.phone).bind(&profile.locale)
            .bind(&profile.terms_version).bind(profile.terms_accepted_at).bind(user.verified_at)
            .bind(user.address_held_at).bind(user.first_signed_in_at).bind(user.now).bind(user.signed_up_from)
            .execute(conn).await?.rows_affected());
        Ok(inserted == 1)
    }

    /// What the same client typed at a second sign-up, in place of what it typed at the first. Nothing once somebody
    /// has used the account or proven the address.
    pub(crate) async fn correct_sign_up(
        &mut self,
        id: Uuid,
        password_hash: &str,
        profile: &Profile,
        now: DateTime<Utc>,
    ) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE users SET password_hash = $2, first_name = $3, last_name = $4, user_type = $5, phone = $6,
                              terms_version = $7, terms_accepted_at = $8, updated_at = $9
             WHERE id = $1 AND verified_at IS NULL AND first_signed_in_at IS NULL")
            .bind(id).bind(password_hash).bind(&profile.first_name).bind(&profile.last_name).bind(&profile.user_type)
            .bind(&profile.phone).bind(&profile.terms_version).bind(profile.terms_accepted_at).bind(now)
            .execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Somebody uses an account from now on.
    pub(crate) async fn note_first_sign_in(&mut self, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE users SET first_signed_in_at = COALESCE(first_signed_in_at, $2) WHERE id = $1")
            .bind(id).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Drops so many sign-ups for an address, of those that nobody has used: of the network that has most of them, the
    /// oldest. What proves the mailbox stays as it is, for whoever reads it.
    pub(crate) async fn drop_sign_ups(&mut self, email_key: &str, at_most: i64) -> Result<()> {
        let dropped: Vec<Uuid> = on_either!(self, conn => sqlx::query_scalar(
            "SELECT id FROM (
                 SELECT id, updated_at, count(*) OVER (PARTITION BY signed_up_from) AS of_network FROM users
                 WHERE email_key = $1 AND address_held_at IS NULL AND first_signed_in_at IS NULL
                   AND disabled_at IS NULL AND imported_at IS NULL) AS sign_ups
             ORDER BY of_network DESC, updated_at, id LIMIT $2")
            .bind(email_key).bind(at_most).fetch_all(conn).await?);
        for id in dropped {
            for sql in [
                "UPDATE one_time_tokens SET user_id = NULL WHERE user_id = $1",
                "UPDATE outbox SET user_id = NULL WHERE user_id = $1",
                "DELETE FROM users WHERE id = $1",
            ] {
                on_either!(self, conn => sqlx::query(sql).bind(id).execute(conn).await?.rows_affected());
            }
        }
        Ok(())
    }

    /// An account as another program had it, never disabled. False when the address belongs to somebody already, or was
    /// imported before.
    pub(crate) async fn insert_imported_user(
        &mut self,
        id: Uuid,
        newcomer: &Newcomer,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        if self.is_imported(newcomer).await? {
            return Ok(false);
        }
        let profile = &newcomer.profile;
        let inserted = on_either!(self, conn => sqlx::query(
            "INSERT INTO users (id, email, email_key, password_hash, first_name, last_name, user_type, phone, locale,
                                verified_at, address_held_at, created_at, updated_at, imported_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $12)
             ON CONFLICT (email_key) WHERE address_held_at IS NOT NULL DO NOTHING")
            .bind(id).bind(newcomer.email.as_str()).bind(&newcomer.email_key).bind(&newcomer.password_hash)
            .bind(&profile.first_name).bind(&profile.last_name).bind(&profile.user_type)
            .bind(&profile.phone).bind(&profile.locale)
            .bind(newcomer.verified_at).bind(newcomer.created_at).bind(now)
            .execute(conn).await?.rows_affected());
        Ok(inserted == 1)
    }

    /// Whether an import has nothing to add: the address belongs to somebody, or came with an import before.
    pub(crate) async fn is_imported(&mut self, newcomer: &Newcomer) -> Result<bool> {
        let found: i64 = on_either!(self, conn => sqlx::query_scalar(
            "SELECT count(*) FROM users
             WHERE email_key = $1 AND (address_held_at IS NOT NULL OR imported_at IS NOT NULL)")
            .bind(&newcomer.email_key).fetch_one(conn).await?);
        Ok(found > 0)
    }

    /// Everybody who signed up with an address: its owner first, then the newest sign-up.
    pub(crate) async fn accounts_by_key(&mut self, email_key: &str) -> Result<Vec<Account>> {
        Ok(on_either!(self, conn => sqlx::query_as(
            "SELECT * FROM users WHERE email_key = $1
             ORDER BY CASE WHEN verified_at IS NULL THEN 1 ELSE 0 END, updated_at DESC, id DESC")
            .bind(email_key).fetch_all(conn).await?))
    }

    pub(crate) async fn account(&mut self, id: Uuid) -> Result<Option<Account>> {
        Ok(on_either!(self, conn => sqlx::query_as("SELECT * FROM users WHERE id = $1")
            .bind(id).fetch_optional(conn).await?))
    }

    /// Makes a sign-up the owner of its address, with another password where one is given. False when it was disabled
    /// or proven before, or another owns the address by now; the transaction is then not to be committed.
    pub(crate) async fn prove_user(
        &mut self,
        id: Uuid,
        password_hash: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let proven: sqlx::Result<u64> = on_either!(self, conn => sqlx::query(
            "UPDATE users SET verified_at = $2, address_held_at = $2, updated_at = $2,
                              first_signed_in_at = COALESCE(first_signed_in_at, $2),
                              password_hash = COALESCE($3, password_hash),
                              password_changed_at = CASE WHEN $3 IS NULL THEN password_changed_at ELSE $2 END
             WHERE id = $1 AND verified_at IS NULL AND disabled_at IS NULL")
            .bind(id).bind(now).bind(password_hash).execute(conn).await.map(|done| done.rows_affected()));
        match proven {
            // The index decides: of two at once, one.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            proven => Ok(proven? == 1),
        }
    }

    /// Locks all accounts of one address until this transaction ends, before anything that hangs on them: the oldest
    /// first, which stands for all, because two that lock the same rows in different orders wait for each other.
    pub(crate) async fn lock_address(&mut self, email_key: &str) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE users SET email_key = email_key
             WHERE id = (SELECT id FROM users WHERE email_key = $1 ORDER BY id LIMIT 1)")
            .bind(email_key).execute(conn).await?.rows_affected());
        on_either!(self, conn => sqlx::query("UPDATE users SET email_key = email_key WHERE email_key = $1")
            .bind(email_key).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Nobody holds an address that is about to be proven, whatever the site's rules once were.
    pub(crate) async fn release_address(&mut self, email_key: &str) -> Result<()> {
        on_either!(self, conn => sqlx::query(
            "UPDATE users SET address_held_at = NULL
             WHERE email_key = $1 AND address_held_at IS NOT NULL AND verified_at IS NULL")
            .bind(email_key).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Ends the accounts that others have used with an address which is proven to be somebody else's. Answers whose.
    pub(crate) async fn delete_used_claims(&mut self, email_key: &str, owner: Uuid) -> Result<Vec<Uuid>> {
        Ok(on_either!(self, conn => sqlx::query_scalar(
            "DELETE FROM users WHERE email_key = $1 AND id <> $2 AND verified_at IS NULL
             AND first_signed_in_at IS NOT NULL RETURNING id")
            .bind(email_key).bind(owner).fetch_all(conn).await?))
    }

    /// Holds the password that was verified until the transaction ends, and replaces its hash by one of the present
    /// form of the same password. False when the password was changed or the account disabled meanwhile.
    pub(crate) async fn confirm_hash(
        &mut self,
        id: Uuid,
        verified: &str,
        keep: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let confirmed = on_either!(self, conn => sqlx::query(
            "UPDATE users SET password_hash = $3, first_signed_in_at = COALESCE(first_signed_in_at, $4)
             WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL")
            .bind(id).bind(verified).bind(keep).bind(now).execute(conn).await?.rows_affected());
        if confirmed == 1 && verified != keep {
            // Letters are bound to the password, not to the way it is kept.
            on_either!(self, conn => sqlx::query(
                "UPDATE one_time_tokens SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2")
                .bind(id).bind(verified).bind(keep).execute(conn).await?.rows_affected());
        }
        Ok(confirmed == 1)
    }

    /// Replaces a password by another, unless it was replaced meanwhile.
    pub(crate) async fn change_password(&mut self, id: Uuid, old: &str, new: &str, now: DateTime<Utc>) -> Result<bool> {
        let changed = on_either!(self, conn => sqlx::query(
            "UPDATE users SET password_hash = $3, password_changed_at = $4, updated_at = $4
             WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL")
            .bind(id).bind(old).bind(new).bind(now).execute(conn).await?.rows_affected());
        Ok(changed == 1)
    }

    /// Replaces the password that a letter was asked under. False when the password is another by now.
    pub(crate) async fn reset_password(
        &mut self,
        id: Uuid,
        asked_under: Option<&str>,
        new: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let reset = on_either!(self, conn => sqlx::query(
            "UPDATE users SET password_hash = $3, password_changed_at = $4, updated_at = $4
             WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL")
            .bind(id).bind(asked_under).bind(new).bind(now).execute(conn).await?.rows_affected());
        Ok(reset == 1)
    }

    /// Changes what is given, and nothing else.
    pub(crate) async fn change_profile(&mut self, id: Uuid, change: &ProfileChange, now: DateTime<Utc>) -> Result<()> {
        let phone = change.phone.as_ref().filter(|phone| !phone.is_empty());
        on_either!(self, conn => sqlx::query(
            "UPDATE users SET first_name = COALESCE($2, first_name), last_name = COALESCE($3, last_name),
                              phone = CASE WHEN $4 THEN $5 ELSE phone END, locale = COALESCE($6, locale),
                              updated_at = $7
             WHERE id = $1")
            .bind(id).bind(&change.first_name).bind(&change.last_name).bind(change.phone.is_some()).bind(phone)
            .bind(&change.locale).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }

    pub(crate) async fn set_disabled(
        &mut self,
        id: Uuid,
        disabled_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        on_either!(self, conn => sqlx::query("UPDATE users SET disabled_at = $2, updated_at = $3 WHERE id = $1")
            .bind(id).bind(disabled_at).bind(now).execute(conn).await?.rows_affected());
        Ok(())
    }
}
