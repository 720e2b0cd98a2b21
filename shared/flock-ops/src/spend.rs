//! What flocks have spent this month, and what it will be.

use std::{collections::BTreeMap, fmt};

use flock_core::{
    Flock, FlockName, Forecast, Links, Month, Schedule, Usd, cap_is_reached, posts_and_cost,
};
use flock_store::{Ledger, Store};
use jiff::Timestamp;
use serde::Serialize;

use crate::{Result, texts::with_texts};

/// Where a flock stands in a month.
#[derive(Debug)]
pub struct Standing {
    flock: Flock,
    month: Month,
    ledger: Ledger,
    /// What is still to come in the month.
    ahead: Forecast,
    reached: Option<Timestamp>,
    /// Whether a network it posts to charges for that.
    pays: bool,
}

/// Where the flock stands, or every flock for which money matters.
pub async fn spend(
    store: &Store,
    flock: Option<&FlockName>,
    now: Timestamp,
) -> Result<Vec<Standing>> {
    let flocks = match flock {
        Some(flock) => {
            // Says which flocks there are when this one is not.
            store.sheep_of(Some(flock)).await?;
            vec![flock.clone()]
        }
        None => store.flocks().await?,
    };
    let mut standings = Vec::new();
    for name in flocks {
        let known = store.flock(&name).await?.unwrap_or_else(|| Flock::new(name));
        let standing = Standing::of(store, known, now).await?;
        if flock.is_some() || standing.matters() {
            standings.push(standing);
        }
    }
    Ok(standings)
}

impl Standing {
    async fn of(store: &Store, flock: Flock, now: Timestamp) -> Result<Self> {
        let month = Month::of(now);
        let ledger = store.ledger(&flock.name, month).await?;
        let sheep = store.sheep_of_flock(&flock.name).await?;
        let billed: Vec<_> =
            sheep.into_iter().filter(|sheep| sheep.config.account.network.bills()).collect();
        let pays = !billed.is_empty();
        let (mut links, mut schedule) = (Links::default(), Schedule::default());
        for member in with_texts(store, billed).await? {
            schedule.add(&member, &mut links, now, month.end());
        }
        let cap = flock.monthly_cap;
        let reached = cap.and_then(|cap| schedule.reached(now, ledger.spent, cap));
        Ok(Self { flock, month, ledger, ahead: schedule.forecast, reached, pays })
    }

    /// Whether there is anything to say about money.
    fn matters(&self) -> bool {
        self.pays || self.flock.monthly_cap.is_some() || self.ledger.spent != Usd::ZERO
    }

    /// What it will have spent when the month is over, if no cap stops it.
    fn forecast(&self) -> Usd {
        self.ledger.spent.plus(self.ahead.cost)
    }
}

/// As text for people.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flock, month, ledger, ahead, reached, pays } = self;
        let name = &flock.name;
        if !self.matters() {
            return write!(f, "{name} pays for nothing.");
        }
        let kinds = ledger.counts.iter().filter(|(_, count)| 0 < **count);
        let kinds: Vec<_> = kinds.map(|(kind, count)| format!("{kind}: {count}")).collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!("; {}", kinds.join(", ")) };
        let of_cap = |spent: Usd| {
            let percent = flock.monthly_cap.and_then(|cap| percent(spent, cap));
            percent.map_or_else(String::new, |percent| format!(" ({percent} % of the cap)"))
        };
        let spent = ledger.spent;
        let mut rows = vec![("spent", format!("{spent}{}{kinds}", of_cap(spent)))];
        if *pays {
            let all = self.forecast();
            let come = posts_and_cost(ahead);
            rows.push((
                "forecast",
                format!("{all}{} by the end of {month}; to come: {come}", of_cap(all)),
            ));
        }
        rows.push((
            "cap",
            match (flock.monthly_cap, reached) {
                (None, _) => "none, so nothing is posted that costs; write `monthly_cap` into its \
                              flock.toml"
                    .to_owned(),
                (Some(cap), None) => format!("{cap} is not reached in {month}"),
                (Some(cap), Some(at)) => format!("{cap} {}", cap_is_reached(*at)),
            },
        ));
        if 0 < ahead.posts {
            let linked = ledger.spent.plus(ahead.cost_with_links);
            let what =
                format!("with a link in each post to come it would be {linked}{}", of_cap(linked));
            rows.push(("links", what));
        }
        let rows: Vec<_> = rows.iter().map(|(what, how)| format!("  {what:<9} {how}")).collect();
        write!(f, "{name} in {month}\n{}", rows.join("\n"))
    }
}

/// So many hundredths of the cap, rounded down.
fn percent(spent: Usd, cap: Usd) -> Option<u64> {
    spent.micros().saturating_mul(100).checked_div(cap.micros())
}

/// Where a flock stands, as one JSON line. The names are a promise to scripts; money is in US dollars.
#[derive(Debug, Serialize)]
pub struct StandingLine<'a> {
    flock: &'a str,
    month: String,
    spent: f64,
    counts: &'a BTreeMap<String, u64>,
    cap: Option<f64>,
    spent_percent: Option<u64>,
    forecast: f64,
    forecast_percent: Option<u64>,
    forecast_with_links: f64,
    posts_to_come: u64,
    posts_to_come_with_link: u64,
    cap_reached_at: Option<Timestamp>,
}

impl<'a> StandingLine<'a> {
    /// The line for `standing`.
    pub fn new(standing: &'a Standing) -> Self {
        let Standing { flock, month, ledger, ahead, reached, .. } = standing;
        let percent = |usd| flock.monthly_cap.and_then(|cap| percent(usd, cap));
        Self {
            flock: flock.name.as_str(),
            month: month.to_string(),
            spent: dollars(ledger.spent),
            counts: &ledger.counts,
            cap: flock.monthly_cap.map(dollars),
            spent_percent: percent(ledger.spent),
            forecast: dollars(standing.forecast()),
            forecast_percent: percent(standing.forecast()),
            forecast_with_links: dollars(ledger.spent.plus(ahead.cost_with_links)),
            posts_to_come: ahead.posts,
            posts_to_come_with_link: ahead.with_link,
            cap_reached_at: *reached,
        }
    }
}

/// The amount as JSON has numbers: exact to the millionth below nine billion dollars.
pub(crate) fn dollars(usd: Usd) -> f64 {
    usd.to_string().trim_start_matches('$').parse().unwrap_or(f64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flock_core::Network;

    /// The flock `choir` in 2026-11, under a cap that is reached then, with as many posts to come without a
    /// link and with one.
    fn standing(cap: Option<&str>, reached: Option<&str>, (plain, linked): (u64, u64)) -> Standing {
        let mut ahead = Forecast::default();
        for link in (0..plain).map(|_| false).chain((0..linked).map(|_| true)) {
            ahead = ahead.plus_post(Network::X, link);
        }
        let mut ledger = Ledger::default();
        ledger.spent = "3.10".parse().unwrap();
        let kinds =
            [("posts", 120), ("posts with a link", 6), ("own posts read", 100), ("replies", 0)];
        ledger.counts = kinds.map(|(kind, count)| (kind.to_owned(), count)).into();
        let monthly_cap = cap.map(|cap| cap.parse().unwrap());
        Standing {
            flock: Flock { monthly_cap, ..Flock::new("choir".parse().unwrap()) },
            month: "2026-11".parse().unwrap(),
            ledger,
            ahead,
            reached: reached.map(|at| at.parse().unwrap()),
            pays: true,
        }
    }

    #[test]
    fn where_a_flock_stands_is_read_by_people() {
        let far = standing(Some("25"), None, (216, 24));
        insta::assert_snapshot!(far.to_string(), @"
        choir in 2026-11
          spent     $3.10 (12 % of the cap); own posts read: 100, posts: 120, posts with a link: 6
          forecast  $11.14 (44 % of the cap) by the end of 2026-11; to come: 240 posts, 24 with a link: $8.04
          cap       $25.00 is not reached in 2026-11
          links     with a link in each post to come it would be $51.10 (204 % of the cap)
        ");
        let near = standing(Some("10"), Some("2026-11-28T14:00:00Z"), (216, 24));
        insta::assert_snapshot!(near.to_string(), @"
        choir in 2026-11
          spent     $3.10 (31 % of the cap); own posts read: 100, posts: 120, posts with a link: 6
          forecast  $11.14 (111 % of the cap) by the end of 2026-11; to come: 240 posts, 24 with a link: $8.04
          cap       $10.00 is reached 2026-11-28 14:00:00 UTC; what costs waits from then until the month is over
          links     with a link in each post to come it would be $51.10 (511 % of the cap)
        ");
        insta::assert_snapshot!(standing(None, None, (0, 0)).to_string(), @"
        choir in 2026-11
          spent     $3.10; own posts read: 100, posts: 120, posts with a link: 6
          forecast  $3.10 by the end of 2026-11; to come: 0 posts: $0.00
          cap       none, so nothing is posted that costs; write `monthly_cap` into its flock.toml
        ");
    }

    #[test]
    fn where_a_flock_stands_is_read_by_scripts() {
        let near = standing(Some("10"), Some("2026-11-28T14:00:00Z"), (216, 24));
        let line = serde_json::to_string_pretty(&StandingLine::new(&near)).unwrap();
        insta::assert_snapshot!(line, @r#"
        {
          "flock": "choir",
          "month": "2026-11",
          "spent": 3.1,
          "counts": {
            "own posts read": 100,
            "posts": 120,
            "posts with a link": 6,
            "replies": 0
          },
          "cap": 10.0,
          "spent_percent": 31,
          "forecast": 11.14,
          "forecast_percent": 111,
          "forecast_with_links": 51.1,
          "posts_to_come": 240,
          "posts_to_come_with_link": 24,
          "cap_reached_at": "2026-11-28T14:00:00Z"
        }
        "#);
    }
}
