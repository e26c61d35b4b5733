//! Questions about signing in: at the same place on every page (WCAG 3.2.6).

use contract::paths;
use leptos::prelude::*;

use crate::page::request;
use crate::parts::layout::Document;

#[component]
pub fn Help() -> impl IntoView {
    let site = request().site;
    let (name, lives) = (site.rules.site_name.clone(), site.letter_lives.clone());
    view! {
        <Document title="Help signing in">
            <h1>"Help signing in"</h1>
            <details>
                <summary>"No code arrived"</summary>
                <div class="stack">
                    <p>"Emails can take a few minutes. Check your spam folder, and the address you typed."</p>
                    <p class="alone"><a href=paths::VERIFY_EMAIL>"Ask for a new code"</a></p>
                </div>
            </details>
            <details>
                <summary>"The code does not work"</summary>
                <div class="stack">
                    <p>"Only the newest code works, for " {lives} ", and five tries. Ask for a new one if in doubt."</p>
                    <p>"A code belongs to the browser you signed up in. In another browser, open the link in the email."</p>
                </div>
            </details>
            <details>
                <summary>"The link asks for a password"</summary>
                <p>
                    "You opened it in another browser than the one you signed up in. Enter the password you chose, or set a new one there."
                </p>
            </details>
            <details>
                <summary>"Email address or password is not correct"</summary>
                <p>"Check both for typing mistakes; \"Show\" beside the password lets you see it. Upper and lower case matter."</p>
            </details>
            <details>
                <summary>"I have forgotten my password"</summary>
                <p class="alone"><a href=paths::PASSWORD_RESET>"Choose a new one by a code or link"</a></p>
            </details>
            <details>
                <summary>"Someone else may be signed in to my account"</summary>
                <div class="stack">
                    <p class="alone"><a href=paths::ACCOUNT_SESSIONS>"See your devices, and sign them out"</a></p>
                    <p class="alone"><a href=paths::ACCOUNT_PASSWORD>"Change your password"</a></p>
                </div>
            </details>
            <details>
                <summary>"I got an email but did not sign up"</summary>
                <p>"Ignore it. Without the code or the link in it, no account is confirmed with your address."</p>
            </details>
            <p>"Still stuck? Contact the " {name} " team."</p>
        </Document>
    }
}
