//! Light, dark, or as the system says: a cookie, so that the first paint is right and no script is needed.

use contract::paths;
use leptos::prelude::*;

use crate::Failed;
use crate::request::{Door, THEME, go_to, set_cookies};

/// A year; browsers keep no cookie longer than 400 days.
const KEPT_SECONDS: i64 = 31_536_000;

/// The form's answer. An unknown theme is the system's.
#[server(prefix = "", endpoint = "theme")]
pub async fn choose_theme(#[server(default)] theme: String, #[server(default)] next: String) -> Result<(), Failed> {
    let cookies = Door::of_request().cookies;
    set_cookies([match known(&theme) {
        Some(theme) => cookies.cookie(THEME, theme.to_owned(), Some(KEPT_SECONDS)),
        None => cookies.cookie(THEME, String::new(), Some(0)),
    }]);
    go_to(paths::local(&next).unwrap_or(paths::HOME));
    Ok(())
}

/// The themes there are.
pub fn known(theme: &str) -> Option<&'static str> {
    ["light", "dark"].into_iter().find(|known| *known == theme)
}
