//! What is said above the heading: once after a form was taken, and always when letters are not really sent.

use contract::paths;
use leptos::prelude::*;

use crate::page::{PageRequest, request};
use crate::parts::time::for_machines;
use crate::request::Notice;

#[component]
pub(crate) fn Notices() -> impl IntoView {
    let PageRequest { notice, visitor, .. } = request();
    let email = visitor.own_email().unwrap_or_default().to_owned();
    let text = notice.map(|notice| match notice {
        Notice::NewCode => format!("We sent a new code to {email}. The old code no longer works."),
        Notice::LetterIfAccount => {
            "If that address has an account that is not confirmed, we sent a new code and link to it.".to_owned()
        }
        Notice::Confirmed => "Your email address is confirmed. Sign in to continue.".to_owned(),
        Notice::AlreadyConfirmed => "Your email address was already confirmed. Sign in to continue.".to_owned(),
        Notice::Welcome => "Your email address is confirmed, and you are signed in.".to_owned(),
        Notice::PasswordReset => {
            "Your password has been changed, and every device is signed out. Sign in with the new password.".to_owned()
        }
        Notice::OtherPasswordReset => {
            "The password of the other account has been changed. You are still signed in to this one.".to_owned()
        }
        Notice::PasswordChanged => "Your password has been changed. Every other device is signed out.".to_owned(),
        Notice::DeviceEnded(name) => format!("Signed out {name}."),
        Notice::DeviceWasEnded => "That device was signed out already.".to_owned(),
        Notice::OtherDevicesEnded => "All other devices are signed out.".to_owned(),
        Notice::SignedOut => "You have signed out. On a shared computer, close the browser too.".to_owned(),
    });
    text.map(|text| view! { <div class="alert ok" role="status">{text}</div> })
}

/// On pages that wait for a letter, where letters go to the built-in mailbox.
#[component]
pub(crate) fn MailboxHint() -> impl IntoView {
    request().site.has_mailbox.then(|| {
        view! {
            <p class="alert info">
                "Emails are not sent in this mode. " <a href=paths::DEV_MAILBOX>"Open the mailbox"</a>
            </p>
        }
    })
}

/// Until when a link worked.
#[component]
pub(crate) fn TooLate(at: chrono::DateTime<chrono::Utc>, why: &'static str) -> impl IntoView {
    let at = view! { <time datetime=for_machines(at)>{at.format("%H:%M on %-d %B %Y (UTC)").to_string()}</time> };
    view! { <p>"This link worked until " {at} {why} "."</p> }
}
