//! Posts that people added to those in the file of a queue: where they stand, how they are changed, and how they stay when the file
//! is another.
//!
//! A queue is one text. What was added is marked in it, and is never in the file; so a change of the one leaves the other as it is. A
//! post that is to come is named by its number in the text and a mark of what it says: who names one that stands elsewhere by now,
//! or says something else, changes nothing.

use std::{borrow::Cow, collections::HashMap, fmt, str::FromStr};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    Act, BehaviourKind, Corpus, CorpusId, CorpusProblem, Cursor, Edit, Item, Mark, OtherText,
    Progress, Sheep, SheepConfig, State, TextRefusal, UpcomingText, count,
    edit::{Strand, Woven},
    foreign::{odd, without_marks},
    local, preview, quoted,
    rhythm::parse_moment,
};

/// No more posts that people added wait in one queue: a file is the place for more.
const MOST: usize = 500;

/// A post of a queue, as lists show it and people name it: `5-e1f0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNumber {
    /// Its number in the text, from 1 on.
    number: u32,
    /// The beginning of a digest of what it says. Without it nobody knows that the post is still the one that somebody saw.
    mark: Option<String>,
}

/// That is no number of a post in a queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the number of a post in a queue: those are written as the list of the queue shows them, like 5-e1f0"
)]
pub struct InvalidNumber(String);

impl QueueNumber {
    /// Characters of a mark, four bits each: of 65,000 other posts one has the same.
    const MARK: usize = 4;

    /// The number of the post with this index in `text`.
    fn of(text: &Corpus, index: u32) -> Option<Self> {
        let line = text.line(index)?;
        let mark = Mark { added: false, ..text.marks().of(Cursor::at(index)) };
        let digest = CorpusId::of_lines(std::iter::once(line), std::iter::once(mark), true);
        let mark = digest.as_str().get(..Self::MARK)?.to_owned();
        Some(Self { number: index.checked_add(1)?, mark: Some(mark) })
    }

    /// The number without what the post says: where it stands.
    fn place(&self) -> String {
        self.number.to_string()
    }

    /// Whether both are of the same place.
    pub fn is_at(&self, other: &Self) -> bool {
        self.number == other.number
    }

    /// Whether it says what the post says.
    pub fn is_whole(&self) -> bool {
        self.mark.is_some()
    }
}

impl FromStr for QueueNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let invalid = || InvalidNumber(text.to_owned());
        let (number, mark) = match text.trim().split_once('-') {
            Some((number, mark)) => (number, Some(mark.to_ascii_lowercase())),
            None => (text.trim(), None),
        };
        let is_mark =
            |mark: &str| mark.len() == Self::MARK && mark.bytes().all(|b| b.is_ascii_hexdigit());
        if !number.bytes().all(|byte| byte.is_ascii_digit())
            || mark.as_deref().is_some_and(|mark| !is_mark(mark))
        {
            return Err(invalid());
        }
        let number = number.parse().ok().filter(|number| 0 < *number).ok_or_else(invalid)?;
        Ok(Self { number, mark })
    }
}

impl fmt::Display for QueueNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mark {
            Some(mark) => write!(f, "{}-{mark}", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

/// A post of a queue that is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedPost {
    /// How it is named.
    pub number: QueueNumber,
    /// When it is made; `None`: not as long as its sheep does not post.
    pub at: Option<Timestamp>,
    /// That time, where it is its own, and not by the rhythm.
    pub own_time: Option<Timestamp>,
    /// What it says.
    pub text: String,
    /// Whether somebody added it.
    pub is_added: bool,
}

/// What people do to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueChange {
    /// Another post at its end.
    Add {
        /// What it says.
        text: String,
    },
    /// Another post, with a time of its own.
    At {
        /// When, as people write it: in the zone of the sheep, unless it has an offset.
        at: String,
        /// What it says.
        text: String,
    },
    /// Another text of one.
    Edit {
        /// Which.
        post: QueueNumber,
        /// What it says then.
        text: String,
    },
    /// One less.
    Remove {
        /// Which.
        post: QueueNumber,
    },
    /// Another place of one.
    Move {
        /// Which.
        post: QueueNumber,
        /// Whose place it takes.
        to: QueueNumber,
    },
    /// One before all that are to come.
    Next {
        /// Which.
        post: QueueNumber,
    },
}

/// Why a queue stays as it is. Says it to a person, after its sheep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueRefusal {
    /// The sheep says something else.
    #[error("it is not a queue but {0}, and posts can be added to queues alone")]
    NoQueue(&'static str),
    /// It posts no more.
    #[error("{0}; give the sheep a later one in its file and apply its flock, and then add posts")]
    Over(&'static str),
    /// There is no such post to come.
    #[error("post {place} is not among those to come, {among}; list the queue to see them")]
    NotToCome {
        /// The number that was asked for.
        place: String,
        /// Which are.
        among: String,
    },
    /// Nobody knows whether it is the one that was meant.
    #[error("{place} alone may be another post by now; write {number} if you mean \"{text}\"")]
    Bare {
        /// The number that was asked for.
        place: String,
        /// Its whole number.
        number: QueueNumber,
        /// What it says.
        text: String,
    },
    /// It is not the one that was meant.
    #[error("the queue is not as it was listed: {asked} {now}; list it again")]
    Changed {
        /// The number that was asked for.
        asked: QueueNumber,
        /// What became of that.
        now: String,
    },
    /// The file says it.
    #[error(
        "post {number} is in the file of the sheep, which alone says what it is and where; edit the file and apply its flock"
    )]
    OfFile {
        /// Which.
        number: QueueNumber,
    },
    /// It comes when its time comes.
    #[error(
        "post {number} has a time of its own, {at}, and comes then; remove it and add it with another time"
    )]
    HasTime {
        /// Which.
        number: QueueNumber,
        /// When.
        at: String,
    },
    /// It is there already.
    #[error("post {number} stands there already")]
    There {
        /// Which.
        number: QueueNumber,
    },
    /// Who asks twice gets it once.
    #[error("the same waits in the queue already, as post {number}")]
    Twice {
        /// Which.
        number: QueueNumber,
    },
    /// Somebody else has to say something, too.
    #[error("{} that people added wait in it already; put more into its file", count(*.0, "post"))]
    Full(u32),
    /// Nobody knows which time is meant.
    #[error(
        "`{0}` is not a time as it is written here: 2026-12-01T09:00, in quotes \"2026-12-01 09:00\", or with an offset \
         2026-12-01T09:00+01:00"
    )]
    NoTime(String),
    /// It cannot be then.
    #[error("{at} has passed; give it a later time")]
    Passed {
        /// When.
        at: String,
    },
    /// It is not to be then.
    #[error("{at} is {why}")]
    Outside {
        /// When.
        at: String,
        /// Why, and what would do.
        why: &'static str,
    },
    /// It cannot be said.
    #[error("{0}")]
    Unfit(String),
    /// Its text is not that of the sheep.
    #[error(transparent)]
    OtherText(#[from] OtherText),
}

/// A queue that was changed.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The sheep as it is then.
    pub sheep: Sheep,
    /// Its text then.
    pub text: Corpus,
    /// The post that it is about, as it is then. `None`: it is removed.
    pub post: Option<QueuedPost>,
    /// What that said before, where it was there.
    pub before: Option<String>,
}

/// Why a post that somebody adds cannot be made by a sheep: a part of a sentence.
pub fn check_added(config: &SheepConfig, text: &str, at: Option<Timestamp>) -> Result<(), String> {
    if let Some(c) = odd(text) {
        return Err(format!(
            "the text holds U+{:04X}, which no network shows; leave it out",
            u32::from(c)
        ));
    }
    config.check(&Act::post(text)).map_err(|why: TextRefusal| why.to_string())?;
    if !Corpus::holds(text) {
        let (bytes, limit) = (text.len(), Corpus::LINE_BYTES);
        return Err(format!(
            "the text is {bytes} bytes long; a post cannot be longer than {limit}"
        ));
    }
    let outside = at.and_then(|at| outside(config, at));
    outside.map_or(Ok(()), |why| Err(format!("its time is {why}")))
}

/// How a time is outside that of the rhythm, where it is, and what would do.
fn outside(config: &SheepConfig, at: Timestamp) -> Option<&'static str> {
    let rhythm = &config.rhythm;
    if rhythm.start().is_some_and(|start| at < start) {
        Some("before the `start` of its sheep; give it a later one")
    } else if rhythm.end().is_some_and(|end| end <= at) {
        Some("not before the `end` of its sheep; give it an earlier one")
    } else {
        None
    }
}

/// The posts of a queue that are to come, in order, with the times at which they are made.
pub fn queued(sheep: &Sheep, text: &Corpus, now: Timestamp) -> Vec<QueuedPost> {
    let mut times = HashMap::new();
    for post in preview(sheep, text.marks(), now) {
        if let UpcomingText::At(turn) = post.what {
            times.insert(turn.cursor, post.at);
        }
    }
    let next = sheep.next_place().cursor.index();
    let post = |index| post_at(text, index, times.get(&Cursor::at(index)).copied());
    (next..text.len()).filter_map(post).collect()
}

fn post_at(text: &Corpus, index: u32, at: Option<Timestamp>) -> Option<QueuedPost> {
    Some(QueuedPost {
        number: QueueNumber::of(text, index)?,
        at,
        text: text.line(index)?.to_owned(),
        own_time: text.marks().of(Cursor::at(index)).at,
        is_added: text.marks().of(Cursor::at(index)).added,
    })
}

/// How many posts that people added a sheep has still to make.
pub fn added_to_come(sheep: &Sheep, text: &Corpus) -> u32 {
    let next = sheep.next_place().cursor.index();
    let is_added = |index: &u32| text.marks().of(Cursor::at(*index)).added;
    let added = (next..text.len()).filter(is_added);
    u32::try_from(added.count()).unwrap_or(u32::MAX)
}

/// A post of a text that is being changed.
#[derive(Debug, Clone)]
struct Slot<'a> {
    strand: Strand,
    number: usize,
    text: Cow<'a, str>,
    mark: Mark,
}

/// The text of a queue while it is changed.
#[derive(Debug, Clone)]
struct Draft<'a> {
    sheep: &'a Sheep,
    /// As it is.
    text: &'a Corpus,
    /// All its posts.
    slots: Vec<Slot<'a>>,
    /// How many of them are made, or decided: those stay where they are.
    made: usize,
}

impl QueueChange {
    /// The text that a post of the change says, where it has one.
    fn says(&self) -> Option<&str> {
        match self {
            Self::Add { text } | Self::At { text, .. } | Self::Edit { text, .. } => Some(text),
            Self::Remove { .. } | Self::Move { .. } | Self::Next { .. } => None,
        }
    }

    /// The queue of `sheep`, whose text this is, changed so at `now`.
    pub fn apply(
        &self,
        sheep: &Sheep,
        text: &Corpus,
        now: Timestamp,
    ) -> Result<Changed, QueueRefusal> {
        let behaviour = &sheep.config.behaviour;
        behaviour.open_queue().map_err(QueueRefusal::NoQueue)?;
        if *behaviour.text() != text.id() {
            return Err(OtherText.into());
        }
        let mut draft = Draft::of(sheep, text);
        let says = self.says().map(|text| without_marks(text.trim()).replace("\r\n", "\n"));
        let says = says.unwrap_or_default();
        let (index, before) = match self {
            Self::Add { .. } => (Some(draft.add(says, None, now)?), None),
            Self::At { at, .. } => {
                let at = draft.time(at, now)?;
                (Some(draft.add(says, Some(at), now)?), None)
            }
            Self::Edit { post, .. } => {
                let index = draft.own(post)?;
                let slot = draft.slot(index)?;
                let at = slot.mark.at;
                check_added(&sheep.config, &says, at).map_err(QueueRefusal::Unfit)?;
                draft.not_twice(&says, at)?;
                let before = draft.replace(index, says);
                (Some(index), Some(before))
            }
            Self::Remove { post } => {
                let index = draft.own(post)?;
                (None, Some(draft.slots.remove(index).text.into_owned()))
            }
            Self::Move { post, to } => {
                let to = draft.find(to, false)?;
                draft.put(post, to)?
            }
            Self::Next { post } => {
                let first = draft.made;
                draft.put(post, first)?
            }
        };
        let (sheep, text) = draft.done(now)?;
        let post = index.and_then(|index| {
            let index = u32::try_from(index).ok()?;
            queued_at(&sheep, &text, index, now)
        });
        Ok(Changed { sheep, text, post, before })
    }
}

/// The post with this index, and when it is made.
fn queued_at(sheep: &Sheep, text: &Corpus, index: u32, now: Timestamp) -> Option<QueuedPost> {
    let mut coming = preview(sheep, text.marks(), now);
    let at = coming.find_map(|post| match post.what {
        UpcomingText::At(turn) if turn.cursor.index() == index => Some(post.at),
        UpcomingText::At(_) | UpcomingText::Decided(_) => None,
    });
    post_at(text, index, at)
}

impl<'a> Draft<'a> {
    fn of(sheep: &'a Sheep, text: &'a Corpus) -> Self {
        let mut file = 0;
        let mut slots = Vec::new();
        for (index, (_, line)) in text.lines().enumerate() {
            let mark = text.marks().of(Cursor::at(u32::try_from(index).unwrap_or(u32::MAX)));
            let strand = if mark.added {
                Strand::Added(index)
            } else {
                file += 1;
                Strand::File(file - 1)
            };
            slots.push(Slot { strand, number: index + 1, text: line.into(), mark });
        }
        let (said, made) = said_and_made(sheep, text);
        let mut draft = Self { sheep, text, slots, made };
        // A few may stay: numbers that people have just read stand for the same then.
        let is_over = |slot: &Slot<'_>| matches!(slot.strand, Strand::Added(index) if index < said);
        let over = draft.slots.iter().filter(|slot| is_over(slot)).count();
        if MOST <= over {
            draft.slots.retain(|slot| !is_over(slot));
            draft.made -= over;
        }
        draft
    }

    fn zone(&self) -> &TimeZone {
        self.sheep.config.rhythm.zone()
    }

    fn slot(&self, index: usize) -> Result<&Slot<'a>, QueueRefusal> {
        let gone = || QueueRefusal::NotToCome {
            place: index.saturating_add(1).to_string(),
            among: self.among(),
        };
        self.slots.get(index).ok_or_else(gone)
    }

    /// Which numbers there are.
    fn among(&self) -> String {
        let last = self.text.len();
        let next = self.sheep.next_place().cursor.index().saturating_add(1);
        match last.checked_sub(next) {
            None => "because none is".to_owned(),
            Some(0) => format!("which is {last} alone"),
            Some(_) => format!("which are {next} to {last}"),
        }
    }

    /// Where the post of this number stands: one that is to come. With `is_meant` it has to be the one that says so.
    fn find(&self, asked: &QueueNumber, is_meant: bool) -> Result<usize, QueueRefusal> {
        let number_of = |slot: &Slot<'_>| {
            let index = u32::try_from(slot.number).ok()?.checked_sub(1)?;
            QueueNumber::of(self.text, index)
        };
        let to_come = || self.slots.iter().enumerate().skip(self.made);
        let is_there = |slot: &Slot<'_>| u32::try_from(slot.number) == Ok(asked.number);
        let there = to_come().find(|(_, slot)| is_there(slot));
        let found = there.and_then(|(index, slot)| Some((index, slot, number_of(slot)?)));
        match (&asked.mark, found) {
            (Some(_), Some((index, _, number))) if number == *asked => Ok(index),
            (None, Some((index, ..))) if !is_meant => Ok(index),
            (None, Some((_, slot, number))) => {
                Err(QueueRefusal::Bare { place: asked.place(), number, text: quoted(&slot.text) })
            }
            (None, None) => {
                Err(QueueRefusal::NotToCome { place: asked.place(), among: self.among() })
            }
            (Some(_), _) => {
                let same = |(_, slot): &(usize, &Slot<'_>)| {
                    number_of(slot).filter(|number| number.mark == asked.mark)
                };
                let now = match to_come().find_map(|slot| same(&slot)) {
                    Some(number) => format!("is {number} by now"),
                    None => "is made, removed or another by now".to_owned(),
                };
                Err(QueueRefusal::Changed { asked: asked.clone(), now })
            }
        }
    }

    /// The same, where it is one that somebody added.
    fn own(&self, asked: &QueueNumber) -> Result<usize, QueueRefusal> {
        let index = self.find(asked, false)?;
        if !self.slot(index)?.mark.added {
            return Err(QueueRefusal::OfFile { number: asked.clone() });
        }
        self.find(asked, true)
    }

    /// The time that somebody wrote.
    fn time(&self, text: &str, now: Timestamp) -> Result<Timestamp, QueueRefusal> {
        let at = parse_moment(text, self.zone());
        let at = at.ok_or_else(|| QueueRefusal::NoTime(text.to_owned()))?;
        let shown = || local(at, self.zone());
        if at <= now {
            return Err(QueueRefusal::Passed { at: shown() });
        }
        match outside(&self.sheep.config, at) {
            Some(why) => Err(QueueRefusal::Outside { at: shown(), why }),
            None => Ok(at),
        }
    }

    /// Puts a new post where it belongs, and says where that is.
    fn add(
        &mut self,
        text: String,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<usize, QueueRefusal> {
        let config = &self.sheep.config;
        if config.rhythm.first_slot(now).is_none() {
            return Err(QueueRefusal::Over(config.rhythm.why_over(now)));
        }
        check_added(config, &text, at).map_err(QueueRefusal::Unfit)?;
        let waiting = self.slots.iter().skip(self.made).filter(|slot| slot.mark.added).count();
        if MOST <= waiting {
            return Err(QueueRefusal::Full(u32::try_from(waiting).unwrap_or(u32::MAX)));
        }
        self.not_twice(&text, at)?;
        let mark = Mark { added: true, ..Mark::at(at) };
        let slot = Slot { strand: Strand::New, number: 0, text: text.into(), mark };
        let index = match at {
            Some(at) => self.index_of(at, now),
            None => self.end(&slot, now),
        };
        Ok(self.insert(index, slot))
    }

    /// Refuses what waits already: somebody has pressed twice, or was not answered.
    fn not_twice(&self, text: &str, at: Option<Timestamp>) -> Result<(), QueueRefusal> {
        let is_same = |slot: &&Slot<'_>| slot.mark.added && slot.mark.at == at && slot.text == text;
        let same = self.slots.iter().skip(self.made).find(is_same);
        let same = same.and_then(|slot| {
            QueueNumber::of(self.text, u32::try_from(slot.number).ok()?.checked_sub(1)?)
        });
        same.map_or(Ok(()), |number| Err(QueueRefusal::Twice { number }))
    }

    /// Where a post belongs that waits for the rhythm: behind all others, but before those at the end whose own times are later than
    /// it is made there.
    fn end(&self, slot: &Slot<'a>, now: Timestamp) -> usize {
        /// Each is tried by itself, which takes as long as changing the queue.
        const TRIED: usize = 20;
        let timed = self.slots.iter().skip(self.made).rev();
        let timed = timed.take_while(|slot| slot.mark.at.is_some()).count().min(TRIED);
        let end = self.slots.len();
        let is_before_its_time = |index: &usize| {
            let mut draft = self.clone();
            draft.slots.insert(*index, slot.clone());
            let Ok((sheep, text)) = draft.done(now) else { return false };
            let post = u32::try_from(*index).ok();
            let post = post.and_then(|index| queued_at(&sheep, &text, index, now));
            let made = post.and_then(|post| post.at);
            let next = self.slots.get(*index).and_then(|slot| slot.mark.at);
            made.zip(next).is_some_and(|(made, next)| made < next)
        };
        (end.saturating_sub(timed)..end).find(is_before_its_time).unwrap_or(end)
    }

    /// Where a post belongs that is made at `at`: behind what is made before, as its sheep posts now.
    fn index_of(&self, at: Timestamp, now: Timestamp) -> usize {
        // Of one that does not post nobody knows; as if it did from now on.
        let mut coming = preview(&self.sheep.resume(now), self.text.marks(), now);
        let first = coming.find_map(|post| match post.what {
            UpcomingText::At(turn) if at < post.at => Some(turn.cursor.index()),
            UpcomingText::At(_) | UpcomingText::Decided(_) => None,
        });
        let index = first.and_then(|first| {
            let number = usize::try_from(first).ok()?.checked_add(1)?;
            self.slots.iter().position(|slot| slot.number == number)
        });
        let times = self.slots.iter().map(|slot| slot.mark.at).collect::<Vec<_>>();
        within_times(index.unwrap_or(self.slots.len()), at, self.made, &times)
    }

    /// Puts a post at an index, or behind what goes on with the post there, and says where it is.
    fn insert(&mut self, index: usize, slot: Slot<'a>) -> usize {
        let goes_on = self.slots.iter().skip(index).take_while(|slot| slot.mark.follows).count();
        let index = index.saturating_add(goes_on).min(self.slots.len());
        self.slots.insert(index, slot);
        index
    }

    /// Puts a post that somebody added in the place of another, and says where it is and what it says.
    fn put(
        &mut self,
        post: &QueueNumber,
        to: usize,
    ) -> Result<(Option<usize>, Option<String>), QueueRefusal> {
        let index = self.own(post)?;
        if let Some(at) = self.slot(index)?.mark.at {
            let at = local(at, self.zone());
            return Err(QueueRefusal::HasTime { number: post.clone(), at });
        }
        if index == to {
            return Err(QueueRefusal::There { number: post.clone() });
        }
        let slot = self.slots.remove(index);
        let before = slot.text.clone().into_owned();
        Ok((Some(self.insert(to, slot)), Some(before)))
    }

    /// Gives a post another text, and says what it said.
    fn replace(&mut self, index: usize, text: String) -> String {
        let slot = self.slots.get_mut(index);
        slot.map(|slot| std::mem::replace(&mut slot.text, text.into()).into_owned())
            .unwrap_or_default()
    }

    /// The sheep with the text as it is then.
    fn done(self, now: Timestamp) -> Result<(Sheep, Corpus), QueueRefusal> {
        let Self { sheep, text, slots, .. } = self;
        let file = of_file(text);
        // A file has at least one post, and a text is made of it.
        let edit = file.as_ref().map(|file| Edit::between(file, file)).ok_or(OtherText)?;
        let (text, edit) = woven(text, edit, &slots).map_err(|problems| {
            let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
            QueueRefusal::Unfit(told.join("; "))
        })?;
        let behaviour = BehaviourKind::Queue.with_text(&text);
        let config = SheepConfig { behaviour, ..sheep.config.clone() };
        Ok((sheep.edit(config, &edit, now)?, text))
    }
}

/// How many posts of a queue are made for certain, and how many are made or decided.
fn said_and_made(sheep: &Sheep, text: &Corpus) -> (usize, usize) {
    let length = usize::try_from(text.len()).unwrap_or(usize::MAX);
    let index = |cursor: Cursor| usize::try_from(cursor.index()).unwrap_or(usize::MAX).min(length);
    let made = index(sheep.next_place().cursor);
    (index(sheep.progress.cursor).min(made), made)
}

/// An index near `index`, from `first` on, at which a post of this time leaves times in order. `times` are those of all posts.
fn within_times(index: usize, at: Timestamp, first: usize, times: &[Option<Timestamp>]) -> usize {
    let to_come = || times.iter().enumerate().skip(first);
    let not_later = to_come().rev().find(|(_, time)| time.is_some_and(|time| time <= at));
    let later = to_come().find(|(_, time)| time.is_some_and(|time| at < time));
    let lowest = not_later.map_or(first, |(index, _)| index.saturating_add(1));
    let highest = later.map_or(times.len(), |(index, _)| index);
    // They are in order, but for what is in a text from before.
    index.max(lowest).min(highest.max(lowest))
}

/// The posts of a text that are of its file. `None`: there are none.
fn of_file(text: &Corpus) -> Option<Corpus> {
    let items = (0..text.len()).filter_map(|index| {
        let mark = text.marks().of(Cursor::at(index));
        let number = usize::try_from(index).ok()?.checked_add(1)?;
        let text = Cow::Borrowed(text.line(index)?);
        (!mark.added).then_some(Item { number, text, mark })
    });
    Corpus::of(items).0
}

/// The text of these posts, and the edit that leads to it from `old`; `file` is that of its file.
fn woven(
    old: &Corpus,
    file: Edit,
    slots: &[Slot<'_>],
) -> Result<(Corpus, Edit), Vec<CorpusProblem>> {
    let items = slots.iter().map(|Slot { number, text, mark, .. }| Item {
        number: *number,
        text: Cow::Borrowed(&**text),
        mark: *mark,
    });
    let (text, problems) = Corpus::of(items);
    let text = text.filter(|_| problems.is_empty()).ok_or(problems)?;
    let was_added = (0..old.len()).map(|index| old.marks().of(Cursor::at(index)).added);
    let woven = Woven {
        was_added: was_added.collect(),
        lines: slots.iter().map(|slot| slot.strand).collect(),
    };
    let edit = file.woven(old.id(), &text, woven);
    Ok((text, edit))
}

/// The text of a file with what people added to the text that its sheep has.
#[derive(Debug, Clone)]
pub struct Carried {
    /// The text. What is added has the number 0 in it, and all others those of the file.
    pub text: Corpus,
    /// What is to be done to the sheep, where its text becomes this.
    pub edit: Edit,
    /// What the sheep has of its file.
    pub before: Corpus,
}

/// The text that `sheep` has when its file says `file`, where people added something to `stored`, which it has now.
///
/// What is made drops out, unless the file says the same as before: then everything stays. What is to come stands
/// behind the post that it stood behind, as far as that is still there, or else comes next; where it has a time, it is
/// before the first of the file that its sheep would make later.
pub fn carry(
    sheep: &Sheep,
    stored: &Corpus,
    file: &Corpus,
) -> Result<Option<Carried>, Vec<CorpusProblem>> {
    let Some(before) = of_file(stored).filter(|_| 0 < stored.marks().added()) else {
        return Ok(None);
    };
    let edit = Edit::between(&before, file);
    let added = |index: usize| {
        let at = u32::try_from(index).unwrap_or(u32::MAX);
        let (text, mark) = (stored.line(at).unwrap_or_default(), stored.marks().of(Cursor::at(at)));
        Slot { strand: Strand::Added(index), number: 0, text: text.into(), mark }
    };
    let of_file = |index: usize, number: usize, text| {
        let mark = file.marks().of(Cursor::at(u32::try_from(index).unwrap_or(u32::MAX)));
        Slot { strand: Strand::File(index), number, text: Cow::Borrowed(text), mark }
    };
    let mut lines = file.lines().enumerate().map(|(at, (number, text))| of_file(at, number, text));
    let is_added = |index: &usize| {
        let index = u32::try_from(*index).unwrap_or(u32::MAX);
        stored.marks().of(Cursor::at(index)).added
    };
    let length = usize::try_from(stored.len()).unwrap_or(usize::MAX);
    let slots: Vec<_> = if before.id() == file.id() {
        (0..length)
            .filter_map(|index| if is_added(&index) { Some(added(index)) } else { lines.next() })
            .collect()
    } else {
        let mut places = places(sheep, stored, file, &edit).into_iter().peekable();
        let mut slots = Vec::new();
        for at in 0.. {
            while let Some((_, index)) = places.next_if(|(place, _)| *place <= at) {
                slots.push(added(index));
            }
            match lines.next() {
                Some(line) => slots.push(line),
                None => break,
            }
        }
        slots.extend(places.map(|(_, index)| added(index)));
        slots
    };
    let (text, edit) = woven(stored, edit, &slots)?;
    Ok(Some(Carried { text, edit, before }))
}

/// What was added to `stored` and is to come, by its index there, with the index in `file` that it stands before; in order.
fn places(sheep: &Sheep, stored: &Corpus, file: &Corpus, edit: &Edit) -> Vec<(usize, usize)> {
    let (said, made) = said_and_made(sheep, stored);
    let mark = |text: &Corpus, index: usize| {
        text.marks().of(Cursor::at(u32::try_from(index).unwrap_or(u32::MAX)))
    };
    let of_file = (0..made).filter(|index| !mark(stored, *index).added).count();
    let next = Cursor::at(u32::try_from(of_file).unwrap_or(u32::MAX));
    let first = edit.place(next, &BehaviourKind::Queue.with_text(file), Timestamp::MIN);
    let first = usize::try_from(first.cursor.index()).unwrap_or(usize::MAX);
    let kept: HashMap<usize, usize> = edit.pairs().collect();
    let moved = edit.moved();
    let length = usize::try_from(file.len()).unwrap_or(usize::MAX);
    let times: Vec<_> = (0..length).map(|index| mark(file, index).at).collect();
    // Of a long queue that takes long.
    let has_time = |index: &u32| {
        let mark = stored.marks().of(Cursor::at(*index));
        mark.added && mark.at.is_some()
    };
    let planned = if (0..stored.len()).any(|index| has_time(&index)) {
        planned(sheep, file, first)
    } else {
        Vec::new()
    };
    let goes_on =
        |place: usize| (place..length).take_while(|index| mark(file, *index).follows).count();
    let mut places = Vec::new();
    // The post of the file that stands before, and where that is now or the nearest before it that is kept.
    let (mut lines, mut behind) = (0, 0);
    let mut latest = first;
    for index in 0..usize::try_from(stored.len()).unwrap_or(usize::MAX) {
        let own = mark(stored, index);
        if !own.added {
            let now = kept.get(&lines).copied().or_else(|| moved(lines));
            behind = now.map_or(behind, |now| now + 1);
            lines += 1;
            continue;
        }
        if index < said {
            continue;
        }
        if index < made {
            // It is decided, and comes before all others.
            places.push((first, index));
            continue;
        }
        let mut place = behind.max(first);
        if let Some(at) = own.at {
            let later = planned.iter().find(|(_, planned)| at < *planned);
            let index = later.map_or(length, |(index, _)| *index);
            // Of two with times the later one stays behind the other.
            place = within_times(index, at, first, &times).max(latest);
            latest = place;
        }
        places.push((place + goes_on(place), index));
    }
    places.sort_by_key(|(place, index)| (*place, *index));
    places
}

/// When `sheep` would make the posts of `file`, from that with the index `first` on, with each its index: from its next slot on, as if
/// it posts.
fn planned(sheep: &Sheep, file: &Corpus, first: usize) -> Vec<(usize, Timestamp)> {
    let cursor = Cursor::at(u32::try_from(first).unwrap_or(u32::MAX));
    let behaviour = BehaviourKind::Queue.with_text(file);
    let config = SheepConfig { behaviour, ..sheep.config.clone() };
    let at = file.marks().of(cursor).at;
    let progress = Progress { cursor, at, owed: 0, not_before: None, ..sheep.progress.clone() };
    let (slot, id) = (progress.slot, sheep.id.clone());
    let state = State::Active;
    let poster = Sheep { id, config, state, progress, intent: None, version: sheep.version };
    let posts = preview(&poster, file.marks(), slot).filter_map(|post| match post.what {
        UpcomingText::At(turn) => Some((usize::try_from(turn.cursor.index()).ok()?, post.at)),
        UpcomingText::Decided(_) => None,
    });
    posts.collect()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        AccountId, Due, Network, Occurrence, Outcome, Rhythm, RhythmFields, Source, State, TableId,
    };

    fn ts(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const START: &str = "2026-03-02T12:00:00Z";

    /// A sheep, its text, its file, and what it has said.
    struct World {
        sheep: Sheep,
        text: Corpus,
        file: Vec<(String, Option<Timestamp>)>,
        now: Timestamp,
        said: Vec<String>,
    }

    fn read(file: &[(String, Option<Timestamp>)]) -> Corpus {
        let row = |(text, at): &(String, Option<Timestamp>)| {
            format!("{},{text}\n", at.map(|at| at.to_string()).unwrap_or_default())
        };
        let table = format!("at,text\n{}", file.iter().map(row).collect::<String>());
        let zone = TimeZone::UTC;
        let source = Source::plain("q.csv", table.as_bytes(), &zone);
        let (text, problems) = BehaviourKind::Queue.read(&source);
        assert_eq!(problems, [], "{table}");
        text.unwrap()
    }

    impl World {
        fn new(file: &[&str]) -> Self {
            let file: Vec<_> = file.iter().map(|text| ((*text).to_owned(), None)).collect();
            let text = read(&file);
            let rhythm = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
            let account = AccountId { network: Network::Meadow, handle: "crier".parse().unwrap() };
            let behaviour = BehaviourKind::Queue.with_text(&text);
            let config = SheepConfig::new(account, behaviour, Rhythm::parse(&rhythm).unwrap());
            let id = "choir/crier".parse().unwrap();
            let now = ts(START);
            let sheep = Sheep::create(id, config, Occurrence(1), now).unwrap();
            Self { sheep, text, file, now, said: Vec::new() }
        }

        /// Claims the next post, where none is under way.
        fn decide(&mut self) {
            let Some(at) = self.sheep.next_at() else { return };
            self.now = self.now.max(at);
            let Due::Post(next) = self.sheep.due(self.now) else { return };
            let turn = self.sheep.turn(next.progress.cursor, next.progress.occurrence, next.at);
            let behaviour = self.sheep.config.behaviour.clone();
            let material = self.text.material(&behaviour.needs(turn.cursor)).unwrap();
            let said = behaviour.say(turn, material);
            let table = TableId::from_random([7; 16]);
            self.sheep = self.sheep.claim(next.followed_by(said.then), said.act, &table, self.now);
        }

        /// Makes the post that is under way.
        fn make(&mut self) {
            let Some(intent) = &self.sheep.intent else { return };
            self.said.push(intent.errand.work.act.to_string());
            let outcome = Outcome::Done("1".parse().unwrap());
            self.sheep = self.sheep.settle(&outcome, self.now);
        }

        fn change(&mut self, change: &QueueChange) -> Result<Changed, QueueRefusal> {
            let changed = change.apply(&self.sheep, &self.text, self.now)?;
            self.sheep = changed.sheep.clone();
            self.text = changed.text.clone();
            Ok(changed)
        }

        /// Applies the file, as a plan does.
        fn apply(&mut self) {
            let file = read(&self.file);
            let carried = carry(&self.sheep, &self.text, &file).unwrap();
            let (text, edit) = match carried {
                Some(carried) => (carried.text, carried.edit),
                None => (file.clone(), Edit::between(&self.text, &file)),
            };
            let behaviour = BehaviourKind::Queue.with_text(&text);
            if behaviour == self.sheep.config.behaviour {
                return;
            }
            let config = SheepConfig { behaviour, ..self.sheep.config.clone() };
            self.sheep = self.sheep.edit(config, &edit, self.now).unwrap();
            self.text = text;
        }

        fn to_come(&self) -> Vec<QueuedPost> {
            queued(&self.sheep, &self.text, self.now)
        }

        fn shown(&self) -> String {
            let posts = self.to_come().into_iter().map(|post| {
                let at = post.at.map(|at| at.to_string()).unwrap_or_default();
                let added = if post.is_added { " +" } else { "" };
                format!("{} {at} {}{added}", post.number, post.text)
            });
            posts.collect::<Vec<_>>().join("\n")
        }

        fn number(&self, text: &str) -> QueueNumber {
            self.to_come().into_iter().find(|post| post.text == text).unwrap().number
        }
    }

    fn add(text: &str) -> QueueChange {
        QueueChange::Add { text: text.to_owned() }
    }

    #[test]
    fn posts_are_added_moved_edited_and_removed() {
        let mut world = World::new(&["a", "b", "c"]);
        world.decide();
        world.make();
        world.change(&add("x")).unwrap();
        let at = QueueChange::At { at: "2026-03-02 13:30".to_owned(), text: "y".to_owned() };
        world.change(&at).unwrap();
        world.change(&add("z")).unwrap();
        insta::assert_snapshot!(world.shown(), @"
        2-2587 2026-03-02T13:00:00Z b
        3-178c 2026-03-02T13:30:00Z y +
        4-ae52 2026-03-02T14:30:00Z c
        5-6bd9 2026-03-02T15:30:00Z x +
        6-9ed0 2026-03-02T16:30:00Z z +
        ");
        let (x, z) = (world.number("x"), world.number("z"));
        let text = "X\nx".to_owned();
        world.change(&QueueChange::Edit { post: x.clone(), text }).unwrap();
        world.change(&QueueChange::Next { post: z.clone() }).unwrap();
        let to = "4".parse().unwrap();
        let post = world.number("X\nx");
        world.change(&QueueChange::Move { post, to }).unwrap();
        let removed = world.change(&QueueChange::Remove { post: world.number("y") }).unwrap();
        assert_eq!((removed.post, removed.before.as_deref()), (None, Some("y")));
        insta::assert_snapshot!(world.shown(), @"
        2-9ed0 2026-03-02T13:00:00Z z +
        3-2587 2026-03-02T14:00:00Z b
        4-d51b 2026-03-02T15:00:00Z X
        x +
        5-ae52 2026-03-02T16:00:00Z c
        ");
        let refused = [
            QueueChange::Remove { post: x },
            QueueChange::Remove { post: z },
            QueueChange::Remove { post: world.number("b") },
            QueueChange::Next { post: world.number("z") },
            QueueChange::Remove { post: "3".parse().unwrap() },
            QueueChange::Remove { post: "1".parse().unwrap() },
            QueueChange::Move { post: world.number("z"), to: "9".parse().unwrap() },
            add("z"),
            add(" "),
            add("a\u{7}"),
            add(&"x".repeat(501)),
            QueueChange::At { at: "soon".to_owned(), text: "y".to_owned() },
            QueueChange::At { at: "2026-03-02T12:00".to_owned(), text: "y".to_owned() },
        ];
        let refused = refused.map(|change| world.change(&change).unwrap_err().to_string());
        insta::assert_snapshot!(refused.join("\n"), @r#"
        the queue is not as it was listed: 5-6bd9 is made, removed or another by now; list it again
        the queue is not as it was listed: 6-9ed0 is 2-9ed0 by now; list it again
        post 3-2587 is in the file of the sheep, which alone says what it is and where; edit the file and apply its flock
        post 2-9ed0 stands there already
        post 3 is in the file of the sheep, which alone says what it is and where; edit the file and apply its flock
        post 1 is not among those to come, which are 2 to 5; list the queue to see them
        post 9 is not among those to come, which are 2 to 5; list the queue to see them
        the same waits in the queue already, as post 2-9ed0
        the text is empty
        the text holds U+0007, which no network shows; leave it out
        the text is 501 characters long by meadow's counting; meadow takes 500
        `soon` is not a time as it is written here: 2026-12-01T09:00, in quotes "2026-12-01 09:00", or with an offset 2026-12-01T09:00+01:00
        2026-03-02 12:00:00 UTC has passed; give it a later time
        "#);
        let bare = QueueChange::Remove { post: "4".parse().unwrap() };
        let bare = world.change(&bare).unwrap_err().to_string();
        assert_eq!(bare, "4 alone may be another post by now; write 4-d51b if you mean \"X / x\"");
        for no_number in ["", "x", "0", "4-", "4-d51", "4-d51g", "-1", "4294967296"] {
            assert!(no_number.parse::<QueueNumber>().is_err(), "{no_number}");
        }
    }

    /// Nobody's post waits for one of next year.
    #[test]
    fn what_has_no_time_comes_before_what_comes_later() {
        let mut world = World::new(&["a", "b"]);
        let at = |at: &str| QueueChange::At { at: at.to_owned(), text: at.to_owned() };
        for far in ["2026-03-02 13:30", "2026-03-02 16:45", "2030-01-01 00:00"] {
            world.change(&at(far)).unwrap();
        }
        for text in ["x", "y", "z"] {
            let changed = world.change(&add(text)).unwrap();
            assert_eq!(changed.post.unwrap().text, text);
        }
        insta::assert_snapshot!(world.shown(), @"
        1-1160 2026-03-02T12:00:00Z a
        2-2587 2026-03-02T13:00:00Z b
        3-4952 2026-03-02T13:30:00Z 2026-03-02 13:30 +
        4-6bd9 2026-03-02T14:30:00Z x +
        5-ab88 2026-03-02T15:30:00Z y +
        6-9ed0 2026-03-02T16:30:00Z z +
        7-39f3 2026-03-02T16:45:00Z 2026-03-02 16:45 +
        8-cff5 2030-01-01T00:00:00Z 2030-01-01 00:00 +
        ");
    }

    #[test]
    fn an_empty_queue_goes_on_and_a_full_one_takes_no_more() {
        let mut world = World::new(&["a"]);
        world.decide();
        world.make();
        assert!(matches!(world.sheep.state, State::Finished { .. }));
        world.change(&add("b")).unwrap();
        assert_eq!(world.sheep.next_at(), Some(ts("2026-03-02T13:00:00Z")));
        for number in 1..500 {
            world.change(&add(&format!("post {number}"))).unwrap();
        }
        let refused = world.change(&add("c")).unwrap_err().to_string();
        assert_eq!(
            refused,
            "500 posts that people added wait in it already; put more into its file"
        );
        // What is made does not fill it for ever.
        for number in 0..1_200 {
            world.decide();
            world.make();
            world.change(&add(&format!("more {number}"))).unwrap();
        }
        assert!(world.text.len() <= 1 + 2 * 500, "{}", world.text.len());
        assert_eq!(world.said.len(), 1_201);
    }

    #[test]
    fn what_was_added_stays_behind_what_it_stood_behind() {
        let mut world = World::new(&["a", "b", "c", "d"]);
        world.decide();
        world.make();
        for text in ["x", "y", "z"] {
            world.change(&add(text)).unwrap();
        }
        for (text, to) in [("x", "b"), ("y", "c")] {
            let (post, to) = (world.number(text), world.number(to));
            world.change(&QueueChange::Move { post, to }).unwrap();
        }
        let shown = world.shown();
        world.apply();
        assert_eq!(world.shown(), shown);
        world.file = ["a", "e", "c", "d", "b"].map(|text| (text.to_owned(), None)).to_vec();
        world.apply();
        let texts: Vec<_> = world.to_come().into_iter().map(|post| post.text).collect();
        assert_eq!(texts.join(" "), "x e c d z b y");
    }

    proptest! {
        /// Whatever people add, move and take out while posts are made and files are applied: each post is made once, those of the
        /// file in its order, those with times in theirs, and what was taken out never.
        #[test]
        fn nothing_is_lost_and_nothing_is_said_again(
            steps in prop::collection::vec((0_u8..11, any::<u16>()), 0..60),
        ) {
            let mut world = World::new(&["file 0", "file 1", "file 2"]);
            let mut wanted: Vec<String> = Vec::new();
            let mut number = 3;
            for (step, chance) in steps {
                let own: Vec<_> = world.to_come().into_iter().filter(|post| post.is_added).collect();
                let some = own.get(usize::from(chance) % own.len().max(1)).cloned();
                number += 1;
                match (step, some) {
                    (0, _) => world.decide(),
                    (1, _) => world.make(),
                    (2, _) => {
                        let text = format!("added {number}");
                        world.change(&add(&text)).unwrap();
                        wanted.push(text);
                    }
                    (3, _) => {
                        let at = world.now + SignedDuration::from_mins(1 + i64::from(chance % 900));
                        let text = format!("timed {number}");
                        let change = QueueChange::At { at: at.to_string(), text: text.clone() };
                        world.change(&change).unwrap();
                        wanted.push(text);
                    }
                    (4, Some(post)) => {
                        world.change(&QueueChange::Remove { post: post.number }).unwrap();
                        wanted.retain(|text| *text != post.text);
                    }
                    (5, Some(post)) => {
                        let change = QueueChange::Next { post: post.number };
                        let _ = world.change(&change);
                    }
                    (6, Some(post)) => {
                        let posts = world.to_come();
                        let to = posts[usize::from(chance) % posts.len()].number.clone();
                        let _ = world.change(&QueueChange::Move { post: post.number, to });
                    }
                    (7, Some(post)) => {
                        let text = format!("edited {number}");
                        let change = QueueChange::Edit { post: post.number, text: text.clone() };
                        world.change(&change).unwrap();
                        wanted.retain(|text| *text != post.text);
                        wanted.push(text);
                    }
                    // The file gets more at its end, or loses or mends what is to come.
                    (8, _) => {
                        world.file.push((format!("file {number}"), None));
                        world.apply();
                    }
                    (9, _) => {
                        let last = world.file.iter().rev().find_map(|(_, at)| *at);
                        let at = last.unwrap_or(ts(START)).max(world.now)
                            + SignedDuration::from_mins(i64::from(chance % 400));
                        world.file.push((format!("file {number}"), Some(at)));
                        world.apply();
                    }
                    (10, _) => {
                        let is_made = |text: &String| {
                            world.said.contains(text)
                                || world.sheep.intent.as_ref().is_some_and(|intent| {
                                    intent.errand.work.act.to_string() == *text
                                })
                        };
                        let to_come: Vec<_> = (0..world.file.len())
                            .filter(|index| !is_made(&world.file[*index].0))
                            .collect();
                        if 1 < to_come.len() {
                            let index = to_come[usize::from(chance) % to_come.len()];
                            if chance % 2 == 0 {
                                world.file.remove(index);
                            } else {
                                world.file[index].0 += " mended";
                            }
                            world.apply();
                        }
                    }
                    _ => {}
                }
                let times = world.to_come().into_iter();
                let times: Vec<_> = times
                    .filter_map(|post| {
                        let index = Cursor::at(post.number.number - 1);
                        world.text.marks().of(index).at
                    })
                    .collect();
                prop_assert!(times.is_sorted(), "{times:?}");
            }
            wanted.extend(world.file.iter().map(|(text, _)| text.clone()));
            let mut turns = 0;
            while world.sheep.next_at().is_some() {
                world.decide();
                world.make();
                turns += 1;
                prop_assert!(turns < 500);
            }
            let of_file: Vec<_> = world.said.iter().filter(|text| text.starts_with("file")).collect();
            let file: Vec<_> = world.file.iter().map(|(text, _)| text).collect();
            prop_assert_eq!(of_file, file);
            let mut said = world.said.clone();
            said.sort();
            wanted.sort();
            prop_assert_eq!(said, wanted);
        }
    }
}
