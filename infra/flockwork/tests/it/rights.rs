//! Whoever has the stack's `OperatorPolicy` can do everything that the command does with `--aws`, and nothing else.
//!
//! Two tests hold it. What the command can call is read from the command itself: a new call of AWS fails the first until the policy
//! grants it, or until it is said below that only a run on this machine makes it. The second gives whoever asks the policy's rights alone
//! and gives every command: it fails where one is denied, and where no command asks for a right.

use std::{collections::BTreeSet, path::Path};

use flock_tests::{Calls, X};
use local_cloud::grants;
use serde_json::json;

use crate::{
    aws::{Aws, KEY_ID, TABLE},
    world::{CONSUMER_KEY, Running, XWorld},
};

/// What the command can call and nobody needs a right for: the functions that are linked in call it, on this machine's own AWS; or AWS
/// allows it to everybody.
const NO_RIGHT: &[(&str, &str)] = &[
    ("events:PutEvents", "the functions publish, on this machine's own bus"),
    ("sts:GetCallerIdentity", "AWS allows it to everybody"),
    ("sts:AssumeRole", "how a profile comes to its role; the role says who may"),
    ("sts:AssumeRoleWithWebIdentity", "likewise"),
];

fn granted() -> BTreeSet<String> {
    let rights = grants::read(include_str!("../../../../template.yaml"));
    rights.allowed["OperatorPolicy"].keys().cloned().collect()
}

#[test]
fn what_the_command_can_call_is_granted() {
    let calls = Calls::of(Path::new(env!("CARGO_BIN_EXE_flockwork")));
    let others: BTreeSet<_> = NO_RIGHT.iter().map(|(action, _)| (*action).to_owned()).collect();
    let granted = granted();
    assert!(granted.is_disjoint(&others), "{granted:?}");
    assert_eq!(calls.actions, granted.union(&others).cloned().collect());
}

#[test]
fn what_is_granted_is_what_the_command_works_on() {
    let rights = grants::read(include_str!("../../../../template.yaml"));
    let tick = &rights.functions["sheep-tick"].variables;
    let slack = &rights.functions["slash-command"].variables;
    for (action, on) in &rights.allowed["OperatorPolicy"] {
        let expected = match action.split_once(':').unwrap() {
            ("dynamodb", _) => tick["TABLE_NAME"].clone(),
            ("secretsmanager", "PutSecretValue") => tick["KEYRING_SECRET"].clone(),
            ("secretsmanager", _) => {
                let names = [&tick["KEYRING_SECRET"], &tick["X_SECRET"], &slack["SLACK_SECRET"]];
                names.into_iter().flatten().cloned().collect()
            }
            ("sns", _) => BTreeSet::from(["AlarmTopic".to_owned()]),
            ("cloudformation", _) => {
                let this = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${AWS::StackName}/*";
                BTreeSet::from([this.to_owned()])
            }
            _ => panic!("{action} is new: say what it is done to"),
        };
        assert_eq!(*on, expected, "{action}");
    }
}

/// What each command is tried with, in an order in which each can be done. Audit has the list of all there are.
const COMMANDS: &[&str] = &[
    "flock plan choir",
    "account add x:apollo --key key.json --keyring flock/keyring --x-app flock/x",
    // Nobody types anything, so that they end where somebody would sign in.
    "account connect bluesky:pan.example.com --keyring flock/keyring",
    "account renew bluesky:pan.example.com --keyring flock/keyring",
    "account walk choir --network bluesky --keyring flock/keyring",
    "account import keys --keyring flock/keyring --x-app flock/x",
    "flock apply choir",
    "ring plan choir x:apollo --keyring flock/keyring --x-app flock/x",
    "ring apply choir x:apollo --keyring flock/keyring --x-app flock/x",
    "flock do choir repost x:1 --yes --detach",
    "account do x:apollo repost x:1 --dry-run",
    "flock list",
    "sheep list",
    "sheep show b",
    "sheep pause b",
    "sheep resume b",
    "sheep redraw d",
    "queue add e late",
    "queue at e 2040-01-01T09:00 timed",
    "queue list e",
    "queue export e",
    "queue import e more.txt",
    "queue edit e 3-59cd later",
    "queue move e 3-e5e2 2",
    "queue next e 2-e5e2",
    "queue remove e 1-e5e2",
    "sheep move b x:apollo",
    "posts",
    "why b",
    "preview --flock choir",
    "spend",
    "audit",
    "account list",
    "account show x:apollo",
    "account check --keyring flock/keyring --x-app flock/x",
    "wipe x:apollo --yes --detach",
    "account rotate --new-key --detach --keyring flock/keyring",
    "doctor",
    "doctor --mend",
    "stop",
    "start",
    "flock remove choir --yes",
    "account remove x:apollo --yes",
];

#[test]
fn whoever_has_the_policy_can_give_every_command() {
    let (world, aws) = (XWorld::new(), Aws::start());
    world.add("apollo");
    world.write_flock_with(
        "choir",
        &format!("monthly_cap = 100\n{}{}", world.write_drawn("choir"), world.write_queue("choir")),
        &[
            ("a", "one\n", "network = \"x\"\naccount = \"apollo\"\nline = \"1h\""),
            ("b", "two\n", "line = \"1h\""),
        ],
    );
    // As X shows it already.
    world.write("choir/ring.toml", "[profile]\nname = \"A sheep\"\n");
    world.let_in("7-token", "7");
    world.x.called("7", "pan");
    let bundle = json!({
        "consumer_token": CONSUMER_KEY,
        "consumer_token_secret": X::SECRET,
        "oauth_token": "7-token",
        "oauth_token_secret": X::SECRET,
        "screen_name": "pan",
    });
    world.write("keys/pan.json", bundle.to_string());
    let app = json!({ "consumer_key": CONSUMER_KEY, "consumer_secret": X::SECRET }).to_string();
    aws.account().secrets.insert("flock/x".to_owned(), app);
    aws.account().allowed = Some(granted());
    // So that there is something to mend.
    aws.account().recovery = false;
    aws.protect(false);
    aws.keep_for_ever();
    for arguments in COMMANDS {
        let mut command = world.command(&format!("--aws --table {TABLE} {arguments}"));
        command.envs(aws.environment());
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", "secret");
        let output = Running::spawn(command).finish();
        let is_fault = arguments.starts_with("doctor") && output.stderr.ends_with("found\n");
        let is_left = output.stderr.contains("pan.example.com ");
        assert!(output.code == Some(0) || is_fault || is_left, "{arguments}: {output:?}");
        let said = output.stdout + &output.stderr;
        assert!(!said.contains("you lack the right"), "{arguments}: {said}");
    }
    let mut asked = aws.account().asked.clone();
    // Everybody may.
    assert!(asked.remove("sts:GetCallerIdentity"));
    assert_eq!(asked, granted(), "what the commands ask for, and what OperatorPolicy grants");
}

/// Whoever adds a command says above what it is tried with.
#[test]
fn every_command_for_a_deployment_is_tried() {
    let here = [
        "slack",
        "slack link",
        "slack manifest",
        "env",
        "init",
        "completions",
        "man",
        "run",
        "networks",
    ];
    let all = crate::audit::commands();
    let tried = COMMANDS.iter().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let two = words.get(..2).map(|two| two.join(" ")).unwrap_or_default();
        if all.contains(&two) { two } else { words[0].to_owned() }
    });
    let known: BTreeSet<_> = tried.chain(here.map(str::to_owned)).collect();
    assert_eq!(all, known);
}
