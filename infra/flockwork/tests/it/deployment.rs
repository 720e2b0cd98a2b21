//! What people do on a table that is deployed: log in, look what is wrong with it, and put that right.

use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use local_cloud::{table, template::Template};
use serde_json::json;

use crate::{
    aws::{Aws, BOT_TOKEN, KEY_ID, SSO_TOKEN, STACK, TABLE},
    world::{Output, Running, World, XWorld, timeless},
};

/// A shell that has AWS's credentials as variables.
const VARIABLES: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", KEY_ID),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "t"),
];

/// What a command says with `more` in its shell.
fn shell(world: &World, aws: &Aws, more: &[(&str, &str)], arguments: &str) -> Output {
    let mut command = world.command(&format!("--aws --table {TABLE} {arguments}"));
    command.env("HOME", world.path("")).envs(aws.environment()).envs(more.iter().copied());
    Running::spawn(command).finish()
}

/// What the command says of the stand-in's table, with credentials as variables.
fn deployed(world: &World, aws: &Aws, arguments: &str) -> Output {
    shell(world, aws, &VARIABLES, arguments)
}

/// What `doctor` finds: a line each.
fn doctor(world: &World, aws: &Aws, arguments: &str) -> String {
    let output = deployed(world, aws, &format!("doctor {arguments}"));
    let faults = output.stdout.lines().filter(|line| line.starts_with("FAULT")).count();
    let said = match faults {
        0 => String::new(),
        1 => "error: 1 fault found\n".to_owned(),
        many => format!("error: {many} faults found\n"),
    };
    assert_eq!(output.stderr, said, "{output:?}");
    assert_eq!(output.code, Some(i32::from(0 < faults)), "{output:?}");
    output.stdout
}

/// The lines that `doctor` has now and has not where all is well.
#[track_caller]
fn found(world: &World, aws: &Aws, change: impl FnOnce(&mut crate::aws::Account)) -> String {
    let before = doctor(world, aws, "");
    change(&mut aws.account());
    let after = doctor(world, aws, "");
    let new = after.lines().filter(|line| !before.lines().any(|old| old == *line));
    new.collect::<Vec<_>>().join("\n")
}

#[test]
fn all_that_can_be_looked_at_is_well() {
    let (world, aws) = (World::new(), Aws::start());
    world.write_flock("choir", &[("a", "one\n", "line = \"1h\"")]);
    let applied = deployed(&world, &aws, "flock apply choir");
    assert_eq!(applied.code, Some(0), "{applied:?}");
    assert_snapshot!(doctor(&world, &aws, ""), @"");
    let lines = deployed(&world, &aws, "doctor --json").stdout;
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        line,
        json!({
            "finding": "ok", "what": "you are arn:aws:iam::012345678901:user/ada, in eu-west-1",
        })
    );
}

#[test]
fn what_is_wrong_with_a_deployment_is_said_with_what_to_do() {
    let world = World::new();
    let secret = |name: &'static str, text: &'static str| {
        move |account: &mut crate::aws::Account| {
            account.secrets.insert(name.to_owned(), text.to_owned());
        }
    };
    let parameter = |name: &'static str, text: &'static str| {
        move |account: &mut crate::aws::Account| {
            account.parameters.insert(name.to_owned(), text.to_owned());
        }
    };
    let found = |change: &dyn Fn(&mut crate::aws::Account)| {
        let aws = Aws::start();
        found(&world, &aws, |account| change(account))
    };
    assert_snapshot!(found(&secret("flock/keyring", "{}")), @"");
    assert_snapshot!(found(&|account| { account.secrets.remove("flock/keyring"); }), @"");
    assert_snapshot!(found(&secret("flock/slack", r#"{"signing_secret":"s","bot_token":"not-set"}"#)), @"");
    assert_snapshot!(found(&secret("flock/slack", r#"{"signing_secret":"s","bot_token":"xoxb-old"}"#)), @"");
    assert_snapshot!(found(&|account| account.is_in_room = false), @"");
    assert_snapshot!(found(&parameter("SlackRoom", "")), @"");
    assert_snapshot!(found(&parameter("AlarmEmail", "")), @"");
    assert_snapshot!(found(&|account| account.mailed[0].1 = "PendingConfirmation".to_owned()), @"");
    assert_snapshot!(found(&|account| account.mailed.clear()), @"");
    assert_snapshot!(found(&|account| { account.outputs.insert("TableName".to_owned(), "other".to_owned()); }), @"");
    // What nobody needs may be empty.
    assert_eq!(found(&secret("flock/x", "{}")), "");
}

#[test]
fn keys_of_x_are_looked_at_where_a_sheep_is_there() {
    let (world, aws) = (XWorld::new(), Aws::start());
    world.add("apollo");
    let sheep = ("a", "one\n", "network = \"x\"\naccount = \"apollo\"\nline = \"1h\"");
    world.write_flock_with("choir", "monthly_cap = 1", &[sheep]);
    let add = "account add x:apollo --key key.json --keyring flock/keyring --x-app flock/x";
    for arguments in [add, "flock apply choir"] {
        let said = deployed(&world, &aws, arguments);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let whole = doctor(&world, &aws, "");
    assert!(whole.contains("the keys of the X app are there"), "{whole}");
    aws.account().secrets.insert("flock/x".to_owned(), "{}".to_owned());
    let faults = doctor(&world, &aws, "");
    let line = faults.lines().find(|line| line.contains("X app")).unwrap();
    assert_snapshot!(line, @"");
}

/// A table that was restored lacks what keeps it; it is put back, and noted.
#[test]
fn a_restored_table_is_mended() {
    let (world, aws) = (World::new(), Aws::start());
    aws.account().recovery = false;
    aws.protect(false);
    aws.keep_for_ever();
    let before = doctor(&world, &aws, "");
    let faults: Vec<_> = before.lines().filter(|line| line.starts_with("FAULT")).collect();
    assert_snapshot!(faults.join("\n"), @"");
    // To look changes nothing.
    assert_eq!(doctor(&world, &aws, ""), before);
    let mended = doctor(&world, &aws, "--mend");
    let on: Vec<_> = mended.lines().filter(|line| line.contains("is on")).collect();
    assert_snapshot!(on.join("\n"), @"");
    let after = doctor(&world, &aws, "");
    assert_eq!(after.lines().filter(|line| line.ends_with(" is on")).count(), 3, "{after}");
    // What is on is left alone.
    aws.account().asked.clear();
    doctor(&world, &aws, "--mend");
    assert!(!aws.account().asked.iter().any(|action| action.contains(":Update")));
    let log = timeless(&deployed(&world, &aws, "audit").stdout);
    let log: Vec<_> = log.lines().map(|line| line.split_once("): ").unwrap().1).collect();
    assert_snapshot!(log.join("\n"), @"");
}

#[test]
fn what_cannot_be_mended_is_said() {
    let (world, aws) = (World::new(), Aws::start());
    aws.account().recovery = false;
    aws.account().denied.insert("dynamodb:UpdateContinuousBackups".to_owned());
    let said = doctor(&world, &aws, "--mend");
    let fault = said.lines().find(|line| line.starts_with("FAULT")).unwrap();
    assert_snapshot!(fault, @"");
    let log = timeless(&deployed(&world, &aws, "audit").stdout);
    assert!(log.trim_end().ends_with("failed; part of it may be done"), "{log}");
    // Whoever has turned protection off has said so.
    aws.protect(false);
    let off = "false".to_owned();
    aws.account().parameters.insert("TableDeletionProtection".to_owned(), off);
    let said = doctor(&world, &aws, "--mend");
    assert_snapshot!(said.lines().find(|line| line.contains("deletion protection")).unwrap(), @"");
    assert_snapshot!(world.refused("doctor --mend"), @"");
    assert_snapshot!(world.refused("doctor --stack flock"), @"");
}

/// Whoever may look at nothing is told of each what it takes.
#[test]
fn a_right_that_is_missing_is_a_note() {
    let (world, aws) = (World::new(), Aws::start());
    let whole = doctor(&world, &aws, "");
    let asked = aws.account().asked.clone();
    for action in asked.iter().filter(|action| *action != "sts:GetCallerIdentity") {
        aws.account().denied = [action.clone()].into();
        let said = doctor(&world, &aws, "");
        assert!(said.contains(&format!("you lack the right {action},")), "{action}: {said}");
        assert!(!said.contains("could not"), "{action}: {said}");
        let faults = |said: &str| said.lines().filter(|line| line.starts_with("FAULT")).count();
        assert!(faults(&said) <= faults(&whole), "{action}: {said}");
    }
    aws.account().denied = asked;
    assert_snapshot!(doctor(&world, &aws, ""), @"");
    aws.account().denied.remove("dynamodb:DescribeTable");
    let said = deployed(&world, &aws, "doctor --mend");
    assert_snapshot!(said.stderr, @"");
}

#[test]
fn a_table_of_another_name_has_its_stack_named() {
    let (world, aws) = (World::new(), Aws::start());
    let template = Template::parse(include_str!("../../../../template.yaml")).unwrap();
    table::ensure(&aws.database, "restored", &template.table).unwrap();
    let restored = |arguments: &str| {
        let mut command = world.command(&format!("--aws --table restored doctor {arguments}"));
        command.envs(aws.environment()).envs(VARIABLES);
        let said = Running::spawn(command).finish().stdout;
        said.lines().find(|line| line.contains("stack")).unwrap().to_owned()
    };
    assert_snapshot!(restored(""), @"");
    assert_snapshot!(restored(&format!("--stack {STACK}")), @"");
    let other = |arguments: &str| {
        let said = doctor(&world, &aws, arguments);
        said.lines().find(|line| line.contains("stack")).unwrap().to_owned()
    };
    assert_snapshot!(other(&format!("--stack {STACK}")), @"");
    assert_snapshot!(other("--stack elsewhere"), @"");
}

/// An index that a restored table was made without.
#[test]
fn a_table_without_its_index_or_with_other_keys_is_told() {
    let (world, aws) = (World::new(), Aws::start());
    let create = |keys: serde_json::Value| {
        let delete = json!({ "TableName": TABLE });
        aws.protect(false);
        aws.database.delete_table(serde_json::from_value(delete).unwrap()).unwrap();
        let request = json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" }, { "AttributeName": "sk", "AttributeType": "S" },
            ],
            "KeySchema": keys,
        });
        aws.database.create_table(serde_json::from_value(request).unwrap()).unwrap();
    };
    let line = || {
        let said = deployed(&world, &aws, "doctor").stdout;
        said.lines()
            .find(|line| line.contains("index") || line.contains("keys"))
            .unwrap()
            .to_owned()
    };
    create(json!([
        { "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" },
    ]));
    assert_snapshot!(line(), @"");
    create(json!([
        { "AttributeName": "sk", "KeyType": "HASH" }, { "AttributeName": "pk", "KeyType": "RANGE" },
    ]));
    assert_snapshot!(line(), @"");
}

/// The ways in which people log in, each with what AWS's own program has left on this machine.
#[test]
fn people_are_logged_in_as_awss_own_programs_have_it() {
    let (world, aws) = (World::new(), Aws::start());
    world.write("credentials.sh", format!(
        "#!/bin/sh\necho '{}'\n",
        json!({ "Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": "secret", "SessionToken": "t" })
    ));
    let script = world.path("credentials.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    world.write(".aws/config", format!(
        "[profile program]\ncredential_process = {}\n\
         [profile broken]\ncredential_process = /bin/sh -c 'echo no ticket >&2; exit 3'\n\
         [profile corp]\nsso_session = corp\nsso_account_id = 012345678901\nsso_role_name = Operator\n\
         [profile below]\nrole_arn = arn:aws:iam::012345678901:role/a\nsource_profile = corp\n\
         [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n\
         [profile console]\nlogin_session = arn:aws:iam::012345678901:user/ada\n\
         [profile regional]\nregion = eu-west-1\n",
        script.display()
    ));
    let said = |profile: &str| {
        let output = shell(&world, &aws, &[("AWS_PROFILE", profile)], "flock list");
        (output.code, output.stderr.replace(&world.path("").display().to_string(), "HOME/"))
    };
    let is_in = (
        Some(0),
        "There is no flock yet; `flockwork init DIR` writes one, and `flockwork --aws --table \
                           flock-Table-1ABCDEFGHIJKL flock apply DIR` makes it.\n"
            .to_owned(),
    );
    assert_eq!(said("program"), is_in);
    assert_snapshot!(said("broken").1, @"");
    assert_snapshot!(said("regional").1, @"");
    assert_snapshot!(said("nobody").1, @"");

    // Nobody has logged in, then somebody long ago, then somebody.
    assert_snapshot!(said("corp").1, @"");
    assert_snapshot!(said("below").1, @"");
    // `printf corp | sha1sum`
    let cache = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let token = |token: &str, expires: &str| {
        let token = json!({
            "accessToken": token, "expiresAt": expires, "region": "eu-west-1",
            "startUrl": "https://corp.example/start",
        });
        world.write(cache, token.to_string());
    };
    token(SSO_TOKEN, "2026-01-01T00:00:00Z");
    assert_snapshot!(said("corp").1, @"");
    token("of-before", "2099-01-01T00:00:00Z");
    assert_snapshot!(said("corp").1, @"");
    token(SSO_TOKEN, "2099-01-01T00:00:00Z");
    assert_eq!(said("corp"), is_in);

    assert_snapshot!(said("console").1, @"");
    // `printf arn:aws:iam::012345678901:user/ada | sha256sum`
    let cache =
        ".aws/login/cache/0f26df4742916410cd5ca751ffa98d2b4a6a4dbd6dc604edc8fefc6314e14d4d.json";
    let session = json!({
        "accessToken": {
            "accessKeyId": KEY_ID, "secretAccessKey": "secret", "sessionToken": "t",
            "accountId": "012345678901", "expiresAt": "2099-01-01T00:00:00Z",
        },
        "tokenType": "aws_sigv4", "refreshToken": "r", "idToken": "i",
        "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "-",
    });
    world.write(cache, session.to_string());
    assert_eq!(said("console"), is_in);

    // Keys that AWS does not take any more.
    let old = [("AWS_ACCESS_KEY_ID", "AKIAOLD"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    assert_snapshot!(shell(&world, &aws, &old, "flock list").stderr, @"");
    assert!(!said("corp").1.contains(BOT_TOKEN));
}

/// `doctor` tells of these, too.
#[test]
fn a_shell_without_region_or_login_is_a_fault() {
    let (world, aws) = (World::new(), Aws::start());
    let said = |more: &[(&str, &str)]| {
        let output = shell(&world, &aws, more, "doctor");
        assert_eq!(output.code, Some(1));
        output.stdout
    };
    assert_snapshot!(said(&[("AWS_REGION", "")]), @"");
    assert_snapshot!(said(&[]), @"");
    let mut command = world.command("--aws --table other-Table-2 doctor");
    command.envs(aws.environment()).envs(VARIABLES);
    assert_snapshot!(Running::spawn(command).finish().stdout, @"");
}
