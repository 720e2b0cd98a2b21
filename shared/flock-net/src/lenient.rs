//! Reading what servers answer as they mean it: a number as text, text as a number, `null` and what is of another kind is no
//! reason to read nothing of an answer. For what shows that something was done there is [`id`], which is there or is not.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

/// Text, or a whole number as text; all else is none.
pub(crate) fn some_text<'de, D: Deserializer<'de>>(of: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(Value::deserialize(of)?))
}

/// The same, where none is an empty text.
pub(crate) fn text<'de, D: Deserializer<'de>>(of: D) -> Result<String, D::Error> {
    Ok(some_text(of)?.unwrap_or_default())
}

/// The same, where there must be one.
pub(crate) fn id<'de, D: Deserializer<'de>>(of: D) -> Result<String, D::Error> {
    let id = some_text(of)?.filter(|id| !id.is_empty());
    id.ok_or_else(|| D::Error::custom("an id is text or a number"))
}

/// A whole number that is not negative, as a number or as text; all else is none.
pub(crate) fn number<'de, D: Deserializer<'de>, N: TryFrom<u64>>(
    of: D,
) -> Result<Option<N>, D::Error> {
    let number = match Value::deserialize(of)? {
        Value::Number(number) => {
            // Some write `5000.0`.
            let text = number.to_string();
            number.as_u64().or_else(|| text.strip_suffix(".0")?.parse().ok())
        }
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    Ok(number.and_then(|number| N::try_from(number).ok()))
}

/// Yes or no, as such, as text or as a number; all else is none.
pub(crate) fn some_flag<'de, D: Deserializer<'de>>(of: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(of)? {
        Value::Bool(flag) => Some(flag),
        other => as_text(other).and_then(|text| match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }),
    })
}

/// The same, where none is no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(of: D) -> Result<bool, D::Error> {
    Ok(some_flag(of)?.unwrap_or_default())
}

/// A part of an answer that nothing depends on; nothing of it where it is of another kind.
pub(crate) fn part<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    of: D,
) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(of)?).unwrap_or_default())
}

/// A part that `null` leaves out, too. What cannot be read of it is not left out: it may tell what is looked for.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    of: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(of)?.unwrap_or_default())
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) if number.is_u64() || number.is_i64() => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Answer {
        #[serde(deserialize_with = "text")]
        text: String,
        #[serde(deserialize_with = "number")]
        number: Option<usize>,
        #[serde(deserialize_with = "some_flag")]
        flag: Option<bool>,
        #[serde(deserialize_with = "part")]
        part: Vec<u8>,
    }

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        let answer = json!({ "text": value, "number": value, "flag": value, "part": value });
        let Answer { text, number, flag, part } = serde_json::from_value(answer).unwrap();
        assert_eq!(format!("{text:?} {number:?} {flag:?} {part:?}"), expected, "{value}");
    }

    #[test]
    fn what_is_meant_is_read() {
        check(&json!(5000), r#""5000" Some(5000) None []"#);
        check(&json!(5000.0), r#""" Some(5000) None []"#);
        check(&json!(" 5000 "), r#"" 5000 " Some(5000) None []"#);
        check(&json!(1), r#""1" Some(1) Some(true) []"#);
        check(&json!("True"), r#""True" None Some(true) []"#);
        check(&json!(false), r#""" None Some(false) []"#);
        check(&json!(-1), r#""-1" None None []"#);
        check(&json!(1.5), r#""" None None []"#);
        check(&json!(u64::MAX), &format!(r#""{0}" Some({0}) None []"#, u64::MAX));
        check(&Value::Null, r#""" None None []"#);
        check(&json!([1, 2]), r#""" None None [1, 2]"#);
        check(&json!({ "a": 1 }), r#""" None None []"#);
        let nothing: Answer = serde_json::from_value(json!({ "other": 1 })).unwrap();
        assert_eq!(nothing.number, None);
    }

    proptest! {
        /// Whatever is there is read.
        #[test]
        fn any_json_is_read(value in "[0-9.e\"tru\\[\\]{}:,-]{0,8}|null|true") {
            let Ok(value) = serde_json::from_str::<Value>(&value) else { return Ok(()) };
            let answer = json!({ "text": value, "number": value, "flag": value, "part": value });
            prop_assert!(serde_json::from_value::<Answer>(answer).is_ok());
        }
    }
}
