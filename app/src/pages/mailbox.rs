//! The built-in mailbox of development: what would have been mailed.

use accounts::MailboxMessage;
use contract::paths;
use leptos::prelude::*;

use crate::page::{Data, request};
use crate::parts::layout::Document;
use crate::parts::time::for_machines;

#[component]
pub fn Mailbox() -> impl IntoView {
    let Data::Mailbox(messages) = request().data else { return ().into_any() };
    let body = if messages.is_empty() {
        view! { <p>"No emails yet. " <a href=paths::REGISTER>"Create an account"</a> " and one will be here."</p> }
            .into_any()
    } else {
        messages.into_iter().map(|message| view! { <Letter message=message/> }).collect_view().into_any()
    };
    view! {
        <Document title="Mailbox">
            <h1>"Mailbox"</h1>
            <p class="muted">
                "Emails are not sent in this mode. They are kept here, newest first. "
                <a href=format!("{}/messages.json", paths::DEV_MAILBOX)>"As JSON"</a>
            </p>
            {body}
        </Document>
    }
    .into_any()
}

#[component]
fn Letter(message: MailboxMessage) -> impl IntoView {
    let MailboxMessage { id, to, subject, text, link, code, created_at, .. } = message;
    let html = format!("{}/{id}.html", paths::DEV_MAILBOX);
    view! {
        <article class="card">
            <h2>{subject.clone()}</h2>
            <p class="muted">
                "To " {to} ", " <time datetime=for_machines(created_at)>{created_at.format("%H:%M:%S UTC").to_string()}</time>
            </p>
            {code.map(|code| view! { <p class="letter-code">{code}</p> })}
            {link.map(|link| view! { <div class="btns"><a class="btn" href=link>"Open the link"</a></div> })}
            <details>
                <summary>"As sent, in HTML"</summary>
                <iframe class="letter" src=html title=subject sandbox=""></iframe>
            </details>
            <details>
                <summary>"As sent, in plain text"</summary>
                <pre>{text}</pre>
            </details>
        </article>
    }
}
