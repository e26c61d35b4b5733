//! Request bodies: one JSON object, each key once. Parsers differ on what a second one means, so it means nothing.

use std::fmt;

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use contract::Refusal;
use serde::Deserialize;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Failed;
use crate::octets;

/// Of a body, JSON or form: far above what any of ours needs.
pub(crate) const MAX_OCTETS: usize = 16 * 1024;

/// A body of the form `T`. Names that `T` does not know are ignored.
pub(crate) struct Body<T>(pub(crate) T);

/// The same, where null takes something away.
pub(crate) struct Changes<T>(pub(crate) T);

/// The same, or nothing at all.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let Object(mut object) = read(request).await?;
        // A key without a value says nothing; it is still a key.
        object.retain(|_, value| !value.is_null());
        typed(object).map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Changes<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let Object(object) = read(request).await?;
        typed(object).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let (parts, body) = request.into_parts();
        let bytes = octets::read(body, MAX_OCTETS).await?;
        // However its length was told.
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let request = Request::from_parts(parts, axum::body::Body::from(bytes));
        Body::from_request(request, state).await.map(|Body(body)| Self(body))
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn read(request: Request) -> Result<Object, Failed> {
    let is_json = is_json(&request);
    let bytes = octets::read(request.into_body(), MAX_OCTETS).await?;
    if !is_json {
        return Err(Refusal::UnsupportedMediaType.into());
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Object, Failed> {
    serde_json::from_slice(bytes).map_err(|_| Refusal::MalformedRequest.into())
}

fn typed<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Failed> {
    serde_json::from_value(Value::Object(object)).map_err(|_| Refusal::MalformedRequest.into())
}

/// For [`Changes`]: null is the empty text.
pub(crate) fn or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(Option::deserialize(deserializer)?.unwrap_or_default()))
}

struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Map::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    if object.insert(key, value).is_some() {
                        return Err(serde::de::Error::custom("a key twice"));
                    }
                }
                Ok(Object(object))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Example {
        email: String,
        #[serde(alias = "password1")]
        password: String,
    }

    fn example(text: &str) -> Option<Example> {
        let Object(mut object) = parse(text.as_bytes()).ok()?;
        object.retain(|_, value| !value.is_null());
        typed(object).ok()
    }

    #[test]
    fn one_object_with_each_key_once_is_taken() {
        let expected = Example { email: "a".into(), password: "b".into() };
        assert_eq!(example(r#"{"email": "a", "password1": "b", "other": [1]}"#), Some(expected));
        assert_eq!(example(r#"{"email": null}"#), Some(Example::default()));
    }

    #[test]
    fn everything_else_is_not() {
        let deep = format!("{{\"email\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
        for text in [
            "",
            "[]",
            "null",
            "\"a\"",
            "[\"a\", \"b\"]",
            "{",
            "{\"email\": 1}",
            "{\"email\": [\"a\"]}",
            "{} {}",
            "\u{feff}{}",
            r#"{"email": "a", "email": "b"}"#,
            r#"{"password": "a", "password1": "b"}"#,
            r#"{"x": 1, "x": 1}"#,
            "{\"email\": NaN}",
            "{\"email\": 1e999}",
            &deep,
        ] {
            assert_eq!(example(text), None, "{}", &text[..text.len().min(60)]);
        }
        assert!(parse(b"{\"email\": \"\xff\"}").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn a_key_is_there_once_wherever_and_however_its_second_is_written(
            names in prop::collection::vec("[a-z]{1,3}", 1..6), again in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        ) {
            let unique: std::collections::BTreeSet<_> = names.iter().cloned().collect();
            let write = |names: &[String]| {
                let members: Vec<_> = names.iter().map(|name| format!("\"{name}\": \"v\"")).collect();
                format!("{{{}}}", members.join(", "))
            };
            prop_assert_eq!(parse(write(&names).as_bytes()).is_ok(), unique.len() == names.len());
            // The same name, its first letter escaped: to some readers another key.
            let mut twice: Vec<_> = unique.into_iter().collect();
            let name = again.get(&twice).clone();
            let first = u32::from(name.as_bytes()[0]);
            twice.insert(at.index(twice.len() + 1), format!("\\u{first:04x}{}", &name[1..]));
            prop_assert!(parse(write(&twice).as_bytes()).is_err(), "{twice:?}");
        }

        #[test]
        fn whatever_is_sent_is_answered(octets in prop::collection::vec(any::<u8>(), 0..64), text in "[\\[\\]{}:,\"a1 \\\\]{0,24}") {
            for sent in [&octets[..], text.as_bytes()] {
                if let Ok(Object(object)) = parse(sent) {
                    prop_assert!(matches!(serde_json::from_slice(sent), Ok(Value::Object(read)) if read == object));
                }
            }
        }
    }
}
