//! What a browser keeps of this site: pages that it may show again when a person goes back, and cookies at all.
//!
//! **Pages.** A browser told `no-store` cannot go back to a form that came back with a fault: it would have to send the
//! form again, and shows an error of its own instead. So pages for people who are not signed in may be kept, by their
//! browser alone and never without asking when they are opened anew (`private, no-cache`). A page with something of an
//! account, of a pending sign-up, of a letter's link, or with a notice that is said once, is kept nowhere.
//!
//! **Cookies.** A browser that refuses them would sign in, be sent on, and be asked to sign in, for ever. So the pages
//! that begin something hand out a cookie that says nothing, and their forms say that it was handed out: a form that
//! comes back without any cookie of ours is from such a browser, and is told so. Programs and scripts that post
//! without having looked at the page send no such field, and are asked nothing.

use std::collections::BTreeMap;

use app::page::{Data, PROBE_FIELD, Page, PageRequest};
use app::request::PROBE;
use axum::http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use contract::paths;

use crate::{Site, cookies};

/// Whether a page may be shown again from the browser's memory.
pub(crate) fn may_keep(page: &Page, request: &PageRequest) -> bool {
    let is_nobodys = request.visitor.signed_in.is_none() && request.visitor.pending_sign_up.is_none();
    let is_plain = request.notice.is_none() && matches!(request.data, Data::None | Data::Api(_));
    let has_token = request.outcome.as_ref().is_some_and(|outcome| outcome.kept.contains_key("token"));
    // Pages without a path say what went wrong.
    !page.path.is_empty() && is_nobodys && is_plain && !has_token
}

/// Says so. `again`: the answer to a form. What was asked for is asked for anew once the cookies are others, so that
/// nobody who has signed in is shown a sign-in form; the answer to a form cannot be had anew.
pub(crate) fn keep(headers: &mut HeaderMap, again: bool) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if !again {
        headers.insert(VARY, HeaderValue::from_static("cookie"));
    }
}

/// Hands out the cookie that says nothing, with the forms that ask for it.
pub(crate) fn hand_out_probe(site: &Site, page: &Page, sent: &HeaderMap, headers: &mut HeaderMap) {
    let asks = matches!(page.path, paths::LOGIN | paths::REGISTER);
    let has_it = cookies::value(sent, &site.cookies().name(PROBE)).is_some();
    if let Ok(value) = HeaderValue::from_str(&site.cookies().cookie(PROBE, "1".to_owned(), None))
        && asks
        && !has_it
    {
        headers.append(SET_COOKIE, value);
    }
}

/// Whether a form comes back without anything that this site handed out.
pub(crate) fn refuses_cookies(headers: &HeaderMap, fields: &BTreeMap<String, String>) -> bool {
    // Whatever else the browser sent was taken out (`cookies.rs`).
    let has_ours = headers.contains_key(COOKIE);
    fields.contains_key(PROBE_FIELD) && !has_ours
}
