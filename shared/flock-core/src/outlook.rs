//! What a flock's posts will cost, by its schedule.

use std::{collections::HashMap, fmt};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    Behaviour, BilledPost, Flock, Forecast, Member, Month, Network, Turn, Usd, billed_posts,
    cap_reached, count, local,
};

/// How far ahead a plan looks.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 30);

/// What a flock will cost in the next 30 days.
#[derive(Debug)]
pub struct Outlook {
    /// What is created and changed.
    pub new: Forecast,
    /// The whole flock.
    pub all: Forecast,
    cap: Option<Usd>,
    month: Month,
    spent: Usd,
    /// When the cap is reached.
    pub reached: Option<Timestamp>,
}

/// Posts to come that cost something.
#[derive(Debug, Default)]
pub struct Schedule {
    /// All of them together.
    pub forecast: Forecast,
    /// One by one.
    pub posts: Vec<BilledPost>,
}

/// Which posts have a link, each counted once for each behaviour and network.
#[derive(Debug, Default)]
pub struct Links(HashMap<(Behaviour, Network), HashMap<Turn, bool>>);

impl Schedule {
    /// Adds the posts of `member` from `now` to before `until`.
    pub fn add(&mut self, member: &Member, links: &mut Links, now: Timestamp, until: Timestamp) {
        let network = member.sheep.config.account.network;
        if !network.bills() {
            return;
        }
        let behaviour = &member.sheep.config.behaviour;
        // Looked up once: a month has tens of thousands of posts.
        let links = links.0.entry((behaviour.clone(), network)).or_default();
        let measure = |turn: Turn| {
            let material = member.corpus.material_like(&behaviour.needs(turn.cursor));
            let text = material.map(|material| behaviour.say(turn, material).act.to_string());
            text.is_some_and(|text| 0 < (network.facts().measure)(&text).links)
        };
        let varies = behaviour.varies();
        let has_link = |turn: Turn| {
            // What is always the same is said at any time.
            let turn = if varies { turn } else { Turn { at: now, ..turn } };
            *links.entry(turn).or_insert_with(|| measure(turn))
        };
        for post in billed_posts(&member.sheep, member.corpus.marks(), (now, until), has_link) {
            self.forecast = self.forecast.plus_post(network, post.link);
            self.posts.push(post);
        }
    }

    /// When the posts pass `cap`, after `spent` in this month.
    pub fn reached(&mut self, now: Timestamp, spent: Usd, cap: Usd) -> Option<Timestamp> {
        self.posts.sort_unstable_by_key(|post| post.at);
        cap_reached(self.posts.iter().copied(), now, spent, cap)
    }
}

impl Outlook {
    /// What `members` will cost; with each is said whether it is created or changed. `spent` is what the flock
    /// has spent this month. `None`: nothing costs anything.
    pub fn of<'a>(
        flock: &Flock,
        members: impl Iterator<Item = (&'a Member, bool)>,
        spent: Usd,
        now: Timestamp,
    ) -> Option<Self> {
        // Schedules are in whole seconds: without this each sheep would have a post more.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        let mut links = Links::default();
        let (mut new, mut all) = (Schedule::default(), Schedule::default());
        let mut pays = false;
        for (member, is_new) in members {
            pays |= member.sheep.config.account.network.bills();
            let schedule = if is_new { &mut new } else { &mut all };
            schedule.add(member, &mut links, now, until);
        }
        all.forecast = all.forecast.plus(new.forecast);
        all.posts.append(&mut new.posts);
        let reached = flock.monthly_cap.and_then(|cap| all.reached(now, spent, cap));
        pays.then(|| Self {
            new: new.forecast,
            all: all.forecast,
            cap: flock.monthly_cap,
            month: Month::of(now),
            spent,
            reached,
        })
    }
}

/// Posts and what they cost.
pub fn posts_and_cost(forecast: &Forecast) -> String {
    let Forecast { posts, with_link, cost, .. } = forecast;
    let links = match with_link {
        0 => String::new(),
        with_link => format!(", {with_link} with a link"),
    };
    format!("{}{links}: {cost}", count(*posts, "post"))
}

/// What happens when the cap is reached.
pub fn cap_is_reached(at: Timestamp) -> String {
    format!(
        "is reached {}; what costs waits from then until the month is over",
        local(at, &TimeZone::UTC)
    )
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { new, all, cap, month, spent, reached } = self;
        writeln!(f, "by the schedule, the next 30 days cost")?;
        if new != all && 0 < new.posts {
            writeln!(f, "  created and changed  {}", posts_and_cost(new))?;
        }
        write!(f, "  the whole flock      {}", posts_and_cost(all))?;
        if let Some(cap) = cap {
            let reached = reached.map_or_else(|| "is not reached".to_owned(), cap_is_reached);
            write!(f, "\n  the monthly cap      {cap} {reached} ({spent} is spent in {month})")?;
        }
        Ok(())
    }
}
