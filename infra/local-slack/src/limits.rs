//! What Slack takes as a message: its limits and the forms of its blocks.
//!
//! As Slack documents them ("Reference: blocks", "Reference: block elements", "Reference: composition
//! objects" and "chat.postMessage", read 2026-11). Characters are counted as Unicode has them. Knows nothing
//! of rooms, people or our own messages.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Slack does not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Slack's word for it.
    pub code: &'static str,
    /// What is wrong, each with its place in the message.
    pub problems: Vec<String>,
}

const BLOCKS: usize = 50;
/// Of a message, in characters.
pub(crate) const TEXT: usize = 40_000;
/// Not documented: of all blocks as JSON (github.com/slackapi/bolt-js/issues/2509, 2025-04).
const ALL_BLOCKS: usize = 13_200;
const ID: usize = 255;
const URL: usize = 3_000;

/// Checks a message: its `text` and `blocks`.
pub(crate) fn check(message: &Value) -> Result<(), Refused> {
    let refused = |code, problem: &str| Err(Refused { code, problems: vec![problem.to_owned()] });
    let text = match message.get("text") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return refused("invalid_arguments", "text: it must be text"),
    };
    let blocks = match message.get("blocks") {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return refused("invalid_blocks_format", "blocks: they must be a list"),
    };
    if blocks.is_empty() && text.trim().is_empty() {
        return refused("no_text", "the message has neither text nor blocks");
    }
    if TEXT < text.chars().count() {
        return refused("msg_too_long", "text: it has more than 40,000 characters");
    }
    let mut checking = Checking::default();
    if BLOCKS < blocks.len() {
        checking.problem("blocks", &format!("there are {}, more than {BLOCKS}", blocks.len()));
    }
    for (index, block) in blocks.iter().enumerate() {
        checking.block(&format!("blocks/{index}"), block);
    }
    if !checking.problems.is_empty() {
        return Err(Refused { code: "invalid_blocks", problems: checking.problems });
    }
    if ALL_BLOCKS < Value::from(blocks.clone()).to_string().chars().count() {
        return refused(
            "msg_blocks_too_long",
            "blocks: as JSON they have more than 13,200 characters",
        );
    }
    Ok(())
}

/// The metadata that Slack keeps of a message. What has not its form is left out, and the message is taken (Slack, "Using
/// message metadata", read 2026-11).
pub(crate) fn metadata(message: &Value) -> Option<Value> {
    let metadata = message.get("metadata")?;
    let kind = metadata.get("event_type")?.as_str()?;
    let is_of_a_kind = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_known = !kind.is_empty() && kind.chars().all(is_of_a_kind);
    (is_known && metadata.get("event_payload")?.is_object()).then(|| metadata.clone())
}

#[derive(Default)]
struct Checking {
    problems: Vec<String>,
    block_ids: HashSet<String>,
}

impl Checking {
    fn problem(&mut self, place: &str, what: &str) {
        self.problems.push(format!("{place}: {what}"));
    }

    /// An object that has a type and only fields that such a thing has.
    fn object<'v>(
        &mut self,
        place: &str,
        value: &'v Value,
        fields: impl Fn(&str) -> Option<&'static str>,
    ) -> Option<(&'v str, &'v Map<String, Value>)> {
        let Some(object) = value.as_object() else {
            self.problem(place, "it must be an object");
            return None;
        };
        let Some(kind) = object.get("type").and_then(Value::as_str) else {
            self.problem(place, "it has no type");
            return None;
        };
        let Some(fields) = fields(kind) else {
            self.problem(place, &format!("the type {kind} is not known here"));
            return None;
        };
        for field in object.keys() {
            if field != "type" && !fields.split(' ').any(|known| known == field) {
                self.problem(place, &format!("a {kind} has no {field}"));
            }
        }
        Some((kind, object))
    }

    fn block(&mut self, place: &str, block: &Value) {
        let found = self.object(place, block, |kind| {
            Some(match kind {
                "actions" | "context" | "rich_text" => "elements block_id",
                "divider" => "block_id",
                "header" => "text level block_id",
                "image" => "image_url alt_text title slack_file block_id",
                "markdown" => "text block_id",
                "section" => "text fields accessory expand block_id",
                _ => return None,
            })
        });
        let Some((kind, block)) = found else { return };
        if let Some(id) = self.text(place, block, "block_id", ID, false)
            && !self.block_ids.insert(id.to_owned())
        {
            self.problem(place, &format!("a second block has the block_id {id}"));
        }
        match kind {
            "section" => self.section(place, block),
            "header" => self.text_object(place, block, "text", 150, Some("plain_text"), true),
            "actions" => {
                let mut actions = HashSet::new();
                for (place, element) in self.list(place, block, "elements", 25) {
                    let action = self.element(&place, element);
                    if let Some(action) = action.filter(|action| !actions.insert(action.clone())) {
                        self.problem(
                            &place,
                            &format!("a second element has the action_id {action}"),
                        );
                    }
                }
            }
            "context" => {
                for (place, element) in self.list(place, block, "elements", 10) {
                    if element["type"] == "image" {
                        self.image(&place, element);
                    } else {
                        self.text_of(&place, element, 3_000, None);
                    }
                }
            }
            "rich_text" => self.rich_text(place, block),
            "image" => self.image(place, &Value::Object(block.clone())),
            "markdown" => {
                self.text(place, block, "text", 12_000, true);
            }
            _ => {}
        }
    }

    fn section(&mut self, place: &str, block: &Map<String, Value>) {
        self.text_object(place, block, "text", 3_000, None, !block.contains_key("fields"));
        if block.contains_key("fields") {
            for (place, field) in self.list(place, block, "fields", 10) {
                self.text_of(&place, field, 2_000, None);
            }
        }
        if let Some(accessory) = block.get("accessory") {
            let place = format!("{place}/accessory");
            if accessory["type"] == "image" {
                self.image(&place, accessory);
            } else {
                self.element(&place, accessory);
            }
        }
    }

    /// Sections of text, which is all that is shown here.
    fn rich_text(&mut self, place: &str, block: &Map<String, Value>) {
        /// Not documented; as many as fit.
        const PARTS: usize = ALL_BLOCKS;
        for (place, section) in self.list(place, block, "elements", PARTS) {
            let known = |kind: &str| (kind == "rich_text_section").then_some("elements");
            let Some((_, section)) = self.object(&place, section, known) else { continue };
            for (place, part) in self.list(&place, section, "elements", PARTS) {
                let known = |kind: &str| (kind == "text").then_some("text style");
                let Some((_, part)) = self.object(&place, part, known) else { continue };
                self.text(&place, part, "text", ALL_BLOCKS, true);
                let is_style = |style: &Value| {
                    let known = |name: &String| {
                        ["bold", "italic", "strike", "code"].contains(&name.as_str())
                    };
                    let all = |style: &Map<String, Value>| {
                        style.iter().all(|(name, value)| known(name) && value.is_boolean())
                    };
                    style.as_object().is_some_and(all)
                };
                if !part.get("style").is_none_or(is_style) {
                    self.problem(&place, "style must be of bold, italic, strike and code");
                }
            }
        }
    }

    fn image(&mut self, place: &str, image: &Value) {
        let Some(image) = image.as_object() else { return };
        self.text(place, image, "image_url", URL, !image.contains_key("slack_file"));
        self.text(place, image, "alt_text", 2_000, true);
    }

    /// An element somebody uses; returns its `action_id`.
    fn element(&mut self, place: &str, element: &Value) -> Option<String> {
        let (kind, element) = self.object(place, element, |kind| {
            Some(match kind {
                "button" => "text action_id url value style confirm accessibility_label",
                "overflow" => "action_id options confirm",
                "static_select" => {
                    "placeholder action_id options option_groups initial_option confirm focus_on_load"
                }
                "users_select" | "channels_select" | "conversations_select" => {
                    "placeholder action_id initial_user initial_channel initial_conversation confirm \
                     focus_on_load filter response_url_enabled default_to_current_conversation"
                }
                _ => return None,
            })
        })?;
        match kind {
            "button" => {
                self.text_object(place, element, "text", 75, Some("plain_text"), true);
                self.text(place, element, "url", URL, false);
                self.text(place, element, "value", 2_000, false);
                self.text(place, element, "accessibility_label", 75, false);
                if let Some(style) = element.get("style")
                    && style != "primary"
                    && style != "danger"
                {
                    self.problem(place, "style must be primary or danger");
                }
            }
            "overflow" => self.options(place, element, 5),
            _ => {
                let required = kind == "static_select";
                self.text_object(place, element, "placeholder", 150, Some("plain_text"), false);
                if required && !element.contains_key("option_groups") {
                    self.options(place, element, 100);
                }
            }
        }
        if let Some(confirm) = element.get("confirm") {
            self.confirm(&format!("{place}/confirm"), confirm);
        }
        self.text(place, element, "action_id", ID, false).map(str::to_owned)
    }

    fn options(&mut self, place: &str, element: &Map<String, Value>, most: usize) {
        for (place, option) in self.list(place, element, "options", most) {
            let Some(option) = option.as_object() else {
                self.problem(&place, "it must be an object");
                continue;
            };
            self.text_object(&place, option, "text", 75, None, true);
            self.text(&place, option, "value", 150, true);
        }
    }

    fn confirm(&mut self, place: &str, confirm: &Value) {
        let Some(confirm) = confirm.as_object() else {
            self.problem(place, "it must be an object");
            return;
        };
        self.text_object(place, confirm, "title", 100, Some("plain_text"), true);
        self.text_object(place, confirm, "text", 300, None, true);
        self.text_object(place, confirm, "confirm", 30, Some("plain_text"), true);
        self.text_object(place, confirm, "deny", 30, Some("plain_text"), true);
    }

    fn list<'v>(
        &mut self,
        place: &str,
        object: &'v Map<String, Value>,
        field: &str,
        most: usize,
    ) -> Vec<(String, &'v Value)> {
        let list = object.get(field).and_then(Value::as_array);
        let count = list.map_or(0, Vec::len);
        if count == 0 || most < count {
            self.problem(place, &format!("{field} must be a list of 1 to {most}, not {count}"));
        }
        let items = list.into_iter().flatten().enumerate();
        items.map(|(index, item)| (format!("{place}/{field}/{index}"), item)).collect()
    }

    fn text_object(
        &mut self,
        place: &str,
        object: &Map<String, Value>,
        field: &str,
        most: usize,
        kind: Option<&str>,
        required: bool,
    ) {
        match object.get(field) {
            Some(value) => self.text_of(&format!("{place}/{field}"), value, most, kind),
            None if required => self.problem(place, &format!("it has no {field}")),
            None => {}
        }
    }

    fn text_of(&mut self, place: &str, value: &Value, most: usize, wanted: Option<&str>) {
        let found = self.object(place, value, |kind| match kind {
            "mrkdwn" => Some("text verbatim"),
            "plain_text" => Some("text emoji"),
            _ => None,
        });
        let Some((kind, object)) = found else { return };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != kind) {
            self.problem(place, &format!("it must be {wanted}, not {kind}"));
        }
        self.text(place, object, "text", most, true);
    }

    /// A field that is text, not empty and not too long.
    fn text<'v>(
        &mut self,
        place: &str,
        object: &'v Map<String, Value>,
        field: &str,
        most: usize,
        required: bool,
    ) -> Option<&'v str> {
        let value = match object.get(field) {
            None if required => {
                self.problem(place, &format!("it has no {field}"));
                return None;
            }
            None => return None,
            Some(value) => value,
        };
        let Some(text) = value.as_str() else {
            self.problem(place, &format!("{field} must be text"));
            return None;
        };
        let count = text.chars().count();
        if most < count {
            self.problem(place, &format!("{field} has {count} characters, more than {most}"));
        } else if text.is_empty() {
            self.problem(place, &format!("{field} is empty"));
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_blocks(blocks: &Value, expected: &str) {
        let found = match check(&json!({ "text": "x", "blocks": blocks })) {
            Ok(()) => String::new(),
            Err(Refused { code, problems }) => format!("{code} {}", problems.join("; ")),
        };
        assert_eq!(found, expected, "{blocks}");
    }

    fn section(text: &str) -> Value {
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
    }

    fn button(label: &str, action: &str) -> Value {
        let text = json!({ "type": "plain_text", "text": label });
        json!({ "type": "button", "text": text, "action_id": action, "value": "v" })
    }

    #[test]
    fn what_slack_takes_passes() {
        check_blocks(&json!([]), "");
        check_blocks(&Value::Array(vec![section(&"é".repeat(3_000)); 4]), "");
        check_blocks(&Value::Array(vec![json!({ "type": "divider" }); 50]), "");
        let confirm = json!({
            "title": { "type": "plain_text", "text": "Sure?" },
            "text": { "type": "mrkdwn", "text": "It *hurts*." },
            "confirm": { "type": "plain_text", "text": "Yes" },
            "deny": { "type": "plain_text", "text": "No" },
        });
        let mut asking = button("Stop", "stop");
        asking["confirm"] = confirm;
        asking["style"] = json!("danger");
        let elements = json!([asking, button(&"x".repeat(75), "b")]);
        check_blocks(&json!([{ "type": "actions", "elements": elements }]), "");
        let image =
            json!({ "type": "image", "image_url": "https://x.test/a.png", "alt_text": "a" });
        check_blocks(
            &json!([
                { "type": "header", "text": { "type": "plain_text", "text": "Flock" } },
                { "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
                    { "type": "text", "text": "*a*\n" }, { "type": "text", "text": "b", "style": { "bold": true } },
                ] }] },
                { "type": "context", "elements": [{ "type": "plain_text", "text": "a" }, image] },
                { "type": "section", "fields": [{ "type": "mrkdwn", "text": "a" }], "accessory": image },
            ]),
            "",
        );
    }

    #[test]
    fn what_slack_refuses_is_refused() {
        let place = "invalid_blocks blocks/0";
        check_blocks(&json!([section("")]), &format!("{place}/text: text is empty"));
        check_blocks(
            &json!([section(&"x".repeat(3_001))]),
            &format!("{place}/text: text has 3001 characters, more than 3000"),
        );
        check_blocks(
            &Value::Array(vec![json!({ "type": "divider" }); 51]),
            "invalid_blocks blocks: there are 51, more than 50",
        );
        check_blocks(
            &json!([{ "type": "actions", "elements": [button(&"x".repeat(76), "a")] }]),
            &format!("{place}/elements/0/text: text has 76 characters, more than 75"),
        );
        check_blocks(
            &json!([{ "type": "actions", "elements": [button("a", "a"), button("b", "a")] }]),
            &format!("{place}/elements/1: a second element has the action_id a"),
        );
        check_blocks(
            &json!([{ "type": "actions", "elements": [] }]),
            &format!("{place}: elements must be a list of 1 to 25, not 0"),
        );
        check_blocks(&json!([{ "type": "section" }]), &format!("{place}: it has no text"));
        check_blocks(
            &json!([{ "type": "table" }]),
            &format!("{place}: the type table is not known here"),
        );
        let rich = |part: Value| json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [part] }] }]);
        let part = format!("{place}/elements/0/elements/0");
        check_blocks(
            &rich(json!({ "type": "text", "text": "" })),
            &format!("{part}: text is empty"),
        );
        check_blocks(
            &rich(json!({ "type": "text", "text": "a", "style": { "loud": true } })),
            &format!("{part}: style must be of bold, italic, strike and code"),
        );
        check_blocks(&json!(["x"]), &format!("{place}: it must be an object"));
        check_blocks(
            &json!([{ "type": "header", "text": { "type": "mrkdwn", "text": "x" } }]),
            &format!("{place}/text: it must be plain_text, not mrkdwn"),
        );
        check_blocks(
            &json!([{ "type": "section", "text": { "type": "plain_text", "text": "x", "verbatim": true } }]),
            &format!("{place}/text: a plain_text has no verbatim"),
        );
        check_blocks(
            &json!([{ "type": "divider", "block_id": "a" }, { "type": "divider", "block_id": "a" }]),
            "invalid_blocks blocks/1: a second block has the block_id a",
        );
        check_blocks(
            &Value::Array(vec![section(&"x".repeat(2_700)); 5]),
            "msg_blocks_too_long blocks: as JSON they have more than 13,200 characters",
        );
        check_blocks(&json!("x"), "invalid_blocks_format blocks: they must be a list");
        let code = |message: Value| check(&message).expect_err("it is wrong").code;
        assert_eq!(code(json!({})), "no_text");
        assert_eq!(code(json!({ "text": " " })), "no_text");
        assert_eq!(code(json!({ "text": "x".repeat(40_001) })), "msg_too_long");
    }
}
