//! Whether what somebody wrote in a room is for us.

use flock_core::UserId;
use flock_slack::{bare_name, trim};

/// The name people call us by.
const NAME: &str = "flockwork";

/// Shorter beginnings of the name are other words.
const SHORTEST: usize = 3;

/// Bytes of the longest word that is looked at: a mention has an id and a name.
const LONGEST: usize = 500;

/// What follows our name at the start of `text`. `None`: it is not for us.
///
/// Our name is a mention of `bot_user`, or `@` and at least the first three letters of [`NAME`], in any case;
/// punctuation may follow it, and what comes along when people copy may stand around it.
pub(crate) fn addressed<'a>(text: &'a str, bot_user: Option<&UserId>) -> Option<&'a str> {
    let text = trim(text);
    let (word, rest) = match text.find(char::is_whitespace) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    // A message may be of any length, and no name is.
    if LONGEST < word.len() {
        return None;
    }
    let word = bare_name(word);
    (is_mention(&word, bot_user) || is_name(&word)).then_some(rest)
}

/// `<@U1>` or `<@U1|name>` of ourselves.
fn is_mention(word: &str, bot_user: Option<&UserId>) -> bool {
    let inner = word.strip_prefix("<@").and_then(|inner| inner.strip_suffix('>'));
    let id = inner.map(|inner| inner.split_once('|').map_or(inner, |(id, _)| id));
    id.is_some() && id == bot_user.map(UserId::as_str)
}

fn is_name(word: &str) -> bool {
    word.strip_prefix('@').is_some_and(|name| {
        SHORTEST <= name.len()
            && NAME.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let bot = "U0FLOCK".parse().unwrap();
        assert_eq!(addressed(text, Some(&bot)).map(str::trim), expected, "{text:?}");
    }

    #[test]
    fn our_name_is_a_mention_or_its_beginning() {
        check("<@U0FLOCK> alive", Some("alive"));
        check("<@U0FLOCK|flockwork>: alive", Some("alive"));
        check("@flo alive", Some("alive"));
        check("@FlockWork, sheep moon", Some("sheep moon"));
        check(" @flockwork", Some(""));
        check("@fl alive", None);
        check("@flora alive", None);
        check("@flockworks alive", None);
        check("flockwork alive", None);
        check("hey @flockwork alive", None);
        check("<@U1> alive", None);
        check("<@U0FLOCK>x alive", None);
        check("@flö alive", None);
        check("@flockwork!", Some(""));
        check("@flock? alive?", Some("alive?"));
        check("*@flockwork* alive", Some("alive"));
        check("`@flockwork`, alive", Some("alive"));
        check("\u{200b}<@U0FLOCK>\u{2060}, alive", Some("alive"));
        check("*<@U0FLOCK>*: `alive`", Some("`alive`"));
        check("", None);
        assert_eq!(addressed("<@U1> alive", None), None);
    }
}
