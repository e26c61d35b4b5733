//! People from another program, on both engines. The hashes were made by Django, at low cost.

mod support;

use accounts::{EmailVerification, HashKind, ImportReport};
use chrono::TimeDelta;
use contract::Refusal;
use serde_json::{Value, json};
use support::*;

const PBKDF2: &str = "pbkdf2_sha256$1000$nQ6xaBmOohbs2HUJ2wZ6VL$8rENiV3iDeNnR8LPh7KMXWxuCuLBOr7C6cCGph4E/Po=";
const ARGON2: &str =
    "argon2$argon2id$v=19$m=64,t=2,p=2$VU1lbVpUVjFnTEJ3dUdtbHZSOFZkVA$rkjBGpKyc2jYkW8PnEC4ml1szACoOtkdWYijBv1ae4k";
const ARGON2I: &str =
    "argon2$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$oK9Y0ynzExSImSw/XXIpNjBoDR6ck4H4SYg/tZFndAY";
const BCRYPT: &str = "bcrypt_sha256$$2b$04$MbgHaSW2tYAYvEwYSPeTvefReP0ivYauckykggyL1nEnPauc85QX.";
const TOO_COSTLY: &str = "pbkdf2_sha256$2000001$nQ6xaBmOohbs2HUJ2wZ6VL$8rENiV3iDeNnR8LPh7KMXWxuCuLBOr7C6cCGph4E/Po=";

fn lines(people: &[Value]) -> String {
    people.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn proven(email: &str, password_hash: &str) -> Value {
    json!({"email": email, "password_hash": password_hash, "email_verified": true})
}

async fn import(world: &World, text: impl AsRef<[u8]>) -> ImportReport {
    let text = text.as_ref();
    let dry = world.accounts.import(text, true).await;
    let report = world.accounts.import(text, false).await;
    assert_eq!(dry, report, "a dry run says what happens");
    report
}

async fn with_hash(world: &World, like: &str) -> i64 {
    world.count(format!("SELECT count(*) FROM users WHERE password_hash LIKE '{like}'")).await
}

on_both_engines! {
    async fn people_sign_in_with_the_password_they_have_and_get_a_hash_of_ours(world: World) {
        let hashes = [PBKDF2, ARGON2, ARGON2I, BCRYPT];
        let people: Vec<_> = (0..4).map(|at| proven(&format!("p{at}@example.com"), hashes[at])).collect();
        let report = import(&world, lines(&people)).await;
        assert_eq!((report.created, report.is_whole()), (4, true), "{report:?}");
        assert_eq!(report.kinds, [(HashKind::Pbkdf2Sha256, 1), (HashKind::Argon2, 2), (HashKind::BcryptSha256, 1)].into());
        for (at, hash) in hashes.iter().enumerate() {
            world.rest();
            let email = format!("p{at}@example.com");
            for wrong in ["", OTHER_PASSWORD, "Three unrelated words", *hash] {
                assert!(world.sign_in(&email, wrong).await.is_err());
            }
            assert_eq!(with_hash(&world, hash).await, 1, "a wrong password changes nothing");
            done(world.sign_in(&email, PASSWORD).await);
            assert_eq!(with_hash(&world, hash).await, 0, "the old hash is gone");
            assert_eq!(with_hash(&world, "$argon2id$v=19$m=64,t=1,p=1$%").await, i64::try_from(at).expect("few") + 1);
            done(world.sign_in(&email, PASSWORD).await);
            assert_eq!(refusal(world.sign_in(&email, OTHER_PASSWORD).await), Refusal::InvalidCredentials);
        }
    }

    async fn a_hash_of_ours_comes_in_as_it_is(world: World) {
        world.person("ada@example.com").await;
        let hash = ARGON2.strip_prefix("argon2").expect("Django's name");
        let report = import(&world, lines(&[proven("bob@example.com", hash)])).await;
        assert_eq!(report.kinds, [(HashKind::Argon2id, 1)].into());
        assert_eq!(with_hash(&world, hash).await, 1);
        for _ in 0..2 {
            done(world.sign_in("bob@example.com", PASSWORD).await);
            assert_eq!(with_hash(&world, hash).await, 0, "it has the salt of its address now");
        }
    }

    async fn what_is_said_of_a_person_is_kept(world: World) {
        let text = lines(&[
            json!({"email": "Ada@Example.com", "password_hash": PBKDF2, "first_name": " Ada ", "last_name": "O'Brien", "user_type": "admin",
                   "phone": "0044 20 7946 0018", "email_verified": true, "created_at": "2019-05-04T03:02:01.1234567+02:00"}),
            json!({"email": "bob@example.com", "password_hash": null, "first_name": "", "phone": null, "created_at": null}),
        ]);
        import(&world, text).await;
        let user = done(world.sign_in("ada@example.com", PASSWORD).await).signed_in.user;
        assert_eq!((&*user.email, &*user.first_name, &*user.last_name, &*user.user_type), ("ada@example.com", "Ada", "O'Brien", "admin"));
        assert_eq!((user.phone.as_deref(), user.created_at.to_rfc3339()), (Some("+442079460018"), "2019-05-04T01:02:01.123456+00:00".to_owned()));
        let kept = |what| world.count(format!("SELECT count(*) FROM users WHERE {what}"));
        assert_eq!(kept("email_key = 'ada@example.com' AND verified_at = created_at AND disabled_at IS NULL").await, 1);
        assert_eq!(kept("email_key = 'bob@example.com' AND verified_at IS NULL AND user_type = 'guest' AND first_name = '' AND phone IS NULL").await, 1);
    }

    async fn who_is_not_proven_gets_in_only_where_proof_is_not_asked(world: World) {
        let report = import(&world, lines(&[json!({"email": "ada@example.com", "password_hash": PBKDF2})])).await;
        assert_eq!((report.created, report.unproven), (1, 1));
        let step = world.sign_in("ada@example.com", PASSWORD).await;
        assert!(matches!(step, Ok(accounts::LoginStep::ConfirmEmail(_))), "{step:?}");
        assert_eq!((world.live_sessions().await, world.letters_to("ada@example.com").await.len()), (0, 1));
        let optional = world.with(|settings| settings.email_verification = EmailVerification::Optional).await;
        done(optional.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await);
    }

    async fn who_is_not_proven_has_as_long_for_it_as_after_a_sign_up(world: World) {
        let long_ago = "2010-01-01T00:00:00Z";
        let people = [
            json!({"email": "ada@example.com", "created_at": long_ago}),
            json!({"email": "bob@example.com", "created_at": long_ago, "email_verified": true}),
        ];
        import(&world, lines(&people)).await;
        for (hours, left) in [(23, 2), (2, 1)] {
            world.advance(TimeDelta::hours(hours));
            world.accounts.purge().await.expect("a purge");
            assert_eq!(world.rows("users").await, left);
        }
    }

    async fn a_dry_run_writes_nothing(world: World) {
        let report = world.accounts.import(lines(&[proven("ada@example.com", PBKDF2)]).as_bytes(), true).await;
        assert_eq!(report.created, 1);
        assert_eq!((world.rows("users").await, world.rows("outbox").await), (0, 0));
    }

    async fn who_owns_an_address_already_is_left_as_they_are(world: World) {
        world.person("ada@example.com").await;
        world.sign_up("begun@example.com").await;
        let before = with_hash(&world, "$argon2id$%").await;
        let text = lines(&[
            proven("new@example.com", PBKDF2), proven("ADA@example.com", ARGON2), proven("begun@example.com", ARGON2),
            proven("New@Example.com", BCRYPT), proven("anna@münchen.example", PBKDF2), proven("anna@xn--mnchen-3ya.example", PBKDF2),
        ]);
        let report = import(&world, &text).await;
        // A sign-up that nobody has proven keeps nobody out.
        assert_eq!((report.created, report.clashes, report.first_clashes), (3, 3, vec![2, 4, 6]));
        assert_eq!((with_hash(&world, "$argon2id$%").await, with_hash(&world, PBKDF2).await), (before, 2));
        let again = import(&world, &text).await;
        assert_eq!((again.created, again.clashes, again.is_whole()), (0, 6, true));
    }

    async fn a_person_who_has_not_proven_an_address_is_imported_once(world: World) {
        let optional = world.with(|settings| settings.email_verification = EmailVerification::Optional).await;
        let line = json!({"email": "ada@example.com", "password_hash": PBKDF2});
        let twice = lines(&[line.clone(), json!({"email": "Ada@example.com", "password_hash": ARGON2})]);
        let report = import(&world, &twice).await;
        assert_eq!((report.created, report.clashes), (1, 1));
        // The hash is one of ours after a sign-in, and that of another password after a change.
        let here = done(optional.sign_in(&visitor(), &login("ada@example.com", PASSWORD)).await);
        assert_eq!(import(&world, &twice).await.created, 0);
        let change = contract::password_change::PasswordChangeForm {
            old_password: contract::Password::new(PASSWORD),
            new_password: contract::Password::new(OTHER_PASSWORD),
            new_password_confirm: None,
        };
        optional.change_password(&as_person(&here), &change).await.expect("changed");
        assert_eq!(import(&world, &lines(&[line])).await.created, 0);
        assert_eq!(world.rows("users").await, 1);
    }

    async fn a_batch_is_all_or_nothing_and_the_file_can_be_given_again(world: World) {
        world.run("CREATE UNIQUE INDEX a_trap ON users (phone)").await;
        let people: Vec<_> = (1..=2500).map(|at| json!({
            "email": if at == 1100 { "not an address".to_owned() } else { format!("p{at}@example.com") },
            "phone": if at == 1400 || at == 1700 { Some("+442079460018") } else { None },
        })).collect();
        let report = world.accounts.import(lines(&people).as_bytes(), false).await;
        assert_eq!((report.taken, report.created, report.faults), (1000, 1000, 0), "{report:?}");
        assert!(report.broken_off.is_some() && !report.is_whole());
        assert_eq!(world.rows("users").await, 1000);
        world.run("DROP INDEX a_trap").await;
        let report = import(&world, lines(&people)).await;
        assert_eq!((report.taken, report.created, report.clashes, report.faults), (2500, 1499, 1000, 1));
        assert_eq!((report.first_clashes.len(), report.broken_off), (100, None));
    }

    async fn faults_are_told_by_line_and_never_with_a_secret(world: World) {
        let too_long = format!("{{\"email\": \"{}\"}}", "x".repeat(70_000));
        let mut text = b"\xef\xbb\xbf".to_vec();
        for line in [
            r#"{"email": "ada@example.com"}"#, "", "secret1", r#"["secret1"]"#, r#"{"email": "secret1""#, "{}", r#"{"email": "secret1"}"#,
            r#"{"email": ["secret1"]}"#, r#"{"email": "b@example.com", "passwort": "secret1"}"#, r#"{"email": "b@example.com", "email": "c@example.com"}"#,
            r#"{"email": "b@example.com", "password_hash": "md5$secret1$secret1"}"#, r#"{"email": "b@example.com", "password_hash": "argon2$secret1"}"#,
            &format!(r#"{{"email": "b@example.com", "password_hash": "{TOO_COSTLY}"}}"#),
            r#"{"email": "b@example.com", "first_name": "a\u0000secret1"}"#, r#"{"email": "b@example.com", "user_type": "secret1"}"#,
            r#"{"email": "b@example.com", "phone": "020 7946 0018"}"#, r#"{"email": "b@example.com", "email_verified": "secret1"}"#,
            r#"{"email": "b@example.com", "created_at": "secret1"}"#, r#"{"email": "b@example.com", "created_at": "9999-01-01T00:00:00Z"}"#,
            &too_long, r#"{"email": "z@example.com"}"#,
        ] {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        text.extend_from_slice(b"{\"email\": \"secret1\xff\"}");
        let report = import(&world, &text).await;
        let expected = [
            (3, "is not one JSON object"), (4, "is not one JSON object"), (5, "is not one JSON object"), (6, "email: is missing"),
            (7, "email: is not in the correct format"), (8, "email: must be text"), (9, "unknown key \"passwort\""), (10, "email: is there twice"),
            (11, "password_hash: is of a kind that is not taken"), (12, "password_hash: is not in the format of its kind"),
            (13, "password_hash: costs more than is allowed"), (14, "first_name: is not in the correct format"),
            (15, "user_type: must be one of guest, host, admin"), (16, "phone: is not in the correct format"),
            (17, "email_verified: must be true or false"), (18, "created_at: must be a time like 2026-01-31T12:00:00Z (RFC 3339)"),
            (19, "created_at: must be after 1970 and not in the future"), (20, "is longer than 65536 octets"), (22, "is not UTF-8"),
        ].map(|(line, what)| (line, what.to_owned()));
        assert_eq!(report.first_faults, expected);
        assert_eq!((report.faults, report.created, report.taken, report.is_whole()), (19, 2, 22, false));
        assert!(!format!("{report:?}").contains("secret1"));
    }

    async fn many_faults_are_counted_and_the_first_hundred_told(world: World) {
        let report = import(&world, "{}\n".repeat(1234)).await;
        assert_eq!((report.faults, report.first_faults.len(), report.taken), (1234, 100, 1234));
        assert_eq!(report.first_faults.last().map(|(line, _)| *line), Some(100));
        assert_eq!(import(&world, "").await, ImportReport::default());
    }

    async fn an_account_without_a_password_has_none_that_signs_in(world: World) {
        let hashes = [json!("!YVcSxEOYfYx07DKhZE6uwa9Z1gV7nTSuxbVBZo4p"), json!("!"), json!(""), json!(null)];
        let people: Vec<_> = hashes.iter().enumerate()
            .map(|(at, hash)| json!({"email": format!("p{at}@example.com"), "password_hash": hash, "email_verified": true})).collect();
        let report = import(&world, lines(&people)).await;
        assert_eq!((report.created, report.kinds), (4, [(HashKind::None, 4)].into()));
        assert_eq!((with_hash(&world, "!").await, with_hash(&world, "").await), (4, 0));
        for at in 0..4 {
            for password in ["!", "YVcSxEOYfYx07DKhZE6uwa9Z1gV7nTSuxbVBZo4p", PASSWORD] {
                assert_eq!(refusal(world.sign_in(&format!("p{at}@example.com"), password).await), Refusal::InvalidCredentials);
            }
        }
        assert_eq!(world.live_sessions().await, 0);
    }

    async fn no_text_in_the_column_signs_in_or_breaks_a_sign_in(world: World) {
        import(&world, lines(&[proven("ada@example.com", PBKDF2)])).await;
        let costly = ARGON2.replace("m=64", "m=4294967295");
        for (at, text) in [TOO_COSTLY, &*costly, &costly["argon2".len()..], "", "$", "pbkdf2_sha256$0$a$b", "bcrypt_sha256$$2b$☕"].into_iter().enumerate() {
            world.run(&format!("UPDATE users SET password_hash = '{text}'")).await;
            let from = visitor_from(u16::try_from(at).expect("few"));
            assert_eq!(refusal(world.accounts.sign_in(&from, &login("ada@example.com", PASSWORD)).await), Refusal::InvalidCredentials, "{text}");
        }
    }
}
