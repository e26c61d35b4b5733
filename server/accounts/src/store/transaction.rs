//! A transaction on either engine, and what becomes of its connection.
//!
//! A library that counts how deep a connection is in transactions counts wrong when the engine ends one by itself, as
//! SQLite does on a full disk: the one writer would then refuse everything until a restart. So transactions begin and
//! end here, in plain SQL, and a connection on which anything failed or was broken off is thrown away. The next one
//! starts from nothing.

use std::cell::Cell;
use std::future::Future;

use contract::Refusal;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection};
use sqlx::{Database, Executor as _, Pool};

use super::outage;
use crate::{Error, Result};

/// A transaction on either engine. Dropped without commit, it has not happened.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Open<Sqlite>),
    Postgres(Open<Postgres>),
}

/// Runs one body on either engine; it is type-checked for each. A body that is left early, by an error or because
/// nobody waits for it any more, leaves a transaction that can only be dropped.
macro_rules! on_either {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $conn = tx.start_statement()?;
                let done = $body;
                tx.finish_statement();
                done
            }
            $crate::store::Tx::Postgres(tx) => {
                let $conn = tx.start_statement()?;
                let done = $body;
                tx.finish_statement();
                done
            }
        }
    };
}
pub(crate) use on_either;

impl Tx {
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}

/// What both engines do alike, said once for each because their connections are different types.
pub(crate) trait Engine: Database {
    fn run(connection: &mut Self::Connection, sql: &'static str) -> impl Future<Output = sqlx::Result<()>> + Send;
}

impl Engine for Sqlite {
    async fn run(connection: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<()> {
        connection.execute(sql).await.map(drop)
    }
}

impl Engine for Postgres {
    async fn run(connection: &mut PgConnection, sql: &'static str) -> sqlx::Result<()> {
        connection.execute(sql).await.map(drop)
    }
}

/// A transaction that has begun.
#[derive(Debug)]
pub(crate) struct Open<DB: Engine> {
    /// Until the transaction ends.
    connection: Option<PoolConnection<DB>>,
    /// False while a statement runs: whoever leaves in the middle leaves it so.
    is_sound: bool,
}

impl<DB: Engine> Open<DB> {
    /// Waits for a connection no longer than its pool allows, and once in a request.
    pub(super) async fn begin(pool: &Pool<DB>, begin: &'static str) -> Result<Self> {
        if has_waited() {
            return Err(Refusal::Unavailable { retry_after: outage::RETRY_AFTER }.into());
        }
        let mut opened = Self::try_to_begin(pool, begin).await;
        // Nothing was asked of the database yet, so asking again is safe.
        if opened.as_ref().is_err_and(outage::is_lost_connection) {
            opened = Self::try_to_begin(pool, begin).await;
        }
        opened.map_err(|error| {
            WAITED.try_with(|waited| waited.set(true)).ok();
            Error::from(error)
        })
    }

    async fn try_to_begin(pool: &Pool<DB>, begin: &'static str) -> sqlx::Result<Self> {
        let mut open = Self { connection: Some(pool.acquire().await?), is_sound: false };
        if let Some(connection) = &mut open.connection {
            DB::run(connection, begin).await?;
        }
        open.is_sound = true;
        Ok(open)
    }

    /// The connection, for one statement.
    pub(crate) fn start_statement(&mut self) -> Result<&mut DB::Connection> {
        self.is_sound = false;
        self.connection.as_deref_mut().ok_or_else(|| Error::internal("the transaction is over"))
    }

    /// It went well.
    pub(crate) fn finish_statement(&mut self) {
        self.is_sound = true;
    }

    async fn commit(mut self) -> Result<()> {
        // PostgreSQL answers such a COMMIT with success, and rolls back.
        if !self.is_sound {
            return Err(Error::internal("a statement of this transaction failed"));
        }
        DB::run(self.start_statement()?, "COMMIT").await?;
        self.connection = None;
        Ok(())
    }
}

impl<DB: Engine> Drop for Open<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if !self.is_sound {
            // The end of a connection ends its transaction.
            connection.close_on_drop();
            return;
        }
        tokio::spawn(async move {
            if let Err(error) = DB::run(&mut connection, "ROLLBACK").await {
                tracing::warn!(%error, "a transaction was not rolled back; its connection is closed");
                connection.close_on_drop();
            }
        });
    }
}

tokio::task_local! {
    /// Whether this request has waited for the database in vain.
    static WAITED: Cell<bool>;
}

/// Does the work of one request. It may ask the database many times; when the database was waited for in vain once,
/// the rest is refused at once, so that an absent database costs a request one wait and not one for each question.
pub async fn waiting_once<F: Future>(work: F) -> F::Output {
    WAITED.scope(Cell::new(false), work).await
}

fn has_waited() -> bool {
    WAITED.try_with(Cell::get).unwrap_or(false)
}
