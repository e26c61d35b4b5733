//! What was tested, and what is known to be missing.

use leptos::prelude::*;

use crate::parts::layout::Document;

#[component]
pub fn Accessibility() -> impl IntoView {
    view! {
        <Document title="Accessibility">
            <h1>"Accessibility"</h1>
            <p>"These pages aim at WCAG 2.2, level AA, and at level AAA for contrast."</p>
            <h2>"What works"</h2>
            <ul>
                <li>"Everything works with a keyboard, and without JavaScript."</li>
                <li>"Text keeps a contrast of 7:1, in light and dark."</li>
                <li>"Pages fit 320 pixels of width without sideways scrolling."</li>
                <li>"Faults are listed first, take the focus, and lead to their fields."</li>
            </ul>
            <h2>"How it is tested"</h2>
            <p>"Each change runs axe on every page and state, light and dark, at 320 and 1280 pixels."</p>
            <h2>"What is missing"</h2>
            <p>"No test with screen readers by people has been done yet. Pages are in English only."</p>
        </Document>
    }
}
