//! The description of the API: that it names every route, and nothing else.

mod support;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::Value;
use support::*;

/// What outsiders were promised, with its aliases.
const PROMISED: [(&str, &str); 21] = [
    ("post", "register/"),
    ("post", "registration/"),
    ("post", "verify-email/"),
    ("post", "registration/verify-email/"),
    ("post", "resend-email/"),
    ("post", "registration/resend-email/"),
    ("post", "login/"),
    ("post", "logout/"),
    ("post", "logout/all/"),
    ("get", "user/"),
    ("put", "user/"),
    ("patch", "user/"),
    ("post", "password/change/"),
    ("post", "password/reset/"),
    ("post", "password/reset/confirm/"),
    ("post", "token/refresh/"),
    ("post", "token/verify/"),
    ("get", "sessions/"),
    ("delete", "sessions/"),
    ("delete", "sessions/{id}/"),
    ("get", "check/"),
];

fn described(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = |(path, methods): (&String, &Value)| {
        let names: Vec<_> =
            methods.as_object().expect("methods").keys().map(|name| (name.clone(), path.clone())).collect();
        names
    };
    paths.iter().flat_map(methods).collect()
}

#[tokio::test]
async fn every_promised_route_is_described_and_no_other() {
    let world = World::new(&[]).await;
    let answer = world.client(1).get("/api/v1/openapi.json").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(answer.json()["openapi"], "3.1.0");
    let promised: BTreeSet<_> =
        PROMISED.iter().map(|(method, path)| ((*method).to_owned(), format!("/api/v1/auth/{path}"))).collect();
    assert_eq!(described(&answer.json()), promised);
}

#[tokio::test]
async fn the_router_takes_what_is_described_and_nothing_else() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let described = described(world.site.openapi());
    let paths: BTreeSet<_> = described.iter().map(|(_, path)| path.clone()).collect();
    for path in paths {
        let concrete = path.replace("{id}", "01a1fc9f-0133-75d6-bc07-4ec56a811aa9");
        for spelling in [concrete.clone(), concrete.trim_end_matches('/').to_owned()] {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                let answer = world.client(1).send(method.clone(), &spelling, &[], Body::empty()).await;
                let is_described = described.contains(&(method.as_str().to_lowercase(), path.clone()));
                assert_eq!(answer.status != StatusCode::METHOD_NOT_ALLOWED, is_described, "{method} {spelling}");
                if answer.status == StatusCode::METHOD_NOT_ALLOWED {
                    let allowed: BTreeSet<_> = answer.header("allow").split(',').map(str::to_lowercase).collect();
                    let expected: BTreeSet<_> = described
                        .iter()
                        .filter(|(_, other)| *other == path)
                        .map(|(method, _)| method.clone())
                        .collect();
                    assert_eq!(
                        allowed.into_iter().filter(|method| method != "head").collect::<BTreeSet<_>>(),
                        expected
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn every_answer_is_described_with_an_example() {
    let world = World::new(&[]).await;
    let document = world.site.openapi();
    for (method, path) in described(document) {
        let operation = &document["paths"][&path][&method];
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 5), "{path}");
        assert!(operation["description"].as_str().is_some_and(|text| text.len() > 20), "{method} {path}");
        assert!(operation["security"].is_array(), "{method} {path}: who may ask is said, also when it is everybody");
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let content = &response["content"]["application/json"];
            let is_empty = status == "204" || path.ends_with("/check/") && status == "200";
            let has_example =
                content["example"].is_object() || content["example"].is_array() || content["examples"].is_object();
            assert!(is_empty || has_example, "{method} {path} {status}");
        }
        let statuses: Vec<_> = operation["responses"].as_object().expect("responses").keys().cloned().collect();
        assert!(statuses.contains(&"500".to_owned()) && statuses.contains(&"503".to_owned()), "{path}");
        if operation["requestBody"].is_object() {
            for status in ["400", "403", "413", "415"] {
                assert!(statuses.contains(&status.to_owned()), "{method} {path}: {status}");
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_typed = ["type", "$ref", "anyOf"].iter().any(|key| !property[*key].is_null());
            assert!(is_typed, "{name}.{field}: described, but no field of the handler's type");
        }
    }
    let ids: Vec<_> = described(document)
        .iter()
        .map(|(method, path)| document["paths"][path][method]["operationId"].to_string())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "each has a name of its own");
}

/// Programs that make types know one object with members that may be missing, and not which of them go together.
#[tokio::test]
async fn every_body_is_one_named_object_and_every_answer_a_type() {
    let world = World::new(&[]).await;
    let document = world.site.openapi();
    for (method, path) in described(document) {
        let operation = &document["paths"][&path][&method];
        if let Some(body) = operation["requestBody"]["content"]["application/json"]["schema"].as_object() {
            assert!(body.contains_key("$ref") && body.len() == 1, "{method} {path}: {body:?}");
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        assert_eq!(schema["type"], "object", "{name}");
        for keyword in ["anyOf", "oneOf", "allOf", "not", "if"] {
            assert!(schema[keyword].is_null(), "{name}: {keyword}");
        }
    }
    let proof = &document["components"]["schemas"]["Confirmation"];
    assert!(proof["required"].is_null(), "a token, or a code: neither alone must be there");
    assert!(
        document["paths"]["/api/v1/auth/verify-email/"]["post"]["description"]
            .as_str()
            .expect("text")
            .contains("`code`")
    );
    let public = &document["paths"]["/api/v1/auth/register/"]["post"]["security"];
    assert_eq!(*public, serde_json::json!([]));
}

#[tokio::test]
async fn people_read_the_same_as_a_list_without_script_or_strangers() {
    let world = World::new(&[]).await;
    let page = world.client(1).get("/api/docs").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    for (method, path) in described(world.site.openapi()) {
        assert!(text.contains(&path), "{method} {path}");
    }
    assert!(!text.contains("<script"), "a list needs none");
    for address in text.split("src=\"").skip(1).chain(text.split("href=\"").skip(1)) {
        assert!(address.starts_with(['/', '#']), "{address:.60}");
    }
}

#[tokio::test]
async fn no_operation_takes_what_is_no_json_object() {
    let world = World::new(&[("RATE_LIMITS", "off")]).await;
    let mut client = world.person(1, "ada@example.com").await;
    let document = world.site.openapi().clone();
    let deep = format!("{{\"a\":{}", "[".repeat(16_000));
    let huge = format!("{{\"a\":\"{}\"}}", "a".repeat(20_000));
    let mut tried = 0;
    for (method, path) in described(&document) {
        let body = &document["paths"][&path][&method]["requestBody"]["content"]["application/json"]["schema"];
        let Some(name) = body["$ref"].as_str().and_then(|name| name.rsplit('/').next()) else { continue };
        let fields = document["components"]["schemas"][name]["properties"].as_object().expect("fields");
        let field = fields.keys().next().expect("a field");
        let of_type = |value: &str| format!("{{\"{field}\": {value}}}");
        let mut wrong: Vec<Vec<u8>> =
            ["[]", "null", "\"a\"", "1", "{", "{} {}", "\u{feff}{}", "{\"a\": NaN}", "{\"a\": 1e999}", &deep]
                .map(|body| body.as_bytes().to_vec())
                .into();
        wrong.extend(["1", "true", "[\"a\"]", "{\"a\": 1}"].map(|value| of_type(value).into_bytes()));
        wrong.push(format!("{{\"{field}\": \"a\", \"{field}\": \"b\"}}").into_bytes());
        wrong.push(b"{\"a\": \"\xff\"}".to_vec());
        wrong.push("{}".encode_utf16().flat_map(u16::to_le_bytes).collect());
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        for body in wrong {
            let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
            let answer =
                client.send(method.clone(), &path, &[("content-type", "application/json")], Body::from(body)).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::BAD_REQUEST, "malformed_request"),
                "{path} {shown}"
            );
            tried += 1;
        }
        let answer =
            client.send(method.clone(), &path, &[("content-type", "application/json")], Body::from(huge.clone())).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        for content_type in ["text/plain", FORM, "", "application/jsonp", "multipart/form-data"] {
            let answer = client.send(method.clone(), &path, &[("content-type", content_type)], Body::from("{}")).await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {content_type}");
        }
        let nul = Body::from(of_type("\"a\\u0000b\""));
        let answer = client.send(method.clone(), &path, &[("content-type", "application/json")], nul).await;
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.text());
    }
    assert!(tried > 200, "{tried}");
    assert!(client.is_signed_in(), "nothing of this ended the session");
}

#[tokio::test]
async fn no_header_turns_one_method_into_another() {
    let world = World::new(&[]).await;
    let mut client = world.person(1, "ada@example.com").await;
    let mut other = world.client(2);
    other.api("login/", serde_json::json!({ "email": "ada@example.com", "password": PASSWORD })).await;
    for header in ["x-http-method-override", "x-http-method", "x-method-override"] {
        for path in
            ["/api/v1/auth/sessions/?_method=DELETE", "/api/v1/auth/logout/all/?_method=POST", "/api/v1/auth/logout/"]
        {
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                client.send(method, path, &[(header, "DELETE")], Body::empty()).await;
                client.send(Method::GET, path, &[(header, "POST")], Body::empty()).await;
            }
        }
    }
    for mut client in [client, other] {
        let me = client.send(Method::GET, "/api/v1/auth/user/", &[], Body::empty()).await;
        assert_eq!(me.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn no_route_of_the_api_is_hidden_from_the_description() {
    let world = World::new(&[]).await;
    // The router shows its paths to whoever debugs it, and to nobody else.
    let shown = format!("{:?}", world.router);
    let routed: BTreeSet<&str> = shown.split('"').filter(|text| text.starts_with("/api/")).collect();
    let mut expected: BTreeSet<String> = ["/api/v1/openapi.json", "/api/docs"].map(str::to_owned).into();
    for (_, path) in described(world.site.openapi()) {
        expected.extend([path.trim_end_matches('/').to_owned(), path]);
    }
    assert_eq!(routed, expected.iter().map(String::as_str).collect());
}
