//! Letters and mail servers that fail, on both engines. The servers are sockets of this test.

mod mail_server;
mod support;

use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use accounts::{Accounts, Mailer, PostOffice, SmtpServer, Store};
use chrono::TimeDelta;
use mail_server::{Script, Server, nobody, private_authority};
use support::*;

/// How a client is told of a server.
type UrlOf = fn(&Server) -> String;

/// The log of this process.
#[derive(Clone, Copy)]
struct Log(&'static Mutex<Vec<u8>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn of_this_process() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        *LOG.get_or_init(|| {
            let log = Log(Box::leak(Box::default()));
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || log).init();
            log
        })
    }

    fn text(self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }
}

impl World {
    async fn mailing_by(&self, server: SmtpServer) -> Accounts {
        self.with_mailer(Mailer::Smtp(Box::new(server))).await
    }

    async fn mailing_to(&self, url: &str) -> Accounts {
        self.mailing_by(smtp(url, None)).await
    }

    /// The state of the one letter that was posted.
    async fn state(&self) -> &'static str {
        match (self.count(SENT.into()).await, self.count(GIVEN_UP.into()).await, self.count(WAITING.into()).await) {
            (1, 0, 0) => "sent",
            (0, 1, 0) => "given up",
            (0, 0, 1) => "waiting",
            other => panic!("not one letter: {other:?}"),
        }
    }

    /// Posts a letter, tries to send it, and answers what the log says is the cause.
    async fn cause_by(&self, server: SmtpServer) -> String {
        let log = Log::of_this_process();
        let accounts = self.mailing_by(server).await;
        let email = format!("p{}@example.com", uuid::Uuid::now_v7().simple());
        accounts.register(&visitor(), &form(&email)).await.expect("a sign-up");
        let id = if self.is_on_sqlite() { "lower(hex(id))" } else { "CAST(id AS TEXT)" };
        let letter: uuid::Uuid = self.text(format!("SELECT {id} FROM outbox")).await.parse().expect("an id");
        assert_eq!(accounts.send_letters().await.expect("a post office"), 1);
        assert_eq!(self.state().await, "waiting");
        let log = log.text();
        let line = log.lines().find(|line| line.contains("mail.put_off") && line.contains(&letter.to_string()));
        let line = line.expect("a line in the log");
        assert!(!line.contains(&email), "{line}");
        line.split_once(" cause=\"").expect("a cause").1.split('"').next().expect("a word").to_owned()
    }

    async fn lease_ends(&self) -> String {
        self.text("SELECT CAST(leased_until AS TEXT) FROM outbox".to_owned()).await
    }
}

fn smtp(url: &str, authorities: Option<&[u8]>) -> SmtpServer {
    SmtpServer::new(url, "Vestibule <account@münchen.example>", "accounts.example.org", authorities).expect("a server")
}

const WAITING: &str =
    "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL AND letter <> 'nothing'";
const GIVEN_UP: &str = "SELECT count(*) FROM outbox WHERE given_up_at IS NOT NULL";
const SENT: &str = "SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL";

on_both_engines! {
    async fn an_absent_mail_server_fails_no_sign_up_and_loses_no_letter(world: World) {
        let accounts = world.mailing_to(&nobody().await).await;
        assert!(accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up").email_sent);
        assert_eq!(accounts.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.state().await, "waiting");
        assert_eq!(accounts.send_letters().await.expect("a post office"), 0, "not again at once");
        world.advance(TimeDelta::seconds(10));
        let back = world.mailing_to(&Server::that_says(&[]).await.url()).await;
        assert_eq!(back.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.state().await, "sent");
    }

    async fn greylisting_is_waited_out(world: World) {
        let accounts = world.mailing_to(&Server::that_says(&[("RCPT", "451 later")]).await.url()).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        let mut tries = 0;
        for _ in 0..40 {
            tries += accounts.send_letters().await.expect("a post office");
            world.advance(TimeDelta::seconds(60));
        }
        assert!((4..=6).contains(&tries), "{tries} tries in 40 minutes");
        assert_eq!(world.state().await, "waiting");
    }

    async fn a_refusal_of_the_recipient_is_final(world: World) {
        let accounts = world.mailing_to(&Server::that_says(&[("RCPT", "550 5.1.1 nobody here")]).await.url()).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        assert_eq!(accounts.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.state().await, "given up");
        world.advance(TimeDelta::hours(1));
        assert_eq!(accounts.send_letters().await.expect("a post office"), 0);
    }

    async fn a_refusal_of_anything_else_costs_no_letter(world: World) {
        let with_password: UrlOf = |server| format!("smtp://user:old@127.0.0.1:{}", server.port);
        let plain: UrlOf = Server::url;
        let cases: [(Script, UrlOf); 8] = [
            (&[("greeting", "554 not today")], plain),
            (&[("EHLO", "550 who are you")], plain),
            (&[("EHLO", "250-test\r\n250 AUTH PLAIN LOGIN"), ("AUTH", "535 5.7.8 the password has expired")], with_password),
            (&[("MAIL", "550 5.7.1 not as this sender")], plain),
            (&[("RCPT", "550 5.7.1 Relay access denied")], plain),
            (&[("RCPT", "553 5.1.8 Sender address rejected")], plain),
            (&[("DATA", "554 no")], plain),
            (&[("end of data", "552 5.2.2 over quota")], plain),
        ];
        for (at, (script, url)) in cases.into_iter().enumerate() {
            world.run("DELETE FROM outbox").await;
            world.rest();
            let bad = world.mailing_to(&url(&Server::that_says(script).await)).await;
            bad.register(&visitor(), &form(&format!("p{at}@example.com"))).await.expect("a sign-up");
            assert_eq!(bad.send_letters().await.expect("a post office"), 1);
            assert_eq!(world.state().await, "waiting", "{script:?}");
            world.advance(TimeDelta::seconds(10));
            let good = world.mailing_to(&Server::that_says(&[]).await.url()).await;
            assert_eq!(good.send_letters().await.expect("a post office"), 1, "{script:?}");
            assert_eq!(world.state().await, "sent", "{script:?}");
        }
    }

    async fn the_log_says_in_one_word_why_a_letter_did_not_leave(world: World) {
        let (_, tls) = private_authority();
        let secure = Server::start(&[], Some(tls)).await;
        let server = |script: Script| Server::that_says(script);
        let short = Duration::from_millis(50);
        let cases = [
            ("no_such_host", smtp("smtp://nowhere.invalid:25", None)),
            ("refused", smtp(&nobody().await, None)),
            ("tls_failed", smtp(&format!("smtps://localhost:{}", secure.port), None)),
            ("no_starttls", smtp(&format!("{}?tls=required", server(&[]).await.url()), None)),
            ("auth_not_offered", smtp(&format!("smtp://user:pass@127.0.0.1:{}", server(&[]).await.port), None)),
            ("auth_refused", smtp(&format!("smtp://user:pass@127.0.0.1:{}", server(&[("EHLO", "250-test\r\n250 AUTH PLAIN"), ("AUTH", "535 no")]).await.port), None)),
            ("timeout", smtp(&server(&[("RCPT", "")]).await.url(), None).with_patience(short)),
            ("timeout", smtp(&server(&[("EHLO", "")]).await.url(), None).with_patience(short)),
            ("greeting_refused", smtp(&server(&[("greeting", "421 busy")]).await.url(), None)),
            ("sender_refused", smtp(&server(&[("MAIL", "550 no")]).await.url(), None)),
            ("recipient_refused", smtp(&server(&[("RCPT", "450 later")]).await.url(), None)),
            ("content_refused", smtp(&server(&[("end of data", "552 quota")]).await.url(), None)),
            ("not_smtp", smtp(&server(&[("greeting", "HTTP/1.1 400 Bad Request")]).await.url(), None)),
        ];
        for (word, server) in cases {
            world.run("DELETE FROM outbox").await;
            world.rest();
            assert_eq!(world.cause_by(server).await, word);
        }
    }

    async fn a_private_authority_can_be_trusted(world: World) {
        let (authority, tls) = private_authority();
        let server = Server::start(&[], Some(tls)).await;
        let url = format!("smtps://localhost:{}", server.port);
        smtp(&url, Some(&authority)).probe().await.expect("trusted by a probe as by a letter");
        let told = smtp(&url, None).probe().await.expect_err("nobody knows this authority");
        assert!(told.starts_with("tls_failed: "), "{told}");
        let accounts = world.mailing_by(smtp(&url, Some(&authority))).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        accounts.send_letters().await.expect("a post office");
        assert_eq!(world.state().await, "sent");
    }

    async fn we_call_ourselves_by_our_public_name_and_write_domains_in_ascii(world: World) {
        let server = Server::that_says(&[]).await;
        let accounts = world.mailing_to(&server.url()).await;
        accounts.register(&visitor(), &form("ada@bücher.example")).await.expect("a sign-up");
        accounts.send_letters().await.expect("a post office");
        assert_eq!(world.state().await, "sent");
        for line in ["EHLO accounts.example.org", "MAIL FROM:<account@xn--mnchen-3ya.example>", "RCPT TO:<ada@xn--bcher-kva.example>"] {
            assert_eq!(server.heard(line), 1, "{line}: {:?}", server.heard.lock());
        }
        let heard = server.heard.lock().expect("no panic").concat();
        assert!(heard.is_ascii(), "{heard}");
        assert!(heard.contains("To: ada@xn--bcher-kva.example"), "{heard}");
    }

    async fn a_burst_of_letters_uses_a_connection_again(world: World) {
        let server = Server::that_says(&[]).await;
        let accounts = world.mailing_to(&server.url()).await;
        for number in 0..24 {
            accounts.register(&visitor_from(number), &form(&format!("p{number}@example.com"))).await.expect("a sign-up");
        }
        let mut post_office = PostOffice::new(accounts);
        post_office.take().await.expect("a post office");
        while world.count(WAITING.into()).await > 0 {
            post_office.place_is_free().await;
            post_office.take().await.expect("a post office");
        }
        assert_eq!((server.heard("DATA"), world.count(SENT.into()).await), (24, 24));
        assert!(server.heard("EHLO") <= 8, "{} connections", server.heard("EHLO"));
    }

    async fn letters_that_hang_hold_up_no_others(world: World) {
        let server = Server::that_says(&[("RCPT TO:<slow", "")]).await;
        let accounts = world.mailing_to(&server.url()).await;
        for number in 0..4 {
            accounts.register(&visitor_from(number), &form(&format!("slow{number}@example.com"))).await.expect("a sign-up");
        }
        for number in 0..24 {
            accounts.register(&visitor_from(100 + number), &form(&format!("fast{number}@example.com"))).await.expect("a sign-up");
        }
        let mut post_office = PostOffice::new(accounts);
        post_office.take().await.expect("a post office");
        while world.count(SENT.into()).await < 24 {
            post_office.place_is_free().await;
            post_office.take().await.expect("a post office");
        }
        assert_eq!((server.heard("RCPT TO:<slow"), world.count(WAITING.into()).await), (4, 4), "the slow ones still hang");
    }

    async fn a_letter_under_way_at_a_stop_is_given_back_at_once(world: World) {
        let slow = Server::that_says(&[("end of data", "")]).await;
        let accounts = world.mailing_to(&slow.url()).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        let mut post_office = PostOffice::new(accounts);
        assert_eq!(post_office.take().await.expect("a post office"), 1);
        slow.hears("DATA").await;
        post_office.close(Duration::from_millis(10)).await;
        let other = world.mailing_to(&Server::that_says(&[]).await.url()).await;
        assert_eq!(other.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.state().await, "sent");
    }

    async fn a_letter_that_is_nearly_sent_at_a_stop_is_finished(world: World) {
        let server = Server::that_says(&[]).await;
        let accounts = world.mailing_to(&server.url()).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        let mut post_office = PostOffice::new(accounts);
        post_office.take().await.expect("a post office");
        post_office.close(Duration::from_secs(20)).await;
        assert_eq!(world.state().await, "sent");
    }

    async fn a_letter_that_a_killed_process_held_is_free_within_half_a_minute(world: World) {
        let slow = Server::that_says(&[("RCPT", "")]).await;
        let accounts = world.mailing_to(&slow.url()).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        let mut post_office = PostOffice::new(accounts);
        post_office.take().await.expect("a post office");
        slow.hears("RCPT").await;
        drop(post_office);
        let other = world.mailing_to(&Server::that_says(&[]).await.url()).await;
        assert_eq!(other.send_letters().await.expect("a post office"), 0, "the dead hold it");
        world.advance(TimeDelta::seconds(30));
        assert_eq!(other.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.state().await, "sent");
    }

    async fn a_lease_is_prolonged_while_its_letter_is_under_way(world: World) {
        let slow = Server::that_says(&[("RCPT", "")]).await;
        let accounts = world.mailing_to(&slow.url()).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        let mut post_office = PostOffice::new(accounts);
        post_office.take().await.expect("a post office");
        slow.hears("RCPT").await;
        world.advance(TimeDelta::seconds(15));
        let leased = "SELECT count(*) FROM outbox WHERE leased_until > next_attempt_at";
        assert_eq!(world.count(leased.into()).await, 1);
        let until = world.lease_ends().await;
        let begun = Instant::now();
        while world.lease_ends().await == until {
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody prolongs it");
            tokio::task::yield_now().await;
        }
        world.advance(TimeDelta::seconds(15));
        let other = world.mailing_to(&Server::that_says(&[]).await.url()).await;
        assert_eq!(other.send_letters().await.expect("a post office"), 0, "still under way");
    }

    async fn a_letter_whose_link_is_dead_is_not_sent(world: World) {
        let accounts = world.mailing_to(&Server::that_says(&[]).await.url()).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        world.advance(TimeDelta::hours(25));
        accounts.send_letters().await.expect("a post office");
        assert_eq!(world.state().await, "given up");
    }

    async fn a_letter_that_a_newer_version_posted_waits_for_it(world: World) {
        world.sign_up("ada@example.com").await;
        world.run("UPDATE outbox SET letter = 'new_sign_in' WHERE letter = 'confirm'").await;
        for _ in 0..50 {
            assert_eq!(world.accounts.send_letters().await.expect("a post office"), 0);
            world.advance(TimeDelta::minutes(1));
        }
        assert_eq!(world.count("SELECT count(*) FROM outbox WHERE letter = 'new_sign_in' AND attempts = 0 AND leased_until IS NULL".into()).await, 1);
        // Others do not wait behind it, and the newer version finds it due.
        world.sign_up("bob@example.com").await;
        assert_eq!(world.letters_to("bob@example.com").await.len(), 1);
        world.run("UPDATE outbox SET letter = 'confirm' WHERE letter = 'new_sign_in'").await;
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
    }

    async fn rows_that_are_no_letters_are_never_counted_as_sent(world: World) {
        world.accounts.resend_confirmation(&visitor(), "nobody@example.com").await.expect("the same answer");
        assert!(world.rows("outbox").await > 0);
        assert_eq!(world.accounts.send_letters().await.expect("a post office"), 0);
        assert_eq!((world.count(SENT.into()).await, world.count(GIVEN_UP.into()).await), (0, 0));
        world.advance(TimeDelta::seconds(1));
        world.accounts.purge().await.expect("a purge");
        assert_eq!(world.rows("outbox").await, 0);
    }

    async fn a_letter_that_was_replaced_is_not_counted_as_sent(world: World) {
        let registered = world.sign_up("ada@example.com").await;
        world.advance(TimeDelta::minutes(2));
        world.accounts.resend_confirmation(&finishing(&registered), "").await.expect("another letter");
        while world.accounts.send_letters().await.expect("a post office") > 0 {}
        assert_eq!((world.count(SENT.into()).await, world.count(GIVEN_UP.into()).await), (1, 1));
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_is_told_at_start() {
    assert!(Store::open("postgres://nobody@127.0.0.1:1/none").await.is_err());
}

#[test]
fn a_mail_server_that_cannot_be_meant_is_told_at_start() {
    let server = |url, authorities| SmtpServer::new(url, "Vestibule <account@example.org>", "localhost", authorities);
    assert!(server("smtps://mail.example", None).is_ok());
    for url in ["mail.example", "http://mail.example", "smtp://mail.example?tls=opportunistic"] {
        assert!(server(url, None).is_err(), "{url}");
    }
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(server("smtps://mail.example", Some(broken.as_bytes())).is_err());
}
