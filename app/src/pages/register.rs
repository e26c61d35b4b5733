//! Sign-up. A free and a taken address lead to the same next page.

use contract::feedback::FormKind;
use contract::registration::RegistrationForm;
use contract::rules::Presence;
use contract::{Field, Password, paths};
use leptos::prelude::*;

use crate::Failed;
use crate::islands::Feedback;
use crate::page::{PageRequest, request};
use crate::parts::field::{Choices, Kind, NewPasswordField, TextField, Tick};
use crate::parts::form::FormState;
use crate::parts::layout::Document;
use crate::parts::probe::Probe;
use crate::request::{Door, go_to};

/// The form's answer.
#[server(prefix = "", endpoint = "register")]
pub async fn sign_up(
    #[server(default)] email: String,
    #[server(default)] password: Password,
    #[server(default)] first_name: String,
    #[server(default)] last_name: String,
    #[server(default)] user_type: String,
    #[server(default)] phone: String,
    #[server(default)] terms: String,
    #[server(default)] next: String,
) -> Result<(), Failed> {
    let door = Door::of_request();
    let form =
        RegistrationForm { email, password, password_confirm: None, first_name, last_name, user_type, phone, terms };
    let registered = door.accounts.register(&door.visitor, &form).await?;
    match registered.session {
        Some(session) => {
            door.sign_in(&session).await?;
            go_to(paths::local(&next).unwrap_or(paths::ACCOUNT));
        }
        None => {
            door.remember_sign_up(&registered.pending).await?;
            door.remember_next(&next).await?;
            go_to(paths::VERIFY_EMAIL);
        }
    }
    Ok(())
}

#[component]
pub fn Register() -> impl IntoView {
    if request().site.open { view! { <Open/> }.into_any() } else { view! { <Closed/> }.into_any() }
}

#[component]
fn Open() -> impl IntoView {
    let PageRequest { site, visitor, next, .. } = request();
    let rules = site.rules.clone();
    let state = FormState::of(paths::REGISTER);
    let next = state.kept("next").or(next);
    let typed = visitor.pending_sign_up;
    let typed = move |name: &str| {
        let typed = typed.as_ref()?.typed();
        typed.iter().find(|(field, _)| *field == name).map(|(_, value)| (*value).to_owned())
    };
    let optional = |presence, label: &str| match presence {
        Presence::Optional => format!("{label} (optional)"),
        Presence::Required | Presence::Off => label.to_owned(),
    };
    view! {
        <Document title="Create an account" form=paths::REGISTER islands=true>
            <h1>"Create an account"</h1>
            <p>"Already have one? " <a href=paths::LOGIN>"Sign in"</a></p>
            <form method="post" action=paths::REGISTER novalidate=true id="sign-up">
                <Probe/>
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <TextField
                    field=Field::Email
                    kind=Kind::Email
                    label="Email address"
                    hint="We will send a code to this address"
                    value=typed("email")
                    state=state.clone()
                />
                <NewPasswordField field=Field::Password label="Create a password" state=state.clone()/>
                {(rules.first_name != Presence::Off)
                    .then(|| view! {
                        <TextField
                            field=Field::FirstName
                            kind=Kind::GivenName
                            label=optional(rules.first_name, "First name")
                            value=typed("first_name")
                            state=state.clone()
                        />
                    })}
                {(rules.last_name != Presence::Off)
                    .then(|| view! {
                        <TextField
                            field=Field::LastName
                            kind=Kind::FamilyName
                            label=optional(rules.last_name, "Last name")
                            value=typed("last_name")
                            state=state.clone()
                        />
                    })}
                {(rules.user_type != Presence::Off && rules.user_types.len() > 1)
                    .then(|| view! {
                        <Choices
                            field=Field::UserType
                            label="What is the account for?"
                            choices=rules.user_types.clone()
                            value=typed("user_type")
                            state=state.clone()
                        />
                    })}
                {(rules.phone != Presence::Off)
                    .then(|| view! {
                        <TextField
                            field=Field::Phone
                            kind=Kind::Phone
                            label=optional(rules.phone, "Phone number")
                            hint="With the country code, like +44 20 7946 0018"
                            value=typed("phone")
                            state=state.clone()
                        />
                    })}
                <Consent state=state/>
                <button class="btn" type="submit" data-busy="Creating account…">"Create account"</button>
            </form>
            <Feedback form="sign-up".to_owned() kind=FormKind::Registration rules=rules/>
        </Document>
    }
}

/// A box where the operator's terms have a version to agree to; a sentence where they are only linked.
#[component]
fn Consent(state: FormState) -> impl IntoView {
    let site = request().site;
    let privacy = site.privacy_url.clone();
    let link = |url: Option<String>, text: &'static str| match url {
        Some(url) => view! { <a href=url>{text}</a> }.into_any(),
        None => text.into_any(),
    };
    let about = view! {
        "I agree to the " {link(site.terms_url.clone(), "terms")}
        {privacy.map(|url| view! { " and have read the " <a href=url>"privacy notice"</a> })}
    };
    if site.rules.terms_version.is_some() {
        view! { <Tick id="terms" name="terms" checked=state.kept("terms").is_some() state=(state, Field::Terms)>{about}</Tick> }.into_any()
    } else if let Some(url) = site.privacy_url.clone() {
        view! {
            <p class="muted">"What happens with your details is in the " <a href=url>"privacy notice"</a> "."</p>
        }
        .into_any()
    } else {
        ().into_any()
    }
}

#[component]
fn Closed() -> impl IntoView {
    view! {
        <Document title="Sign-ups are closed">
            <h1>"Sign-ups are closed"</h1>
            <p>"If you have an invitation, open the link in that email."</p>
            <p>"Already have an account? " <a href=paths::LOGIN>"Sign in"</a></p>
        </Document>
    }
}
