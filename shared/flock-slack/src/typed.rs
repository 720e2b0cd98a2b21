//! What people typed, from the text Slack sends of it.

/// What was typed, as it was before Slack marked links and names in it and escaped the rest
/// (Slack, "Formatting text for app surfaces", 2026-11).
pub fn typed(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, marked)) = rest.split_once('<') {
        let Some((mark, after)) = marked.split_once('>') else { break };
        plain.push_str(before);
        let (target, label) = mark.split_once('|').unwrap_or((mark, ""));
        match target.chars().next() {
            Some(sign @ ('@' | '#' | '!')) => {
                plain.push(if sign == '#' { '#' } else { '@' });
                plain.push_str(named(label, target));
            }
            _ => plain.push_str(if label.is_empty() { target } else { shorter(target, label) }),
        }
        rest = after;
    }
    plain.push_str(rest);
    unescape(&plain)
}

/// Takes back what [`escape`](crate::escape) does.
pub fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The label of a mark, or else its target without its sign.
fn named<'a>(label: &'a str, target: &'a str) -> &'a str {
    if label.is_empty() {
        target.get(1..).unwrap_or_default()
    } else {
        label.trim_start_matches('@')
    }
}

/// Slack makes a link of a bare domain and puts what was typed into the label.
fn shorter<'a>(target: &'a str, label: &'a str) -> &'a str {
    if target.ends_with(label) || target.trim_end_matches('/').ends_with(label) {
        label
    } else {
        target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(typed(text), expected, "{text:?}");
    }

    #[test]
    fn what_slack_marked_is_plain_again() {
        check("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c");
        check("see <https://example.com/a|example.com/a> ok", "see example.com/a ok");
        check("see <https://example.com/?a=1&amp;b=2>", "see https://example.com/?a=1&b=2");
        check("<mailto:a@example.com|a@example.com>", "a@example.com");
        check("<@U1|ada> in <#C1|general>, <!here>", "@ada in #general, @here");
        check("<@U1>", "@U1");
        check("1 &lt; 2 <unclosed", "1 < 2 <unclosed");
    }
}
