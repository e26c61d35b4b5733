//! What pages are made of.

pub(crate) mod account_nav;
pub(crate) mod field;
pub(crate) mod form;
pub(crate) mod layout;
pub(crate) mod notice;
pub(crate) mod probe;
pub(crate) mod time;
