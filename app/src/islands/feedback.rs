//! Feedback on a form while it is filled: what is wrong with a field when it is left (never while it is typed for
//! the first time), show and hide for passwords, a busy button. It judges by the rules of the server and speaks its
//! sentences; it never stops a form from being sent, because the server answers the same without it.
//!
//! The island renders nothing. The form stays the server's HTML, with uncontrolled inputs: password managers fill
//! them before any script runs.

use contract::feedback::FormKind;
use contract::rules::SignUpRules;
use leptos::prelude::*;

/// Before the sentence of a fault: a sign that is not colour alone, and a word for those who see neither. The sentence
/// goes to the end of the span. The server writes the same (`parts/field.rs`).
#[cfg(feature = "hydrate")]
const FAULT_MARKUP: &str = concat!(
    r#"<svg aria-hidden="true" viewBox="0 0 16 16" width="16" height="16">"#,
    r#"<path fill="currentColor" d="M8 0a8 8 0 1 1 0 16A8 8 0 0 1 8 0ZM7 3v6h2V3Zm0 8v2h2v-2Z"/></svg>"#,
    r#"<span><span class="vh">Error: </span></span>"#
);

/// Watches the form with this id.
#[island]
pub fn Feedback(form: String, kind: FormKind, rules: SignUpRules) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::watch(&form, kind, rules);
    #[cfg(not(feature = "hydrate"))]
    let _ = (form, kind, rules);
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::Cell;
    use std::rc::Rc;

    use contract::feedback::FormKind;
    use contract::rules::SignUpRules;
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::Closure;
    use web_sys::{Document, Element, Event, EventTarget, HtmlButtonElement, HtmlFormElement, HtmlInputElement};

    pub(super) fn watch(form_id: &str, kind: FormKind, rules: SignUpRules) {
        let Some(form) = document().get_element_by_id(form_id).and_then(|form| form.dyn_into::<HtmlFormElement>().ok())
        else {
            return;
        };
        reveal_buttons(&form);
        let pressing = watch_presses(&form);
        let judged = form.clone();
        on(&form, "focusout", move |event| {
            if !pressing.get() {
                judge(&judged, kind, &rules, &event);
            }
        });
        let sent = form.clone();
        on(&form, "submit", move |_| busy(&sent));
        if let (Some(window), Ok(Some(button))) = (web_sys::window(), form.query_selector("button[data-busy]")) {
            let text = button.text_content();
            // Come back to by the browser's button, the page is as it was left.
            on(&window, "pageshow", move |_| {
                button.set_text_content(text.as_deref());
                button.remove_attribute("aria-disabled").ok();
            });
        }
    }

    fn document() -> Document {
        leptos::prelude::document()
    }

    fn on(target: &EventTarget, event: &str, handler: impl FnMut(Event) + 'static) {
        let handler = Closure::<dyn FnMut(Event)>::new(handler);
        // Lives as long as the page.
        target.add_event_listener_with_callback(event, handler.into_js_value().unchecked_ref()).ok();
    }

    /// True while a pointer is down on a button. A message that appeared then would move the button away from under
    /// the pointer, and the press would be lost; the server says the same a moment later.
    fn watch_presses(form: &HtmlFormElement) -> Rc<Cell<bool>> {
        let pressing = Rc::new(Cell::new(false));
        let down = pressing.clone();
        on(form, "pointerdown", move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            down.set(target.is_some_and(|target| matches!(target.closest("button"), Ok(Some(_)))));
        });
        for over in ["pointerup", "pointercancel"] {
            let up = pressing.clone();
            on(&document(), over, move |_| up.set(false));
        }
        pressing
    }

    fn judge(form: &HtmlFormElement, kind: FormKind, rules: &SignUpRules, event: &Event) {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
        let is_text = !matches!(input.type_().as_str(), "radio" | "checkbox" | "hidden");
        // A field that was only passed through, on the way to another, is not scolded.
        let was_marked = input.has_attribute("aria-invalid");
        if !is_text || (input.value().is_empty() && !was_marked) {
            return;
        }
        match kind.sentence(&input.name(), |name| value(form, name), rules) {
            Some(sentence) => mark(&input, &sentence),
            None => unmark(&input),
        }
    }

    fn value(form: &HtmlFormElement, name: &str) -> String {
        let selector = format!("[name='{name}']:not([type=radio],[type=checkbox]),[name='{name}']:checked");
        let found = form.query_selector(&selector).ok().flatten();
        found.and_then(|found| found.dyn_into::<HtmlInputElement>().ok()).map(|input| input.value()).unwrap_or_default()
    }

    /// What the server's page shows for the same fault.
    fn mark(input: &HtmlInputElement, sentence: &str) {
        unmark(input);
        let Some(field) = input.closest(".field").ok().flatten() else { return };
        let id = format!("{}-error", input.id());
        let Ok(message) = document().create_element("span") else { return };
        message.set_id(&id);
        message.set_class_name("error-msg");
        message.set_inner_html(super::FAULT_MARKUP);
        if let Ok(Some(text)) = message.query_selector("span:not(.vh)") {
            text.append_with_str_1(sentence).ok();
        }
        let row = field.query_selector(".with-btn").ok().flatten();
        field.insert_before(&message, row.as_deref()).ok();
        field.class_list().add_1("invalid").ok();
        input.set_attribute("aria-invalid", "true").ok();
        describe(input, |ids| ids.push(id));
    }

    fn unmark(input: &HtmlInputElement) {
        let id = format!("{}-error", input.id());
        if let Some(message) = document().get_element_by_id(&id) {
            message.remove();
        }
        if let Ok(Some(field)) = input.closest(".field") {
            field.class_list().remove_1("invalid").ok();
        }
        input.remove_attribute("aria-invalid").ok();
        describe(input, |ids| ids.retain(|other| *other != id));
    }

    fn describe(input: &Element, change: impl FnOnce(&mut Vec<String>)) {
        let ids = input.get_attribute("aria-describedby").unwrap_or_default();
        let mut ids: Vec<String> = ids.split_whitespace().map(str::to_owned).collect();
        change(&mut ids);
        if ids.is_empty() {
            input.remove_attribute("aria-describedby").ok();
        } else {
            input.set_attribute("aria-describedby", &ids.join(" ")).ok();
        }
    }

    fn reveal_buttons(form: &HtmlFormElement) {
        let Ok(buttons) = form.query_selector_all("button[aria-controls]") else { return };
        for at in 0..buttons.length() {
            let Some(button) = buttons.item(at).and_then(|node| node.dyn_into::<HtmlButtonElement>().ok()) else {
                continue;
            };
            let id = button.get_attribute("aria-controls").unwrap_or_default();
            let input = document().get_element_by_id(&id).and_then(|input| input.dyn_into::<HtmlInputElement>().ok());
            let Some(input) = input else { continue };
            let (toggled, pressed) = (input.clone(), button.clone());
            on(&button, "click", move |_| show(&toggled, &pressed, toggled.type_() == "password"));
            // A password in plain sight is not what the browser should remember the field as.
            on(form, "submit", move |_| show(&input, &button, false));
        }
    }

    fn show(input: &HtmlInputElement, button: &HtmlButtonElement, visible: bool) {
        input.set_type(if visible { "text" } else { "password" });
        button.set_text_content(Some(if visible { "Hide" } else { "Show" }));
        let label = button.get_attribute("aria-label").unwrap_or_default();
        let (before, after) = if visible { ("Show", "Hide") } else { ("Hide", "Show") };
        button.set_attribute("aria-label", &label.replacen(before, after, 1)).ok();
    }

    /// Says that something happens. The button still works: whoever presses it twice is answered twice.
    fn busy(form: &HtmlFormElement) {
        let Ok(Some(button)) = form.query_selector("button[data-busy]") else { return };
        let text = button.get_attribute("data-busy").unwrap_or_default();
        button.set_attribute("aria-disabled", "true").ok();
        button.set_text_content(Some(&text));
    }
}
