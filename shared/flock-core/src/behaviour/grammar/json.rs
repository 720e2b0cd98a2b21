//! The file of a grammar as it is written: which symbols it has, with which rules, and in which lines they stand.

use std::{borrow::Cow, collections::HashMap};

use serde::de::IgnoredAny;

use super::{Problems, shown};
use crate::foreign::{CURLY, STRAIGHT, without_marks};

/// A symbol of a file.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: String,
    /// Each with its line. Never empty.
    pub(super) rules: Vec<(usize, String)>,
}

/// The symbols of a file, in its order, but for those with which something is wrong.
pub(super) fn symbols(text: &str, problems: &mut Problems) -> Vec<Written> {
    // Nothing is kept, and nothing that is nested is gone into: however deep a file is, the stack does not grow.
    if let Err(err) = serde_json::from_str::<IgnoredAny>(text) {
        problems.tell(err.line().max(1), not_json(text, &err));
        return Vec::new();
    }
    let mut reader = Reader { text, at: 0, line: 1, counted: 0 };
    let mut symbols: Vec<Written> = Vec::new();
    if reader.next() != Some(b'{') {
        let why = format!(
            "a grammar is an object, {{\"origin\": [\"one rule\", \"another\"]}}, and this is {}",
            reader.kind()
        );
        problems.tell(reader.line(), why);
        return symbols;
    }
    reader.at += 1;
    let mut lines: HashMap<String, usize> = HashMap::new();
    while reader.next() == Some(b'"') {
        let line = reader.line();
        let name = text_of(reader.string(), line, problems);
        reader.pass(b':');
        let rules = rules(&mut reader, name.as_deref().unwrap_or_default(), problems);
        reader.pass(b',');
        let Some(name) = name else { continue };
        if let Some(before) = lines.insert(name.clone(), line) {
            let why = format!(
                "`{}` is in line {before} already; put its rules into one list",
                shown(&name)
            );
            problems.tell(line, why);
            continue;
        }
        symbols.push(Written { name, rules });
    }
    symbols
}

/// The rules of a symbol: a text, or a list of texts.
fn rules(reader: &mut Reader<'_>, name: &str, problems: &mut Problems) -> Vec<(usize, String)> {
    let mut rules = Vec::new();
    if reader.next() != Some(b'[') {
        rules.extend(rule(reader, name, problems));
        return rules;
    }
    let line = reader.line();
    reader.at += 1;
    let mut count = 0_usize;
    while reader.next().is_some_and(|byte| byte != b']') {
        count += 1;
        rules.extend(rule(reader, name, problems));
        reader.pass(b',');
    }
    reader.pass(b']');
    if count == 0 {
        problems.tell(line, format!("`{}` has no rules; give it one, or take it out", shown(name)));
    }
    rules
}

fn rule(reader: &mut Reader<'_>, name: &str, problems: &mut Problems) -> Option<(usize, String)> {
    reader.next();
    let line = reader.line();
    if reader.next() == Some(b'"') {
        return Some((line, text_of(reader.string(), line, problems)?));
    }
    let why = format!(
        "a rule of `{}` is {}; a rule is a text in double quotes",
        shown(name),
        reader.kind()
    );
    problems.tell(line, why);
    reader.skip();
    None
}

/// What a text says that stands in JSON so.
fn text_of(written: &str, line: usize, problems: &mut Problems) -> Option<String> {
    // All that can be wrong with it by now.
    let Ok(text) = serde_json::from_str::<String>(written) else {
        let why = "half of a character is written here (`\\ud800` to `\\udfff`); take it out, or write the character itself";
        problems.tell(line, why);
        return None;
    };
    let text = without_marks(&text);
    Some(if text.contains('\r') { text.replace("\r\n", "\n") } else { text.into_owned() })
}

fn not_json(text: &str, err: &serde_json::Error) -> String {
    let said = err.to_string();
    // The line stands beside it.
    let said = said.split_once(" at line ").map_or(&*said, |(said, _)| said);
    let above: usize =
        text.split_inclusive('\n').take(err.line().saturating_sub(1)).map(str::len).sum();
    // Columns are bytes, counted from 1.
    let at = (above + err.column()).saturating_sub(1);
    let (before, rest) = text.split_at_checked(at).unwrap_or_default();
    let line = text.get(above..).and_then(|text| text.lines().next()).unwrap_or_default();
    let hint: Cow<'_, str> = if before.trim_end().ends_with(',') && rest.starts_with([']', '}']) {
        "; take out the comma before it".into()
    } else if line.contains(CURLY) {
        format!("; the {STRAIGHT}").into()
    } else if said.starts_with("invalid escape") {
        "; for a sign that Tracery takes for more, JSON wants two backslashes: `\\\\#`".into()
    } else if said.starts_with("control character") {
        "; a line end in a text is written `\\n`, a tab `\\t`".into()
    } else {
        "".into()
    };
    format!("this is not JSON: {said}, at column {}{hint}", err.column())
}

/// Goes through a text that is JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The line of the byte `counted`.
    line: usize,
    counted: usize,
}

impl<'a> Reader<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not blank, which is where it stands then.
    fn next(&mut self) -> Option<u8> {
        while self.byte().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.byte()
    }

    /// Goes beyond this one, where it comes next.
    fn pass(&mut self, byte: u8) {
        if self.next() == Some(byte) {
            self.at += 1;
        }
    }

    fn line(&mut self) -> usize {
        let passed = self.text.get(self.counted..self.at).unwrap_or_default();
        self.line += passed.matches('\n').count();
        self.counted = self.at;
        self.line
    }

    /// What stands there, for a person.
    fn kind(&self) -> &'static str {
        match self.byte() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a text",
            Some(b't' | b'f') => "true or false",
            Some(b'n') => "null",
            _ => "a number",
        }
    }

    /// The text that begins there, with its quotation marks.
    fn string(&mut self) -> &'a str {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.byte() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Goes beyond the value that begins there.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'[' | b'{' => depth += 1,
                b']' | b'}' | b',' if depth == 0 => return,
                b']' | b'}' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
    }
}
