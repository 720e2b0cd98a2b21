//! What a command gets, and what it gives back.

use flock_core::{
    AccountId, Arguments, Event, FlockName, JobId, NotUnknown, Overdue, Remedy, Room, RoomRefusal,
    Sheep, SheepId, UserId, View, capital, words,
};
use flock_ops::Refusal;
use flock_slack::{Reply, SlackApi, SlackError, User, bare_name, bare_word, escape, mention};
use flock_store::{Asked, By, ChangeError, Control, NotFound, Store, StoreError};
use jiff::Timestamp;

use crate::{app::App, dispatch::room_link, slack_secret::SlackSecret};

/// Sheep that are looked at for an answer about all of them.
const MOST_SHEEP: usize = 1_000;

/// What is said where there are more.
pub(crate) const NOT_ALL: &str =
    "There are more than 1,000 sheep, and not all were looked at for this.";

/// One run of a command.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    /// The words of its arguments.
    pub(crate) arguments: Arguments,
    /// Who asked, where, when, and in which words.
    pub(crate) asked: &'a Asked,
    /// Whether it is begun, confirmed or continued.
    pub(crate) stage: Stage,
    /// The room as it is now.
    pub(crate) room: &'a Room,
    /// What the whole system was told.
    pub(crate) control: &'a Control,
    /// The time.
    pub(crate) now: Timestamp,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Somebody has just given it.
    Given,
    /// They were asked whether they are sure, and are.
    Confirmed,
    /// It is past its first answer and has the time it needs.
    Deferred,
}

/// What a command gives back.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is done.
    Done(Reply),
    /// It takes longer and is run again in a moment, in stage [`Stage::Deferred`]. Says so.
    Later(String),
    /// It hurts and is run again in stage [`Stage::Confirmed`] if that is wanted.
    Sure(Sure),
}

/// A question whether somebody is sure.
#[derive(Debug)]
pub(crate) struct Sure {
    /// What will happen. In mrkdwn.
    pub(crate) text: String,
    /// The text that is posted then, if it is about one.
    pub(crate) quoted: String,
    /// What is on the button that lets it happen.
    pub(crate) label: &'static str,
    /// The command that the button stands for, where it says more than was asked: a line that comes next is another one later.
    pub(crate) command: Option<String>,
}

impl Sure {
    /// Asks whether that shall happen.
    #[expect(clippy::unnecessary_wraps, reason = "it is what a command ends with")]
    pub(crate) fn ask(text: String, label: &'static str) -> Answer {
        Ok(Step::Sure(Self { text, quoted: String::new(), label, command: None }))
    }
}

/// Why a command is not carried out.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// The person can put it right. In mrkdwn.
    Refused(String),
    /// They cannot.
    Failed(anyhow::Error),
}

pub(crate) type Answer = Result<Step, Obstacle>;

/// Done, and only who asked is told.
#[expect(clippy::unnecessary_wraps, reason = "it is what a command ends with")]
pub(crate) fn tell(text: impl Into<String>) -> Answer {
    Ok(Step::Done(Reply::only_you(text)))
}

/// Done, and the room is told.
#[expect(clippy::unnecessary_wraps, reason = "it is what a command ends with")]
pub(crate) fn announce(text: impl Into<String>) -> Answer {
    Ok(Step::Done(Reply::everybody(text)))
}

/// Not done, and who asked is told why. In mrkdwn.
pub(crate) fn refuse<T>(text: impl Into<String>) -> Result<T, Obstacle> {
    Err(Obstacle::Refused(text.into()))
}

impl Call<'_> {
    pub(crate) fn store(&self) -> &Store {
        &self.app.store
    }

    pub(crate) fn slack(&self) -> &SlackApi {
        &self.app.slack
    }

    pub(crate) fn user(&self) -> &UserId {
        &self.asked.user
    }

    /// The argument with this number; the usage makes sure of it.
    pub(crate) fn argument(&self, number: usize) -> &str {
        self.arguments.get(number).unwrap_or_default()
    }

    /// An argument that counts something, or `default` where it is left out.
    pub(crate) fn count(&self, number: usize, default: usize) -> Result<usize, Obstacle> {
        const MOST: usize = 100;
        let Some(text) = self.arguments.get(number) else { return Ok(default) };
        match text.parse() {
            Ok(count) if (1..=MOST).contains(&count) => Ok(count),
            _ => refuse(format!("`{}` is not a number from 1 to {MOST}.", code(text))),
        }
    }

    /// As many sheep as can be read while somebody waits, and whether those are all.
    pub(crate) async fn some_sheep(&self) -> Result<(Vec<Sheep>, bool), Obstacle> {
        let mut sheep = self.store().some_sheep(MOST_SHEEP + 1).await?;
        let is_all = sheep.len() <= MOST_SHEEP;
        sheep.truncate(MOST_SHEEP);
        Ok((sheep, is_all))
    }

    /// An argument that names a flock.
    pub(crate) fn flock(&self, number: usize) -> Result<FlockName, Obstacle> {
        let flock = self.argument(number).to_lowercase().parse();
        flock.map_err(|err| Obstacle::from(NotFound::from(err)))
    }

    /// Who the argument with this number means, in Slack's words for them: `<@U1|name>`, `U1` or `@name`. Members
    /// of the room are known here; Slack, which is asked for everybody else, forgets who has left.
    pub(crate) async fn user_named(&self, number: usize) -> Result<Named, Obstacle> {
        let text = self.argument(number);
        let bracketed = text.strip_prefix("<@").and_then(|text| text.strip_suffix('>'));
        let id = bracketed.map_or(text, |text| text.split_once('|').map_or(text, |(id, _)| id));
        let id: Option<UserId> = id.parse().ok();
        if let Some(id) = id.as_ref().filter(|id| self.room.level(id).is_some()) {
            return Ok(Named::User(id.clone()));
        }
        let SlackSecret { bot_token, .. } = self.app.slack_secret().await?;
        let found = if let Some(id) = id {
            self.slack().user(&bot_token, &id).await?
        } else if self.stage == Stage::Given {
            // A large workspace has many pages of people.
            return Ok(Named::LookedUpLater);
        } else {
            let users = self.slack().users(&bot_token).await?;
            let name = |text: &str| text.strip_prefix('@').unwrap_or(text).to_lowercase();
            // Not by the names people give themselves: those can be anybody's. A name may end with a full stop.
            let whole = words(&self.asked.line).into_iter().map(|word| bare_word(&word.text));
            let mut whole = whole.filter(|word| bare_name(word) == text).map(|word| name(&word));
            let is_called = |name: &str| {
                users.iter().any(|user| !user.deleted && user.name.to_lowercase() == name)
            };
            let name = whole.find(|whole| is_called(whole)).unwrap_or_else(|| name(text));
            let named = |user: &&User| !user.deleted && user.name.to_lowercase() == name;
            // An id in small letters is a name that somebody may have.
            let called = |user: &&User| user.id.as_str().eq_ignore_ascii_case(&name);
            users.iter().find(named).or_else(|| users.iter().find(called)).cloned()
        };
        match found {
            Some(user) if user.is_bot => {
                refuse(format!("{} is a bot, and bots give no commands.", mention(&user.id)))
            }
            Some(user) if !user.deleted => Ok(Named::User(user.id)),
            _ => refuse(format!(
                "I know nobody called `{}`. Write @ and choose one from Slack's list.",
                code(text)
            )),
        }
    }

    /// Has the tick see to a sheep now and not in the next minute. Without it, the next minute does.
    pub(crate) async fn hurry(&self, sheep: &Sheep) {
        let SheepId { flock, name } = sheep.id.clone();
        if let Err(err) = self.app.publish(Event::SheepDue { flock, sheep: name }).await {
            let unpublished = err.unpublished();
            tracing::warn!(sheep = %sheep.id, unpublished, error = %err, "the tick is not hurried");
        }
    }

    /// Has a tick see to a job now and not in the next minute.
    pub(crate) async fn hurry_job(&self, id: &JobId) {
        if let Err(err) = self.app.publish(Event::JobDue { id: id.clone() }).await {
            let unpublished = err.unpublished();
            tracing::warn!(job = %id, unpublished, error = %err, "the tick is not hurried");
        }
    }

    /// That everything is stopped, if it is. Every answer about flocks says it; since when, `alive` does, because the times of
    /// an answer are those of its sheep.
    pub(crate) fn stopped(&self) -> Option<String> {
        let said = "Everything is stopped; nothing is posted until `/flock start`.";
        self.control.stopped.as_ref().map(|_| said.to_owned())
    }

    /// A view of these sheep, in which nothing is said to come in a while when nothing is at work.
    pub(crate) fn view<'s, S>(&self, sheep: S) -> View
    where
        S: IntoIterator<Item = &'s Sheep> + Clone,
    {
        let is_still =
            self.control.stopped.is_some() || Overdue::of(sheep.clone(), self.now).is_some();
        View::of(sheep, self.now).still(is_still)
    }

    /// Who can do what is done where Flockwork is deployed.
    pub(crate) fn operator(&self) -> String {
        self.app.operator()
    }

    /// Refuses what would have to wait until everything is started again.
    pub(crate) fn not_while_stopped(&self) -> Result<(), Obstacle> {
        self.stopped().map_or(Ok(()), refuse)
    }
}

/// Somebody an argument names.
pub(crate) enum Named {
    /// Who it is.
    User(UserId),
    /// The command has to be deferred to find out.
    LookedUpLater,
}

/// Foreign text that stands between backticks: one line, not too long.
pub(crate) fn code(text: &str) -> String {
    const MOST: usize = 200;
    let line: String = text
        .chars()
        .take(MOST)
        .map(|c| match c {
            '`' => '\'',
            c if c.is_control() => '⏎',
            c => c,
        })
        .collect();
    let more = if text.chars().nth(MOST).is_some() { "…" } else { "" };
    escape(&line) + more
}

impl From<StoreError> for Obstacle {
    fn from(err: StoreError) -> Self {
        Self::Failed(err.into())
    }
}

impl From<anyhow::Error> for Obstacle {
    fn from(err: anyhow::Error) -> Self {
        Self::Failed(err)
    }
}

impl From<flock_ops::Error> for Obstacle {
    fn from(err: flock_ops::Error) -> Self {
        match err {
            flock_ops::Error::Refused(refusal) => Self::Refused(said(&refusal)),
            flock_ops::Error::Failed(err) => Self::Failed(err),
        }
    }
}

impl From<NotFound> for Obstacle {
    fn from(err: NotFound) -> Self {
        flock_ops::Error::from(err).into()
    }
}

impl From<ChangeError> for Obstacle {
    fn from(err: ChangeError) -> Self {
        flock_ops::Error::from(err).into()
    }
}

impl From<NotUnknown> for Obstacle {
    fn from(err: NotUnknown) -> Self {
        flock_ops::Error::from(err).into()
    }
}

impl From<std::convert::Infallible> for Obstacle {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<SlackError> for Obstacle {
    fn from(err: SlackError) -> Self {
        tracing::warn!(error = %err, "Slack could not be asked");
        Self::Refused(format!("Slack could not be asked: {}.", escape(&err.to_string())))
    }
}

impl From<RoomRefusal> for Obstacle {
    fn from(err: RoomRefusal) -> Self {
        let text = sentence(&err.to_string());
        Self::Refused(match &err {
            RoomRefusal::NotAMember(user)
            | RoomRefusal::LastAtTheTop(user)
            | RoomRefusal::FirstOwner(user)
            | RoomRefusal::LiftsToTheTop { user, .. } => {
                text.replace(user.as_str(), &mention(user))
            }
            RoomRefusal::UnknownLevel { .. }
            | RoomRefusal::LevelExists { .. }
            | RoomRefusal::BadRank
            | RoomRefusal::LevelInUse { .. }
            | RoomRefusal::LastLevel(_)
            | RoomRefusal::NotBelowOwn { .. }
            | RoomRefusal::NotAtTheTop { .. } => text,
        })
    }
}

/// What is refused, in mrkdwn, with the commands that do what is to be done.
fn said(refusal: &Refusal) -> String {
    let lines = refusal.objections().iter().map(|objection| {
        let what = &objection.to_string();
        let how = match objection.remedies().first() {
            None => return sentence(what),
            Some(Remedy::AddAccount(account)) => {
                let account = escape(&account.to_string());
                format!("`/flock account connect {account}` connects it.")
            }
            Some(Remedy::RenewAccount(account)) => {
                let account = escape(&account.to_string());
                format!("`/flock account renew {account}` gives it a new key.")
            }
            Some(Remedy::ListSheep) => "`/flock sheep` lists them.".to_owned(),
            Some(Remedy::ShowSheep(sheep)) => format!("`/flock show {sheep}` tells."),
            Some(Remedy::ResumeSheep(sheep)) => format!("`/flock resume {sheep}` resumes it."),
            Some(Remedy::SayWhetherSent(sheep, number)) => {
                format!("`/flock sent {sheep} {number}` or `/flock send-again {sheep} {number}` says it.")
            }
        };
        format!("{} {how}", sentence(what))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A sentence in mrkdwn. What begins with the name of a sheep keeps it as it is.
fn sentence(text: &str) -> String {
    let text = escape(text);
    let stop = if text.ends_with('?') { "" } else { "." };
    let (word, after) = text.split_once(' ').unwrap_or((&text, ""));
    if word.parse::<SheepId>().is_ok() {
        return format!("*{word}* {after}{stop}");
    }
    if word.contains('/') || word.parse::<AccountId>().is_ok() {
        return format!("{text}{stop}");
    }
    format!("{}{stop}", capital(&text))
}

/// Who did something, and where, for people in Slack.
pub(crate) fn who(by: &By) -> String {
    match by {
        By::Slack { user, room } => format!("{} in {}", mention(user), room_link(room)),
        By::CommandLine { user, arn } => {
            let arn = arn.as_ref().map(|arn| format!(" ({arn})")).unwrap_or_default();
            let who = format!("{user} at the command line{arn}");
            escape(&who.replace(char::is_control, " "))
        }
    }
}
