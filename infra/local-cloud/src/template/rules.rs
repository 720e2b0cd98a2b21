//! Which events start a function.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Reading, is_enabled, is_in, none_of, refuse, values::EnvValue};
use crate::yaml::Value;

/// A rule that starts a function with an event from the bus.
#[derive(Debug, Clone)]
pub struct EventRule {
    /// Which events.
    pub pattern: EventPattern,
}

/// Which events a rule is for: lists of exact texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPattern {
    source: Option<Vec<String>>,
    detail_type: Option<Vec<String>>,
    /// By field at the top of the detail.
    detail: BTreeMap<String, Vec<String>>,
}

impl EventPattern {
    /// The kinds of events it is for; none where it is for all.
    pub fn kinds(&self) -> &[String] {
        self.detail_type.as_deref().unwrap_or_default()
    }

    /// Whether an event is one of those that the rule is for.
    pub fn matches(&self, source: &str, detail_type: &str, detail: &Json) -> bool {
        let has = |allowed: &Option<Vec<String>>, text: &str| {
            allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|allowed| allowed == text))
        };
        let field_has = |(field, allowed): (&String, &Vec<String>)| {
            let is_allowed = |value: &Json| {
                value.as_str().is_some_and(|text| allowed.iter().any(|allowed| allowed == text))
            };
            // A list matches when one of its values does, as on AWS.
            detail.get(field).is_some_and(|value| match value {
                Json::Array(values) => values.iter().any(is_allowed),
                value => is_allowed(value),
            })
        };
        has(&self.source, source)
            && has(&self.detail_type, detail_type)
            && self.detail.iter().all(field_has)
    }
}

/// The function would be given something else.
const NOT_DONE_OF_RULE: &str = "Input InputPath InputTransformer";

/// Any other field makes fewer events match, also a misspelt one, which cfn-lint passes.
const DONE_OF_PATTERN: &str = "detail detail-type source";

impl<'n> Reading<'n> {
    pub(super) fn rule(&self, of: &Value<'n>) -> Option<EventRule> {
        none_of(NOT_DONE_OF_RULE, of);
        let is_enabled = is_enabled(of);
        if let Some(bus) = of.need("EventBusName", "`!Ref` and the bus it listens to")
            && self.value(&bus).is_some_and(|value| value != EnvValue::Bus)
        {
            bus.must_be("a `!Ref` to the event bus");
        }
        let pattern = of.need("Pattern", "which events it is for")?;
        let pattern = pattern.mapping()?;
        refuse(&pattern, |field| !is_in(DONE_OF_PATTERN, field));
        not_empty(&pattern);
        let texts = |key: &str| pattern.get(key).and_then(|value| exact_texts(&value));
        let (source, detail_type) = (texts("source"), texts("detail-type"));
        let detail = pattern.get("detail").and_then(|detail| detail.mapping());
        detail.iter().for_each(not_empty);
        let detail = detail.iter().flat_map(Value::iter);
        let detail = detail
            .filter_map(|(field, value)| Some((field.to_owned(), exact_texts(&value)?)))
            .collect();
        let rule = EventRule { pattern: EventPattern { source, detail_type, detail } };
        is_enabled.then_some(rule)
    }
}

fn not_empty(fields: &Value<'_>) {
    if fields.node.entries().is_empty() {
        fields.finding(format!("{} is empty; list exact texts", fields.what));
    }
}

/// The texts of a pattern; AWS tells `"1"` from `1`.
fn exact_texts(value: &Value<'_>) -> Option<Vec<String>> {
    let items = value.items()?;
    if items.is_empty() {
        value.finding(format!("{} is empty; list exact texts", value.what));
    }
    Some(items.iter().filter_map(Value::only_text).collect())
}
