//! Posts that return: a pool is gone through round by round, and none of its posts comes again before it has rested.
//!
//! When each post was made last is not kept, because a sheep is one small item however long its text is: its posts are divided into
//! blocks, and of each block is kept when its last post was made. Up to [`Pool::BLOCKS`] posts that is a block for each;
//! of more, a post rests a little longer than is asked for, never shorter.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::{Cursor, Place};
use crate::{Corpus, CorpusProblem, InvalidRhythm, count, rhythm::parse_length};

/// How the posts of a pool return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Again {
    after: SignedDuration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

impl Again {
    /// Networks take what is said again within a week for spam, and readers do, too.
    const SHORTEST: SignedDuration = SignedDuration::from_hours(24 * 7);

    /// Reads the fields `again_after`, a length of time such as `30d`, of at least a week, and `again_times`, how often each
    /// post is made in all; absent: for ever. Reports everything that is wrong with them. `Ok(None)`: posts are made once.
    pub fn parse(
        after: Option<&str>,
        times: Option<u32>,
    ) -> Result<Option<Self>, Vec<InvalidRhythm>> {
        let mut problems = Vec::new();
        let mut tell = |field, why: String| problems.push(InvalidRhythm { field, why });
        let length = after.and_then(|text| match parse_length(text) {
            Ok(length) if length < Self::SHORTEST => {
                let why = format!(
                    "`{text}` is too short: no post comes twice in a week; write 7d or more"
                );
                tell("again_after", why);
                None
            }
            Ok(length) => Some(length),
            Err(why) => {
                tell("again_after", why);
                None
            }
        });
        match times {
            Some(0 | 1) => tell(
                "again_times",
                "it is how often each post is made in all, so 2 is the least; a queue without `again_after` makes each once"
                    .to_owned(),
            ),
            Some(_) if after.is_none() => tell(
                "again_times",
                "it goes with `again_after`, which says how long a post rests before it returns, such as \"30d\""
                    .to_owned(),
            ),
            Some(_) | None => {}
        }
        if problems.is_empty() {
            Ok(length.map(|after| Self { after, times }))
        } else {
            Err(problems)
        }
    }

    /// How long a post rests, at least, before it returns: a week or more.
    pub fn after(self) -> SignedDuration {
        self.after
    }

    /// How often each post is made in all, 2 or more; `None`: for ever.
    pub fn times(self) -> Option<u32> {
        self.times
    }

    /// The posts of a text that cannot be in a pool: those with times of their own, and those that say what another does.
    pub fn check(text: &Corpus) -> Vec<CorpusProblem> {
        let mut problems = Vec::new();
        let mut first = HashMap::new();
        for ((number, said), index) in text.lines().zip(0..) {
            if text.marks().of(Cursor::at(index)).at.is_some() {
                let why = "it has a time of its own, and a post of a pool returns again and again; take the time out, or put \
                           the post into a queue without `again_after`";
                super::tell(&mut problems, number, why);
            }
            let before = *first.entry(said).or_insert(number);
            if before != number {
                let why = format!(
                    "it says what line {before} says, so that it would come twice in a short time; take it out: posts of a \
                     pool return by themselves"
                );
                super::tell(&mut problems, number, why);
            }
        }
        problems
    }

    /// What it adds to the description of a queue.
    pub(super) fn describe(self) -> String {
        const DAY_SECONDS: i64 = 24 * 60 * 60;
        let seconds = self.after.as_secs();
        let after = match u64::try_from(seconds / DAY_SECONDS) {
            Ok(days) if seconds % DAY_SECONDS == 0 => count(days, "day"),
            Ok(_) | Err(_) => format!("{:#}", self.after),
        };
        let times = self.times.map(|times| format!(", {}", count(times, "time")));
        format!(", again after {after}{}", times.unwrap_or_default())
    }
}

/// When the posts of a pool were made last, by blocks. Stored as a list of whole minutes: the latest of all since the epoch, then
/// for each block how long before that. Empty where nothing was said, and of what is no pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Option<i64>>", into = "Vec<Option<i64>>")]
pub struct LastSaid(Option<Box<Said>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    /// The newest post of all.
    latest: Minute,
    /// The last post of each block, when its end was last come to. Blocks that are not there were not said.
    blocks: Vec<Option<Minute>>,
}

/// A minute since the epoch: a sheep with its times has to stay within the size that is written for one unit.
pub(crate) type Minute = i64;

const MINUTE_SECONDS: i64 = 60;

/// The first minute that begins at `at` or later.
pub(crate) fn minute(at: Timestamp) -> Minute {
    at.as_second().div_euclid(MINUTE_SECONDS)
        + i64::from(at.as_second().rem_euclid(MINUTE_SECONDS) != 0 || at.subsec_nanosecond() != 0)
}

fn instant(minute: Minute) -> Option<Timestamp> {
    Timestamp::from_second(minute.checked_mul(MINUTE_SECONDS)?).ok()
}

impl LastSaid {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The newest of all.
    pub(crate) fn latest(&self) -> Option<Minute> {
        self.0.as_ref().map(|said| said.latest)
    }

    fn of_block(&self, block: u32) -> Option<Minute> {
        self.0.as_ref()?.blocks.get(usize::try_from(block).ok()?).copied().flatten()
    }

    /// The same, where something was said at `time`.
    fn said(&mut self, time: Minute) -> &mut Said {
        let said =
            self.0.get_or_insert_with(|| Box::new(Said { latest: time, blocks: Vec::new() }));
        said.latest = said.latest.max(time);
        said
    }
}

impl Said {
    /// The end of a block was come to, unless what is known of it is later.
    fn end(&mut self, block: u32, time: Minute) {
        let index = usize::try_from(block).unwrap_or(usize::MAX);
        if self.blocks.len() <= index {
            self.blocks.resize(index.saturating_add(1), None);
        }
        if let Some(there) = self.blocks.get_mut(index) {
            *there = (*there).max(Some(time));
        }
    }
}

impl From<Vec<Option<i64>>> for LastSaid {
    fn from(stored: Vec<Option<i64>>) -> Self {
        let mut stored = stored.into_iter();
        let Some(latest) = stored.next().flatten() else { return Self::default() };
        let blocks = stored.map(|before| before.map(|before| latest.saturating_sub(before)));
        Self(Some(Box::new(Said { latest, blocks: blocks.collect() })))
    }
}

impl From<LastSaid> for Vec<Option<i64>> {
    fn from(LastSaid(said): LastSaid) -> Self {
        let Some(said) = said else { return Self::new() };
        let Said { latest, blocks } = *said;
        let before = blocks.into_iter().map(|at| at.map(|at| latest.saturating_sub(at)));
        std::iter::once(Some(latest)).chain(before).collect()
    }
}

/// A pool as its sheep asks it: so many posts, of which each rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pool {
    pub(super) posts: u32,
    pub(super) after: SignedDuration,
}

impl Pool {
    /// Of so many posts or groups of posts is kept when they were made: what a stored sheep has room for.
    pub(crate) const BLOCKS: u32 = 32;

    /// How many posts there are.
    pub(crate) fn posts(self) -> u32 {
        self.posts
    }

    /// Which post comes at `cursor`.
    fn index(self, cursor: Cursor) -> u32 {
        cursor.index().checked_rem(self.posts).unwrap_or(0)
    }

    /// How many posts a block has.
    fn block_len(self) -> u32 {
        self.posts.div_ceil(Self::BLOCKS).max(1)
    }

    /// The block of a post.
    fn block(self, index: u32) -> u32 {
        index / self.block_len()
    }

    /// The last post of a block.
    fn end_of(self, block: u32) -> u32 {
        block.saturating_add(1).saturating_mul(self.block_len()).min(self.posts).saturating_sub(1)
    }

    /// When the post at `cursor` was made last, or a little later, and from when on it may be made again. `None`: it was not made.
    pub(crate) fn rest(self, cursor: Cursor, last: &LastSaid) -> Option<(Timestamp, Timestamp)> {
        let made = instant(last.of_block(self.block(self.index(cursor)))?)?;
        Some((made, made.saturating_add(self.after).unwrap_or(Timestamp::MAX)))
    }

    /// The times after the posts from `from` on to before `to`, at most a round of them, of which one was made at `made` and the others
    /// are passed by. Where the pool goes back, the post at `from` was made.
    pub(crate) fn said(
        self,
        from: Cursor,
        to: Cursor,
        made: Timestamp,
        last: &LastSaid,
    ) -> LastSaid {
        let made = minute(made);
        let mut last = last.clone();
        let said = last.said(made);
        let range = u64::from(from.index())..u64::from(to.index());
        let round = u64::from(from.index() - self.index(from));
        for block in 0..=self.block(self.posts.saturating_sub(1)) {
            let end = round + u64::from(self.end_of(block));
            if range.contains(&end) || range.contains(&(end + u64::from(self.posts))) {
                said.end(block, made);
            }
        }
        if to <= from {
            said.end(self.block(self.index(from)), made);
        }
        last
    }

    /// When the post number `index` was made last, or a little later, where `cursor` is next.
    pub(crate) fn said_at(self, index: u32, cursor: Cursor, last: &LastSaid) -> Option<Minute> {
        let block = self.block(index);
        let next = self.index(cursor);
        // Of a block in which the pool is, the first posts were said since its end was last come to.
        if block == self.block(next) && index < next {
            return last.latest();
        }
        last.of_block(block)
    }

    /// The times of a pool whose posts were made last at `times`, and the newest of them, or one that is gone, at `latest`, where
    /// `cursor` is next.
    pub(crate) fn with_times(
        self,
        times: impl IntoIterator<Item = Option<Minute>>,
        latest: Option<Minute>,
        cursor: Cursor,
    ) -> LastSaid {
        let mut last = LastSaid::default();
        if let Some(latest) = latest {
            last.said(latest);
        }
        let next = self.index(cursor);
        for (index, time) in (0..self.posts).zip(times) {
            let block = self.block(index);
            let Some(time) = time else { continue };
            let said = last.said(time);
            // Of what was said in the block in which the pool is, the newest of all stands until the end of the block is come to.
            if block != self.block(next) || next <= index {
                said.end(block, time);
            }
        }
        last
    }

    /// The round that `cursor` is in, and how many of its posts come before: none only in the first. What is between two rounds is at
    /// the end of one, so that what is added to the pool there is said before the next one begins.
    pub(crate) fn round(self, cursor: Cursor) -> (u32, Cursor) {
        let Some(before) = cursor.index().checked_sub(1) else { return (0, cursor) };
        let round = before.checked_div(self.posts).unwrap_or(0);
        (round, Cursor::at(self.index(Cursor::at(before)).saturating_add(1)))
    }

    /// The place in a round.
    pub(crate) fn in_round(self, place: Place, round: u32) -> Place {
        let first = round.saturating_mul(self.posts);
        Place { cursor: Cursor::at(first.saturating_add(place.cursor.index())), ..place }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::{
        super::tests::{BEGIN, Teller, corpus, rhythms, ts},
        *,
    };
    use crate::{
        Behaviour, Marks, Outcome, RhythmFields, SheepConfig, State, TableId, Upcoming,
        UpcomingText, preview,
    };

    fn again(after: &str, times: Option<u32>) -> Option<Again> {
        Again::parse(Some(after), times).unwrap()
    }

    fn named(names: &[&str]) -> Vec<(String, Option<Timestamp>)> {
        names.iter().map(|name| ((*name).to_owned(), None)).collect()
    }

    fn numbered(count: u32) -> Vec<(String, Option<Timestamp>)> {
        (0..count).map(|number| (format!("post {number}"), None)).collect()
    }

    fn daily() -> RhythmFields {
        RhythmFields { line: Some("1d".to_owned()), ..RhythmFields::default() }
    }

    fn pool(names: &[&str], after: &str, times: Option<u32>) -> Teller {
        Teller::of_pool(corpus(&named(names)), &daily(), again(after, times), ts(BEGIN))
    }

    /// What it posts, and days after its beginning.
    fn run(teller: &mut Teller, most: usize) -> String {
        let mut told = Vec::new();
        while told.len() < most && teller.claim().is_some() {
            teller.posted();
            let day = teller.now.duration_since(ts(BEGIN)).as_hours() / 24;
            told.push(format!("{day}: {}", teller.said.last().unwrap()));
        }
        told.join(", ")
    }

    #[test]
    fn posts_come_round_by_round_and_none_before_it_has_rested() {
        let mut teller = pool(&["a", "b", "c"], "7d", Some(3));
        insta::assert_snapshot!(run(&mut teller, 4), @"0: a, 1: b, 2: c, 8: a");
        let behaviour = &teller.sheep.config.behaviour;
        let told = format!(
            "{}, next {}",
            behaviour.describe(),
            behaviour.position(teller.sheep.progress.cursor)
        );
        insta::assert_snapshot!(told, @"queue of 3 posts, again after 7 days, 3 times, next 2 of 3, 2nd time");
        insta::assert_snapshot!(run(&mut teller, 9), @"9: b, 10: c, 16: a, 17: b, 18: c");
        insta::assert_snapshot!(teller.sheep.ended(), @"has finished, because each post of its pool was made as often as `again_times` says; add posts to its file, or raise that, and apply its flock to let it go on");
        assert_eq!((teller.sheep.state.name(), teller.sheep.progress.missed), ("finished", 0));
        // What is added is said in the round that is over, and raised times bring the others again.
        teller.edit(&named(&["a", "b", "c", "d"]));
        insta::assert_snapshot!(run(&mut teller, 9), @"19: d");
        teller.again = again("7d", Some(4));
        let behaviour = teller.sheep.config.behaviour.clone().returning(teller.again);
        let config = SheepConfig { behaviour, ..teller.sheep.config.clone() };
        teller.sheep = teller.sheep.reconfigure(config, teller.now);
        insta::assert_snapshot!(run(&mut teller, 9), @"24: a, 25: b, 26: c, 27: d");
    }

    #[test]
    fn what_is_added_while_others_rest_comes_first() {
        let mut teller = pool(&["a", "b"], "30d", None);
        insta::assert_snapshot!(run(&mut teller, 2), @"0: a, 1: b");
        teller.edit(&named(&["new", "a", "b", "c", "d"]));
        insta::assert_snapshot!(run(&mut teller, 9), @"2: c, 3: d, 4: new, 31: a, 32: b, 33: c, 34: d, 35: new, 62: a");
    }

    #[test]
    fn what_rests_is_not_asked_for_between() {
        let mut teller = pool(&["a", "b"], "30d", None);
        run(&mut teller, 1);
        let sheep = teller.sheep.post_now(None, teller.now).unwrap();
        teller.sheep = sheep;
        teller.claim();
        teller.posted();
        assert_eq!(teller.said, ["a", "b"]);
        let refusal = teller.sheep.post_now(None, teller.now).unwrap_err().to_string();
        insta::assert_snapshot!(refusal, @"its next post was last posted on 2025-12-31, and returns on 2026-01-31");
        // What somebody says through it is another matter, and so is when it has rested.
        let table = TableId::from_random([7; 16]);
        assert!(teller.sheep.say("hello", &table, teller.now).is_ok());
        teller.now = teller.sheep.next_at().unwrap() - SignedDuration::from_hours(1);
        assert!(teller.sheep.post_now(None, teller.now).is_ok());
    }

    #[test]
    fn an_outage_is_made_up_for_by_what_has_rested() {
        let fields = RhythmFields { catch_up: Some("all(9)".to_owned()), ..daily() };
        let text = corpus(&named(&["a", "b", "c"]));
        let mut teller = Teller::of_pool(text, &fields, again("10d", None), ts(BEGIN));
        insta::assert_snapshot!(run(&mut teller, 2), @"0: a, 1: b");
        teller.now += SignedDuration::from_hours(24 * 100);
        insta::assert_snapshot!(run(&mut teller, 6), @"101: c, 101: a, 101: b, 112: c, 113: a, 114: b");
        insta::assert_snapshot!(teller.sheep.progress.missed, @"24");
    }

    #[test]
    fn a_queue_that_becomes_a_pool_rests_first() {
        let mut teller = pool(&["a", "b", "c"], "7d", None);
        let once = teller.sheep.config.behaviour.clone().returning(None);
        let config = SheepConfig { behaviour: once.clone(), ..teller.sheep.config.clone() };
        teller.sheep = teller.sheep.reconfigure(config.clone(), teller.now);
        insta::assert_snapshot!(run(&mut teller, 9), @"0: a, 1: b, 2: c");
        assert_eq!(teller.sheep.state.name(), "finished");
        let behaviour = once.returning(teller.again);
        let pooled = SheepConfig { behaviour, ..config.clone() };
        teller.sheep = teller.sheep.reconfigure(pooled, teller.now);
        insta::assert_snapshot!(run(&mut teller, 4), @"9: a, 10: b, 11: c, 17: a");
        // And back: each is said.
        teller.sheep = teller.sheep.reconfigure(config, teller.now);
        assert_eq!((teller.sheep.state.name(), teller.claim()), ("finished", None));
    }

    #[test]
    fn a_rest_that_is_changed_holds_at_once() {
        let mut teller = pool(&["a", "b"], "30d", None);
        run(&mut teller, 2);
        let with = |teller: &Teller, after: &str| {
            let behaviour = teller.sheep.config.behaviour.clone().returning(again(after, None));
            let config = SheepConfig { behaviour, ..teller.sheep.config.clone() };
            let sheep = teller.sheep.reconfigure(config, teller.now);
            format!("{after}: {:?}", sheep.next_at())
        };
        let told = ["30d", "8d", "60d"].map(|after| with(&teller, after));
        insta::assert_snapshot!(told.join("\n"), @"
        30d: Some(2026-01-31T10:00:00Z)
        8d: Some(2026-01-09T10:00:00Z)
        60d: Some(2026-03-02T10:00:00Z)
        ");
    }

    #[test]
    fn a_post_that_is_moved_while_it_is_under_way_rests_where_it_is_now() {
        let with = |edited: &[&str]| {
            let mut teller = pool(&["a", "b", "c", "d"], "20d", None);
            run(&mut teller, 5);
            teller.claim();
            teller.edit(&named(edited));
            teller.posted();
            let day = teller.now.duration_since(ts(BEGIN)).as_hours() / 24;
            format!("{day}: {}, {}", teller.said.last().unwrap().clone(), run(&mut teller, 6))
        };
        insta::assert_snapshot!(with(&["a", "c", "d", "b"]), @"22: b, 23: c, 24: d, 43: b, 44: a, 45: c, 46: d");
        insta::assert_snapshot!(with(&["b", "a", "c", "d"]), @"22: b, 23: c, 24: d, 43: b, 44: a, 45: c, 46: d");
        // What is new in its place would be taken for it.
        insta::assert_snapshot!(with(&["a", "new", "c", "d", "b"]), @"22: b, 23: c, 24: d, 43: b, 44: a, 45: new, 46: c");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let told = |after, times| match Again::parse(after, times) {
            Ok(again) => format!("{again:?}"),
            Err(problems) => {
                let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
                told.join("\n")
            }
        };
        insta::assert_snapshot!(told(Some("6d"), Some(1)), @"
        again_after: `6d` is too short: no post comes twice in a week; write 7d or more
        again_times: it is how often each post is made in all, so 2 is the least; a queue without `again_after` makes each once
        ");
        insta::assert_snapshot!(told(Some("soon"), None), @"again_after: `soon` is not a length of time; write it as 30s, 3m, 2h or 1d");
        insta::assert_snapshot!(told(Some("20000d"), None), @"again_after: `20000d` is too long: ten years is the most");
        insta::assert_snapshot!(told(None, Some(3)), @r#"again_times: it goes with `again_after`, which says how long a post rests before it returns, such as "30d""#);
        insta::assert_snapshot!(told(None, None), @"None");
        let text = "text,at\na\nb,2026-12-01 09:00\na\n";
        let (text, _) = super::super::tests::read_as("q.csv", text);
        let problems = Again::check(&text.unwrap());
        let told: Vec<_> =
            problems.iter().map(|problem| format!("{:?} {problem}", problem.line())).collect();
        insta::assert_snapshot!(told.join("\n"), @"
        Some(3) it has a time of its own, and a post of a pool returns again and again; take the time out, or put the post into a queue without `again_after`
        Some(4) it says what line 2 says, so that it would come twice in a short time; take it out: posts of a pool return by themselves
        ");
    }

    #[test]
    fn its_forms_are_schemas() {
        let mut teller = pool(&["a", "b", "c"], "30d", Some(5));
        run(&mut teller, 2);
        let behaviour = serde_json::to_string(&teller.sheep.config.behaviour).unwrap();
        insta::assert_snapshot!(behaviour, @r#"{"kind":"queue","corpus":"880553fca8fcea94e325ee2cfb48e5a9","posts":3,"again":{"after":"PT720H","times":5}}"#);
        assert_eq!(
            serde_json::from_str::<Behaviour>(&behaviour).unwrap(),
            teller.sheep.config.behaviour
        );
        let last = &teller.sheep.progress.last_said;
        let stored = serde_json::to_string(last).unwrap();
        insta::assert_snapshot!(stored, @"[29454362,1440,0]");
        assert_eq!(&serde_json::from_str::<LastSaid>(&stored).unwrap(), last);
        assert!(serde_json::from_str::<LastSaid>("[]").unwrap().is_empty());
    }

    /// That no text was made again before it had rested.
    fn check_rests(
        made: &[(Timestamp, String)],
        after: SignedDuration,
    ) -> Result<(), TestCaseError> {
        let mut last: HashMap<&str, Timestamp> = HashMap::new();
        for (at, text) in made {
            if let Some(before) = last.insert(text, *at) {
                let rested = at.duration_since(before);
                prop_assert!(after <= rested, "{text} at {before} and {at}");
            }
        }
        Ok(())
    }

    proptest! {
        /// Whatever goes wrong in between, no text is made again before it has rested, nor more often than it may be; the order
        /// is kept, and the pool comes to its end. At any time, the preview is what ticks do that are in time.
        #[test]
        fn a_pool_rests_keeps_its_order_and_ends(
            count in 1_u32..100,
            fields in rhythms(),
            after in 7_i64..40,
            times in 2_u32..5,
            events in prop::collection::vec((0_u8..24, 0_i64..2000, 0_i64..120), 1..40),
            look in 0_usize..300,
        ) {
            let fields = RhythmFields { end: None, ..fields };
            let posts = numbered(count);
            let after_text = format!("{after}d");
            let text = corpus(&posts);
            let mut teller = Teller::of_pool(text, &fields, again(&after_text, Some(times)), ts(BEGIN));
            let mut made = Vec::new();
            let mut passed = 0;
            let mut previewed: Option<std::vec::IntoIter<Upcoming>> = None;
            for (step, (event, hours, late)) in events.into_iter().chain(std::iter::repeat((9, 0, 50))).enumerate() {
                if matches!(teller.sheep.state, State::Finished { .. }) {
                    break;
                }
                prop_assert!(step < 4_000, "it does not end");
                let waits = teller.sheep.intent.is_none()
                    && teller.sheep.progress.not_before.is_none()
                    && Some(teller.now) <= teller.sheep.next_at();
                if look <= step && waits && previewed.is_none() {
                    let posts: Vec<_> = preview(&teller.sheep, &Marks::default(), teller.now).take(50).collect();
                    previewed = Some(posts.into_iter());
                }
                // From then on, all goes well, and ticks come at any second that is in time.
                let event = if previewed.is_some() { 9 } else { event };
                match event {
                    0 => teller.now += SignedDuration::from_hours(hours),
                    1 => teller.sheep = teller.sheep.pause(teller.now).resume(teller.now),
                    2 => {
                        let table = TableId::from_random([7; 16]);
                        if let Ok(sheep) = teller.sheep.say("hello", &table, teller.now) {
                            teller.sheep = sheep.settle(&Outcome::Done("1".parse().unwrap()), teller.now);
                        }
                    }
                    3 | 4 => {
                        teller.now += SignedDuration::from_mins(hours);
                        if let Ok(sheep) = teller.sheep.post_now(None, teller.now) {
                            teller.sheep = sheep;
                        }
                    }
                    _ => {}
                }
                let Some(due) = teller.sheep.next_at() else { continue };
                teller.now = teller.now.max(due + SignedDuration::from_secs(late));
                let claimed = teller.claim();
                if let Some(previewed) = &mut previewed {
                    let open = teller.sheep.intent.as_ref().map(|intent| Upcoming {
                        at: intent.errand.due,
                        occurrence: intent.occurrence,
                        what: UpcomingText::Decided(intent.errand.work.act.clone()),
                    });
                    if let Some(next) = previewed.next() {
                        prop_assert_eq!(claimed.or(open), Some(next));
                    }
                }
                let Some(intent) = teller.sheep.intent.clone() else { continue };
                prop_assert_eq!(intent.errand.work.act.to_string(), format!("post {}", passed % count));
                let why = "why".to_owned();
                match event {
                    5 => {}
                    6 => teller.settle(&Outcome::TryAgain { why, not_before: None }),
                    7 => {
                        teller.settle(&Outcome::SetAside { why });
                        teller.sheep = teller.sheep.resume(teller.now);
                        passed += 1;
                    }
                    _ => {
                        teller.posted();
                        made.push((teller.now, teller.said.last().unwrap().clone()));
                        passed += 1;
                    }
                }
            }
            prop_assert_eq!(passed, count * times);
            check_rests(&made, SignedDuration::from_hours(24 * after))?;
        }

        /// However its file is edited, and whatever is under way then. Where nothing is moved, none is made more often than it may be.
        #[test]
        fn edits_wake_nothing_that_rests(
            count in 1_u32..80,
            fields in rhythms(),
            times in prop::option::of(2_u32..4),
            moves in any::<bool>(),
            events in prop::collection::vec((0_u8..12, any::<usize>(), 1_u32..40), 1..60),
        ) {
            let fields = RhythmFields { end: None, ..fields };
            let mut posts = numbered(count);
            let mut teller = Teller::of_pool(corpus(&posts), &fields, again("20d", times), ts(BEGIN));
            let mut made = Vec::new();
            for (nth, (event, at, many)) in events.into_iter().enumerate() {
                let place = at % posts.len();
                match event {
                    0 => {
                        let new = (0..many).map(|number| (format!("new {nth} {number}"), None));
                        posts.splice(place..place, new);
                    }
                    1 => posts.push((format!("last {nth}"), None)),
                    2 => posts[place].0 = format!("mended {nth}"),
                    3 if 1 < posts.len() => {
                        posts.remove(place);
                    }
                    4 if moves && 1 < posts.len() => {
                        let moved = posts.remove(place);
                        posts.insert(at / 7 % (posts.len() + 1), moved);
                    }
                    5 if moves => posts.rotate_left(place),
                    6 => {
                        let end = posts.len().min(place + 40);
                        posts = posts.drain(place..end).collect();
                    }
                    _ => {
                        for _ in 0..many {
                            if teller.claim().is_none() {
                                prop_assert!(times.is_some() && teller.sheep.state.name() == "finished");
                                break;
                            }
                            teller.posted();
                            made.push((teller.now, teller.said.last().unwrap().clone()));
                        }
                        continue;
                    }
                }
                let is_under_way = many % 3 == 0 && teller.claim().is_some();
                teller.edit(&posts);
                if is_under_way {
                    teller.posted();
                    made.push((teller.now, teller.said.last().unwrap().clone()));
                }
            }
            check_rests(&made, SignedDuration::from_hours(24 * 20))?;
            let mut said: HashMap<&str, u32> = HashMap::new();
            for (_, text) in &made {
                *said.entry(text).or_default() += 1;
            }
            if let Some(times) = times.filter(|_| !moves) {
                prop_assert!(said.values().all(|said| *said <= times), "{said:?}");
            }
        }

        /// What is kept is never less than what is true, for each post, and exact where each has a block.
        #[test]
        fn times_of_blocks_are_those_of_their_posts_or_later(
            count in 1_u32..100,
            steps in prop::collection::vec((1_i64..10_000, 1_u32..3), 0..300),
        ) {
            let pool = Pool { posts: count, after: SignedDuration::from_hours(24 * 7) };
            let mut last = LastSaid::default();
            let mut truth = HashMap::new();
            let (mut now, mut cursor) = (ts(BEGIN), Cursor::default());
            for (minutes, passed) in steps {
                now += SignedDuration::from_mins(minutes);
                let to = Cursor::at(cursor.index() + passed);
                last = pool.said(cursor, to, now, &last);
                for index in cursor.index()..to.index() {
                    truth.insert(index % count, minute(now));
                }
                cursor = to;
                let stored: Vec<Option<i64>> = last.clone().into();
                prop_assert_eq!(&LastSaid::from(stored), &last);
                let times: Vec<_> = (0..count).map(|index| pool.said_at(index, cursor, &last)).collect();
                for (index, time) in (0..).zip(&times) {
                    let truth = truth.get(&index).copied();
                    prop_assert!(truth <= *time);
                    prop_assert!(Pool::BLOCKS < count || truth == *time);
                }
                prop_assert_eq!(&pool.with_times(times, last.latest(), cursor), &last);
            }
        }
    }
}
