//! Times on pages.

use chrono::{DateTime, SecondsFormat, Utc};

/// For the `datetime` attribute: HTML takes three digits of a second at most, and ours have six.
pub(crate) fn for_machines(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
