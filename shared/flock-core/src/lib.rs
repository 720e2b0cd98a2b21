//! The rules of Flockwork: what a sheep says, when, and what may go out.
//!
//! Invariant: this crate does no I/O. It takes values and the current time and returns values. It
//! knows nothing of AWS, HTTP, environment variables, files or clocks, and any randomness is derived
//! from the values it is given, so that a preview shows what the tick will do.
//!
//! Where to start: [`Errand`], an act on its way; [`Behaviour`], what is said next; [`Sheep`] and its transitions (`due` →
//! `claim` → `settle`); then [`Rhythm`].

mod account;
mod act;
mod added;
mod behaviour;
mod corpus;
mod crowd;
mod edit;
mod errand;
mod event;
mod fit;
mod flock;
mod foreign;
mod hindrance;
mod ids;
mod job;
mod limits;
mod made;
mod money;
mod near;
mod network;
mod notice;
mod objection;
mod outlook;
mod picture;
mod policy;
mod preview;
mod profile;
mod renewal;
mod repeats;
mod rhythm;
mod room;
mod sheep;
mod sign_in;
mod spend;
mod split;
mod text;
mod usage;
mod view;
mod whom;
mod wish;

pub use account::AccountFacts;
pub use act::{Act, NewPost};
pub use added::{
    Carried, Changed, InvalidNumber, QueueChange, QueueNumber, QueueRefusal, QueuedPost,
    added_to_come, carry, check_added, queued,
};
pub use behaviour::{
    Again, Behaviour, BehaviourKind, Chain, ChainRules, Cursor, Dice, Drawn, Grammar, LastSaid,
    Markov, Material, Mix, MixPart, Mixed, Needs, Place, Poem, Post, Queue, Said, Source, Turn,
    UnknownBehaviour, UnknownPost, Well, queue_csv, queue_ical, queue_posts,
};
pub(crate) use behaviour::{Minute, Pool, minute};
pub use corpus::{Corpus, CorpusProblem, Item, Mark, Marks, Piece, Timing};
pub use crowd::crowded;
pub use edit::{Change, Edit, Slips};
pub use errand::{Errand, Outcome, Sent, Task};
pub use event::{Connection, Event, Trouble, UnreadableEvent};
pub use fit::{
    Ability, KnownAccounts, Member, Origin, broken_by_account, forbids_same, lines_too_long,
    maybe_too_long, said_twice, unfit, without_cap,
};
pub use flock::Flock;
pub use foreign::{
    CURLY, Encoding, NotText, STRAIGHT, is_invisible, lines_of, says_nothing, text_of,
    without_marks,
};
pub use hindrance::{Hindrance, Overdue, reason};
pub use ids::{
    AccountId, CorpusId, DeliveryId, Fingerprint, FlockName, Handle, InvalidAccount, InvalidId,
    JobId, LevelName, Occurrence, PostId, RemoteId, RoomId, Shards, SheepId, SheepName, TableId,
    TokenDigest, UserId,
};
pub use job::{
    AccountWipe, Acts, ActsTurn, AnswerTo, Asker, Came, CheckedKeys, Counted, Job, JobKind,
    KeyCheck, OverSheep, Resealed, Rotation, Waiting, Wipe, WipePhase, WipeTally, Work,
};
pub use limits::{Timed, span, too_many};
pub use made::Made;
pub use money::{InvalidUsd, Usd};
pub use near::{Likeness, NearDuplicates, Told};
pub use network::{
    Action, Can, Charge, Facts, Idempotency, Lacking, Limit, LimitOf, Measured, Network,
    TextRefusal, Tier, UnfitHandle, UnknownNetwork,
};
pub use notice::{GoOn, Notice, Telling};
pub use objection::{Objection, Remedy};
pub use outlook::{Links, Outlook, Schedule, cap_is_reached, posts_and_cost};
pub use picture::{Picture, PictureDigest, PictureKind, PictureRefusal, PictureRules};
pub use policy::{
    Ai, Cause, Deed, Forbidden, Rule, Waivers, check as check_policy, check_all as check_policies,
    rules,
};
pub use preview::{Upcoming, UpcomingText, preview, preview_all};
pub use profile::{
    Difference, ProfilePart, ProfileRefusal, ProfileRules, Shown, Unfilled, Wanted, fill,
};
pub use renewal::{Renewal, Renewer};
pub use repeats::repeats;
pub use rhythm::{
    CatchUp, DailyWindow, DayCount, Days, InvalidRhythm, Pattern, Rhythm, RhythmFields,
    WHILE_PAUSED, WHILE_STOPPED,
};
pub use room::{Denied, Granted, Need, Rank, Removed, Room, RoomRefusal};
pub use sheep::{
    Due, Intent, Next, NotNow, NotUnknown, OtherText, Progress, Sheep, SheepConfig, State,
};
pub use sign_in::{Bound, NoSignIn, Purpose, SentOff, SignIn, SignInStage, SigningIn, Way};
pub use spend::{
    BilledPost, Forecast, InvalidMonth, Month, Spending, billed_posts, cap_reached, forecast,
};
pub use text::{
    CONTINUES, FEW, capital, count, listed, local, named, natural, nearest, one_line, quoted,
    quoted_part, slip, united, united_if_many,
};
pub use usage::{Arguments, Usage, Word, words};
pub use view::View;
pub use whom::Whom;
pub use wish::{MOST_OF_EACH_OTHER, NoWish, PostOn, Standing, Unit, Unwishable, Whose, Wish};
