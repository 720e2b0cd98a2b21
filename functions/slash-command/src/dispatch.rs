//! Carries a command out: who may, what is written down, what is answered.

use flock_core::{Denied, Event, Need, Room, RoomId};
use flock_ops::{Noted, Who};
use flock_slack::{Button, Reply, escape, mention};
use flock_store::{Arrival, Asked, By};

use crate::{
    app::App,
    call::{Answer, Call, Obstacle, Stage, Step, Sure, code},
    command::{Command, Group, Run},
    commands::{self, Parsed, parse, read},
};

/// Characters of the longest line that is read. Far more than any post has.
const LONGEST: usize = 8_000;

/// The action of the button that says yes to a question.
pub(crate) const CONFIRM: &str = "confirm";

/// The action of the button that says no.
pub(crate) const CANCEL: &str = "cancel";

impl App {
    /// Carries out what has just arrived, unless it had arrived before.
    pub(crate) async fn answer_new(&self, asked: &Asked) -> Result<Reply, Arrival> {
        // Together, because whoever asked is waiting and almost everything is new.
        let (seen, looked) = tokio::join!(self.claim(&asked.id), Box::pin(self.look(&asked.room)));
        let reply = match seen {
            Ok(seen @ (Arrival::Begun { .. } | Arrival::Done)) => return Err(seen),
            Ok(Arrival::First) => match looked {
                Ok((room, control)) => self.answer(asked, Stage::Given, &room, &control).await,
                Err(err) => Err(Obstacle::Failed(err)),
            },
            Err(err) => Err(err.into()),
        };
        Ok(reply.unwrap_or_else(|obstacle| obstacle.into_reply(asked)))
    }

    /// Goes on with a command that was confirmed or deferred.
    pub(crate) async fn go_on_with(&self, asked: &Asked, stage: Stage) -> Reply {
        let reply = match Box::pin(self.look(&asked.room)).await {
            Ok((room, control)) => self.answer(asked, stage, &room, &control).await,
            Err(err) => Err(Obstacle::Failed(err)),
        };
        reply.unwrap_or_else(|obstacle| obstacle.into_reply(asked))
    }

    async fn answer(
        &self,
        asked: &Asked,
        stage: Stage,
        room: &Room,
        control: &flock_store::Control,
    ) -> Result<Reply, Obstacle> {
        let line = asked.line.as_str();
        if LONGEST < line.chars().count() {
            let text = format!("That is too long for a command: more than {LONGEST} characters.");
            return Err(Obstacle::Refused(text));
        }
        let (command, arguments) = match parse(line) {
            Parsed::Run(command, arguments) => (command, arguments),
            Parsed::Usage(named) => return Ok(usage(&named)),
            Parsed::Unknown(_) if read(line).1.is_empty() => return Ok(commands::help::list()),
            Parsed::Unknown(closest) => return Ok(unknown(line, closest.as_deref())),
        };
        if let Err(denied) = room.permit(&asked.user, command.need) {
            return Ok(Reply::only_you(denial(command, room, asked, &denied)));
        }
        let call =
            Call { app: self, arguments, asked, stage, room, control, now: self.clock.now() };
        let (outcome, noted) = match command.run {
            Run::Reads(run) => (run(&call).await, None),
            Run::Changes(run) => {
                let noted = Noted::begin(&self.store, who(asked), asked.line.clone()).await?;
                (run(&call, &noted).await, Some(noted))
            }
        };
        let outcome = match outcome {
            Ok(Step::Later(text)) => self.defer(asked).await.map(|()| Step::Later(text)),
            outcome => outcome,
        };
        if let Some(noted) = noted {
            noted.end(&self.store, outcome_word(&outcome)).await?;
        }
        let held = call.stopped().filter(|_| command.group == Group::Flock);
        match with_line(outcome, held.as_deref())? {
            Step::Done(reply) => Ok(reply),
            // It makes way for what it announces.
            Step::Later(text) => Ok(Reply { replaces: true, ..Reply::only_you(text) }),
            Step::Sure(Sure { text, quoted, label, command }) => {
                let line = command.unwrap_or_else(|| asked.line.clone());
                self.store.put_question(&Asked { line, ..asked.clone() }).await?;
                let minutes = flock_store::CONFIRM_FOR.as_mins();
                let text = format!("{text}\nThe button works for {minutes} minutes.");
                Ok(Reply::only_you(text)
                    .quote(quoted)
                    .button(Button::new(label, CONFIRM, asked.id.as_str()).danger())
                    .button(Button::new("Cancel", CANCEL, asked.id.as_str())))
            }
        }
    }

    /// Has the command go on over the bus.
    async fn defer(&self, asked: &Asked) -> Result<(), Obstacle> {
        self.store.put_deferred(asked).await?;
        let event = Event::CommandDeferred { id: asked.id.clone() };
        if let Err(err) = self.publish(event).await {
            let unpublished = err.unpublished();
            tracing::error!(delivery = %asked.id, unpublished, error = %err, "a command is not deferred");
            // Nobody will run it, so nobody shall see it as running.
            self.store.delete_deferred(&asked.id).await?;
            return Err(Obstacle::Failed(err.into()));
        }
        Ok(())
    }
}

/// The answer with one more line, where it does not consist of that line.
fn with_line(mut answer: Answer, line: Option<&str>) -> Answer {
    let text = match &mut answer {
        Ok(Step::Done(Reply { text, .. }) | Step::Sure(Sure { text, .. }))
        | Err(Obstacle::Refused(text)) => text,
        // More is said when it is done.
        Ok(Step::Later(_)) | Err(Obstacle::Failed(_)) => return answer,
    };
    if let Some(line) = line.filter(|line| text != line) {
        text.push('\n');
        text.push_str(line);
    }
    answer
}

/// Whoever asked, for the audit log.
fn who(asked: &Asked) -> Who {
    let by = By::Slack { user: asked.user.clone(), room: asked.room.clone() };
    Who { by, at: asked.since, id: asked.id.clone() }
}

/// What the audit log says of it.
fn outcome_word(outcome: &Result<Step, Obstacle>) -> String {
    match outcome {
        Ok(Step::Done(_)) => Noted::DONE.to_owned(),
        Ok(Step::Later(_)) => "begun".to_owned(),
        Ok(Step::Sure(_)) => "asked whether they are sure".to_owned(),
        Err(Obstacle::Refused(why)) => {
            format!("refused: {}", why.lines().next().unwrap_or_default())
        }
        Err(Obstacle::Failed(_)) => "failed; part of it may be done".to_owned(),
    }
}

fn usage(named: &[&Command]) -> Reply {
    let lines = named.iter().flat_map(|command| {
        let forms = command.forms().0.into_iter();
        forms.map(|usage| format!("`/flock {}` - {}", escape(&usage.to_string()), command.help))
    });
    let example = named.first().map_or("", |command| command.example);
    let lines: Vec<_> = lines.collect();
    Reply::only_you(format!(
        "That is not how it is written:\n{}\nFor example `/flock {example}`.",
        lines.join("\n")
    ))
}

fn unknown(line: &str, closest: Option<&str>) -> Reply {
    let (_, words) = read(line);
    let first = words.first().map_or("", |word| word.text.as_str());
    let meant = closest.map(|name| format!(" Did you mean `/flock {name}`?"));
    Reply::only_you(format!(
        "There is no command `{}`.{} `/flock help` lists all of them.",
        code(first),
        meant.unwrap_or_default()
    ))
}

fn denial(command: &Command, room: &Room, asked: &Asked, denied: &Denied) -> String {
    let name = command.name();
    let own = match room.level(&asked.user) {
        Some(level) => format!("you are `{level}` (rank {})", room.rank(&asked.user)),
        None => "you have no level here".to_owned(),
    };
    match denied {
        Denied::AboveAll { needed, top } => format!(
            "`{name}` needs rank {needed}, and the highest level of this room has rank {top}. Whoever has \
             it can add a higher one: `/flock level add &lt;name&gt; {needed}`."
        ),
        Denied::TooLow { needed, level, rank, ask } => {
            let whose = match command.need {
                Need::Top => "the highest level of this room, ".to_owned(),
                // Nobody here has just that rank.
                Need::Rank(_) if needed < rank => format!("rank {needed}, which is here at least "),
                Need::Rank(_) => "at least ".to_owned(),
            };
            let ask: Vec<_> = ask.iter().take(10).map(mention).collect();
            let ask = if ask.is_empty() {
                "Nobody here can grant it: the deployment has no FirstOwner.".to_owned()
            } else {
                format!("{} can grant it.", ask.join(", "))
            };
            format!("`{name}` needs {whose}`{level}` (rank {rank}); {own}. {ask}")
        }
    }
}

impl Obstacle {
    /// What the person is told.
    pub(crate) fn into_reply(self, asked: &Asked) -> Reply {
        match self {
            Self::Refused(text) => Reply::only_you(text),
            Self::Failed(err) => {
                tracing::error!(
                    delivery = %asked.id,
                    error = format!("{err:#}"),
                    "a command could not be carried out"
                );
                let id: String = asked.id.as_str().chars().take(8).collect();
                Reply::only_you(format!(
                    "That went wrong on our side, and part of it may be done. Look, and try again. The log \
                     has the reason under `{id}`."
                ))
            }
        }
    }
}

/// Names a room in a message.
pub(crate) fn room_link(room: &RoomId) -> String {
    format!("<#{room}>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flock_core::{DeliveryId, Rank};

    #[test]
    fn what_no_level_reaches_says_so() {
        let room = Room::new("C1".parse().unwrap(), None);
        let asked = Asked {
            id: DeliveryId::of(&["x"]),
            user: "U1".parse().unwrap(),
            room: room.id.clone(),
            line: "stop".to_owned(),
            since: jiff::Timestamp::UNIX_EPOCH,
            answer_to: String::new(),
        };
        let denied = room.permit(&asked.user, Need::Rank(Rank(7))).unwrap_err();
        let Parsed::Run(command, _) = parse("stop") else { panic!("it is a command") };
        insta::assert_snapshot!(denial(command, &room, &asked, &denied), @"`stop` needs rank 7, and the highest level of this room has rank 2. Whoever has it can add a higher one: `/flock level add &lt;name&gt; 7`.");
    }
}
