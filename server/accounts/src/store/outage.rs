//! Which errors of a database are outages: nothing is wrong with the request, and later it will be carried out. Full
//! disks, locks held by others, servers that restart or are not there. Everything else is a fault of ours.

use contract::Refusal;

use crate::Error;

/// Seconds, when the database cannot do it now.
pub(super) const RETRY_AFTER: u32 = 5;
/// The same where somebody else has the lock.
pub(super) const GAVE_WAY: u32 = 1;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match retry_after(&error) {
            Some(retry_after) => {
                tracing::error!(%error, "the database cannot do it now");
                Refusal::Unavailable { retry_after }.into()
            }
            None => Self::internal(error),
        }
    }
}

fn retry_after(error: &sqlx::Error) -> Option<u32> {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_) => Some(RETRY_AFTER),
        sqlx::Error::Database(error) => outage_of(&error.code()?),
        _ => None,
    }
}

/// Whether another process had the lock.
pub(super) fn gave_way(error: &sqlx::Error) -> bool {
    retry_after(error) == Some(GAVE_WAY)
}

/// Whether the connection was found dead, so that another may do.
pub(super) fn is_lost_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.len() == 5 && code.starts_with("57P0")),
        _ => false,
    }
}

/// PostgreSQL's codes have five characters, SQLite's are numbers of four digits at most.
fn outage_of(code: &str) -> Option<u32> {
    if code.len() == 5 { outage_of_postgres(code) } else { outage_of_sqlite(code.parse().ok()?) }
}

/// PostgreSQL, appendix A.
fn outage_of_postgres(code: &str) -> Option<u32> {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available, query_canceled: this one gave way to another.
        "40001" | "40P01" | "55P03" | "57014" => Some(GAVE_WAY),
        // read_only_sql_transaction (a standby), idle_in_transaction_session_timeout.
        "25006" | "25P03" => Some(RETRY_AFTER),
        // connection_exception, insufficient_resources, operator_intervention (restart, shutdown), system_error.
        _ if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => Some(RETRY_AFTER),
        _ => None,
    }
}

/// <https://www.sqlite.org/rescode.html>; the last eight bits are the kind.
fn outage_of_sqlite(code: u32) -> Option<u32> {
    match code & 0xff {
        // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_INTERRUPT: another process writes.
        5 | 6 | 9 => Some(GAVE_WAY),
        // SQLITE_NOMEM, SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_PROTOCOL.
        7 | 8 | 10 | 13 | 14 | 15 => Some(RETRY_AFTER),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_will_pass_is_told_from_what_will_not() {
        let gives_way = ["5", "261", "517", "6", "262", "40001", "40P01", "55P03", "57014"];
        let is_away = [
            "13", "8", "264", "1032", "10", "778", "1034", "2570", "14", "15", // SQLite
            "57P01", "57P02", "57P03", "53300", "53100", "08006", "08P01", "58030", "25006", // PostgreSQL
        ];
        // A constraint, a statement that is none, a damaged file, an aborted transaction: waiting mends nothing.
        let is_broken = ["1", "11", "26", "19", "787", "2067", "23505", "42601", "42P01", "25P02", "22021"];
        assert!(gives_way.iter().all(|code| outage_of(code) == Some(GAVE_WAY)));
        assert!(is_away.iter().all(|code| outage_of(code) == Some(RETRY_AFTER)));
        assert!(is_broken.iter().all(|code| outage_of(code).is_none()));
    }
}
