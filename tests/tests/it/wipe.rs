//! A wipe deletes all that is recorded of an account, whoever dies, and nothing else.

use flock_aws::SdkConfig;
use flock_core::{
    AccountId, AnswerTo, Asker, Cursor, DeliveryId, Flock, FlockName, Job, Month, Network,
    Occurrence, SheepId, State, Whom, Wipe, Work,
};
use flock_ops::{Begun, Noted, Who, WipeCount, begin_wipe, count_wipe, move_sheep};
use flock_store::{By, Post, PostState, Recorded};
use flock_tests::{Billed, CrashPlan, CrashProxy, Cut, Endpoint, MastodonMisbehave, Operation};
use jiff::SignedDuration;
use serde_json::json;
use sheep_tick::{App, Settings};

use crate::edits;
use crate::flocks::{self, apply_file};
use crate::slack::{Slack, shown};
use crate::world::{START, World, far_deadline, ts, user_id};

const NETWORKS: [Network; 4] = [Network::Meadow, Network::X, Network::Mastodon, Network::Bluesky];

fn flock() -> FlockName {
    "flock".parse().unwrap()
}

async fn account(world: &World, id: &SheepId) -> AccountId {
    world.read(id).await.config.account
}

async fn counted(world: &World, of: &Whom, everything: bool) -> WipeCount {
    count_wipe(&world.store, of.clone(), everything, None, world.clock.now()).await.unwrap()
}

async fn begin(world: &World, of: Whom, everything: bool) -> Job {
    begin_for(world, of, everything, Asker::CommandLine("ada".to_owned())).await
}

async fn begin_for(world: &World, of: Whom, everything: bool, asker: Asker) -> Job {
    let now = world.clock.now();
    let by = By::CommandLine { user: "ada".to_owned(), arn: None };
    let who = Who { by, at: now, id: DeliveryId::of(&["wipe", &now.to_string()]) };
    let noted = Noted::begin(&world.store, who, "wipe".to_owned()).await.unwrap();
    let count = counted(world, &of, everything).await;
    match begin_wipe(&world.store, &noted, asker, &count, now).await.unwrap() {
        Begun::New(job) => job,
        Begun::UnderWay(job) => panic!("{job:?}"),
    }
}

/// The job of this wipe, as it is now.
async fn job(world: &World, of: &Whom) -> Job {
    world.store.job(&Wipe::job(of)).await.unwrap().unwrap()
}

fn work(job: &Job) -> &Wipe {
    let Work::Wipe(work) = &job.work else { panic!("{job:?}") };
    work
}

/// A minute passes, everywhere.
fn pass(world: &World, by: SignedDuration) {
    world.clock.step_to(world.clock.now() + by);
    world.x.advance(by);
    world.mastodon.advance(by);
    world.bluesky.advance(by);
}

/// Goes on with it, a tick a minute, until it is over. Gives how many minutes that were.
async fn until_over(world: &World, app: &App, of: &Whom) -> u32 {
    for minute in 0..20_000 {
        if !job(world, of).await.is_running() {
            return minute;
        }
        let report = world.tick(app).await;
        assert_eq!(report.failed, 0, "{report:?}");
        pass(world, SignedDuration::from_mins(1));
    }
    panic!("it does not end: {:?}", job(world, of).await);
}

/// What is to be seen of the sheep, without what is gone.
async fn seen(world: &World, id: &SheepId) -> Vec<String> {
    let mut seen = world.seen(id).await;
    seen.retain(|text| !text.is_empty());
    seen
}

/// The sheep is paused at line 1 and nothing of it is to be seen, or counts as being there.
async fn assert_wiped(world: &World, id: &SheepId, at: &str) {
    assert_eq!(seen(world, id).await, [""; 0], "{at}");
    let sheep = world.read(id).await;
    assert!(matches!(sheep.state, State::Paused { .. }), "{at}: {:?}", sheep.state);
    assert_eq!((sheep.progress.cursor, &sheep.intent), (Cursor::default(), &None), "{at}");
    for post in world.posts(id).await {
        assert_eq!(post.state, PostState::Deleted, "{at}: {post:?}");
        assert!(post.occurrence < sheep.progress.occurrence, "{at}");
    }
}

/// Two sheep that have posted twice, of which one is to be wiped.
async fn two_sheep(world: &World, network: Network) -> (App, [SheepId; 2]) {
    let sheep = [world.sheep("apollo", network, 5).await, world.sheep("pan", network, 5).await];
    let app = world.app().await;
    for minute in [0, 3] {
        world.tick_at(&app, minute).await;
    }
    for id in &sheep {
        assert_eq!(seen(world, id).await.len(), 2);
    }
    (app, sheep)
}

#[tokio::test]
async fn all_that_is_recorded_is_deleted_and_nothing_else() {
    for network in NETWORKS {
        let world = World::start().await;
        let (app, [apollo, pan]) = two_sheep(&world, network).await;
        let of = Whom::Account(account(&world, &apollo).await);
        let count = counted(&world, &of, false).await;
        let price = if network == Network::X { 20_000 } else { 0 };
        assert_eq!((count.posts(), count.price.micros()), (2, price));
        begin(&world, of.clone(), false).await;
        until_over(&world, &app, &of).await;
        assert_wiped(&world, &apollo, network.name()).await;
        assert_eq!(work(&job(&world, &of).await).deleted, 2);
        assert!(2 <= seen(&world, &pan).await.len());
        // Its numbers go on, and it says its first line again.
        pass(&world, SignedDuration::from_hours(7));
        let sheep = world.read(&apollo).await;
        let resumed = sheep.resume(world.clock.now());
        assert_eq!(world.store.put_sheep(&resumed).await.unwrap(), flock_store::Write::Done);
        world.tick(&app).await;
        assert_eq!(seen(&world, &apollo).await, ["apollo line 0"], "{network:?}");
        assert_eq!(counted(&world, &of, false).await.posts(), 1);
    }
}

#[tokio::test]
async fn a_flock_is_wiped_with_all_its_accounts_and_what_it_said_through_others_once() {
    let world = World::start().await;
    let mut sheep = Vec::new();
    for number in 0..10 {
        sheep.push(world.sheep(&format!("s{number}"), Network::Mastodon, 3).await);
    }
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    let of = Whom::Flock(flock());
    assert_eq!(counted(&world, &of, false).await.posts(), 10);
    // Removed since: what it said there is still recorded.
    let gone = world.read(&sheep[4]).await;
    let account = gone.config.account.clone();
    world.store.remove_sheep(&gone, world.clock.now()).await.unwrap();
    assert_eq!(counted(&world, &of, false).await.posts(), 9);
    begin(&world, of.clone(), false).await;
    until_over(&world, &app, &of).await;
    for id in sheep.iter().filter(|id| **id != sheep[4]) {
        assert_wiped(&world, id, "of the flock").await;
    }
    let of = Whom::Account(account);
    assert_eq!(counted(&world, &of, false).await.posts(), 1);
    begin(&world, of.clone(), false).await;
    until_over(&world, &app, &of).await;
    assert!(world.mastodon.posts("s4").is_empty());
}

#[tokio::test]
async fn with_everything_what_is_not_recorded_goes_too() {
    for network in [Network::X, Network::Mastodon] {
        let world = World::start().await;
        let (app, [apollo, pan]) = two_sheep(&world, network).await;
        for number in 0..60 {
            let text = format!("by hand {number}");
            match network {
                Network::X => world.x.made_elsewhere(&user_id("apollo"), &text),
                _ => world.mastodon.made_elsewhere("apollo", &text),
            };
        }
        let of = Whom::Account(account(&world, &apollo).await);
        begin(&world, of.clone(), true).await;
        until_over(&world, &app, &of).await;
        assert_wiped(&world, &apollo, network.name()).await;
        let job = job(&world, &of).await;
        assert_eq!((work(&job).deleted, work(&job).stayed), (62, 0));
        assert!(2 <= seen(&world, &pan).await.len());
    }
}

#[tokio::test]
async fn who_is_suspended_in_the_middle_or_deletes_nothing_is_listed_with_what_stayed() {
    let world = World::start().await;
    let (app, [apollo, pan]) = two_sheep(&world, Network::Mastodon).await;
    for minute in 2..8 {
        world.tick_at(&app, 3 * minute).await;
    }
    // As snac: it knows no such request, and the post is still there.
    let there = seen(&world, &apollo).await.len();
    for _ in 0..there {
        world.mastodon.misbehave_at(Endpoint::Delete, MastodonMisbehave::NotFound);
    }
    let of = Whom::Account(account(&world, &apollo).await);
    begin(&world, of.clone(), true).await;
    until_over(&world, &app, &of).await;
    let job = job(&world, &of).await;
    assert_eq!(seen(&world, &apollo).await.len(), there);
    assert_eq!((work(&job).deleted, usize::try_from(work(&job).stayed).unwrap()), (0, there));
    insta::assert_snapshot!(work(&job).stays[0], @"mastodon:apollo@stand-in.example: post 1 of flock/apollo: Mastodon at stand-in.example does not delete posts for us, and it is still there; delete it on its pages");
    assert!(matches!(world.read(&apollo).await.state, State::Paused { .. }));
    world.mastodon.suspend("pan", true);
    let of = Whom::Account(account(&world, &pan).await);
    begin(&world, of.clone(), false).await;
    until_over(&world, &app, &of).await;
    let job = self::job(&world, &of).await;
    assert_eq!(work(&job).deleted, 0);
    assert!(0 < work(&job).stayed);
    insta::assert_snapshot!(work(&job).stays[0], @r#"mastodon:pan@stand-in.example: post 1 of flock/pan: Mastodon at stand-in.example shuts the account out: "Your login is currently disabled"; ask its moderators, or move the sheep to another account"#);
}

#[tokio::test]
async fn in_slack_a_wipe_asks_with_the_number_and_tells_of_its_end() {
    let mut slack = Slack::start().await;
    let (app, [apollo, _]) = two_sheep(&slack.world, Network::X).await;
    let mut told = vec![slack.flock("wipe x:apollo").await];
    // One more is made before the button is pressed: it is asked again.
    slack.world.tick_at(&app, 4).await;
    slack.world.tick_at(&app, 6).await;
    told.push(slack.press("U1", "C1", "Delete them all").await);
    told.push(slack.press("U1", "C1", "Delete them all").await);
    told.push(slack.flock("running").await);
    let of = Whom::Account(account(&slack.world, &apollo).await);
    until_over(&slack.world, &app, &of).await;
    let before = slack.seen("U1", "C1");
    slack.events().await;
    told.push(shown(&before, &slack.seen("U1", "C1")));
    assert_wiped(&slack.world, &apollo, "in Slack").await;
    insta::assert_snapshot!(told.join("\n"), @"
    *I am counting what is there.
    *This deletes 2 posts of x:apollo for good, as far as the record of 400 days has them. Its sheep is paused, and begins at line 1 when it is resumed. It costs $0.02, which flock flock pays (it has $999.94 left this month). It is done within some minutes.
    The button works for 5 minutes. [Delete them all] [Cancel]
    *This deletes 3 posts of x:apollo for good, as far as the record of 400 days has them. Its sheep is paused, and begins at line 1 when it is resumed. It costs $0.03, which flock flock pays (it has $999.91 left this month). It is done within some minutes.
    The button works for 5 minutes. [Delete them all] [Cancel]
    Wiping x:apollo as job `d421f68a`. It is done within some minutes. I tell you here when it is over; `/flock jobs cancel d421f68a` ends it, and `/flock running` shows how far it is.
    *Times are in UTC.
    job `d421f68a` wipes `x:apollo`: not begun yet; asked by <@U1> in <#C1> at 12:06:00
    <@U1>: Wiped `x:apollo`: 3 posts deleted. Its sheep are paused, and begin at line 1 when somebody resumes them: `/flock resume &lt;sheep&gt;`.
    ");
}

#[tokio::test]
async fn in_slack_words_say_who_pays() {
    let mut slack = Slack::start().await;
    let (app, [apollo, _]) = two_sheep(&slack.world, Network::X).await;
    let moon: FlockName = "moon".parse().unwrap();
    cap(&slack.world, &moon, "5").await;
    let mut told = Vec::new();
    for line in [
        "wipe x:apollo pay",
        "wipe x:apollo pay sun",
        "wipe x:apollo soon",
        "do x:apollo pay sun like x:1",
        "do dry-run x:apollo pay moon like x:1",
        "ring x:apollo pay sun bio Baa",
        "wipe x:apollo pay moon",
    ] {
        told.push(slack.flock(line).await);
    }
    slack.press("U1", "C1", "Delete them all").await;
    let of = Whom::Account(account(&slack.world, &apollo).await);
    until_over(&slack.world, &app, &of).await;
    assert_wiped(&slack.world, &apollo, "paid by another").await;
    let month = Month::of(slack.world.clock.now());
    assert_eq!(slack.world.store.ledger(&moon, month).await.unwrap().spent.micros(), 20_000);
    insta::assert_snapshot!(told.join("\n"), @"
    *Say which flock pays: `pay FLOCK`.
    *I am counting what is there.
    *There is no flock sun that could pay.
    *I do not know what `soon` is to mean here: nothing, `everything`, or `pay FLOCK`.
    *There is no flock sun that could pay.
    *`like x:1` for `x:apollo` would be done 0 times, and refused 1 times.
    x:apollo would NOT: X cannot like: since 2026-04-20 for Enterprise customers only
    *There is no flock sun that could pay.
    *I am counting what is there.
    *This deletes 2 posts of x:apollo for good, as far as the record of 400 days has them. Its sheep is paused, and begins at line 1 when it is resumed. It costs $0.02, which flock moon pays (it has $5.00 left this month). It is done within some minutes.
    The button works for 5 minutes. [Delete them all] [Cancel]
    ");
}

async fn cap(world: &World, flock: &FlockName, cap: &str) {
    let monthly_cap = Some(cap.parse().unwrap());
    world.store.put_flock(&Flock { monthly_cap, ..Flock::new(flock.clone()) }).await.unwrap();
}

/// The lines of a sheep of [`two_sheep`].
fn lines(id: &SheepId) -> Vec<String> {
    (0..5).map(|line| format!("{} line {line}", id.name)).collect()
}

/// The files of these sheep as they are.
async fn files(world: &World, sheep: &[&SheepId]) -> flock_ops::FlockFile {
    let mut files = Vec::new();
    let mut flock = None;
    for id in sheep {
        let lines = lines(id);
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let file = edits::file(world, id, &lines).await;
        files.extend(file.sheep);
        flock = Some(file.flock);
    }
    flock_ops::FlockFile { flock: flock.unwrap(), sheep: files }
}

#[tokio::test]
async fn a_wipe_that_waits_for_the_cap_goes_on_when_that_is_raised_and_applied() {
    let world = World::start().await;
    let (app, [apollo, pan]) = two_sheep(&world, Network::X).await;
    let of = Whom::Account(account(&world, &apollo).await);
    begin(&world, of.clone(), false).await;
    // Four posts have cost $0.06: one deletion fits.
    cap(&world, &flock(), "0.07").await;
    for _ in 0..3 {
        world.tick(&app).await;
        pass(&world, SignedDuration::from_secs(30));
    }
    let now = world.clock.now();
    let waits = job(&world, &of).await;
    assert_eq!((waits.is_running(), work(&waits).deleted), (true, 1));
    assert!(work(&waits).waits_for_cap(now), "{waits:?}");
    insta::assert_snapshot!(work(&waits).under_way[0].why.clone().unwrap(), @"flock flock has spent $0.07 of the $0.07 it may spend in 2026-03, and this costs $0.01; raise `monthly_cap` in its flock.toml and apply it, or wait");
    let as_it_is = files(&world, &[&apollo, &pan]).await;
    let changes = flock_ops::plan(&world.store, as_it_is.clone(), now).await.unwrap();
    assert!(changes.is_empty(), "{changes}");
    let mut raised = as_it_is;
    raised.flock.monthly_cap = Some("1".parse().unwrap());
    let changes = apply_file(&world.store, raised, now).await.unwrap();
    assert!(
        changes.contains(&format!("\n  ~ wake job {}: it waits for the cap\n", waits.id)),
        "{changes}"
    );
    assert!(!work(&job(&world, &of).await).waits_for_cap(now));
    assert!(until_over(&world, &app, &of).await < 3);
    assert_wiped(&world, &apollo, "with a raised cap").await;
}

#[tokio::test]
async fn nobody_gets_an_account_that_is_being_wiped() {
    let world = World::start().await;
    let (app, [apollo, pan]) = two_sheep(&world, Network::Meadow).await;
    let of = Whom::Account(account(&world, &apollo).await);
    let moved = async || {
        let (sheep, now) = (world.read(&pan).await, world.clock.now());
        let to = account(&world, &apollo).await;
        let who = flocks::who("sheep move", now);
        Noted::around(&world.store, who, "sheep move".to_owned(), async |noted| {
            move_sheep(&world.store, noted, sheep, to, now).await
        })
        .await
    };
    let id = begin(&world, of.clone(), false).await.id;
    let why = format!("the job {id} wipes meadow:apollo right now; wait until it is over");
    assert_eq!(moved().await.unwrap_err().to_string(), why);
    let as_it_is = files(&world, &[&apollo, &pan]).await;
    let mut other = as_it_is.clone();
    other.sheep[1].config.account = account(&world, &apollo).await;
    let refused = apply_file(&world.store, other.clone(), world.clock.now()).await;
    assert_eq!(refused.unwrap_err().to_string(), why);
    let mut new = as_it_is.clone();
    new.sheep[1].name = "faun".parse().unwrap();
    new.sheep[1].config.account = account(&world, &apollo).await;
    let refused = apply_file(&world.store, new, world.clock.now()).await;
    assert_eq!(refused.unwrap_err().to_string(), why);
    // Who had it has it.
    apply_file(&world.store, as_it_is, world.clock.now()).await.unwrap();
    until_over(&world, &app, &of).await;
    assert_wiped(&world, &apollo, "with others who want it").await;
    assert!(moved().await.unwrap().is_some());
}

#[tokio::test]
async fn of_a_wipe_that_waits_for_a_limit_people_see_until_when() {
    let mut slack = Slack::start().await;
    let apollo = slack.world.sheep("apollo", Network::X, 5).await;
    many(&slack.world, &apollo, 60).await;
    let of = Whom::Account(account(&slack.world, &apollo).await);
    let app = slack.world.app().await;
    begin(&slack.world, of, false).await;
    slack.world.tick(&app).await;
    insta::assert_snapshot!(slack.flock("running").await, @"
    *Times are in UTC.
    job `d421f68a` wipes `x:apollo`: 50 posts deleted so far, now at x:apollo, goes on at 12:15:01; asked by ada at the command line at 12:00:00
    ");
}

/// A world whose requests pass proxies.
struct Watched {
    slack: Slack,
    proxies: [CrashProxy; 5],
}

impl Watched {
    async fn start() -> Self {
        let mut slack = Slack::start().await;
        let world = &mut slack.world;
        let never = CrashPlan::new(Cut::Never);
        let proxy = async |name, url: String| CrashProxy::start(name, &url, &never).await;
        let proxies = [
            proxy("dynamodb", world.cloud.dynamodb_url()).await,
            proxy("services", world.cloud.services_url()).await,
            proxy("x", world.x.url()).await,
            proxy("mastodon", world.mastodon.url()).await,
            proxy("bluesky", world.bluesky.url()).await,
        ];
        world.mastodon_url = proxies[3].url();
        world.bluesky_url = proxies[4].url();
        Self { slack, proxies }
    }

    fn aws(&self) -> SdkConfig {
        let token = self.slack.world.cloud.token();
        flock_aws::local(self.proxies[0].url(), self.proxies[1].url(), token.secret())
    }

    /// One whose requests are counted.
    async fn app(&self) -> App {
        let settings = self.slack.world.settings(1);
        let x_url = Some(self.proxies[2].url());
        let networks = flock_net::Settings { x_url, ..settings.networks.clone() };
        let settings = Settings { networks, ..settings };
        App::start(settings, &self.aws(), self.slack.world.clock.clone()).await.unwrap()
    }

    fn follow(&self, plan: &std::sync::Arc<CrashPlan>) {
        for proxy in &self.proxies {
            proxy.follow(plan);
        }
    }
}

/// What a dead process held is over.
async fn end_leases(world: &World, sheep: &[SheepId], of: &Whom) {
    let now = world.clock.now();
    for id in sheep {
        let there = world.read(id).await;
        let ended = there.lease_at_most(now);
        if ended != there {
            assert_eq!(world.store.put_sheep(&ended).await.unwrap(), flock_store::Write::Done);
        }
    }
    let there = job(world, of).await;
    if there.is_running() {
        world
            .store
            .change_job(there, |job| Job {
                version: job.version + 1,
                lease_until: None,
                ..job.clone()
            })
            .await
            .unwrap();
    }
}

fn in_slack() -> Asker {
    Asker::Slack {
        user: "U1".parse().unwrap(),
        room: "C1".parse().unwrap(),
        answer_to: AnswerTo("{}".to_owned()),
    }
}

/// A tick that goes on with a wipe dies at `cut`; says at which request, if it comes so far.
async fn cell(network: Network, cut: Cut) -> Option<String> {
    let mut watched = Watched::start().await;
    let world = &watched.slack.world;
    let (app, sheep) = two_sheep(world, network).await;
    let of = Whom::Account(account(world, &sheep[0]).await);
    let id = begin_for(world, of.clone(), network == Network::Bluesky, in_slack()).await.id;
    let mortal = watched.app().await;
    let plan = CrashPlan::new(cut);
    watched.follow(&plan);
    let due = json!({ "detail-type": "job.due", "detail": { "id": id.as_str() } });
    let died = tokio::select! {
        () = plan.reached() => true,
        report = Box::pin(mortal.handle(&due, far_deadline())) => { report.unwrap(); false }
    };
    watched.follow(&CrashPlan::new(Cut::Never));
    if !died {
        return None;
    }
    drop(mortal);
    let at = plan.cut_at().unwrap();
    end_leases(world, &sheep, &of).await;
    until_over(world, &app, &of).await;
    assert_wiped(world, &sheep[0], &at).await;
    assert!(2 <= seen(world, &sheep[1]).await.len(), "{at}");
    let job = job(world, &of).await;
    assert_eq!((work(&job).deleted, work(&job).stayed), (2, 0), "{at}");
    if network == Network::X {
        let made = world.x.bill(&user_id("apollo"))[&Billed::Post]
            + world.x.bill(&user_id("pan"))[&Billed::Post];
        assert_eq!(world.x.bill(&user_id("apollo"))[&Billed::Delete], 2, "{at}");
        let spent = world.store.ledger(&flock(), Month::of(world.clock.now())).await.unwrap().spent;
        assert_eq!(spent.micros(), made * 15_000 + 2 * 10_000, "{at}: paid once");
    }
    // Whoever died between telling and writing that it is over has told under the same name.
    watched.slack.events().await;
    let told = shown(&[], &watched.slack.seen("U1", "C1"));
    assert_eq!(told.matches(": 2 posts deleted.").count(), 1, "{at}: {told}");
    Some(at)
}

#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn cells(network: Network) -> usize {
    let mut cells = 0;
    for cut in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]) {
        let Some(at) = Box::pin(cell(network, cut)).await else { break };
        println!("{:<9} {:<10} {at}", network.name(), format!("{cut:?}"));
        cells += 1;
    }
    cells
}

#[tokio::test]
async fn on_the_meadow_a_wipe_can_die_anywhere() {
    // Control, the job, its claim, other jobs (the index and this one), the roster, the sheep, its pause, the number that is held, the sheep anew, the step; the roster, the
    // posts, two marks, the step; the event, the end, process.
    assert_eq!(cells(Network::Meadow).await, 2 * 19);
}

#[tokio::test]
async fn on_x_a_wipe_can_die_anywhere() {
    // No number is held; for the account and the keys, and for each post its payment, the request and the books.
    assert_eq!(cells(Network::X).await, 2 * 28);
}

#[tokio::test]
async fn on_mastodon_a_wipe_can_die_anywhere() {
    assert_eq!(cells(Network::Mastodon).await, 2 * 23);
}

#[tokio::test]
async fn on_bluesky_a_wipe_can_die_anywhere() {
    // With what else is listed, which is nothing, after which the roster, what the sheep has posted since and the sheep are read.
    assert_eq!(cells(Network::Bluesky).await, 2 * 29);
}

/// A tick is held at its request number `k` while a sheep is wiped that it is posting for.
async fn race(network: Network, k: usize) -> bool {
    let watched = Watched::start().await;
    let world = &watched.slack.world;
    let (app, sheep) = two_sheep(world, network).await;
    world.clock.step_to(ts(START) + SignedDuration::from_mins(6));
    let of = Whom::Account(account(world, &sheep[0]).await);
    let posts = watched.app().await;
    let plan = CrashPlan::new(Cut::Hold(k));
    watched.follow(&plan);
    let wipes = async {
        plan.reached().await;
        begin(world, of.clone(), false).await;
        // It waits for whom the tick has, or is over.
        for _ in 0..3 {
            world.tick(&app).await;
            pass(world, SignedDuration::from_mins(1));
        }
        plan.release();
    };
    tokio::pin!(wipes);
    let ticks = world.tick(&posts);
    tokio::pin!(ticks);
    let is_held = tokio::select! {
        () = &mut wipes => true,
        _ = &mut ticks => false,
    };
    if !is_held {
        return false;
    }
    ticks.await;
    watched.follow(&CrashPlan::new(Cut::Never));
    until_over(world, &app, &of).await;
    for _ in 0..3 {
        world.tick(&app).await;
        pass(world, SignedDuration::from_mins(3));
    }
    assert_wiped(world, &sheep[0], &format!("{network:?}, held at {k}")).await;
    true
}

#[tokio::test]
async fn a_post_that_is_being_made_when_the_wipe_begins_is_deleted_or_never_made() {
    for network in [Network::Meadow, Network::X] {
        let mut held = 0;
        while Box::pin(race(network, held)).await {
            held += 1;
        }
        assert!(10 < held, "{network:?}: {held}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ticks_at_once_delete_each_post_once() {
    let world = World::start().await;
    let (app, [apollo, _]) = two_sheep(&world, Network::X).await;
    let of = Whom::Account(account(&world, &apollo).await);
    begin(&world, of.clone(), false).await;
    let other = world.app().await;
    tokio::join!(world.tick(&app), world.tick(&other));
    until_over(&world, &app, &of).await;
    assert_wiped(&world, &apollo, "two ticks").await;
    assert_eq!(world.x.asked(Operation::Delete), 2);
}

/// Posts that were made long ago, on X and in the record.
async fn many(world: &World, id: &SheepId, number: u64) {
    let account = account(world, id).await;
    for occurrence in 1..=number {
        let text = format!("of old {occurrence}");
        let remote = world.x.made_elsewhere(&user_id(id.name.as_str()), &text);
        let post = Post {
            sheep: id.clone(),
            occurrence: Occurrence(occurrence),
            account: account.clone(),
            at: ts(START),
            text,
            state: PostState::Posted,
            remote_id: Some(remote.parse().unwrap()),
            made: None,
            answers: None,
        };
        assert_eq!(world.store.put_post(&post, 1).await.unwrap(), Recorded::Done);
    }
    let mut sheep = world.read(id).await.pause(world.clock.now());
    sheep.progress.occurrence = Occurrence(number + 1);
    assert_eq!(world.store.put_sheep(&sheep).await.unwrap(), flock_store::Write::Done);
}

/// How many posts the wipe of a large account has: 500, or as many as are wanted.
#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by its environment how long it may be"
)]
fn posts_of_large() -> u64 {
    let wanted = std::env::var("FLOCKWORK_WIPE_POSTS").ok();
    wanted.map_or(500, |wanted| wanted.parse().unwrap())
}

#[tokio::test]
async fn a_large_wipe_takes_the_hours_that_were_said_and_hears_of_no_limit() {
    let number = posts_of_large();
    let world = World::start().await;
    let apollo = world.sheep("apollo", Network::X, 5).await;
    // X says by its own clock from when on it deletes again.
    world.clock.step_to(flock_aws::Clock::wall().now());
    many(&world, &apollo, number).await;
    let of = Whom::Account(account(&world, &apollo).await);
    let count = counted(&world, &of, false).await;
    assert_eq!((count.posts(), count.price.micros()), (number, number * 10_000));
    let app = world.app().await;
    begin(&world, of.clone(), false).await;
    let minutes = until_over(&world, &app, &of).await;
    assert_wiped(&world, &apollo, "large").await;
    // A refused one would have been asked for again.
    let asked = u64::try_from(world.x.asked(Operation::Delete)).unwrap();
    assert_eq!(asked, number, "no limit was heard of");
    let said = count.time.as_mins();
    let took = i64::from(minutes);
    // One in a hundred: a window that ends with a minute may be met in that minute or in the next.
    let within = said / 100 + 2;
    assert!(
        said.abs_diff(took) <= within.unsigned_abs(),
        "took {took} minutes, and {said} were said"
    );
    assert_eq!(work(&job(&world, &of).await).deleted, number);
}
