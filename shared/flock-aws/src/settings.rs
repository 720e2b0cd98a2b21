//! Settings, read once at start. What settings there are is known to whoever needs them.

use std::{fmt::Display, str::FromStr};

/// Gives the value of a variable, if it has one.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads variables one after the other and keeps what is wrong with them, so that all of it is told at once.
#[expect(
    missing_debug_implementations,
    reason = "a lookup cannot be shown, and secrets may be in it"
)]
pub struct Reader<'a> {
    lookup: Lookup<'a>,
    problems: Vec<String>,
}

/// The environment does not describe a usable configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("bad configuration: {}", problems.join("; "))]
pub struct ConfigError {
    problems: Vec<String>,
}

/// Reads settings from the process environment.
pub fn from_env<T>(read: impl FnOnce(&mut Reader<'_>) -> T) -> Result<T, ConfigError> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    from_lookup(&|key| std::env::var(key).ok(), read)
}

/// Reads settings through `lookup`. What `read` makes of variables that are wrong is dropped.
pub fn from_lookup<T>(
    lookup: Lookup<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> T,
) -> Result<T, ConfigError> {
    let mut reader = Reader { lookup, problems: Vec::new() };
    let settings = read(&mut reader);
    match reader.problems {
        problems if problems.is_empty() => Ok(settings),
        problems => Err(ConfigError { problems }),
    }
}

impl Reader<'_> {
    /// A text that need not be given; an empty one is not.
    pub fn given(&mut self, key: &str) -> Option<String> {
        (self.lookup)(key).filter(|value| !value.is_empty())
    }

    /// A text that must be given.
    pub fn required(&mut self, key: &str) -> String {
        self.given(key).unwrap_or_else(|| {
            self.problems.push(format!("{key} is not set"));
            String::new()
        })
    }

    /// Something that need not be given, but must be what it is to be.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        let parsed = self.given(key)?.parse();
        parsed.map_err(|err| self.problems.push(format!("{key} is wrong: {err}"))).ok()
    }

    /// Something that must be given, and what it must be where it is something else.
    pub fn one_of<T>(
        &mut self,
        key: &str,
        what: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.required(key);
        let value = read(&text);
        if value.is_none() && !text.is_empty() {
            self.problems.push(format!("{key} is `{text}`, not {what}"));
        }
        value
    }

    /// Whether something is so; it is not unless said.
    pub fn flag(&mut self, key: &str) -> bool {
        match self.given(key).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.problems.push(format!("{key} is `{other}`, not true or false"));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flock_core::RoomId;

    use super::*;

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let lookup = |key: &str| match key {
            "BUS_NAME" => Some("bus".to_owned()),
            "DUE_SHARDS" => Some("0".to_owned()),
            "EMPTY" => Some(String::new()),
            "LOUD" => Some("yes".to_owned()),
            "ROOM" => Some("general".to_owned()),
            _ => None,
        };
        let read = from_lookup(&lookup, |reader| {
            assert_eq!(reader.required("BUS_NAME"), "bus");
            assert_eq!((reader.given("EMPTY"), reader.flag("QUIET")), (None, false));
            reader.required("TABLE_NAME");
            reader.required("EMPTY");
            reader
                .one_of("DUE_SHARDS", "a number from 1 to 64", |text| (text != "0").then_some(()));
            reader.one_of("DUE_PARTS", "a number", |_| None::<()>);
            reader.flag("LOUD");
            reader.parsed::<RoomId>("ROOM");
        });
        let wrong = "general".parse::<RoomId>().unwrap_err();
        assert_eq!(
            read.unwrap_err().to_string(),
            format!(
                "bad configuration: TABLE_NAME is not set; EMPTY is not set; DUE_SHARDS is `0`, not a number from 1 to \
                 64; DUE_PARTS is not set; LOUD is `yes`, not true or false; ROOM is wrong: {wrong}"
            )
        );
    }
}
