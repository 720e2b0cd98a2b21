//! Rhythms: what a sheep says itself, and what `[defaults]` says for all.

use std::collections::BTreeMap;

use flock_core::{BehaviourKind, InvalidRhythm, Network, Post, Rhythm, RhythmFields};
use toml::{Spanned, de::DeValue};

use super::{
    Reader,
    fields::{Fields, Given, Origin, Place, Value},
    mistakes::Reported,
};

/// The fields a rhythm is made of.
const RHYTHM: [&str; 12] = [
    "line",
    "stanza",
    "at",
    "days",
    "window",
    "time_zone",
    "jitter",
    "spread",
    "start",
    "end",
    "daily_cap",
    "catch_up",
];

/// The fields of one rhythm: the sheep's own, and defaults where it has none.
type RhythmGiven<'a> = BTreeMap<&'static str, Origin<'a>>;

/// What holds for every sheep that does not say otherwise.
pub(super) struct Defaults {
    /// The table, and the time zone from the top of the file.
    pub(super) fields: Fields,
    /// What is wrong with the defaults taken together.
    rhythm_problems: Vec<InvalidRhythm>,
}

impl Defaults {
    /// The field as it holds for a sheep with the fields `own`.
    pub(super) fn or_own<'a>(&'a self, own: &'a Fields, name: &str) -> Option<&'a Given> {
        own.get(name).or_else(|| self.fields.get(name))
    }
}

/// The rhythm fields that hold for a sheep: its own pattern replaces the defaults' whole pattern, and what says nothing
/// to its behaviour is not taken over.
fn rhythm_given<'a>(
    own: &'a Fields,
    defaults: &'a Fields,
    behaviour: Option<BehaviourKind>,
) -> RhythmGiven<'a> {
    let own_times = own.get("at").is_some_and(|at| !at.is_empty_list());
    let own_intervals = own.contains_key("line");
    let inherits = |name: &str| match name {
        _ if behaviour.is_some_and(|behaviour| !behaviour.takes(name)) => false,
        "line" | "stanza" | "window" => !own_times,
        "at" | "days" => !own_intervals,
        _ => true,
    };
    let pick = |name: &'static str| {
        let own = own.get(name).map(|given| (true, given));
        let default = || defaults.get(name).filter(|_| inherits(name)).map(|given| (false, given));
        Some((name, own.or_else(default)?))
    };
    RHYTHM.into_iter().filter_map(pick).collect()
}

/// The fields as the core reads them. Where one was of the wrong kind, something stands in for it
/// that causes no further problem; nothing is made of the result then.
fn rhythm_fields(given: &RhythmGiven<'_>) -> RhythmFields {
    // The longest there is, so that no jitter is too long for it.
    const ANY_SPAN: &str = "3660d";
    let text = |name: &str, stand_in: Option<&str>| {
        let (_, given) = given.get(name)?;
        given.text().or(stand_in).map(ToOwned::to_owned)
    };
    let texts = |name: &str, stand_in: &[&str]| match given.get(name).map(|(_, given)| &given.value)
    {
        Some(Some(Value::Texts(texts))) => texts.clone(),
        Some(_) => stand_in.iter().map(|text| (*text).to_owned()).collect(),
        None => Vec::new(),
    };
    RhythmFields {
        line: text("line", Some(ANY_SPAN)),
        stanza: text("stanza", Some(ANY_SPAN)),
        at: texts("at", &["00:00"]),
        days: texts("days", &[]),
        window: text("window", None),
        time_zone: text("time_zone", None),
        jitter: text("jitter", None),
        spread: text("spread", None),
        start: text("start", None),
        end: text("end", None),
        daily_cap: match given.get("daily_cap").map(|(_, given)| &given.value) {
            Some(Some(Value::Count(count))) => Some(*count),
            Some(_) | None => None,
        },
        catch_up: text("catch_up", None),
    }
}

impl Reader<'_> {
    /// The defaults, and a report of everything that would be wrong with them in any sheep.
    pub(super) fn defaults(
        &mut self,
        mut top: Fields,
        table: Option<&Spanned<DeValue<'_>>>,
    ) -> Defaults {
        let mut fields = match table.map(|table| (table, table.get_ref())) {
            None => Fields::new(),
            Some((_, DeValue::Table(table))) => self.fields(Place::Defaults, table),
            Some((table, _)) => {
                let line = self.line_starts.line(table.span().start);
                self.report(line, "`defaults` must be a table: write [defaults]");
                Fields::new()
            }
        };
        // Sheep that override a bad default would keep it from being found.
        let _ = self.parsed::<BehaviourKind>(fields.get("behaviour"));
        let _ = self.parsed::<Network>(fields.get("network"));
        let _ = self.parsed::<Post>(fields.get("post"));
        let zone = top.remove_entry("time_zone");
        for (name, given) in fields.iter().map(|(name, given)| (*name, given)).chain(
            // Both are looked at, even where one hides the other.
            zone.as_ref().map(|(name, given)| (*name, given)),
        ) {
            self.default_alone(name, given);
        }
        if let Some((name, given)) = zone {
            fields.entry(name).or_insert(given);
        }
        let nothing = Fields::new();
        let together = rhythm_fields(&rhythm_given(&nothing, &fields, None));
        let rhythm_problems = Rhythm::parse(&together).err().unwrap_or_default();
        Defaults { fields, rhythm_problems }
    }

    /// Reports what is wrong with a default whatever the sheep that uses it says.
    fn default_alone(&mut self, name: &'static str, given: &Given) {
        if !RHYTHM.contains(&name) || given.value.is_none() {
            return;
        }
        let pattern = if matches!(name, "at" | "days") { "at" } else { "line" };
        let stand_in = Given { line: given.line, value: None };
        let mut alone = RhythmGiven::from([(pattern, (false, &stand_in))]);
        alone.insert(name, (false, given));
        let problems = Rhythm::parse(&rhythm_fields(&alone)).err().unwrap_or_default();
        for InvalidRhythm { field, why } in problems.into_iter().filter(|found| found.field == name)
        {
            self.report(given.line, format!("`{field}`: {why}"));
        }
    }

    /// The rhythm of a sheep. What is wrong is reported where it was written.
    pub(super) fn rhythm(
        &mut self,
        header: usize,
        (own, defaults): (&Fields, &Defaults),
        behaviour: Option<BehaviourKind>,
        threads: bool,
    ) -> Result<Rhythm, Reported> {
        let given = rhythm_given(own, &defaults.fields, behaviour);
        let fields = rhythm_fields(&given);
        let misfits =
            behaviour.map(|behaviour| behaviour.check(&fields, threads)).unwrap_or_default();
        let rhythm = match Rhythm::parse(&fields) {
            Ok(rhythm) if misfits.is_empty() => Ok(rhythm),
            Ok(_) => Err(misfits),
            Err(problems) => Err(problems.into_iter().chain(misfits).collect()),
        };
        let rhythm = rhythm.map_err(|problems: Vec<_>| {
            for problem in problems {
                let InvalidRhythm { field, why } = &problem;
                match given.get(field) {
                    None => self.report_missing(header, format!("`{field}`: {why}")),
                    Some((is_own, given))
                        if *is_own || defaults.rhythm_problems.contains(&problem) =>
                    {
                        self.report(given.line, format!("`{field}`: {why}"))
                    }
                    Some((_, given)) => self.report(
                        header,
                        format!("`{field}` of line {} does not fit here: {why}", given.line),
                    ),
                };
            }
            Reported
        })?;
        if given.values().all(|(_, given)| given.value.is_some()) {
            Ok(rhythm)
        } else {
            Err(Reported)
        }
    }
}
