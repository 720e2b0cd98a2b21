//! How a rule is written: texts, `#symbol.modifier#`, `[key:value]`, and signs that stand for themselves.

use std::{iter::Peekable, str::Chars};

use super::{Action, Builder, Modifier, Part, Span, Tag, shown};

/// The most brackets within each other. People write two or three.
const DEPTH: usize = 32;

/// Reads a rule. What is wrong with it is a sentence about it.
pub(super) fn parse(rule: &str, builder: &mut Builder) -> Result<Span, String> {
    let mut parser = Parser { rest: rule.chars().peekable(), depth: 0, builder };
    parser.sequence(Within::Rule)
}

struct Parser<'r, 'b> {
    rest: Peekable<Chars<'r>>,
    depth: usize,
    builder: &'b mut Builder,
}

/// What texts and tags stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// To its end.
    Rule,
    /// One of the texts that a key is set to: to a comma or the end of the brackets.
    Option,
    /// What is done in brackets, and not said: to their end.
    Deed,
}

impl Parser<'_, '_> {
    /// The character that stands for itself behind a backslash. At the end there is only the backslash.
    fn escaped(&mut self) -> char {
        self.rest.next().unwrap_or('\\')
    }

    /// Does not go beyond what ends it.
    fn sequence(&mut self, within: Within) -> Result<Span, String> {
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.rest.peek().copied() {
            match (c, within) {
                (']', Within::Option | Within::Deed) | (',', Within::Option) => {
                    break;
                }
                (']', Within::Rule) => {
                    return Err(format!("a `]` has no `[` before it; {}", sign_is_written("]")));
                }
                (':', Within::Deed) => {
                    return Err(
                        "what is set by `[key:value]` has a plain name, without `#` and brackets"
                            .to_owned(),
                    );
                }
                _ => {}
            }
            self.rest.next();
            let part = match c {
                '#' => self.tag()?,
                '[' => {
                    let action = self.action()?;
                    self.builder.action(action)
                }
                '\\' => {
                    text.push(self.escaped());
                    continue;
                }
                c => {
                    text.push(c);
                    continue;
                }
            };
            parts.extend(self.builder.text(&text));
            text.clear();
            parts.push(part);
        }
        parts.extend(self.builder.text(&text));
        Ok(self.builder.sequence(&parts))
    }

    /// What stands between two `#`, behind the first.
    fn tag(&mut self) -> Result<Part, String> {
        let (mut name, mut actions, mut modifiers) = (String::new(), Vec::new(), Vec::new());
        // Whether the symbol is over.
        let mut is_named = false;
        loop {
            match self.rest.next() {
                Some('#') => break,
                Some('[') => {
                    is_named = !name.is_empty();
                    actions.push(self.action()?);
                }
                Some('.') => {
                    is_named = true;
                    modifiers.push(self.modifier()?);
                }
                Some(c) if is_named => {
                    return Err(format!(
                        "behind `#{}` comes `{}`, before the `#` that closes it",
                        shown(&name),
                        shown(&c.to_string())
                    ));
                }
                None | Some(']') => return Err(not_closed(&name)),
                Some('\\') => name.push(self.escaped()),
                Some(c) => name.push(c),
            }
        }
        if name.is_empty() {
            let written = sign_is_written("#");
            return Err(if actions.is_empty() {
                format!("no symbol stands between two `#`; {written}")
            } else {
                "no symbol stands between two `#`, but an action; an action by itself is written without them: `[key:value]`"
                    .to_owned()
            });
        }
        let symbol = self.builder.symbol(&name);
        Ok(self.builder.tag(Tag { symbol, actions: actions.into() }, modifiers))
    }

    /// What stands behind a point.
    fn modifier(&mut self) -> Result<Modifier, String> {
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(|c| !matches!(c, '.' | '#' | '(' | '[')) {
            name.push(c);
        }
        let mut given = Vec::new();
        if self.rest.next_if_eq(&'(').is_some() {
            let mut text = String::new();
            loop {
                match self.rest.next() {
                    Some(')') => break,
                    Some(',') => given.push(std::mem::take(&mut text)),
                    Some('\\') => text.push(self.escaped()),
                    None | Some('#') => {
                        return Err(format!(
                            "behind `{}(` comes no `)`; nothing is drawn within parentheses, and {}",
                            shown(&name),
                            sign_is_written("#")
                        ));
                    }
                    Some(c) => text.push(c),
                }
            }
            given.push(text);
        }
        Modifier::new(&name, given)
    }

    /// What stands in brackets, behind the first.
    fn action(&mut self) -> Result<Action, String> {
        self.depth += 1;
        if DEPTH < self.depth {
            return Err(format!("more than {DEPTH} brackets are within each other"));
        }
        let written = self.rest.clone();
        let mut key = String::new();
        let action = loop {
            match self.rest.next() {
                None => return Err(not_closed_bracket()),
                Some(']') => {
                    self.depth -= 1;
                    return Ok(Action::Do(Span::default()));
                }
                Some('#' | '[') => {
                    self.rest = written;
                    break Action::Do(self.sequence(Within::Deed)?);
                }
                Some(':') => break self.values(&key)?,
                Some('\\') => key.push(self.escaped()),
                Some(c) => key.push(c),
            }
        };
        self.depth -= 1;
        self.rest.next_if_eq(&']').map(|_| action).ok_or_else(not_closed_bracket)
    }

    /// What a key is set to, up to the end of the brackets.
    fn values(&mut self, key: &str) -> Result<Action, String> {
        if key.is_empty() {
            return Err(
                "an action sets nothing: `[:value]`; name what it sets, as in `[key:value]`"
                    .to_owned(),
            );
        }
        let symbol = self.builder.symbol(key);
        let ahead: String = self.rest.clone().take(4).collect();
        if ahead == "POP]" {
            // Its three letters.
            self.rest.by_ref().take(3).for_each(drop);
            return Ok(Action::Pop(symbol));
        }
        let mut options = vec![self.sequence(Within::Option)?];
        while self.rest.next_if_eq(&',').is_some() {
            options.push(self.sequence(Within::Option)?);
        }
        self.builder.is_set(symbol);
        Ok(Action::Set { symbol, options: options.into() })
    }
}

/// In a file, where JSON takes one of the two for itself.
pub(super) fn sign_is_written(sign: &str) -> String {
    format!("the sign itself is written `\\\\{sign}`")
}

fn not_closed(name: &str) -> String {
    let which = if name.is_empty() {
        "last `#`".to_owned()
    } else {
        format!("`#` before `{}`", shown(name))
    };
    format!("the {which} has no other to close it; {}", sign_is_written("#"))
}

fn not_closed_bracket() -> String {
    format!("a `[` has no `]` to close it; {}", sign_is_written("["))
}
