//! The way between the pages of an account.

use contract::paths;
use leptos::prelude::*;

use crate::page::request;

const PAGES: [(&str, &str); 3] =
    [(paths::ACCOUNT, "Overview"), (paths::ACCOUNT_PASSWORD, "Password"), (paths::ACCOUNT_SESSIONS, "Devices")];

#[component]
pub(crate) fn AccountNav() -> impl IntoView {
    let path = request().path;
    let here = paths::page_of_form(path.split('?').next().unwrap_or_default()).to_owned();
    view! {
        <nav class="account-nav" aria-label="Account">
            {PAGES
                .map(|(path, label)| {
                    let current = (path == here).then_some("page");
                    view! { <a href=path aria-current=current>{label}</a> }
                })
                .collect_view()}
        </nav>
    }
}
