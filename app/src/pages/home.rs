//! The front page: what this site is, and the ways in.

use contract::paths;
use leptos::prelude::*;

use crate::page::{PageRequest, request};
use crate::parts::layout::Document;

#[component]
pub fn Home() -> impl IntoView {
    let PageRequest { site, visitor, .. } = request();
    let name = site.rules.site_name.clone();
    let ways = match visitor.signed_in {
        Some(signed_in) => view! {
            <p>"You are signed in as " <strong>{signed_in.user.email}</strong> "."</p>
            <div class="btns"><a class="btn" href=paths::ACCOUNT>"Go to your account"</a></div>
        }
        .into_any(),
        None => view! {
            <div class="btns">
                {site.open.then(|| view! { <a class="btn" href=paths::REGISTER>"Create an account"</a> })}
                <a class="btn quiet" href=paths::LOGIN>"Sign in"</a>
            </div>
        }
        .into_any(),
    };
    view! {
        <Document title="Welcome">
            <h1>"Welcome to " {name.clone()}</h1>
            <p class="lead">
                "One account for " {name} "."
                {site.open.then_some(" Create it with your email address and a password, confirm the address, and you are in.")}
            </p>
            {ways}
        </Document>
    }
}
