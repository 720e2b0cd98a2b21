//! A YAML file as a tree that keeps lines and the tags of functions, and what can be asked of it.
//!
//! Whatever is wrong becomes a [`Finding`] with its line, and reading goes on where it can. Knows
//! how AWS reads YAML, and nothing of SAM, of resources or of what a file is for.
//!
//! YAML comes as events of the parser and not as its ready-made tree: that tree knows only the
//! first duplicate key, turns `1.10` into a number, and overflows the stack on a deeply nested file.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use std::{cell::RefCell, fmt};

/// Something in a file that cannot be run, or must not be deployed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct Finding {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub text: String,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings(RefCell<Vec<Finding>>);

/// A value in the file.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    /// The name of a function: `Ref` for `!Ref`.
    pub(crate) tag: Option<String>,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Scalar {
        text: String,
        /// Not in quotes, so that YAML may see more than text in it.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: usize,
    pub(crate) value: Node,
}

/// A node that is read, and what to call it in a finding.
#[derive(Clone)]
pub(crate) struct Value<'n> {
    pub(crate) node: &'n Node,
    /// The line of its key, if it has one.
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) findings: &'n Findings,
}

/// A mapping without keys.
pub(crate) static NOTHING: Node = Node { line: 0, tag: None, content: Content::Map(Vec::new()) };

/// Deeper than any file of ours. Reading a node takes stack.
const MAX_DEPTH: usize = 64;

/// More keys than any mapping has that AWS takes: a template has at most 500 resources (AWS, "Quotas",
/// 2026-11). A key is looked for by going through all of them.
const MAX_KEYS: usize = 1_000;

/// The one document of the file; none when it cannot be read, and then there is a finding.
pub(crate) fn document(text: &str, findings: &Findings) -> Option<Node> {
    let read = Reader { parser: Parser::new_from_str(text), findings }.document();
    let root = read.map_err(|Finding { line, text }| findings.add(line, text)).ok()?;
    if root.is_none() {
        findings.add(1, "the file is empty");
    }
    root
}

impl Findings {
    pub(crate) fn add(&self, line: usize, text: impl Into<String>) {
        self.0.borrow_mut().push(Finding { line, text: text.into() });
    }

    /// By line, each once.
    pub(crate) fn sorted(self) -> Vec<Finding> {
        let mut findings = self.0.into_inner();
        findings.sort_by_key(|finding| finding.line);
        findings.dedup();
        findings
    }
}

impl Node {
    /// What a mapping has under this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Empty when it is no mapping.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) if self.tag.is_none() => entries,
            _ => &[],
        }
    }

    /// Empty when it is no list.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.content {
            Content::List(items) if self.tag.is_none() => items,
            _ => &[],
        }
    }

    /// Text without a function.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } if self.tag.is_none() => Some(text),
            _ => None,
        }
    }

    /// A function with text, as in `!Ref Table`.
    pub(crate) fn call(&self) -> Option<(&str, &str)> {
        match (&self.tag, &self.content) {
            (Some(tag), Content::Scalar { text, .. }) => Some((tag, text)),
            _ => None,
        }
    }

    /// A function with a list, as in `!Equals [a, b]`.
    pub(crate) fn call_with_list(&self) -> Option<(&str, &[Self])> {
        match (&self.tag, &self.content) {
            (Some(tag), Content::List(items)) => Some((tag, items)),
            _ => None,
        }
    }

    /// Every node below, this one first.
    pub(crate) fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n Node)) {
        visit(self);
        match &self.content {
            Content::Scalar { .. } => {}
            Content::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Content::Map(entries) => entries.iter().for_each(|entry| entry.value.walk(visit)),
        }
    }

    /// What it is, to be said in a finding.
    pub(crate) fn describe(&self) -> String {
        match (&self.tag, &self.content) {
            (Some(tag), _) => format!("`!{tag}`"),
            (None, Content::Scalar { .. }) if self.is_nothing() => "empty".to_owned(),
            (None, Content::Scalar { text, .. }) => format!("`{text}`"),
            (None, Content::List(_)) => "a list".to_owned(),
            (None, Content::Map(_)) => "a mapping".to_owned(),
        }
    }

    /// Where a value could be and is not.
    fn is_nothing(&self) -> bool {
        self.is_plain() && self.scalar() == Some("")
    }

    fn is_plain(&self) -> bool {
        matches!(self.content, Content::Scalar { plain: true, .. })
    }
}

impl<'n> Value<'n> {
    pub(crate) fn finding(&self, text: impl Into<String>) {
        self.findings.add(self.line, text);
    }

    pub(crate) fn must_be(&self, must: &str) {
        self.finding(format!("{} must be {must}, not {}", self.what, self.node.describe()));
    }

    /// The value itself, if it is a mapping.
    pub(crate) fn mapping(&self) -> Option<Self> {
        let is_mapping = self.node.tag.is_none() && matches!(self.node.content, Content::Map(_));
        if !is_mapping {
            self.must_be("a mapping");
        }
        is_mapping.then(|| self.clone())
    }

    /// What a mapping has under this key.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Likewise; its absence is a finding.
    pub(crate) fn need(&self, key: &str, advice: &str) -> Option<Self> {
        let found = self.get(key);
        if found.is_none() {
            self.finding(format!("{} has no `{key}`; write {advice}", self.what));
        }
        found
    }

    /// The keys of a mapping and what is under them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'n str, Self)> {
        self.node.entries().iter().map(|Entry { key, line, value: node }| {
            let what = format!("`{key}` of {}", self.what);
            (key.as_str(), Self { node, line: *line, what, findings: self.findings })
        })
    }

    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        if self.node.tag.is_some() || !matches!(self.node.content, Content::List(_)) {
            self.must_be("a list");
            return None;
        }
        let what = format!("a part of {}", self.what);
        let item = |node: &'n Node| Self { node, line: node.line, what: what.clone(), ..*self };
        Some(self.node.items().iter().map(item).collect())
    }

    /// Text that stands there, and that AWS takes for the same.
    pub(crate) fn plain_text(&self) -> Option<String> {
        let node = self.node;
        let Some(text) = node.scalar().filter(|_| !node.is_nothing()) else {
            self.must_be("text");
            return None;
        };
        if node.is_plain() && is_misread(text) {
            self.finding(format!("`{text}` may be more than text to CloudFormation; quote it"));
            return None;
        }
        Some(text.to_owned())
    }

    /// Likewise, and not `true` or a number either.
    pub(crate) fn only_text(&self) -> Option<String> {
        let text = self.plain_text()?;
        if self.node.is_plain() && is_certain(&text) {
            self.finding(format!("`{text}` in {} is not text; quote it", self.what));
            return None;
        }
        Some(text)
    }

    /// One of these words.
    pub(crate) fn choice(&self, allowed: &[&str]) -> Option<&'n str> {
        let found = self.node.scalar().filter(|text| allowed.contains(text));
        if found.is_none() {
            self.must_be(&allowed.join(" or "));
        }
        found
    }

    /// What was made of the value, or a finding.
    pub(crate) fn accept<T>(&self, made: Result<T, impl fmt::Display>) -> Option<T> {
        made.map_err(|error| self.finding(error.to_string())).ok()
    }
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    findings: &'t Findings,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Option<Node>, Finding> {
        let mut root = None;
        loop {
            match self.event()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
                (Event::StreamEnd, _) => return Ok(root.filter(|root: &Node| !root.is_nothing())),
                (event, span) if root.is_none() => root = Some(self.node(event, span, 0)?),
                (_, span) => return Err(finding(span, "this is a second document; keep one")),
            }
        }
    }

    fn event(&mut self) -> Result<(Event<'t>, Span), Finding> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                let text = format!("this is not YAML at column {column}: {}", error.info());
                Err(Finding { line, text })
            }
            None => Err(Finding { line: 1, text: "this is not YAML: it has no end".to_owned() }),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Finding> {
        if depth > MAX_DEPTH {
            return Err(finding(span, "this is nested too deeply; bring it nearer to the top"));
        }
        let line = span.start.line();
        let (tag, content) = match event {
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain;
                (tag, Content::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(_, tag) => (tag, Content::List(self.list(depth + 1)?)),
            Event::MappingStart(_, tag) => (tag, Content::Map(self.map(depth + 1)?)),
            Event::Alias(_) => {
                return Err(finding(span, "CloudFormation knows no aliases; write it out"));
            }
            _ => return Err(finding(span, "this is not YAML: a value is missing")),
        };
        Ok(Node { line, tag: tag.map(|tag| tag.suffix.clone()), content })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Finding> {
        let mut items = Vec::new();
        loop {
            match self.event()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, Finding> {
        let mut entries: Vec<Entry> = Vec::new();
        for keys in 0.. {
            let key = match self.event()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (event, span) => self.node(event, span, depth)?,
            };
            // Also those that are here twice: each is a finding that somebody has to read.
            if keys == MAX_KEYS {
                let text = format!(
                    "this is one key too many: CloudFormation takes no mapping of {MAX_KEYS}"
                );
                return Err(Finding { line: key.line, text });
            }
            let (event, span) = self.event()?;
            let mut value = self.node(event, span, depth)?;
            let line = key.line;
            if value.is_nothing() {
                // The parser gives it the place of what comes next.
                value.line = line;
            }
            let Some(key) = key.scalar().map(str::to_owned) else {
                self.findings.add(line, "only text can be a key; write a name");
                continue;
            };
            if let Some(Entry { line: first, .. }) = entries.iter().find(|known| known.key == key) {
                let text = format!("`{key}` is here twice, first on line {first}; remove one");
                self.findings.add(line, text);
                continue;
            }
            entries.push(Entry { key, line, value });
        }
        unreachable!("there is no end of numbers")
    }
}

fn finding(span: Span, text: &str) -> Finding {
    Finding { line: span.start.line(), text: text.to_owned() }
}

/// Whether AWS, which reads YAML 1.1, may see something else in plain text than its characters.
fn is_misread(text: &str) -> bool {
    const WORDS: [&str; 10] = ["yes", "no", "on", "off", "null", "~", "=", "<<", "true", "false"];
    let is_like_a_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    !is_certain(text) && (is_like_a_number || WORDS.contains(&&*text.to_ascii_lowercase()))
}

/// Not text, and written so that every reader of YAML sees the same in it.
fn is_certain(text: &str) -> bool {
    let is_number = text.parse::<i128>().is_ok_and(|number| number.to_string() == text);
    text == "true" || text == "false" || is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let findings = Findings::default();
        let root = document(text, &findings);
        let found: Vec<String> = findings.sorted().iter().map(Finding::to_string).collect();
        assert_eq!(found, expected, "{text:?}");
        assert!(root.is_some() || !found.is_empty(), "{text:?}");
    }

    /// What is under `a`, as text.
    fn text_of(value: &str) -> Option<String> {
        let findings = Findings::default();
        let root = document(&format!("a: {value}"), &findings)?;
        let a = Value { node: root.get("a")?, line: 1, what: String::new(), findings: &findings };
        a.plain_text()
    }

    #[test]
    fn a_file_without_a_document_is_refused() {
        for text in ["", "\n \n", "# only this\n", "---\n", "---\n...\n", "\u{feff}"] {
            check(text, &["line 1: the file is empty"]);
        }
        check("a: 1\n\n---\nb: 2\n", &["line 4: this is a second document; keep one"]);
        check("a: 1\n...\n", &[]);
    }

    #[test]
    fn what_is_not_yaml_is_refused() {
        let check = |text: &str, line, column, info: &str| {
            check(text, &[&format!("line {line}: this is not YAML at column {column}: {info}")]);
        };
        check("a: 1\n b: 2\n", 2, 3, "mapping values are not allowed in this context");
        let tabs = "tabs disallowed within this context (block indentation)";
        check("a:\n\t- b\n", 2, 2, tabs);
        check("a: [b\n", 2, 1, "while parsing a flow sequence, expected ',' or ']'");
        check("a: *b\n", 1, 4, "while parsing node, found unknown anchor");
    }

    #[test]
    fn limits_hold() {
        let deep = "line 1: this is nested too deeply; bring it nearer to the top";
        check(&"- ".repeat(100_000), &[deep]);
        check(&"[".repeat(200), &[deep]);
        // An alias could stand for more than fits into memory.
        let alias = "line 2: CloudFormation knows no aliases; write it out";
        check("a: &b [x]\nc: *b\n", &[alias]);
        check("a: &b\n  - *b\n", &[alias]);
        // All 100,000 compared with each other would take minutes.
        let wide: Vec<_> = (0..100_000).map(|key| format!("k{key}: 1")).collect();
        let last = "line 1001: this is one key too many: CloudFormation takes no mapping of 1000";
        check(&wide.join("\n"), &[last]);
    }

    #[test]
    fn keys_are_texts_and_there_once() {
        check(
            "a: 1\na: 2\n? [a]\n: b\n? !Ref a\n: c\n",
            &[
                "line 2: `a` is here twice, first on line 1; remove one",
                "line 3: only text can be a key; write a name",
                "line 5: only text can be a key; write a name",
            ],
        );
    }

    #[test]
    fn text_is_what_cloudformation_takes_for_the_same() {
        for (value, expected) in [
            ("\"\"", ""),
            ("'010'", "010"),
            ("'yes'", "yes"),
            ("|\n  two\n  lines", "two\nlines\n"),
            ("&here x", "x"),
            ("x # y", "x"),
        ] {
            assert_eq!(text_of(value).as_deref(), Some(expected), "{value}");
        }
        for misread in [
            "Yes",
            "off",
            "~",
            "NULL",
            "010",
            "+1",
            "1_000",
            "0x1F",
            "1.0",
            ".5",
            "1e3",
            "1:30",
            "2026-01-01",
            ".inf",
            "True",
            "1st",
            "007x",
            "-x",
        ] {
            assert_eq!(text_of(misread), None, "{misread}");
        }
        for read in [
            "yesterday",
            "0",
            "-1",
            "-12",
            "12345678901234567890",
            "true",
            "false",
            "v1",
            "a:b",
            "info,x=debug",
            "/a",
        ] {
            assert_eq!(text_of(read).as_deref(), Some(read), "{read}");
        }
        for other in ["", "[x]", "{ x: y }", "!Ref x", "!!str x", "!x y"] {
            assert_eq!(text_of(other), None, "{other}");
        }
    }
}
