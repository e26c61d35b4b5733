//! Proof of the mailbox: the code form, and the page a letter's link opens. Looking at either changes nothing.

use accounts::{Confirmed, Error, LetterLink};
use contract::confirmation::ConfirmationForm;
use contract::feedback::FormKind;
use contract::{Field, Password, Refusal, paths};
use leptos::prelude::*;

use crate::Failed;
use crate::islands::Feedback;
use crate::page::{Data, PageRequest, request};
use crate::parts::field::{Companion, Kind, NewPasswordField, TextField};
use crate::parts::form::FormState;
use crate::parts::layout::Document;
use crate::parts::notice::{MailboxHint, TooLate};
use crate::request::{Door, Notice, forget, go_to};

/// The answer to the code form, and to the button of the link's page.
#[server(prefix = "", endpoint = "verify-email")]
pub async fn confirm_email(
    #[server(default)] token: String,
    #[server(default)] code: String,
    #[server(default)] password: Password,
    #[server(default)] new_password: Password,
) -> Result<(), Failed> {
    let door = Door::of_request();
    let is_by_link = !token.is_empty();
    let form = ConfirmationForm { token, code, email: String::new(), password, new_password };
    let next = door.next().await?;
    let is_signed_in = door.visitor.signed_in.is_some();
    let confirmed = door.accounts.confirm_email(&door.visitor, &form).await;
    if !is_by_link && matches!(confirmed, Err(Error::Refused(Refusal::PasswordRequired))) {
        // The sign-up that this browser began is gone. The page says so, and sends to the link.
        forget(&door.session).await?;
        go_to(paths::VERIFY_EMAIL);
        return Ok(());
    }
    let (notice, next) = match confirmed? {
        Confirmed::SignedIn(session) => {
            door.sign_in(&session).await?;
            (Notice::Welcome, next.as_str())
        }
        Confirmed::SignInNext(_) if is_signed_in => (Notice::Welcome, paths::ACCOUNT),
        Confirmed::SignInNext(_) => (Notice::Confirmed, paths::LOGIN),
        Confirmed::Already => (Notice::AlreadyConfirmed, paths::LOGIN),
    };
    door.notify(notice).await?;
    go_to(next);
    Ok(())
}

/// Another letter.
#[server(prefix = "", endpoint = "verify-email/resend")]
pub async fn resend_confirmation(#[server(default)] email: String) -> Result<(), Failed> {
    let door = Door::of_request();
    door.accounts.resend_confirmation(&door.visitor, &email).await?;
    let is_own = email.is_empty() && door.visitor.own_email().is_some();
    door.notify(if is_own { Notice::NewCode } else { Notice::LetterIfAccount }).await?;
    go_to(paths::VERIFY_EMAIL);
    Ok(())
}

#[component]
pub fn VerifyEmail() -> impl IntoView {
    let PageRequest { data, visitor, .. } = request();
    match (data, visitor.own_email()) {
        (Data::Confirmation { token, link }, _) => view! { <OfLink token=token link=link/> }.into_any(),
        (_, Some(email)) => view! { <OfCode email=email.to_owned()/> }.into_any(),
        _ => view! { <StartAgain/> }.into_any(),
    }
}

#[component]
fn OfCode(email: String) -> impl IntoView {
    let site = request().site;
    let (rules, lives) = (site.rules.clone(), site.letter_lives.clone());
    // Signed in, there is no other sign-up to go to.
    let ways_on = request().visitor.signed_in.is_none().then(|| {
        view! {
            <p class="alone"><a href=paths::REGISTER>"Use a different email address"</a></p>
            <p class="alone"><a href=paths::LOGIN>"I have confirmed on another device: sign in"</a></p>
        }
    });
    view! {
        <Document title="Check your email" form=paths::VERIFY_EMAIL islands=true>
            <h1>"Check your email"</h1>
            <p>
                "We sent a 6-digit code and a link to " <strong>{email}</strong>
                ". They work for " {lives} " and only once."
            </p>
            <MailboxHint/>
            <form method="post" action=paths::VERIFY_EMAIL novalidate=true id="confirm">
                <TextField
                    field=Field::Code
                    kind=Kind::Code
                    label="Enter the 6-digit code"
                    hint="You can also open the link in the email on any device"
                    autofocus=true
                    state=FormState::of(paths::VERIFY_EMAIL)
                />
                <button class="btn" type="submit" data-busy="Confirming…">"Confirm email address"</button>
            </form>
            <details>
                <summary>"Problems with the code?"</summary>
                <div class="stack">
                    <p>"It can take a few minutes to arrive. Check your spam folder."</p>
                    <form method="post" action=paths::VERIFY_EMAIL_RESEND>
                        <button class="btn quiet" type="submit">"Send a new code"</button>
                    </form>
                    {ways_on}
                </div>
            </details>
            <Feedback form="confirm".to_owned() kind=FormKind::Code rules=rules/>
        </Document>
    }
}

#[component]
fn OfLink(token: String, link: LetterLink) -> impl IntoView {
    match link {
        LetterLink::Ready { email, asks_password: false, .. } => view! {
            <Document title="Confirm your email address" form=paths::VERIFY_EMAIL>
                <Heading email=email/>
                <form method="post" action=paths::VERIFY_EMAIL novalidate=true id="confirm">
                    <input type="hidden" name="token" value=token/>
                    <button class="btn" type="submit">"Confirm email address"</button>
                </form>
                <NotYou/>
            </Document>
        }
        .into_any(),
        LetterLink::Ready { email, asks_password: true, .. } => {
            view! { <FromElsewhere email=email token=token/> }.into_any()
        }
        LetterLink::Used => view! {
            <Document title="This link has already been used">
                <h1>"This link has already been used"</h1>
                <p>"Your email address is already confirmed."</p>
                <div class="btns"><a class="btn" href=paths::LOGIN>"Sign in"</a></div>
            </Document>
        }
        .into_any(),
        LetterLink::Expired { at, superseded } => {
            let why = if superseded { ", when we sent a newer email. Open that one, or ask for another" } else { "" };
            view! {
                <Document title="This link has expired" form=paths::VERIFY_EMAIL>
                    <h1>"This link has expired"</h1>
                    <TooLate at=at why=why/>
                    <AskForLetter/>
                </Document>
            }
            .into_any()
        }
        LetterLink::Unknown => view! {
            <Document title="This link does not work" form=paths::VERIFY_EMAIL>
                <h1>"This link does not work"</h1>
                <p>"Copy the whole link from the email, or ask for a new one."</p>
                <AskForLetter/>
            </Document>
        }
        .into_any(),
    }
}

/// The link was opened where nobody signed up: whoever holds it has the mailbox, but did they choose the password?
#[component]
fn FromElsewhere(email: String, token: String) -> impl IntoView {
    let rules = request().site.rules.clone();
    let state = FormState::of(paths::VERIFY_EMAIL);
    let chooses_new = state.sentence(Field::NewPassword).is_some();
    view! {
        <Document title="Confirm your email address" form=paths::VERIFY_EMAIL islands=true>
            <Heading email=email/>
            <p>"You signed up in another browser, or someone else did. Enter the password chosen there to continue."</p>
            <form method="post" action=paths::VERIFY_EMAIL novalidate=true id="with-password">
                <input type="hidden" name="token" value=token.clone()/>
                <Companion email=String::new()/>
                <TextField
                    field=Field::CurrentPassword
                    kind=Kind::CurrentPassword
                    label="Password chosen at sign-up"
                    state=state.clone()
                />
                <button class="btn" type="submit" data-busy="Confirming…">"Confirm email address"</button>
            </form>
            <details open=chooses_new>
                <summary>"I did not choose a password"</summary>
                <form class="stack" method="post" action=paths::VERIFY_EMAIL novalidate=true id="with-new-password">
                    <p>"Then set one now. Any password that was chosen before stops working."</p>
                    <input type="hidden" name="token" value=token/>
                    <Companion email=String::new()/>
                    <NewPasswordField field=Field::NewPassword label="Create a password" state=state/>
                    <button class="btn quiet" type="submit" data-busy="Confirming…">"Confirm and set this password"</button>
                </form>
            </details>
            <NotYou/>
            <Feedback form="with-password".to_owned() kind=FormKind::CurrentPassword rules=rules.clone()/>
            <Feedback form="with-new-password".to_owned() kind=FormKind::NewPassword rules=rules/>
        </Document>
    }
}

#[component]
fn Heading(email: String) -> impl IntoView {
    view! {
        <h1>"Confirm your email address"</h1>
        <p>"You are about to confirm " <strong>{email}</strong> "."</p>
    }
}

#[component]
fn NotYou() -> impl IntoView {
    view! { <p class="muted">"If this was not you, close this page. No account will be confirmed."</p> }
}

#[component]
fn StartAgain() -> impl IntoView {
    view! {
        <Document title="Start again" form=paths::VERIFY_EMAIL>
            <h1>"Start again"</h1>
            <p>"This browser has no sign-up to finish. Open the link in the email, or start again."</p>
            <div class="btns">
                <a class="btn" href=paths::REGISTER>"Create an account"</a>
                <a class="btn quiet" href=paths::LOGIN>"Sign in"</a>
            </div>
            <h2>"Send the email again"</h2>
            <AskForLetter/>
        </Document>
    }
}

#[component]
fn AskForLetter() -> impl IntoView {
    view! {
        <MailboxHint/>
        <form method="post" action=paths::VERIFY_EMAIL_RESEND novalidate=true id="resend">
            <TextField
                field=Field::Email
                kind=Kind::Email
                label="Email address"
                hint="The one you signed up with"
                state=FormState::of(paths::VERIFY_EMAIL_RESEND)
            />
            <button class="btn quiet" type="submit">"Send a new code"</button>
        </form>
    }
}
