//! Table `users`.

use chrono::{DateTime, Utc};
use contract::profile::ProfileChange;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Tx, on_either};
use crate::import::Newcomer;
use crate::{Result, User};

/// What a sign-up says about a person, and what a proven one writes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) password_hash: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) user_type: String,
    pub(crate) phone: Option<String>,
    pub(crate) locale: String,
    pub(crate) terms_version: Option<String>,
    pub(crate) terms_accepted_at: Option<DateTime<Utc>>,
}

/// A hash is no password, and still nothing for a log.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("user_type", &self.user_type).finish_non_exhaustive()
    }
}

/// A row, as far as sign-in and proof need it.
#[derive(sqlx::FromRow)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) email: String,
    pub(crate) password_hash: String,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    pub(crate) disabled_at: Option<DateTime<Utc>>,
    first_name: String,
    last_name: String,
    user_type: String,
    phone: Option<String>,
    locale: String,
    terms_version: Option<String>,
    terms_accepted_at: Option<DateTime<Utc>>,
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

    /// Given name and family name.
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.first_name, &self.last_name)
    }

    pub(crate) fn profile(&self) -> Profile {
        Profile {
            password_hash: self.password_hash.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            user_type: self.user_type.clone(),
            phone: self.phone.clone(),
            locale: self.locale.clone(),
            terms_version: self.terms_version.clone(),
            terms_accepted_at: self.terms_accepted_at,
        }
    }
}

impl Tx {
    /// A new, unproven account. False when the address has one already: the index decides, so two at once are one.
    pub(crate) async fn insert_user(
        &mut self,
        id: Uuid,
        email: &str,
        email_key: &str,
        profile: &Profile,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let inserted = on_either!(self, conn => sqlx::query(
            "INSERT INTO users (id, email, email_key, password_hash, first_name, last_name, user_type, phone, locale,
                                terms_version, terms_accepted_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
             ON CONFLICT (email_key) DO NOTHING")
            .bind(id).bind(email).bind(email_key).bind(&profile.password_hash)
            .bind(&profile.first_name).bind(&profile.last_name).bind(&profile.user_type)
            .bind(&profile.phone).bind(&profile.locale)
            .bind(&profile.terms_version).bind(profile.terms_accepted_at).bind(now)
            .execute(conn).await?.rows_affected());
        Ok(inserted == 1)
    }

    /// An account as another program had it, never disabled. False when the address has one already.
    pub(crate) async fn insert_imported_user(
        &mut self,
        id: Uuid,
        newcomer: &Newcomer,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let profile = &newcomer.profile;
        let inserted = on_either!(self, conn => sqlx::query(
            "INSERT INTO users (id, email, email_key, password_hash, first_name, last_name, user_type, phone, locale,
                                verified_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (email_key) DO NOTHING")
            .bind(id).bind(newcomer.email.as_str()).bind(&newcomer.email_key).bind(&profile.password_hash)
            .bind(&profile.first_name).bind(&profile.last_name).bind(&profile.user_type)
            .bind(&profile.phone).bind(&profile.locale)
            .bind(newcomer.verified_at).bind(newcomer.created_at).bind(now)
            .execute(conn).await?.rows_affected());
        Ok(inserted == 1)
    }

    /// Whether an address has an account, proven or not.
    pub(crate) async fn has_account(&mut self, email_key: &str) -> Result<bool> {
        let found: i64 = on_either!(self, conn => sqlx::query_scalar("SELECT count(*) FROM users WHERE email_key = $1")
            .bind(email_key).fetch_one(conn).await?);
        Ok(found > 0)
    }

    pub(crate) async fn account_by_key(&mut self, email_key: &str) -> Result<Option<Account>> {
        Ok(on_either!(self, conn => sqlx::query_as("SELECT * FROM users WHERE email_key = $1")
            .bind(email_key).fetch_optional(conn).await?))
    }

    pub(crate) async fn account(&mut self, id: Uuid) -> Result<Option<Account>> {
        Ok(on_either!(self, conn => sqlx::query_as("SELECT * FROM users WHERE id = $1")
            .bind(id).fetch_optional(conn).await?))
    }

    /// Proves the address, once. False when it was proven before.
    pub(crate) async fn verify_user(&mut self, id: Uuid, profile: &Profile, now: DateTime<Utc>) -> Result<bool> {
        let verified = on_either!(self, conn => sqlx::query(
            "UPDATE users SET verified_at = $2, updated_at = $2, password_hash = $3, password_changed_at =
                              CASE WHEN password_hash = $3 THEN password_changed_at ELSE $2 END,
                              first_name = $4, last_name = $5,
                              user_type = $6, phone = $7, locale = $8, terms_version = $9,
                              terms_accepted_at = $10
             WHERE id = $1 AND verified_at IS NULL AND disabled_at IS NULL")
            .bind(id).bind(now).bind(&profile.password_hash).bind(&profile.first_name).bind(&profile.last_name)
            .bind(&profile.user_type).bind(&profile.phone).bind(&profile.locale).bind(&profile.terms_version)
            .bind(profile.terms_accepted_at)
            .execute(conn).await?.rows_affected());
        Ok(verified == 1)
    }

    /// Holds the password that was verified until the transaction ends, and replaces its hash by a costlier one of the
    /// same password. False when the password was changed or the account shut meanwhile.
    pub(crate) async fn confirm_hash(&mut self, id: Uuid, verified: &str, keep: &str) -> Result<bool> {
        let confirmed = on_either!(self, conn => sqlx::query(
            "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL")
            .bind(id).bind(verified).bind(keep).execute(conn).await?.rows_affected());
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

    /// Replaces the password that a letter was asked under, and proves the address that the letter came to. False when
    /// the password is another by now.
    pub(crate) async fn reset_password(
        &mut self,
        id: Uuid,
        asked_under: Option<&str>,
        new: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let reset = on_either!(self, conn => sqlx::query(
            "UPDATE users SET password_hash = $3, password_changed_at = $4, updated_at = $4,
                              verified_at = COALESCE(verified_at, $4)
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

    /// Sign-ups that nobody proved, begun before a time and without a letter that is still remembered. For sites on
    /// which an unproven account cannot be used. By `updated_at`: imported people were created elsewhere, long ago, and
    /// have as long to prove their address as others.
    pub(crate) async fn delete_unproven_users(&mut self, before: DateTime<Utc>) -> Result<u64> {
        Ok(on_either!(self, conn => sqlx::query(
            "DELETE FROM users WHERE verified_at IS NULL AND updated_at < $1
             AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id)
             AND NOT EXISTS (SELECT 1 FROM one_time_tokens WHERE one_time_tokens.user_id = users.id)")
            .bind(before).execute(conn).await?.rows_affected()))
    }
}
