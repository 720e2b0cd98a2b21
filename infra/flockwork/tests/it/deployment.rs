//! What people do on a table that is deployed: log in, look what is wrong with it, and put that right.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
};

use insta::assert_snapshot;
use local_cloud::{table, template::Template};
use serde_json::json;

use crate::{
    aws::{Aws, KEY_ID, SSO_TOKEN, STACK, TABLE},
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
    assert_snapshot!(doctor(&world, &aws, ""), @r"
    ok     you are arn:aws:iam::012345678901:user/ada, in eu-west-1
    ok     the table flock-Table-1ABCDEFGHIJKL can be read
    ok     the table flock-Table-1ABCDEFGHIJKL has its keys and its index
    ok     expiry of items (TTL) is on
    ok     point-in-time recovery is on
    ok     deletion protection is on
    ok     the stack flock works on it
    ok     the keyring can be read
    ok     Slack knows the app as @flockwork of Shepherds
    ok     the app is in the control room, #control
    ok     alarms are mailed to ada@example.com
    FAULT  no sheep-tick was at work in the last half hour, so nothing is posted: look whether its schedule is enabled, and at its log
    ok     1 sheep, 1 active
    ");
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
    assert_snapshot!(found(&secret("flock/keyring", "{}")), @"FAULT  the secret flock/keyring is no keyring, so no account can post: put back what it was with `aws secretsmanager update-secret-version-stage --secret-id flock/keyring --version-stage AWSCURRENT --move-to-version-id ID --remove-from-version-id ID`, where `aws secretsmanager list-secret-version-ids --secret-id flock/keyring` names both");
    assert_snapshot!(found(&|account| { account.secrets.remove("flock/keyring"); }), @"FAULT  the keyring, the secret flock/keyring, has nothing in it, or is gone: put back a copy with `aws secretsmanager put-secret-value --secret-id flock/keyring --secret-string file://secret.json`");
    assert_snapshot!(found(&secret("flock/slack", r#"{"signing_secret":"s","bot_token":"not-set"}"#)), @r#"FAULT  the keys of the Slack app are not filled in, so Slack is refused: put {"signing_secret":"...","bot_token":"xoxb-..."} into secret.json, then `aws secretsmanager put-secret-value --secret-id flock/slack --secret-string file://secret.json`"#);
    assert_snapshot!(found(&secret("flock/slack", r#"{"signing_secret":"s","bot_token":"xoxb-old"}"#)), @r#"FAULT  Slack does not accept the bot token (invalid_auth): put {"signing_secret":"...","bot_token":"xoxb-..."} into secret.json, then `aws secretsmanager put-secret-value --secret-id flock/slack --secret-string file://secret.json`"#);
    assert_snapshot!(found(&|account| account.is_in_room = false), @"FAULT  the app is not in the control room, #control, so nobody is told what stops: type `/invite @flockwork` there");
    assert_snapshot!(found(&parameter("SlackRoom", "")), @"note   there is no control room, so nobody is told in Slack what stops; make one with SlackRoom=ID in `parameter_overrides` of its samconfig.toml, then `sam deploy`");
    assert_snapshot!(found(&parameter("AlarmEmail", "")), @"note   alarms are mailed to nobody; have them mailed with AlarmEmail=ADDRESS in `parameter_overrides` of its samconfig.toml, then `sam deploy`");
    assert_snapshot!(found(&|account| account.mailed[0].1 = "PendingConfirmation".to_owned()), @"FAULT  ada@example.com has not said yes to alarms, so none is mailed: follow the link in the mail of AWS there, which is sent anew by `aws sns subscribe --topic-arn arn:aws:sns:eu-west-1:012345678901:flock-AlarmTopic-1 --protocol email --notification-endpoint ada@example.com`");
    assert_snapshot!(found(&|account| account.mailed.clear()), @"FAULT  ada@example.com has not said yes to alarms, so none is mailed: follow the link in the mail of AWS there, which is sent anew by `aws sns subscribe --topic-arn arn:aws:sns:eu-west-1:012345678901:flock-AlarmTopic-1 --protocol email --notification-endpoint ada@example.com`");
    assert_snapshot!(found(&|account| { account.outputs.remove("TableName"); }), @"FAULT  the stack flock is in the state CREATE_COMPLETE and works on no table; see what its events say at AWS, and deploy it anew");
    assert_snapshot!(found(&|account| { account.outputs.insert("TableName".to_owned(), "other".to_owned()); }), @"FAULT  the stack flock works on the table other, not on flock-Table-1ABCDEFGHIJKL; say which stack does with `--stack NAME`, or let this one, with ExistingTable=flock-Table-1ABCDEFGHIJKL in `parameter_overrides` of its samconfig.toml, then `sam deploy`");
    // What nobody needs may be empty.
    assert!(!found(&secret("flock/x", "{}")).contains("FAULT"));
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
    // What the stack says people are sent back to is what X has to know.
    let callback =
        "for OAuth 1.0a and OAuth 2.0 alike, https://keys.example/keys/callback, exactly so";
    assert!(whole.contains(callback), "{whole}");
    aws.account().secrets.insert("flock/x".to_owned(), "{}".to_owned());
    let faults = doctor(&world, &aws, "");
    let line = faults.lines().find(|line| line.contains("X app")).unwrap();
    assert_snapshot!(line, @r#"FAULT  the keys of the X app are not filled in, so nothing is posted there: put {"consumer_key":"...","consumer_secret":"..."} into secret.json, then `aws secretsmanager put-secret-value --secret-id flock/x --secret-string file://secret.json`"#);
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
    assert_snapshot!(faults.join("\n"), @r"
    FAULT  expiry of items (TTL) is off, so what is out of date stays, and is paid for; `flockwork --aws --table flock-Table-1ABCDEFGHIJKL doctor --mend` turns it on
    FAULT  point-in-time recovery is off, so a mistake cannot be taken back; `flockwork --aws --table flock-Table-1ABCDEFGHIJKL doctor --mend` turns it on
    FAULT  deletion protection is off, so the table can be deleted by mistake; `flockwork --aws --table flock-Table-1ABCDEFGHIJKL doctor --mend` turns it on
    FAULT  no sheep-tick was at work in the last half hour, so nothing is posted: look whether its schedule is enabled, and at its log
    ");
    // To look changes nothing.
    assert_eq!(doctor(&world, &aws, ""), before);
    let mended = doctor(&world, &aws, "--mend");
    let on: Vec<_> = mended.lines().filter(|line| line.contains("is on")).collect();
    assert_snapshot!(on.join("\n"), @r"
    ok     expiry of items (TTL) was off, and is on now
    ok     point-in-time recovery was off, and is on now
    ok     deletion protection was off, and is on now
    ");
    let after = doctor(&world, &aws, "");
    assert_eq!(after.lines().filter(|line| line.ends_with(" is on")).count(), 3, "{after}");
    // What is on is left alone.
    aws.account().asked.clear();
    doctor(&world, &aws, "--mend");
    assert!(!aws.account().asked.iter().any(|action| action.contains(":Update")));
    let log = timeless(&deployed(&world, &aws, "audit").stdout);
    let log: Vec<_> = log.lines().map(|line| line.split_once("): ").unwrap().1).collect();
    assert_snapshot!(log.join("\n"), @r"
    doctor --mend: turns on expiry of items (TTL) of flock-Table-1ABCDEFGHIJKL - done
    doctor --mend: turns on point-in-time recovery of flock-Table-1ABCDEFGHIJKL - done
    doctor --mend: turns on deletion protection of flock-Table-1ABCDEFGHIJKL - done
    ");
}

#[test]
fn what_cannot_be_mended_is_said() {
    let (world, aws) = (World::new(), Aws::start());
    aws.account().recovery = false;
    aws.account().denied.insert("dynamodb:UpdateContinuousBackups".to_owned());
    let said = doctor(&world, &aws, "--mend");
    let fault = said.lines().find(|line| line.starts_with("FAULT")).unwrap();
    assert_snapshot!(fault, @"FAULT  point-in-time recovery is off and could not be turned on (at AWS you lack the right dynamodb:UpdateContinuousBackups); put that right, and give the command again");
    let log = timeless(&deployed(&world, &aws, "audit").stdout);
    assert!(log.trim_end().ends_with("failed; part of it may be done"), "{log}");
    // Whoever has turned protection off has said so.
    aws.protect(false);
    let off = "false".to_owned();
    aws.account().parameters.insert("TableDeletionProtection".to_owned(), off);
    let said = doctor(&world, &aws, "--mend");
    assert_snapshot!(said.lines().find(|line| line.contains("deletion protection")).unwrap(), @"note   deletion protection is off, as the stack's parameter TableDeletionProtection says; turn it on with TableDeletionProtection=true in `parameter_overrides` of its samconfig.toml, then `sam deploy`");
    aws.account().denied.insert("cloudformation:DescribeStacks".to_owned());
    let said = doctor(&world, &aws, "--mend");
    assert_snapshot!(said.lines().find(|line| line.contains("deletion protection")).unwrap(), @"note   deletion protection is off, and left so, because the stack is not seen that may want it off; `flockwork --aws --table flock-Table-1ABCDEFGHIJKL doctor --mend --stack NAME` turns it on");
    assert_snapshot!(world.refused("doctor --mend"), @"error: --mend and --stack are about what is deployed: say --aws --table NAME, too");
    assert_snapshot!(world.refused("doctor --stack flock"), @"error: --mend and --stack are about what is deployed: say --aws --table NAME, too");
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
    assert_snapshot!(doctor(&world, &aws, ""), @r"
    ok     you are arn:aws:iam::012345678901:user/ada, in eu-west-1
    note   the table flock-Table-1ABCDEFGHIJKL was not looked at, because at AWS you lack the right dynamodb:GetItem, which the policy has that is the stack's output `OperatorPolicyArn`
    note   whether the table flock-Table-1ABCDEFGHIJKL has its keys and its index was not looked at, because at AWS you lack the right dynamodb:DescribeTable, which the policy has that is the stack's output `OperatorPolicyArn`
    note   expiry of items (TTL) was not looked at, because at AWS you lack the right dynamodb:DescribeTimeToLive, which the policy has that is the stack's output `OperatorPolicyArn`
    note   point-in-time recovery was not looked at, because at AWS you lack the right dynamodb:DescribeContinuousBackups, which the policy has that is the stack's output `OperatorPolicyArn`
    note   the stack flock, and so its secrets, Slack and alarms, was not looked at, because at AWS you lack the right cloudformation:DescribeStacks, which the policy has that is the stack's output `OperatorPolicyArn`
    ");
    aws.account().denied.remove("dynamodb:DescribeTable");
    let said = deployed(&world, &aws, "doctor --mend");
    assert_snapshot!(said.stderr, @"error: nothing was turned on, because what is done to the table flock-Table-1ABCDEFGHIJKL is noted in it, and it cannot be read");
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
    assert_snapshot!(restored(""), @"note   the secrets, Slack and the alarms were not looked at, because the table's name does not tell the stack: `flockwork --aws --table restored doctor --stack NAME`");
    assert_snapshot!(restored(&format!("--stack {STACK}")), @"FAULT  the stack flock works on the table flock-Table-1ABCDEFGHIJKL, not on restored; say which stack does with `--stack NAME`, or let this one, with ExistingTable=restored in `parameter_overrides` of its samconfig.toml, then `sam deploy`");
    let other = |arguments: &str| {
        let said = doctor(&world, &aws, arguments);
        said.lines().find(|line| line.contains("stack")).unwrap().to_owned()
    };
    assert_snapshot!(other(&format!("--stack {STACK}")), @"ok     the stack flock works on it");
    assert_snapshot!(other("--stack elsewhere"), @"FAULT  there is no stack elsewhere in this region of the AWS account, so nothing works on the table; say which does: `flockwork --aws --table flock-Table-1ABCDEFGHIJKL doctor --stack NAME`");
}

/// An index that a restored table was made without.
#[test]
fn a_table_without_its_index_or_with_other_keys_is_told() {
    let (world, aws) = (World::new(), Aws::start());
    let create = |keys: serde_json::Value| {
        let delete = json!({ "TableName": TABLE });
        aws.protect(false);
        aws.database.delete_table(serde_json::from_value(delete).unwrap()).unwrap();
        let attribute = |key: &serde_json::Value| json!({ "AttributeName": key["AttributeName"], "AttributeType": "S" });
        let attributes: Vec<_> = keys.as_array().unwrap().iter().map(attribute).collect();
        let request = json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": keys,
        });
        aws.database.create_table(serde_json::from_value(request).unwrap()).unwrap();
    };
    let line = || {
        let said = deployed(&world, &aws, "doctor");
        let said = said.stdout + &said.stderr;
        said.lines()
            .find(|line| line.contains("index") || line.contains("keys"))
            .unwrap_or(&said)
            .to_owned()
    };
    create(json!([
        { "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" },
    ]));
    assert_snapshot!(line(), @r#"FAULT  the table flock-Table-1ABCDEFGHIJKL has no index due, so nothing is found that is due; make it with `aws dynamodb update-table --table-name flock-Table-1ABCDEFGHIJKL --attribute-definitions AttributeName=due,AttributeType=S AttributeName=next_at,AttributeType=N --global-secondary-index-updates '[{"Create":{"IndexName":"due","KeySchema":[{"AttributeName":"due","KeyType":"HASH"},{"AttributeName":"next_at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}}]'`"#);
    // Other programs have keys of these names, too.
    aws.account().recovery = false;
    doctor(&world, &aws, "--mend");
    assert!(!aws.account().recovery);
    create(json!([
        { "AttributeName": "sk", "KeyType": "HASH" }, { "AttributeName": "pk", "KeyType": "RANGE" },
    ]));
    assert_snapshot!(line(), @"FAULT  the table flock-Table-1ABCDEFGHIJKL has other keys than Flockwork's, so it is another program's; name the one that the stack's output `TableName` has, with --table");
    create(json!([{ "AttributeName": "sk", "KeyType": "HASH" }]));
    for look in ["sheep list", "flock list", "posts", "audit", "account list", "stop"] {
        let said = deployed(&world, &aws, look);
        assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{look}: {said:?}");
        assert!(said.stderr.contains("has other keys than Flockwork's"), "{look}: {said:?}");
    }
    // Nothing of it is ours to mend.
    aws.account().recovery = false;
    let found = doctor(&world, &aws, "");
    assert_snapshot!(found, @"
    ok     you are arn:aws:iam::012345678901:user/ada, in eu-west-1
    FAULT  the table flock-Table-1ABCDEFGHIJKL has other keys than Flockwork's, so it is another program's; name the one that the stack's output `TableName` has, with --table
    ");
    assert_eq!(doctor(&world, &aws, "--mend"), found);
    assert!(!aws.account().recovery);
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
         [profile regional]\nregion = eu-west-1\n\
         [profile chain]\nrole_arn = arn:aws:iam::012345678901:role/a\nsource_profile = missing\n",
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
    assert_snapshot!(said("broken").1, @"error: this shell has no AWS credentials that can be used (Error retrieving credentials: external process exited with code exit status: 3); see to the program that the profile broken names as `credential_process`, in ~/.aws/config");
    assert_snapshot!(said("regional").1, @"error: this shell has no AWS credentials that can be used (the credential provider was not enabled: no credentials found in chain); log in, such as with `aws login` or `aws sso login`, or set AWS_PROFILE");
    assert_snapshot!(said("nobody").1, @"error: this shell has no AWS credentials that can be used (the credential provider was not enabled: no credentials found in chain); there is no profile nobody, which AWS_PROFILE of this shell names: set it to one that `aws configure list-profiles` shows");
    assert_snapshot!(said("chain").1, @"error: this shell has no AWS credentials that can be used (the credential provider was not enabled: no credentials found in chain); there is no profile missing, which the profile chain names as `source_profile` in ~/.aws/config: set that to one that `aws configure list-profiles` shows");

    // Nobody has logged in, then somebody long ago, then somebody.
    assert_snapshot!(said("corp").1, @"error: this shell has no AWS credentials that can be used (an error occurred while loading an access token: failed to load the cached SSO token); log in with `aws sso login --profile corp`");
    assert_snapshot!(said("below").1, @"error: this shell has no AWS credentials that can be used (an error occurred while loading an access token: failed to load the cached SSO token); log in with `aws sso login --profile corp`");
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
    assert_snapshot!(said("corp").1, @"error: this shell has no AWS credentials that can be used (an error occurred while loading an access token: the SSO token has expired and cannot be refreshed); log in with `aws sso login --profile corp`");
    token("of-before", "2099-01-01T00:00:00Z");
    assert_snapshot!(said("corp").1, @"error: this shell has no AWS credentials that can be used (service error: UnauthorizedException: Session token not found or invalid: UnauthorizedException: Session token not found or invalid); log in with `aws sso login --profile corp`");
    token(SSO_TOKEN, "2099-01-01T00:00:00Z");
    assert_eq!(said("corp"), is_in);

    assert_snapshot!(said("console").1, @"error: this shell has no AWS credentials that can be used (unexpected credentials error: failed to read `HOME/.aws/login/cache/0f26df4742916410cd5ca751ffa98d2b4a6a4dbd6dc604edc8fefc6314e14d4d.json`: No such file or directory (os error 2)); log in with `aws login --profile console`");
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
    assert_snapshot!(shell(&world, &aws, &old, "flock list").stderr, @"error: AWS does not take the credentials of this shell (any more); AWS_ACCESS_KEY_ID of this shell says who you are: set it, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, or unset them");
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
    assert_snapshot!(said(&[("AWS_REGION", "")]), @"FAULT  AWS has many regions, and this shell says none: set that of the stack, such as with `export AWS_REGION=eu-west-1`, or as `region` in the profile in ~/.aws/config");
    assert_snapshot!(said(&[]), @"FAULT  this shell has no AWS credentials that can be used (the credential provider was not enabled: no credentials found in chain); log in, such as with `aws login` or `aws sso login`, or set AWS_PROFILE");
    let mut command = world.command("--aws --table other-Table-2 doctor");
    command.envs(aws.environment()).envs(VARIABLES);
    assert_snapshot!(Running::spawn(command).finish().stdout, @r"
    ok     you are arn:aws:iam::012345678901:user/ada, in eu-west-1
    FAULT  there is no table other-Table-2 in eu-west-1 of this AWS account; its name is the output `TableName` of the stack, and AWS_REGION and AWS_PROFILE say where is looked
    ");
}

/// No network, a region that there is not, or an address at which nothing is.
#[test]
fn where_aws_is_not_reached_it_says_where_to_look() {
    let (world, aws) = (World::new(), Aws::start());
    let role = "[profile keys]\naws_access_key_id = AKIAFLOCK\naws_secret_access_key = secret\n\
                [profile role]\nrole_arn = arn:aws:iam::012345678901:role/a\nsource_profile = keys\n";
    world.write(".aws/config", role);
    let said = |more: &[(&str, &str)], arguments: &str| {
        let once = [("AWS_MAX_ATTEMPTS", "1")];
        shell(&world, &aws, &[&once, more].concat(), arguments)
    };
    let dead = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let keys = [&VARIABLES[..], &[dead]].concat();
    let output = said(&keys, "sheep list");
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert_snapshot!(output.stderr, @"error: AWS does not answer (Connection refused (os error 111)); look at the network, whether the region eu-west-1 is right, which AWS_REGION or the profile in ~/.aws/config says, and where requests go: AWS_ENDPOINT_URL of this shell or its profile leads to http://127.0.0.1:1; unset it if that is not meant");
    assert_eq!(said(&keys, "stop").stderr, output.stderr);
    assert_snapshot!(said(&keys, "doctor").stdout, @"
    note   this shell has AWS credentials and works in eu-west-1, and AWS does not say whose they are
    FAULT  AWS does not answer (Connection refused (os error 111)); look at the network, whether the region eu-west-1 is right, which AWS_REGION or the profile in ~/.aws/config says, and where requests go: AWS_ENDPOINT_URL of this shell or its profile leads to http://127.0.0.1:1; unset it if that is not meant
    ");
    let lines = said(&keys, "doctor --json");
    assert_snapshot!(lines.stdout, @r#"
    {"finding":"note","what":"this shell has AWS credentials and works in eu-west-1, and AWS does not say whose they are"}
    {"finding":"fault","what":"AWS does not answer (Connection refused (os error 111)); look at the network, whether the region eu-west-1 is right, which AWS_REGION or the profile in ~/.aws/config says, and where requests go: AWS_ENDPOINT_URL of this shell or its profile leads to http://127.0.0.1:1; unset it if that is not meant"}
    "#);
    assert_snapshot!(lines.stderr, @"error: 1 fault found");
    // Nobody is told to log in who has.
    assert_snapshot!(said(&[("AWS_PROFILE", "role"), dead], "flock list").stderr, @"error: AWS does not answer (Connection refused (os error 111)); look at the network, whether the region eu-west-1 is right, which AWS_REGION or the profile in ~/.aws/config says, and where requests go: AWS_ENDPOINT_URL of this shell or its profile leads to http://127.0.0.1:1; unset it if that is not meant");
    // What there cannot be, and what something else is.
    let with =
        |name, value| said(&[&VARIABLES[..], &[(name, value)]].concat(), "flock list").stderr;
    let region = with("AWS_REGION", "eu west 1");
    let region = region.replace(&aws.environment()[1].1, "URL");
    assert_snapshot!(region, @"error: AWS does not answer (invalid value for field: `region` - must be a valid host label); look at the network, whether the region eu west 1 is right, which AWS_REGION or the profile in ~/.aws/config says, and where requests go: AWS_ENDPOINT_URL of this shell or its profile leads to URL; unset it if that is not meant");
    assert_snapshot!(with("AWS_ENDPOINT_URL", "127.0.0.1:1"), @"error: AWS does not answer (endpoint must contain scheme); look at the network, whether the region eu-west-1 is right, which AWS_REGION or the profile in ~/.aws/config says, and where requests go: AWS_ENDPOINT_URL and its like may lead elsewhere");
    let url = not_aws();
    assert_snapshot!(with("AWS_ENDPOINT_URL", &url).replace(&url, "URL"), @"error: AWS does not answer (what answers, with HTTP status 404, is not AWS); look at the network, whether the region eu-west-1 is right, which AWS_REGION or the profile in ~/.aws/config says, and where requests go: AWS_ENDPOINT_URL of this shell or its profile leads to URL; unset it if that is not meant");
}

/// The address of a server that knows nothing.
fn not_aws() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let none = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(none);
        }
    });
    url
}

/// What is to be typed where an account lacks is what is taken then.
#[test]
fn an_account_is_added_as_it_is_said() {
    let (world, aws) = (XWorld::new(), Aws::start());
    world.add("apollo");
    let on_x = "network = \"x\"\naccount = \"apollo\"\nline = \"1h\"";
    world.write_flock_with("choir", "monthly_cap = 1", &[("a", "one\n", on_x)]);
    assert_snapshot!(deployed(&world, &aws, "account list").stderr, @"There is no account yet; `flockwork --aws --table flock-Table-1ABCDEFGHIJKL account connect ACCOUNT --keyring NAME` adds one. On the meadow none is needed.");
    assert_snapshot!(deployed(&world, &aws, "flock apply choir").stderr, @"error: choir/a: the account x:apollo was never added; connect it (`flockwork --aws --table flock-Table-1ABCDEFGHIJKL account connect x:apollo --keyring NAME --x-app NAME`)");
    let plan = deployed(&world, &aws, "flock plan choir").stdout;
    assert_snapshot!(plan.lines().last().unwrap(), @"missing before it can be applied: the account x:apollo; `flockwork --aws --table flock-Table-1ABCDEFGHIJKL account connect x:apollo --keyring NAME --x-app NAME`");
    let on_mastodon = "network = \"mastodon\"\naccount = \"a@example.social\"\nline = \"1h\"";
    world.write_flock("other", &[("a", "one\n", on_mastodon)]);
    assert_snapshot!(deployed(&world, &aws, "flock apply other").stderr, @"error: other/a: the account mastodon:a@example.social was never added; connect it (`flockwork --aws --table flock-Table-1ABCDEFGHIJKL account connect mastodon:a@example.social --keyring NAME`)");
}

/// Nobody is led to write over a secret that is another.
#[test]
fn a_secret_that_is_not_the_one_is_named() {
    let (world, aws) = (XWorld::new(), Aws::start());
    world.add("apollo");
    let key = std::fs::read_to_string(world.path("key.json")).unwrap();
    let mut key: serde_json::Value = serde_json::from_str(&key).unwrap();
    key.as_object_mut().unwrap().retain(|name, _| !name.starts_with("consumer_"));
    world.write("key.json", key.to_string());
    let said = |options: &str| {
        let output =
            deployed(&world, &aws, &format!("account add x:apollo --key key.json {options}"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{options}: {output:?}");
        output.stderr
    };
    assert_snapshot!(said(""), @"error: on a deployed table say which keyring seals the key: --keyring NAME (output `KeyringName` of the stack)");
    assert_eq!(said("--keyring="), said(""));
    assert_snapshot!(said("--keyring nope"), @"error: there is no secret nope in eu-west-1 of this AWS account, or nothing is in it; its name is the output `KeyringName` of the stack");
    assert_snapshot!(said("--keyring flock/slack"), @"error: the secret flock/slack is no keyring; say that which is the output `KeyringName` of the stack. Put nothing into this one: it may be another secret. Where it is that of the stack, `flockwork --aws --table flock-Table-1ABCDEFGHIJKL doctor` says how it is put back");
    let with = |x_app: &str| said(&format!("--keyring flock/keyring{x_app}"));
    assert_snapshot!(with(""), @"error: X is asked about the account in the app's name, which is not known here: say which secret has its credentials, --x-app NAME (output `XAppName` of the stack), or write consumer_key and consumer_secret into the key file");
    assert_eq!(with(" --x-app="), with(""));
    assert_snapshot!(with(" --x-app nope"), @"error: there is no secret nope in eu-west-1 of this AWS account, or nothing is in it; its name is the output `XAppName` of the stack");
    assert_snapshot!(with(" --x-app flock/slack"), @"error: the secret flock/slack is not that of the X app: it has other things in it than consumer_key and consumer_secret; say that which is the output `XAppName` of the stack. Put nothing into this one: it may be another secret");
    let empty =
        ["{}", "", r#"{"consumer_key":"","consumer_secret":""}"#, r#"{"consumer_key":"k"}"#];
    let said_of_empty = empty.map(|text| {
        aws.account().secrets.insert("flock/x".to_owned(), text.to_owned());
        with(" --x-app flock/x")
    });
    assert_snapshot!(said_of_empty[0], @r#"error: X is asked about the account in the app's name, and the secret flock/x does not have its consumer_key and consumer_secret yet: put {"consumer_key":"...","consumer_secret":"..."} into secret.json, then `aws secretsmanager put-secret-value --secret-id flock/x --secret-string file://secret.json`"#);
    assert!(said_of_empty.iter().all(|said| *said == said_of_empty[0]), "{said_of_empty:?}");
    aws.account().denied.insert("secretsmanager:GetSecretValue".to_owned());
    assert_snapshot!(with(""), @"error: whoever you are at AWS may not read a secret flock/keyring: if it is the output `KeyringName` of the stack, you lack the right secretsmanager:GetSecretValue, which the policy has that is its output `OperatorPolicyArn`");
    let output = deployed(&world, &aws, "account list --json");
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""));
}
