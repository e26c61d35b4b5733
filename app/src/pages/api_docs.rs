//! The API for reading, from the very document that programs get. A list: there is no script on this page, and
//! nothing on it comes from elsewhere.

use contract::paths;
use leptos::prelude::*;
use serde_json::Value;

use crate::page::{Data, request};
use crate::parts::layout::Document;

#[component]
pub fn ApiDocs() -> impl IntoView {
    let Data::Api(document) = request().data else { return ().into_any() };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let groups: Vec<_> = document["tags"].as_array().into_iter().flatten().map(|tag| group(&document, tag)).collect();
    view! {
        <Document title="JSON API">
            <h1>"JSON API"</h1>
            <p>{text(&document["info"]["description"])}</p>
            <p>
                "For programs: " <a href=paths::OPENAPI>"the same as OpenAPI 3.1"</a> ". Server: "
                <code>{text(&document["servers"][0]["url"])}</code> "."
            </p>
            {groups}
        </Document>
    }
    .into_any()
}

fn group(document: &Value, tag: &Value) -> AnyView {
    let name = tag["name"].as_str().unwrap_or_default().to_owned();
    let operations: Vec<_> = members(&document["paths"])
        .flat_map(|(path, methods)| members(methods).map(move |(method, described)| (path, method, described)))
        // An alias is told with the name that it stands for.
        .filter(|(.., described)| described["tags"][0] == tag["name"] && !is_alias(described))
        .map(|(path, method, described)| operation(document, path, method, described))
        .collect();
    view! { <h2>{name}</h2> {operations} }.into_any()
}

fn is_alias(described: &Value) -> bool {
    described["operationId"].as_str().is_some_and(|id| id.ends_with("Alias"))
}

fn operation(document: &Value, path: &str, method: &str, described: &Value) -> AnyView {
    let id = described["operationId"].as_str().unwrap_or_default().to_owned();
    let summary = described["summary"].as_str().unwrap_or_default().to_owned();
    let description = plain(described["description"].as_str().unwrap_or_default());
    let aliases: Vec<_> = members(&document["paths"])
        .filter(|(_, methods)| methods[method]["operationId"] == format!("{id}Alias"))
        .map(|(path, _)| view! { <p class="muted">"Also at " <code>{path.to_owned()}</code></p> })
        .collect();
    let signed_in = described["security"][0].as_object().is_some_and(|first| !first.is_empty());
    let body = &described["requestBody"]["content"]["application/json"];
    let fields = fields(document, &body["schema"]);
    let example = (!body["example"].is_null()).then(|| pretty(&body["example"]));
    let answers: Vec<_> = members(&described["responses"]).map(|(status, response)| answer(status, response)).collect();
    let examples: Vec<_> =
        members(&described["responses"]).filter_map(|(status, response)| example_of(status, response)).collect();
    view! {
        <section class="card" id=id>
            <h3><code>{method.to_uppercase()} " " {path.to_owned()}</code></h3>
            <p>{summary} "."</p>
            <p>{description}</p>
            {aliases}
            {signed_in.then(|| view! { <p class="muted">"For signed-in people: access token as bearer or cookie."</p> })}
            {(!fields.is_empty()).then(|| view! { <h4>"Takes"</h4> <ul>{fields}</ul> })}
            {example.map(|example| view! { <pre tabindex="0">{example}</pre> })}
            <h4>"Answers"</h4>
            <dl class="facts tight">{answers}</dl>
            {examples}
        </section>
    }
    .into_any()
}

fn fields(document: &Value, schema: &Value) -> Vec<AnyView> {
    let named = schema["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    let schema = named.unwrap_or(schema);
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    members(&schema["properties"])
        .map(|(name, property)| {
            let must = if required.iter().any(|other| other == name) { "" } else { " (optional)" };
            let about = property["description"].as_str().map(|about| format!(": {}", plain(about)));
            let about = format!("{must}{}", about.unwrap_or_default());
            view! { <li><code>{name.to_owned()}</code>{about}</li> }.into_any()
        })
        .collect()
}

fn answer(status: &str, response: &Value) -> AnyView {
    let about = plain(response["description"].as_str().unwrap_or_default());
    let headers: Vec<_> = members(&response["headers"]).map(|(name, _)| name).collect();
    let headers = (!headers.is_empty()).then(|| format!("; with {}", headers.join(", ")));
    view! { <div><dt>{status.to_owned()}</dt><dd>{about} {headers}</dd></div> }.into_any()
}

/// Of a success. Those of faults differ in their codes only.
fn example_of(status: &str, response: &Value) -> Option<AnyView> {
    let example = &response["content"]["application/json"]["example"];
    let title = format!("Example of {status}");
    (!example.is_null()).then(|| {
        view! {
            <details>
                <summary>{title}</summary>
                <pre tabindex="0">{pretty(example)}</pre>
            </details>
        }
        .into_any()
    })
}

/// Descriptions are Markdown; what is code in them is plain enough without its marks.
fn plain(text: &str) -> String {
    text.replace('`', "").replace('\n', " ")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}
