//! The words that both sides use.
//!
//! The browser and the server must agree on what a good e-mail address is, what a fault is called and how it is
//! told; so those rules live here, in a crate that depends on nothing but serde and compiles for both.
//! Nothing in this crate may know the time, the network, a database or a web framework.

#![warn(missing_docs)]

pub mod confirmation;
pub mod email_address;
pub mod feedback;
pub mod invisible;
pub mod login;
pub mod password;
pub mod password_change;
pub mod password_reset;
pub mod paths;
pub mod person;
pub mod phone;
pub mod problem;
pub mod profile;
pub mod registration;
pub mod rules;
pub mod wording;

pub use email_address::EmailAddress;
pub use password::Password;
pub use problem::{Fault, Field, FieldFault, Problem, Refusal};
