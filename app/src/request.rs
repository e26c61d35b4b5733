//! What a server function finds in its context, and how it answers: cookies, a place to go, a notice shown once.

use accounts::{Accounts, DEVICE_KNOWN_FOR, Error, NewSession, PendingSignUp, Visitor};
use contract::{Refusal, paths};
use http::HeaderValue;
use http::header::SET_COOKIE;
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use tower_sessions::cookie::time::Duration;
use tower_sessions::cookie::{Cookie, SameSite};
use tower_sessions::session_store::Error as StoreError;

use crate::Failed;

const PENDING: &str = "pending_sign_up";
const NOTICE: &str = "notice";
const NEXT: &str = "next";
const RESET: &str = "password_reset_asked";

/// The names and attributes of our cookies.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// Behind https: `Secure`, and a name that no other host can set (RFC 6265bis 4.1.3).
    pub secure: bool,
    /// The parent domain to share sign-in with, if any. Hosts below it are given the access token, and nothing else:
    /// what renews a session or finishes a sign-up stays on this host.
    pub domain: Option<String>,
}

/// Every cookie of ours, by the name that its whole name ends with.
pub const COOKIES: [&str; 6] = [ACCESS, REFRESH, SESSION, THEME, PROBE, DEVICE];
/// Says who is signed in.
pub const ACCESS: &str = "access";
/// Renews the session.
pub const REFRESH: &str = "refresh";
/// What this browser began before anybody was signed in.
pub const SESSION: &str = "session";
/// Light or dark.
pub const THEME: &str = "theme";
/// Says to which accounts this browser has signed in before.
pub const DEVICE: &str = "device";
/// Says nothing but that the browser takes cookies.
pub const PROBE: &str = "probe";

impl Cookies {
    /// `__Host-vestibule_access`, or what this deployment calls it.
    pub fn name(&self, short: &str) -> String {
        match (self.secure, self.domain_of(short)) {
            (false, _) => format!("vestibule_{short}"),
            (true, None) => format!("__Host-vestibule_{short}"),
            (true, Some(_)) => format!("__Secure-vestibule_{short}"),
        }
    }

    /// Access and refresh cookie of a session; where it begins, also that of a device which is known from now on.
    pub fn of_session(&self, session: &NewSession) -> Vec<String> {
        let access = self.cookie(ACCESS, session.access.clone(), Some(session.access_lives.num_seconds()));
        let lives = session.signed_in.remember.then(|| session.refresh_lives.num_seconds());
        let refresh = self.cookie(REFRESH, session.refresh.expose(), lives);
        let device =
            session.device.clone().map(|device| self.cookie(DEVICE, device, Some(DEVICE_KNOWN_FOR.num_seconds())));
        [access, refresh].into_iter().chain(device).collect()
    }

    /// Cookies that delete those of a session.
    pub fn of_nobody(&self) -> [String; 2] {
        [ACCESS, REFRESH].map(|short| self.cookie(short, String::new(), Some(0)))
    }

    /// A cookie that scripts may not read. Without `lives` (seconds) it ends with the browser's session.
    pub fn cookie(&self, short: &str, value: String, lives: Option<i64>) -> String {
        let mut cookie = Cookie::build((self.name(short), value))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax);
        if let Some(seconds) = lives {
            cookie = cookie.max_age(Duration::seconds(seconds));
        }
        if let Some(domain) = self.domain_of(short) {
            cookie = cookie.domain(domain.to_owned());
        }
        cookie.build().to_string()
    }

    fn domain_of(&self, short: &str) -> Option<&str> {
        self.domain.as_deref().filter(|_| short == ACCESS)
    }
}

/// Said once, above the heading of the next page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// To the client that signed up.
    NewCode,
    /// To anybody else who asked.
    LetterIfAccount,
    /// An address was confirmed; sign-in is next.
    Confirmed,
    /// It was confirmed before.
    AlreadyConfirmed,
    /// Confirmed, and signed in.
    Welcome,
    /// Over.
    SignedOut,
    /// By a letter; sign-in is next.
    PasswordReset,
    /// Of another account than the one that is signed in.
    OtherPasswordReset,
    /// By the old one.
    PasswordChanged,
    /// A device, by its name.
    DeviceEnded(String),
    /// It was over before.
    DeviceWasEnded,
    /// All but this one.
    OtherDevicesEnded,
}

/// What a server function works with.
#[derive(Clone, Debug)]
pub struct Door {
    /// The domain.
    pub accounts: Accounts,
    /// Who asks.
    pub visitor: Visitor,
    /// What this browser began.
    pub session: Session,
    /// How cookies are written here.
    pub cookies: Cookies,
}

impl Door {
    /// From the context that the router gave.
    pub fn of_request() -> Self {
        expect_context()
    }

    /// Puts a session's cookies into the answer. What the browser had begun before is over.
    pub async fn sign_in(&self, session: &NewSession) -> Result<(), Failed> {
        forget(&self.session).await?;
        set_cookies(self.cookies.of_session(session));
        Ok(())
    }

    /// Takes the cookies of the session out of the browser.
    pub async fn sign_out(&self) -> Result<(), Failed> {
        forget(&self.session).await?;
        set_cookies(self.cookies.of_nobody());
        Ok(())
    }

    /// Binds a sign-up to this browser.
    pub async fn remember_sign_up(&self, pending: &PendingSignUp) -> Result<(), Failed> {
        remember_sign_up(&self.session, pending).await.map_err(Failed::from)
    }

    /// Binds the letter that was asked for to this browser: its code works nowhere else. The session gets a new id, like
    /// that of a sign-up.
    pub async fn remember_reset(&self, email: &str, request: String) -> Result<(), Failed> {
        let asked = ResetAsked { email: email.trim().to_owned(), request };
        self.session.cycle_id().await.map_err(internal)?;
        self.session.insert(RESET, asked).await.map_err(internal)
    }

    /// Forgets the letter that this browser asked for, once it was used.
    pub async fn forget_reset(&self) -> Result<(), Failed> {
        self.session.remove_value(RESET).await.map(drop).map_err(internal)
    }

    /// Where a person wanted to go, for when the address is confirmed.
    pub async fn remember_next(&self, next: &str) -> Result<(), Failed> {
        match paths::local(next) {
            Some(next) => self.session.insert(NEXT, next).await.map_err(internal),
            None => Ok(()),
        }
    }

    /// Where the person wanted to go; the account where nothing else was wanted.
    pub async fn next(&self) -> Result<String, Failed> {
        Ok(read(&self.session, NEXT).await?.unwrap_or_else(|| paths::ACCOUNT.to_owned()))
    }

    /// Says something on the next page.
    pub async fn notify(&self, notice: Notice) -> Result<(), Failed> {
        self.session.insert(NOTICE, notice).await.map_err(internal)
    }
}

/// A letter that leads to a new password, asked for by this browser.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResetAsked {
    /// As typed.
    pub email: String,
    /// What makes the letter's code work here.
    pub request: String,
}

/// Half of what opens an account is nothing for a log.
impl std::fmt::Debug for ResetAsked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResetAsked").finish_non_exhaustive()
    }
}

/// Binds a sign-up to a browser session. The session gets a new id: one that somebody planted is worth nothing.
pub async fn remember_sign_up(session: &Session, pending: &PendingSignUp) -> Result<(), Error> {
    session.cycle_id().await.map_err(session_error)?;
    session.insert(PENDING, pending).await.map_err(session_error)
}

/// The sign-up that this browser began.
pub async fn pending_sign_up(session: &Session) -> Result<Option<PendingSignUp>, Error> {
    read(session, PENDING).await
}

/// The letter that this browser asked for.
pub async fn reset_asked(session: &Session) -> Result<Option<ResetAsked>, Error> {
    read(session, RESET).await
}

/// Ends what a browser had begun: a pending sign-up must not survive into somebody's session, nor out of it.
pub async fn forget(session: &Session) -> Result<(), Error> {
    // Without a session there is nothing to end, and the library warns of trying.
    if session.is_empty().await && session.id().is_none() {
        return Ok(());
    }
    session.flush().await.map_err(session_error)
}

/// What is to be said on the next page.
pub async fn notice(session: &Session) -> Result<Option<Notice>, Error> {
    read(session, NOTICE).await
}

/// What is to be said on this page; it is not said again.
pub async fn take_notice(session: &Session) -> Result<Option<Notice>, Error> {
    // Looked at first: taking marks a session as changed even when there is nothing to take.
    if session.get_value(NOTICE).await.map_err(session_error)?.is_none() {
        return Ok(None);
    }
    let notice = session.remove_value(NOTICE).await.map_err(session_error)?;
    Ok(notice.and_then(|notice| serde_json::from_value(notice).ok()))
}

/// What an earlier or later version kept in another shape is as good as absent.
async fn read<T: DeserializeOwned>(session: &Session, key: &str) -> Result<Option<T>, Error> {
    let value = session.get_value(key).await.map_err(session_error)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

/// Sends the browser to another page of this site.
pub fn go_to(path: &str) {
    leptos_axum::redirect(path, false);
}

/// Adds cookies to the answer.
pub fn set_cookies(cookies: impl IntoIterator<Item = String>) {
    let response = expect_context::<ResponseOptions>();
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.append_header(SET_COOKIE, value);
        }
    }
}

/// The store hands on the code of a refusal as text (`server/src/browser_sessions.rs`).
fn session_error(error: tower_sessions::session::Error) -> Error {
    let unavailable = Refusal::Unavailable { retry_after: 5 };
    match error {
        tower_sessions::session::Error::Store(StoreError::Backend(code)) if code == unavailable.code() => {
            unavailable.into()
        }
        error => Error::Internal(Box::new(error)),
    }
}

fn internal(error: tower_sessions::session::Error) -> Failed {
    session_error(error).into()
}
