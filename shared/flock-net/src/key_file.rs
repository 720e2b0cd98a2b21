//! Key files as people write them. What is meant is read: a byte order mark, a comma after the last value, a number for a text
//! and white space around a value are no mistakes. What is one has a sentence of its own, with its place, and never a word of
//! what the file says.

use std::fmt;

use flock_core::{Tier, slip};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use crate::KeyProblem;

/// A key file that could be read.
pub(crate) struct KeyFile {
    fields: Vec<(String, Value)>,
    /// What such a file holds, for people.
    form: &'static str,
}

impl KeyFile {
    /// Reads a file that has `form`, and no other fields than `known`.
    pub(crate) fn read(
        text: &SecretString,
        form: &'static str,
        known: &[&str],
    ) -> Result<Self, KeyProblem> {
        let file = Self::read_any(text, form)?;
        for (number, (name, _)) in (1..).zip(&file.fields) {
            if !known.contains(&name.as_str()) {
                return Err(unknown(name, number, known, form));
            }
        }
        Ok(file)
    }

    /// The same, whatever other fields there are.
    pub(crate) fn read_any(text: &SecretString, form: &'static str) -> Result<Self, KeyProblem> {
        let mut text = text.clone();
        loop {
            let json = text.expose_secret().trim_start_matches('\u{FEFF}');
            if json.trim().is_empty() {
                return Err(KeyProblem(format!("it is empty; a key file is JSON with {form}")));
            }
            match serde_json::from_str(json) {
                Ok(Fields(fields)) => return Self { fields, form }.without_repeats(),
                Err(err) => match without_comma(json, &err) {
                    Some(shorter) => text = shorter,
                    None => return Err(not_json(json, &err, form)),
                },
            }
        }
    }

    fn without_repeats(self) -> Result<Self, KeyProblem> {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        let again = (1..names.len()).find(|&at| names[..at].contains(&names[at]));
        match again {
            // It is one of the names that are known, or refused for not being one.
            Some(at) if is_a_name(names[at]) => {
                Err(KeyProblem(format!("`{}` stands there twice; keep the right one", names[at])))
            }
            Some(_) | None => Ok(self),
        }
    }

    /// The same without the fields that nobody has filled in yet.
    pub(crate) fn without_empty(self) -> Self {
        let is_filled = |value: &Value| value.as_str().is_none_or(|text| !text.trim().is_empty());
        let fields = self.fields.into_iter().filter(|(_, value)| is_filled(value)).collect();
        Self { fields, ..self }
    }

    /// Whether a field is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.fields.iter().find(|(field, _)| field == name)?;
        Some(value).filter(|value| !value.is_null())
    }

    /// The text of a field, if it is there.
    pub(crate) fn some_text(&self, name: &str) -> Result<Option<String>, KeyProblem> {
        let text = match self.value(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim().trim_matches('\u{FEFF}').trim().to_owned(),
            Some(Value::Number(number)) if number.is_u64() => number.to_string(),
            // Its digits are lost.
            Some(Value::Number(_)) => {
                return Err(KeyProblem(format!("`{name}`: write the number in quotation marks")));
            }
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(KeyProblem(format!("`{name}` must be text in quotation marks")));
            }
        };
        if text.is_empty() {
            return Err(KeyProblem(format!(
                "`{name}` is empty; write what it is, or leave it out"
            )));
        }
        Ok(Some(text))
    }

    /// The text of a field that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<String, KeyProblem> {
        let missing = || KeyProblem(format!("`{name}` is missing; a key file has {}", self.form));
        self.some_text(name)?.ok_or_else(missing)
    }

    /// The secret in a field that must be there.
    pub(crate) fn secret(&self, name: &str) -> Result<SecretString, KeyProblem> {
        self.text(name).map(SecretString::from)
    }

    /// The same of one that its network made: then it is one word.
    pub(crate) fn token(&self, name: &str) -> Result<SecretString, KeyProblem> {
        let token = self.text(name)?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyProblem(format!(
                "`{name}` has a space, a line break or a letter in it that no key has; copy it once more"
            )));
        }
        Ok(SecretString::from(token))
    }

    /// Two such that go together, if they are there.
    pub(crate) fn some_tokens(
        &self,
        [one, other]: [&str; 2],
    ) -> Result<Option<[SecretString; 2]>, KeyProblem> {
        let lonely = |there: &str, missing: &str| {
            KeyProblem(format!("`{there}` is there without `{missing}`; write both, or none"))
        };
        match (self.value(one), self.value(other)) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(lonely(one, other)),
            (None, Some(_)) => Err(lonely(other, one)),
            (Some(_), Some(_)) => Ok(Some([self.token(one)?, self.token(other)?])),
        }
    }

    /// Yes or no, which is no where the field is not there.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, KeyProblem> {
        let text = match self.value(name) {
            None => return Ok(false),
            Some(Value::Bool(flag)) => return Ok(*flag),
            Some(Value::String(text)) => text.trim().to_lowercase(),
            Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                String::new()
            }
        };
        text.parse().map_err(|_| KeyProblem(format!("`{name}` must be true or false")))
    }

    /// The tier that the account is on, which is the usual one where nothing is said.
    pub(crate) fn tier(&self, name: &str) -> Result<Tier, KeyProblem> {
        let Some(text) = self.some_text(name)? else { return Ok(Tier::default()) };
        let tiers = [Tier::Standard, Tier::Enterprise];
        let tier = tiers.into_iter().find(|tier| tier.name().eq_ignore_ascii_case(&text));
        tier.ok_or_else(|| {
            let names = tiers.map(|tier| format!("\"{}\"", tier.name()));
            KeyProblem(format!("`{name}` must be {}", names.join(" or ")))
        })
    }
}

/// The fields of an object in their order, those that are there twice, too.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// The place of an error as an offset.
fn offset(json: &str, err: &serde_json::Error) -> usize {
    let before: usize =
        json.split_inclusive('\n').take(err.line().saturating_sub(1)).map(str::len).sum();
    (before + err.column().saturating_sub(1)).min(json.len())
}

/// `json` without the comma that follows the last value, if that is what is wrong with it.
fn without_comma(json: &str, err: &serde_json::Error) -> Option<SecretString> {
    if !err.to_string().starts_with("trailing comma") {
        return None;
    }
    let comma = json.as_bytes().get(..offset(json, err))?.iter().rposition(|byte| *byte == b',')?;
    let (before, after) = (&json[..comma], &json[comma + 1..]);
    Some(SecretString::from(format!("{before} {after}")))
}

/// What is wrong with a file that is not JSON. The parser's words say nothing of the file, as long as they are about its form.
fn not_json(json: &str, err: &serde_json::Error, form: &str) -> KeyProblem {
    if err.is_data() {
        return KeyProblem(format!("a key file is JSON in braces, with {form}"));
    }
    let at = offset(json, err);
    let said = err.to_string();
    let is = |words: &str| said.starts_with(words);
    let here = json.get(at..).and_then(|rest| rest.chars().next());
    let why = if is("EOF while parsing a string") {
        return KeyProblem("the file ends within a text; close its quotation mark".to_owned());
    } else if is("EOF") {
        return KeyProblem("the file ends too early; close it with }".to_owned());
    } else if matches!(here, Some('“' | '”' | '„' | '‘' | '’' | '«' | '»' | '\'')) {
        "JSON has straight double quotation marks, \"like these\""
    } else if matches!(here, Some('#' | '/')) {
        "JSON has no comments; take it out"
    } else if is("key must be a string") {
        "names of fields stand in double quotation marks"
    } else if is("expected `:`") {
        "a colon is missing between a name and its value"
    } else if is("expected `,`") {
        "a comma is missing between two fields, or a quotation mark within a text needs a backslash"
    } else if is("control character") {
        "a text must not go on behind the end of its line, nor have a tab in it"
    } else if is("invalid escape") || is("lone") || is("unexpected end of hex") {
        "a backslash within a text is written twice"
    } else if is("trailing characters") {
        "something follows the last brace; take it out"
    } else if is("expected value") || is("expected ident") {
        "a value is missing, or stands without its quotation marks"
    } else {
        "this is not JSON"
    };
    let line = json.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    let column = line.chars().count() + 1;
    KeyProblem(format!(
        "line {}, column {column}: {why}; a key file is JSON with {form}",
        err.line()
    ))
}

/// What is said of a field that is not known. Its name may be a secret that got into the wrong place, so it is repeated only
/// where it is surely a name.
fn unknown(name: &str, number: usize, known: &[&str], form: &str) -> KeyProblem {
    /// What networks call on their pages what is meant.
    const ALSO: [(&str, &str); 9] = [
        ("accesstoken", "token"),
        ("accesstokensecret", "token_secret"),
        ("apikey", "consumer_key"),
        ("apikeysecret", "consumer_secret"),
        ("apisecret", "consumer_secret"),
        ("token", "access_token"),
        ("password", "app_password"),
        ("handle", "identifier"),
        ("server", "url"),
    ];
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let meant = plain(name);
    let also = || ALSO.iter().find(|(also, is)| *also == meant && known.contains(is));
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '));
    let similar = known.iter().filter_map(|known| Some((slip(&meant, &plain(known))?, *known)));
    let similar = similar.min().map(|(_, known)| known);
    match similar.or_else(|| also().map(|(_, is)| *is)).filter(|_| is_plain) {
        Some(known) => KeyProblem(format!("`{name}` is not known here; did you mean `{known}`?")),
        None => KeyProblem(format!(
            "field {number} of it has a name that is not known; a key file has {form}"
        )),
    }
}

/// Whether it is surely the name of a field.
fn is_a_name(text: &str) -> bool {
    const NAMES: [&str; 10] = [
        "access_token",
        "app_password",
        "automated_label",
        "consumer_key",
        "consumer_secret",
        "identifier",
        "tier",
        "token",
        "token_secret",
        "url",
    ];
    text == "user_id" || NAMES.contains(&text)
}

/// For fuzzing: reads any text as a key file of each network and as a bundle. What is said of it never repeats what it holds.
#[cfg(feature = "test-util")]
pub fn check_key_file(text: &str) {
    const SECRET: &str = "PSST-a-secret-PSST";
    let marked = text.replace('~', SECRET);
    if let Err(problem) = crate::Bundle::read(&SecretString::from(marked.as_str())) {
        let said = problem.to_string();
        assert!(!said.contains(SECRET) && !said.is_empty() && !said.contains('\n'), "{said:?}");
    }
    for id in ["x:a", "mastodon:a@b.example", "bluesky:a.example"] {
        let id = id.parse().expect("an account");
        let read = crate::Key::read_file(&id, &SecretString::from(marked.as_str()));
        if let Err(problem) = read {
            let said = problem.to_string();
            assert!(!said.contains(SECRET), "{said}");
            assert!(!said.is_empty() && !said.contains('\n'), "{said:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Key;

    #[track_caller]
    fn read(id: &str, text: &str) -> Result<crate::NewKey, String> {
        let read = Key::read_file(&id.parse().unwrap(), &SecretString::from(text));
        read.map_err(|problem| problem.to_string())
    }

    /// What is made of a key of Mastodon.
    fn mastodon(text: &str) -> String {
        match read("mastodon:a@b.example", text) {
            Ok(new) => format!("{} {}", new.key.expose_secret(), new.url.unwrap_or_default()),
            Err(said) => said,
        }
    }

    #[test]
    fn what_is_meant_is_read() {
        let good = r#"{"access_token":"hush"} https://b.example"#;
        for text in [
            r#"{"access_token": "hush"}"#,
            "\u{FEFF}{\"access_token\": \"hush\"}",
            "{\r\n\"access_token\": \"hush\",\r\n}\r\n",
            "{\"access_token\": \" hush\\n\", \"url\": null,}",
            "{\"access_token\": \"\u{FEFF}hush\u{a0}\"}",
        ] {
            assert_eq!(mastodon(text), good, "{text:?}");
        }
        assert_eq!(
            mastodon(r#"{"access_token": 12}"#),
            r#"{"access_token":"12"} https://b.example"#
        );
        assert!(mastodon(r#"{"access_token": "a,}b"}"#).contains("a,}b"));
        let x = r#"{"token":"7-a","token_secret":"b","user_id":7,"automated_label":"True","tier":"Enterprise"}"#;
        let new = read("x:a", x).unwrap();
        assert_eq!((new.remote_user.as_str(), new.facts.labelled), ("7", true));
        assert_eq!((new.facts.tier, new.app.is_none()), (Tier::Enterprise, true));
    }

    #[test]
    fn each_mistake_has_a_sentence() {
        let mut said = Vec::new();
        for text in [
            "",
            "\u{FEFF} \n",
            "hush",
            "\"hush\"",
            "[\"hush\"]",
            "{access_token: \"hush\"}",
            "{\n  \"access_token\": hush\n}",
            "{“access_token”: “hush”}",
            "{'access_token': 'hush'}",
            "{\"é\": 1, \"access_token\" \"hush\"}",
            "{\"access_token\": \"hush\" \"url\": \"a\"}",
            "{\"access_token\": \"hu\nsh\"}",
            "{\"access_token\": \"hu\\sh\"}",
            "{\"access_token\": \"hush\"",
            "{\"access_token\": \"hush",
            "{\"access_token\": \"hush\"} hush",
            "{\n  # mine\n  \"access_token\": \"hush\"}",
            "{\"access_token\": \"hush\", \"access_token\": \"hush2\"}",
            "{\"acess-token\": \"hush\"}",
            "{\"accessToken\": \"hush\"}",
            "{\"Token\": \"hush\"}",
            "{\"hush\": \"access_token\"}",
            "{\"access\\ntoken\": \"hush\"}",
            "{}",
            "{\"access_token\": null}",
            "{\"access_token\": \" \"}",
            "{\"access_token\": [\"hush\"]}",
            "{\"access_token\": 123456789012345678901234567890}",
            "{\"access_token\": \"hush hush\"}",
        ] {
            let sentence = mastodon(text);
            assert!(!sentence.contains("hush"), "{sentence}");
            said.push(sentence);
        }
        let x = |fields: &str| format!("{{\"token\":\"hush\",\"token_secret\":\"hush\",{fields}}}");
        for fields in [
            "\"user_id\":\"hush\"",
            "\"user_id\":true",
            "\"user_id\":7,\"tier\":\"hush\"",
            "\"user_id\":7,\"automated_label\":\"hush\"",
            "\"user_id\":7,\"consumer_key\":\"hush\"",
            "\"user_id\":7,\"API Key\":\"hush\"",
        ] {
            let sentence = read("x:a", &x(fields)).unwrap_err();
            assert!(!sentence.contains("hush"), "{sentence}");
            said.push(sentence);
        }
        insta::assert_snapshot!(said.join("\n"), @r#"
        it is empty; a key file is JSON with `access_token`, and `url` if need be
        it is empty; a key file is JSON with `access_token`, and `url` if need be
        line 1, column 1: a value is missing, or stands without its quotation marks; a key file is JSON with `access_token`, and `url` if need be
        a key file is JSON in braces, with `access_token`, and `url` if need be
        a key file is JSON in braces, with `access_token`, and `url` if need be
        line 1, column 2: names of fields stand in double quotation marks; a key file is JSON with `access_token`, and `url` if need be
        line 2, column 19: a value is missing, or stands without its quotation marks; a key file is JSON with `access_token`, and `url` if need be
        line 1, column 2: JSON has straight double quotation marks, "like these"; a key file is JSON with `access_token`, and `url` if need be
        line 1, column 2: JSON has straight double quotation marks, "like these"; a key file is JSON with `access_token`, and `url` if need be
        line 1, column 25: a colon is missing between a name and its value; a key file is JSON with `access_token`, and `url` if need be
        line 1, column 25: a comma is missing between two fields, or a quotation mark within a text needs a backslash; a key file is JSON with `access_token`, and `url` if need be
        line 2, column 1: a text must not go on behind the end of its line, nor have a tab in it; a key file is JSON with `access_token`, and `url` if need be
        line 1, column 22: a backslash within a text is written twice; a key file is JSON with `access_token`, and `url` if need be
        the file ends too early; close it with }
        the file ends within a text; close its quotation mark
        line 1, column 26: something follows the last brace; take it out; a key file is JSON with `access_token`, and `url` if need be
        line 2, column 3: JSON has no comments; take it out; a key file is JSON with `access_token`, and `url` if need be
        `access_token` stands there twice; keep the right one
        `acess-token` is not known here; did you mean `access_token`?
        `accessToken` is not known here; did you mean `access_token`?
        `Token` is not known here; did you mean `access_token`?
        field 1 of it has a name that is not known; a key file has `access_token`, and `url` if need be
        field 1 of it has a name that is not known; a key file has `access_token`, and `url` if need be
        `access_token` is missing; a key file has `access_token`, and `url` if need be
        `access_token` is missing; a key file has `access_token`, and `url` if need be
        `access_token` is empty; write what it is, or leave it out
        `access_token` must be text in quotation marks
        `access_token`: write the number in quotation marks
        `access_token` has a space, a line break or a letter in it that no key has; copy it once more
        `user_id` is the account's number, digits only
        `user_id` must be text in quotation marks
        `tier` must be "standard" or "enterprise"
        `automated_label` must be true or false
        `consumer_key` is there without `consumer_secret`; write both, or none
        `API Key` is not known here; did you mean `consumer_key`?
        "#);
    }

    proptest! {
        /// Whatever is in a file and around it: nothing of it is said.
        #[test]
        fn no_secret_is_said(
            before in "[ {}\\[\\]\":,a-z\\n\u{FEFF}]{0,12}",
            after in "[ {}\\[\\]\":,a-z\\n0-9]{0,12}",
            name in "access_token|acess_token|hushhush",
        ) {
            for text in [
                format!("{before}hushhush{after}"),
                format!("{{{before}\"{name}\": \"hushhush\"{after}}}"),
                format!("{{\"{name}\": {before}hushhush{after}"),
            ] {
                for id in ["x:a", "mastodon:a@b.example", "bluesky:a.example"] {
                    if let Err(said) = read(id, &text) {
                        prop_assert!(!said.contains("hushhush"), "{said}");
                    }
                }
            }
        }

        /// A comma after the last value, and a byte order mark, change nothing.
        #[test]
        fn what_is_forgiven_changes_nothing(secret in "[!#-\\[\\]-~]{1,20}", space in "[ \\t\\r\\n]{0,4}") {
            let plain = format!("{{\"access_token\":\"{secret}\"}}");
            let loose = format!("\u{FEFF}{space}{{\"access_token\":\" {secret}\"{space},{space}}}{space}");
            prop_assert_eq!(mastodon(&loose), mastodon(&plain));
        }
    }
}
