//! What a sheep will post next: the same transitions the tick makes, run ahead of time.

use std::{cmp::Reverse, collections::BinaryHeap};

use jiff::Timestamp;

use crate::{Act, Due, Marks, Occurrence, Outcome, Sheep, TableId, Turn};

/// A post to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// When it is due.
    pub at: Timestamp,
    /// Its number.
    pub occurrence: Occurrence,
    /// What it says.
    pub what: UpcomingText,
}

/// The text of a post to come, or where to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpcomingText {
    /// Decided already: an earlier tick left it.
    Decided(Act),
    /// What its behaviour says then.
    At(Turn),
}

/// The posts of `sheep` from `now` on, in order, as if every post succeeds. Ends when the sheep does. `marks` are those
/// of the lines of its text.
pub fn preview(
    sheep: &Sheep,
    marks: &Marks,
    now: Timestamp,
) -> impl Iterator<Item = Upcoming> + use<> {
    let marks = marks.clone();
    // Whoever holds the lease is making the first post of the preview right now.
    let mut sheep = sheep.lease_at_most(now);
    let mut now = now;
    std::iter::from_fn(move || {
        if let Some((at, occurrence, cursor)) = sheep.post_in_time(now, &marks) {
            now = at;
            let what = UpcomingText::At(sheep.turn(cursor, occurrence, at));
            return Some(Upcoming { at, occurrence, what });
        }
        now = now.max(sheep.next_at()?);
        let (claimed, what) = match sheep.due(now) {
            Due::No | Due::Over => return None,
            Due::Finish => {
                let act = sheep.intent.as_ref()?.errand.work.act.clone();
                (sheep.claim_again(now), UpcomingText::Decided(act))
            }
            Due::Post(next) => {
                let turn = sheep.turn(next.progress.cursor, next.progress.occurrence, next.at);
                let then = next.then.timed(&marks, next.at);
                let next = next.followed_by(then);
                // Neither text nor table change when the next post is due; any that are allowed will do.
                let table = TableId::from_random([0; 16]);
                (sheep.claim(next, Act::post("·"), &table, now), UpcomingText::At(turn))
            }
        };
        let intent = claimed.intent.as_ref()?;
        let (at, occurrence) = (intent.errand.due, intent.occurrence);
        let remote_id = intent.post_id().as_str().parse().ok()?;
        sheep = claimed.settle(&Outcome::Done(remote_id), now);
        Some(Upcoming { at, occurrence, what })
    })
}

/// The posts of all `sheep`, each with the marks of the lines of its text, together from `now` on, in order: each post
/// with the index of its sheep. Begins at once, and holds no more than one post of each.
pub fn preview_all<'a, S: IntoIterator<Item = (&'a Sheep, Marks)>>(
    sheep: S,
    now: Timestamp,
) -> impl Iterator<Item = (usize, Upcoming)> + use<'a, S> {
    let (ids, mut posts): (Vec<_>, Vec<_>) = sheep
        .into_iter()
        .map(|(sheep, marks)| (&sheep.id, preview(sheep, &marks, now).peekable()))
        .unzip();
    let next = posts.iter_mut().zip(&ids).enumerate();
    let mut next: BinaryHeap<_> = next
        .filter_map(|(index, (posts, id))| Some(Reverse((posts.peek()?.at, *id, index))))
        .collect();
    std::iter::from_fn(move || {
        let Reverse((_, id, index)) = next.pop()?;
        let posts = posts.get_mut(index)?;
        let post = posts.next()?;
        next.extend(posts.peek().map(|after| Reverse((after.at, id, index))));
        Some((index, post))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountId, Again, Behaviour, BehaviourKind, Corpus, Network, Poem, Rhythm, RhythmFields,
        Sheep, SheepConfig,
    };

    /// The posts a tick makes that comes exactly when one is due: every transition, none left out.
    fn ticked(sheep: &Sheep, now: Timestamp) -> Vec<Upcoming> {
        let mut sheep = sheep.clone();
        let mut posts = Vec::new();
        while let Some(at) = sheep.next_at()
            && posts.len() < 500
        {
            let now = now.max(at);
            let Due::Post(next) = sheep.due(now) else { panic!("it is due: {sheep:?}") };
            let (at, occurrence) = (next.at, next.progress.occurrence);
            let what = UpcomingText::At(sheep.turn(next.progress.cursor, occurrence, at));
            posts.push(Upcoming { at, occurrence, what });
            let table = TableId::from_random([7; 16]);
            let claimed = sheep.claim(next, Act::post("x"), &table, now);
            sheep = claimed.settle(&Outcome::Done("1".parse().unwrap()), now);
        }
        posts
    }

    #[test]
    fn posts_of_many_sheep_are_in_one_order_and_found_one_by_one() {
        let corpus: crate::CorpusId = "00112233445566778899aabbccddeeff".parse().unwrap();
        let start: Timestamp = "2026-03-27T12:00:00Z".parse().unwrap();
        let sheep = |(name, line, end): (&str, &str, Option<&str>)| {
            let fields = RhythmFields {
                line: Some(line.to_owned()),
                jitter: Some("50s".to_owned()),
                end: end.map(ToOwned::to_owned),
                ..RhythmFields::default()
            };
            let account = AccountId { network: Network::Meadow, handle: "a".parse().unwrap() };
            let behaviour = Behaviour::Poem(Poem::of_lines(corpus.clone(), 5));
            let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
            let id = format!("a/{name}").parse().unwrap();
            Sheep::create(id, config, Occurrence(1), start).unwrap()
        };
        let end = Some("2026-03-27T13:00:00Z");
        let all = [("c", "1m", None), ("a", "1m", end), ("d", "7m", end), ("b", "13m", None)];
        let all = all.map(sheep);
        let together = preview_all(all.iter().map(|sheep| (sheep, Marks::default())), start);
        let together: Vec<_> = together.take(300).collect();
        let mut each: Vec<_> = all
            .iter()
            .enumerate()
            .flat_map(|(index, sheep)| {
                preview(sheep, &Marks::default(), start).take(300).map(move |post| (index, post))
            })
            .collect();
        each.sort_by_key(|(index, post)| (post.at, all[*index].id.clone()));
        each.truncate(300);
        assert_eq!(together, each);
    }

    #[test]
    fn a_preview_is_what_ticks_do() {
        let text = |text: &str| Some(text.to_owned());
        let fields = [
            RhythmFields { line: text("7m"), stanza: text("2h"), ..RhythmFields::default() },
            RhythmFields {
                line: text("20m"),
                jitter: text("19m"),
                daily_cap: Some(5),
                window: text("09:00-17:00"),
                time_zone: text("Europe/London"),
                ..RhythmFields::default()
            },
            RhythmFields {
                line: text("20m"),
                jitter: text("9m"),
                spread: text("11m"),
                end: text("2026-05-01"),
                ..RhythmFields::default()
            },
            RhythmFields {
                at: vec!["09:00".to_owned(), "17:30".to_owned()],
                days: vec!["mon".to_owned(), "fri".to_owned()],
                jitter: text("5m"),
                end: text("2026-06-01"),
                ..RhythmFields::default()
            },
        ];
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let poem = Behaviour::Poem(Poem::of_lines(corpus, 5));
        let pool = |posts: usize, times| {
            let text: Vec<_> = (0..posts).map(|post| format!("post {post}")).collect();
            let text = Corpus::parse(text.join("\n").as_bytes()).unwrap();
            let again = Again::parse(Some("9d"), times).unwrap();
            BehaviourKind::Queue.with_text(&text).returning(again)
        };
        let all = [poem, pool(5, Some(4)), pool(70, None)];
        for (fields, behaviour) in
            fields.iter().flat_map(|fields| all.iter().map(move |one| (fields, one)))
        {
            for catch_up in ["skip", "latest", "all(3)"] {
                let fields = RhythmFields { catch_up: text(catch_up), ..fields.clone() };
                let account = AccountId { network: Network::Meadow, handle: "a".parse().unwrap() };
                let behaviour = behaviour.clone();
                let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
                let start: Timestamp = "2026-03-27T12:00:00Z".parse().unwrap();
                let sheep =
                    Sheep::create("a/b".parse().unwrap(), config, Occurrence(1), start).unwrap();
                for hours in [0, 1, 50] {
                    let now = start + jiff::SignedDuration::from_hours(hours);
                    let preview: Vec<_> =
                        preview(&sheep, &Marks::default(), now).take(500).collect();
                    assert_eq!(preview, ticked(&sheep, now), "{fields:?} {hours}");
                }
            }
        }
    }
}
