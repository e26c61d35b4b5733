//! Sign-in. A wrong try does not say which of the two was wrong, and marks neither field.

use accounts::LoginStep;
use contract::feedback::FormKind;
use contract::login::LoginForm;
use contract::{Field, Password, paths};
use leptos::prelude::*;

use crate::Failed;
use crate::islands::Feedback;
use crate::page::{PageRequest, request};
use crate::parts::field::{Kind, TextField, Tick};
use crate::parts::form::FormState;
use crate::parts::layout::Document;
use crate::parts::probe::Probe;
use crate::request::{Door, go_to};

/// The form's answer.
#[server(prefix = "", endpoint = "login")]
pub async fn sign_in(
    #[server(default)] email: String,
    #[server(default)] password: Password,
    #[server(default)] remember: String,
    #[server(default)] next: String,
) -> Result<(), Failed> {
    let door = Door::of_request();
    let form = LoginForm { email, password, remember, next };
    match door.accounts.sign_in(&door.visitor, &form).await? {
        LoginStep::Done(session) => {
            door.sign_in(&session).await?;
            go_to(paths::local(&form.next).unwrap_or(paths::ACCOUNT));
        }
        LoginStep::ConfirmEmail(pending) => {
            door.remember_sign_up(&pending).await?;
            door.remember_next(&form.next).await?;
            go_to(paths::VERIFY_EMAIL);
        }
    }
    Ok(())
}

#[component]
pub fn Login() -> impl IntoView {
    let PageRequest { site, next, .. } = request();
    let rules = site.rules.clone();
    let state = FormState::of(paths::LOGIN);
    let next = state.kept("next").or(next);
    let remember = state.kept("remember").is_some();
    view! {
        <Document title="Sign in" form=paths::LOGIN islands=true>
            <h1>"Sign in"</h1>
            {site.open.then(|| view! { <p>"New here? " <a href=paths::REGISTER>"Create an account"</a></p> })}
            <form method="post" action=paths::LOGIN novalidate=true id="sign-in">
                <Probe/>
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <TextField field=Field::Email kind=Kind::Email label="Email address" state=state.clone()/>
                <TextField
                    field=Field::CurrentPassword
                    kind=Kind::CurrentPassword
                    label="Password"
                    state=state.clone()
                />
                <Tick id="remember" name="remember" checked=remember>"Keep me signed in on this device"</Tick>
                <button class="btn" type="submit" data-busy="Signing in…">"Sign in"</button>
            </form>
            <p class="alone"><a href=paths::PASSWORD_RESET>"Forgotten your password?"</a></p>
            <Feedback form="sign-in".to_owned() kind=FormKind::Login rules=rules/>
        </Document>
    }
}
