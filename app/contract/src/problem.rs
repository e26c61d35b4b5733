//! What can be wrong with a request, as codes.
//!
//! A *fault* is a mistake in one field of a form, a *refusal* is a policy's no. Neither carries text: the one table
//! of sentences is [`crate::wording`], and the one table of JSON codes is here. No problem ever carries a password,
//! a token or a code, because problems are logged, serialised and shown.

use serde::{Deserialize, Serialize};

/// The answer to a request that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Problem {
    /// Fields that must be corrected; never empty.
    Invalid(Vec<FieldFault>),
    /// A policy says no.
    Refused(Refusal),
    /// Something broke on our side; what, is in the log only.
    Internal,
}

/// One mistake in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// Where.
    pub field: Field,
    /// What.
    pub fault: Fault,
}

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The name outsiders rely on: in JSON and in forms.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// All of them, for tests and tables.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

coded! {
    /// A field of one of our forms, by the name it is posted under.
    Field {
        /// The e-mail address.
        Email = "email",
        /// The password to be, at sign-up.
        Password = "password",
        /// The password that an account has. Posted under the same name; told in other words.
        CurrentPassword = "password",
        /// The password once more; asked of programs only.
        PasswordConfirm = "password_confirm",
        /// A password that replaces another.
        NewPassword = "new_password",
        /// The password that is replaced.
        OldPassword = "old_password",
        /// Given name.
        FirstName = "first_name",
        /// Family name.
        LastName = "last_name",
        /// What the account is for.
        UserType = "user_type",
        /// Telephone number.
        Phone = "phone",
        /// Consent to the terms.
        Terms = "terms",
        /// The six digits of a letter.
        Code = "code",
        /// The token of a letter's link.
        Token = "token",
        /// A token that says who somebody is. Posted under the name of a letter's; told in other words.
        AccessToken = "token",
        /// The token that renews a session.
        Refresh = "refresh",
        /// Language of the pages (BCP 47).
        Locale = "locale",
        /// Of the person.
        Id = "id",
    }
}

coded! {
    /// What is wrong with a field.
    Fault {
        /// Nothing was given.
        Missing = "missing",
        /// Not of the form it must have.
        Malformed = "malformed",
        /// The same: it has a character inside that nobody sees.
        Invisible = "malformed",
        /// The same: a telephone number of a country that it does not name.
        NoCountryCode = "malformed",
        /// Longer than we take.
        TooLong = "too_long",
        /// Shorter than the rules ask.
        TooShort = "too_short",
        /// Widely used, or easily guessed.
        TooCommon = "too_common",
        /// Little more than the person's own address.
        ContainsEmail = "contains_email",
        /// Little more than the name of this site.
        ContainsSiteName = "contains_site_name",
        /// Not the same as the first time.
        Mismatch = "mismatch",
        /// Not among the choices.
        NotOffered = "not_offered",
        /// An address of a domain the operator does not take.
        DomainNotAllowed = "domain_not_allowed",
        /// Not the right one.
        Incorrect = "incorrect",
        /// Wrong too many times; a new one is needed.
        Exhausted = "exhausted",
        /// The present password once more.
        Unchanged = "unchanged",
        /// Not to be changed here.
        ReadOnly = "read_only",
    }
}

/// A no that is not about one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Unknown address, wrong password or disabled account: nobody is told which.
    InvalidCredentials,
    /// The account's address is not confirmed yet. Said only after the right password.
    EmailNotVerified,
    /// The address has an account. Said only where the operator allows it.
    EmailTaken,
    /// The token of a letter is not one of ours, or not the newest.
    TokenInvalid,
    /// The token of a letter is too old.
    TokenExpired,
    /// A token from another client needs the password too.
    PasswordRequired,
    /// Nobody may sign up here.
    RegistrationClosed,
    /// Signed in only.
    NotAuthenticated,
    /// An access or refresh token that is not one of ours, or whose session has ended.
    SessionInvalid,
    /// An access or refresh token that is too old.
    SessionExpired,
    /// Too many tries from here or for this account.
    RateLimited {
        /// Seconds until the next try is heard.
        retry_after: u32,
    },
    /// More work than this machine can do at the moment.
    Overloaded {
        /// Seconds until another try makes sense.
        retry_after: u32,
    },
    /// A part of the service is down.
    Unavailable {
        /// Seconds until another try makes sense.
        retry_after: u32,
    },
    /// A form from another site.
    CrossOrigin,
    /// A browser that does not send back what it was given. Said on pages only.
    CookiesBlocked,
    /// No such thing.
    NotFound,
    /// The resource exists, the verb does not.
    MethodNotAllowed,
    /// A body over the limit.
    TooLarge,
    /// A body in a format that is not taken here.
    UnsupportedMediaType,
    /// A body that cannot be read.
    MalformedRequest,
}

impl Refusal {
    /// The name outsiders rely on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::EmailNotVerified => "email_not_verified",
            Self::EmailTaken => "email_taken",
            Self::TokenInvalid | Self::SessionInvalid => "token_invalid",
            Self::TokenExpired | Self::SessionExpired => "token_expired",
            Self::PasswordRequired => "password_required",
            Self::RegistrationClosed => "registration_closed",
            Self::NotAuthenticated => "not_authenticated",
            Self::RateLimited { .. } => "rate_limited",
            Self::Overloaded { .. } => "overloaded",
            Self::Unavailable { .. } => "unavailable",
            Self::CrossOrigin => "cross_origin",
            Self::CookiesBlocked => "cookies_blocked",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::MalformedRequest => "malformed_request",
        }
    }

    /// The HTTP status programs get (RFC 9110 section 15; 429 of RFC 6585).
    pub const fn status(self) -> u16 {
        match self {
            Self::TokenInvalid | Self::TokenExpired | Self::MalformedRequest => 400,
            Self::InvalidCredentials | Self::NotAuthenticated | Self::SessionInvalid | Self::SessionExpired => 401,
            Self::EmailNotVerified
            | Self::PasswordRequired
            | Self::RegistrationClosed
            | Self::CrossOrigin
            | Self::CookiesBlocked => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::EmailTaken => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited { .. } => 429,
            Self::Overloaded { .. } | Self::Unavailable { .. } => 503,
        }
    }

    /// Seconds for a `Retry-After` header, where there is one.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after }
            | Self::Overloaded { retry_after }
            | Self::Unavailable { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

impl Problem {
    /// The name outsiders rely on.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "validation_failed",
            Self::Refused(refusal) => refusal.code(),
            Self::Internal => "internal_error",
        }
    }

    /// The HTTP status programs get.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::Refused(refusal) => refusal.status(),
            Self::Internal => 500,
        }
    }

    /// The HTTP status a page is shown again with: mistakes that the person can mend are 422 (RFC 9110 15.5.21).
    pub const fn page_status(&self) -> u16 {
        match self.status() {
            400 | 401 | 403 => 422,
            status => status,
        }
    }

    /// The refusal, if it is one.
    pub const fn refusal(&self) -> Option<Refusal> {
        if let Self::Refused(refusal) = self { Some(*refusal) } else { None }
    }

    /// The faults of one field.
    pub fn faults_of(&self, field: Field) -> impl Iterator<Item = Fault> + '_ {
        let faults = if let Self::Invalid(faults) = self { faults.as_slice() } else { &[] };
        faults.iter().filter(move |found| found.field == field).map(|found| found.fault)
    }
}

/// Collects the faults of a form while its fields are read, so that all are told at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldFault>);

impl Faults {
    /// Notes one.
    pub fn add(&mut self, field: Field, fault: Fault) {
        self.0.push(FieldFault { field, fault });
    }

    /// The value, or a note of why there is none.
    pub fn keep<T>(&mut self, field: Field, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.add(field, fault)).ok()
    }

    /// Those found so far.
    pub fn into_vec(self) -> Vec<FieldFault> {
        self.0
    }
}
