//! Who is asking: worked out once for each request, and put where every handler finds it.
//!
//! A page whose access cookie has run out is renewed here, by the refresh cookie, so that nobody needs a script to
//! stay signed in. Two tabs may do so at once; the domain gives both the same successor.

use std::sync::{Arc, OnceLock};

use accounts::{Error, Visitor};
use app::request::{ACCESS, DEVICE, REFRESH};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use contract::{Problem, Refusal, paths};
use tower_sessions::Session;

use crate::api::Failed;
use crate::headers::Renewed;
use crate::{Site, client_address, cookies};

/// Who was recognised, for the layers outside: a page that says what went wrong asks nothing again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recognised(Arc<OnceLock<Visitor>>);

impl Recognised {
    /// Nobody where the request was answered before anybody was looked for.
    pub(crate) fn visitor(&self) -> Option<&Visitor> {
        self.0.get()
    }
}

/// The layer. `Session` is there already.
pub(crate) async fn recognise(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    match see(&site, &mut request).await {
        Ok(visitor) => {
            if let Some(recognised) = request.extensions().get::<Recognised>() {
                recognised.0.set(visitor.clone()).ok();
            }
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(error) => Failed::from(error).into_response(),
    }
}

async fn see(site: &Site, request: &mut Request) -> Result<Visitor, Error> {
    let headers = request.headers();
    // With a bearer token nothing else speaks for the client.
    let bearer = bearer(headers);
    let is_alone = bearer.is_some();
    let access = bearer.or_else(|| cookies::value(headers, &site.cookies().name(ACCESS)));
    let refresh = refresh_cookie(site, headers);
    let user_agent = headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let session = request.extensions().get::<Session>().cloned();
    let (pending_sign_up, reset_asked) = match &session {
        Some(session) if !is_alone => {
            (app::request::pending_sign_up(session).await?, app::request::reset_asked(session).await?)
        }
        _ => (None, None),
    };
    let mut visitor = Visitor {
        address: client_address::of(request.extensions())?,
        user_agent: user_agent.unwrap_or_default(),
        signed_in: None,
        refused: None,
        pending_sign_up,
        device: cookies::value(headers, &site.cookies().name(DEVICE)),
        reset_request: reset_asked.map(|asked| asked.request),
    };
    if let Some(access) = access {
        match site.accounts().recognise(&access).await {
            Ok(signed_in) => visitor.signed_in = Some(signed_in),
            Err(Error::Refused(refusal @ (Refusal::SessionInvalid | Refusal::SessionExpired))) => {
                visitor.refused = Some(refusal);
            }
            Err(error) => return Err(error),
        }
    }
    let renewed = request.extensions().get::<Renewed>().cloned().unwrap_or_default();
    if let Some(refresh) = refresh.filter(|_| visitor.signed_in.is_none() && may_renew(request)) {
        match site.accounts().renew(&visitor, &refresh).await {
            Ok(session) => {
                renewed.set(site.cookies().of_session(&session));
                visitor.signed_in = Some(session.signed_in);
            }
            Err(Error::Refused(Refusal::SessionInvalid | Refusal::SessionExpired)) => {
                renewed.set(site.cookies().of_nobody());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(visitor)
}

/// Pages renew; programs do it themselves, by a route of its own. HEAD is for looking.
fn may_renew(request: &Request) -> bool {
    let is_page = !request.uri().path().starts_with(paths::API);
    is_page && matches!(*request.method(), Method::GET | Method::POST)
}

/// What renews the session of this request. A request with a bearer token acts with that, and with no cookie.
pub(crate) fn refresh_cookie(site: &Site, headers: &HeaderMap) -> Option<String> {
    cookies::value(headers, &site.cookies().name(REFRESH)).filter(|_| bearer(headers).is_none())
}

/// RFC 6750 2.1.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// For handlers that a layer cannot have left without one.
pub(crate) fn of(extensions: &axum::http::Extensions) -> Result<Visitor, Problem> {
    extensions.get::<Visitor>().cloned().ok_or(Problem::Internal)
}
