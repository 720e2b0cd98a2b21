//! What is done to a text after it is drawn: the modifiers of Tracery's English.

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Modifier {
    /// `an owl`, `a unicorn`.
    A,
    /// The first letter is large.
    Capitalize,
    /// The first letter of each word is large.
    CapitalizeAll,
    /// The past.
    Ed,
    /// The first word is many.
    FirstS,
    /// What stands first becomes what stands second, wherever it is. It is never empty.
    Replace(Box<(String, String)>),
    /// Many.
    S,
}

impl Modifier {
    /// By the names that people ask for.
    pub(super) const NAMES: &str =
        "a, capitalize, capitalizeAll, ed, firstS, replace(old,new) and s";

    /// The one of this name, with what stands in parentheses behind it.
    pub(super) fn new(name: &str, given: Vec<String>) -> Result<Self, String> {
        Ok(match name {
            "a" => Self::A,
            "capitalize" => Self::Capitalize,
            "capitalizeAll" => Self::CapitalizeAll,
            "ed" => Self::Ed,
            "firstS" => Self::FirstS,
            "s" => Self::S,
            "replace" => {
                let Ok([old, new]) = <[String; 2]>::try_from(given) else {
                    return Err(
                        "`replace` has to be given two texts, as in replace(old,new); a comma in one is written `\\\\,`"
                            .to_owned(),
                    );
                };
                if old.is_empty() {
                    return Err(
                        "`replace` has to be given what is replaced, as in replace(old,new)"
                            .to_owned(),
                    );
                }
                Self::Replace(Box::new((old, new)))
            }
            "" => {
                return Err(format!(
                    "a modifier is missing behind a point; they are {}",
                    Self::NAMES
                ));
            }
            _ => {
                return Err(format!(
                    "`{}` is no modifier; they are {}",
                    super::shown(name),
                    Self::NAMES
                ));
            }
        })
    }

    /// The most bytes that become of a text.
    pub(super) fn most_bytes(&self, text: &str) -> usize {
        /// More than any other adds: `an `, `ies`. A capital may be three letters of three bytes.
        const ADDED: usize = 9;
        match self {
            Self::A | Self::Capitalize | Self::Ed | Self::FirstS | Self::S => text.len() + ADDED,
            Self::CapitalizeAll => text.len().saturating_mul(3),
            Self::Replace(given) => {
                let (old, new) = &**given;
                text.matches(old.as_str()).count().saturating_mul(new.len()) + text.len()
            }
        }
    }

    /// What becomes of a text.
    pub(super) fn applied(&self, text: &str) -> String {
        match self {
            Self::A => with_article(text),
            Self::Capitalize => crate::capital(text),
            Self::CapitalizeAll => each_capital(text),
            Self::Ed => past(text),
            Self::FirstS => match text.split_once(' ') {
                Some((first, rest)) => format!("{} {rest}", plural(first)),
                None => plural(text),
            },
            Self::Replace(given) => {
                let (old, new) = &**given;
                text.replace(old.as_str(), new)
            }
            Self::S => plural(text),
        }
    }
}

fn is_vowel(c: char) -> bool {
    matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u')
}

fn with_article(text: &str) -> String {
    let mut letters = text.chars();
    let is_open = match letters.next() {
        // As in `unicorn`, `union` and `uniform`.
        Some('u' | 'U') => !letters.nth(1).is_some_and(|third| third.eq_ignore_ascii_case(&'i')),
        Some(first) => is_vowel(first),
        None => false,
    };
    format!("{} {text}", if is_open { "an" } else { "a" })
}

fn each_capital(text: &str) -> String {
    let mut capital = String::with_capacity(text.len());
    let mut is_first = true;
    for c in text.chars() {
        if is_first {
            capital.extend(c.to_uppercase());
        } else {
            capital.push(c);
        }
        is_first = !c.is_alphanumeric();
    }
    capital
}

/// What stands before a `y` that becomes `i`: anything but a vowel.
fn before_i(text: &str) -> Option<&str> {
    text.strip_suffix('y').filter(|before| !before.chars().next_back().is_some_and(is_vowel))
}

fn plural(text: &str) -> String {
    match before_i(text) {
        Some(before) => format!("{before}ies"),
        None if text.ends_with(['s', 'h', 'x']) => format!("{text}es"),
        None => format!("{text}s"),
    }
}

fn past(text: &str) -> String {
    match before_i(text) {
        Some(before) => format!("{before}ied"),
        None if text.ends_with('e') => format!("{text}d"),
        None => format!("{text}ed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, given: &[&str], cases: &[(&str, &str)]) {
        let given: Vec<_> = given.iter().map(|text| (*text).to_owned()).collect();
        let modifier = Modifier::new(name, given).unwrap();
        for (text, expected) in cases {
            let applied = modifier.applied(text);
            assert_eq!(applied, *expected, "{name} of {text:?}");
            assert!(applied.len() <= modifier.most_bytes(text));
        }
    }

    #[test]
    fn texts_are_modified_as_in_the_original() {
        let cases = [
            ("owl", "an owl"),
            ("Emu", "an Emu"),
            ("sheep", "a sheep"),
            ("unicorn", "a unicorn"),
            ("UNIT", "a UNIT"),
            ("umbrella", "an umbrella"),
            ("up", "an up"),
            ("hour", "a hour"),
            ("élan", "a élan"),
            ("", "a "),
        ];
        check("a", &[], &cases);
        check("capitalize", &[], &[("the moon", "The moon"), ("éa", "Éa"), ("ß", "SS"), ("", "")]);
        let cases = [("the old moon", "The Old Moon"), ("don't 2nd", "Don'T 2nd"), ("été", "Été")];
        check("capitalizeAll", &[], &cases);
        let cases = [
            ("cat", "cats"),
            ("fox", "foxes"),
            ("bush", "bushes"),
            ("gas", "gases"),
            ("fly", "flies"),
            ("day", "days"),
            ("quiz", "quizs"),
            ("y", "ies"),
            ("", "s"),
        ];
        check("s", &[], &cases);
        let cases = [
            ("walk", "walked"),
            ("bake", "baked"),
            ("pass", "passed"),
            ("carry", "carried"),
            ("play", "played"),
            ("", "ed"),
        ];
        check("ed", &[], &cases);
        check("firstS", &[], &[("cup of tea", "cups of tea"), ("cat", "cats"), ("", "s")]);
        check("replace", &["a.", "$&"], &[("a.ba.", "$&b$&"), ("ab", "ab")]);
        check("replace", &["a", ""], &[("banana", "bnn")]);
        // The longest capital of all.
        check("capitalize", &[], &[("\u{390}", "\u{399}\u{308}\u{301}")]);
    }
}
