//! The database: the only place that knows SQL. Each statement is written once and runs on both engines.
//!
//! A [`Tx`] is a transaction on either; the statements are its methods, one file for each table. Rules that keep one
//! text right for two engines are in `docs/decisions/0001-one-sql-two-engines.md`.

mod browser_sessions;
mod changes;
mod leftovers;
mod letter_requests;
mod one_time_tokens;
mod outage;
mod outbox;
mod postgres;
mod probe;
mod readiness;
mod refusals;
mod sessions;
mod signing_keys;
mod sqlite;
mod transaction;
mod users;

use contract::Refusal;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

pub(crate) use leftovers::Leftover;
pub(crate) use letter_requests::{LetterCounts, LetterRequest};
pub(crate) use one_time_tokens::OneTimeToken;
pub(crate) use outbox::{Letter, Outgoing};
pub(crate) use sessions::StoredRefreshToken;
pub(crate) use signing_keys::KeyRow;
pub use transaction::waiting_once;
pub(crate) use transaction::{Tx, on_either};
pub(crate) use users::{Account, NewUser, Profile};

use crate::{Error, Result};
use transaction::Open;

/// Of a second and a half each, on SQLite.
const TRIES_AFTER_OTHERS: u8 = 40;

/// Where accounts are kept.
#[derive(Clone, Debug)]
pub enum Store {
    /// One file. SQLite has one writer at a time, so writers wait for one connection instead of for each other's locks.
    Sqlite {
        /// Many.
        readers: SqlitePool,
        /// One.
        writer: SqlitePool,
    },
    /// A server.
    Postgres(PgPool),
}

impl Store {
    /// Opens `sqlite://path` or `postgres://…`. The connection is made here, so a wrong address is found at start.
    pub async fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let (readers, writer) = sqlite::open(url).await?;
            return Ok(Self::Sqlite { readers, writer });
        }
        Ok(Self::Postgres(postgres::open(url).await?))
    }

    /// Brings the tables up to date. Any number of processes may do so at once.
    pub async fn migrate(&self) -> Result<()> {
        match self {
            Self::Sqlite { writer, .. } => sqlite::migrate(writer).await,
            Self::Postgres(pool) => postgres::migrate(pool).await,
        }
    }

    /// Begins a transaction that only reads.
    pub(crate) async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(Open::begin(readers, sqlite::BEGIN_READ).await?),
            Self::Postgres(pool) => Tx::Postgres(Open::begin(pool, postgres::BEGIN).await?),
        })
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(Open::begin(writer, sqlite::BEGIN_WRITE).await?),
            Self::Postgres(pool) => Tx::Postgres(Open::begin(pool, postgres::BEGIN).await?),
        })
    }

    /// The same for a start or a command, which no browser waits for: another process may write for a minute.
    pub(crate) async fn write_after_others(&self) -> Result<Tx> {
        for _ in 0..TRIES_AFTER_OTHERS {
            match self.write().await {
                // It has waited for the lock by itself.
                Err(Error::Refused(Refusal::Unavailable { retry_after: outage::GAVE_WAY })) => {}
                begun => return begun,
            }
        }
        self.write().await
    }

    /// Begins a transaction that deletes what an index finds.
    pub(crate) async fn tidy(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { .. } => self.write().await,
            Self::Postgres(pool) => Ok(Tx::Postgres(Open::begin(pool, postgres::BEGIN_TIDYING).await?)),
        }
    }

    /// Ends all connections, after what is under way.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Each engine has its own lock for them; the library's lasts as long as a connection, which a pooler may not give back.
fn migrations() -> sqlx::migrate::Migrator {
    let mut migrations = sqlx::migrate!("../../migrations");
    migrations.set_locking(false);
    migrations
}
