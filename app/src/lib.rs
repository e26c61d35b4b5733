//! The pages of Vestibule.
//!
//! What this crate holds may reach the browser, so it holds no secret and no rule of its own: pages are Leptos
//! components, forms post to server functions at the page's own path, and those call one verb of the domain.
//! Only [`islands`] are compiled for the browser; pages are whole without them.
//!
//! Rendering is synchronous on purpose. What a page needs is loaded before ([`page::PageRequest`]), nothing is
//! awaited midway, and each render has an owner of its own: no page can see another request's visitor.

#![recursion_limit = "256"]

pub mod islands;

#[cfg(feature = "ssr")]
mod failed;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
mod parts;
#[cfg(feature = "ssr")]
pub mod request;

#[cfg(feature = "ssr")]
pub use failed::Failed;
