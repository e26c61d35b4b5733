//! What a server function finds in its context, and how it answers: cookies, a place to go, a notice shown once.

use accounts::{Accounts, Error, NewSession, PendingSignUp, Visitor};
use contract::paths;
use http::HeaderValue;
use http::header::SET_COOKIE;
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;
use tower_sessions::cookie::time::Duration;
use tower_sessions::cookie::{Cookie, SameSite};

use crate::Failed;

const PENDING: &str = "pending_sign_up";
const NOTICE: &str = "notice";
const NEXT: &str = "next";
const RESET: &str = "password_reset";

/// The names and attributes of our cookies.
#[derive(Clone, Debug)]
pub struct Cookies {
    /// Behind https: `Secure`, and a name that no other host can set (RFC 6265bis 4.1.3).
    pub secure: bool,
    /// The parent domain to share sign-in with, if any.
    pub domain: Option<String>,
}

impl Cookies {
    /// `__Host-vestibule_access`, or what this deployment calls it.
    pub fn name(&self, short: &str) -> String {
        match (self.secure, &self.domain) {
            (false, _) => format!("vestibule_{short}"),
            (true, None) => format!("__Host-vestibule_{short}"),
            (true, Some(_)) => format!("__Secure-vestibule_{short}"),
        }
    }

    /// Access and refresh cookie of a session.
    pub fn of_session(&self, session: &NewSession) -> [String; 2] {
        let access = self.cookie("access", session.access.clone(), Some(session.access_lives.num_seconds()));
        let lives = session.signed_in.remember.then(|| session.refresh_lives.num_seconds());
        [access, self.cookie("refresh", session.refresh.expose(), lives)]
    }

    /// The same, gone.
    pub fn of_nobody(&self) -> [String; 2] {
        ["access", "refresh"].map(|short| self.cookie(short, String::new(), Some(0)))
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
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(domain.clone());
        }
        cookie.build().to_string()
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

    /// Takes them out again.
    pub async fn sign_out(&self) -> Result<(), Failed> {
        forget(&self.session).await?;
        set_cookies(self.cookies.of_nobody());
        Ok(())
    }

    /// Binds a sign-up to this browser.
    pub async fn remember_sign_up(&self, pending: &PendingSignUp) -> Result<(), Failed> {
        remember_sign_up(&self.session, pending).await.map_err(Failed::from)
    }

    /// The address that a new password was asked for, as typed, for the page that waits for its code.
    pub async fn remember_reset(&self, email: &str) -> Result<(), Failed> {
        self.session.insert(RESET, email.trim()).await.map_err(internal)
    }

    /// It was used.
    pub async fn forget_reset(&self) -> Result<(), Failed> {
        self.session.remove::<String>(RESET).await.map(drop).map_err(internal)
    }

    /// Where a person wanted to go, for when the address is confirmed.
    pub async fn remember_next(&self, next: &str) -> Result<(), Failed> {
        match paths::local(next) {
            Some(next) => self.session.insert(NEXT, next).await.map_err(internal),
            None => Ok(()),
        }
    }

    /// The same, again; the account where nothing else was wanted.
    pub async fn next(&self) -> Result<String, Failed> {
        let next: Option<String> = self.session.get(NEXT).await.map_err(internal)?;
        Ok(next.unwrap_or_else(|| paths::ACCOUNT.to_owned()))
    }

    /// Says something on the next page.
    pub async fn notify(&self, notice: Notice) -> Result<(), Failed> {
        self.session.insert(NOTICE, notice).await.map_err(internal)
    }
}

/// Binds a sign-up to a browser session. The session gets a new id: one that somebody planted is worth nothing.
pub async fn remember_sign_up(session: &Session, pending: &PendingSignUp) -> Result<(), Error> {
    session.cycle_id().await.map_err(session_error)?;
    session.insert(PENDING, pending).await.map_err(session_error)
}

/// The sign-up that this browser began.
pub async fn pending_sign_up(session: &Session) -> Result<Option<PendingSignUp>, Error> {
    session.get(PENDING).await.map_err(session_error)
}

/// The address that this browser asked a new password for.
pub async fn reset_asked(session: &Session) -> Result<Option<String>, Error> {
    session.get(RESET).await.map_err(session_error)
}

/// Ends what a browser had begun: a pending sign-up must not survive into somebody's session, nor out of it.
pub async fn forget(session: &Session) -> Result<(), Error> {
    // Without a session there is nothing to end, and the library warns of trying.
    if session.is_empty().await && session.id().is_none() {
        return Ok(());
    }
    session.flush().await.map_err(session_error)
}

/// What is to be said on this page; it is not said again.
pub async fn take_notice(session: &Session) -> Result<Option<Notice>, Error> {
    // Looked at first: taking marks a session as changed even when there is nothing to take.
    match session.get::<Notice>(NOTICE).await.map_err(session_error)? {
        Some(_) => session.remove(NOTICE).await.map_err(session_error),
        None => Ok(None),
    }
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

fn session_error(error: tower_sessions::session::Error) -> Error {
    Error::Internal(Box::new(error))
}

fn internal(error: tower_sessions::session::Error) -> Failed {
    session_error(error).into()
}
