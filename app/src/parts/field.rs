//! One question of a form: label, hint, fault, input, tied together for screen readers, with and without script.

use contract::Field;
use leptos::prelude::*;

use super::form::{FormState, input_id};
use crate::page::request;

/// What kind of text is asked for; decides the attributes that keyboards and password managers go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Email,
    NewPassword,
    CurrentPassword,
    Code,
    Phone,
    GivenName,
    FamilyName,
}

impl Kind {
    fn is_secret(self) -> bool {
        matches!(self, Self::NewPassword | Self::CurrentPassword)
    }

    /// `type`, `autocomplete`, `inputmode`.
    fn attributes(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Email => ("email", "username", None),
            Self::NewPassword => ("password", "new-password", None),
            Self::CurrentPassword => ("password", "current-password", None),
            Self::Code => ("text", "one-time-code", Some("numeric")),
            Self::Phone => ("tel", "tel", None),
            Self::GivenName => ("text", "given-name", None),
            Self::FamilyName => ("text", "family-name", None),
        }
    }
}

/// A text question.
#[component]
pub(crate) fn TextField(
    field: Field,
    kind: Kind,
    #[prop(into)] label: String,
    /// At most one short sentence.
    #[prop(optional, into)]
    hint: Option<String>,
    /// Faults and typed values.
    state: FormState,
    /// Shown when nothing was typed yet.
    #[prop(optional_no_strip, into)]
    value: Option<String>,
    /// On pages whose only job is this field.
    #[prop(optional)]
    autofocus: bool,
    #[prop(optional)] min_length: Option<usize>,
    /// Where the form calls it otherwise than programs do.
    #[prop(optional)]
    name: Option<&'static str>,
    /// What "Show" and "Hide" speak of, where there is more than one.
    #[prop(default = "password")]
    secret: &'static str,
) -> impl IntoView {
    let id = input_id(field);
    let fault = state.sentence(field);
    let hint_id = hint.is_some().then(|| format!("{id}-hint"));
    let fault_id = fault.is_some().then(|| format!("{id}-error"));
    let described_by = [hint_id.clone(), fault_id.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let described_by = (!described_by.is_empty()).then_some(described_by);
    let value = if kind.is_secret() { None } else { state.kept(field.code()).or(value) };
    let (type_, autocomplete, input_mode) = kind.attributes();
    let is_code = kind == Kind::Code;
    // Names and numbers may be capitalised by keyboards; nothing else may.
    let capitalise = matches!(kind, Kind::Email | Kind::NewPassword | Kind::CurrentPassword).then_some("none");
    let reveal = kind.is_secret().then(|| {
        view! {
            <button class="btn quiet js-only" type="button" aria-controls=id aria-label=format!("Show {secret}")>"Show"</button>
        }
    });
    let invalid = fault.is_some();
    view! {
        <div class=if invalid { "field invalid" } else { "field" }>
            <label for=id>{label}</label>
            {hint.map(|hint| view! { <span class="hint" id=hint_id>{hint}</span> })}
            {fault.map(|fault| view! { <FaultText id=fault_id.unwrap_or_default() text=fault/> })}
            <div class="with-btn">
                <input
                    class=if is_code { "input code" } else { "input" }
                    id=id
                    name=name.unwrap_or(field.code())
                    type=type_
                    inputmode=input_mode
                    autocomplete=autocomplete
                    autocapitalize=capitalise
                    spellcheck="false"
                    minlength=min_length.map(|length| length.to_string())
                    value=value
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=described_by
                    autofocus=autofocus && !invalid
                />
                {reveal}
            </div>
        </div>
    }
}

/// A password to be: what it must be is said before it is typed.
#[component]
pub(crate) fn NewPasswordField(
    field: Field,
    #[prop(into)] label: String,
    state: FormState,
    #[prop(optional)] name: Option<&'static str>,
    #[prop(default = "password")] secret: &'static str,
) -> impl IntoView {
    let length = request().site.rules.password_min_length;
    let hint = format!("{length} characters or more. Three unrelated words work well");
    view! {
        <TextField
            field=field
            kind=Kind::NewPassword
            label=label
            hint=hint
            min_length=length
            name=name.unwrap_or(field.code())
            secret=secret
            state=state
        />
    }
}

/// Tells a password manager whose password is asked. Not `hidden`: managers skip that.
#[component]
pub(crate) fn Companion(email: String) -> impl IntoView {
    view! {
        <input class="vh" type="email" name="username" value=email autocomplete="username" readonly=true tabindex="-1" aria-hidden="true"/>
    }
}

/// One of a few choices.
#[component]
pub(crate) fn Choices(
    field: Field,
    #[prop(into)] label: String,
    choices: Vec<String>,
    state: FormState,
    #[prop(optional_no_strip, into)] value: Option<String>,
) -> impl IntoView {
    let id = input_id(field);
    let fault = state.sentence(field);
    let fault_id = fault.is_some().then(|| format!("{id}-error"));
    let described_by = fault_id.clone();
    let chosen = state.kept(field.code()).or(value).filter(|kept| choices.contains(kept));
    let chosen = chosen.or_else(|| choices.first().cloned());
    let invalid = fault.is_some();
    view! {
        <fieldset class=if invalid { "field invalid" } else { "field" } aria-describedby=described_by>
            <legend>{label}</legend>
            {fault.map(|fault| view! { <FaultText id=fault_id.unwrap_or_default() text=fault/> })}
            <div class="choices">
                {choices
                    .into_iter()
                    .enumerate()
                    .map(|(at, choice)| {
                        let id = if at == 0 { id.to_owned() } else { format!("{id}-{at}") };
                        let label_for = id.clone();
                        let checked = chosen.as_ref() == Some(&choice);
                        view! {
                            <label class="choice" for=label_for>
                                <input id=id type="radio" name=field.code() value=choice.clone() checked=checked/>
                                {capitalised(&choice)}
                            </label>
                        }
                    })
                    .collect_view()}
            </div>
        </fieldset>
    }
}

/// A box to tick.
#[component]
pub(crate) fn Tick(
    #[prop(into)] id: String,
    name: &'static str,
    #[prop(optional)] state: Option<(FormState, Field)>,
    checked: bool,
    children: Children,
) -> impl IntoView {
    let fault = state.and_then(|(state, field)| state.sentence(field));
    let fault_id = fault.is_some().then(|| format!("{id}-error"));
    let invalid = fault.is_some();
    let (label_for, described_by) = (id.clone(), fault_id.clone());
    view! {
        <div class=if invalid { "field invalid" } else { "field" }>
            {fault.map(|fault| view! { <FaultText id=fault_id.unwrap_or_default() text=fault/> })}
            <label class="choice" for=label_for>
                <input
                    id=id
                    type="checkbox"
                    name=name
                    value="on"
                    checked=checked
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=described_by
                />
                <span>{children()}</span>
            </label>
        </div>
    }
}

#[component]
fn FaultText(id: String, text: String) -> impl IntoView {
    view! {
        <span class="error-msg" id=id>
            <svg aria-hidden="true" viewBox="0 0 16 16" width="16" height="16">
                <path fill="currentColor" d="M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0ZM7 3v6h2V3Zm0 8v2h2v-2Z"/>
            </svg>
            <span><span class="vh">"Error: "</span>{text}</span>
        </span>
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
