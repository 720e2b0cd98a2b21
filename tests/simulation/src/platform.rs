//! Lambda, EventBridge and its schedules: who is started for what, how often, and what is tried again. Who listens to what, and
//! for how long a function may work, is what template.yaml says.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use flock_aws::Function as _;
use flock_core::Shards;
use local_cloud::{
    services::BusEvent,
    template::{self, Template},
};
use serde_json::{Value, json};
use slash_command::SlashCommand;

use crate::{
    invariants,
    machine::Machine,
    outside::X_URL,
    table,
    world::{World, alongside},
};

/// What is deployed.
pub(crate) static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    Template::parse(include_str!("../../../template.yaml")).expect("the template is sound")
});

/// The functions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionName {
    SheepTick,
    SlashCommand,
}

/// An environment that waits for its next event.
struct Environment {
    machine: Arc<Machine>,
    function: Function,
    /// Of which deployment.
    deployment: u32,
}

#[derive(Clone)]
enum Function {
    SheepTick(Arc<sheep_tick::App>),
    SlashCommand(Arc<SlashCommand>),
}

/// All that is started for events.
#[derive(Default)]
pub(crate) struct Platform {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Environment>,
    started: u32,
    deployment: u32,
    shards: u16,
}

/// An invocation came to nothing: it died, or took too long, or said so.
#[derive(Debug)]
pub(crate) struct NotDone;

impl FunctionName {
    const ALL: [Self; 2] = [Self::SheepTick, Self::SlashCommand];

    fn deployed(self) -> &'static template::Function {
        let mut functions = TEMPLATE.functions.iter();
        functions.find(|function| function.binary == self.name()).expect("the template has it")
    }

    fn timeout(self) -> Duration {
        self.deployed().timeout
    }

    /// Whether it has a rule for an event.
    fn listens(self, event: &BusEvent) -> bool {
        let BusEvent { source, detail_type, detail, .. } = event;
        let mut rules = self.deployed().rules.iter();
        rules.any(|rule| rule.pattern.matches(source, detail_type, detail))
    }

    /// How often an event is tried again that was not handled: its `EventInvokeConfig`.
    fn retries(self) -> u32 {
        match self {
            Self::SheepTick => 0,
            Self::SlashCommand => 2,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::SheepTick => "sheep-tick",
            Self::SlashCommand => "slash-command",
        }
    }
}

impl Platform {
    /// Another deployment, with so many shards: what is at work ends its work.
    pub(crate) fn deploy(&self, shards: u16) {
        let mut state = self.state();
        state.deployment += 1;
        state.shards = shards;
        state.idle.clear();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self, function: FunctionName) -> Option<Environment> {
        let mut state = self.state();
        let is_it = |of: &Environment| match of.function {
            Function::SheepTick(_) => function == FunctionName::SheepTick,
            Function::SlashCommand(_) => function == FunctionName::SlashCommand,
        };
        let index = state.idle.iter().rposition(is_it)?;
        Some(state.idle.remove(index))
    }
}

/// Starts a function for an event, in an environment that waits, or in a new one.
pub(crate) async fn invoke(
    world: &Arc<World>,
    function: FunctionName,
    event: Value,
) -> Result<Value, NotDone> {
    let timeout = function.timeout();
    let environment = match world.platform.idle(function) {
        // Lambda lets an environment go whenever it likes.
        Some(environment) if world.weather.dice().u8(..30) != 0 => environment,
        Some(_) | None => cold(world, function).await?,
    };
    let machine = Arc::clone(&environment.machine);
    if world.weather.jumps() {
        machine.jump();
    }
    let deadline = (machine.clock.now() + timeout).into();
    let handler = environment.function.clone();
    invariants::works(world, &machine.name, true);
    let mut work = tokio::spawn(async move {
        match handler {
            Function::SheepTick(app) => {
                let report = app.handle(&event, deadline).await;
                report.and_then(|report| Ok(serde_json::to_value(report)?))
            }
            Function::SlashCommand(function) => function.handle(event, deadline).await,
        }
    });
    let done = tokio::select! {
        biased;
        done = &mut work => Some(done),
        () = machine.died() => None,
        () = tokio::time::sleep(timeout) => {
            machine.die();
            None
        }
    };
    work.abort();
    invariants::works(world, &machine.name, false);
    let result = match done {
        Some(Ok(Ok(answer))) => Ok(answer),
        Some(Ok(Err(err))) => {
            world.note(|| format!("{} fails: {err:#}", machine.name));
            Err(NotDone)
        }
        Some(Err(err)) => {
            invariants::nothing_panics(world, &machine.name, &err);
            Err(NotDone)
        }
        None => Err(NotDone),
    };
    if !machine.is_dead() && environment.deployment == world.platform.state().deployment {
        world.platform.state().idle.push(environment);
    }
    result
}

/// Starts an environment.
async fn cold(world: &Arc<World>, function: FunctionName) -> Result<Environment, NotDone> {
    let (number, deployment, shards) = {
        let mut state = world.platform.state();
        state.started += 1;
        (state.started, state.deployment, state.shards)
    };
    let name = format!("{} {number}", function.name());
    let machine = Machine::new(world, name, world.weather.death());
    let on = Arc::clone(&machine);
    let mut starting = tokio::spawn(async move { start(&on, function, shards).await });
    let started = tokio::select! {
        biased;
        started = &mut starting => started.ok(),
        () = machine.died() => None,
        () = tokio::time::sleep(Duration::from_secs(10)) => None,
    };
    starting.abort();
    match started {
        Some(Ok(function)) => Ok(Environment { machine, function, deployment }),
        Some(Err(err)) => {
            world.note(|| format!("{} does not start: {err:#}", machine.name));
            Err(NotDone)
        }
        None => {
            machine.die();
            Err(NotDone)
        }
    }
}

async fn start(
    machine: &Arc<Machine>,
    function: FunctionName,
    shards: u16,
) -> anyhow::Result<Function> {
    let (aws, clock) = (machine.aws(), machine.clock.clone());
    Ok(match function {
        FunctionName::SheepTick => {
            let settings = sheep_tick::Settings {
                table: table::NAME.to_owned(),
                bus: "flockwork".to_owned(),
                shards: Shards::try_from(shards).expect("the scenario has a number of shards"),
                networks: networks(machine),
            };
            let app = sheep_tick::App::start(settings, &aws, clock).await?;
            Function::SheepTick(Arc::new(app))
        }
        FunctionName::SlashCommand => {
            let settings = slash_command::Settings {
                keys_url: None,
                table: table::NAME.to_owned(),
                bus: "flockwork".to_owned(),
                slack_secret: "Slack".to_owned(),
                slack_url: None,
                slack_room: Some("C2".parse().expect("a room")),
                first_owner: Some("U1".parse().expect("a user")),
                wire: machine.wire(),
            };
            Function::SlashCommand(Arc::new(SlashCommand::start(settings, &aws, clock).await?))
        }
    })
}

/// The settings of whoever asks networks from a machine.
pub(crate) fn networks(machine: &Arc<Machine>) -> flock_net::Settings {
    flock_net::Settings {
        keyring_secret: "Keyring".to_owned(),
        x_secret: "XApp".to_owned(),
        x_url: Some(X_URL.to_owned()),
        on_loopback: false,
        wire: machine.wire(),
    }
}

/// The schedule fires.
pub(crate) fn fire(world: &Arc<World>) {
    for _ in 0..world.weather.ticks() {
        let event = json!({ "detail-type": "Scheduled Event", "source": "flockwork.schedule" });
        let (firing, wait) = (Arc::clone(world), world.weather.dice().u64(..800));
        alongside(world, async move {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            firing.note(|| "the schedule fires".to_owned());
            if let Ok(report) = invoke(&firing, FunctionName::SheepTick, event).await {
                firing.ticked(&report);
            }
        });
    }
}

/// Hands an event to the function that has a rule for it.
pub(crate) fn deliver(world: &Arc<World>, event: &BusEvent) {
    let delivery = world.weather.delivery();
    let functions = FunctionName::ALL.into_iter().filter(|function| function.listens(event));
    let functions: Vec<_> = functions.collect();
    let event = json!({ "detail-type": event.detail_type, "detail": event.detail });
    world.published(&event, delivery.times);
    invariants::events_are_readable(world, &event);
    invariants::events_are_listened_to(world, &event, functions.len());
    for function in functions.into_iter().flat_map(|one| (0..delivery.times).map(move |_| one)) {
        let (delivering, event) = (Arc::clone(world), event.clone());
        let usual = world.weather.dice().u64(10..700);
        alongside(world, async move {
            let mut wait = delivery.late + Duration::from_millis(usual);
            for tried in 0..=function.retries() {
                tokio::time::sleep(wait).await;
                if invoke(&delivering, function, event.clone()).await.is_ok() {
                    return;
                }
                // A minute, then two (AWS, "Error handling for asynchronous invocations", 2026-11).
                wait = Duration::from_mins(u64::from(tried) + 1);
            }
            delivering.given_up(&event);
        });
    }
}
