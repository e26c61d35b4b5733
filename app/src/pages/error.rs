//! Pages for what is not there, and for what broke.

use contract::{Problem, Refusal, paths, wording};
use leptos::prelude::*;

use crate::page::{PageRequest, request};
use crate::parts::layout::Document;

#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Document title="Page not found">
            <h1>"Page not found"</h1>
            <p>"If you typed the address, check it. If you followed a link, it may be old."</p>
            <div class="btns"><a class="btn" href=paths::HOME>"Go to the front page"</a></div>
        </Document>
    }
}

/// For problems that no form can show. Needs no database.
#[component]
pub fn Trouble() -> impl IntoView {
    let PageRequest { outcome, request_id, .. } = request();
    let problem = outcome.map_or(Problem::Internal, |outcome| outcome.problem);
    let (title, text) = match &problem {
        Problem::Refused(Refusal::NotFound) => ("Page not found", wording::refusal(Refusal::NotFound)),
        Problem::Refused(refusal @ Refusal::RateLimited { .. }) => ("Too many attempts", wording::refusal(*refusal)),
        Problem::Refused(refusal @ (Refusal::Overloaded { .. } | Refusal::Unavailable { .. })) => {
            ("The service is not available", wording::refusal(*refusal))
        }
        Problem::Refused(refusal) => ("We could not do that", wording::refusal_of_form(*refusal)),
        Problem::Invalid(_) => ("We could not do that", wording::VALIDATION_FAILED.to_owned()),
        Problem::Internal => ("There is a problem with the service", "Try again later".to_owned()),
    };
    view! {
        <Document title=title>
            <h1>{title}</h1>
            <p>{text} "."</p>
            <p class="muted">"If you ask for help, give this number: " <code>{request_id}</code></p>
            <div class="btns"><a class="btn quiet" href=paths::HOME>"Go to the front page"</a></div>
        </Document>
    }
}
