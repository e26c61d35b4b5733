//! Says that this page handed out a cookie, so that a browser which does not keep it can be told why it gets nowhere.

use leptos::prelude::*;

use crate::page::PROBE_FIELD;

/// In the forms that begin something.
#[component]
pub(crate) fn Probe() -> impl IntoView {
    view! { <input type="hidden" name=PROBE_FIELD value="1"/> }
}
