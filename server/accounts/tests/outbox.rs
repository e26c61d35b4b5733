//! Letters and mail servers that fail, on both engines. The servers are sockets of this test.

mod support;

use accounts::{Accounts, Mailer, SmtpServer, Store};
use chrono::TimeDelta;
use support::*;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

/// A mail server that answers each recipient with this line. Returns its address.
async fn server_that_says(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (reader, mut writer) = stream.into_split();
                let mut lines = BufReader::new(reader).lines();
                let mut in_data = false;
                writer.write_all(b"220 test\r\n").await.ok();
                while let Ok(Some(line)) = lines.next_line().await {
                    let reply = match line.split(' ').next().unwrap_or_default() {
                        _ if in_data && line != "." => continue,
                        "." => {
                            in_data = false;
                            "250 taken"
                        }
                        "RCPT" => answer,
                        "DATA" => {
                            in_data = true;
                            "354 go on"
                        }
                        _ => "250 ok",
                    };
                    writer.write_all(format!("{reply}\r\n").as_bytes()).await.ok();
                }
            });
        }
    });
    url
}

impl World {
    async fn mailing_to(&self, url: &str) -> Accounts {
        let server = SmtpServer::new(url, "Vestibule <account@example.org>").expect("a server");
        self.with_mailer(Mailer::Smtp(Box::new(server))).await
    }
}

const WAITING: &str = "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL";
const GIVEN_UP: &str = "SELECT count(*) FROM outbox WHERE given_up_at IS NOT NULL";
const SENT: &str = "SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL";

on_both_engines! {
    async fn an_absent_mail_server_fails_no_sign_up_and_loses_no_letter(world: World) {
        // A port that was free a moment ago: nobody answers there.
        let gone = { let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port"); listener.local_addr().expect("an address") };
        let accounts = world.mailing_to(&format!("smtp://{gone}")).await;
        assert!(accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up").email_sent);
        assert_eq!(accounts.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.count(WAITING.into()).await, 1);
        assert_eq!(accounts.send_letters().await.expect("a post office"), 0, "not again at once");
        world.advance(TimeDelta::seconds(10));
        let back = world.mailing_to(&server_that_says("250 ok").await).await;
        assert_eq!(back.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.count(SENT.into()).await, 1);
    }

    async fn greylisting_is_waited_out(world: World) {
        let accounts = world.mailing_to(&server_that_says("451 later").await).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        let mut tries = 0;
        for _ in 0..40 {
            tries += accounts.send_letters().await.expect("a post office");
            world.advance(TimeDelta::seconds(60));
        }
        assert!((4..=6).contains(&tries), "{tries} tries in 40 minutes");
        assert_eq!(world.count(WAITING.into()).await, 1);
    }

    async fn a_final_no_is_taken_for_one(world: World) {
        let accounts = world.mailing_to(&server_that_says("550 nobody here").await).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        assert_eq!(accounts.send_letters().await.expect("a post office"), 1);
        assert_eq!(world.count(GIVEN_UP.into()).await, 1);
        world.advance(TimeDelta::hours(1));
        assert_eq!(accounts.send_letters().await.expect("a post office"), 0);
    }

    async fn a_letter_whose_link_is_dead_is_not_sent(world: World) {
        let accounts = world.mailing_to(&server_that_says("250 ok").await).await;
        accounts.register(&visitor(), &form("ada@example.com")).await.expect("a sign-up");
        world.advance(TimeDelta::hours(25));
        accounts.send_letters().await.expect("a post office");
        assert_eq!((world.count(SENT.into()).await, world.count(GIVEN_UP.into()).await), (0, 1));
    }

    async fn a_letter_that_a_crashed_worker_held_is_sent_by_the_next(world: World) {
        world.sign_up("ada@example.com").await;
        world.run("UPDATE outbox SET leased_until = next_attempt_at").await;
        world.advance(TimeDelta::seconds(1));
        assert_eq!(world.letters_to("ada@example.com").await.len(), 1);
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_is_told_at_start() {
    assert!(Store::open("postgres://nobody@127.0.0.1:1/none").await.is_err());
}
