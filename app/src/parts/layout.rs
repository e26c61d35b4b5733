//! The document around every page: head, skip link, header, footer.

use contract::paths;
use leptos::prelude::*;

use super::form::ErrorSummary;
use super::notice::Notices;
use crate::page::{PageRequest, request};

/// A whole document. `form` is the path of the page's form: its faults head the page and its title.
#[component]
pub(crate) fn Document(
    /// Equal in meaning to the heading.
    #[prop(into)]
    title: String,
    /// Path of the form whose faults are shown.
    #[prop(optional)]
    form: Option<&'static str>,
    /// Whether the page has islands to wake.
    #[prop(optional)]
    islands: bool,
    children: Children,
) -> AnyView {
    let PageRequest { site, theme, outcome, nonce, .. } = request();
    let failed = outcome.is_some_and(|outcome| form.is_some_and(|form| paths::page_of_form(&outcome.path) == form));
    let prefix = if failed { "Error: " } else { "" };
    let title = format!("{prefix}{title} - {}", site.rules.site_name);
    view! {
        <!DOCTYPE html>
        <html lang="en" dir="ltr" data-theme=theme>
            <head>
                <meta charset="utf-8"/>
                <title>{title}</title>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="description" content=format!("Your account at {}.", site.rules.site_name)/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href=site.icon.clone() type="image/svg+xml"/>
                <link rel="stylesheet" href=site.style.clone()/>
                {islands.then(|| view! { <script type="module" src=site.script.clone() nonce=nonce></script> })}
            </head>
            <body>
                <a class="skip" href="#main">"Skip to main content"</a>
                <SiteHeader/>
                <main id="main" tabindex="-1">
                    <div class="narrow stack">
                        {failed.then(|| view! { <ErrorSummary/> })}
                        <Notices/>
                        {children()}
                    </div>
                </main>
                <SiteFooter/>
            </body>
        </html>
    }
    .into_any()
}

#[component]
fn SiteHeader() -> AnyView {
    let PageRequest { site, visitor, path, .. } = request();
    let here = path.split('?').next().unwrap_or_default().to_owned();
    let inside = here.starts_with("/account/").then_some("true");
    let current = move |target: &str| (here == target).then_some("page");
    let links = if visitor.signed_in.is_some() {
        view! {
            <a href=paths::ACCOUNT aria-current=current(paths::ACCOUNT).or(inside)>"Your account"</a>
            <form method="post" action=paths::LOGOUT>
                <button class="link" type="submit">"Sign out"</button>
            </form>
        }
        .into_any()
    } else {
        view! {
            <a href=paths::LOGIN aria-current=current(paths::LOGIN)>"Sign in"</a>
            {site.open.then(|| view! { <a href=paths::REGISTER aria-current=current(paths::REGISTER)>"Create account"</a> })}
        }
        .into_any()
    };
    view! {
        <header class="site-header">
            <a class="brand" href=paths::HOME>{site.rules.site_name.clone()}</a>
            <nav aria-label="Main">{links}</nav>
        </header>
    }
    .into_any()
}

#[component]
fn SiteFooter() -> AnyView {
    let PageRequest { site, theme, path, .. } = request();
    let choices = [("system", "System"), ("light", "Light"), ("dark", "Dark")];
    let chosen = theme.unwrap_or("system");
    // The address of a letter's link stays out of other forms; a page that only a form leads to has an address of its own.
    let back = if path.contains("token=") { paths::HOME } else { paths::page_of_form(&path) }.to_owned();
    view! {
        <footer class="site-footer">
            <a href=paths::HELP>"Help signing in"</a>
            <a href=paths::ACCESSIBILITY>"Accessibility"</a>
            {site.privacy_url.clone().map(|url| view! { <a href=url>"Privacy"</a> })}
            {site.terms_url.clone().map(|url| view! { <a href=url>"Terms"</a> })}
            <form class="theme" method="post" action=paths::THEME>
                <input type="hidden" name="next" value=back/>
                <span id="theme-label">"Colours"</span>
                {choices
                    .map(|(value, label)| {
                        let pressed = if value == chosen { "true" } else { "false" };
                        view! {
                            <button
                                class="link"
                                type="submit"
                                name="theme"
                                value=value
                                aria-pressed=pressed
                                aria-describedby="theme-label"
                            >
                                {label}
                            </button>
                        }
                    })
                    .collect_view()}
            </form>
        </footer>
    }
    .into_any()
}
