//! Looks at a database before anything depends on it. Writes nothing: no table, and no file.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::Store;

/// Somebody waits at a terminal.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Store {
    /// Whether an address of a database can be read. Opens no connection.
    pub fn judge(url: &str) -> Result<(), String> {
        let judged = if url.starts_with("sqlite:") {
            SqliteConnectOptions::from_str(url).map(drop)
        } else {
            PgConnectOptions::from_str(url).map(drop)
        };
        judged.map_err(|error| format!("cannot be read: {error}"))
    }

    /// Opens the database once, and says why that fails. A file that is not there yet is no fault: it will be made.
    pub async fn probe(url: &str) -> Result<(), String> {
        let opened =
            async { if url.starts_with("sqlite:") { probe_sqlite(url).await } else { probe_postgres(url).await } };
        match tokio::time::timeout(TIMEOUT, opened).await {
            Ok(opened) => opened.map_err(|error| error.to_string()),
            Err(_) => Err("no answer in 10 seconds".to_owned()),
        }
    }
}

async fn probe_sqlite(url: &str) -> sqlx::Result<()> {
    let options = SqliteConnectOptions::from_str(url)?.create_if_missing(false).read_only(true);
    if !options.get_filename().exists() {
        return Ok(());
    }
    let mut connection: SqliteConnection = options.connect().await?;
    // Reads the file's head: it may be something else than a database.
    sqlx::query("SELECT COUNT(*) FROM sqlite_master").execute(&mut connection).await?;
    connection.close().await
}

async fn probe_postgres(url: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query("SELECT 1").execute(&mut connection).await?;
    connection.close().await
}
