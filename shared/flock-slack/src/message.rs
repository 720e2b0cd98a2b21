//! What we show: text and buttons as Slack's blocks, within its limits.
//!
//! Characters are counted as UTF-16 does, which is never fewer than Slack can mean.

use std::collections::HashSet;

use flock_core::UserId;
use serde_json::{Value, json};

/// Of a section's text (Slack, "Reference: blocks", 2026-11).
pub const SECTION_CHARACTERS: usize = 3_000;
/// Of a message (Slack, "Reference: blocks", 2026-11).
pub const BLOCKS_PER_MESSAGE: usize = 50;
/// Of an actions block (Slack, "Reference: blocks", 2026-11).
pub const BUTTONS_PER_BLOCK: usize = 25;
/// Of a button's label (Slack, "Reference: block elements", 2026-11).
pub const LABEL_CHARACTERS: usize = 75;
/// Of a button's `action_id` (Slack, "Reference: block elements", 2026-11).
pub const ACTION_CHARACTERS: usize = 255;
/// Of the address that a button opens (Slack, "Reference: block elements", 2026-11).
pub const URL_CHARACTERS: usize = 3_000;
/// The action of a button that opens a page.
pub const LINK: &str = "link";
/// Of a button's value (Slack, "Reference: block elements", 2026-11).
pub const VALUE_CHARACTERS: usize = 2_000;
/// Of all blocks of a message, as JSON. `chat.postMessage` refuses somewhat more than 13,200 with
/// `msg_blocks_too_long`, which is not documented (github.com/slackapi/bolt-js/issues/2509, 2025-04; a report of 2026-04
/// in issue 2867 counts 11,341 of text alone).
const MESSAGE_CHARACTERS: usize = 11_000;

const FENCE: &str = "```";
/// Slack refuses a text with nothing in it.
const BLANK: &str = "\u{a0}";

/// Makes text that is not ours safe to show: it can neither format a link nor ring anybody (Slack, "Formatting text for
/// app surfaces", 2026-11).
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Names a user in a message; Slack shows the name and tells them.
pub fn mention(user: &UserId) -> String {
    format!("<@{user}>")
}

/// An answer, whatever its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Lines of Slack's mrkdwn. What is not ours in it must be [escaped](escape). Links are written `<https://...>`: plain
    /// text is shown as it is, so that `@here` in it rings nobody.
    pub text: String,
    /// Below the text, lines with parts that are shown to the letter.
    pub lines: Vec<Line>,
    /// Below those, something in somebody's own words, to the letter: no mark in it formats anything, no name of an emoji
    /// becomes one.
    pub quoted: String,
    /// The buttons below it.
    pub buttons: Vec<Button>,
    /// Who sees it.
    pub audience: Audience,
    /// Whether it may take the place of the message whose button asked for it.
    pub replaces: bool,
}

/// A line in which everything is shown to the letter, as if each part was quoted.
pub type Line = Vec<Span>;

/// A part of a line. Nothing in it is escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// As it is.
    Text(String),
    /// In bold.
    Bold(String),
    /// As code, like what is to be typed.
    Code(String),
}

/// Who sees a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever asked.
    OnlyYou,
    /// The whole room.
    Everybody,
}

/// A button. What is too long for Slack is cut, the label visibly; a value must fit, or what comes back is not it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// What is on it, as plain text; up to [`LABEL_CHARACTERS`].
    pub label: String,
    /// What it does, as [`Pressed::action`](crate::Pressed::action) says; up to [`ACTION_CHARACTERS`]. Slack wants
    /// another one for each button of a row: one that repeats begins a new row.
    pub action: String,
    /// What it does it to; may be empty; up to [`VALUE_CHARACTERS`].
    pub value: String,
    /// How it looks.
    pub style: ButtonStyle,
    /// The page it opens. It does nothing else then.
    pub url: Option<String>,
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ButtonStyle {
    /// Like any other.
    Plain,
    /// Green: what most people want. One a message.
    Primary,
    /// Red: what cannot be undone.
    Danger,
}

impl Reply {
    /// A reply for whoever asked.
    pub fn only_you(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            lines: Vec::new(),
            quoted: String::new(),
            buttons: Vec::new(),
            audience: Audience::OnlyYou,
            replaces: false,
        }
    }

    /// A reply for the whole room.
    pub fn everybody(text: impl Into<String>) -> Self {
        Self { audience: Audience::Everybody, ..Self::only_you(text) }
    }

    /// Shows these below the text.
    #[must_use]
    pub fn lines(self, lines: Vec<Line>) -> Self {
        Self { lines, ..self }
    }

    /// Shows this below the text, to the letter.
    #[must_use]
    pub fn quote(self, quoted: impl Into<String>) -> Self {
        Self { quoted: quoted.into(), ..self }
    }

    /// Adds a button after those there are.
    #[must_use]
    pub fn button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }

    /// The messages it takes, mostly one: each `text`, for notifications, and `blocks`, which hold everything. The buttons
    /// are in the last.
    pub fn messages(&self) -> Vec<Value> {
        let mut messages = Messages::default();
        for section in sections(&self.text) {
            messages.add(vec![Block::section(section)]);
        }
        for block in Block::exact(&self.lines) {
            messages.add(vec![block]);
        }
        for piece in pieces(&self.quoted) {
            messages.add(vec![Block::plain(piece)]);
        }
        messages.add(self.rows().into_iter().map(Row::into_block).collect());
        if messages.0.is_empty() {
            messages.add(vec![Block::section(BLANK.to_owned())]);
        }
        messages.0.into_iter().map(Parts::into_message).collect()
    }

    /// The messages with the `response_type` that an answer to a slash command or button needs. A response URL takes five
    /// (Slack, "Handling user interaction", 2026-11).
    pub fn responses(&self) -> Vec<Value> {
        let response_type = match self.audience {
            Audience::OnlyYou => "ephemeral",
            Audience::Everybody => "in_channel",
        };
        let mut messages = self.messages();
        for message in &mut messages {
            message["response_type"] = Value::from(response_type);
        }
        messages
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for button in &self.buttons {
            match rows.last_mut() {
                Some(row) if row.takes(button) => row.add(button),
                _ => {
                    let mut row = Row::default();
                    row.add(button);
                    rows.push(row);
                }
            }
        }
        rows
    }
}

impl Button {
    /// A plain button.
    pub fn new(
        label: impl Into<String>,
        action: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        let (label, action, value) = (label.into(), action.into(), value.into());
        Self { label, action, value, style: ButtonStyle::Plain, url: None }
    }

    /// A button that opens the page at `url`, up to [`URL_CHARACTERS`]. Slack tells of it all the same when it is pressed, with
    /// the action [`LINK`].
    pub fn link(label: impl Into<String>, url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..Self::new(label, LINK, "") }
    }

    /// Makes it green.
    #[must_use]
    pub fn primary(self) -> Self {
        Self { style: ButtonStyle::Primary, ..self }
    }

    /// Makes it red.
    #[must_use]
    pub fn danger(self) -> Self {
        Self { style: ButtonStyle::Danger, ..self }
    }

    fn label(&self) -> String {
        match self.label.trim() {
            "" => "…".to_owned(),
            label if characters(label) <= LABEL_CHARACTERS => label.to_owned(),
            label => format!("{}…", beginning(label, LABEL_CHARACTERS - 1)),
        }
    }

    fn action(&self) -> &str {
        beginning(&self.action, ACTION_CHARACTERS)
    }

    fn element(&self) -> Value {
        let mut element = json!({
            "type": "button",
            "text": { "type": "plain_text", "text": self.label() },
            "action_id": self.action(),
        });
        if !self.value.is_empty() {
            element["value"] = Value::from(beginning(&self.value, VALUE_CHARACTERS));
        }
        if let Some(url) = &self.url {
            element["url"] = Value::from(beginning(url, URL_CHARACTERS));
        }
        match self.style {
            ButtonStyle::Plain => {}
            ButtonStyle::Primary => element["style"] = Value::from("primary"),
            ButtonStyle::Danger => element["style"] = Value::from("danger"),
        }
        element
    }
}

/// The buttons of an actions block.
#[derive(Default)]
struct Row<'a> {
    actions: HashSet<&'a str>,
    elements: Vec<Value>,
    labels: Vec<String>,
    characters: usize,
}

impl<'a> Row<'a> {
    /// What is around the buttons, as JSON.
    const AROUND: usize = 100;

    fn takes(&self, button: &Button) -> bool {
        self.elements.len() < BUTTONS_PER_BLOCK
            && !self.actions.contains(button.action())
            && self.characters + json_characters(&button.element())
                <= MESSAGE_CHARACTERS - Self::AROUND
    }

    fn add(&mut self, button: &'a Button) {
        let element = button.element();
        self.characters += json_characters(&element);
        self.actions.insert(button.action());
        self.elements.push(element);
        self.labels.push(escape(&button.label()));
    }

    fn into_block(self) -> Block {
        let value = json!({ "type": "actions", "elements": self.elements });
        // For a message that has nothing else to say.
        let text = sections(&self.labels.join("\n")).into_iter().next();
        let text = text.unwrap_or_else(|| BLANK.to_owned());
        Block { characters: json_characters(&value), value, text }
    }
}

/// Messages that fill up with blocks.
#[derive(Default)]
struct Messages(Vec<Parts>);

/// A message's blocks, their length as JSON, and its text for notifications.
#[derive(Default)]
struct Parts {
    blocks: Vec<Value>,
    characters: usize,
    text: String,
}

/// A block, its length as JSON, and what it says.
struct Block {
    value: Value,
    characters: usize,
    text: String,
}

impl Messages {
    /// Adds blocks that belong together: to the last message if they all fit, else to new ones.
    fn add(&mut self, blocks: Vec<Block>) {
        let characters = blocks.iter().map(|block| block.characters).sum();
        let mut begin = !self.0.last().is_some_and(|last| last.fits(blocks.len(), characters));
        for block in blocks {
            match self.0.last_mut() {
                Some(last) if !begin && last.fits(1, block.characters) => last.add(block),
                _ => {
                    let mut parts = Parts::default();
                    parts.add(block);
                    self.0.push(parts);
                }
            }
            begin = false;
        }
    }
}

impl Parts {
    fn fits(&self, blocks: usize, characters: usize) -> bool {
        self.blocks.len() + blocks <= BLOCKS_PER_MESSAGE
            && self.characters + characters <= MESSAGE_CHARACTERS
    }

    fn add(&mut self, block: Block) {
        let is_section = ["section", "rich_text"].iter().any(|kind| block.value["type"] == *kind);
        if self.text.is_empty() {
            self.text = block.text;
        } else if is_section
            && characters(&self.text) + 1 + characters(&block.text) <= SECTION_CHARACTERS
        {
            self.text.push('\n');
            self.text.push_str(&block.text);
        }
        self.characters += block.characters;
        self.blocks.push(block.value);
    }

    fn into_message(self) -> Value {
        json!({ "text": self.text, "blocks": self.blocks })
    }
}

impl Block {
    fn section(text: String) -> Self {
        let value = json!({
            "type": "section",
            "text": { "type": "mrkdwn", "text": text, "verbatim": true },
        });
        Self { characters: json_characters(&value), value, text }
    }

    /// Text that is escaped and otherwise shown as it is. Slack escapes `&`, `<` and `>` of plain text where that is not done, and
    /// shows what they stand for (github.com/slackapi/bolt-python/issues/513, 2021-11).
    fn plain(text: String) -> Self {
        let value = json!({
            "type": "section",
            "text": { "type": "plain_text", "text": text, "emoji": false },
        });
        Self { characters: json_characters(&value), value, text }
    }

    /// Lines in which everything is shown as it is. Of what stands in a rich text nothing is read as mrkdwn, and nothing is escaped
    /// (Slack, "Rich text block", 2026-11; github.com/yhatt/jsx-slack/issues/299, 2023-09). How long one may be is not documented;
    /// the lines are no longer than those of a section.
    fn exact(lines: &[Line]) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut rest = lines.iter().map(|line| shortened_line(line, SECTION_CHARACTERS)).peekable();
        while rest.peek().is_some() {
            let (mut fit, mut used) = (Vec::new(), RICH_AROUND);
            while let Some(line) = rest.next_if(|line| {
                used += line_characters(line);
                fit.is_empty() || used <= MESSAGE_CHARACTERS
            }) {
                fit.push(line);
            }
            blocks.push(Self::rich(&fit));
        }
        blocks
    }

    fn rich(lines: &[Line]) -> Self {
        let mut spans: Line = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let end = (0 < number).then(|| Span::Text("\n".to_owned()));
            for span in end.into_iter().chain(line.iter().cloned()) {
                match (spans.last_mut(), span) {
                    (Some(Span::Text(before)), Span::Text(text)) => before.push_str(&text),
                    (_, span) if span.text().is_empty() => {}
                    (_, span) => spans.push(span),
                }
            }
        }
        if spans.is_empty() {
            spans.push(Span::Text(BLANK.to_owned()));
        }
        let elements: Vec<_> = spans.iter().map(Span::element).collect();
        let section = json!({ "type": "rich_text_section", "elements": elements });
        let value = json!({ "type": "rich_text", "elements": [section] });
        // For notifications.
        let text: Vec<_> = lines.iter().map(marked).collect();
        let text = sections(&text.join("\n")).into_iter().next();
        let text = text.unwrap_or_else(|| BLANK.to_owned());
        Self { characters: json_characters(&value), value, text }
    }
}

/// What is around the lines of a rich text, as JSON.
const RICH_AROUND: usize = 100;

/// What is around one part of it, at most.
const SPAN_AROUND: usize = 60;

impl Span {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Bold(text) | Self::Code(text) => text,
        }
    }

    fn with_text(&self, text: String) -> Self {
        match self {
            Self::Text(_) => Self::Text(text),
            Self::Bold(_) => Self::Bold(text),
            Self::Code(_) => Self::Code(text),
        }
    }

    fn element(&self) -> Value {
        let mut element = json!({ "type": "text", "text": self.text() });
        match self {
            Self::Text(_) => {}
            Self::Bold(_) => element["style"] = json!({ "bold": true }),
            Self::Code(_) => element["style"] = json!({ "code": true }),
        }
        element
    }
}

/// The line in mrkdwn, where marks in it may be read as such.
pub fn marked(line: &Line) -> String {
    let spans = line.iter().map(|span| match span {
        Span::Text(text) => escape(text),
        Span::Bold(text) => format!("*{}*", escape(text)),
        Span::Code(text) => format!("`{}`", escape(text)),
    });
    spans.collect()
}

/// The characters that a line takes in JSON.
fn line_characters(line: &Line) -> usize {
    let spans =
        line.iter().map(|span| SPAN_AROUND + span.text().chars().map(in_json).sum::<usize>());
    2 + spans.sum::<usize>()
}

/// The line as it is, or as much of its text as has `most` characters in JSON with the mark that it goes on.
fn shortened_line(line: &Line, most: usize) -> Line {
    let text =
        |line: &Line| line.iter().flat_map(|span| span.text().chars()).map(in_json).sum::<usize>();
    if text(line) <= most {
        return line.clone();
    }
    let mut left = most.saturating_sub(1);
    let mut short = Line::new();
    for span in line {
        let fits = span.text().char_indices().find(|(_, c)| {
            let used = in_json(*c);
            let fits = used <= left;
            left = if fits { left - used } else { 0 };
            !fits
        });
        let end = fits.map_or(span.text().len(), |(end, _)| end);
        short.push(span.with_text(span.text()[..end].to_owned()));
        if fits.is_some() {
            break;
        }
    }
    short.push(Span::Text("…".to_owned()));
    short
}

/// The lines as they are, or, where they are too much for one message beside a little else, with the longest of them cut
/// visibly.
pub fn fitted(lines: &[String]) -> Vec<String> {
    // A line end is two characters in JSON.
    let characters = |line: &String| 2 + line.chars().map(in_json).sum::<usize>();
    fit(|most| lines.iter().map(|line| shortened(line, most)).collect(), characters)
}

/// The same of lines that are shown to the letter.
pub fn fitted_lines(lines: &[Line]) -> Vec<Line> {
    fit(|most| lines.iter().map(|line| shortened_line(line, most)).collect(), line_characters)
}

/// What fits a message of lines that can be cut so that each has no more than so many characters.
fn fit<L>(cut: impl Fn(usize) -> Vec<L>, characters: impl Fn(&L) -> usize) -> Vec<L> {
    /// Of [`MESSAGE_CHARACTERS`]; what is left is for what stands around them.
    const ALL: usize = 8_000;
    let mut most = ALL;
    loop {
        let fitted = cut(most);
        if fitted.iter().map(&characters).sum::<usize>() <= ALL || most < 2 {
            return fitted;
        }
        most -= most.div_ceil(10);
    }
}

/// The line as it is, or as much of it as has `most` characters in JSON with the mark that it goes on. No entity, link or
/// mention is cut.
pub fn shortened(line: &str, most: usize) -> String {
    if line.chars().map(in_json).sum::<usize>() <= most {
        return line.to_owned();
    }
    let (mut end, mut used) = (0, 1);
    while let Some(token) = token(&line[end..]) {
        used += token.chars().map(in_json).sum::<usize>();
        if most < used {
            break;
        }
        end += token.len();
    }
    format!("{}…", line[..end].trim_end())
}

/// The characters that `c` is in JSON.
fn in_json(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        c if c.is_control() => "\\u0000".len(),
        c => c.len_utf16(),
    }
}

/// A text that is shown as it is, escaped, in as many pieces as sections hold. A piece with nothing to see is left out.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    let escaped = escape(text);
    let mut rest = escaped.as_str();
    while let Some(token) = token(rest) {
        if SECTION_CHARACTERS < used + characters(token) {
            pieces.push(String::new());
            used = 0;
        }
        used += characters(token);
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(token);
        }
        rest = &rest[token.len()..];
    }
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

/// Cuts a text into what sections hold, at line ends if it can. What is fenced stays fenced. A section with nothing to see
/// is left out.
fn sections(text: &str) -> Vec<String> {
    let mut sections = Vec::new();
    let (mut rest, mut fenced) = (text, false);
    while !rest.is_empty() {
        let opening = if fenced { "```\n" } else { "" };
        let room = SECTION_CHARACTERS - opening.len();
        let mut cut = Cut::of(rest, room, fenced);
        // Of a text that is cut, every section closes its fence.
        let whole = cut.next == rest.len();
        let is_cut = fenced || !sections.is_empty() || !whole;
        if is_cut && cut.fenced {
            cut = Cut::of(rest, room - "\n```".len(), fenced);
        }
        let piece = &rest[..cut.end];
        let closing = if is_cut && cut.fenced { "\n```" } else { "" };
        if !piece.trim().is_empty() {
            sections.push(format!("{opening}{piece}{closing}"));
        }
        (rest, fenced) = (&rest[cut.next..], cut.fenced);
        // The fence that ends here is closed already.
        if let Some(after) = rest.trim_start().strip_prefix(FENCE).filter(|_| fenced) {
            (rest, fenced) = (after, false);
        }
    }
    sections
}

/// Where a text is cut.
#[derive(Clone, Copy)]
struct Cut {
    /// Where the piece ends.
    end: usize,
    /// Where the next one begins: a line end is left out.
    next: usize,
    /// Whether this is inside a fence.
    fenced: bool,
}

impl Cut {
    /// Where to cut `text` so that the piece has up to `room` characters.
    fn of(text: &str, room: usize, fenced: bool) -> Self {
        let mut here = Self { end: 0, next: 0, fenced };
        let (mut at_line, mut at_blank) = (None, None);
        // Whether there is something to see in the piece, and in its fence.
        let mut visible = false;
        let mut used = 0;
        while let Some(token) = token(&text[here.next..]) {
            used += characters(token);
            if room < used {
                return match token {
                    "\n" if visible => Self { next: here.next + 1, ..here },
                    " " | "\t" if visible => at_line.unwrap_or(here),
                    _ => at_line.or(at_blank).unwrap_or(here),
                };
            }
            let next = here.next + token.len();
            here = Self { end: next, next, fenced: here.fenced };
            match token {
                // A piece should not end with a fence that has just opened.
                FENCE => {
                    here.fenced = !here.fenced;
                    visible = !here.fenced;
                }
                "\n" if visible => at_line = Some(Self { end: next - 1, ..here }),
                " " | "\t" if visible => at_blank = Some(here),
                _ => visible |= !token.trim().is_empty(),
            }
        }
        here
    }
}

/// What a text begins with that must not be cut: a fence, an entity, a link or mention, or a character.
fn token(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let length = match first {
        '`' if text.starts_with(FENCE) => FENCE.len(),
        '&' => {
            let entity = ["&amp;", "&lt;", "&gt;"].into_iter().find(|e| text.starts_with(e));
            entity.map_or(1, str::len)
        }
        '<' => bracketed(text).unwrap_or(1),
        c => c.len_utf8(),
    };
    text.get(..length)
}

/// The length of the `<...>` that `text` begins with, if it is one that fits a section.
fn bracketed(text: &str) -> Option<usize> {
    let inside = beginning(&text[1..], SECTION_CHARACTERS - 100);
    let end = inside.find(['<', '>', '\n'])?;
    let is_one = inside[end..].starts_with('>') && !inside[..end].contains(FENCE);
    is_one.then_some(end + 2)
}

/// As UTF-16 counts them.
fn characters(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn json_characters(value: &Value) -> usize {
    characters(&value.to_string())
}

/// The longest beginning with up to `limit` characters.
fn beginning(text: &str, limit: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.len_utf16();
        limit < used
    });
    end.map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(reply: &Reply) -> Vec<String> {
        let blocks = reply.messages().into_iter().flat_map(|message| blocks(&message));
        let texts = blocks.filter_map(|block| Some(block["text"]["text"].as_str()?.to_owned()));
        texts.collect()
    }

    fn blocks(message: &Value) -> Vec<Value> {
        message["blocks"].as_array().unwrap().clone()
    }

    #[track_caller]
    fn cuts(text: &str, expected: &[&str]) {
        let found = texts(&Reply::only_you(text));
        let shown = |texts: &[String]| {
            texts.iter().map(|text| text.chars().take(30).collect()).collect::<Vec<String>>()
        };
        assert!(found == expected, "{:?}", shown(&found));
    }

    #[test]
    fn foreign_text_rings_nobody() {
        let text = "<!channel> <@U1> a & b &lt; <https://evil|good>";
        insta::assert_snapshot!(
            escape(text),
            @"&lt;!channel&gt; &lt;@U1&gt; a &amp; b &amp;lt; &lt;https://evil|good&gt;"
        );
        assert_eq!(mention(&"U012AB3CD".parse().unwrap()), "<@U012AB3CD>");
    }

    #[test]
    fn a_reply_is_one_message() {
        let reply = Reply::only_you("*3 posts* would go")
            .button(Button::new("Wipe 3 posts", "wipe", "w1").danger())
            .button(Button::new("Keep", "keep", "w1").primary())
            .button(Button::new("?", "help", ""));
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&reply.responses()).unwrap(),
            @r#"
            [
              {
                "blocks": [
                  {
                    "text": {
                      "text": "*3 posts* would go",
                      "type": "mrkdwn",
                      "verbatim": true
                    },
                    "type": "section"
                  },
                  {
                    "elements": [
                      {
                        "action_id": "wipe",
                        "style": "danger",
                        "text": {
                          "text": "Wipe 3 posts",
                          "type": "plain_text"
                        },
                        "type": "button",
                        "value": "w1"
                      },
                      {
                        "action_id": "keep",
                        "style": "primary",
                        "text": {
                          "text": "Keep",
                          "type": "plain_text"
                        },
                        "type": "button",
                        "value": "w1"
                      },
                      {
                        "action_id": "help",
                        "text": {
                          "text": "?",
                          "type": "plain_text"
                        },
                        "type": "button"
                      }
                    ],
                    "type": "actions"
                  }
                ],
                "response_type": "ephemeral",
                "text": "*3 posts* would go"
              }
            ]
            "#
        );
        let everybody = Reply::everybody("x").responses();
        assert_eq!(everybody[0]["response_type"], "in_channel");
        assert!(Reply::everybody("x").messages()[0].get("response_type").is_none());
    }

    #[test]
    fn long_texts_are_cut_at_line_ends() {
        let (a, b) = ("a".repeat(2_000), "b".repeat(1_500));
        cuts(&format!("{a}\n{b}"), &[&a, &b]);
        let (a, b) = ("a".repeat(1_499), "b".repeat(1_500));
        cuts(&format!("{a}\n{b}"), &[&format!("{a}\n{b}")]);
        cuts(&format!("{a}\n{b}\nc"), &[&format!("{a}\n{b}"), "c"]);
        cuts(&format!("{a}\n{b}c\nd"), &[&a, &format!("{b}c\nd")]);
    }

    #[test]
    fn long_lines_are_cut_at_a_blank_or_between_characters() {
        let (a, b) = ("a".repeat(2_000), "b".repeat(1_500));
        cuts(&format!("{a} {b}"), &[&format!("{a} "), &b]);
        cuts(&"a".repeat(3_000), &[&"a".repeat(3_000)]);
        cuts(&"a".repeat(3_001), &[&"a".repeat(3_000), "a"]);
        // 🐑 counts as two.
        cuts(&"🐑".repeat(1_501), &[&"🐑".repeat(1_500), "🐑"]);
    }

    #[test]
    fn entities_and_mentions_are_not_cut() {
        let (a, b) = ("a".repeat(2_998), "b".repeat(10));
        cuts(&format!("{a}&amp;{b}"), &[&a, &format!("&amp;{b}")]);
        cuts(&format!("{a}<@U1>{b}"), &[&a, &format!("<@U1>{b}")]);
        cuts(&format!("{a}<https://x|a b>{b}"), &[&a, &format!("<https://x|a b>{b}")]);
        // What only looks like one is cut anywhere.
        cuts(&format!("{a}&#{b}"), &[&format!("{a}&#"), &b]);
        cuts(&format!("{a}<a{b}"), &[&format!("{a}<a"), &b]);
        let long = format!("<{}>", "a".repeat(5_000));
        assert_eq!(texts(&Reply::only_you(long)).len(), 2);
    }

    #[test]
    fn fences_are_closed_and_opened_again() {
        let (a, b) = ("a".repeat(2_000), "b".repeat(1_500));
        cuts(
            &format!("x\n```\n{a}\n{b}\n```\ny"),
            &[&format!("x\n```\n{a}\n```"), &format!("```\n{b}\n```\ny")],
        );
        // A fence that ends at the cut is not opened again.
        let fit = "a".repeat(2_992);
        cuts(&format!("```\n{fit}\n```yyyyy"), &[&format!("```\n{fit}\n```"), "yyyyy"]);
        // One that nobody closed is closed, if it is cut.
        cuts(&format!("```{a}\n{b}"), &[&format!("```{a}\n```"), &format!("```\n{b}\n```")]);
        cuts("```a", &["```a"]);
    }

    #[test]
    fn nothing_to_see_is_still_a_message() {
        cuts("", &[BLANK]);
        cuts(&"\n \t".repeat(3_000), &[BLANK]);
        cuts(&format!("{}a", " ".repeat(9_000)), &["a"]);
        let reply = Reply::only_you("").button(Button::new("A & B", "a", "1"));
        let message = &reply.messages()[0];
        assert_eq!(message["text"], "A &amp; B");
        assert_eq!(blocks(message).len(), 1);
    }

    #[test]
    fn buttons_keep_slacks_limits() {
        let long = Button::new("l".repeat(76), "a".repeat(256), "v".repeat(2_001));
        let reply = Reply::only_you("x").button(long).button(Button::new(" ", "b", ""));
        let elements = &reply.messages()[0]["blocks"][1]["elements"];
        assert_eq!(elements[0]["text"]["text"], format!("{}…", "l".repeat(74)));
        assert_eq!(elements[0]["action_id"], "a".repeat(255));
        assert_eq!(elements[0]["value"], "v".repeat(2_000));
        assert_eq!(elements[1]["text"]["text"], "…");
    }

    #[test]
    fn many_buttons_take_more_rows_and_equal_actions_one_each() {
        let reply = |actions: &[String]| {
            let buttons = actions.iter().map(|action| Button::new("x", action, "1"));
            let reply = buttons.fold(Reply::only_you("x"), Reply::button);
            let rows = reply.messages().iter().flat_map(blocks).skip(1).collect::<Vec<_>>();
            let length = |row: &Value| row["elements"].as_array().unwrap().len();
            rows.iter().map(length).collect::<Vec<_>>()
        };
        let different: Vec<_> = (0..60).map(|number| number.to_string()).collect();
        assert_eq!(reply(&different), [25, 25, 10]);
        assert_eq!(reply(&["stop", "help", "stop"].map(str::to_owned)), [2, 1]);
    }

    #[test]
    fn what_is_too_much_for_a_message_takes_more() {
        let line = "a".repeat(2_999);
        let text = [line.as_str(); 10].join("\n");
        let reply = Reply::only_you(text).button(Button::new("x", "x", ""));
        let messages = reply.messages();
        let lengths: Vec<_> = messages.iter().map(|message| blocks(message).len()).collect();
        assert_eq!(lengths, [3, 3, 3, 2]);
        assert!(messages.iter().all(|message| message["text"] == line.as_str()));
    }

    /// Text with everything in it that matters when it is cut.
    fn text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => "[a-z]{1,12}", 4 => Just(" ".to_owned()), 2 => Just("\n".to_owned()),
            1 => Just("```".to_owned()), 1 => Just("&amp;".to_owned()), 1 => Just("&".to_owned()),
            1 => Just("<@U1>".to_owned()), 1 => Just("<".to_owned()), 1 => Just("`".to_owned()),
            1 => "\\PC", 1 => (500..4_000_usize).prop_map(|length| "x".repeat(length)), 1 => Just("<https://x.example|a b>".to_owned()),
        ];
        prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
    }

    fn button() -> impl Strategy<Value = Button> {
        ("\\PC{0,90}", "[a-d]{0,2}|a{300}", "\\PC{0,20}|v{1900,2100}")
            .prop_map(|(label, action, value)| Button::new(label, action, value))
    }

    fn line() -> impl Strategy<Value = Line> {
        let span = (0..3_u8, text()).prop_map(|(kind, text)| match kind {
            0 => Span::Text(text.replace('\n', " ")),
            1 => Span::Bold(text.replace('\n', " ")),
            _ => Span::Code(text.replace('\n', " ")),
        });
        prop::collection::vec(span, 1..4)
    }

    /// What a block of rich text shows.
    fn exact(message: &Value) -> String {
        let rich = blocks(message).into_iter().filter(|block| block["type"] == "rich_text");
        let shown = rich.map(|block| {
            let parts = block["elements"][0]["elements"].as_array().unwrap().clone();
            parts.iter().map(|part| part["text"].as_str().unwrap().to_owned()).collect::<String>()
        });
        shown.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_shown_to_the_letter_is_no_mrkdwn() {
        let line = vec![
            Span::Text("12:00 ".to_owned()),
            Span::Bold("moon/apollo".to_owned()),
            Span::Text(" *a* & <b>".to_owned()),
        ];
        let ask = vec![Span::Text("More: ".to_owned()), Span::Code("/flock posts 2".to_owned())];
        let message = Reply::only_you("Times").lines(vec![line, ask]).messages().remove(0);
        insta::assert_snapshot!(message["text"].as_str().unwrap(), @"
        Times
        12:00 *moon/apollo* *a* &amp; &lt;b&gt;
        More: `/flock posts 2`
        ");
        insta::assert_snapshot!(message["blocks"][1], @r#"{"elements":[{"elements":[{"text":"12:00 ","type":"text"},{"style":{"bold":true},"text":"moon/apollo","type":"text"},{"text":" *a* & <b>\nMore: ","type":"text"},{"style":{"code":true},"text":"/flock posts 2","type":"text"}],"type":"rich_text_section"}],"type":"rich_text"}"#);
    }

    /// Without what cutting may change.
    fn bare(text: &str) -> String {
        text.replace(FENCE, "").split_whitespace().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]

        #[test]
        fn every_limit_holds_and_nothing_is_lost(
            text in text(), quoted in text(), buttons in prop::collection::vec(button(), 0..60),
        ) {
            let reply = Reply { buttons, ..Reply::only_you(&*text).quote(&*quoted) };
            let (mut shown, mut plain, mut pressed) = (Vec::new(), String::new(), 0);
            for message in reply.messages() {
                let text = message["text"].as_str().unwrap();
                prop_assert!((1..=SECTION_CHARACTERS).contains(&characters(text)));
                prop_assert!((1..=BLOCKS_PER_MESSAGE).contains(&blocks(&message).len()));
                let total: usize = blocks(&message).iter().map(json_characters).sum();
                prop_assert!(total <= MESSAGE_CHARACTERS);
                for block in blocks(&message) {
                    if block["type"] == "section" {
                        prop_assert_eq!(pressed, 0, "buttons come last");
                        let text = block["text"]["text"].as_str().unwrap();
                        prop_assert!((1..=SECTION_CHARACTERS).contains(&characters(text)));
                        if block["text"]["type"] == "plain_text" {
                            plain.push_str(text);
                            continue;
                        }
                        prop_assert!(plain.is_empty(), "what is quoted comes after the text");
                        shown.push(text.to_owned());
                        continue;
                    }
                    let elements = block["elements"].as_array().unwrap();
                    pressed += elements.len();
                    prop_assert!((1..=BUTTONS_PER_BLOCK).contains(&elements.len()));
                    let actions: HashSet<_> = elements.iter().map(|e| &e["action_id"]).collect();
                    prop_assert_eq!(actions.len(), elements.len());
                    for element in elements {
                        let length = |text: &Value| characters(text.as_str().unwrap());
                        let label = length(&element["text"]["text"]);
                        prop_assert!((1..=LABEL_CHARACTERS).contains(&label));
                        prop_assert!(length(&element["action_id"]) <= ACTION_CHARACTERS);
                        let value = element.get("value").map_or(1, length);
                        prop_assert!((1..=VALUE_CHARACTERS).contains(&value));
                    }
                }
            }
            prop_assert_eq!(pressed, reply.buttons.len());
            for section in &shown {
                prop_assert!(characters(section) <= SECTION_CHARACTERS);
                prop_assert!(!section.is_empty());
                let fences = section.matches(FENCE).count();
                prop_assert!(shown.len() == 1 || fences % 2 == 0, "{section:?}");
            }
            prop_assert_eq!(bare(&shown.join("\n")), bare(&text));
            let seen = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(seen(&crate::unescape(&plain)), seen(&quoted));
        }

        #[test]
        fn a_page_is_one_message(lines in prop::collection::vec(text(), 0..25)) {
            let lines: Vec<_> = lines.iter().map(|line| escape(&line.replace('\n', " "))).collect();
            let page = fitted(&lines);
            prop_assert_eq!(page.len(), lines.len());
            prop_assert_eq!(Reply::only_you(page.join("\n")).messages().len(), 1);
            for (fit, line) in page.iter().zip(&lines) {
                let is_cut = fit.strip_suffix('…').is_some_and(|start| line.starts_with(start));
                prop_assert!(fit == line || is_cut, "{fit} {line}");
            }
        }

        #[test]
        fn lines_to_the_letter_keep_every_limit(lines in prop::collection::vec(line(), 0..25)) {
            let messages = Reply::only_you("x").lines(lines.clone()).messages();
            for message in &messages {
                let text = message["text"].as_str().unwrap();
                prop_assert!((1..=SECTION_CHARACTERS).contains(&characters(text)));
                let total: usize = blocks(message).iter().map(json_characters).sum();
                prop_assert!(total <= MESSAGE_CHARACTERS, "{total}");
                for part in blocks(message).iter().filter_map(|block| block["elements"].as_array().cloned()).flatten() {
                    let parts = part["elements"].as_array().unwrap();
                    prop_assert!(!parts.is_empty() && parts.iter().all(|part| part["text"] != ""));
                }
            }
            let shown: Vec<_> = messages.iter().map(exact).filter(|shown| !shown.is_empty()).collect();
            let shown = shown.join("\n");
            let text = |line: &Line| line.iter().map(Span::text).collect::<String>();
            if !lines.iter().all(|line| text(line).is_empty()) {
                for (shown, line) in shown.split('\n').zip(lines.iter().map(text)) {
                    let is_cut = shown.strip_suffix('…').is_some_and(|start| line.starts_with(start));
                    prop_assert!(shown == line || is_cut, "{shown} {line}");
                }
                prop_assert_eq!(shown.split('\n').count(), lines.len());
            }
            let page = fitted_lines(&lines);
            prop_assert_eq!(page.len(), lines.len());
            prop_assert_eq!(Reply::only_you("x".repeat(1_500)).lines(page).messages().len(), 1);
        }

        #[test]
        fn what_must_stay_whole_does(text in text()) {
            for section in texts(&Reply::only_you(text.as_str())) {
                for cut in ["&am", "<@", "<@U", "<https://x.example|a "] {
                    prop_assert!(!section.trim_end_matches("\n```").ends_with(cut));
                }
            }
        }

        #[test]
        fn plain_text_comes_back_to_the_letter(
            lines in prop::collection::vec((0..300_usize, "[a-z ]{0,10}"), 0..60),
        ) {
            let lines = lines.iter().map(|(length, text)| format!("{} {text}", "a".repeat(*length)));
            let text = lines.collect::<Vec<_>>().join("\n");
            let sections = texts(&Reply::only_you(text.as_str()));
            let mut rest = text.as_str();
            for section in sections.iter().filter(|section| *section != BLANK) {
                let (between, after) = rest.split_once(section.as_str()).unwrap();
                prop_assert!(between.trim().is_empty());
                rest = after;
            }
            prop_assert!(rest.trim().is_empty());
        }

        #[test]
        fn escaped_text_has_no_brackets(text in "\\PC*") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>']));
            let back = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            prop_assert_eq!(back, text);
        }
    }
}
