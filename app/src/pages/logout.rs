//! Sign-out: a button. Looking at the page ends nothing.

use contract::paths;
use leptos::prelude::*;

use crate::Failed;
use crate::page::request;
use crate::parts::layout::Document;
use crate::request::{Door, Notice, go_to};

/// Ends the session on the server, then in the browser.
#[server(prefix = "", endpoint = "logout")]
pub async fn sign_out() -> Result<(), Failed> {
    let door = Door::of_request();
    door.accounts.sign_out(&door.visitor, None).await?;
    door.sign_out().await?;
    // Whoever was not signed in is told nothing, and leaves no row behind.
    if door.visitor.signed_in.is_some() {
        door.notify(Notice::SignedOut).await?;
    }
    go_to(paths::LOGIN);
    Ok(())
}

#[component]
pub fn Logout() -> impl IntoView {
    let body = match request().visitor.signed_in {
        Some(signed_in) => view! {
            <p>"You are signed in as " <strong>{signed_in.user.email}</strong> "."</p>
            <form method="post" action=paths::LOGOUT>
                <button class="btn" type="submit">"Sign out"</button>
            </form>
        }
        .into_any(),
        None => view! {
            <p>"You are not signed in."</p>
            <div class="btns"><a class="btn" href=paths::LOGIN>"Sign in"</a></div>
        }
        .into_any(),
    };
    view! {
        <Document title="Sign out">
            <h1>"Sign out"</h1>
            {body}
        </Document>
    }
}
