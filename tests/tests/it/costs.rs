//! What AWS charges, from units that are measured here and prices that stand here and nowhere else; the README prints the table.

use std::fmt::Write as _;

use flock_core::Network;

use crate::world::World;

/// AWS's prices in dollars, for us-east-1 and arm64 (aws.amazon.com, the pricing page of each service, 2026-11).
mod price {
    /// A million write request units of DynamoDB, on demand.
    pub(super) const WRITE_UNITS: f64 = 0.625;
    /// Likewise of read request units.
    pub(super) const READ_UNITS: f64 = 0.125;
    /// A million invocations of Lambda.
    pub(super) const INVOCATIONS: f64 = 0.20;
    /// One GB of memory for one second.
    pub(super) const GB_SECOND: f64 = 0.000_013_333_4;
    /// A million invocations by EventBridge Scheduler; the first 14 million of a month cost nothing, which is left out here.
    pub(super) const SCHEDULED: f64 = 1.00;
    /// A million requests to an HTTP API.
    pub(super) const API_REQUESTS: f64 = 1.00;
    /// A secret for a month.
    pub(super) const SECRET: f64 = 0.40;
    /// A GB of log lines; the first 5 GB of a month cost nothing, which is left out here.
    pub(super) const LOG_GB: f64 = 0.50;
    /// What an account has for nothing: alarms, and metrics of our own.
    pub(super) const FREE_ALARMS: usize = 10;
    pub(super) const FREE_METRICS: usize = 10;
}

/// A month of 730 hours.
const TICKS: f64 = 730.0 * 60.0;
const SECONDS: f64 = 730.0 * 3_600.0;

/// What cannot be measured here is counted high. AWS's own program in Rust that asks DynamoDB once takes 5 ms with 128 MB, and 20 ms
/// once in a hundred times (aws-samples/serverless-rust-demo, 2026-11); an idle tick asks it twice.
const IDLE_TICK_SECONDS: f64 = 0.1;

/// A tick sees to 64 sheep at once, so that a network which takes a second has 16 ms of the tick for each.
const POST_SECONDS: f64 = 0.02;

/// A line of ours and two of Lambda's.
const TICK_LOG_KB: f64 = 1.5;

/// Now and then a process is noted as being at work; counted as if each tick did.
const NOTE_WRITE_UNITS: f64 = 1.0;

/// Of a request of a stranger, until its signature is found wrong, with 256 MB: how long, and what Lambda and the API log.
const STRANGER_SECONDS: f64 = 0.005;
const STRANGER_LOG_KB: f64 = 1.0;

const LARGEST_IDLE: f64 = 2.00;
const LARGEST_MEADOW: f64 = 3.00;
const LARGEST_FREE: f64 = 3.50;
const LARGEST_STRANGERS: f64 = 25.00;

/// Write and read units of one post, among a hundred of one tick, once sessions are open.
async fn units_of_a_post(network: Network) -> (f64, f64) {
    const SHEEP: u8 = 100;
    let world = World::start().await;
    for number in 0..SHEEP {
        world.sheep(&format!("sheep-{number}"), network, 40).await;
    }
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    let report = world.tick_at(&app, 3).await;
    assert_eq!(report.posted, u64::from(SHEEP), "{network}: {report:?}");
    (report.write_units / f64::from(SHEEP), report.read_units / f64::from(SHEEP))
}

async fn units_of_an_idle_tick() -> (f64, f64) {
    let world = World::start().await;
    world.sheep("alone", Network::Meadow, 40).await;
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    let report = world.tick_at(&app, 1).await;
    (report.write_units, report.read_units)
}

fn lambda(invocations: f64, seconds: f64, memory_mb: f64) -> f64 {
    let gb_seconds = invocations * seconds * memory_mb / 1_024.0;
    invocations / 1e6 * price::INVOCATIONS + gb_seconds * price::GB_SECOND
}

/// The number that stands behind `name` in the template.
fn number(template: &str, name: &str) -> f64 {
    let (_, after) = template.split_once(name).unwrap();
    let digits: String = after
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap()
}

#[tokio::test]
async fn it_costs_what_the_readme_says() {
    let template = std::fs::read_to_string("../template.yaml").unwrap();
    let secrets = template.matches("Type: AWS::SecretsManager::Secret\n").count();
    let alarms = template.matches("Type: AWS::CloudWatch::Alarm\n").count();
    let filters = template.matches("Type: AWS::Logs::MetricFilter\n").count();
    assert!(alarms <= price::FREE_ALARMS, "{alarms} alarms");
    // Each of them makes one metric, some the same.
    assert!(filters <= price::FREE_METRICS, "{filters} metrics");

    let mut table = String::from("| | measured | dollars |\n|---|---|---|\n");
    let mut line = |what: &str, measured: &str, dollars: f64, largest: f64| {
        assert!(dollars <= largest, "{what}: ${dollars:.2}, and it must not be over ${largest:.2}");
        writeln!(table, "| {what} | {measured} | {dollars:.2} |").unwrap();
    };

    let (write, read) = units_of_an_idle_tick().await;
    let of_table = |write: f64, read: f64| write * price::WRITE_UNITS + read * price::READ_UNITS;
    let ticks = lambda(TICKS, IDLE_TICK_SECONDS, number(&template, "MemorySize: "))
        + TICKS / 1e6 * (price::SCHEDULED + of_table(write + NOTE_WRITE_UNITS, read))
        + TICKS * TICK_LOG_KB / 1e6 * price::LOG_GB;
    #[expect(clippy::cast_precision_loss, reason = "they are few")]
    let secret_dollars = secrets as f64 * price::SECRET;
    line(
        "a month in which nothing is posted",
        &format!("{secrets} secrets, {alarms} alarms, {TICKS:.0} ticks of {read:.1} read units"),
        secret_dollars + ticks,
        LARGEST_IDLE,
    );
    for (network, what, largest) in [
        (Network::Meadow, "a million posts on the meadow", LARGEST_MEADOW),
        (Network::Mastodon, "a million posts on Mastodon", LARGEST_FREE),
        (Network::Bluesky, "a million posts on Bluesky", LARGEST_FREE),
    ] {
        let (write, read) = units_of_a_post(network).await;
        // The ticks are there anyway.
        let dollars = of_table(write, read) + lambda(1e6, POST_SECONDS, 128.0) - price::INVOCATIONS;
        let measured = format!("{write:.1} write and {read:.1} read units each");
        line(what, &measured, dollars, largest);
    }
    let rate = number(&template, "ThrottlingRateLimit: ");
    let requests = rate * SECONDS;
    let dollars = requests / 1e6 * price::API_REQUESTS
        + lambda(requests, STRANGER_SECONDS, 256.0)
        + requests * STRANGER_LOG_KB / 1e6 * price::LOG_GB;
    line(
        "strangers who call Slack's address all month",
        &format!("{rate:.0} requests a second, all that are let through"),
        dollars,
        LARGEST_STRANGERS,
    );
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table), "put this into README.md:\n\n{table}");
}
