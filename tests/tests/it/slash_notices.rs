//! What the control room is told, once, whatever dies and however often its event comes.

use std::sync::Arc;

use flock_core::{DeliveryId, Sent};
use flock_slack::SlackError;
use flock_tests::{CrashPlan, CrashProxy, Cut};
use jiff::SignedDuration;
use local_slack::{
    sender::SlackSender,
    workspace::{Author, LocalSlack},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use slash_command::App;

use crate::{
    slack::{room, user},
    world::{World, far_deadline, slack_settings},
};

const WHY: &str = "x answered 403";

/// A deployment whose control room is `place`, with a proxy before the table and before Slack.
struct Rig {
    world: World,
    local: LocalSlack,
    dynamodb: CrashProxy,
    slack: CrashProxy,
    place: &'static str,
}

impl Rig {
    async fn start(place: &'static str) -> Self {
        let world = World::start().await;
        let local = LocalSlack::start(world.clock.clone()).await.unwrap();
        let never = CrashPlan::new(Cut::Never);
        let dynamodb = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &never).await;
        let url = local.api_url();
        let slack = CrashProxy::start("slack", url.trim_end_matches("/api"), &never).await;
        Self { world, local, dynamodb, slack, place }
    }

    /// The function after a cold start; all it asks from then on follows `cut`.
    async fn app(&self, cut: Cut) -> (App, Arc<CrashPlan>) {
        let (app, plan) = self.app_whose_slack_is_cut(cut).await;
        self.dynamodb.follow(&plan);
        (app, plan)
    }

    async fn app_whose_slack_is_cut(&self, cut: Cut) -> (App, Arc<CrashPlan>) {
        let never = CrashPlan::new(Cut::Never);
        self.dynamodb.follow(&never);
        let mut settings = slack_settings();
        settings.slack_url = Some(format!("{}/api", self.slack.url()));
        settings.slack_room = Some(room(self.place));
        let (services, token) = (self.world.cloud.services_url(), self.world.cloud.token());
        let aws = flock_aws::local(self.dynamodb.url(), services, token.secret());
        let app = App::start(settings, &aws, self.world.clock.clone()).await.unwrap();
        let plan = CrashPlan::new(cut);
        self.slack.follow(&plan);
        (app, plan)
    }

    /// One delivery to a function that is not cut.
    async fn deliver(&self, event: &Value) -> anyhow::Result<Value> {
        let (app, _) = self.app(Cut::Never).await;
        Box::pin(app.handle(event, far_deadline())).await
    }

    /// A delivery whose function dies at `cut`. Gives the request it died at.
    async fn die(&self, event: &Value, cut: Cut) -> Option<String> {
        let (app, plan) = self.app(cut).await;
        let died = tokio::select! {
            () = plan.reached() => true,
            _ = Box::pin(app.handle(event, far_deadline())) => false,
        };
        // The lease that it left is over.
        let later = self.world.clock.now() + SignedDuration::from_hours(2);
        self.world.clock.step_to(later);
        died.then(|| plan.cut_at().unwrap())
    }

    /// What the room was told.
    fn told(&self) -> Vec<String> {
        let seen = self.local.messages(&room(self.place), &user("U1")).into_iter();
        seen.filter(|message| message.author == Author::Bot).map(|message| message.text).collect()
    }
}

fn stopped(why: &str) -> Value {
    let detail = json!({ "sheep": "flock/apollo", "occurrence": 1, "why": why });
    json!({ "detail-type": "sheep.stopped", "detail": detail })
}

fn id(why: &str) -> DeliveryId {
    DeliveryId::of(&["sheep.stopped", "flock/apollo", "1", why])
}

/// Functions die at `cuts`, one after the other; then the event comes twice more.
async fn cell(cuts: &[Cut]) -> Option<String> {
    let rig = Rig::start("C2").await;
    let event = stopped(WHY);
    let mut at = Vec::new();
    for cut in cuts {
        at.push(rig.die(&event, *cut).await?);
    }
    let at = at.join(", then ");
    rig.deliver(&event).await.unwrap_or_else(|err| panic!("{at}: {err:#}"));
    assert_eq!(rig.deliver(&event).await.unwrap(), json!({ "told": "before" }), "{at}");
    let told = rig.told();
    assert_eq!(told, [format!("*flock/apollo* has stopped at its post 1: {WHY}")], "{at}");
    Some(at)
}

/// All cells of the flow that begins after `first`: how many there are.
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn matrix(first: Option<Cut>) -> usize {
    let mut cells = 0;
    for cut in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]) {
        let cuts: Vec<_> = first.into_iter().chain([cut]).collect();
        let Some(at) = cell(&cuts).await else { break };
        println!("{:<10} once {at}", format!("{cut:?}"));
        cells += 1;
    }
    cells
}

#[tokio::test]
async fn a_notice_that_dies_anywhere_is_told_once() {
    // Claim, message, record.
    assert_eq!(matrix(None).await, 2 * 3);
    // What is there already is found: claim, claim over it, history, record.
    assert_eq!(matrix(Some(Cut::After(1))).await, 2 * 4);
    // What is not there is not found, and posted.
    assert_eq!(matrix(Some(Cut::Before(1))).await, 2 * 5);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_for() {
    let rig = Rig::start("C2").await;
    let event = stopped(WHY);
    let (app, _) = rig.app_whose_slack_is_cut(Cut::Garble(0)).await;
    let err = app.handle(&event, far_deadline()).await.unwrap_err();
    let err = format!("{err:#}");
    assert!(err.contains("Slack failed at chat.postMessage with status 500"), "{err}");
    assert_eq!(rig.told().len(), 1, "Slack has it");
    let others = SlackSender::new(rig.local.clone(), String::new(), SecretString::from("x"));
    for number in 0..120 {
        // Nobody answers there.
        others.enter(&user("U1"), &room("C2"), None, &format!("hello {number}")).await;
    }
    // It is at the end of the third page.
    assert_eq!(rig.deliver(&event).await.unwrap(), json!({ "told": "C2" }));
    assert_eq!(rig.deliver(&event).await.unwrap(), json!({ "told": "before" }));
    assert_eq!(rig.told().len(), 1);
    // What is another notice is told.
    rig.deliver(&stopped("x answered 401")).await.unwrap();
    assert_eq!(rig.told().len(), 2);
}

#[tokio::test]
async fn what_slack_refused_is_posted_when_its_event_comes_again() {
    let rig = Rig::start("C9").await;
    let event = stopped(WHY);
    let err = rig.deliver(&event).await.unwrap_err();
    assert!(matches!(err.downcast_ref(), Some(SlackError::NotInRoom(_))), "{err:#}");
    let notice = rig.world.store.notice(&id(WHY)).await.unwrap().unwrap();
    assert_eq!((notice.errand.sent, notice.errand.lease_until), (Sent::No, None));
    assert!(notice.errand.problem.unwrap().contains("invite it there"));
    let others = SlackSender::new(rig.local.clone(), String::new(), SecretString::from("x"));
    others.enter(&user("U1"), &room("C9"), None, "/flock").await;
    let (app, plan) = rig.app_whose_slack_is_cut(Cut::Never).await;
    app.handle(&event, far_deadline()).await.unwrap();
    assert_eq!(
        plan.requests(),
        ["slack POST /api/chat.postMessage"],
        "there is nothing to look for"
    );
    assert_eq!(rig.told().len(), 1);
}

#[tokio::test]
async fn two_deliveries_at_once_are_one_message() {
    let rig = Rig::start("C2").await;
    let event = stopped(WHY);
    let (first, plan) = rig.app_whose_slack_is_cut(Cut::Hold(0)).await;
    let mut told = Box::pin(first.handle(&event, far_deadline()));
    tokio::select! {
        () = plan.reached() => {}
        told = &mut told => panic!("it is not held: {told:?}"),
    }
    let busy = first.handle(&event, far_deadline()).await.unwrap_err();
    plan.release();
    assert_eq!(told.await.unwrap(), json!({ "told": "C2" }));
    assert_eq!(busy.to_string(), "somebody else is telling C2");
    assert_eq!(rig.deliver(&event).await.unwrap(), json!({ "told": "before" }));
    assert_eq!(rig.told().len(), 1);
}

/// Better told twice than never.
#[tokio::test]
async fn where_nobody_can_look_the_last_try_tells_again() {
    let rig = Rig::start("C2").await;
    let event = stopped(WHY);
    for (method, told) in [("chat.postMessage", 1), ("conversations.history", 1)] {
        let (app, _) = rig.app_whose_slack_is_cut(Cut::Garble(0)).await;
        let err = app.handle(&event, far_deadline()).await.unwrap_err();
        assert!(format!("{err:#}").contains(method), "{err:#}");
        assert_eq!(rig.told().len(), told);
    }
    let (app, _) = rig.app_whose_slack_is_cut(Cut::Garble(0)).await;
    assert_eq!(app.handle(&event, far_deadline()).await.unwrap(), json!({ "told": "C2" }));
    assert_eq!(rig.told().len(), 2);
    assert_eq!(rig.deliver(&event).await.unwrap(), json!({ "told": "before" }));
}

/// A long notice is several messages.
#[tokio::test]
async fn of_a_notice_that_broke_off_only_the_rest_is_posted() {
    let why: Vec<_> = (0..2_000).map(|number| format!("reason {number}")).collect();
    let why = why.join(", ");
    let rig = Rig::start("C2").await;
    rig.deliver(&stopped(&why)).await.unwrap();
    let whole = rig.told();
    assert!(2 < whole.len());
    // Claim, first message, second.
    for cut in [Cut::After(1), Cut::Before(2), Cut::After(2)] {
        let rig = Rig::start("C2").await;
        rig.die(&stopped(&why), cut).await.unwrap();
        rig.deliver(&stopped(&why)).await.unwrap();
        assert!(rig.told() == whole, "{cut:?}: {} messages", rig.told().len());
    }
}

#[tokio::test]
async fn what_happens_again_another_day_is_told_again() {
    let rig = Rig::start("C2").await;
    rig.deliver(&stopped(WHY)).await.unwrap();
    let tomorrow = rig.world.clock.now() + SignedDuration::from_hours(25);
    rig.world.clock.step_to(tomorrow);
    rig.deliver(&stopped(WHY)).await.unwrap();
    assert_eq!(rig.told().len(), 2);
}
