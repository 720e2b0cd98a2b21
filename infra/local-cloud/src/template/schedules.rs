//! When the clock starts a function, and with what.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value as Json;

use super::{Reading, is_enabled};
use crate::{
    schedule::{Expression, Schedule},
    yaml::Value,
};

/// A schedule that starts a function.
#[derive(Debug, Clone)]
pub struct ScheduleEvent {
    /// When it fires.
    pub schedule: Schedule,
    /// What the function is given.
    pub input: Json,
}

impl<'n> Reading<'n> {
    pub(super) fn schedule(&self, fields: &Value<'n>) -> Option<ScheduleEvent> {
        let schedule = self.when(fields);
        let input = fields.need("Input", "what the function is given");
        let input = input.and_then(|value| self.input(&value));
        let is_enabled = is_enabled(fields);
        let event = ScheduleEvent { schedule: schedule?, input: input? };
        is_enabled.then_some(event)
    }

    fn when(&self, fields: &Value<'n>) -> Option<Schedule> {
        let zone = fields.get("ScheduleExpressionTimezone");
        // What is wrong is a problem already, so any other will do.
        let zone = zone.and_then(|value| value.accept(zone_named(&self.text(&value)?)));
        let date = |key: &str| {
            let value = fields.get(key)?;
            value.accept(moment(&value, &self.text(&value)?))
        };
        let (start, end) = (date("StartDate"), date("EndDate"));
        if let (Some(start), Some(end)) = (start, end)
            && end <= start
        {
            let text = "ends before it starts; correct `StartDate` or `EndDate`";
            fields.finding(format!("{} {text}", fields.what));
        }
        let value = fields.need("ScheduleExpression", "when it fires")?;
        let expression = value.accept(self.text(&value)?.parse::<Expression>())?;
        value.accept(expression.within(zone.unwrap_or(TimeZone::UTC), start, end))
    }

    fn input(&self, value: &Value<'n>) -> Option<Json> {
        let (text, what) = (self.text(value)?, &value.what);
        if text.contains("<aws.scheduler.") {
            let text = "has a place for AWS to fill, which the local run does not; write it out";
            value.finding(format!("{what} {text}"));
            return None;
        }
        let parsed = serde_json::from_str(&text);
        value.accept(parsed.map_err(|error| format!("{what} must be JSON: {error}")))
    }
}

/// The zone, by the name that AWS knows it by: capitals count there.
fn zone_named(name: &str) -> Result<TimeZone, String> {
    let other = "use a name such as Europe/London";
    let zone = TimeZone::get(name).map_err(|_| format!("`{name}` is not a time zone; {other}"))?;
    match zone.iana_name() {
        Some(known) if known != name => Err(format!("`{name}` is not a time zone; write {known}")),
        _ => Ok(zone),
    }
}

fn moment(of: &Value<'_>, text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| format!("{} must be a time like 2026-01-01T00:00:00Z, not `{text}`", of.what))
}
