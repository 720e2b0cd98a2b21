//! What holds for the whole flock: what it may spend, and the rules it waives.

use std::ops::RangeInclusive;

use flock_core::{NearDuplicates, Usd, Waivers, rules};
use toml::{Spanned, de::DeValue};

use super::{
    Reader,
    fields::{Given, Place},
    mistakes::Reported,
};

/// What a reason is for.
const WHY: &str = "write why the flock may do what the rule forbids; the audit log keeps it";

/// The longest reason, in characters: it is read by people, and kept with the flock.
const MOST_REASON: usize = 500;

/// What is said about a rule that no network has.
fn unknown_rule(name: &str) -> String {
    // To compare takes the one length times the other.
    let name: &str = name.get(..64).unwrap_or(name);
    // Names are long, and people leave out parts of them.
    let distance = |known: &str| {
        let distance = strsim::levenshtein(&name.to_lowercase().replace('_', "-"), known);
        if known.contains(name) { 0 } else { distance }
    };
    let closest = rules().map(|rule| rule.name).min_by_key(|known| distance(known));
    let closest = closest.map_or_else(String::new, |known| format!("; the closest is `{known}`"));
    format!("no network has a rule `{name}`{closest} (`flockwork networks x` lists the rules of X)")
}

impl Reader<'_> {
    /// The cap, where there is one. Nothing could be posted under a cap of nothing.
    pub(super) fn monthly_cap(&mut self, given: Option<&Given>) -> Result<Option<Usd>, Reported> {
        let invalid = |err| format!("`monthly_cap`: {err}");
        let cap: Option<Usd> = match given.map(|given| (given.line, given.text())) {
            None => None,
            Some((_, None)) => return Err(Reported),
            Some((line, Some(text))) => {
                let cap = text.parse().map_err(|err| self.report(line, invalid(err)))?;
                if cap == Usd::ZERO {
                    let what = "`monthly_cap`: with nothing to spend nothing is posted that costs; \
                                leave it out";
                    return Err(self.report(line, what));
                }
                Some(cap)
            }
        };
        Ok(cap)
    }

    /// How alike its posts may be, where that matters. What is wrong is reported.
    pub(super) fn near_duplicates(
        &mut self,
        table: Option<&Spanned<DeValue<'_>>>,
    ) -> Option<NearDuplicates> {
        let table = table?;
        let line = self.line_starts.line(table.span().start);
        let DeValue::Table(table) = table.get_ref() else {
            self.report(
                line,
                "`near_duplicates` must be a table: write near_duplicates = { last = 200, distance = 6 }",
            );
            return None;
        };
        let fields = self.fields(Place::NearDuplicates, table);
        let usual = NearDuplicates::default();
        let most = [NearDuplicates::MOST_LAST, NearDuplicates::MOST_DISTANCE.into()];
        let mut number = |name: &str, range: RangeInclusive<u16>, usual: u16| {
            let Some(given) = fields.get(name) else { return usual };
            let number = given.count().map(|count| u16::try_from(count).unwrap_or(u16::MAX));
            match number {
                Some(number) if range.contains(&number) => number,
                Some(_) => {
                    let (least, most) = range.into_inner();
                    self.report(
                        given.line,
                        format!("`{name}` of `near_duplicates` is {least} to {most}"),
                    );
                    usual
                }
                None => usual,
            }
        };
        let last = number("last", 1..=most[0], usual.last);
        let distance = number("distance", 0..=most[1], usual.distance.into());
        Some(NearDuplicates { last, distance: u8::try_from(distance).unwrap_or(usual.distance) })
    }

    /// The rules the flock does not keep, each with the reason.
    pub(super) fn waivers(&mut self, table: Option<&Spanned<DeValue<'_>>>) -> Waivers {
        let mut waivers = Waivers::new();
        let table = match table.map(|table| (table.span(), table.get_ref())) {
            None => return waivers,
            Some((_, DeValue::Table(table))) => table,
            Some((span, _)) => {
                let line = self.line_starts.line(span.start);
                self.report(
                    line,
                    "`waive` must be a table: write [waive], and under it each rule with the reason",
                );
                return waivers;
            }
        };
        for (key, value) in table {
            let line = self.line_starts.line(key.span().start);
            let rule: &str = key.get_ref();
            if !rules().any(|known| known.name == rule) {
                self.report(line, unknown_rule(rule));
                continue;
            }
            match value.get_ref() {
                DeValue::String(reason) if reason.trim().is_empty() => {
                    self.report(line, format!("`{rule}` is waived without a reason: {WHY}"));
                }
                DeValue::String(reason) if MOST_REASON < reason.chars().count() => {
                    let what = format!(
                        "the reason to waive `{rule}` is longer than {MOST_REASON} characters"
                    );
                    self.report(line, what);
                }
                DeValue::String(reason) => {
                    waivers.insert(rule.to_owned(), reason.trim().to_owned());
                }
                _ => {
                    self.report(line, format!("`{rule}` must be the reason as text: {WHY}"));
                }
            }
        }
        waivers
    }
}
