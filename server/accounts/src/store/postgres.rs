//! PostgreSQL, directly or behind a pooler such as PgBouncer.
//!
//! Nothing is asked of a connection that a pooler may refuse or lend to somebody else in between: no settings in the
//! startup packet, none that outlive a transaction, no lock that does. Only prepared statements outlive one, and a
//! pooler that mixes those up could run another statement than the one that was meant: it is refused at start.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use super::migrations;
use crate::{Error, Result};

/// One message to the server. Bounds that hold for this transaction alone.
pub(super) const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'; \
                                SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// The same, for deletions by an index. Without statistics of the last minutes the planner may read whole tables, once
/// for each thousand rows.
pub(super) const BEGIN_TIDYING: &str = "BEGIN; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'; \
                                        SET LOCAL idle_in_transaction_session_timeout = '10s'; \
                                        SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
                                        SET LOCAL enable_mergejoin = off";

/// How long a request waits for a connection before it is told that the service is not available. Some is kept of the
/// two seconds that an answer may take.
const PATIENCE: Duration = Duration::from_millis(1500);
const CONNECTIONS: u32 = 16;

/// Ours, among the advisory locks of a database ("vest").
const MIGRATION_LOCK: i32 = 0x7665_7374;

const MIXED_UP: &str = "a pooler between Vestibule and PostgreSQL mixes up prepared statements. Let it pool sessions \
                        (PgBouncer: pool_mode=session), or let it know prepared statements (PgBouncer 1.21 or later: \
                        max_prepared_statements=200)";

pub(super) async fn open(url: &str) -> Result<PgPool> {
    // No number with a fraction is stored here; PgBouncer refuses the setting.
    let options = PgConnectOptions::from_str(url)?.extra_float_digits(None);
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
    // At start the cause is for the operator, in full.
    let pool = pool.connect_with(options).await.map_err(Error::internal)?;
    refuse_mixed_up_statements(&pool).await?;
    Ok(pool)
}

/// Two connections prepare different statements under the same name, and run each twice. A pooler that lends one
/// connection of the server to both, and does not keep their names apart, is found out by the second at the latest.
async fn refuse_mixed_up_statements(pool: &PgPool) -> Result<()> {
    let (mut one, mut two) = (pool.acquire().await?, pool.acquire().await?);
    for _ in 0..2 {
        let said: sqlx::Result<(i32, i32)> = async {
            let one = sqlx::query_scalar("SELECT 1 + $1").bind(0).fetch_one(&mut *one).await?;
            let two = sqlx::query_scalar("SELECT 2 + $1").bind(0).fetch_one(&mut *two).await?;
            Ok((one, two))
        }
        .await;
        match said {
            Ok((1, 2)) => {}
            Ok(_) => return Err(Error::internal(MIXED_UP)),
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| is_about_statements(&code)) => {
                return Err(Error::internal(MIXED_UP));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// `invalid_sql_statement_name`, `duplicate_prepared_statement`, `protocol_violation` (other parameters than expected).
fn is_about_statements(code: &str) -> bool {
    ["26000", "42P05", "08P01"].contains(&code)
}

/// In one transaction and under a lock that ends with it: of processes that start together, one changes the tables,
/// and the others find it done. On a connection of its own, without the bounds of requests: an index may take minutes.
pub(super) async fn migrate(pool: &PgPool) -> Result<()> {
    let mut connection = pool.connect_options().connect().await?;
    let mut tx = connection.begin().await?;
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))").bind(MIGRATION_LOCK);
    lock.execute(&mut *tx).await?;
    migrations().run(&mut *tx).await.map_err(Error::internal)?;
    tx.commit().await?;
    Ok(connection.close().await?)
}
