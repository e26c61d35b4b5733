//! The one reader of `Cookie` headers.
//!
//! Whatever else reads cookies (the library of browser sessions decodes their names) is given what stands here: cookies
//! of ours, by their exact names, each once. A prefix like `__Host-` means something only if the name is compared octet by
//! octet; and a cookie that is there twice was planted by somebody, so that neither copy is believed. Cookies of others
//! on this host are not ours to judge: whatever octets they hold, they sign nobody out.

use app::request::{COOKIES, Cookies};
use axum::extract::{Request, State};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::Site;

/// The layer: leaves our own cookies in the request, in one header, and nothing else.
pub(crate) async fn ours_only(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let ours = ours(request.headers(), site.cookies());
    let headers = request.headers_mut();
    headers.remove(COOKIE);
    if let Some(value) = ours {
        headers.insert(COOKIE, value);
    }
    next.run(request).await
}

/// The value of a cookie of ours.
pub(crate) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = pairs(headers).filter(|(found, _)| *found == name.as_bytes()).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => String::from_utf8(value.to_vec()).ok(),
        _ => None,
    }
}

fn ours(headers: &HeaderMap, cookies: &Cookies) -> Option<HeaderValue> {
    let named = COOKIES.iter().filter_map(|short| {
        let name = cookies.name(short);
        value(headers, &name).map(|value| format!("{name}={value}"))
    });
    let named: Vec<_> = named.collect();
    HeaderValue::from_str(&named.join("; ")).ok().filter(|_| !named.is_empty())
}

/// Name and value of every cookie, as octets (RFC 6265 5.4: pairs are separated by semicolons).
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let texts = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|octet| *octet == b';'));
    texts.map(|pair| {
        let pair = pair.trim_ascii();
        let at = pair.iter().position(|octet| *octet == b'=').unwrap_or(pair.len());
        (&pair[..at], pair.get(at + 1..).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(sent: &[&[u8]], secure: bool) -> String {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(COOKIE, HeaderValue::from_bytes(value).expect("a header"));
        }
        let cookies = Cookies { secure, domain: None };
        ours(&headers, &cookies).map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_cookie_has_one_name_octet_by_octet() {
        assert_eq!(seen(&[b"__Host-vestibule_session=a"], true), "__Host-vestibule_session=a");
        for planted in [
            "%5F%5FHost-vestibule_session",
            "__Host%2Dvestibule_session",
            "__host-vestibule_session",
            "__Host-vestibule_session ",
            "__Secure-vestibule_session",
            "vestibule_session",
            "$__Host-vestibule_session",
            "\"__Host-vestibule_session\"",
        ] {
            let header = format!("{planted}=evil");
            assert_eq!(seen(&[header.as_bytes()], true), "", "{planted}");
            let both = format!("__Host-vestibule_session=good; {planted}=evil");
            assert_eq!(seen(&[both.as_bytes()], true), "__Host-vestibule_session=good", "{planted}");
        }
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_nobodys() {
        assert_eq!(seen(&[b"vestibule_access=a; vestibule_access=b"], false), "");
        assert_eq!(seen(&[b"vestibule_access=a", b"vestibule_access=a"], false), "");
        assert_eq!(
            seen(&[b"vestibule_access=a; vestibule_access=b; vestibule_refresh=c"], false),
            "vestibule_refresh=c"
        );
    }

    #[test]
    fn octets_in_cookies_of_others_do_no_harm() {
        let header = [b"name=Jos\xe9; vestibule_access=a; ; =; x; other=\xff\xfe".as_slice()];
        assert_eq!(seen(&header, false), "vestibule_access=a");
        assert_eq!(seen(&[b"vestibule_access=Jos\xe9"], false), "");
        assert_eq!(seen(&[], false), "");
    }
}
