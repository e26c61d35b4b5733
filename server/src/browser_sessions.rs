//! tower-sessions over the accounts' own database.

use std::future::Future;
use std::pin::Pin;

use accounts::{Accounts, BrowserSession};
use app::request::{Cookies, SESSION};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use chrono::DateTime;
use contract::Refusal;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::api::Failed;

/// What `async_trait` makes of an `async fn`; written out, because that is all we would need it for.
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

#[derive(Clone, Debug)]
pub(crate) struct BrowserSessions(Accounts);

pub(crate) fn layer(accounts: &Accounts, cookies: &Cookies) -> SessionManagerLayer<BrowserSessions> {
    // What a letter finishes is finished within the life of the letter.
    let lifetimes = &accounts.settings().lifetimes;
    let lives = Duration::seconds(lifetimes.verify.max(lifetimes.reset).num_seconds());
    SessionManagerLayer::new(BrowserSessions(accounts.clone()))
        .with_name(cookies.name(SESSION))
        .with_secure(cookies.secure)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(lives))
}

/// The library answers with a bare 500 when it could not save. That is an outage of the database, and told as one.
pub(crate) async fn explain_unsaved(response: Response) -> Response {
    let is_bare = response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && response.extensions().get::<Failed>().is_none()
        && !response.headers().contains_key(CONTENT_TYPE);
    if is_bare { Failed::from(Refusal::Unavailable { retry_after: 5 }).into_response() } else { response }
}

impl SessionStore for BrowserSessions {
    fn create<'a, 'b, 'c>(&'a self, record: &'b mut Record) -> Answer<'c, ()>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            while !self.0.create_browser_session(&key(record.id), &encode(record)?).await.map_err(backend)? {
                record.id = Id::default();
            }
            Ok(())
        })
    }

    fn save<'a, 'b, 'c>(&'a self, record: &'b Record) -> Answer<'c, ()>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            match self.0.save_browser_session(&key(record.id), &encode(record)?).await {
                Ok(true) => {}
                // One that another tab has ended meanwhile stays ended, and what is late for it is dropped.
                Ok(false) => tracing::debug!("a browser session had ended before it was saved"),
                Err(error) => not_kept(&error),
            }
            Ok(())
        })
    }

    fn load<'a, 'b, 'c>(&'a self, id: &'b Id) -> Answer<'c, Option<Record>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let found = self.0.load_browser_session(&key(*id)).await.map_err(backend)?;
            // What an earlier or later version kept in another shape is as good as absent.
            Ok(found.and_then(|found| decode(*id, &found).ok()))
        })
    }

    fn delete<'a, 'b, 'c>(&'a self, id: &'b Id) -> Answer<'c, ()>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            if let Err(error) = self.0.delete_browser_session(&key(*id)).await {
                not_kept(&error);
            }
            Ok(())
        })
    }
}

fn key(id: Id) -> [u8; 16] {
    id.0.to_be_bytes()
}

fn encode(record: &Record) -> Result<BrowserSession> {
    let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    let expires_at = DateTime::from_timestamp(record.expiry_date.unix_timestamp(), 0).unwrap_or(DateTime::UNIX_EPOCH);
    Ok(BrowserSession { data, expires_at })
}

fn decode(id: Id, session: &BrowserSession) -> Result<Record> {
    let data = serde_json::from_str(&session.data).map_err(|error| Error::Decode(error.to_string()))?;
    let expiry_date = OffsetDateTime::from_unix_timestamp(session.expires_at.timestamp());
    let expiry_date = expiry_date.map_err(|error| Error::Decode(error.to_string()))?;
    Ok(Record { id, data, expiry_date })
}

/// The library saves after the handler has answered. What the handler did is committed, and its answer, with the cookies
/// of a sign-in perhaps, is worth more than what the browser had begun before.
fn not_kept(error: &accounts::Error) {
    tracing::error!(%error, "a browser session was not kept");
}

/// As text, because the library has no other place for it: the code of a refusal, which the pages' door knows again.
fn backend(error: accounts::Error) -> Error {
    Error::Backend(accounts::Chain(&error).to_string())
}
