//! The few pieces that run in the browser. Every page is whole without them.

mod feedback;

pub use feedback::Feedback;
