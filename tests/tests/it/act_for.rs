//! One act for each account of a flock: from Slack, through ticks, on the stand-ins. What is counted is what stands there in the end,
//! and not what was asked for.

use flock_core::{Acts, Job, Network, Whom, Work};
use flock_tests::{CrashPlan, CrashProxy, Cut, Endpoint, MastodonMisbehave, Operation};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sheep_tick::{App, Report};

use crate::{
    slack::{Slack, shown},
    world::{START, World, bluesky_account, did, far_deadline, mastodon_account, ts, user_id},
};

fn flock() -> Whom {
    Whom::Flock("flock".parse().unwrap())
}

fn due(wish: &str, whom: &Whom) -> Value {
    let id = Acts::job(&wish.parse().unwrap(), whom);
    json!({ "detail-type": "job.due", "detail": { "id": id.as_str() } })
}

/// Goes on with the job alone.
async fn go_on(app: &App, wish: &str, whom: &Whom) -> Report {
    Box::pin(app.handle(&due(wish, whom), far_deadline())).await.unwrap()
}

async fn job(world: &World, wish: &str, whom: &Whom) -> (Job, Acts) {
    let id = Acts::job(&wish.parse().unwrap(), whom);
    let job = world.store.job(&id).await.unwrap().unwrap();
    let Work::Acts(work) = &job.work else { panic!("{job:?}") };
    (job.clone(), work.clone())
}

/// The job goes on until it is over, or so many minutes have passed; and what U1 is told in C1 then.
async fn told(slack: &mut Slack, wish: &str, whom: &Whom) -> String {
    let app = slack.world.app().await;
    for _ in 0..40 {
        let report = go_on(&app, wish, whom).await;
        assert_eq!(report.failed, 0);
        if !job(&slack.world, wish, whom).await.0.is_running() {
            break;
        }
        slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    }
    let before = slack.seen("U1", "C1");
    slack.events().await;
    shown(&before, &slack.seen("U1", "C1"))
}

/// Two on Mastodon and two on Bluesky.
async fn four(world: &World) {
    for (name, network) in [
        ("ann", Network::Mastodon),
        ("bob", Network::Mastodon),
        ("cyd", Network::Bluesky),
        ("dan", Network::Bluesky),
    ] {
        world.sheep(name, network, 3).await;
    }
}

const FOLLOW: &str = "app.bsky.graph.follow";

/// Who follows whom on both, by name.
fn follows(world: &World) -> Vec<String> {
    let mut all = Vec::new();
    for name in ["ann", "bob"] {
        all.extend(world.mastodon.follows(name).into_iter().map(|whom| format!("{name} {whom}")));
    }
    for name in ["cyd", "dan"] {
        let records = world.bluesky.records(&did(name), FOLLOW).into_iter();
        all.extend(
            records.map(|record| format!("{name} {}", record.value["subject"].as_str().unwrap())),
        );
    }
    all
}

fn each_other() -> Vec<String> {
    vec![
        "ann bob@stand-in.example".to_owned(),
        "bob ann@stand-in.example".to_owned(),
        format!("cyd {}", did("dan")),
        format!("dan {}", did("cyd")),
    ]
}

#[tokio::test]
async fn accounts_of_a_flock_follow_each_other_and_no_more() {
    let mut slack = Slack::start().await;
    four(&slack.world).await;
    let wish = "follow each-other";
    insta::assert_snapshot!(slack.flock("do dry-run flock follow each-other").await, @"
    *`follow each-other` for `flock` would be done 4 times, and refused 0 times.
    mastodon:ann@stand-in.example → mastodon:bob@stand-in.example would, for $0.00
    mastodon:bob@stand-in.example → mastodon:ann@stand-in.example would, for $0.00
    bluesky:cyd.test → bluesky:dan.test would, for $0.00
    bluesky:dan.test → bluesky:cyd.test would, for $0.00
    ");
    insta::assert_snapshot!(slack.flock("do flock follow each-other").await, @"Doing `follow each-other` for `flock`, as job `9058dc99`. I tell you here what came of it; `/flock jobs cancel 9058dc99` ends it, and `/flock running` shows how far it is.");
    insta::assert_snapshot!(slack.flock("do flock follow each-other").await, @"*The job `9058dc99` does the like for the same right now; `/flock jobs cancel 9058dc99` ends it, and `/flock running` shows how far it is.");
    insta::assert_snapshot!(slack.flock("running").await, @"
    *Times are in UTC.
    job `9058dc99` does `follow each-other` for the flock *flock*: not begun yet; asked by <@U1> in <#C1> at 12:00:00
    ");
    insta::assert_snapshot!(told(&mut slack, wish, &flock()).await, @"
    <@U1>: `follow each-other` for the flock *flock*: 4 done.
    mastodon:ann@stand-in.example → mastodon:bob@stand-in.example: done
    mastodon:bob@stand-in.example → mastodon:ann@stand-in.example: done
    bluesky:cyd.test → bluesky:dan.test: done
    bluesky:dan.test → bluesky:cyd.test: done
    ");
    assert_eq!(follows(&slack.world), each_other());
    // Again: Bluesky is seen to have it already.
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    slack.flock("do flock follow each-other").await;
    insta::assert_snapshot!(told(&mut slack, wish, &flock()).await, @"
    <@U1>: `follow each-other` for the flock *flock*: 2 done, 2 so already.
    mastodon:ann@stand-in.example → mastodon:bob@stand-in.example: done
    mastodon:bob@stand-in.example → mastodon:ann@stand-in.example: done
    bluesky:cyd.test → bluesky:dan.test: was so already
    bluesky:dan.test → bluesky:cyd.test: was so already
    ");
    assert_eq!(follows(&slack.world), each_other());
    slack.flock("do flock unfollow each-other").await;
    told(&mut slack, "unfollow each-other", &flock()).await;
    assert_eq!(follows(&slack.world), Vec::<String>::new());
}

#[tokio::test]
async fn somebody_is_followed_by_one_and_not_by_many() {
    let mut slack = Slack::start().await;
    four(&slack.world).await;
    slack.world.bluesky.account("eve.test", &did("eve"), "abcd-efgh-ijkl-eeee");
    slack.world.mastodon.knows("zoe@far.example");
    // A person has one do it.
    let (one, cyd) = ("follow bluesky:eve.test", Whom::Account(bluesky_account("cyd")));
    slack.flock(&format!("do bluesky:cyd.test {one}")).await;
    insta::assert_snapshot!(told(&mut slack, one, &cyd).await, @"
    <@U1>: `follow bluesky:eve.test` for `bluesky:cyd.test`: 1 done.
    bluesky:cyd.test → bluesky:eve.test: done
    ");
    // A flock that does it turns to somebody who did not ask.
    insta::assert_snapshot!(slack.flock("do flock follow bluesky:eve.test").await, @"
    *bluesky:cyd.test does not: against Bluesky's rule bluesky-unasked: A bot turns to people only when they tagged it. (https://docs.bsky.app/docs/starter-templates/bots) To do: wait until they do.
    bluesky:dan.test does not: against Bluesky's rule bluesky-unasked: A bot turns to people only when they tagged it. (https://docs.bsky.app/docs/starter-templates/bots) To do: wait until they do.
    ");
    // Mastodon has no rule for that, and asks a server it does not know yet.
    let many = "follow mastodon:zoe@far.example";
    slack.flock(&format!("do flock {many}")).await;
    insta::assert_snapshot!(told(&mut slack, many, &flock()).await, @"
    <@U1>: `follow mastodon:zoe@far.example` for the flock *flock*: 2 done.
    mastodon:ann@stand-in.example → mastodon:zoe@far.example: done
    mastodon:bob@stand-in.example → mastodon:zoe@far.example: done
    ");
    insta::assert_snapshot!(follows(&slack.world).join("\n"), @"
    ann zoe@far.example
    bob zoe@far.example
    cyd did:plc:eveaaaaaaaaaaaaaaaaaaaaa
    ");
    // Nobody, and somebody who wants to be asked.
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    let ann = Whom::Account(mastodon_account("ann"));
    let none = "follow mastodon:nobody@stand-in.example";
    slack.flock(&format!("do mastodon:ann@stand-in.example {none}")).await;
    insta::assert_snapshot!(told(&mut slack, none, &ann).await, @"
    <@U1>: `follow mastodon:nobody@stand-in.example` for `mastodon:ann@stand-in.example`: 1 refused.
    mastodon:ann@stand-in.example → mastodon:nobody@stand-in.example: Mastodon at stand-in.example finds nobody called nobody@stand-in.example; look at the name
    ");
    slack.world.mastodon.lock("bob");
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    let bob = "follow mastodon:bob@stand-in.example";
    slack.flock(&format!("do mastodon:ann@stand-in.example {bob}")).await;
    insta::assert_snapshot!(told(&mut slack, bob, &ann).await, @"
    <@U1>: `follow mastodon:bob@stand-in.example` for `mastodon:ann@stand-in.example`: 1 done.
    mastodon:ann@stand-in.example → mastodon:bob@stand-in.example: asked for; who is asked has to agree
    ");
    assert_eq!(slack.world.mastodon.has_asked("ann"), ["bob@stand-in.example"]);
    // A key from before, which does not allow it.
    slack.world.mastodon.allows("token-of-ann", "read write:statuses");
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(1));
    slack.flock(&format!("do mastodon:ann@stand-in.example {bob}")).await;
    insta::assert_snapshot!(told(&mut slack, bob, &ann).await, @"
    <@U1>: `follow mastodon:bob@stand-in.example` for `mastodon:ann@stand-in.example`: 1 refused.
    mastodon:ann@stand-in.example → mastodon:bob@stand-in.example: the key of Mastodon at stand-in.example lacks `write:follows`; renew the account's key, and it is asked for
    ");
}

#[tokio::test]
async fn what_is_on_x_costs_and_is_asked_about() {
    let mut slack = Slack::start().await;
    for name in ["apollo", "bacchus"] {
        slack.world.sheep(name, Network::X, 3).await;
    }
    let post = slack.world.x.made_elsewhere(&user_id("pan"), "Hello.");
    insta::assert_snapshot!(slack.flock("do flock follow each-other").await, @"
    *x:apollo does not: X cannot follow: since 2026-04-20 for Enterprise customers only.
    x:bacchus does not: X cannot follow: since 2026-04-20 for Enterprise customers only.
    ");
    let wish = format!("repost x:{post}");
    let asked = slack.flock(&format!("do flock {wish}")).await.replace(&post, "POST");
    insta::assert_snapshot!(asked, @"
    *This does `repost x:POST` for `flock`. It costs $0.03, which flock flock pays; it has spent $0.00 of the $1000.00 it may spend in 2026-03.
    The button works for 5 minutes. [Do it] [Cancel]
    ");
    slack.press("U1", "C1", "Do it").await;
    let told = told(&mut slack, &wish, &flock()).await.replace(&post, "POST");
    insta::assert_snapshot!(told, @"
    <@U1>: `repost x:POST` for the flock *flock*: 2 done.
    x:apollo: done
    x:bacchus: done
    ");
    for name in ["apollo", "bacchus"] {
        let posts = slack.world.x.posts(&user_id(name));
        assert_eq!(posts.iter().filter(|post| post.repost_of.is_some()).count(), 1);
    }
    assert_eq!(slack.world.x.asked(Operation::Repost), 2);
    insta::assert_snapshot!(slack.flock(&format!("do flock delete x:{post}")).await.replace(&post, "POST"), @"*A post is that of one account: name the account in the place of the flock.");
    insta::assert_snapshot!(slack.flock("ring flock bot yes").await, @"
    *X has no bot label in profiles: leave it out for x:apollo.
    X has no bot label in profiles: leave it out for x:bacchus.
    ");
}

#[tokio::test]
async fn profiles_are_changed_with_what_is_each_account_s_own() {
    let mut slack = Slack::start().await;
    four(&slack.world).await;
    insta::assert_snapshot!(slack.flock("ring flock location Eden").await, @"
    *Bluesky has no location in profiles: leave it out for bluesky:cyd.test.
    Bluesky has no location in profiles: leave it out for bluesky:dan.test.
    ");
    insta::assert_snapshot!(slack.flock("ring flock bio {hat}").await, @"*`{hat}` is nothing that is known here: there are `{count}`, `{flock}`, `{handle}`, `{n}`; a brace of its own is written twice.");
    insta::assert_snapshot!(slack.flock("ring flock bot no").await, @"*Write `profile bot yes`: a bot that does not say what it is must not post on most networks, so the label is taken off on their pages alone.");
    insta::assert_snapshot!(slack.flock("ring flock hat red").await, @"*`hat` is no part of a profile that is a text: there are name, bio, url, location and bot.");
    let wish = "profile name {flock} {n}/{count}";
    insta::assert_snapshot!(slack.flock("ring flock name {flock} {n}/{count}").await, @"Doing `profile name {flock} {n}/{count}` for `flock`, as job `d67bab0e`. I tell you here what came of it; `/flock jobs cancel d67bab0e` ends it, and `/flock running` shows how far it is.");
    insta::assert_snapshot!(told(&mut slack, wish, &flock()).await, @"
    <@U1>: `profile name {flock} {n}/{count}` for the flock *flock*: 4 done.
    mastodon:ann@stand-in.example: done
    mastodon:bob@stand-in.example: done
    bluesky:cyd.test: done
    bluesky:dan.test: done
    ");
    let name = |name: &str| {
        let profile = slack.world.bluesky.records(&did(name), "app.bsky.actor.profile");
        profile[0].value["displayName"].as_str().unwrap().to_owned()
    };
    assert_eq!([name("cyd"), name("dan")], ["flock 3/4", "flock 4/4"]);
}

#[tokio::test]
async fn one_that_is_away_holds_up_nobody_and_is_tried_again() {
    let mut slack = Slack::start().await;
    four(&slack.world).await;
    let wish = "follow each-other";
    // One is shut out, and one's server is away twice.
    slack.world.mastodon.suspend("ann", true);
    for _ in 0..2 {
        slack.world.mastodon.misbehave_at(Endpoint::Follow, MastodonMisbehave::Refuse500);
    }
    slack.world.store.remove_account(&bluesky_account("dan")).await.unwrap();
    slack.flock("do flock follow each-other").await;
    let app = slack.world.app().await;
    go_on(&app, wish, &flock()).await;
    let (running, work) = job(&slack.world, wish, &flock()).await;
    assert!(running.is_running(), "{work:?}");
    assert_eq!((work.done, work.refused, work.waiting.len()), (1, 1, 2), "{work:?}");
    insta::assert_snapshot!(told(&mut slack, wish, &flock()).await, @r#"
    <@U1>: `follow each-other` for the flock *flock*: 2 done, 2 refused.
    bluesky:dan.test → bluesky:cyd.test: the account bluesky:dan.test was never added; connect it, then ask for it again
    mastodon:ann@stand-in.example → mastodon:bob@stand-in.example: Mastodon at stand-in.example does not let the account do that: "Your login is currently disabled"; look whether it is shut out there or by whom it is about, or renew its key, which then has `write:follows`
    bluesky:cyd.test → bluesky:dan.test: done
    mastodon:bob@stand-in.example → mastodon:ann@stand-in.example: done
    "#);
    assert!(slack.world.clock.now() < ts(START) + SignedDuration::from_mins(5));
}

#[tokio::test]
async fn it_can_be_ended_in_the_middle_and_asked_for_by_two_at_once() {
    let mut slack = Slack::start().await;
    four(&slack.world).await;
    let wish = "follow each-other";
    for _ in 0..9 {
        slack.world.mastodon.misbehave_at(Endpoint::Follow, MastodonMisbehave::Refuse500);
    }
    slack.flock("do flock follow each-other").await;
    let (app, other) = (slack.world.app().await, slack.world.app().await);
    let whom = flock();
    let both = (go_on(&app, wish, &whom), go_on(&other, wish, &whom));
    let (one, two) = tokio::join!(both.0, both.1);
    assert_eq!(one.job_steps + two.job_steps, 1);
    let cancel = format!("jobs cancel {}", Acts::job(&wish.parse().unwrap(), &flock()));
    slack.flock(&cancel).await;
    insta::assert_snapshot!(told(&mut slack, wish, &flock()).await, @"
    <@U1>: <@U1> has ended job `9058dc99`, which was doing `follow each-other` for the flock *flock*: 2 times, up to bluesky:dan.test → bluesky:cyd.test. The rest is as it was.
    bluesky:cyd.test → bluesky:dan.test: done
    bluesky:dan.test → bluesky:cyd.test: done
    ");
    assert_eq!(follows(&slack.world), each_other()[2..]);
}

/// One cell: the tick that goes on dies at `cut`. Gives the request it died at.
async fn cell(cut: Cut) -> Option<String> {
    let mut slack = Slack::start().await;
    let never = CrashPlan::new(Cut::Never);
    let bluesky = CrashProxy::start("bluesky", &slack.world.bluesky.url(), &never).await;
    slack.world.bluesky_url = bluesky.url();
    let mastodon = CrashProxy::start("mastodon", &slack.world.mastodon.url(), &never).await;
    slack.world.mastodon_url = mastodon.url();
    four(&slack.world).await;
    let wish = "follow each-other";
    slack.flock("do flock follow each-other").await;
    let plan = CrashPlan::new(cut);
    let cloud = &slack.world.cloud;
    let dynamodb = CrashProxy::start("dynamodb", &cloud.dynamodb_url(), &never).await;
    let services = CrashProxy::start("services", &cloud.services_url(), &never).await;
    let token = cloud.token();
    let aws = flock_aws::local(dynamodb.url(), services.url(), token.secret());
    let app = slack.world.app_on(&aws).await;
    for proxy in [&dynamodb, &services, &bluesky, &mastodon] {
        proxy.follow(&plan);
    }
    let event = due(wish, &flock());
    let died = tokio::select! {
        () = plan.reached() => true,
        report = Box::pin(app.handle(&event, far_deadline())) => { report.unwrap(); false }
    };
    if !died {
        return None;
    }
    let at = plan.cut_at().unwrap();
    for proxy in [&dynamodb, &services, &bluesky, &mastodon] {
        proxy.follow(&never);
    }
    slack.events().await;
    // The lease that it left is over.
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_hours(2));
    let app = slack.world.app().await;
    for _ in 0..3 {
        let report = go_on(&app, wish, &flock()).await;
        assert_eq!(report.failed, 0, "{at}");
        slack.events().await;
        slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(2));
    }
    let (job, work) = job(&slack.world, wish, &flock()).await;
    assert!(!job.is_running(), "{at}: {work:?}");
    assert_eq!((work.done + work.already, work.refused + work.unknown), (4, 0), "{at}: {work:?}");
    assert_eq!(follows(&slack.world), each_other(), "{at}");
    let told = shown(&[], &slack.seen("U1", "C1"));
    assert_eq!(told.matches("for the flock *flock*: ").count(), 1, "{at}: {told}");
    Some(at)
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn a_tick_that_dies_anywhere_does_nothing_twice_and_forgets_nothing() {
    let mut cells = 0;
    for cut in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]) {
        let Some(at) = Box::pin(cell(cut)).await else { break };
        println!("{:<10} once {at}", format!("{cut:?}"));
        cells += 1;
    }
    // Control, job, claim, sheep; for each of four the account, the other and the network; keyring, flock, step, event, end, process.
    assert!(2 * 20 <= cells, "{cells}");
}

#[tokio::test]
async fn who_is_ours_is_known_and_not_asked_for() {
    let mut slack = Slack::start().await;
    four(&slack.world).await;
    slack.flock("do flock follow each-other").await;
    told(&mut slack, "follow each-other", &flock()).await;
    assert_eq!(slack.world.mastodon.requests(Endpoint::Lookup), 0);
}
