//! Messages of the local Slack as Slack shows them: as HTML, and as lines for a terminal.

use maud::{Markup, html};
use serde_json::Value;

use crate::{
    mrkdwn::{self, Names},
    sender::ButtonPlace,
    workspace::{Author, BOT_NAME, Message},
};

/// A button on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What is on it.
    pub label: String,
    /// What it asks when it is pressed.
    pub question: Option<Question>,
    /// Where it is.
    pub place: ButtonPlace,
    /// `primary`, `danger` or nothing.
    pub style: String,
}

/// What a button asks before it does anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its heading.
    pub title: String,
    /// What it asks, as mrkdwn.
    pub text: String,
    /// What is on the button that says yes.
    pub yes: String,
}

/// All buttons of a message, as they come.
pub fn buttons(message: &Message) -> Vec<Button> {
    let elements = message.blocks.iter().flat_map(|block| {
        let elements = block["elements"].as_array().into_iter().flatten();
        elements.chain(block.get("accessory")).map(move |element| (block, element))
    });
    elements.filter_map(|(block, element)| button(message, block, element)).collect()
}

fn button(message: &Message, block: &Value, element: &Value) -> Option<Button> {
    // One with an address is a link.
    if element["type"] != "button" || element.get("url").is_some() {
        return None;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let question = element.get("confirm").map(|confirm| Question {
        title: mrkdwn::decoded(confirm["title"]["text"].as_str().unwrap_or_default()),
        text: text(&confirm["text"]["text"]).unwrap_or_default(),
        yes: mrkdwn::decoded(confirm["confirm"]["text"].as_str().unwrap_or("Yes")),
    });
    Some(Button {
        label: mrkdwn::decoded(element["text"]["text"].as_str()?),
        question,
        place: ButtonPlace {
            ts: message.ts.clone(),
            block: text(&block["block_id"])?,
            action: text(&element["action_id"])?,
        },
        style: text(&element["style"]).unwrap_or_default(),
    })
}

/// Who said it.
pub fn author(message: &Message, names: &Names) -> String {
    match &message.author {
        Author::Person(user) => {
            names.people.get(user.as_str()).cloned().unwrap_or_else(|| user.to_string())
        }
        Author::Bot => BOT_NAME.to_owned(),
        Author::Slackbot => "Slackbot".to_owned(),
    }
}

/// What it says, in lines.
pub fn plain(message: &Message, names: &Names) -> String {
    if message.blocks.is_empty() {
        return mrkdwn::plain(&message.text, names);
    }
    let blocks = message.blocks.iter().map(|block| {
        let mut lines = Vec::new();
        let text = |value: &Value| {
            let text = value["text"].as_str().unwrap_or_default();
            match value["type"].as_str() {
                Some("plain_text") => mrkdwn::decoded(text),
                _ => mrkdwn::plain(text, names),
            }
        };
        match block["type"].as_str().unwrap_or_default() {
            "divider" => lines.push("----".to_owned()),
            "header" => lines.push(text(&block["text"])),
            "markdown" => {
                lines.push(mrkdwn::plain(block["text"].as_str().unwrap_or_default(), names));
            }
            "image" => lines.push(picture(block)),
            "rich_text" => return mrkdwn::rich_plain(block),
            "context" => {
                let elements = block["elements"].as_array().into_iter().flatten();
                let elements = elements.map(|element| match element["type"].as_str() {
                    Some("image") => picture(element),
                    _ => text(element),
                });
                lines.push(elements.collect::<Vec<_>>().join("  "));
            }
            "section" => {
                lines.extend(block.get("text").map(text));
                lines.extend(block["fields"].as_array().into_iter().flatten().map(text));
            }
            _ => {}
        }
        let elements = block["elements"].as_array().into_iter().flatten();
        let labels: Vec<_> = elements.chain(block.get("accessory")).filter_map(label).collect();
        if !labels.is_empty() {
            lines.push(labels.join(" "));
        }
        lines.join("\n")
    });
    blocks.filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n")
}

fn picture(image: &Value) -> String {
    format!("[picture: {}]", image["alt_text"].as_str().unwrap_or_default())
}

/// What can be pressed or followed, as a terminal shows it.
fn label(element: &Value) -> Option<String> {
    let text = element["text"]["text"].as_str().map(mrkdwn::decoded);
    match element["type"].as_str()? {
        "button" => Some(match element["url"].as_str() {
            Some(url) => format!("[{}] ({url})", text?),
            None => format!("[{}]", text?),
        }),
        "image" => Some(picture(element)),
        "mrkdwn" | "plain_text" => None,
        other => Some(format!("[{other}: not shown here]")),
    }
}

/// What it says, as HTML; `pressing` are the hidden fields of a form that presses a button.
pub fn html(message: &Message, names: &Names, pressing: &[(&str, &str)]) -> Markup {
    if message.blocks.is_empty() {
        return mrkdwn::html(&message.text, names);
    }
    html! {
        @for block in &message.blocks {
            @match block["type"].as_str().unwrap_or_default() {
                "divider" => hr;,
                "header" => h3 { (mrkdwn::decoded(block["text"]["text"].as_str().unwrap_or_default())) },
                "markdown" => (mrkdwn::html(block["text"].as_str().unwrap_or_default(), names)),
                "image" => p.picture { (picture(block)) },
                "rich_text" => div.section { div { (mrkdwn::rich_html(block)) } },
                "context" => div.context {
                    @for element in block["elements"].as_array().into_iter().flatten() {
                        @if element["type"] == "image" { span.picture { (picture(element)) } }
                        @else { div { (text(element, names)) } }
                    }
                },
                "actions" => div.actions {
                    @for element in block["elements"].as_array().into_iter().flatten() {
                        (used(message, block, element, names, pressing))
                    }
                },
                "section" => div.section {
                    div {
                        @if let Some(value) = block.get("text") { (text(value, names)) }
                        @if let Some(fields) = block["fields"].as_array() {
                            div.fields { @for field in fields { div { (text(field, names)) } } }
                        }
                    }
                    @if let Some(accessory) = block.get("accessory") {
                        div.accessory { (used(message, block, accessory, names, pressing)) }
                    }
                },
                other => p.picture { "[" (other) ": not shown here]" },
            }
        }
    }
}

fn text(value: &Value, names: &Names) -> Markup {
    let text = value["text"].as_str().unwrap_or_default();
    if value["type"] == "plain_text" {
        html! { p { (mrkdwn::decoded(text)) } }
    } else {
        mrkdwn::html(text, names)
    }
}

/// An element somebody uses.
fn used(
    message: &Message,
    block: &Value,
    element: &Value,
    names: &Names,
    pressing: &[(&str, &str)],
) -> Markup {
    let Some(button) = button(message, block, element) else {
        // And pages of the run itself, which are on this machine.
        let begins = ["https://", "http://127.0.0.1:", "http://[::1]:"];
        let is_page = |url: &&str| begins.iter().any(|begin| url.starts_with(begin));
        let url = element["url"].as_str().filter(is_page);
        let label = element["text"]["text"].as_str().map(mrkdwn::decoded);
        return html! {
            @if let (Some(url), Some(label)) = (url, label) {
                a.button href=(url) rel="noopener noreferrer" { (label) }
            } @else {
                span.picture { (self::label(element).unwrap_or_default()) }
            }
        };
    };
    let Button { label, question, place, style } = button;
    html! {
        form.press method="post" action="press" {
            @for (name, value) in pressing { input type="hidden" name=(name) value=(value); }
            input type="hidden" name="ts" value=(place.ts);
            input type="hidden" name="block" value=(place.block);
            input type="hidden" name="action" value=(place.action);
            @if let Some(Question { title, text, yes }) = question {
                details {
                    summary.button.(style) { (label) }
                    div.question {
                        strong { (title) }
                        (mrkdwn::html(&text, names))
                        button.(style) { (yes) }
                    }
                }
            } @else {
                button.(style) { (label) }
            }
        }
    }
}
