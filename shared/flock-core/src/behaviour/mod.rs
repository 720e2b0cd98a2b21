//! What a sheep says next: a file for each behaviour.
//!
//! A behaviour is a value and does nothing itself. Asked where a sheep is in it, it names what it [needs](Needs); given that,
//! it [says](Said) what is done, and where it goes on. The same [turn](Turn) and [material](Material) always give the same,
//! so that a preview comes true and a sheep can say again why it said something. Who runs a sheep, shows it or plans it asks
//! here, and knows no behaviour by name.

mod dice;
mod drawn;
mod grammar;
mod markov;
mod mix;
mod poem;
mod queue;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    Act, Action, Corpus, CorpusId, CorpusProblem, InvalidRhythm, Mark, Marks, Network, Rhythm,
    RhythmFields, SheepId, Timing,
};

pub use dice::Dice;
pub use drawn::{Drawn, Well};
pub use grammar::Grammar;
pub use markov::{Chain, ChainRules, Markov};
pub use mix::{Mix, MixPart, Mixed};
pub use poem::{Poem, Post, UnknownPost};
pub use queue::{Again, LastSaid, Queue, queue_csv, queue_ical, queue_posts};
pub(crate) use queue::{Minute, Pool, minute};

/// What a sheep says next. Stored as a map with its `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Behaviour {
    /// The lines of a text in order, and again from the first.
    Poem(Poem),
    /// Posts that people wrote, in order, once.
    Queue(Queue),
    /// Texts that the rules of a grammar make.
    Grammar(Drawn),
    /// Texts of the words of another.
    Markov(Markov),
    /// Texts of several of these, in turns.
    Mix(Mix),
}

/// The kinds of behaviours, as people ask for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BehaviourKind {
    /// See [`Behaviour::Poem`].
    Poem,
    /// See [`Behaviour::Queue`].
    Queue,
    /// See [`Behaviour::Grammar`].
    Grammar,
    /// See [`Behaviour::Markov`].
    Markov,
    /// See [`Behaviour::Mix`].
    Mix,
}

/// There is no behaviour of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a behaviour: use {known}", known = BehaviourKind::names())]
pub struct UnknownBehaviour(String);

/// A file that people wrote for a behaviour.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name, without directories.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
    /// The zone that local times in it are of.
    pub zone: &'a TimeZone,
    /// What of a poem is one post.
    pub post: Post,
    /// Whether what is too long for its network is to be [split](Corpus::split), and so may be of any length.
    pub split: bool,
    /// How lines of a poem begin that are left out.
    pub skip: &'a [String],
}

impl<'a> Source<'a> {
    /// A file about whose division nothing was said.
    pub fn plain(name: &'a str, bytes: &'a [u8], zone: &'a TimeZone) -> Self {
        Self { name, bytes, zone, post: Post::Line, split: false, skip: &[] }
    }
}

/// Where a sheep is in its behaviour. Only the behaviour knows what it means.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cursor(u32);

/// Where a sheep goes on in its behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Where.
    pub cursor: Cursor,
    /// Whether a round begins there, so that its pause comes first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starts_over: bool,
    /// The own time of what comes there: it is due then, and not by the rhythm.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub at: Option<Timestamp>,
    /// How many lines, from what comes there on, go on with what was said before, as parts of one thread; 0 where
    /// something begins.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub follows: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// When a behaviour says something. Two turns that are the same are answered the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Turn {
    /// Where the sheep is in it.
    pub cursor: Cursor,
    /// A number that stands where others draw a random one: another for each post. 0 for a behaviour that does not
    /// [vary](Behaviour::varies).
    pub seed: u64,
    /// When the post is due.
    pub at: Timestamp,
}

/// What a behaviour says in one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is done.
    pub act: Act,
    /// Where it goes on afterwards.
    pub then: Place,
}

/// What a behaviour has to be given to say what comes next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Needs {
    /// A line of a text.
    Line {
        /// The text.
        corpus: CorpusId,
        /// Which one, from 0 on.
        index: u32,
    },
}

/// What was asked for by a [`Needs`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// The line.
    Line {
        /// What it says.
        text: String,
        /// What is said of it besides.
        mark: Mark,
        /// When the line after it comes.
        next: Timing,
    },
}

impl Cursor {
    /// The place number `index`, from 0 on, of a behaviour that goes through something one by one.
    pub fn at(index: u32) -> Self {
        Self(index)
    }

    /// Which place it is, in such a behaviour.
    pub fn index(self) -> u32 {
        self.0
    }
}

impl Place {
    /// The beginning of the next round.
    pub const OVER: Self = Self { cursor: Cursor(0), starts_over: true, at: None, follows: 0 };

    /// In the middle of a round.
    pub fn at(cursor: Cursor) -> Self {
        Self { cursor, starts_over: false, at: None, follows: 0 }
    }

    /// The place, where what comes there comes as `marks` say; `before` is when what comes before it is posted.
    #[must_use]
    pub fn timed(self, marks: &Marks, before: Timestamp) -> Self {
        self.coming(marks.timing(self.cursor), before)
    }

    /// The place, where what comes there comes so.
    #[must_use]
    pub fn coming(self, timing: Timing, before: Timestamp) -> Self {
        Self { at: timing.due(before), follows: timing.follows, ..self }
    }
}

impl Behaviour {
    /// What was stored while there were poems alone: the kind by name, the text beside it.
    pub fn from_before(kind: &str, corpus: CorpusId, lines: u32) -> Option<Self> {
        (kind == "poem").then_some(Self::Poem(Poem::of_lines(corpus, lines)))
    }

    /// The same, whose text was divided so; of a behaviour that divides none there is nothing to say.
    #[must_use]
    pub fn divided(self, post: Post) -> Self {
        match self {
            Self::Poem(poem) => Self::Poem(Poem { post, ..poem }),
            Self::Queue(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => self,
        }
    }

    /// The same, with its text [split](Corpus::split) as here; of a behaviour whose texts are not split there is nothing to say.
    #[must_use]
    pub fn split(self, text: &Corpus) -> Self {
        match self {
            Self::Poem(poem) => Self::Poem(Poem { post: poem.post, ..Poem::of(text) }),
            Self::Queue(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => self,
        }
    }

    /// The same, whose texts are drawn by these rules; of one that is no chain there is nothing to say.
    #[must_use]
    pub fn ruled(self, rules: ChainRules) -> Self {
        match self {
            Self::Markov(Markov { drawn, .. }) => Self::Markov(Markov { drawn, rules }),
            Self::Poem(_) | Self::Queue(_) | Self::Grammar(_) | Self::Mix(_) => self,
        }
    }

    /// The same, where it is a mix: of these.
    #[must_use]
    pub fn mixed(self, parts: Vec<MixPart>) -> Self {
        match self {
            Self::Mix(Mix { drawn, .. }) => Self::Mix(Mix { drawn, parts }),
            Self::Poem(_) | Self::Queue(_) | Self::Grammar(_) | Self::Markov(_) => self,
        }
    }

    /// The same, whose posts return so; of one that is no queue there is nothing to say.
    #[must_use]
    pub fn returning(self, again: Option<Again>) -> Self {
        match self {
            Self::Queue(queue) => Self::Queue(Queue { again, ..queue }),
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => self,
        }
    }

    /// The queue that people can add posts to. `Err`: what it is instead.
    pub fn open_queue(&self) -> Result<&Queue, &'static str> {
        match self {
            Self::Queue(Queue { again: Some(_), .. }) => {
                Err("a pool, whose posts return and are those of its file")
            }
            Self::Queue(queue) => Ok(queue),
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => {
                Err(self.kind().a_name())
            }
        }
    }

    /// How its posts rest before they return, where they do.
    pub(crate) fn pool(&self) -> Option<Pool> {
        match self {
            Self::Queue(queue) => queue.pool(),
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => None,
        }
    }

    /// The place that is in the round number `round` of a pool, where it is in the first.
    pub(crate) fn in_round(&self, place: Place, round: u32) -> Place {
        match self {
            Self::Queue(queue) => queue.in_round(place, round),
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => place,
        }
    }

    /// The same, for this sheep and its network; what is not drawn is the same for all.
    #[must_use]
    pub fn drawn_for(&self, sheep: &SheepId, network: Network) -> Self {
        self.with_drawn(|drawn| drawn.drawn_for(sheep, network))
    }

    /// The same, drawn otherwise, where it is drawn.
    fn with_drawn(&self, change: impl FnOnce(&Drawn) -> Drawn) -> Self {
        match self {
            Self::Poem(_) | Self::Queue(_) => self.clone(),
            Self::Grammar(drawn) => Self::Grammar(change(drawn)),
            Self::Markov(Markov { drawn, rules }) => {
                Self::Markov(Markov { drawn: change(drawn), rules: rules.clone() })
            }
            Self::Mix(Mix { drawn, parts }) => {
                Self::Mix(Mix { drawn: change(drawn), parts: parts.clone() })
            }
        }
    }

    /// Whether its texts are drawn: then what it [needs](Self::needs) is not in its [text](Self::text), but in what is
    /// [drawn](Self::draw) from that.
    pub fn draws(&self) -> bool {
        self.kind().draws()
    }

    /// The number that its texts are drawn by, where they are.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Self::Poem(_) | Self::Queue(_) => None,
            Self::Grammar(drawn) => Some(drawn.seed),
            Self::Markov(markov) => Some(markov.drawn.seed),
            Self::Mix(mix) => Some(mix.drawn.seed),
        }
    }

    /// What its texts are drawn from, by its text; costly to make, and the same for all that are [alike](Self::alike). `None`: they
    /// are not drawn, or not from this text.
    pub fn well(&self, text: &Corpus) -> Option<Well> {
        match self {
            Self::Poem(_) | Self::Queue(_) => None,
            Self::Grammar(_) => Grammar::of(text).map(Well::Grammar),
            Self::Markov(markov) => Chain::of(text, &markov.rules).map(Well::Chain),
            Self::Mix(mix) => mix.well(text),
        }
    }

    /// What it has in common with all that draw from the same.
    #[must_use]
    pub fn alike(&self) -> Self {
        self.with_drawn(|drawn| Drawn { network: Network::Meadow, seed: 0, ..drawn.clone() })
    }

    /// The texts that are drawn from `well` in so many batches, from that with the text at `cursor` on. Always the same. `None`:
    /// hardly anything that is drawn can be posted.
    pub fn draw(&self, well: &Well, cursor: Cursor, batches: u32) -> Option<Corpus> {
        match self {
            Self::Poem(_) | Self::Queue(_) => None,
            Self::Grammar(drawn) => drawn.draw(Drawn::BY_GRAMMAR, well, cursor, batches),
            Self::Markov(markov) => markov.drawn.draw(&markov.how(), well, cursor, batches),
            Self::Mix(mix) => mix.draw(well, cursor, batches),
        }
    }

    /// Whether what comes after the texts that are drawn already is to be drawn now, where the next is at `cursor`, and from where
    /// on: a while before it is needed.
    pub fn draws_ahead(&self, cursor: Cursor) -> Option<Cursor> {
        if self.draws() { Drawn::ahead(cursor) } else { None }
    }

    /// Where texts begin that are drawn anew, where those from `cursor` on are not to be said. `None`: they are not drawn.
    pub fn redrawn(&self, cursor: Cursor) -> Option<Place> {
        self.draws().then(|| Place::at(Drawn::batch_after(cursor)))
    }

    /// Which kind it is of.
    pub fn kind(&self) -> BehaviourKind {
        match self {
            Self::Poem(_) => BehaviourKind::Poem,
            Self::Queue(_) => BehaviourKind::Queue,
            Self::Grammar(_) => BehaviourKind::Grammar,
            Self::Markov(_) => BehaviourKind::Markov,
            Self::Mix(_) => BehaviourKind::Mix,
        }
    }

    /// What it needs to say what comes at `cursor`.
    pub fn needs(&self, cursor: Cursor) -> Needs {
        match self {
            Self::Poem(poem) => poem.needs(cursor),
            Self::Queue(queue) => queue.needs(cursor),
            Self::Grammar(drawn) => drawn.needs(Drawn::BY_GRAMMAR, cursor),
            Self::Markov(markov) => markov.drawn.needs(&markov.how(), cursor),
            Self::Mix(mix) => mix.drawn.needs(&mix.how(), cursor),
        }
    }

    /// What it says, given what it needs.
    pub fn say(&self, turn: Turn, material: Material) -> Said {
        match self {
            Self::Poem(poem) => poem.say(turn, material),
            Self::Queue(queue) => queue.say(turn, material),
            Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => Drawn::say(turn, material),
        }
    }

    /// Whether what it says at one place is not always the same: whether it looks at more of a turn than the cursor.
    pub fn varies(&self) -> bool {
        match self {
            Self::Poem(_) | Self::Queue(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => {
                false
            }
        }
    }

    /// Whether what it says at `cursor` is meant to come again: a line of a poem, a post of a pool.
    pub fn repeats(&self, cursor: Cursor) -> bool {
        match self {
            Self::Poem(_) => true,
            Self::Queue(queue) => queue.again.is_some(),
            Self::Grammar(_) | Self::Markov(_) => false,
            Self::Mix(mix) => mix.says_a_line(cursor),
        }
    }

    /// Where it begins.
    pub fn first(&self) -> Place {
        match self {
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => {
                Place::at(Cursor::default())
            }
            Self::Queue(queue) => queue.first(),
        }
    }

    /// That nothing comes at `cursor`, where that is so, and what to do: a part of a sentence about its sheep.
    pub fn ended(&self, cursor: Cursor) -> Option<&'static str> {
        match self {
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => None,
            Self::Queue(queue) => queue.ended(cursor),
        }
    }

    /// Where it goes on in an edited text of which no line is kept.
    pub fn anew(&self) -> Place {
        match self {
            Self::Poem(_) => Place::OVER,
            Self::Queue(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => self.first(),
        }
    }

    /// Whether what it has passed by never comes again.
    pub fn goes_through_once(&self) -> bool {
        match self {
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => false,
            Self::Queue(queue) => queue.again.is_none(),
        }
    }

    /// The text in which lines come when they say, and not by the rhythm, where there is one.
    pub fn timed_text(&self) -> Option<&CorpusId> {
        match self {
            Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => None,
            Self::Poem(poem) => poem.timed_text(),
            Self::Queue(queue) => queue.timed_text(),
        }
    }

    /// Where it usually goes on after what it says at `cursor`, but for the own time of what comes there.
    pub fn next(&self, cursor: Cursor) -> Place {
        match self {
            Self::Poem(poem) => poem.next(cursor),
            Self::Queue(queue) => queue.next(cursor),
            Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => Drawn::next(cursor),
        }
    }

    /// The place at `cursor`, which may be that of an earlier configuration; the beginning of a round if it has no such
    /// place.
    pub fn admit(&self, cursor: Cursor) -> Place {
        match self {
            Self::Poem(poem) => poem.admit(cursor),
            Self::Queue(queue) => queue.admit(cursor),
            Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => Place::at(cursor),
        }
    }

    /// Whether some of what it says answers what it said just before, as parts of one thread.
    pub fn threads(&self) -> bool {
        match self {
            Self::Poem(poem) => poem.threads,
            Self::Queue(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => false,
        }
    }

    /// The place, behind what goes on there with what was said before.
    #[must_use]
    pub fn past_thread(&self, place: Place) -> Place {
        match place.follows {
            0 => place,
            follows => self.admit(Cursor::at(place.cursor.index().saturating_add(follows))),
        }
    }

    /// What an account has to be able to do for what it says.
    pub fn actions(&self) -> &'static [Action] {
        match self {
            Self::Poem(poem) => poem.actions(),
            Self::Queue(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => &[Action::Post],
        }
    }

    /// The texts it keeps in storage.
    pub fn corpora(&self) -> impl Iterator<Item = &CorpusId> {
        std::iter::once(self.text())
    }

    /// The text of its file: it goes through that line by line, or draws from it.
    pub fn text(&self) -> &CorpusId {
        match self {
            Self::Poem(poem) => &poem.corpus,
            Self::Queue(queue) => &queue.corpus,
            Self::Grammar(drawn) => &drawn.corpus,
            Self::Markov(markov) => &markov.drawn.corpus,
            Self::Mix(mix) => &mix.drawn.corpus,
        }
    }

    /// What it is, for a person.
    pub fn describe(&self) -> String {
        match self {
            Self::Poem(poem) => poem.describe(),
            Self::Queue(queue) => queue.describe(),
            Self::Grammar(_) => "grammar".to_owned(),
            Self::Markov(markov) => markov.describe(),
            Self::Mix(mix) => mix.describe(),
        }
    }

    /// What people call one of the things it goes through.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Poem(poem) => poem.unit(),
            Self::Queue(_) => "item",
            Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => "text",
        }
    }

    /// How many of them there are; `None`: it never comes to an end.
    pub fn units(&self) -> Option<u32> {
        match self {
            Self::Poem(poem) => Some(poem.lines),
            Self::Queue(queue) => Some(queue.posts),
            Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => None,
        }
    }

    /// How many of them are in its file, and not added by people; `None`: it never comes to an end.
    pub fn units_of_file(&self) -> Option<u32> {
        match self {
            Self::Queue(queue) => Some(queue.posts.saturating_sub(queue.added)),
            Self::Poem(_) | Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => self.units(),
        }
    }

    /// Which of them comes at `cursor`, for a person.
    pub fn position(&self, cursor: Cursor) -> String {
        match self {
            Self::Poem(poem) => format!("{} of {}", cursor.index().saturating_add(1), poem.lines),
            Self::Queue(queue) => queue.position(cursor),
            Self::Grammar(_) | Self::Markov(_) | Self::Mix(_) => {
                cursor.index().saturating_add(1).to_string()
            }
        }
    }
}

impl BehaviourKind {
    /// By the names that people ask for.
    const ALL: [(&'static str, Self); 5] = [
        ("poem", Self::Poem),
        ("queue", Self::Queue),
        ("grammar", Self::Grammar),
        ("markov", Self::Markov),
        ("mix", Self::Mix),
    ];

    /// How one is asked for in `flock.toml`.
    pub const EXAMPLE: &'static str = "\"poem\"";

    fn names() -> String {
        let [others @ .., (last, _)] = Self::ALL;
        format!("{} or {last}", others.map(|(name, _)| name).join(", "))
    }

    /// What it is called, with its article.
    pub fn a_name(self) -> &'static str {
        match self {
            Self::Poem => "a poem",
            Self::Queue => "a queue",
            Self::Grammar => "a grammar",
            Self::Markov => "a Markov chain",
            Self::Mix => "a mix",
        }
    }

    /// The behaviour of this kind with this text.
    pub fn with_text(self, text: &Corpus) -> Behaviour {
        match self {
            Self::Poem => Behaviour::Poem(Poem::of(text)),
            Self::Queue => Behaviour::Queue(Queue::of(text)),
            Self::Grammar => Behaviour::Grammar(Drawn::of(text)),
            Self::Markov => Behaviour::Markov(Markov::of(text)),
            Self::Mix => Behaviour::Mix(Mix::of(text)),
        }
    }

    /// The text in a file, as far as there is one, and what is wrong with it.
    pub fn read(self, source: &Source<'_>) -> (Option<Corpus>, Vec<CorpusProblem>) {
        match self {
            Self::Poem => poem::read(source),
            Self::Queue => queue::read(source),
            Self::Grammar => grammar::read(source),
            Self::Markov => markov::read(source),
            Self::Mix => (None, vec![mix::no_file()]),
        }
    }

    /// Whether a file says something else in another zone.
    pub fn reads_times(self) -> bool {
        match self {
            Self::Poem | Self::Grammar | Self::Markov | Self::Mix => false,
            Self::Queue => true,
        }
    }

    /// Whether its posts are not the lines of its text, but drawn from it.
    pub fn draws(self) -> bool {
        match self {
            Self::Poem | Self::Queue => false,
            Self::Grammar | Self::Markov | Self::Mix => true,
        }
    }

    /// Whether the field of a rhythm says anything to it. What says nothing is not taken over from what holds for
    /// others.
    pub fn takes(self, field: &str) -> bool {
        match self {
            Self::Poem => true,
            // They do not start over.
            Self::Queue | Self::Grammar | Self::Markov | Self::Mix => field != "stanza",
        }
    }

    /// Whether the file says itself where its posts begin and end.
    pub fn divides_itself(self) -> bool {
        match self {
            Self::Poem => false,
            Self::Queue | Self::Grammar | Self::Markov | Self::Mix => true,
        }
    }

    /// What would do for texts that are too long for their network: a part of a sentence.
    pub fn for_long_texts(self) -> &'static str {
        match self {
            Self::Poem => "; write split = true to make a thread of it, which cuts no link",
            Self::Queue | Self::Grammar | Self::Markov | Self::Mix => "",
        }
    }

    /// What in a rhythm does not go with it, or with texts that are posted as threads.
    pub fn check(self, rhythm: &RhythmFields, threads: bool) -> Vec<InvalidRhythm> {
        let stanza =
            rhythm.stanza.as_ref().filter(|_| !self.takes("stanza")).map(|_| InvalidRhythm {
                field: "stanza",
                why: format!(
                    "{} does not start over, so there is no pause before that; leave it out",
                    self.a_name()
                ),
            });
        let own = match self {
            Self::Poem => poem::check(rhythm, threads),
            Self::Grammar | Self::Markov | Self::Mix => None,
            Self::Queue => queue::check(rhythm),
        };
        stanza.into_iter().chain(own).collect()
    }

    /// Lines of a text from the file of this name that are taken as they stand, though they may be meant otherwise: the number of
    /// each, and what is said of it.
    pub fn doubts(self, text: &Corpus, file: &str) -> Vec<(usize, String)> {
        match self {
            // Each part of a mix has a file of its own.
            Self::Poem | Self::Mix => Vec::new(),
            Self::Queue => queue::doubts(text, file),
            Self::Grammar => grammar::doubts(text),
            Self::Markov => markov::doubts(text, file),
        }
    }

    /// What in a text does not go with the rhythm.
    pub fn check_text(self, text: &Corpus, rhythm: &Rhythm) -> Vec<CorpusProblem> {
        match self {
            Self::Poem | Self::Grammar | Self::Markov | Self::Mix => Vec::new(),
            Self::Queue => queue::check_text(text, rhythm),
        }
    }
}

impl std::str::FromStr for BehaviourKind {
    type Err = UnknownBehaviour;

    fn from_str(name: &str) -> Result<Self, UnknownBehaviour> {
        let found =
            Self::ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
        found.map(|(_, kind)| kind).ok_or_else(|| UnknownBehaviour(name.to_owned()))
    }
}

impl Corpus {
    /// What a behaviour needs, where it is in this text.
    pub fn material(&self, need: &Needs) -> Option<Material> {
        match need {
            Needs::Line { corpus, index } if *corpus == self.id() => {
                let text = self.line(*index)?.to_owned();
                let mark = self.marks().of(Cursor::at(*index));
                let next = self.marks().timing(Cursor::at(index.saturating_add(1)));
                Some(Material::Line { text, mark, next })
            }
            Needs::Line { .. } => None,
        }
    }

    /// What a behaviour needs, or something like it where that is not drawn yet.
    pub fn material_like(&self, need: &Needs) -> Option<Material> {
        self.material(need).or_else(|| {
            let Needs::Line { corpus, index } = need;
            let index = self.first().saturating_add(index.checked_rem(self.len())?);
            self.material(&Needs::Line { corpus: corpus.clone(), index })
        })
    }
}
