//! A forgotten password: the address, then the proof and the new password. Looking at a link changes nothing.

use accounts::{LetterLink, PasswordReset};
use contract::feedback::FormKind;
use contract::password_reset::PasswordResetForm;
use contract::{Field, Password, paths};
use leptos::prelude::*;

use crate::Failed;
use crate::islands::Feedback;
use crate::page::{Data, PageRequest, request};
use crate::parts::field::{Companion, Kind, NewPasswordField, TextField};
use crate::parts::form::FormState;
use crate::parts::layout::Document;
use crate::parts::notice::{MailboxHint, TooLate};
use crate::request::{Door, Notice, go_to};

/// The answer to the address.
#[server(prefix = "", endpoint = "password/reset")]
pub async fn ask_password_reset(#[server(default)] email: String) -> Result<(), Failed> {
    let door = Door::of_request();
    let request = door.accounts.request_password_reset(&door.visitor, &email).await?;
    door.remember_reset(&email, request).await?;
    go_to(paths::PASSWORD_RESET_CONFIRM);
    Ok(())
}

/// The answer to the new password. Nobody is signed in by it; who is signed in as somebody else stays so.
#[server(prefix = "", endpoint = "password/reset/confirm")]
pub async fn reset_password(
    #[server(default)] token: String,
    #[server(default)] email: String,
    #[server(default)] code: String,
    #[server(default)] password: Password,
) -> Result<(), Failed> {
    let door = Door::of_request();
    let form = PasswordResetForm { token, email, code, new_password: password, ..PasswordResetForm::default() };
    match door.accounts.reset_password(&door.visitor, &form).await? {
        PasswordReset::AnotherStaysSignedIn => {
            door.forget_reset().await?;
            door.notify(Notice::OtherPasswordReset).await?;
            go_to(paths::ACCOUNT);
        }
        PasswordReset::SignInNext => {
            door.sign_out().await?;
            door.notify(Notice::PasswordReset).await?;
            go_to(paths::LOGIN);
        }
    }
    Ok(())
}

#[component]
pub fn Forgotten() -> impl IntoView {
    let rules = request().site.rules.clone();
    view! {
        <Document title="Reset your password" form=paths::PASSWORD_RESET islands=true>
            <h1>"Reset your password"</h1>
            <p>"We send a code and a link to your email address. Use either to choose a new password."</p>
            <AskForm label="Send the code"/>
            <p class="alone"><a href=paths::LOGIN>"I remember my password: sign in"</a></p>
            <Feedback form="reset".to_owned() kind=FormKind::Address rules=rules/>
        </Document>
    }
}

#[component]
pub fn Proven() -> impl IntoView {
    match request().data {
        Data::Reset { token, link: LetterLink::Ready { email, is_own, begins_anew, .. } } => {
            view! { <ByLink email=email is_own=is_own begins_anew=begins_anew token=token/> }.into_any()
        }
        Data::Reset { link: LetterLink::Used, .. } => view! {
            <Document title="This link has already been used">
                <h1>"This link has already been used"</h1>
                <p>"A new password was chosen with it. Sign in with that one, or ask for another link."</p>
                <div class="btns">
                    <a class="btn" href=paths::LOGIN>"Sign in"</a>
                    <a class="btn quiet" href=paths::PASSWORD_RESET>"Reset your password"</a>
                </div>
            </Document>
        }
        .into_any(),
        Data::Reset { link: LetterLink::Expired { at, superseded }, .. } => {
            let why = if superseded { ", when a newer email was sent or the password was changed" } else { "" };
            view! {
                <Document title="This link has expired">
                    <h1>"This link has expired"</h1>
                    <TooLate at=at why=why/>
                    <AskForm label="Send a new code"/>
                </Document>
            }
            .into_any()
        }
        Data::Reset { link: LetterLink::Unknown, .. } => view! {
            <Document title="This link does not work">
                <h1>"This link does not work"</h1>
                <p>"Copy the whole link from the email, or ask for a new one."</p>
                <AskForm label="Send a new code"/>
            </Document>
        }
        .into_any(),
        Data::ResetAsked { email } => view! { <ByCode email=email/> }.into_any(),
        _ => view! {
            <Document title="Start again" form=paths::PASSWORD_RESET_CONFIRM>
                <h1>"Start again"</h1>
                <p>"This browser has not asked for a new password. Open the link in the email, or ask here."</p>
                <AskForm label="Send the code"/>
            </Document>
        }
        .into_any(),
    }
}

#[component]
fn ByCode(email: String) -> impl IntoView {
    let site = request().site;
    let (rules, lives) = (site.rules.clone(), site.reset_lives.clone());
    let state = FormState::of(paths::PASSWORD_RESET_CONFIRM);
    view! {
        <Document title="Check your email" form=paths::PASSWORD_RESET_CONFIRM islands=true>
            <h1>"Check your email"</h1>
            <p>
                "If " <strong>{email.clone()}</strong> " has an account, we sent a code and a link. They work for "
                {lives} " and only once."
            </p>
            <MailboxHint/>
            <form method="post" action=paths::PASSWORD_RESET_CONFIRM novalidate=true id="new-password-form">
                <input type="hidden" name="email" value=email.clone()/>
                <TextField
                    field=Field::Code
                    kind=Kind::Code
                    label="Enter the 6-digit code"
                    hint="You can also open the link in the email on any device"
                    state=state.clone()
                />
                <NewPassword email=email state=state/>
            </form>
            <details>
                <summary>"Problems with the code?"</summary>
                <div class="stack">
                    <p>"It can take a few minutes to arrive. Check your spam folder, and the address above."</p>
                    <p class="alone"><a href=paths::PASSWORD_RESET>"Send a new code, or use a different address"</a></p>
                </div>
            </details>
            <Feedback form="new-password-form".to_owned() kind=FormKind::PasswordReset rules=rules/>
        </Document>
    }
}

#[component]
fn ByLink(email: String, is_own: bool, begins_anew: bool, token: String) -> impl IntoView {
    let PageRequest { site, visitor, .. } = request();
    let rules = site.rules.clone();
    let state = FormState::of(paths::PASSWORD_RESET_CONFIRM);
    let other = visitor.signed_in.map(|signed_in| signed_in.user.email).filter(|_| !is_own);
    // Whoever did not ask for the letter is not told the whole address, not even for a password manager.
    let companion = if is_own { email.clone() } else { String::new() };
    view! {
        <Document title="Choose a new password" form=paths::PASSWORD_RESET_CONFIRM islands=true>
            <h1>"Choose a new password"</h1>
            {other
                .map(|other| {
                    view! {
                        <p class="alert info">
                            "You are signed in as " <strong>{other}</strong> ", and this link is for another account. Your own password stays as it is."
                        </p>
                    }
                })}
            {begins_anew
                .then(|| {
                    view! {
                        <p class="alert info">
                            "Nobody has confirmed this address yet, so here you get a new account and the old one ends. To keep the old one, open this link where you are signed in to it."
                        </p>
                    }
                })}
            <p>"For the account of " <strong>{email.clone()}</strong> ". This signs out every device."</p>
            <form method="post" action=paths::PASSWORD_RESET_CONFIRM novalidate=true id="new-password-form">
                <input type="hidden" name="token" value=token/>
                <NewPassword email=companion state=state/>
            </form>
            <p class="muted">"If this was not you, close this page. Your password stays as it is."</p>
            <Feedback form="new-password-form".to_owned() kind=FormKind::PasswordReset rules=rules/>
        </Document>
    }
}

#[component]
fn NewPassword(email: String, state: FormState) -> impl IntoView {
    view! {
        <Companion email=email/>
        <NewPasswordField field=Field::NewPassword name="password" label="New password" state=state/>
        <button class="btn" type="submit" data-busy="Changing…">"Change password"</button>
    }
}

#[component]
fn AskForm(label: &'static str) -> impl IntoView {
    view! {
        <form method="post" action=paths::PASSWORD_RESET novalidate=true id="reset">
            <TextField
                field=Field::Email
                kind=Kind::Email
                label="Email address"
                state=FormState::of(paths::PASSWORD_RESET)
            />
            <button class="btn" type="submit" data-busy="Sending…">{label}</button>
        </form>
    }
}
