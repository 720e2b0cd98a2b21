//! Texts: what in them is a link or a mention, how long they count, and how they are shown as HTML.

use unicode_segmentation::UnicodeSegmentation as _;

use super::{HOST, Instance};

/// Something in a text that is more than text: bytes from and to, and what it is.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) from: usize,
    pub(super) to: usize,
    kind: EntityKind,
}

#[derive(Debug)]
enum EntityKind {
    Link,
    Hashtag,
    /// Somebody, and whether the instance knows them.
    Mention {
        known: bool,
    },
}

impl Instance {
    /// What `Extractor` finds, in outline: links with a scheme, hashtags, mentions.
    pub(super) fn entities(&self, text: &str) -> Vec<Entity> {
        let mut entities: Vec<Entity> = Vec::new();
        let mut from = 0;
        while let Some(character) = text[from..].chars().next() {
            let before = text[..from].chars().next_back();
            let rest = &text[from..];
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let found = match character {
                'h' if !before.is_some_and(|c| is_word(c) || "@$#".contains(c)) => {
                    link(rest).map(|length| (length, EntityKind::Link))
                }
                '#' if !before.is_some_and(|c| is_word(c) || c == '/' || c == '&') => {
                    let length = rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1);
                    let is_tag = rest[1..=length].chars().any(char::is_alphabetic);
                    is_tag.then_some((1 + length, EntityKind::Hashtag))
                }
                '@' if !before.is_some_and(|c| is_word(c) || c == '/' || c == '=') => mention(rest)
                    .map(|length| {
                        let name = &rest[1..length];
                        let known = self.known.iter().any(|known| known == name)
                            || self.accounts.iter().any(|account| account.username == name);
                        (length, EntityKind::Mention { known })
                    }),
                _ => None,
            };
            match found {
                Some((length, kind)) => {
                    entities.push(Entity { from, to: from + length, kind });
                    from += length;
                }
                None => from += character.len_utf8(),
            }
        }
        entities
    }
}

/// The length of the link that `text` begins with.
pub(super) fn link(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let scheme = text.len() - rest.len();
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(rest.len());
    let link = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '*', '|']);
    let host = link.split(['/', '?', '#', ':']).next().unwrap_or_default();
    // Names have a dot, and end with letters.
    let (_, top) = host.rsplit_once('.')?;
    let is_name = 1 < top.len() && top.chars().all(char::is_alphabetic);
    is_name.then_some(scheme + link.len())
}

/// The length of the mention that `text` begins with (`Account::MENTION_RE`).
pub(super) fn mention(text: &str) -> Option<usize> {
    let user = words(&text[1..], |c| c.is_ascii_alphanumeric() || c == '_')?;
    let rest = &text[1 + user..];
    let Some(domain) = rest.strip_prefix('@') else { return Some(1 + user) };
    let domain = words(domain, |c| c.is_alphanumeric() || c == '_');
    Some(1 + user + domain.map_or(0, |domain| 1 + domain))
}

/// The length of words with dots and hyphens between them.
fn words(text: &str, is_word: fn(char) -> bool) -> Option<usize> {
    let end = text.find(|c| !is_word(c) && c != '.' && c != '-').unwrap_or(text.len());
    let words = text[..end].trim_end_matches(['.', '-']);
    words.starts_with(is_word).then_some(words.len())
}

/// The length as `StatusLengthValidator` counts it: a link is 23, a mention has no domain.
pub(super) fn counted(text: &str, entities: &[Entity]) -> usize {
    let mut counted = String::new();
    let mut from = 0;
    for entity in entities {
        let what = &text[entity.from..entity.to];
        let shown = match entity.kind {
            EntityKind::Link => "x".repeat(23),
            EntityKind::Mention { .. } => {
                format!("@{}", what[1..].split('@').next().unwrap_or_default())
            }
            EntityKind::Hashtag => what.to_owned(),
        };
        counted.push_str(&text[from..entity.from]);
        counted.push_str(&shown);
        from = entity.to;
    }
    counted.push_str(&text[from..]);
    counted.graphemes(true).count()
}

/// What a typographer makes of a text, and a shortener of its links.
pub(super) fn typographed(text: &str) -> String {
    let mut opens = true;
    let mut set = String::with_capacity(text.len());
    for word in text.replace("...", "\u{2026}").replace("--", "\u{2013}").split_inclusive(' ') {
        if word.starts_with("https://") {
            set.push_str("https://sho.rt/aB3 ");
            continue;
        }
        for character in word.chars() {
            match character {
                '\'' => set.push('\u{2019}'),
                '"' => {
                    set.push(if opens { '\u{201c}' } else { '\u{201d}' });
                    opens = !opens;
                }
                other => set.push(other),
            }
        }
    }
    set.trim_end().to_owned()
}

/// The text as Mastodon shows it (`TextFormatter`, and Rails' `simple_format`).
pub(super) fn html(text: &str, entities: &[Entity]) -> String {
    let mut html = String::new();
    let mut from = 0;
    for entity in entities {
        html.push_str(&escaped(&text[from..entity.from]));
        let what = &text[entity.from..entity.to];
        let shown = match entity.kind {
            EntityKind::Link => link_html(what),
            EntityKind::Hashtag => {
                let tag = &what[1..];
                format!(
                    "<a href=\"https://{HOST}/tags/{tag}\" class=\"mention hashtag\" \
                     rel=\"tag\">#<span>{tag}</span></a>"
                )
            }
            EntityKind::Mention { known: false } => escaped(what),
            EntityKind::Mention { known: true } => {
                let name = &what[1..];
                let (user, domain) = name.split_once('@').unwrap_or((name, HOST));
                format!(
                    "<span class=\"h-card\" translate=\"no\"><a href=\"https://{domain}/@{user}\" \
                     class=\"u-url mention\">@<span>{user}</span></a></span>"
                )
            }
        };
        html.push_str(&shown);
        from = entity.to;
    }
    html.push_str(&escaped(&text[from..]));
    let html = html.replace("\r\n", "\n");
    let mut paragraphs = Vec::new();
    let mut rest = html.as_str();
    while let Some(end) = rest.find("\n\n") {
        paragraphs.push(&rest[..end]);
        rest = rest[end..].trim_start_matches('\n');
    }
    paragraphs.push(rest);
    let paragraphs = paragraphs.into_iter().map(|paragraph| paragraph.replace('\n', "<br />"));
    let paragraphs: Vec<_> = paragraphs.map(|paragraph| format!("<p>{paragraph}</p>")).collect();
    paragraphs.concat()
}

fn link_html(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, bare)| bare);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let prefix = &url[..url.len() - bare.len()];
    let cut = bare.char_indices().nth(30).map_or(bare.len(), |(index, _)| index);
    let (shown, hidden) = bare.split_at(cut);
    let class = if hidden.is_empty() { "" } else { "ellipsis" };
    let [url, prefix, shown, hidden] = [url, prefix, shown, hidden].map(escaped);
    format!(
        "<a href=\"{url}\" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\">\
         <span class=\"invisible\">{prefix}</span><span class=\"{class}\">{shown}</span>\
         <span class=\"invisible\">{hidden}</span></a>"
    )
}

/// As `ERB::Util.h` does it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
