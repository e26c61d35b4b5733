//! The description of the API (OpenAPI 3.1), made from the operations and their handlers' own types.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use contract::password;
use contract::paths::API;
use contract::person::MAX_NAME_CHARS;
use contract::rules::{Presence, SignUpRules};
use contract::{Problem, Refusal};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::describe::{Access, Body, Operation, Success};
use super::problem::{Envelope, envelope};

/// What may go wrong with any request, and with any that changes something or has a body.
const ALWAYS: [Problem; 2] = [Problem::Internal, Problem::Refused(Refusal::Unavailable { retry_after: 5 })];
const UNSAFE: Refusal = Refusal::CrossOrigin;
const WITH_BODY: [Refusal; 3] = [Refusal::MalformedRequest, Refusal::TooLarge, Refusal::UnsupportedMediaType];

/// The whole document.
pub(crate) fn document(public_url: &str, access_cookie: &str, rules: &SignUpRules) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut groups: Vec<&str> = Vec::new();
    for operation in super::operations() {
        if groups.last() != Some(&operation.group) {
            groups.push(operation.group);
        }
        for (at, name) in operation.names.iter().enumerate() {
            let described = describe(&operation, at, rules, &mut generator);
            let path = paths.entry(format!("{API}/{name}/")).or_default();
            path.insert(operation.method.as_str().to_lowercase(), described);
        }
    }
    let envelope = generator.subschema_for::<Envelope>();
    let mut schemas = Value::Object(generator.take_definitions(true));
    constrain(&mut schemas, rules);
    debug_assert!(envelope.get("$ref").is_some());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{}: accounts", rules.site_name),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every path may be written without the slash at its end. Bodies are one JSON object, each \
                key once, up to 16 KiB. Null counts as absent, but for a profile, where it takes a value away. Requests that a page of another site sends are refused.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": public_url }],
        "tags": groups.iter().map(|group| json!({ "name": group })).collect::<Value>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": access_cookie },
            },
        },
    })
}

fn describe(operation: &Operation, at: usize, rules: &SignUpRules, generator: &mut SchemaGenerator) -> Value {
    let id = if at == 0 { operation.id.to_owned() } else { format!("{}Alias", operation.id) };
    let description = match at {
        0 => operation.description.to_owned(),
        _ => format!("The same as `{}`. {}", operation.id, operation.description),
    };
    let mut described = json!({
        "operationId": id, "summary": operation.summary, "description": description, "tags": [operation.group],
    });
    if let Some(body) = &operation.body {
        described["requestBody"] = describe_body(body, generator);
    }
    if operation.names[at].contains("{id}") {
        let schema = json!({ "type": "string", "format": "uuid" });
        described["parameters"] = json!([{ "name": "id", "in": "path", "required": true, "schema": schema }]);
    }
    match operation.access {
        // None, said: without a word, readers of the document ask what holds for all.
        Access::Ignored => described["security"] = json!([]),
        Access::Taken => described["security"] = json!([{}, { "bearer": [] }, { "cookie": [] }]),
        Access::Needed => described["security"] = json!([{ "bearer": [] }, { "cookie": [] }]),
    }
    let mut responses = Map::new();
    for success in &operation.successes {
        let status = success.status.as_u16().to_string();
        responses.insert(status, describe_success(success, operation, generator));
    }
    for (status, problems) in problems_of(operation) {
        responses.insert(status.to_string(), describe_problems(status, &problems, rules, generator));
    }
    described["responses"] = Value::Object(responses);
    described
}

fn describe_body(body: &Body, generator: &mut SchemaGenerator) -> Value {
    let schema = (body.schema)(generator);
    if let Some(defined) = defined(&schema, generator) {
        defined.remove("required");
        if !body.required.is_empty() {
            defined.insert("required".to_owned(), json!(body.required));
        }
        let properties = defined.get_mut("properties").and_then(Value::as_object_mut);
        for (_, property) in properties.into_iter().flatten() {
            if let Some(property) = property.as_object_mut() {
                property.remove("default");
            }
        }
    }
    let content = json!({ "application/json": { "schema": schema, "example": body.example } });
    json!({ "required": body.is_required, "content": content })
}

/// The schema that another refers to.
fn defined<'a>(schema: &schemars::Schema, generator: &'a mut SchemaGenerator) -> Option<&'a mut Map<String, Value>> {
    let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?.to_owned();
    generator.definitions_mut().get_mut(&name)?.as_object_mut()
}

fn describe_success(success: &Success, operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut described = json!({ "description": success.about });
    if let Some(schema) = success.schema {
        described["content"] =
            json!({ "application/json": { "schema": schema(generator), "example": success.example } });
    }
    let header = |(name, about): &(&str, &str)| ((*name).to_owned(), required_header(about, "string"));
    let headers: Map<String, Value> = operation.headers.iter().map(header).collect();
    if !headers.is_empty() {
        described["headers"] = Value::Object(headers);
    }
    let links: Map<String, Value> = operation
        .links
        .iter()
        .map(|(to, body)| ((*to).to_owned(), json!({ "operationId": to, "requestBody": body })))
        .collect();
    if !links.is_empty() {
        described["links"] = Value::Object(links);
    }
    described
}

/// By status, so that each is told once with all its codes.
fn problems_of(operation: &Operation) -> BTreeMap<u16, Vec<Problem>> {
    let mut problems = operation.problems.clone();
    problems.extend(ALWAYS);
    if operation.method != Method::GET {
        problems.push(Problem::Refused(UNSAFE));
    }
    if operation.body.is_some() {
        problems.extend(WITH_BODY.map(Problem::Refused));
    }
    let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
    for problem in problems {
        by_status.entry(problem.status()).or_default().push(problem);
    }
    by_status
}

fn describe_problems(status: u16, problems: &[Problem], rules: &SignUpRules, generator: &mut SchemaGenerator) -> Value {
    let codes: Vec<_> = problems.iter().map(|problem| format!("`{}`", problem.code())).collect();
    let examples: Map<String, Value> = problems
        .iter()
        .map(|problem| {
            let value = envelope(problem, rules, "2026-11-21T05:40:43Z", "01a1fc9f-086a-70f8-a1dc-7da804796f96");
            (problem.code().to_owned(), json!({ "value": value }))
        })
        .collect();
    let schema = generator.subschema_for::<Envelope>();
    let mut described = json!({
        "description": codes.join(", "),
        "content": { "application/json": { "schema": schema, "examples": examples } },
    });
    match StatusCode::from_u16(status) {
        Ok(StatusCode::UNAUTHORIZED) => {
            described["headers"] = json!({ "WWW-Authenticate": required_header("RFC 6750 3", "string") });
        }
        Ok(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
            described["headers"] = json!({ "Retry-After": required_header("Seconds", "integer") });
        }
        _ => {}
    }
    described
}

fn required_header(about: &str, kind: &str) -> Value {
    json!({ "description": about, "required": true, "schema": { "type": kind } })
}

/// What is asked, and how long or short it may be, is the operator's choice; so the description says what it is here.
fn constrain(schemas: &mut Value, rules: &SignUpRules) {
    let names = [("first_name", rules.first_name), ("last_name", rules.last_name), ("phone", rules.phone)];
    let asked: Vec<_> =
        names.iter().filter(|(_, presence)| *presence == Presence::Required).map(|(name, _)| *name).collect();
    let always = ["email", "password", "password_confirm"];
    let kind = (rules.user_type == Presence::Required).then_some("user_type");
    let terms = rules.terms_version.as_ref().map(|_| "terms_version");
    schemas["Replacement"]["required"] = json!(asked);
    schemas["Registration"]["required"] =
        always.into_iter().chain(asked.iter().copied()).chain(kind).chain(terms).collect();

    for body in ["Registration", "Replacement", "Profile"] {
        for name in &asked {
            schemas[body]["properties"][name]["type"] = "string".into();
        }
        for name in ["first_name", "last_name"] {
            schemas[body]["properties"][name]["maxLength"] = MAX_NAME_CHARS.into();
            if asked.contains(&name) {
                // With a letter, in truth; but not every reader of a pattern knows the letters of all scripts.
                schemas[body]["properties"][name]["pattern"] = "\\S".into();
            }
        }
    }
    let chosen = json!({ "minLength": rules.password_min_length, "maxLength": password::MAX_OCTETS });
    for (body, name) in [
        ("Registration", "password"),
        ("Registration", "password_confirm"),
        ("Change", "new_password"),
        ("Reset", "new_password"),
    ] {
        for (limit, value) in chosen.as_object().into_iter().flatten() {
            schemas[body]["properties"][name][limit] = value.clone();
        }
    }
    let mut kinds: Vec<Value> = rules.user_types.iter().map(|kind| json!(kind)).collect();
    if rules.user_type != Presence::Required {
        kinds.push(Value::Null);
    }
    schemas["Registration"]["properties"]["user_type"]["enum"] = kinds.into();
}
