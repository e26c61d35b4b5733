//! The database: the only place that knows SQL. Each statement is written once and runs on both engines.
//!
//! A [`Tx`] is a transaction on either; the statements are its methods, one file for each table. Rules that keep one
//! text right for two engines are in `docs/decisions/0001-one-sql-two-engines.md`.

mod browser_sessions;
mod changes;
mod leftovers;
mod one_time_tokens;
mod outbox;
mod refusals;
mod sessions;
mod signing_keys;
mod users;

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use contract::Refusal;
use sqlx::Transaction;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

pub(crate) use leftovers::Leftover;
pub(crate) use one_time_tokens::OneTimeToken;
pub(crate) use outbox::{Letter, Outgoing};
pub(crate) use sessions::StoredRefreshToken;
pub(crate) use signing_keys::KeyRow;
pub(crate) use users::{Account, NewUser, Profile};

use crate::{Error, Result};

/// How long a request waits for a connection before it is told that the service is not available.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
const READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

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

/// A transaction on either engine. Dropped without commit, it has not happened.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs one body on either engine; it is type-checked for each.
macro_rules! on_either {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(crate) use on_either;

impl Store {
    /// Opens `sqlite://path` or `postgres://…`. The connection is made here, so a wrong address is found at start.
    pub async fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") { Self::open_sqlite(url).await } else { Self::open_postgres(url).await }
    }

    async fn open_sqlite(url: &str) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit that was answered survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("trusted_schema", "OFF")
            .pragma("journal_size_limit", "67108864");
        if let Some(folder) = options.get_filename().parent().filter(|folder| !folder.as_os_str().is_empty()) {
            create_private_folder(folder)?;
        }
        create_private_file(options.get_filename())?;
        let pool = || SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
        let writer = pool().max_connections(1).connect_with(options.clone()).await?;
        let readers =
            pool().max_connections(READERS).connect_with(options.read_only(true).create_if_missing(false)).await?;
        Ok(Self::Sqlite { readers, writer })
    }

    async fn open_postgres(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?.options([
            ("statement_timeout", "5s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ]);
        let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        Ok(Self::Postgres(pool.connect_with(options).await?))
    }

    /// Brings the tables up to date.
    pub async fn migrate(&self) -> Result<()> {
        let migrated = match self {
            Self::Sqlite { writer, .. } => MIGRATIONS.run(writer).await,
            Self::Postgres(pool) => MIGRATIONS.run(pool).await,
        };
        migrated.map_err(Error::internal)
    }

    /// Begins a transaction that only reads.
    pub(crate) async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self) -> Result<Tx> {
        Ok(match self {
            // Taking the write lock at once: a transaction that begins reading and then writes can fail midway.
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    pub(crate) async fn answers(&self) -> bool {
        match self {
            Self::Sqlite { readers, .. } => sqlx::query("SELECT 1").execute(readers).await.is_ok(),
            Self::Postgres(pool) => sqlx::query("SELECT 1").execute(pool).await.is_ok(),
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

impl Tx {
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// The data folder holds accounts and keys: for its owner only.
fn create_private_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::internal)
    }
    #[cfg(not(unix))]
    std::fs::create_dir_all(folder).map_err(Error::internal)
}

/// The database is for its owner only, in a folder of others too. What SQLite writes beside it has the same mode.
fn create_private_file(file: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop).map_err(Error::internal)
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed => {
                tracing::error!(%error, "the database does not answer");
                Refusal::Unavailable { retry_after: 5 }.into()
            }
            // Waited too long for a lock, or two waited for each other: PostgreSQL chose this one to give way.
            sqlx::Error::Database(error) if error.code().is_some_and(|code| GAVE_WAY.contains(&&*code)) => {
                tracing::warn!(%error, "a transaction gave way");
                Refusal::Unavailable { retry_after: 1 }.into()
            }
            error => Self::internal(error),
        }
    }
}

/// `lock_not_available`, `deadlock_detected`, `query_canceled` (PostgreSQL, appendix A).
const GAVE_WAY: [&str; 3] = ["55P03", "40P01", "57014"];
