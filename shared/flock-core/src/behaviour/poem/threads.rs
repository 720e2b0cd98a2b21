//! Poems that are posted as threads: a sheep in one, whatever befalls it.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::{
    AccountId, Act, Behaviour, BehaviourKind, Corpus, Cursor, Due, Edit, NotNow, Occurrence,
    Outcome, Post, RemoteId, Rhythm, RhythmFields, Said, Sheep, SheepConfig, Source, TableId,
    Upcoming, UpcomingText, preview,
};

const BEGIN: &str = "2026-01-01T10:00:00Z";

fn ts(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Threads of lines, as a file has them.
fn read(threads: &[Vec<String>]) -> Corpus {
    let file = threads.iter().map(|lines| lines.join("\n")).collect::<Vec<_>>().join("\n\n");
    let zone = jiff::tz::TimeZone::UTC;
    let plain = Source::plain("a.txt", file.as_bytes(), &zone);
    let (text, problems) = BehaviourKind::Poem.read(&Source { post: Post::Thread, ..plain });
    assert_eq!(problems, []);
    text.unwrap()
}

fn threads(threads: &[&[&str]]) -> Vec<Vec<String>> {
    threads.iter().map(|lines| lines.iter().map(|line| (*line).to_owned()).collect()).collect()
}

fn hourly() -> RhythmFields {
    RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() }
}

/// A sheep in a text, and what it has posted: when, what, and in answer to which.
struct Teller {
    sheep: Sheep,
    text: Corpus,
    now: Timestamp,
    posted: Vec<(Timestamp, String, Option<usize>)>,
}

impl Teller {
    fn new(text: &[Vec<String>], fields: &RhythmFields) -> Self {
        let (text, now) = (read(text), ts(BEGIN));
        let behaviour = BehaviourKind::Poem.with_text(&text).divided(Post::Thread);
        let account = "mastodon:ada@example.social".parse().unwrap();
        let config = SheepConfig::new(account, behaviour, Rhythm::parse(fields).unwrap());
        let sheep = Sheep::create("a/b".parse().unwrap(), config, Occurrence(1), now).unwrap();
        Self { sheep, text, now, posted: Vec::new() }
    }

    /// Decides what is due at the next time that something is, as a tick does.
    fn claim(&mut self) -> Option<Upcoming> {
        self.now = self.now.max(self.sheep.next_at()?);
        let now = self.now;
        let next = match self.sheep.due(now) {
            Due::Post(next) => next,
            Due::Finish => {
                self.sheep = self.sheep.claim_again(now);
                return None;
            }
            Due::Over => {
                self.sheep = self.sheep.end(now);
                return None;
            }
            Due::No => panic!("it is due: {:?}", self.sheep),
        };
        let (at, occurrence, cursor) = (next.at, next.progress.occurrence, next.progress.cursor);
        let behaviour = &self.sheep.config.behaviour;
        let turn = self.sheep.turn(cursor, occurrence, at);
        let material = self.text.material(&behaviour.needs(cursor)).unwrap();
        let Said { act, then } = behaviour.say(turn, material);
        let table = TableId::from_random([7; 16]);
        self.sheep = self.sheep.claim(next.followed_by(then), act, &table, now);
        Some(Upcoming { at, occurrence, what: UpcomingText::At(turn) })
    }

    /// The network takes what is decided.
    fn post(&mut self) {
        let Some(intent) = &self.sheep.intent else { return };
        let act = &intent.errand.work.act;
        let number = |id: &RemoteId| id.as_str().parse().unwrap();
        let answers = act.answers(self.sheep.progress.last_remote.as_ref()).map(number);
        let id = self.posted.len().to_string().parse().unwrap();
        self.posted.push((self.now, act.to_string(), answers));
        self.settle(&Outcome::Done(id));
    }

    fn settle(&mut self, outcome: &Outcome) {
        self.sheep = self.sheep.settle(outcome, self.now);
    }

    fn next(&mut self) {
        self.claim();
        self.post();
    }

    fn change(&mut self, text: &[Vec<String>], account: Option<AccountId>) {
        let text = read(text);
        let behaviour = BehaviourKind::Poem.with_text(&text).divided(Post::Thread);
        let config = SheepConfig { behaviour, ..self.sheep.config.clone() };
        let config = SheepConfig { account: account.unwrap_or(config.account.clone()), ..config };
        self.sheep = if text.id() == self.text.id() {
            self.sheep.reconfigure(config, self.now)
        } else {
            self.sheep.edit(config, &Edit::between(&self.text, &text), self.now).unwrap()
        };
        self.text = text;
    }

    fn told(&self) -> String {
        let line = |(at, text, answers): &(Timestamp, String, Option<usize>)| {
            let answers = answers.map(|number| format!(" to {:?}", self.posted[number].1));
            format!("{at} {text}{}", answers.unwrap_or_default())
        };
        self.posted.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn a_thread_takes_one_slot_and_each_part_answers_the_one_before() {
    let text = threads(&[&["a", "b", "c"], &["d"], &["e", "f"]]);
    let fields = RhythmFields { stanza: Some("5h".to_owned()), daily_cap: Some(2), ..hourly() };
    let mut teller = Teller::new(&text, &fields);
    for _ in 0..7 {
        teller.next();
    }
    insta::assert_snapshot!(teller.told(), @r#"
    2026-01-01T10:00:00Z a
    2026-01-01T10:00:00Z b to "a"
    2026-01-01T10:00:00Z c to "b"
    2026-01-01T11:00:00Z d
    2026-01-02T00:00:00Z e
    2026-01-02T00:00:00Z f to "e"
    2026-01-02T05:00:00Z a
    "#);
    assert_eq!(teller.sheep.config.behaviour.describe(), "poem of 6 lines in threads");
}

#[test]
fn of_a_thread_whose_part_is_refused_the_rest_is_left_out() {
    let text = threads(&[&["a", "b", "c", "d"], &["e", "f"]]);
    let mut teller = Teller::new(&text, &hourly());
    teller.next();
    teller.claim();
    let outcome = teller.sheep.with_rest(Outcome::SetAside { why: "no".to_owned() });
    assert_eq!(
        outcome,
        Outcome::SetAside { why: "no; the rest of its thread, 2 parts, is left out".to_owned() }
    );
    teller.settle(&outcome);
    // The last of a thread has no rest, and of a beginning that is refused everything is.
    teller.next();
    teller.claim();
    assert_eq!(teller.sheep.with_rest(outcome.clone()), outcome);
    teller.settle(&outcome);
    teller.claim();
    teller.settle(&outcome);
    for _ in 0..2 {
        teller.next();
    }
    insta::assert_snapshot!(teller.told(), @r#"
    2026-01-01T10:00:00Z a
    2026-01-01T11:00:00Z e
    2026-01-01T13:00:00Z e
    2026-01-01T13:00:00Z f to "e"
    "#);
}

#[test]
fn what_comes_between_waits_and_the_rest_goes_on_where_it_was() {
    let text = threads(&[&["a", "b", "c"], &["d", "e"]]);
    let mut teller = Teller::new(&text, &hourly());
    teller.next();
    let now = teller.now;
    insta::assert_snapshot!(teller.sheep.post_now(None, now).unwrap_err(), @"it is in the middle of a thread, of which 2 parts are still to come; ask again when the thread is whole");
    assert_eq!(teller.sheep.can_say("x"), Err(NotNow::Thread(2)));
    // A pause of three days.
    teller.sheep = teller.sheep.pause(now);
    teller.now += SignedDuration::from_hours(72);
    teller.sheep = teller.sheep.resume(teller.now);
    teller.next();
    // Whoever asks for the next thread gets all of it, and its time stays that of the one after.
    teller.next();
    teller.now += SignedDuration::from_mins(10);
    teller.sheep = teller.sheep.post_now(None, teller.now).unwrap();
    for _ in 0..3 {
        teller.next();
    }
    insta::assert_snapshot!(teller.told(), @r#"
    2026-01-01T10:00:00Z a
    2026-01-04T10:00:00Z b to "a"
    2026-01-04T10:00:00Z c to "b"
    2026-01-04T10:10:00Z d
    2026-01-04T10:10:00Z e to "d"
    2026-01-04T11:00:00Z a
    "#);
}

#[test]
fn what_was_missed_are_threads() {
    let text = threads(&[&["a", "b"], &["c"], &["d", "e"], &["f"]]);
    for (how, expected) in [("skip", "a b c d e f"), ("all(3)", "a b c d e f")] {
        let fields = RhythmFields { catch_up: Some(how.to_owned()), ..hourly() };
        let mut teller = Teller::new(&text, &fields);
        teller.now += SignedDuration::from_mins(5 * 60 + 30);
        for _ in 0..6 {
            teller.next();
        }
        let said: Vec<_> = teller.posted.iter().map(|(_, text, _)| text.as_str()).collect();
        assert_eq!(said.join(" "), expected, "{how}");
        let at: Vec<_> = teller.posted.iter().map(|(at, ..)| at.to_string()).collect();
        let expected = match how {
            "skip" => "15:30:00 15:30:00 16:00:00 17:00:00 17:00:00 18:00:00",
            _ => "15:30:00 15:30:00 15:30:50 15:31:40 15:31:40 16:00:00",
        };
        let at: Vec<_> = at.iter().map(|at| &at[11..19]).collect();
        assert_eq!(at.join(" "), expected, "{how}");
    }
}

#[test]
fn a_thread_that_is_not_what_it_was_is_left() {
    let old = threads(&[&["a", "b", "c"], &["d", "e"]]);
    let goes_on = |new: &[&[&str]], account: Option<&str>| {
        let mut teller = Teller::new(&old, &hourly());
        teller.next();
        teller.next();
        teller.now += SignedDuration::from_mins(1);
        teller.change(&threads(new), account.map(|account| account.parse().unwrap()));
        teller.next();
        teller.next();
        teller.told().lines().skip(2).collect::<Vec<_>>().join(", ")
    };
    let old: &[&[&str]] = &[&["a", "b", "c"], &["d", "e"]];
    insta::assert_snapshot!(goes_on(old, None), @r#"2026-01-01T10:01:00Z c to "b", 2026-01-01T11:00:00Z d"#);
    insta::assert_snapshot!(goes_on(&[&["x"], &["a", "b", "y", "c"], &["d", "e"]], None), @r#"2026-01-01T10:01:00Z y to "b", 2026-01-01T10:01:00Z c to "y""#);
    insta::assert_snapshot!(goes_on(&[&["A", "b", "c"], &["d", "e"]], None), @r#"2026-01-01T11:00:00Z d, 2026-01-01T11:00:00Z e to "d""#);
    insta::assert_snapshot!(goes_on(&[&["a", "b"], &["c", "d", "e"]], None), @r#"2026-01-01T11:00:00Z c, 2026-01-01T11:00:00Z d to "c""#);
    insta::assert_snapshot!(goes_on(&[&["d", "e"]], None), @r#"2026-01-01T11:00:00Z d, 2026-01-01T11:00:00Z e to "d""#);
    let elsewhere = Some("mastodon:ada@other.social");
    insta::assert_snapshot!(goes_on(old, elsewhere), @r#"2026-01-01T11:00:00Z d, 2026-01-01T11:00:00Z e to "d""#);
}

#[test]
fn a_part_that_is_decided_is_made_though_its_thread_is_left() {
    let mut teller = Teller::new(&threads(&[&["a", "b", "c"], &["d"]]), &hourly());
    teller.next();
    teller.claim();
    teller.change(&threads(&[&["A", "b", "c"], &["d"]]), None);
    teller.post();
    teller.next();
    insta::assert_snapshot!(teller.told(), @r#"
    2026-01-01T10:00:00Z a
    2026-01-01T10:00:00Z b to "a"
    2026-01-01T11:00:00Z d
    "#);
}

#[test]
fn a_part_that_waits_is_taken_back_where_its_thread_is_on_another_account() {
    let text = threads(&[&["a", "b", "c"], &["d", "e"]]);
    let mut teller = Teller::new(&text, &hourly());
    teller.next();
    teller.claim();
    teller.settle(&Outcome::TryAgain { why: "later".to_owned(), not_before: None });
    teller.change(&text, Some("mastodon:ada@other.social".parse().unwrap()));
    assert_eq!((&teller.sheep.intent, teller.sheep.progress.occurrence), (&None, Occurrence(2)));
    // What somebody has seen has no name that a part could answer.
    teller.next();
    teller.next();
    teller.next();
    teller.claim();
    teller.settle(&Outcome::Unknown { why: "who knows".to_owned() });
    teller.now += SignedDuration::from_mins(1);
    teller.sheep = teller.sheep.was_sent(Occurrence(5), teller.now).unwrap();
    teller.next();
    insta::assert_snapshot!(teller.told(), @r#"
    2026-01-01T10:00:00Z a
    2026-01-01T11:00:00Z d
    2026-01-01T11:00:00Z e to "d"
    2026-01-01T12:00:00Z a
    2026-01-01T13:00:00Z d
    "#);
}

#[test]
fn a_thread_that_has_begun_ends_behind_the_end() {
    let text = threads(&[&["a", "b"], &["c"]]);
    let fields = RhythmFields { end: Some("2026-01-01T10:30Z".to_owned()), ..hourly() };
    let mut teller = Teller::new(&text, &fields);
    teller.next();
    teller.now += SignedDuration::from_hours(5);
    teller.next();
    insta::assert_snapshot!(teller.told(), @r#"
    2026-01-01T10:00:00Z a
    2026-01-01T15:00:00Z b to "a"
    "#);
    assert_eq!(teller.sheep.state.name(), "finished");
}

fn rhythms() -> impl Strategy<Value = RhythmFields> {
    let text = |text: &str| Some(text.to_owned());
    let every = RhythmFields {
        line: text("7h"),
        stanza: text("20h"),
        jitter: text("3h"),
        ..RhythmFields::default()
    };
    let capped = RhythmFields {
        line: text("20m"),
        daily_cap: Some(2),
        window: text("09:00-17:00"),
        ..RhythmFields::default()
    };
    let calendar = RhythmFields {
        at: vec!["09:00".to_owned(), "17:30".to_owned()],
        jitter: text("5m"),
        spread: text("5m"),
        ..RhythmFields::default()
    };
    let ends = RhythmFields { end: text("2026-01-05"), ..every.clone() };
    let catch_up = prop::sample::select(vec!["skip", "all(3)"]);
    (prop::sample::select(vec![every, capped, calendar, ends]), catch_up)
        .prop_map(move |(fields, how)| RhythmFields { catch_up: text(how), ..fields })
}

/// Threads of so many lines, none of which is another.
fn text(lengths: &[usize]) -> Vec<Vec<String>> {
    let thread = |(number, length): (usize, &usize)| {
        (0..*length).map(|part| format!("{number}.{part}")).collect()
    };
    lengths.iter().enumerate().map(thread).collect()
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1_usize..5, 1..5)
}

proptest! {
    /// As of poems: the preview is what ticks do, after an outage, too, in the middle of a thread, and with what a crash has left.
    #[test]
    fn the_preview_is_what_ticks_do(
        lengths in lengths(),
        fields in rhythms(),
        hours in 0_i64..60,
        made in 0_usize..6,
        is_open in any::<bool>(),
    ) {
        let mut teller = Teller::new(&text(&lengths), &fields);
        for _ in 0..made {
            teller.next();
        }
        if is_open {
            teller.claim();
        }
        teller.now += SignedDuration::from_hours(hours);
        let marks = teller.text.marks().clone();
        let previewed: Vec<_> = preview(&teller.sheep, &marks, teller.now).take(40).collect();
        let mut ticked = Vec::new();
        while teller.sheep.next_at().is_some() && ticked.len() < 40 {
            let open = teller.sheep.intent.as_ref().map(|intent| Upcoming {
                at: intent.errand.due,
                occurrence: intent.occurrence,
                what: UpcomingText::Decided(intent.errand.work.act.clone()),
            });
            let claimed = teller.claim();
            ticked.extend(claimed.or(open));
            teller.post();
        }
        prop_assert_eq!(previewed, ticked);
    }

    /// Whatever happens, no thread has a gap, no part is in it twice, and none answers anything but the part before it.
    #[test]
    fn threads_are_whole_as_far_as_they_go(
        lengths in lengths(),
        fields in rhythms(),
        events in prop::collection::vec((0_u8..14, any::<prop::sample::Index>(), 0_i64..100), 0..60),
    ) {
        let mut lines = text(&lengths);
        let mut teller = Teller::new(&lines, &RhythmFields { end: None, ..fields });
        // As of when it was decided, the thread that is posted on, up to the part.
        let mut thread: Vec<String> = Vec::new();
        for (number, (event, index, minutes)) in events.into_iter().enumerate() {
            let was_open = teller.sheep.intent.is_some();
            if teller.sheep.next_at().is_some() {
                teller.claim();
            }
            if let (false, Some(intent)) = (was_open, &teller.sheep.intent) {
                let cursor = teller.sheep.progress.cursor;
                let head = teller.text.marks().head(cursor);
                let line = |index| teller.text.line(index).unwrap().to_owned();
                thread = (head.index()..=cursor.index()).map(line).collect();
                let Act::Post(post) = &intent.errand.work.act else { unreachable!() };
                prop_assert_eq!(Some(&post.text), thread.last());
                prop_assert_eq!(post.continues_thread, 1 < thread.len());
            }
            let why = "why".to_owned();
            match event {
                // A tick that died.
                0 => {}
                1 => teller.settle(&Outcome::TryAgain { why, not_before: None }),
                2 => teller.settle(&Outcome::Unknown { why }),
                3 => {
                    teller.settle(&Outcome::Refused { why });
                    teller.sheep = teller.sheep.resume(teller.now);
                }
                4 => {
                    teller.settle(&Outcome::SetAside { why });
                    teller.sheep = teller.sheep.resume(teller.now);
                }
                5 => {
                    teller.sheep = teller.sheep.pause(teller.now);
                    teller.now += SignedDuration::from_mins(minutes);
                    teller.sheep = teller.sheep.resume(teller.now);
                }
                6 => teller.now += SignedDuration::from_mins(100 * minutes),
                7 if let Ok(sheep) = teller.sheep.post_now(None, teller.now) => teller.sheep = sheep,
                8 if teller.sheep.open().is_none() => {
                    let account = format!("mastodon:ada@server{number}.example").parse().unwrap();
                    teller.change(&lines, Some(account));
                }
                9 | 10 => {
                    let thread = index.index(lines.len());
                    let at = index.index(lines[thread].len());
                    if event == 9 {
                        lines[thread].insert(at, format!("new {number}"));
                    } else if 1 < lines.iter().map(Vec::len).sum::<usize>() {
                        lines[thread].remove(at);
                        lines.retain(|thread| !thread.is_empty());
                    }
                    teller.change(&lines, None);
                }
                11 => {
                    let thread = index.index(lines.len());
                    let at = index.index(lines[thread].len());
                    let rest = lines[thread].split_off(at);
                    lines.insert(thread + 1, rest);
                    lines.retain(|thread| !thread.is_empty());
                    teller.change(&lines, None);
                }
                _ => {
                    let before = teller.posted.len();
                    let is_made = teller.sheep.intent.is_some();
                    teller.post();
                    if is_made {
                        // What it is the end of was posted just before, each in answer to the one before that.
                        let from = before + 1 - thread.len();
                        for (nth, (part, (_, text, answers))) in
                            thread.iter().zip(&teller.posted[from..]).enumerate()
                        {
                            prop_assert_eq!(part, text);
                            prop_assert_eq!(*answers, (0 < nth).then(|| from + nth - 1));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_line_knows_how_much_of_its_thread_is_left() {
    let text = read(&threads(&[&["a", "b", "c"], &["d"]]));
    let follows = (0..5).map(|index| text.marks().timing(Cursor::at(index)).follows);
    assert_eq!(follows.collect::<Vec<_>>(), [0, 2, 1, 0, 0]);
    let behaviour = Behaviour::Poem(super::Poem::of(&text));
    assert_eq!(behaviour.timed_text(), Some(&text.id()));
    assert_eq!(behaviour.actions(), [crate::Action::Post, crate::Action::Reply]);
    // Of a piece alone one knows it, too.
    for piece in text.pieces() {
        for (number, index) in (0..piece.lines.len()).zip(piece.first + 1..) {
            assert_eq!(piece.timing_after(number), text.marks().timing(Cursor::at(index)));
        }
    }
}
