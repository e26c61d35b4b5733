//! What a form shows again after it was not taken: typed values, faults, and a summary of them.

use contract::{Field, Problem, Refusal, paths, wording};
use leptos::prelude::*;

use crate::page::{Outcome, PageRequest, request};

/// How a form stands.
#[derive(Clone, Debug)]
pub(crate) struct FormState {
    outcome: Option<Outcome>,
    rules: contract::rules::SignUpRules,
}

impl FormState {
    /// Of the form that posts to this path.
    pub(crate) fn of(path: &str) -> Self {
        let PageRequest { outcome, site, .. } = request();
        Self { outcome: outcome.filter(|outcome| outcome.path == path), rules: site.rules.clone() }
    }

    /// What was typed.
    pub(crate) fn kept(&self, name: &str) -> Option<String> {
        self.outcome.as_ref().and_then(|outcome| outcome.kept.get(name).cloned())
    }

    /// The first fault of a field, in words.
    pub(crate) fn sentence(&self, field: Field) -> Option<String> {
        let problem = &self.outcome.as_ref()?.problem;
        if let (Field::CurrentPassword, Some(refusal @ Refusal::PasswordRequired)) = (field, problem.refusal()) {
            return Some(wording::refusal(refusal));
        }
        problem.faults_of(field).next().map(|fault| wording::fault(field, fault, &self.rules))
    }
}

/// The id of the input that asks for a field. Stable: password managers rely on it.
pub(crate) fn input_id(field: Field) -> &'static str {
    match field {
        Field::Email => "email",
        Field::Password | Field::NewPassword | Field::PasswordConfirm => "new-password",
        Field::CurrentPassword | Field::OldPassword => "current-password",
        Field::FirstName => "first-name",
        Field::LastName => "last-name",
        Field::UserType => "user-type",
        Field::Phone => "phone",
        Field::Terms => "terms",
        Field::Code => "code",
        // Of programs, and of links: no input asks for them.
        Field::Token | Field::AccessToken | Field::Refresh | Field::Locale | Field::Id => "main",
    }
}

/// All that is wrong, first thing in the page. It takes the focus without script: `autofocus` is valid on any
/// element. The alert is the inner element, or some screen readers stop after the heading.
#[component]
pub(crate) fn ErrorSummary() -> impl IntoView {
    let PageRequest { outcome, site, .. } = request();
    outcome.map(|outcome| {
        let lines = lines(&outcome, &site.rules);
        view! {
            <div class="summary" tabindex="-1" autofocus=true>
                <div role="alert">
                    <h2>"There is a problem"</h2>
                    <ul>
                        {lines
                            .into_iter()
                            .map(|(target, text)| match target {
                                Some(id) => view! { <li><a href=format!("#{id}")>{text}</a></li> }.into_any(),
                                None => view! { <li>{text}</li> }.into_any(),
                            })
                            .collect_view()}
                    </ul>
                </div>
            </div>
        }
    })
}

fn lines(outcome: &Outcome, rules: &contract::rules::SignUpRules) -> Vec<(Option<&'static str>, String)> {
    match &outcome.problem {
        Problem::Invalid(faults) => {
            let line = |found: &contract::FieldFault| {
                (Some(input_id(found.field)), wording::fault(found.field, found.fault, rules))
            };
            faults.iter().map(line).collect()
        }
        Problem::Refused(refusal) => vec![(target(*refusal, &outcome.path), wording::refusal_of_form(*refusal))],
        Problem::Internal => vec![(None, wording::INTERNAL.to_owned())],
    }
}

/// The input to go to, for refusals that one can mend.
fn target(refusal: Refusal, path: &str) -> Option<&'static str> {
    match refusal {
        Refusal::InvalidCredentials | Refusal::EmailTaken if path != paths::VERIFY_EMAIL => Some("email"),
        Refusal::PasswordRequired => Some("current-password"),
        _ => None,
    }
}
