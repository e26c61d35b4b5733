//! A service of its own that takes Vestibule's access tokens: the code of docs/integrate/axum.md.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::{Method, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::any};
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

const COOKIE: &str = "__Secure-vestibule_access";

#[tokio::main]
async fn main() {
    let argument = |nth, default: &str| std::env::args().nth(nth).unwrap_or_else(|| default.to_owned());
    let vestibule = Arc::new(Vestibule { issuer: argument(1, "http://localhost:3000"), keys: Mutex::default() });
    let listener = tokio::net::TcpListener::bind(argument(2, "127.0.0.1:4000")).await.expect("a free port");
    axum::serve(listener, Router::new().route("/me", any(me)).with_state(vestibule)).await.expect("a server");
}

async fn me(person: Person) -> Json<Person> {
    Json(person)
}

/// Who sent the request. A handler that takes this refuses everybody else.
#[derive(Serialize, Deserialize)]
struct Person {
    sub: String,
    user_type: String,
    #[serde(rename = "sid", skip_serializing)]
    _session: String,
}

impl FromRequestParts<Arc<Vestibule>> for Person {
    type Rejection = Response;

    async fn from_request_parts(request: &mut Parts, vestibule: &Arc<Vestibule>) -> Result<Self, Response> {
        let refused = || (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
        let token = token_of(request).ok_or_else(refused)?;
        let is_ours = |head: &Header| head.typ.as_deref() == Some("at+jwt") && head.crit.is_none();
        let head = decode_header(token).ok().filter(is_ours);
        let kid = head.and_then(|head| head.kid).ok_or_else(refused)?;
        // No keys is no fault of the token.
        let key = vestibule.key(&kid).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())?;
        key.and_then(|key| vestibule.person(token, &key)).ok_or_else(refused)
    }
}

fn token_of(request: &Parts) -> Option<&str> {
    let text = |name: &str| request.headers.get(name)?.to_str().ok();
    if request.headers.contains_key(header::AUTHORIZATION) {
        let (scheme, token) = text("authorization")?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some(token);
    }
    // Pages of other sites can have the cookie sent, too.
    let is_ours = matches!(request.method, Method::GET | Method::HEAD) || text("sec-fetch-site") == Some("same-origin");
    let cookies = text("cookie").filter(|_| is_ours)?;
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))
}

struct Vestibule {
    issuer: String,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    known: Option<(Instant, JwkSet)>,
    asked: Option<Instant>,
}

struct Unavailable;

impl Vestibule {
    /// The set is kept for five minutes. An unknown `kid` has it fetched again, but not twice in ten seconds.
    async fn key(&self, kid: &str) -> Result<Option<Jwk>, Unavailable> {
        let mut keys = self.keys.lock().await;
        keys.known.take_if(|(at, _)| at.elapsed() > Duration::from_mins(5));
        let is_known = keys.known.as_ref().is_some_and(|(_, set)| set.find(kid).is_some());
        if !is_known && keys.asked.is_none_or(|at| at.elapsed() > Duration::from_secs(10)) {
            keys.asked = Some(Instant::now());
            keys.known = Some((Instant::now(), self.fetch().await?));
        }
        let (_, set) = keys.known.as_ref().ok_or(Unavailable)?;
        Ok(set.find(kid).cloned())
    }

    async fn fetch(&self) -> Result<JwkSet, Unavailable> {
        let url = format!("{}/.well-known/jwks.json", self.issuer);
        let request = ureq::get(url).config().timeout_global(Some(Duration::from_secs(5))).build();
        let fetched = tokio::task::spawn_blocking(move || request.call()?.body_mut().read_json()).await;
        fetched.map_err(|_| Unavailable)?.map_err(|_: ureq::Error| Unavailable)
    }

    fn person(&self, token: &str, key: &Jwk) -> Option<Person> {
        // What the key is for, never what the token says.
        let mut rules = Validation::new(match key.common.key_algorithm? {
            KeyAlgorithm::EdDSA => Algorithm::EdDSA,
            KeyAlgorithm::ES256 => Algorithm::ES256,
            _ => return None,
        });
        rules.set_required_spec_claims(&["iss", "aud", "exp", "nbf", "sub"]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.issuer]);
        rules.validate_nbf = true;
        rules.leeway = 30;
        Some(decode(token, &DecodingKey::from_jwk(key).ok()?, &rules).ok()?.claims)
    }
}
