//! Money a flock spends: months, the cap, and what the schedule will cost.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
    tz::TimeZone,
};

use serde::{Deserialize, Serialize};

use crate::{Charge, FlockName, Marks, Network, Sheep, Turn, UpcomingText, Usd, preview};

/// A calendar month in UTC, in which a cap holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

/// A text that is no month.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a month: write it as 2026-11")]
pub struct InvalidMonth(String);

/// Where a flock's spending stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spending {
    /// Far from its cap.
    Usual,
    /// It has reached [`Spending::WARN_PERCENT`] of it.
    Near,
    /// The next request would pass it.
    Full,
}

/// What some posts cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forecast {
    /// How many there are.
    pub posts: u64,
    /// How many of them have a link.
    pub with_link: u64,
    /// What they cost.
    pub cost: Usd,
    /// What they would cost if each had a link.
    pub cost_with_links: Usd,
}

impl Month {
    /// The month of `at`.
    pub fn of(at: Timestamp) -> Self {
        Self(at.to_zoned(TimeZone::UTC).date().first_of_month())
    }

    /// When the next one begins.
    pub fn end(self) -> Timestamp {
        let next = self.0.checked_add(1.month()).unwrap_or(Date::MAX);
        next.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |begin| begin.timestamp())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m").fmt(f)
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let (year, month) = text.split_once('-').unwrap_or_default();
        let month = (year.len() == 4 && month.len() == 2)
            .then(|| Some((year.parse::<i16>().ok()?, month.parse::<i8>().ok()?)))
            .flatten()
            .filter(|(year, month)| 0 < *year && (1..=12).contains(month));
        let (year, month) = month.ok_or_else(|| InvalidMonth(text.to_owned()))?;
        Ok(Self(date(year, month, 1)))
    }
}

impl Spending {
    /// At so many percent of its cap people are told.
    pub const WARN_PERCENT: u64 = 80;

    /// Where a flock stands that has spent `spent` of `cap`.
    pub fn of(spent: Usd, cap: Usd) -> Self {
        if spent < cap.percent(Self::WARN_PERCENT) { Self::Usual } else { Self::Near }
    }

    /// Its name, one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Near => "near",
            Self::Full => "full",
        }
    }

    /// What people are told of a flock that stands so.
    pub fn notice(self, flock: &FlockName, month: Month, spent: Usd, cap: Usd) -> Option<String> {
        match self {
            Self::Usual => None,
            Self::Near => Some(format!(
                "flock {flock} has spent {spent} of the {cap} it may spend in {month}"
            )),
            Self::Full => Some(format!(
                "flock {flock} has spent {spent} of the {cap} it may spend in {month}: what costs \
                 waits until the month is over, or until `monthly_cap` is raised and applied"
            )),
        }
    }
}

impl Forecast {
    /// Counts one post more.
    #[must_use]
    pub fn plus_post(self, network: Network, link: bool) -> Self {
        let price = network.facts().price;
        Self {
            posts: self.posts + 1,
            with_link: self.with_link + u64::from(link),
            cost: self.cost.plus(price(Charge::Post { link })),
            cost_with_links: self.cost_with_links.plus(price(Charge::Post { link: true })),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            posts: self.posts + other.posts,
            with_link: self.with_link + other.with_link,
            cost: self.cost.plus(other.cost),
            cost_with_links: self.cost_with_links.plus(other.cost_with_links),
        }
    }
}

/// What the posts of `sheep` from `now` to before `until` cost, by its schedule. `has_link` says it of what
/// its behaviour says in a turn.
pub fn forecast(
    sheep: &Sheep,
    marks: &Marks,
    (now, until): (Timestamp, Timestamp),
    has_link: impl FnMut(Turn) -> bool,
) -> Forecast {
    let network = sheep.config.account.network;
    let posts = billed_posts(sheep, marks, (now, until), has_link);
    posts.fold(Forecast::default(), |sum, post| sum.plus_post(network, post.link))
}

/// A post to come that its network charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BilledPost {
    /// When it is due, or when what is late is made.
    pub at: Timestamp,
    /// Whether it has a link.
    pub link: bool,
    /// What it costs.
    pub price: Usd,
}

/// The posts of `sheep` from `now` to before `until` that cost something, in order; as [`forecast`] counts them.
pub fn billed_posts(
    sheep: &Sheep,
    marks: &Marks,
    (now, until): (Timestamp, Timestamp),
    mut has_link: impl FnMut(Turn) -> bool,
) -> impl Iterator<Item = BilledPost> {
    let network = sheep.config.account.network;
    let posts = network.bills().then(|| preview(sheep, marks, now)).into_iter().flatten();
    posts.take_while(move |post| post.at < until).map(move |post| {
        let link = match &post.what {
            UpcomingText::At(turn) => has_link(*turn),
            UpcomingText::Decided(act) => 0 < (network.facts().measure)(&act.to_string()).links,
        };
        let price = (network.facts().price)(Charge::Post { link });
        BilledPost { at: post.at.max(now), link, price }
    })
}

/// When `posts`, in order of time, would pass `cap` in some month; `spent` is what was spent before in the first.
pub fn cap_reached(
    posts: impl IntoIterator<Item = BilledPost>,
    now: Timestamp,
    spent: Usd,
    cap: Usd,
) -> Option<Timestamp> {
    let (mut month, mut spent) = (Month::of(now), spent);
    posts.into_iter().find_map(|post| {
        if Month::of(post.at) != month {
            (month, spent) = (Month::of(post.at), Usd::ZERO);
        }
        spent = spent.plus(post.price);
        (cap < spent).then_some(post.at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    use crate::{AccountId, Behaviour, Occurrence, Poem, Rhythm, RhythmFields, SheepConfig};

    #[test]
    fn months_are_utc_and_round_trip() {
        let month = Month::of("2026-12-31T23:59:59Z".parse().unwrap());
        assert_eq!(month.to_string(), "2026-12");
        assert_eq!(month.end().to_string(), "2027-01-01T00:00:00Z");
        assert_eq!("2026-12".parse(), Ok(month));
        for wrong in ["2026-13", "2026-1", "2026", "", "x-12", "2026-12-01", "-026-12"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_forecast_is_the_schedule() {
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let account = AccountId { network: Network::X, handle: "a".parse().unwrap() };
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let behaviour = Behaviour::Poem(Poem::of_lines(corpus, 2));
        let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
        let now = "2026-11-30T20:00:00Z".parse().unwrap();
        let sheep = Sheep::create("a/b".parse().unwrap(), config, Occurrence(1), now).unwrap();
        let until = Month::of(now).end();
        // At 20, 21, 22 and 23 o'clock; every second line has a link.
        let forecast =
            forecast(&sheep, &Marks::default(), (now, until), |turn| turn.cursor.index() == 1);
        assert_eq!((forecast.posts, forecast.with_link), (4, 2));
        assert_eq!(forecast.cost.to_string(), "$0.43");
        assert_eq!(forecast.cost_with_links.to_string(), "$0.80");

        let usd = |text: &str| text.parse::<Usd>().unwrap();
        let no_marks = Marks::default();
        let reached = |spent: &str, cap: &str| {
            let posts = billed_posts(
                &sheep,
                &no_marks,
                (now, until + SignedDuration::from_hours(24)),
                |turn| turn.cursor.index() == 1,
            );
            let at = cap_reached(posts, now, usd(spent), usd(cap));
            at.map(|at| at.to_string())
        };
        assert_eq!(reached("0", "0.20").as_deref(), Some("2026-11-30T21:00:00Z"));
        assert_eq!(reached("0.3", "100"), None);
        // What was spent this month does not count in the next.
        assert_eq!(reached("0.3", "0.73").as_deref(), Some("2026-12-01T07:00:00Z"));
        assert_eq!(reached("0", "0.429").as_deref(), Some("2026-11-30T23:00:00Z"));
        assert_eq!(reached("0", "0.644").as_deref(), Some("2026-12-01T05:00:00Z"));
        assert_eq!(reached("0", "0").as_deref(), Some("2026-11-30T20:00:00Z"));
    }
}
