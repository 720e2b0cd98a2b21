//! What a value is: text, a parameter's default, the name of a resource, or what `!Sub` makes of these.

use std::ops::RangeInclusive;

use super::{API, BUS, FUNCTION, Reading, SECRET, TABLE};
use crate::yaml::{Node, Value};

/// What a variable of the environment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// As it stands; parameters have their defaults.
    Text(String),
    /// The name of the table.
    Table,
    /// The name of the event bus.
    Bus,
    /// The name of the secret with this logical id.
    Secret(String),
    /// The address of an API, followed by this.
    Address(String),
}

impl<'n> Reading<'n> {
    pub(super) fn number(
        &self,
        value: &Value<'n>,
        range: RangeInclusive<u64>,
        unit: &str,
    ) -> Option<u64> {
        let text = self.text(value)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (what, min, max) = (&value.what, range.start(), range.end());
            value.finding(format!("{what} must be {min} to {max} {unit}, not `{text}`"));
        }
        number
    }

    /// Text as it stands, or made from parameters.
    pub(super) fn text(&self, value: &Value<'n>) -> Option<String> {
        match self.value(value)? {
            EnvValue::Text(text) => Some(text),
            EnvValue::Table | EnvValue::Bus | EnvValue::Secret(_) | EnvValue::Address(_) => {
                value.finding(format!("{} must be text, not the name of a resource", value.what));
                None
            }
        }
    }

    /// Text, or the name of a resource that is here.
    pub(super) fn value(&self, value: &Value<'n>) -> Option<EnvValue> {
        let what = &value.what;
        if let Some(("If", [condition, yes, no])) = value.node.call_with_list() {
            let holds = self.conditions.holds(condition);
            let holds = value.accept(holds.map_err(|text| format!("{what}: {text}")))?;
            let node = if holds { yes } else { no };
            return self.value(&Value { node, ..value.clone() });
        }
        let pieces = match (&value.node.tag, value.node.call()) {
            (None, _) => return value.plain_text().map(EnvValue::Text),
            (_, Some(("Ref", name))) => vec![Piece::Name(name)],
            (_, Some(("Sub", text))) => value.accept(pieces(text))?,
            (Some(function), _) => {
                let text = format!("the local run cannot work out `!{function}` for {what}");
                value.finding(text + "; write text, `!Ref`, `!Sub` or `!If`");
                return None;
            }
        };
        if let [Piece::Name(name), after @ ..] = pieces.as_slice()
            && self.is_address(name)
        {
            let text = |piece: &Piece<'_>| match piece {
                Piece::Text(text) => Some((*text).to_owned()),
                Piece::Name(_) => None,
            };
            let path: Option<String> = after.iter().map(text).collect();
            if path.is_none() {
                value.finding(format!("{what} has more than text after `{name}`; write text"));
            }
            return path.map(EnvValue::Address);
        }
        let is_alone = pieces.len() == 1;
        let mut whole = String::new();
        for piece in pieces {
            let name = match piece {
                Piece::Text(text) => {
                    whole.push_str(text);
                    continue;
                }
                Piece::Name(name) => name,
            };
            let named = self.named(name).map_err(|text| format!("{what} {text}"));
            match value.accept(named)? {
                EnvValue::Text(text) => whole.push_str(&text),
                resource if is_alone => return Some(resource),
                EnvValue::Table | EnvValue::Bus | EnvValue::Secret(_) | EnvValue::Address(_) => {
                    value.finding(format!("{what} has `{name}` within text; use it alone"));
                    return None;
                }
            }
        }
        Some(EnvValue::Text(whole))
    }

    /// Whether the name stands for the address of an API that is here, as in `Api.ApiEndpoint`.
    fn is_address(&self, name: &str) -> bool {
        let api = name.strip_suffix(".ApiEndpoint");
        api.is_some_and(|api| self.kinds.get(api) == Some(&API))
    }

    /// What a name stands for, or why it cannot be used.
    fn named(&self, name: &str) -> Result<EnvValue, String> {
        match (self.parameters.get(name), self.kinds.get(name)) {
            (Some(Some(default)), _) => Ok(EnvValue::Text(default.clone())),
            (Some(None), _) => {
                Err(format!("needs the parameter `{name}`, which has no default; give it one"))
            }
            (None, Some(&TABLE)) => Ok(EnvValue::Table),
            (None, Some(&BUS)) => Ok(EnvValue::Bus),
            (None, Some(&SECRET)) => Ok(EnvValue::Secret(name.to_owned())),
            (None, Some(&FUNCTION)) => {
                Err(format!("is the function `{name}`; functions meet on the bus, remove it"))
            }
            (None, Some(kind)) => {
                Err(format!("needs a name of `{name}`, but {kind} is not run locally; remove it"))
            }
            (None, None) => {
                Err(format!("needs `{name}`, which has no value here; correct it, or write text"))
            }
        }
    }
}

/// A piece of the text of a `!Sub`.
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The pieces, none of them empty.
fn pieces(mut text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once("${") {
        let closed = rest.split_once('}');
        let (name, after) = closed.ok_or("`!Sub` has a `${` that is not closed; write `}`")?;
        pieces.push(Piece::Text(before));
        if let Some(literal) = name.strip_prefix('!') {
            pieces.extend([Piece::Text("${"), Piece::Text(literal), Piece::Text("}")]);
        } else {
            pieces.push(Piece::Name(name));
        }
        text = after;
    }
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| !matches!(piece, Piece::Text("")));
    Ok(pieces)
}

/// The one resource that a function, as in `!GetAtt`, names. `!Ref` names one where it asks SAM for what it has made of a
/// resource, as in `!Ref Tick.Alias`; its own `Ref` is not the `Arn` that is wanted.
pub(super) fn resource_in(node: &Node) -> Option<&str> {
    let name = match node.call()? {
        ("GetAtt", name) => name,
        ("Ref", name) => name.strip_suffix(".Alias")?,
        ("Sub", text) => {
            let pieces = pieces(text).ok()?;
            let mut names = pieces.into_iter().filter_map(|piece| match piece {
                Piece::Name(name) => Some(name).filter(|name| !name.starts_with("AWS::")),
                Piece::Text(_) => None,
            });
            names.next().filter(|_| names.next().is_none())?
        }
        _ => return None,
    };
    name.split('.').next()
}
