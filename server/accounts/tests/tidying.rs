//! Tidying up while people sign in, on both engines.
//!
//! `VESTIBULE_TEST_ROWS` is how many rows of each kind there are. A million takes minutes.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::Store;
use chrono::TimeDelta;
use sqlx::sqlite::SqliteOperation;
use support::*;

/// Rows that one transaction may delete.
const BATCH: u64 = 1_000;
/// In minutes.
const HOURS: i64 = 60;
/// Rows of each kind that must stay.
const KEPT: u64 = 7;

/// Rows of a table that are due, and rows that are not yet.
struct Kind {
    table: &'static str,
    /// By which their age is known, and which ages (in minutes; negative is the future).
    column: &'static str,
    due: i64,
    kept: i64,
    /// Of the insert. `ID` and `HASH` are of this row; `PARENT` is the id of the row of the same number, of the kind
    /// with that letter; `AT` is the age.
    columns: &'static str,
    values: &'static str,
}

/// Rows that others hang on first. A kind is named by the letter of its place.
const KINDS: [Kind; 16] = [
    Kind {
        table: "users",
        column: "updated_at",
        due: 25 * HOURS,
        kept: 23 * HOURS,
        columns: "id, email, email_key, password_hash, first_name, last_name, user_type, locale, created_at, updated_at",
        values: "ID, KEY, KEY, '', '', '', 'guest', 'en', AT, AT",
    },
    // Their letters, which are due with them.
    Kind {
        table: "outbox",
        column: "next_attempt_at",
        due: 24 * HOURS,
        kept: 22 * HOURS,
        columns: "id, letter, recipient, user_id, created_at, next_attempt_at, attempts",
        values: "ID, 'confirm', 'x', PARENT(a), AT, AT, 0",
    },
    Kind {
        table: "one_time_tokens",
        column: "expires_at",
        due: 169 * HOURS,
        kept: 167 * HOURS,
        columns: "id, email_key, user_id, purpose, token_hash, attempts, created_at, expires_at",
        values: "ID, KEY, OWNER, 'confirm_email', HASH, 0, AT, AT",
    },
    // Their letters, which are due with them.
    Kind {
        table: "outbox",
        column: "next_attempt_at",
        due: 168 * HOURS,
        kept: 166 * HOURS,
        columns: "id, letter, recipient, token_id, created_at, next_attempt_at, attempts",
        values: "ID, 'confirm', 'x', PARENT(c), AT, AT, 0",
    },
    Kind {
        table: "outbox",
        column: "created_at",
        due: 721 * HOURS,
        kept: 719 * HOURS,
        columns: "id, letter, recipient, created_at, next_attempt_at, attempts",
        values: "ID, 'confirm', 'x', AT, AT, 0",
    },
    Kind {
        table: "mailbox_messages",
        column: "created_at",
        due: 721 * HOURS,
        kept: 719 * HOURS,
        columns: "id, recipient, subject, body_text, body_html, created_at",
        values: "ID, 'x', '', '', '', AT",
    },
    Kind {
        table: "browser_sessions",
        column: "expires_at",
        due: 1,
        kept: -1,
        columns: "id_hash, data, expires_at",
        values: "HASH, '{}', AT",
    },
    Kind {
        table: "sessions",
        column: "expires_at",
        due: 721 * HOURS,
        kept: 719 * HOURS,
        columns: "id, user_id, remember, auth_time, amr, address, user_agent, created_at, last_used_at, expires_at",
        values: "ID, OWNER, FALSE, AT, 'pwd', '', '', AT, AT, AT",
    },
    // The last token of each, which is due with it.
    Kind {
        table: "refresh_tokens",
        column: "expires_at",
        due: 722 * HOURS,
        kept: 718 * HOURS,
        columns: "hash, session_id, created_at, expires_at",
        values: "HASH, PARENT(h), AT, AT",
    },
    Kind {
        table: "sessions",
        column: "ended_at",
        due: 723 * HOURS,
        kept: 717 * HOURS,
        columns: "id, user_id, remember, auth_time, amr, address, user_agent, created_at, last_used_at, ended_at, expires_at",
        values: "ID, OWNER, FALSE, AT, 'pwd', '', '', AT, AT, AT, FUTURE",
    },
    Kind {
        table: "refresh_tokens",
        column: "created_at",
        due: 724 * HOURS,
        kept: 716 * HOURS,
        columns: "hash, session_id, created_at, expires_at",
        values: "HASH, PARENT(j), AT, FUTURE",
    },
    // Used ones of a session that goes on.
    Kind {
        table: "refresh_tokens",
        column: "used_at",
        due: 73 * HOURS,
        kept: 71 * HOURS,
        columns: "hash, session_id, created_at, expires_at, used_at",
        values: "HASH, GOES_ON, AT, FUTURE, AT",
    },
    Kind {
        table: "changes",
        column: "changed_at",
        due: HOURS + 1,
        kept: HOURS - 1,
        columns: "id, user_id, changed_at",
        values: "ID, ID, AT",
    },
    Kind {
        table: "audit_events",
        column: "happened_at",
        due: 2161 * HOURS,
        kept: 2159 * HOURS,
        columns: "id, happened_at, event",
        values: "ID, AT, 'login.ok'",
    },
    // No letters, written so that requests for nobody cost what others cost.
    Kind {
        table: "outbox",
        column: "next_attempt_at",
        due: 1,
        kept: -1,
        columns: "id, letter, recipient, created_at, next_attempt_at, attempts",
        values: "ID, 'nothing', 'x', AT, AT, 0",
    },
    Kind {
        table: "letter_requests",
        column: "asked_at",
        due: 25 * HOURS,
        kept: 23 * HOURS,
        columns: "id, mailbox, network, asked_at",
        values: "ID, HASH, HASH, AT",
    },
];

const OWNER: &str = "(SELECT id FROM users WHERE email_key = 'owner@example.com')";
const GOES_ON: &str =
    "(SELECT id FROM sessions WHERE user_id = (SELECT id FROM users WHERE email_key = 'owner@example.com')
                        ORDER BY created_at DESC LIMIT 1)";

impl World {
    /// An octet string of this row: a letter and the row's number.
    fn octets(&self, letter: u8, length: usize) -> String {
        let digits = length - 1;
        match (self.is_on_sqlite(), length) {
            (true, _) => format!("CAST(printf('{}%0{digits}d', i) AS BLOB)", char::from(letter)),
            (false, 16) => format!("CAST('{letter:02x}' || lpad(to_hex(i), {}, '0') AS UUID)", digits * 2),
            (false, _) => format!("decode('{letter:02x}' || lpad(to_hex(i), {}, '0'), 'hex')", digits * 2),
        }
    }

    fn literal(&self, minutes_ago: i64) -> String {
        format!("'{}'", (self.clock.now() - TimeDelta::minutes(minutes_ago)).to_rfc3339())
    }

    /// So many rows, in one statement. Those to be kept have letters of their own.
    async fn fill(&self, place: u8, kind: &Kind, is_due: bool, rows: u64) {
        let letter = |place: u8| if is_due { b'a' + place } else { b'A' + place };
        let mut values = kind
            .values
            .replace("ID", &self.octets(letter(place), 16))
            .replace("HASH", &self.octets(letter(place), 32))
            .replace("KEY", &format!("'{}' || i", char::from(letter(place))))
            .replace("AT", &self.literal(if is_due { kind.due } else { kind.kept }))
            .replace("OWNER", OWNER)
            .replace("GOES_ON", GOES_ON)
            .replace("FUTURE", &self.literal(-48 * HOURS));
        for parent in 0..26 {
            let name = format!("PARENT({})", char::from(b'a' + parent));
            values = values.replace(&name, &self.octets(letter(parent), 16));
        }
        let Kind { table, columns, .. } = kind;
        if self.is_on_sqlite() {
            let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})");
            self.run(&format!("{numbers} INSERT INTO {table} ({columns}) SELECT {values} FROM n")).await;
        } else {
            let numbers = format!("generate_series(1, {rows}) AS n(i)");
            self.run(&format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {numbers}")).await;
        }
    }

    async fn rows_of_age(&self, kind: &Kind, age: i64) -> u64 {
        let Kind { table, column, .. } = kind;
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = {}", self.literal(age));
        self.count(sql).await.try_into().expect("a number")
    }
}

/// Counts what each transaction deletes, cascades included.
enum Watch {
    Sqlite(Arc<AtomicU64>),
    Postgres,
}

impl Watch {
    async fn over(world: &World) -> Self {
        let Store::Sqlite { writer, .. } = &world.store else { return Self::by_triggers(world).await };
        let (deleted, largest) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut connection = writer.acquire().await.expect("the writer");
        let mut handle = connection.lock_handle().await.expect("its handle");
        let counted = deleted.clone();
        handle.set_update_hook(move |change| {
            counted.fetch_add(u64::from(matches!(change.operation, SqliteOperation::Delete)), Ordering::Relaxed);
        });
        let most = largest.clone();
        handle.set_commit_hook(move || {
            most.fetch_max(deleted.swap(0, Ordering::Relaxed), Ordering::Relaxed);
            true
        });
        Self::Sqlite(largest)
    }

    async fn by_triggers(world: &World) -> Self {
        world.run("CREATE TABLE deletions (tx BIGINT, deleted BIGINT)").await;
        world
            .run(
                "CREATE FUNCTION note_deletion() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO deletions SELECT txid_current(), count(*) FROM gone; RETURN NULL; END $$",
            )
            .await;
        let mut tables: Vec<_> = KINDS.iter().map(|kind| kind.table).collect();
        tables.sort_unstable();
        tables.dedup();
        for table in tables {
            let when = format!("CREATE TRIGGER note AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone");
            world.run(&format!("{when} FOR EACH STATEMENT EXECUTE FUNCTION note_deletion()")).await;
        }
        Self::Postgres
    }

    async fn largest(&self, world: &World) -> u64 {
        match self {
            Self::Sqlite(largest) => largest.load(Ordering::Relaxed),
            Self::Postgres => {
                let sums = "SELECT sum(deleted) AS deleted FROM deletions GROUP BY tx";
                let most = world.count(format!("SELECT CAST(max(deleted) AS BIGINT) FROM ({sums}) AS sums")).await;
                most.try_into().expect("a number")
            }
        }
    }
}

on_both_engines! {
    async fn everything_that_is_due_goes_a_little_at_a_time_and_people_sign_in_meanwhile(world: World) {
        world.person("ada@example.com").await;
        world.person("owner@example.com").await;
        for (place, kind) in (0..).zip(&KINDS) {
            world.fill(place, kind, true, rows_to_make()).await;
            world.fill(place, kind, false, KEPT).await;
        }
        if world.is_on_sqlite() {
            // What was written at once is moved into the file at once: that is not to be measured.
            world.run("PRAGMA wal_checkpoint(TRUNCATE)").await;
        }
        let watch = Watch::over(&world).await;
        let accounts = world.with(|settings| settings.rate_limits = false).await;
        let begun = std::time::Instant::now();
        let tidying = tokio::spawn({
            let accounts = accounts.clone();
            async move { accounts.purge().await }
        });
        let (mut sign_ins, mut slowest) = (0, std::time::Duration::ZERO);
        while !tidying.is_finished() {
            let asked = std::time::Instant::now();
            done(accounts.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await);
            slowest = slowest.max(asked.elapsed());
            sign_ins += 1;
        }
        tidying.await.expect("no panic").expect("tidied");
        println!("{} rows of each kind: {:?}; {sign_ins} sign-ins, the slowest in {slowest:?}", rows_to_make(), begun.elapsed());
        assert!(sign_ins > 1);
        assert_eq!(watch.largest(&world).await, BATCH);
        for kind in &KINDS {
            assert_eq!(world.rows_of_age(kind, kind.due).await, 0, "{} by {}", kind.table, kind.column);
            assert_eq!(world.rows_of_age(kind, kind.kept).await, KEPT, "{} by {}", kind.table, kind.column);
        }
    }

    async fn a_used_refresh_token_is_known_for_three_days_and_its_session_outlives_it(world: World) {
        let first = world.person("ada@example.com").await;
        let second = world.renew(&first.refresh.expose()).await.expect("renewed");
        world.advance(TimeDelta::days(3));
        world.accounts.purge().await.expect("tidied");
        assert_eq!(world.rows("refresh_tokens").await, 2, "three days are not over");
        let third = world.renew(&second.refresh.expose()).await.expect("renewed");
        world.advance(TimeDelta::seconds(1));
        world.accounts.purge().await.expect("tidied");
        assert_eq!(world.rows("refresh_tokens").await, 2, "the first is forgotten, the second is not");
        assert!(world.renew(&first.refresh.expose()).await.is_err());
        assert!(world.is_alive(&third.access).await, "it proves nothing any more, and ends nothing");
        assert!(world.renew(&second.refresh.expose()).await.is_ok(), "within the grace");
        world.advance(TimeDelta::days(2));
        assert!(world.renew(&second.refresh.expose()).await.is_err());
        assert_eq!(world.live_sessions().await, 0, "a known one that comes back ends the session");
    }

    async fn a_disabled_account_is_kept_though_nobody_proved_it(world: World) {
        world.sign_up("ada@example.com").await;
        world.sign_up("bob@example.com").await;
        world.accounts.disable("ada@example.com").await.expect("disabled");
        world.advance(TimeDelta::days(400));
        world.accounts.purge().await.expect("tidied");
        assert_eq!(world.count("SELECT count(*) FROM users WHERE email = 'ada@example.com'".into()).await, 1);
        assert_eq!(world.rows("users").await, 1);
    }

    async fn what_cannot_be_deleted_does_not_keep_the_rest(world: World) {
        world.person("ada@example.com").await;
        world.advance(TimeDelta::days(100));
        world.run("DROP TABLE mailbox_messages").await;
        assert!(world.accounts.purge().await.is_err());
        for table in ["sessions", "refresh_tokens", "one_time_tokens", "outbox", "audit_events"] {
            assert_eq!(world.rows(table).await, 0, "{table}");
        }
        assert_eq!(world.rows("users").await, 1);
    }
}
