//! `account check` in Slack: the networks are asked in steps, whoever dies, and who asked is told once.

use std::time::{Duration, SystemTime};

use flock_core::{AccountId, Job, KeyCheck, Network, Work};
use flock_tests::{CrashPlan, CrashProxy, Cut, Endpoint, MastodonMisbehave};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sheep_tick::{App, Report};

use crate::{
    slack::{Slack, shown},
    world::{World, bluesky_account, far_deadline, mastodon_account, tick, user_id},
};

/// One on each network.
async fn three(world: &World) {
    for (name, network) in
        [("apollo", Network::X), ("bea", Network::Bluesky), ("cyd", Network::Mastodon)]
    {
        world.sheep(name, network, 3).await;
    }
}

/// Accounts of Mastodon, which nothing posts through.
async fn many(world: &World, number: usize) {
    for number in 0..number {
        let (name, token) = (format!("m{number:02}"), format!("token-of-m{number:02}"));
        world.mastodon.account(&token, &name);
        world.add_mastodon(&mastodon_account(&name), &token).await.unwrap();
    }
}

async fn job(world: &World, only: Option<&AccountId>) -> Job {
    world.store.job(&KeyCheck::job(only)).await.unwrap().unwrap()
}

fn done(job: &Job) -> (u64, u64) {
    let Work::Check(work) = &job.work else { panic!("{job:?}") };
    (work.working, work.failing)
}

/// Many accounts whose server can be held up, and an invocation that has time for the step alone that is always made: the server
/// does not answer before that time is over.
struct Held(CrashProxy);

impl Held {
    async fn many(world: &mut World, number: usize) -> Self {
        let never = CrashPlan::new(Cut::Never);
        let mastodon = CrashProxy::start("mastodon", &world.mastodon.url(), &never).await;
        world.mastodon_url = mastodon.url();
        many(world, number).await;
        Self(mastodon)
    }

    async fn one_step(&self, app: &App) -> Report {
        /// More than it takes to begin.
        const LENGTH: Duration = Duration::from_secs(2);
        let plan = CrashPlan::new(Cut::Hold(0));
        self.0.follow(&plan);
        #[expect(
            clippy::disallowed_methods,
            reason = "the platform's deadlines are on the wall clock"
        )]
        let deadline = SystemTime::now() + LENGTH;
        let release = async {
            plan.reached().await;
            tokio::time::sleep(LENGTH).await;
            plan.release();
        };
        let event = due();
        let (report, ()) = tokio::join!(Box::pin(app.handle(&event, deadline)), release);
        report.unwrap()
    }
}

fn due() -> Value {
    json!({ "detail-type": "job.due", "detail": { "id": KeyCheck::job(None).as_str() } })
}

/// What is left until when is the wall clock's matter.
fn without_times(text: &str) -> String {
    let line = |line: &str| line.split(" until ").next().unwrap_or_default().to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What U1 is told in C1 once a tick has been there.
async fn told(slack: &mut Slack) -> String {
    let app = slack.world.app().await;
    let report = slack.world.tick(&app).await;
    assert_eq!(report.failed, 0);
    let before = slack.seen("U1", "C1");
    slack.events().await;
    without_times(&shown(&before, &slack.seen("U1", "C1")))
}

#[tokio::test]
async fn who_asks_is_told_what_the_networks_say_of_keys() {
    let mut slack = Slack::start().await;
    insta::assert_snapshot!(slack.flock("account check").await, @"*No account is here whose key could be checked.");
    three(&slack.world).await;
    insta::assert_snapshot!(slack.flock("account check").await, @"Asking the networks about the keys of all accounts, as job `d4b6ea3c`; it costs nothing. I tell you here what they say; `/flock jobs cancel d4b6ea3c` ends it, and `/flock running` shows how far it is.");
    insta::assert_snapshot!(slack.flock("account check").await, @"*The job `d4b6ea3c` checks the same right now; `/flock jobs cancel d4b6ea3c` ends it, and `/flock running` shows how far it is.");
    insta::assert_snapshot!(slack.flock("running").await, @"
    *Times are in UTC.
    job `d4b6ea3c` asks whether the keys of all accounts work: not begun yet; asked by <@U1> in <#C1> at 12:00:00
    ");
    let begun = job(&slack.world, None).await;
    let now = slack.world.clock.now();
    let claimed = begun.claim(now, now + SignedDuration::from_mins(1)).unwrap();
    slack.world.store.put_job(&claimed).await.unwrap();
    insta::assert_snapshot!(slack.flock("running").await, @"
    *Times are in UTC.
    job `d4b6ea3c` asks whether the keys of all accounts work: at its first account; asked by <@U1> in <#C1> at 12:00:00
    ");
    slack.world.store.put_job(&claimed.release()).await.unwrap();
    insta::assert_snapshot!(told(&mut slack).await, @"
    <@U1>: All keys work, those of 3 accounts.
    x:apollo works; 899 of 900 requests of this kind left
    mastodon:cyd@stand-in.example works, as cyd; 295 of 300 requests left
    bluesky:bea.test works, as bea.test
    ");
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    // A key that was revoked, and one that is another's by now.
    slack.world.mastodon.suspend("cyd", true);
    slack.world.x.account("token-of-apollo", &user_id("pan"));
    slack.flock("account check").await;
    insta::assert_snapshot!(told(&mut slack).await, @r#"
    <@U1>: Of the keys of 3 accounts, 1 works and 2 do not.
    x:apollo does NOT work: X does not know an account with this `user_id`
    mastodon:cyd@stand-in.example does NOT work: Mastodon at stand-in.example shuts the account out: "Your login is currently disabled"; ask its moderators, or move the sheep to another account
    bluesky:bea.test works, as bea.test
    "#);
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    // One whose network does not say it: that is no key that does not work.
    slack.world.mastodon.suspend("cyd", false);
    slack.world.mastodon.misbehave_at(Endpoint::Verify, MastodonMisbehave::Refuse500);
    slack.flock("account check").await;
    insta::assert_snapshot!(told(&mut slack).await, @"
    <@U1>: Of the keys of 3 accounts, 1 works, 1 does not, and of 1 nobody knows.
    x:apollo does NOT work: X does not know an account with this `user_id`
    nobody knows whether mastodon:cyd@stand-in.example works: Mastodon at stand-in.example failed with status 500; try again later
    bluesky:bea.test works, as bea.test
    ");
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    slack.world.x.account("token-of-apollo", &user_id("apollo"));
    slack.world.mastodon.misbehave_at(Endpoint::Verify, MastodonMisbehave::Refuse500);
    slack.flock("account check").await;
    let open = told(&mut slack).await;
    insta::assert_snapshot!(open.lines().next().unwrap(), @"<@U1>: Of the keys of 3 accounts, 2 work, and of 1 nobody knows.");
    slack.world.mastodon.suspend("cyd", true);
    slack.world.x.account("token-of-apollo", &user_id("pan"));
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    // One alone, beside all others.
    let one = "account check bluesky:bea.test";
    insta::assert_snapshot!(slack.flock(one).await, @"Asking the networks about the keys of `bluesky:bea.test`, as job `b1ac19b1`; it costs nothing. I tell you here what they say; `/flock jobs cancel b1ac19b1` ends it, and `/flock running` shows how far it is.");
    slack.flock("account check").await;
    assert!(job(&slack.world, Some(&bluesky_account("bea"))).await.is_running());
    // In whichever order they are over.
    let both = told(&mut slack).await;
    assert!(both.contains("<@U1>: bluesky:bea.test works, as bea.test"), "{both}");
    assert!(both.contains("<@U1>: Of the keys of 3 accounts, 1 works and 2 do not."), "{both}");
    insta::assert_snapshot!(slack.flock("account check x:pan").await, @"*The account x:pan was never added. `/flock account connect x:pan` connects it.");
    insta::assert_snapshot!(slack.flock("account check meadow:pan").await, @"*Accounts of the meadow need no key: just name them in a flock.");
    insta::assert_snapshot!(slack.flock("account check pan").await, @"*`pan` is not an account: write it as network:handle, such as mastodon:apollo@example.social.");
    insta::assert_snapshot!(slack.enter("U2", "C1", "/flock account check").await, @"*`account check` needs the highest level of this room, `owner` (rank 2); you have no level here. <@U1> can grant it.");
    slack.world.store.remove_account(&bluesky_account("bea")).await.unwrap();
    insta::assert_snapshot!(slack.flock(one).await, @"*The account bluesky:bea.test was never added. `/flock account connect bluesky:bea.test` connects it.");
}

#[tokio::test]
async fn many_accounts_are_asked_about_in_steps_by_one_tick_at_a_time() {
    let mut slack = Slack::start().await;
    let held = Held::many(&mut slack.world, 30).await;
    slack.flock("account check").await;
    let (app, other) = (slack.world.app().await, slack.world.app().await);
    // One step is always made, and the next tick goes on.
    let report = held.one_step(&app).await;
    assert_eq!(report.job_steps, 1, "{report:?}");
    assert_eq!(done(&job(&slack.world, None).await), (8, 0));
    let running = slack.flock("running").await;
    assert!(running.contains("8 accounts so far, now at mastodon:m"), "{running}");
    let (event, deadline) = (due(), far_deadline());
    let both = (Box::pin(app.handle(&event, deadline)), Box::pin(other.handle(&event, deadline)));
    let (one, two) = tokio::join!(both.0, both.1);
    assert_eq!(one.unwrap().job_steps + two.unwrap().job_steps, 3);
    assert_eq!(done(&job(&slack.world, None).await), (30, 0));
    let told = told(&mut slack).await;
    assert_eq!(told.lines().count(), 22, "{told}");
    let end = told.lines().last().unwrap();
    insta::assert_snapshot!(end, @"... and 10 more that work; at the command line `account check` shows all.");
}

#[tokio::test]
async fn a_check_that_is_cancelled_tells_how_far_it_came() {
    let mut slack = Slack::start().await;
    let held = Held::many(&mut slack.world, 30).await;
    slack.world.mastodon.suspend("m00", true);
    slack.flock("account check").await;
    let app = slack.world.app().await;
    held.one_step(&app).await;
    let cancel = format!("jobs cancel {}", KeyCheck::job(None));
    let cancelled = slack.flock(&cancel).await;
    assert!(cancelled.contains("8 accounts"), "{cancelled}");
    let told = told(&mut slack).await;
    let told = told.lines().take(2).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(told, @r#"
    <@U1>: <@U1> has ended job `d4b6ea3c`, which was asking whether the keys of all accounts work: 8 accounts, up to mastodon:m07@stand-in.example. The rest is as it was.
    mastodon:m00@stand-in.example does NOT work: Mastodon at stand-in.example shuts the account out: "Your login is currently disabled"; ask its moderators, or move the sheep to another account
    "#);
    assert!(!job(&slack.world, None).await.is_running());
    assert!(slack.flock("account check").await.starts_with("Asking"), "it can be wanted again");
}

/// What is asked for again at once is told of again.
#[tokio::test]
async fn of_two_checks_within_a_second_both_are_told_of() {
    let mut slack = Slack::start().await;
    let only = bluesky_account("bea");
    slack.world.sheep("bea", Network::Bluesky, 3).await;
    let now = slack.world.clock.now();
    for nth in 1..=2 {
        slack.world.clock.step_to(now);
        slack.flock("account check bluesky:bea.test").await;
        told(&mut slack).await;
        assert!(!job(&slack.world, Some(&only)).await.is_running());
        let seen = shown(&[], &slack.seen("U1", "C1"));
        assert_eq!(seen.matches("bluesky:bea.test works").count(), nth, "{seen}");
    }
}

/// One cell: the tick that goes on dies at `cut`. Gives the request it died at.
async fn cell(cut: Cut) -> Option<String> {
    let mut slack = Slack::start().await;
    three(&slack.world).await;
    slack.flock("account check").await;
    let plan = CrashPlan::new(cut);
    let never = CrashPlan::new(Cut::Never);
    let cloud = &slack.world.cloud;
    let dynamodb = CrashProxy::start("dynamodb", &cloud.dynamodb_url(), &never).await;
    let services = CrashProxy::start("services", &cloud.services_url(), &never).await;
    let token = cloud.token();
    let aws = flock_aws::local(dynamodb.url(), services.url(), token.secret());
    let app = slack.world.app_on(&aws).await;
    dynamodb.follow(&plan);
    services.follow(&plan);
    let event = due();
    let died = tokio::select! {
        () = plan.reached() => true,
        report = Box::pin(app.handle(&event, far_deadline())) => { report.unwrap(); false }
    };
    if !died {
        return None;
    }
    let at = plan.cut_at().unwrap();
    slack.events().await;
    // The lease that it left is over.
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_hours(2));
    let app = slack.world.app().await;
    for _ in 0..2 {
        let report = Box::pin(app.handle(&tick(), far_deadline())).await.unwrap();
        assert_eq!(report.failed, 0, "{at}");
        slack.events().await;
    }
    let job = job(&slack.world, None).await;
    assert_eq!((job.is_running(), done(&job)), (false, (3, 0)), "{at}");
    let told = shown(&[], &slack.seen("U1", "C1"));
    assert_eq!(told.matches("All keys work, those of 3 accounts.").count(), 1, "{at}: {told}");
    Some(at)
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn a_check_whose_tick_dies_anywhere_is_told_of_once() {
    let mut cells = 0;
    for cut in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]) {
        let Some(at) = Box::pin(cell(cut)).await else { break };
        println!("{:<10} told once {at}", format!("{cut:?}"));
        cells += 1;
    }
    // Control, the job, its claim, the list, each of three accounts, the keyring - which those that are opened at once may each read -,
    // X's app, the step, the event, the end, process.
    assert!((2 * 13..=2 * 15).contains(&cells), "{cells}");
}
