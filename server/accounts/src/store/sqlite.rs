//! SQLite: one file, one writer, many readers.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{migrations, outage};
use crate::{Error, Result};

pub(super) const BEGIN_READ: &str = "BEGIN";
/// Takes the write lock at once: a transaction that begins reading and then writes can fail midway.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// How long a request waits for a connection before it is told that the service is not available.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the writer waits for a writer of another process. Shorter, so that those behind it are still waiting.
const BUSY: Duration = Duration::from_millis(1500);
/// Another process may be bringing a large database up to date.
const MIGRATION: Duration = Duration::from_mins(10);
/// Several processes may be making the same new file.
const TRIES_TO_OPEN: u8 = 5;
const READERS: u32 = 8;

/// Readers and writer.
pub(super) async fn open(url: &str) -> Result<(SqlitePool, SqlitePool)> {
    let options = SqliteConnectOptions::from_str(url)?
        // Made below, once. A file that has gone since must not be replaced by an empty one.
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .pragma("trusted_schema", "OFF")
        .pragma("journal_size_limit", "67108864");
    if let Some(folder) = options.get_filename().parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_private_folder(folder)?;
    }
    create_private_file(options.get_filename())?;
    // At start the cause is for the operator, in full.
    let writer = connect(&options, 1).await.map_err(Error::internal)?;
    let readers = connect(&options.read_only(true), READERS).await.map_err(Error::internal)?;
    Ok((readers, writer))
}

async fn connect(options: &SqliteConnectOptions, connections: u32) -> sqlx::Result<SqlitePool> {
    let mut tries = TRIES_TO_OPEN;
    loop {
        let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE).max_connections(connections);
        match pool.connect_with(options.clone()).await {
            Err(error) if tries > 1 && outage::gave_way(&error) => tries -= 1,
            done => return done,
        }
    }
}

/// In one transaction: of processes that start together, one changes the tables, and the others find it done.
pub(super) async fn migrate(writer: &SqlitePool) -> Result<()> {
    let options = SqliteConnectOptions::clone(&writer.connect_options()).busy_timeout(MIGRATION);
    let mut connection = options.connect().await?;
    let mut tx = connection.begin_with(BEGIN_WRITE).await?;
    migrations().run(&mut *tx).await.map_err(Error::internal)?;
    tx.commit().await?;
    Ok(connection.close().await?)
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
