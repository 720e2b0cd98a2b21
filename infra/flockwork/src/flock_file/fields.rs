//! The fields of `flock.toml`: which there are, where they stand, and what they hold.

use std::{collections::BTreeMap, fmt, str::FromStr};

use flock_core::{BehaviourKind, nearest};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Reader, mistakes::Reported};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Texts,
    /// Text, or a date or time as TOML has them.
    Moment,
    Count,
    /// Text, or a number as TOML has them, so that no cent gets lost on the way.
    Money,
    Flag,
    /// One table or several, which are read as places of their own.
    Table,
}

/// Where in `flock.toml` fields stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Top,
    Defaults,
    Sheep,
    Part,
    NearDuplicates,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Top => "the top level",
            Self::Defaults => "[defaults]",
            Self::Sheep => "[[sheep]]",
            Self::Part => "[[sheep.parts]]",
            Self::NearDuplicates => "`near_duplicates`",
        })
    }
}

/// A field of `flock.toml`.
struct Field {
    name: &'static str,
    kind: Kind,
    example: &'static str,
    places: &'static [Place],
}

const TOP: &[Place] = &[Place::Top];

const SHEEP: &[Place] = &[Place::Sheep];

const NEAR_DUPLICATES: &[Place] = &[Place::NearDuplicates];

const PART: &[Place] = &[Place::Part];

const SHEEP_OR_PART: &[Place] = &[Place::Sheep, Place::Part];

const BELOW: &[Place] = &[Place::Defaults, Place::Sheep, Place::Part];

const TOP_OR_SHEEP: &[Place] = &[Place::Top, Place::Sheep];

const DEFAULTS_OR_SHEEP: &[Place] = &[Place::Defaults, Place::Sheep];

const ANYWHERE: &[Place] = &[Place::Top, Place::Defaults, Place::Sheep];

/// Every field there is. Messages about fields are made from it.
const FIELDS: &[Field] = &[
    field("name", Kind::Text, r#""milton""#, TOP_OR_SHEEP),
    field("monthly_cap", Kind::Money, r#""25.00""#, TOP),
    field("waive", Kind::Table, "[waive]", TOP),
    field("near_duplicates", Kind::Table, "near_duplicates = { last = 200, distance = 6 }", TOP),
    field("defaults", Kind::Table, "[defaults]", TOP),
    field("sheep", Kind::Table, "[[sheep]]", TOP),
    field("files", Kind::Text, r#""poems/*.txt""#, SHEEP),
    field("corpus", Kind::Text, r#""apollo.txt""#, SHEEP_OR_PART),
    field("parts", Kind::Table, "[[sheep.parts]]", SHEEP),
    field("weight", Kind::Count, "3", PART),
    field("last", Kind::Count, "200", NEAR_DUPLICATES),
    field("distance", Kind::Count, "6", NEAR_DUPLICATES),
    field("account", Kind::Text, r#""apollo""#, DEFAULTS_OR_SHEEP),
    field("behaviour", Kind::Text, BehaviourKind::EXAMPLE, BELOW),
    field("post", Kind::Text, r#""stanza""#, BELOW),
    field("split", Kind::Flag, "true", DEFAULTS_OR_SHEEP),
    field("skip", Kind::Texts, r##"["#"]"##, BELOW),
    field("order", Kind::Count, "2", BELOW),
    field("most", Kind::Count, "6", BELOW),
    field("start_words", Kind::Texts, r#"["The", "A"]"#, BELOW),
    field("must_words", Kind::Texts, r#"["moon"]"#, BELOW),
    field("again_after", Kind::Text, r#""30d""#, DEFAULTS_OR_SHEEP),
    field("again_times", Kind::Count, "5", DEFAULTS_OR_SHEEP),
    field("network", Kind::Text, r#""meadow""#, DEFAULTS_OR_SHEEP),
    field("made_with_ai", Kind::Flag, "true", DEFAULTS_OR_SHEEP),
    field("line", Kind::Text, r#""3m""#, DEFAULTS_OR_SHEEP),
    field("stanza", Kind::Text, r#""2h""#, DEFAULTS_OR_SHEEP),
    field("at", Kind::Texts, r#"["09:00", "17:30"]"#, DEFAULTS_OR_SHEEP),
    field("days", Kind::Texts, r#"["mon", "fri"]"#, DEFAULTS_OR_SHEEP),
    field("window", Kind::Text, r#""06:00-23:00""#, DEFAULTS_OR_SHEEP),
    field("time_zone", Kind::Text, r#""Europe/London""#, ANYWHERE),
    field("jitter", Kind::Text, r#""30s""#, DEFAULTS_OR_SHEEP),
    field("spread", Kind::Text, r#""10m""#, DEFAULTS_OR_SHEEP),
    field("start", Kind::Moment, r#""2026-12-01""#, DEFAULTS_OR_SHEEP),
    field("end", Kind::Moment, r#""2026-12-31""#, DEFAULTS_OR_SHEEP),
    field("daily_cap", Kind::Count, "12", DEFAULTS_OR_SHEEP),
    field("catch_up", Kind::Text, r#""latest""#, DEFAULTS_OR_SHEEP),
];

const fn field(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    places: &'static [Place],
) -> Field {
    Field { name, kind, example, places }
}

impl Field {
    /// What is said where the field holds something else.
    fn wrong_kind(&self) -> String {
        let Self { name, example, .. } = self;
        match self.kind {
            Kind::Text => format!("`{name}` must be text such as {example}"),
            Kind::Texts => format!("`{name}` must be a list of texts such as {example}"),
            Kind::Moment => format!("`{name}` must be a date or a time such as {example}"),
            Kind::Count => format!("`{name}` must be a whole number such as {example}"),
            Kind::Money => {
                format!("`{name}` must be an amount of US dollars such as {example}")
            }
            Kind::Flag => format!("`{name}` must be true or false"),
            Kind::Table => format!("`{name}` must be a table: write {example}"),
        }
    }

    /// Where the field goes, for people.
    fn places(&self) -> String {
        self.places.iter().map(Place::to_string).collect::<Vec<_>>().join(" or ")
    }

    /// What is said about a key at `place` that is no field there.
    fn unknown(key: &str, place: Place) -> String {
        if let Some(field) = FIELDS.iter().find(|field| field.name == key) {
            return format!("`{key}` does not belong in {place}; it goes in {}", field.places());
        }
        let here = || FIELDS.iter().filter(|field| field.places.contains(&place));
        let key_plain = key.to_lowercase().replace('-', "_");
        if let Some(name) = nearest(&key_plain, here().map(|field| field.name)) {
            return format!("unknown field `{key}`; did you mean `{name}`?");
        }
        let known = here().map(|field| field.name).collect::<Vec<_>>().join(", ");
        format!("unknown field `{key}`; {place} takes {known}")
    }
}

/// What a field holds, of the right kind.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<String>),
    Count(u32),
    Flag(bool),
}

/// A field somebody wrote.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) line: usize,
    /// Absent where it is of the wrong kind, which is reported already.
    pub(super) value: Option<Value>,
}

impl Given {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Texts(_) | Value::Count(_) | Value::Flag(_)) | None => None,
        }
    }

    pub(super) fn texts(&self) -> Option<&[String]> {
        match &self.value {
            Some(Value::Texts(texts)) => Some(texts),
            Some(Value::Text(_) | Value::Count(_) | Value::Flag(_)) | None => None,
        }
    }

    pub(super) fn count(&self) -> Option<u32> {
        match self.value {
            Some(Value::Count(count)) => Some(count),
            Some(Value::Text(_) | Value::Texts(_) | Value::Flag(_)) | None => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self.value, Some(Value::Flag(true)))
    }

    pub(super) fn is_empty_list(&self) -> bool {
        matches!(&self.value, Some(Value::Texts(texts)) if texts.is_empty())
    }
}

/// The fields of one table.
pub(super) type Fields = BTreeMap<&'static str, Given>;

/// A field and whether the sheep itself has it; if not, a default.
pub(super) type Origin<'a> = (bool, &'a Given);

impl Reader<'_> {
    /// The fields of a table, and a report of the keys that are none.
    pub(super) fn fields(&mut self, place: Place, table: &DeTable<'_>) -> Fields {
        let mut fields = Fields::new();
        for (key, value) in table {
            let line = self.line_starts.line(key.span().start);
            let key: &str = key.get_ref();
            match FIELDS.iter().find(|field| field.name == key && field.places.contains(&place)) {
                Some(field) if field.kind == Kind::Table => {}
                Some(field) => {
                    let span = value.span();
                    // What was not read to its end is already reported, and not what was meant.
                    let whole = self.stumbles.range(span.start..=span.end).next().is_none();
                    let value = if whole { self.value(field, line, value).ok() } else { None };
                    fields.insert(field.name, Given { line, value });
                }
                None => {
                    self.report(line, Field::unknown(key, place));
                }
            }
        }
        fields
    }

    /// What `field` holds, where that is of the right kind.
    fn value(
        &mut self,
        field: &Field,
        line: usize,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Value, Reported> {
        let text = |text: &str| Ok(Value::Text(text.to_owned()));
        match (field.kind, value.get_ref()) {
            (Kind::Text | Kind::Moment | Kind::Money, DeValue::String(value)) => text(value),
            (Kind::Moment, DeValue::Datetime(value)) => text(&value.to_string()),
            (Kind::Money, DeValue::Integer(value)) if value.radix() == 10 => text(value.as_str()),
            (Kind::Money, DeValue::Float(value)) => text(value.as_str()),
            (Kind::Flag, DeValue::Boolean(value)) => Ok(Value::Flag(*value)),
            (Kind::Count, DeValue::Integer(value)) => {
                u32::from_str_radix(value.as_str(), value.radix())
                    .map(Value::Count)
                    .map_err(|_| self.report(line, field.wrong_kind()))
            }
            (Kind::Texts, DeValue::Array(values)) => {
                let mut texts = Ok(Vec::new());
                for value in values {
                    match (value.get_ref(), &mut texts) {
                        (DeValue::String(text), Ok(texts)) => texts.push(text.to_string()),
                        (DeValue::String(_), Err(Reported)) => {}
                        _ => {
                            let line = self.line_starts.line(value.span().start);
                            texts = Err(self.report(line, field.wrong_kind()));
                        }
                    }
                }
                texts.map(Value::Texts)
            }
            _ => Err(self.report(line, field.wrong_kind())),
        }
    }

    /// The value of a text field. `Ok(None)`: it is not there.
    pub(super) fn parsed<T>(&mut self, given: Option<&Given>) -> Result<Option<T>, Reported>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let Some(given) = given else { return Ok(None) };
        let text = given.text().ok_or(Reported)?;
        text.parse().map(Some).map_err(|err: T::Err| self.report(given.line, err.to_string()))
    }

    /// The value of a text field that must be there.
    pub(super) fn required<T>(
        &mut self,
        fields: &Fields,
        name: &str,
        line: Option<usize>,
        why: &str,
    ) -> Result<T, Reported>
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.parsed(fields.get(name))?
            .ok_or_else(|| self.report_missing(line, format!("`{name}` is missing: {why}")))
    }
}
