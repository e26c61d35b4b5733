//! The account at a glance.

use contract::paths;
use leptos::prelude::*;

use crate::page::request;
use crate::parts::account_nav::AccountNav;
use crate::parts::layout::Document;
use crate::parts::time::for_machines;

#[component]
pub fn Account() -> impl IntoView {
    // The gate lets nobody else in; without a person there is nothing to show.
    request().visitor.signed_in.map(|signed_in| {
        let user = signed_in.user;
        let name = format!("{} {}", user.first_name, user.last_name).trim().to_owned();
        let heading = if name.is_empty() { user.email.clone() } else { name.clone() };
        let tag = if user.email_verified {
            view! { <span class="tag">"Confirmed"</span> }
        } else {
            view! { <span class="tag warn">"Not confirmed"</span> }
        };
        let date = |at: chrono::DateTime<chrono::Utc>, format| {
            view! { <time datetime=for_machines(at)>{at.format(format).to_string()}</time> }
        };
        view! {
            <Document title="Your account">
                <AccountNav/>
                <h1>{heading}</h1>
                {(!user.email_verified).then(|| view! { <ConfirmFirst/> })}
                <dl class="facts">
                    {(!name.is_empty()).then(|| view! { <div><dt>"Name"</dt><dd>{name.clone()}</dd></div> })}
                    <div><dt>"Email address"</dt><dd>{user.email} " " {tag}</dd></div>
                    <div><dt>"Account for"</dt><dd class="capital">{user.user_type}</dd></div>
                    {user.phone.map(|phone| view! { <div><dt>"Phone number"</dt><dd>{phone}</dd></div> })}
                    <div><dt>"Member since"</dt><dd>{date(user.created_at, "%-d %B %Y")}</dd></div>
                    <div>
                        <dt>"Signed in"</dt>
                        <dd>{date(signed_in.auth_time, "%-d %B %Y, %H:%M UTC")}</dd>
                    </div>
                    <div>
                        <dt>"Password"</dt>
                        <dd><a href=paths::ACCOUNT_PASSWORD>"Change" <span class="vh">" password"</span></a></dd>
                    </div>
                    <div>
                        <dt>"Devices"</dt>
                        <dd><a href=paths::ACCOUNT_SESSIONS>"See your devices"</a></dd>
                    </div>
                </dl>
                <form method="post" action=paths::LOGOUT>
                    <button class="btn quiet" type="submit">"Sign out"</button>
                </form>
            </Document>
        }
    })
}

/// Where an account may be used before its address is proven.
#[component]
fn ConfirmFirst() -> impl IntoView {
    view! {
        <div class="alert info stack">
            <p>"Your email address is not confirmed yet. Enter the code that we emailed to you, or open the link in that email."</p>
            <p><a class="btn" href=paths::VERIFY_EMAIL>"Enter the code"</a></p>
            <form method="post" action=paths::VERIFY_EMAIL_RESEND>
                <button class="btn quiet" type="submit">"Send a new code"</button>
            </form>
        </div>
    }
}
