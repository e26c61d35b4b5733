//! Request bodies: one JSON object, each key once. Parsers differ on what a second one means, so it means nothing.

use std::fmt;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use contract::Refusal;
use serde::Deserialize;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Failed;

/// Far above what any call of ours needs.
const MAX_OCTETS: usize = 16 * 1024;

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
        let bytes = to_bytes(body, MAX_OCTETS).await.map_err(|_| Failed::from(Refusal::TooLarge))?;
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
    let bytes = to_bytes(request.into_body(), MAX_OCTETS).await.map_err(|_| Failed::from(Refusal::TooLarge))?;
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
}
