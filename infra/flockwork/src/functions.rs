//! The functions that are linked into the command, and what the local run gives all functions. Any other function of the
//! template is built and run as the program it is.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use flock_aws::{Function as _, Reader};
use local_cloud::{
    functions::{self, Linked, Variables},
    template::{Function, Template},
};

use crate::{connect::LOCAL_NAME, page, refusal::refuse};

/// Those that are linked in, and run with `--speed`, too.
pub const LINKED: &[Linked] = &[
    Linked::of::<sheep_tick::App>(),
    Linked::of::<slash_command::SlashCommand>(),
    Linked::of::<keymaker::Keymaker>(),
];

/// The Slack user who owns the rooms of the local Slack, unless the template says who.
const FIRST_OWNER: &str = "U1";

/// The room that is told what stopped, unless the template says which.
const SLACK_ROOM: &str = "C1";

/// Where functions are reached, while nobody asks where.
const ANYWHERE: &str = "http://127.0.0.1";

/// Whether a function is part of this program, and not one of its own.
pub fn is_linked_in(function: &Function) -> bool {
    LINKED.iter().any(|linked| linked.name() == function.binary)
}

/// What the local run gives functions beside what the template does; `address` is where it is reached.
pub fn variables(address: String, slack_url: String, networks_on_loopback: bool) -> Variables {
    Variables {
        name: LOCAL_NAME,
        address,
        // A template may name another Slack than the local one.
        unless_given: BTreeMap::from([
            ("SLACK_URL", slack_url),
            ("FIRST_OWNER", FIRST_OWNER.to_owned()),
            ("SLACK_ROOM", SLACK_ROOM.to_owned()),
        ]),
        always: BTreeMap::from([(
            flock_net::Settings::ON_LOOPBACK,
            networks_on_loopback.then(|| "true".to_owned()),
        )]),
    }
}

/// Refuses functions that cannot be run here, each with its line in the template.
pub fn refuse_unrunnable(template: &Path, functions: &[Function]) -> anyhow::Result<()> {
    let variables = variables(ANYWHERE.to_owned(), String::new(), false);
    functions::check(template, functions, LINKED, &variables, &page::PATHS)
        .map_err(|err| refuse(err.to_string()))
}

/// Refuses a clock that is not the one on the wall for functions that see no other.
pub fn refuse_speed(template: &Path, functions: &[Function]) -> anyhow::Result<()> {
    functions::check_clock(template, functions, LINKED, "--speed")
        .map_err(|err| refuse(err.to_string()))
}

/// Builds the programs among `functions`; `tell` hears of each before. In the place of each function there is
/// its program, if it is one.
pub async fn build(
    template: &Path,
    functions: &[Function],
    tell: impl Fn(&str) -> io::Result<()>,
) -> anyhow::Result<Vec<Option<PathBuf>>> {
    let built = functions::build(template, functions, LINKED, tell).await?;
    built.map_err(|err| refuse(err.to_string()))
}

/// The settings by which the function that posts asks networks, for commands that ask them, too.
pub fn network_settings(
    template: &Template,
    networks_on_loopback: bool,
) -> anyhow::Result<flock_net::Settings> {
    settings_of_tick(template, networks_on_loopback, flock_net::Settings::read)
}

/// The settings of the function that posts, for commands that do its work here.
pub(crate) fn tick_settings(
    template: &Template,
    networks_on_loopback: bool,
) -> anyhow::Result<sheep_tick::Settings> {
    settings_of_tick(template, networks_on_loopback, sheep_tick::Settings::read)
}

fn settings_of_tick<T>(
    template: &Template,
    networks_on_loopback: bool,
    read: fn(&mut Reader<'_>) -> T,
) -> anyhow::Result<T> {
    let posts = |function: &&Function| function.binary == sheep_tick::App::NAME;
    let function = template.functions.iter().find(posts);
    let function = function.ok_or_else(|| refuse("the template has no function sheep-tick"))?;
    let variables = variables(ANYWHERE.to_owned(), String::new(), networks_on_loopback);
    let lookup = |key: &str| variables.get(function, key);
    flock_aws::from_lookup(&lookup, read).map_err(|err| refuse(err.to_string()))
}
