//! What runs in the browser: the islands of `app`, and nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

// Named, so that the linker keeps what the islands export.
pub use app::islands;

/// Called once by the loader, before it wakes the islands of the page.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
