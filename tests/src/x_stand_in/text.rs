//! How X shows a text: links behind `t.co`, and what they stand for.

use serde_json::{Value, json};

use super::Platform;

impl Platform {
    /// The text as X shows it: `&`, `<` and `>` escaped, links behind `t.co`; and the links' entities.
    pub(super) fn shown(&mut self, text: &str) -> (String, Vec<Value>) {
        let (mut shown, mut links) = (String::new(), Vec::new());
        let (mut rest, mut before) = (text, None);
        while let Some(character) = rest.chars().next() {
            let Some(link) = link_at(rest, before) else {
                push_escaped(&mut shown, character);
                (rest, before) = (&rest[character.len_utf8()..], Some(character));
                continue;
            };
            let display = link.split_once("://").map_or(link, |(_, display)| display);
            let expanded = if display == link { format!("http://{link}") } else { link.to_owned() };
            let entity = self.short(&expanded, display, shown.chars().count());
            shown.push_str(entity["url"].as_str().unwrap_or_default());
            links.push(entity);
            (rest, before) = (&rest[link.len()..], link.chars().next_back());
        }
        (shown, links)
    }

    /// The entity of a link behind `t.co`.
    pub(super) fn short(&mut self, expanded: &str, display: &str, start: usize) -> Value {
        self.link_count += 1;
        // X's are ten characters long too, so none begins another.
        let short = format!("https://t.co/{:010}", self.link_count);
        json!({
            "start": start,
            "end": start + short.len(),
            "url": short,
            "expanded_url": expanded,
            "display_url": display,
        })
    }
}

/// The link a text begins with, after the character before it.
fn link_at(text: &str, before: Option<char>) -> Option<&str> {
    /// Of all there are, those the tests use.
    const TOP_LEVEL: [&str; 4] = ["com", "org", "net", "example"];
    let path_end = |from: &str| {
        let end = from.find(|end: char| end.is_whitespace() || "<>\"".contains(end));
        let path = &from[..end.unwrap_or(from.len())];
        path.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']).len()
    };
    if let Some(scheme) = ["https://", "http://"].into_iter().find(|s| text.starts_with(s)) {
        let end = path_end(text);
        // A scheme alone is no link.
        return (scheme.len() < end).then(|| &text[..end]);
    }
    if before.is_some_and(|before| before.is_alphanumeric() || "@#$._-/".contains(before)) {
        return None;
    }
    let is_host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let host = text.split(|c| !is_host(c)).next()?.trim_end_matches('.');
    let (name, top_level) = host.rsplit_once('.')?;
    let after = &text[host.len()..];
    if name.split('.').any(str::is_empty)
        || !TOP_LEVEL.contains(&top_level)
        || after.starts_with(|c: char| c.is_alphanumeric() || c == '@')
    {
        return None;
    }
    let path = if after.starts_with('/') { path_end(after) } else { 0 };
    Some(&text[..host.len() + path])
}

fn push_escaped(shown: &mut String, character: char) {
    match character {
        '&' => shown.push_str("&amp;"),
        '<' => shown.push_str("&lt;"),
        '>' => shown.push_str("&gt;"),
        other => shown.push(other),
    }
}
