//! Jobs: long work on a flock that goes on over many ticks, whatever dies in between.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, PutRequest, WriteRequest},
};
use flock_core::{
    AnswerTo, Asker, FlockName, Job, JobId, JobKind, Network, OverSheep, SheepId, Work,
};
use flock_store::Write;
use flock_tests::{CrashPlan, CrashProxy, Cut};
use flockwork::connect::LOCAL_NAME;
use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use local_slack::sender::SlackSender;
use secrecy::SecretString;
use serde_json::json;
use sheep_tick::App;

use crate::{
    slack::{Slack, room, serve, user},
    world::{SIGNING_SECRET, World, far_deadline, slack_settings, tick, ts},
};

fn flock() -> FlockName {
    "flock".parse().unwrap()
}

/// A flock of so many sheep that post much later, called `s00000` and so on.
async fn flock_of(world: &World, number: u32) {
    let id = world.sheep("template", Network::Meadow, 3).await;
    let items = world.items().await.into_iter();
    let is_sheep =
        |item: &HashMap<String, AttributeValue>| item["sk"].as_s().unwrap() == "SHEEP#template";
    let mut template =
        items.into_iter().find(|item| is_sheep(item) && item.contains_key("next_at")).unwrap();
    let later = AttributeValue::N(ts("2026-06-01T12:00:00Z").as_second().to_string());
    template.insert("next_at".to_owned(), later.clone());
    template.insert("slot".to_owned(), later);
    let client = Client::new(&world.cloud.aws());
    let put = |name: u32| {
        let mut item = template.clone();
        item.insert("sk".to_owned(), AttributeValue::S(format!("SHEEP#s{name:05}")));
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let numbers: Vec<u32> = (0..number).collect();
    let batches: Vec<Vec<_>> =
        numbers.chunks(25).map(|names| names.iter().map(|name| put(*name)).collect()).collect();
    let writes = batches.into_iter().map(|batch| {
        let write = client.batch_write_item().request_items(LOCAL_NAME, batch);
        async move {
            let left = write.send().await.unwrap().unprocessed_items;
            assert!(left.unwrap_or_default().is_empty());
        }
    });
    stream::iter(writes).buffer_unordered(8).collect::<Vec<_>>().await;
    let sheep = world.read(&id).await;
    world.store.remove_sheep(&sheep, world.clock.now()).await.unwrap();
}

/// How many sheep of the flock are in this state.
async fn number_of(world: &World, state: &str) -> usize {
    let sheep = world.store.sheep_of_flock(&flock()).await.unwrap();
    sheep.iter().filter(|sheep| sheep.state.name() == state).count()
}

async fn only_job(world: &World) -> Job {
    let mut jobs = world.store.running_jobs().await.unwrap();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs.remove(0)
}

/// How far a job over sheep is.
fn over_sheep(job: &Job) -> &OverSheep {
    let Work::Sheep(work) = &job.work else { panic!("{job:?}") };
    work
}

/// What an answer says with the name of the job left out.
fn nameless(told: &str, id: &JobId) -> String {
    told.replace(id.as_str(), "ID")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_20_000_sheep_goes_on_from_tick_to_tick() {
    let mut slack = Slack::start().await;
    flock_of(&slack.world, 20_000).await;
    let asked = slack.flock("pause flock").await;
    insta::assert_snapshot!(asked, @"
    *This pauses the flock *flock*, more than 500 sheep. While a sheep is paused it posts nothing, and what is due then is left out; resumed, it goes on in its text where it was.
    The button works for 5 minutes. [Pause the flock] [Cancel]
    ");
    let told = slack.press("U1", "C1", "Pause the flock").await;
    let job = only_job(&slack.world).await;
    insta::assert_snapshot!(nameless(&told, &job.id), @"Pausing the flock *flock*, more than 500 sheep, as job `ID`. I tell you here when it is done; `/flock jobs cancel ID` ends it, and `/flock running` shows how far it is.");
    let running = slack.flock("running").await;
    assert!(running.contains(&format!("job `{}` pauses the flock *flock*: not begun yet", job.id)));
    let app = slack.world.app().await;
    // What is left of a tick's time ends before the sheep do.
    while over_sheep(&only_job(&slack.world).await).cursor.is_none() {
        #[expect(
            clippy::disallowed_methods,
            reason = "the platform's deadlines are on the wall clock"
        )]
        let soon = std::time::SystemTime::now() + Duration::from_secs(2);
        let report = Box::pin(app.handle(&tick(), soon)).await.unwrap();
        assert!(report.cut_short, "{report:?}");
    }
    let far = only_job(&slack.world).await;
    assert_eq!(far.lease_until, None);
    let far = over_sheep(&far);
    assert_eq!(far.done(), far.counts["paused"]);
    let at = format!("{} sheep so far, now at flock/s{:05};", far.done(), far.done() - 1);
    let running = slack.flock("running").await;
    assert!(running.contains(&at), "{at}: {running}");
    assert!(running.contains("; asked by <@U1> in <#C1> at 12:0"), "{running}");
    // Its event is enough.
    let due = json!({ "detail-type": "job.due", "detail": { "id": job.id.as_str() } });
    let report = Box::pin(app.handle(&due, far_deadline())).await.unwrap();
    assert_eq!(report.job_steps, (20_000 - far.done()).div_ceil(200));
    let before = slack.seen("U2", "C1");
    slack.events().await;
    let told = crate::slack::shown(&before, &slack.seen("U2", "C1"));
    assert_eq!(told, "<@U1>: Paused the flock *flock*, 20000 sheep.");
    assert_eq!(number_of(&slack.world, "paused").await, 20_000);
    assert_eq!(
        slack.flock("running").await,
        "*Nothing is in flight.\nThere are more than 1,000 sheep, and not all were looked at for this."
    );
    // Of those that were not looked at nobody says anything.
    assert_eq!(
        slack.flock("alive").await,
        "*Yes.\nThere are more than 1,000 sheep, and not all were looked at for this."
    );
    assert_eq!(slack.world.tick(&app).await.job_steps, 0);
}

#[tokio::test]
async fn a_job_that_is_cancelled_stops_after_its_step_and_says_how_far_it_came() {
    let mut slack = Slack::start().await;
    flock_of(&slack.world, 450).await;
    slack.flock_sure("pause flock", "Pause the flock").await;
    let job = only_job(&slack.world).await;
    // Control, index, job, claim, page, 200 sheep; then the step.
    let plan = CrashPlan::new(Cut::Hold(5 + 200));
    let never = CrashPlan::new(Cut::Never);
    let dynamodb = CrashProxy::start("dynamodb", &slack.world.cloud.dynamodb_url(), &never).await;
    let (services, token) = (slack.world.cloud.services_url(), slack.world.cloud.token());
    let aws = flock_aws::local(dynamodb.url(), services, token.secret());
    let app = slack.world.app_on(&aws).await;
    dynamodb.follow(&plan);
    let scheduled = tick();
    let mut ticks = Box::pin(app.handle(&scheduled, far_deadline()));
    tokio::select! {
        () = plan.reached() => {}
        report = &mut ticks => panic!("it is not held: {report:?}"),
    }
    assert_eq!(
        slack.flock("jobs cancel 00000000").await,
        "*No job `00000000` is running; `/flock running` lists them."
    );
    assert!(
        slack
            .enter("U3", "C1", &format!("/flock jobs cancel {}", job.id))
            .await
            .contains("needs at least")
    );
    let told = slack.flock(&format!("jobs cancel {}", job.id)).await;
    insta::assert_snapshot!(nameless(&told, &job.id), @"<@U1> ends the job `ID` (0 sheep so far): it stops after the step it is at.");
    assert!(slack.flock("running").await.contains("; cancelled by <@U1>"));
    plan.release();
    assert_eq!(ticks.await.unwrap().job_steps, 1);
    let before = slack.seen("U2", "C1");
    slack.events().await;
    let told = crate::slack::shown(&before, &slack.seen("U2", "C1"));
    insta::assert_snapshot!(nameless(&told, &job.id), @"<@U1>: <@U1> has ended job `ID`, which was pausing the flock *flock*: 200 sheep, up to flock/s00199. The rest is as it was.");
    assert_eq!(number_of(&slack.world, "paused").await, 200);
    let told = slack.flock(&format!("jobs cancel {}", job.id)).await;
    assert!(told.starts_with("*No job"), "{told}");
    let log = slack.flock("audit 2").await;
    assert!(log.contains(&format!("<@U1> in <#C1>: `jobs cancel {}` - done", job.id)), "{log}");
}

#[tokio::test]
async fn of_two_jobs_of_a_flock_a_pause_wins() {
    let mut slack = Slack::start().await;
    flock_of(&slack.world, 60).await;
    let app = slack.world.app().await;
    let begun = slack.flock("resume flock").await;
    assert!(begun.starts_with("Resuming the flock *flock*, 60 sheep, as job `"), "{begun}");
    let resume = only_job(&slack.world).await;
    let told = slack.flock("resume flock").await;
    insta::assert_snapshot!(nameless(&told, &resume.id), @"*The job `ID` resumes the flock *flock* right now; `/flock jobs cancel ID` ends it, and `/flock running` shows how far it is.");
    slack.flock_sure("pause flock", "Pause the flock").await;
    let jobs = slack.world.store.running_jobs().await.unwrap();
    let [resume, pause] = &jobs[..] else { panic!("{jobs:?}") };
    let [resume, pause] =
        if over_sheep(resume).what == JobKind::Resume { [resume, pause] } else { [pause, resume] };
    assert_eq!((&resume.cancelled_by, &pause.cancelled_by), (&Some(user("U1")), &None));
    let told = slack.flock("resume flock").await;
    assert!(
        told.contains(&format!("`{}` pauses the flock *flock* right now", pause.id))
            || told.contains(resume.id.as_str()),
        "{told}"
    );
    // While everything is stopped, jobs wait, too.
    slack.flock_sure("stop", "Stop everything").await;
    assert!(slack.world.tick(&app).await.held);
    slack.flock("start").await;
    let before = slack.seen("U2", "C1");
    assert_eq!(slack.world.tick(&app).await.job_steps, 1, "the one that resumes makes none");
    slack.events().await;
    let told = crate::slack::shown(&before, &slack.seen("U2", "C1"));
    let told = nameless(&nameless(&told, &resume.id), &pause.id);
    let mut told: Vec<_> = told.lines().collect();
    told.sort_unstable();
    insta::assert_snapshot!(told.join("\n"), @r"
    <@U1>: <@U1> has ended job `ID`, which was resuming the flock *flock*: before its first sheep. The rest is as it was.
    <@U1>: Paused the flock *flock*, 60 sheep.
    ");
    assert_eq!(number_of(&slack.world, "paused").await, 60);
}

/// A job whose room the app is not in.
#[tokio::test]
async fn who_cannot_be_told_in_the_room_is_told_elsewhere() {
    for (answer_to, place) in [(None, "C1"), (Some(r#"{"room":{"thread_ts":null}}"#), "C2")] {
        let mut slack = Slack::start().await;
        flock_of(&slack.world, 51).await;
        slack.flock_sure("pause flock", "Pause the flock").await;
        let elsewhere = |job: &Job| {
            let Asker::Slack { user, answer_to: there, .. } = job.asker.clone() else {
                panic!("{job:?}")
            };
            let answer_to = answer_to.map_or(there, |to| AnswerTo(to.to_owned()));
            let asker = Asker::Slack { user, room: room("C9"), answer_to };
            Job { asker, version: job.version + 1, ..job.clone() }
        };
        let moved = elsewhere(&only_job(&slack.world).await);
        assert_eq!(slack.world.store.put_job(&moved).await.unwrap(), Write::Done);
        let app = slack.world.app().await;
        slack.world.tick(&app).await;
        let before = slack.seen("U1", place);
        slack.events().await;
        let told = crate::slack::shown(&before, &slack.seen("U1", place));
        assert_eq!(told, "<@U1>: Paused the flock *flock*, 51 sheep.");
    }
}

#[tokio::test]
async fn what_another_version_has_put_into_the_index_is_passed_over() {
    let mut slack = Slack::start().await;
    let id: SheepId = slack.world.sheep("apollo", Network::Meadow, 3).await;
    let client = Client::new(&slack.world.cloud.aws());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name(LOCAL_NAME).item("pk", text("REMINDER#1"));
    let put = put.item("sk", text("REMINDER")).item("due", text("0"));
    put.item("next_at", AttributeValue::N("1".to_owned())).send().await.unwrap();
    let app = slack.world.app().await;
    let report = slack.world.tick(&app).await;
    assert_eq!((report.posted, report.failed), (1, 0));
    assert_eq!(slack.world.seen(&id).await.len(), 1);
    assert_eq!(slack.flock("running").await, "*Nothing is in flight.");
    // A job that cannot be read hides no other.
    let put = client.put_item().table_name(LOCAL_NAME).item("pk", text("JOB#0123abcd"));
    let put = put.item("sk", text("JOB")).item("due", text("0")).item("what", text("dance"));
    put.item("next_at", AttributeValue::N("0".to_owned())).send().await.unwrap();
    assert_eq!(slack.flock("running").await, "*Nothing is in flight.");
    let report = slack.world.tick_at(&app, 3).await;
    assert_eq!((report.posted, report.failed), (1, 1));
}

/// One cell: the tick dies at `cut`, and others go on. Gives the request it died at.
async fn cell(cut: Cut) -> Option<String> {
    let mut slack = Slack::start().await;
    flock_of(&slack.world, 3).await;
    let world = &slack.world;
    let job = Job::new(
        "0123abcd".parse().unwrap(),
        Work::Sheep(OverSheep::new(JobKind::Pause, flock())),
        Asker::Slack {
            user: user("U1"),
            room: room("C1"),
            answer_to: AnswerTo(r#"{"room":{"thread_ts":null}}"#.to_owned()),
        },
        world.clock.now(),
    );
    assert_eq!(world.store.put_job(&job).await.unwrap(), Write::Done);
    let (plan, never) = (CrashPlan::new(cut), CrashPlan::new(Cut::Never));
    let dynamodb = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &never).await;
    let services = CrashProxy::start("services", &world.cloud.services_url(), &never).await;
    let token = world.cloud.token();
    let app: App =
        world.app_on(&flock_aws::local(dynamodb.url(), services.url(), token.secret())).await;
    dynamodb.follow(&plan);
    services.follow(&plan);
    let scheduled = tick();
    let died = tokio::select! {
        () = plan.reached() => true,
        report = Box::pin(app.handle(&scheduled, far_deadline())) => { report.unwrap(); false }
    };
    drop(app);
    if !died {
        return None;
    }
    let at = plan.cut_at().unwrap();
    // The lease that it left is over.
    world.clock.step_to(world.clock.now() + SignedDuration::from_hours(2));
    let app = world.app().await;
    for _ in 0..2 {
        assert_eq!(world.tick(&app).await.failed, 0, "{at}");
    }
    assert_eq!(number_of(world, "paused").await, 3, "{at}");
    let job = world.store.job(&job.id).await.unwrap().unwrap();
    assert_eq!((over_sheep(&job).done(), job.is_running()), (3, false), "{at}");
    slack.events().await;
    let told = slack.seen("U1", "C1");
    assert_eq!(told.len(), 1, "{at}: {told:?}");
    assert_eq!(told[0].text, "<@U1>: Paused the flock *flock*, 3 sheep.", "{at}");
    Some(at)
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn a_job_whose_tick_dies_anywhere_is_done_and_told_of_once() {
    let mut cells = 0;
    for cut in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]) {
        let Some(at) = Box::pin(cell(cut)).await else { break };
        println!("{:<10} once {at}", format!("{cut:?}"));
        cells += 1;
    }
    // Control, index, job, claim, page, three sheep, step, bus, end; the job once more, and process.
    assert_eq!(cells, 2 * 13);
}

/// One cell: the control room dies at `cut` of the command that begins a job. Gives the request it died at.
async fn begun(cut: Cut) -> Option<String> {
    let mut slack = Slack::start().await;
    flock_of(&slack.world, 51).await;
    let (plan, never) = (CrashPlan::new(cut), CrashPlan::new(Cut::Never));
    let cloud = &slack.world.cloud;
    let dynamodb = CrashProxy::start("dynamodb", &cloud.dynamodb_url(), &never).await;
    let services = CrashProxy::start("services", &cloud.services_url(), &never).await;
    let aws = flock_aws::local(dynamodb.url(), services.url(), cloud.token().secret());
    let mut settings = slack_settings();
    settings.slack_url = Some(slack.local.api_url());
    settings.first_owner = Some(user("U1"));
    let clock = slack.world.clock.clone();
    let app = slash_command::App::start(settings, &aws, clock).await.unwrap();
    let (url, server) = serve(&std::sync::Arc::new(app)).await;
    dynamodb.follow(&plan);
    services.follow(&plan);
    let sender = SlackSender::new(slack.local.clone(), url, SecretString::from(SIGNING_SECRET));
    let (who, place) = (user("U1"), room("C1"));
    let died = tokio::select! {
        () = plan.reached() => true,
        () = sender.enter(&who, &place, None, "/flock resume flock") => false,
    };
    server.abort();
    if !died {
        return None;
    }
    let at = plan.cut_at().unwrap();
    let jobs = slack.world.store.running_jobs().await.unwrap();
    let log = slack.flock("audit").await;
    assert!(jobs.is_empty() || log.contains("`resume flock` - "), "{at}: {log}");
    let tick = slack.world.app().await;
    let steps = slack.world.tick(&tick).await.job_steps;
    assert_eq!(steps, u64::try_from(jobs.len()).unwrap(), "{at}");
    // By hand once more.
    let told = slack.flock("resume flock").await;
    assert!(told.contains("Resuming the flock *flock*, 51 sheep, as job"), "{at}: {told}");
    assert_eq!(slack.world.tick(&tick).await.job_steps, 1, "{at}");
    slack.events().await;
    let seen = slack.seen("U1", "C1").into_iter();
    let over = seen.filter(|message| message.text.contains("Resumed the flock *flock*, 51 sheep."));
    assert_eq!(over.count(), jobs.len() + 1, "{at}");
    Some(at)
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn a_job_that_is_asked_for_is_begun_or_not_wherever_the_answer_dies() {
    let mut cells = 0;
    for cut in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]) {
        let Some(at) = Box::pin(begun(cut)).await else { break };
        println!("{:<10} {at}", format!("{cut:?}"));
        cells += 1;
    }
    // Delivery, room and control, process; audit, flocks, name, sheep, index, job, bus, audit.
    assert_eq!(cells, 2 * 11);
}

/// Whoever pauses a flock that posts too much for its ticks must not wait for its posts.
#[tokio::test]
async fn a_job_makes_a_step_in_a_tick_that_has_no_time() {
    let mut slack = Slack::start().await;
    flock_of(&slack.world, 450).await;
    slack.flock_sure("pause flock", "Pause the flock").await;
    for number in 0..300 {
        slack.world.sheep(&format!("z-{number}"), Network::Meadow, 3).await;
    }
    let app = slack.world.app().await;
    #[expect(clippy::disallowed_methods, reason = "the platform's deadlines are on the wall clock")]
    let soon = std::time::SystemTime::now() + Duration::from_millis(200);
    let report = Box::pin(app.handle(&tick(), soon)).await.unwrap();
    assert!(report.cut_short && 1 <= report.job_steps, "{report:?}");
    assert_eq!(over_sheep(&only_job(&slack.world).await).done() % 200, 0);
}
