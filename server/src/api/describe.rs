//! How an operation of the API is described, next to the handler that carries it out. The router and the OpenAPI
//! document are both made from these descriptions: neither can name what the other does not.

use axum::http::{Method, StatusCode};
use axum::routing::MethodRouter;
use contract::{Fault, Field, FieldFault, Problem, Refusal};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::Site;

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One method of one path, and everything it may answer.
pub(crate) struct Operation {
    /// The heading it stands under in the reference.
    pub(crate) group: &'static str,
    /// Unique; the name of a generated client's function.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    /// What a summary has no room for.
    pub(crate) description: &'static str,
    pub(crate) method: Method,
    /// Below the API's path, without slashes at the ends; the first is the name, the rest are aliases.
    pub(crate) names: &'static [&'static str],
    pub(crate) handler: MethodRouter<Site>,
    pub(crate) body: Option<Body>,
    pub(crate) successes: Vec<Success>,
    /// What may go wrong besides what may always.
    pub(crate) problems: Vec<Problem>,
    pub(crate) access: Access,
    /// What an answer of success carries besides its body.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// What may be done next with the answer (OpenAPI 3.1, 4.8.20): operation and its body.
    pub(crate) links: Vec<(&'static str, Value)>,
}

/// Whether an access token is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// It makes no difference.
    Ignored,
    /// It says whose session is meant.
    Taken,
    /// Without one the answer is no.
    Needed,
}

pub(crate) struct Body {
    pub(crate) schema: SchemaOf,
    pub(crate) is_required: bool,
    /// Must be there. Where one of several will do, none is named, and the description says which go together: programs
    /// that make types from a description know one object, and not which of its members exclude each other.
    pub(crate) required: &'static [&'static str],
    pub(crate) example: Value,
}

pub(crate) struct Success {
    pub(crate) status: StatusCode,
    pub(crate) about: &'static str,
    /// None for an answer without a body.
    pub(crate) schema: Option<SchemaOf>,
    pub(crate) example: Value,
}

impl Operation {
    pub(crate) fn new(
        id: &'static str,
        method: Method,
        names: &'static [&'static str],
        handler: MethodRouter<Site>,
        summary: &'static str,
    ) -> Self {
        Self {
            group: "",
            id,
            summary,
            description: "",
            method,
            names,
            handler,
            body: None,
            successes: Vec::new(),
            problems: Vec::new(),
            access: Access::Ignored,
            headers: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Says more than the summary.
    pub(crate) fn says(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Takes a JSON object with these members at least.
    pub(crate) fn takes<T: JsonSchema>(mut self, required: &'static [&'static str], example: Value) -> Self {
        self.body = Some(Body { schema: of::<T>, is_required: true, required, example });
        self
    }

    /// Takes a JSON object, or nothing.
    pub(crate) fn may_take<T: JsonSchema>(mut self, example: Value) -> Self {
        self.body = Some(Body { schema: of::<T>, is_required: false, required: &[], example });
        self
    }

    /// Carries headers, by name and meaning.
    pub(crate) fn carries<const N: usize>(mut self, headers: [(&'static str, &'static str); N]) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Answers with a body.
    pub(crate) fn answers<T: JsonSchema>(mut self, status: StatusCode, about: &'static str, example: Value) -> Self {
        self.successes.push(Success { status, about, schema: Some(of::<T>), example });
        self
    }

    /// Answers without one.
    pub(crate) fn answers_nothing(mut self, status: StatusCode, about: &'static str) -> Self {
        self.successes.push(Success { status, about, schema: None, example: Value::Null });
        self
    }

    /// May refuse.
    pub(crate) fn refuses<const N: usize>(mut self, refusals: [Refusal; N]) -> Self {
        self.problems.extend(refusals.map(Problem::Refused));
        self
    }

    /// May find faults in fields, such as these.
    pub(crate) fn finds<const N: usize>(mut self, faults: [(Field, Fault); N]) -> Self {
        let faults = faults.map(|(field, fault)| FieldFault { field, fault });
        self.problems.push(Problem::Invalid(faults.to_vec()));
        self
    }

    /// Counts how often it is asked.
    pub(crate) fn limited(self) -> Self {
        self.refuses([Refusal::RateLimited { retry_after: 12 }])
    }

    /// Hashes passwords, on a bounded number of threads.
    pub(crate) fn hashes(self) -> Self {
        self.refuses([Refusal::Overloaded { retry_after: 2 }])
    }

    /// Acts on the session of an access token, where there is one.
    pub(crate) fn for_anyone_signed_in(mut self) -> Self {
        self.access = Access::Taken;
        self
    }

    pub(crate) fn for_signed_in(mut self) -> Self {
        self.access = Access::Needed;
        self.refuses([Refusal::NotAuthenticated, Refusal::SessionInvalid, Refusal::SessionExpired])
    }

    pub(crate) fn leads_to(mut self, operation: &'static str, body: Value) -> Self {
        self.links.push((operation, body));
        self
    }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}
