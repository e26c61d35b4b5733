//! What is not a token of ours, each signed with our own key where that makes it harder to tell.

use contract::rules::SignUpRules;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::store::KeyRow;
use crate::{EmailVerification, Hashing, Lifetimes, LoginOnVerify, RegistrationPolicy, SigningAlgorithm};

const NOW: i64 = 1_800_000_000;
const HERE: &str = "https://accounts.example.org";

fn settings() -> Settings {
    Settings {
        public_url: HERE.to_owned(),
        sign_up: SignUpRules::default(),
        registration: RegistrationPolicy::Open,
        email_verification: EmailVerification::Mandatory,
        login_on_verify: LoginOnVerify::SameClient,
        prevent_enumeration: true,
        hashing: Hashing::default(),
        lifetimes: Lifetimes::default(),
        signing_algorithm: SigningAlgorithm::EdDsa,
        rate_limits: true,
        emails_per_hour: None,
        secret: vec![7; 32].into(),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).expect("a time")
}

/// A ring with a key of each algorithm.
fn keys() -> Keys {
    let keys = Keys::derive(&vec![7; 32].into()).expect("keys");
    let row = |algorithm: &str| {
        let made = keys.signing_key(algorithm, &[1], DateTime::UNIX_EPOCH, None).expect("no failure");
        KeyRow {
            id: made.expect("a key").id,
            algorithm: algorithm.to_owned(),
            salt: vec![1],
            created_at: DateTime::UNIX_EPOCH,
            signs_from: DateTime::UNIX_EPOCH,
            retires_at: None,
        }
    };
    let rows = vec![row("ES256"), row("Ed25519"), row("EdDSA")];
    keys.load(rows).expect("loaded");
    keys
}

fn kid(keys: &Keys, alg: &str) -> String {
    let set = keys.ring().public_set(now());
    let of = |key: &&Value| key["alg"] == alg;
    set["keys"].as_array().and_then(|keys| keys.iter().find(of)).expect("a key")["kid"]
        .as_str()
        .expect("a name")
        .to_owned()
}

fn good_claims() -> Value {
    let id = Uuid::from_u128(1);
    json!({
        "iss": HERE, "aud": HERE, "sub": id, "sid": id, "jti": id, "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        "auth_time": NOW, "amr": ["pwd"], "email": "ada@example.com", "email_verified": true, "user_type": "guest",
    })
}

fn good_header(keys: &Keys) -> Value {
    json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": kid(keys, "EdDSA") })
}

/// Signed with our own key, whatever the header says.
fn signed(keys: &Keys, header: &Value, claims: &Value) -> String {
    signed_text(keys, &header.to_string(), &claims.to_string())
}

fn signed_text(keys: &Keys, header: &str, claims: &str) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", part(header), part(claims));
    let ring = keys.ring();
    let key = ring.signing(now()).expect("a key");
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key.encoding, key.algorithm).expect("signed");
    format!("{message}.{signature}")
}

fn read(keys: &Keys, token: &str) -> Result<AccessClaims, Refusal> {
    read_access(token, now(), &settings(), keys)
}

#[test]
fn a_token_as_we_make_it_is_read() {
    let keys = keys();
    let token = signed(&keys, &good_header(&keys), &good_claims());
    assert!(read(&keys, &token).is_ok());
}

#[test]
fn a_header_with_anything_else_is_not_ours_whatever_it_is_signed_with() {
    let keys = keys();
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks.json")),
        ("jwk", json!({ "kty": "OKP" })),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["AA"])),
        ("x5t", json!("AA")),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A128GCM")),
        ("made_up", json!(1)),
        ("typ", json!("JWT")),
        ("typ", json!("ev+jwt")),
        ("typ", json!("pr+jwt")),
        ("typ", json!("at+JWT")),
        ("typ", json!(1)),
        ("typ", Value::Null),
        ("kid", json!("../../dev/null")),
        ("kid", json!("'; select 1")),
        ("kid", json!(["a"])),
        ("kid", json!("x".repeat(100_000))),
        ("kid", Value::Null),
        ("kid", json!(kid(&keys, "ES256"))),
        ("alg", json!("Ed25519")),
        ("kid", json!(kid(&keys, "Ed25519"))),
        ("alg", json!("ES256")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("alg", json!("nOnE")),
        ("alg", json!("")),
        ("alg", json!(["EdDSA"])),
    ] {
        let mut header = good_header(&keys);
        header[name] = value.clone();
        let token = signed(&keys, &header, &good_claims());
        assert_eq!(read(&keys, &token), Err(Refusal::SessionInvalid), "{name}: {value:.40}");
    }
    let header = good_header(&keys).to_string();
    let twice = header.replacen('{', r#"{"typ":"at+jwt","#, 1);
    assert_eq!(read(&keys, &signed_text(&keys, &twice, &good_claims().to_string())), Err(Refusal::SessionInvalid));
}

#[test]
fn every_claim_is_required_and_typed() {
    let keys = keys();
    let names: Vec<String> = good_claims().as_object().expect("claims").keys().cloned().collect();
    for name in names {
        let mut without = good_claims();
        without.as_object_mut().expect("claims").remove(&name);
        let token = signed(&keys, &good_header(&keys), &without);
        assert_eq!(read(&keys, &token), Err(Refusal::SessionInvalid), "without {name}");
        for value in [Value::Null, json!({}), json!([[]]), json!(1.5)] {
            let mut other = good_claims();
            other[&name] = value.clone();
            let token = signed(&keys, &good_header(&keys), &other);
            assert_eq!(read(&keys, &token), Err(Refusal::SessionInvalid), "{name}: {value}");
        }
    }
}

#[test]
fn claims_of_a_newer_release_are_left_alone_and_those_of_this_one_are_judged_beside_them() {
    let keys = keys();
    let mut claims = good_claims();
    for (name, value) in [("acr", json!("2")), ("roles", json!(["admin"])), ("cnf", json!({ "jkt": [1] }))] {
        claims[name] = value;
    }
    assert!(read(&keys, &signed(&keys, &good_header(&keys), &claims)).is_ok());
    claims["email_verified"] = json!("yes");
    assert_eq!(read(&keys, &signed(&keys, &good_header(&keys), &claims)), Err(Refusal::SessionInvalid));
    // A claim twice is two claims: parsers differ on which counts.
    let twice = good_claims().to_string().replacen('{', &format!("{{\"sub\":\"{}\",", Uuid::from_u128(2)), 1);
    let token = signed_text(&keys, &good_header(&keys).to_string(), &twice);
    assert_eq!(read(&keys, &token), Err(Refusal::SessionInvalid));
}

/// Whoever adds a claim: it needs a default, or everybody is signed out while old and new nodes live side by side.
#[test]
fn the_tokens_of_older_releases_are_read() {
    let keys = keys();
    let id = Uuid::from_u128(1);
    let first = json!({
        "iss": HERE, "aud": HERE, "sub": id, "sid": id, "jti": id, "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        "auth_time": NOW, "amr": ["pwd"], "email": "ada@example.com", "email_verified": true, "user_type": "guest",
    });
    assert!(read(&keys, &signed(&keys, &good_header(&keys), &first)).is_ok());
    let until = now() + TimeDelta::minutes(30);
    let letter = json!({ "aud": "reset_password", "jti": "a", "iat": NOW, "exp": until.timestamp() });
    let more = json!({ "aud": "reset_password", "jti": "a", "iat": NOW, "exp": until.timestamp(), "lang": "de" });
    for claims in [letter, more] {
        let head = Head { typ: Purpose::ResetPassword.typ().to_owned(), alg: LETTER_ALG.to_owned(), kid: None };
        let key = EncodingKey::from_secret(&keys.letter);
        let token = encode(&head, &claims, Algorithm::HS256, &key).expect("a token");
        assert_eq!(read_letter(&token, Purpose::ResetPassword, now(), &keys), Ok("a".to_owned()));
    }
}

#[test]
fn a_token_names_its_algorithm_as_its_published_key_does() {
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Ed25519, SigningAlgorithm::Es256] {
        let keys = keys();
        let id = kid(&keys, algorithm.name());
        let ring = keys.ring();
        let key = ring.named(&id, now()).expect("a key");
        let head = Head { typ: ACCESS_TYP.to_owned(), alg: key.alg.to_owned(), kid: Some(id) };
        let token = encode(&head, &good_claims(), key.algorithm, &key.encoding).expect("a token");
        assert!(read(&keys, &token).is_ok(), "{algorithm:?}");
        for other in ["EdDSA", "Ed25519", "ES256", "Ed448"].into_iter().filter(|name| *name != key.alg) {
            let head = Head { typ: ACCESS_TYP.to_owned(), alg: other.to_owned(), kid: head.kid.clone() };
            let token = encode(&head, &good_claims(), key.algorithm, &key.encoding).expect("a token");
            assert_eq!(read(&keys, &token), Err(Refusal::SessionInvalid), "{algorithm:?} as {other}");
        }
    }
}

#[test]
fn times_issuer_and_audience_are_judged() {
    let keys = keys();
    let invalid = Err(Refusal::SessionInvalid);
    for (name, value, expected) in [
        ("exp", json!(NOW), Err(Refusal::SessionExpired)),
        ("exp", json!(NOW - 1), Err(Refusal::SessionExpired)),
        ("exp", json!(NOW.to_string()), invalid.clone()),
        ("exp", json!(253_402_300_799_i64), invalid.clone()),
        ("exp", json!(i64::MAX), invalid.clone()),
        ("exp", json!(u64::MAX), invalid.clone()),
        ("exp", json!(1e300), invalid.clone()),
        ("exp", json!(-1), Err(Refusal::SessionExpired)),
        ("nbf", json!(NOW + 31), invalid.clone()),
        ("nbf", json!("0"), invalid.clone()),
        ("iat", json!(NOW + 31), invalid.clone()),
        ("iat", json!(NOW - 100_000), invalid.clone()),
        ("iat", json!(i64::MIN), invalid.clone()),
        ("iss", json!("https://accounts.example.org/"), invalid.clone()),
        ("iss", json!("https://other.example"), invalid.clone()),
        ("aud", json!("https://other.example"), invalid.clone()),
        ("aud", json!([HERE]), invalid.clone()),
        ("sub", json!("ada"), invalid.clone()),
    ] {
        let mut claims = good_claims();
        claims[name] = value.clone();
        let token = signed(&keys, &good_header(&keys), &claims);
        assert_eq!(read(&keys, &token), expected, "{name}: {value}");
    }
}

#[test]
fn a_token_is_its_bytes_and_nothing_near_them() {
    let keys = keys();
    let token = signed(&keys, &good_header(&keys), &good_claims());
    assert!(read(&keys, &token).is_ok());
    for at in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("text");
        assert_eq!(read(&keys, &changed), Err(Refusal::SessionInvalid), "at {at}");
    }
    let (head, _) = token.rsplit_once('.').expect("three parts");
    for other in [
        format!("{token}="),
        format!("{token}=="),
        format!("{token}A"),
        format!("{token}.A"),
        format!(" {token}"),
        format!("{token}\n"),
        token.replacen('.', "=.", 1),
        format!("{head}."),
        head.to_owned(),
        String::new(),
        "..".to_owned(),
    ] {
        assert_eq!(read(&keys, &other), Err(Refusal::SessionInvalid), "{other:.30}");
    }
}

#[test]
fn keys_are_not_confused() {
    let keys = keys();
    let set = keys.ring().public_set(now());
    let x = set["keys"][2]["x"].as_str().expect("a key").to_owned();
    let raw = BASE64_URL_SAFE_NO_PAD.decode(&x).expect("base64");
    for secret in [x.as_bytes().to_vec(), raw, set["keys"][2].to_string().into_bytes(), keys.letter.to_vec()] {
        for kid in [kid(&keys, "EdDSA"), kid(&keys, "ES256")] {
            let head = Head { typ: ACCESS_TYP.to_owned(), alg: LETTER_ALG.to_owned(), kid: Some(kid) };
            let key = EncodingKey::from_secret(&secret);
            let token = encode(&head, &good_claims(), Algorithm::HS256, &key).expect("a token");
            assert_eq!(read(&keys, &token), Err(Refusal::SessionInvalid));
        }
    }
}

#[test]
fn letters_are_for_one_purpose_and_as_strict() {
    let keys = keys();
    let proof = Proof::of(Uuid::from_u128(1), &keys);
    let (made, until) = (now(), now() + TimeDelta::minutes(30));
    let token = issue_letter(Purpose::ResetPassword, &proof, made, until, &keys).expect("a token");
    assert_eq!(read_letter(&token, Purpose::ResetPassword, now(), &keys), Ok(proof.jti.clone()));
    assert_eq!(read_letter(&token, Purpose::ConfirmEmail, now(), &keys), Err(Refusal::TokenInvalid));
    assert_eq!(read_letter(&token, Purpose::ResetPassword, until, &keys), Err(Refusal::TokenExpired));
    assert_eq!(read(&keys, &token), Err(Refusal::SessionInvalid));
    let access = signed(&keys, &good_header(&keys), &good_claims());
    assert_eq!(read_letter(&access, Purpose::ResetPassword, now(), &keys), Err(Refusal::TokenInvalid));
    for other in [format!("{token}="), format!("{token}A"), token[..token.len() - 1].to_owned()] {
        assert_eq!(read_letter(&other, Purpose::ResetPassword, now(), &keys), Err(Refusal::TokenInvalid));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn no_text_is_a_token_by_chance(text in prop_oneof![any::<String>(), "[A-Za-z0-9_=-]{0,40}(\\.[A-Za-z0-9_=-]{0,40}){0,4}"]) {
        let keys = keys();
        prop_assert_eq!(read(&keys, &text), Err(Refusal::SessionInvalid));
        prop_assert_eq!(read_letter(&text, Purpose::ConfirmEmail, now(), &keys), Err(Refusal::TokenInvalid));
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_none(at in 0_usize..600, with in "[A-Za-z0-9_.=-]") {
        let keys = keys();
        let token = signed(&keys, &good_header(&keys), &good_claims());
        let at = at % token.len();
        let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
        prop_assume!(changed != token);
        prop_assert_eq!(read(&keys, &changed), Err(Refusal::SessionInvalid));
    }
}
