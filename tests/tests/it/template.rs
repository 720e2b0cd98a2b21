//! template.yaml and the function folders say the same.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
};

use flock_core::Event;
use flockwork::functions::LINKED;
use local_cloud::{exposure, functions::Variables, template::Template};
use serde_json::{Value, json};

#[test]
fn every_function_folder_is_in_the_template_and_what_is_linked_in_is_a_folder() {
    let template = Template::parse(&fs::read_to_string("../template.yaml").unwrap()).unwrap();
    let deployed: BTreeSet<String> =
        template.functions.iter().map(|function| function.binary.clone()).collect();
    let folders: BTreeSet<String> = fs::read_dir("../functions")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(deployed, folders, "template.yaml and functions/");
    // The local run builds and starts any other.
    for linked in LINKED {
        let name = linked.name();
        assert!(folders.contains(name), "infra/flockwork/src/functions.rs has {name}");
    }
}

/// What Lambda's own client reads, in every function.
const READ_BY_LAMBDA: [&str; 1] = ["RUST_LOG"];

#[test]
fn every_function_is_given_the_variables_it_reads_and_no_others() {
    let template = Template::parse(&fs::read_to_string("../template.yaml").unwrap()).unwrap();
    // Only what the template gives.
    let address = "https://api.example".to_owned();
    let variables = Variables { name: "local", address, ..Variables::default() };
    // What a program reads is known to it alone.
    for linked in LINKED {
        let name = linked.name();
        let function = template.functions.iter().find(|function| function.binary == name).unwrap();
        let read = RefCell::new(BTreeSet::from(READ_BY_LAMBDA.map(str::to_owned)));
        let lookup = |key: &str| {
            read.borrow_mut().insert(key.to_owned());
            variables.get(function, key)
        };
        assert_eq!(linked.check(&lookup), Ok(()), "{name}");
        let given: BTreeSet<String> = function.environment.keys().cloned().collect();
        let unread: Vec<_> = given.difference(&read.borrow()).cloned().collect();
        assert!(unread.is_empty(), "{name} does not read {unread:?}");
    }
}

#[test]
fn what_is_deployed_asks_no_network_on_its_own_machine() {
    let template = fs::read_to_string("../template.yaml").unwrap();
    let local_only = [flock_net::Settings::ON_LOOPBACK];
    assert_eq!(exposure::check(&template, &local_only), []);
    let globals = "        BUS_NAME: !Ref Bus\n";
    let exposed = format!("{globals}        {}: 'true'\n", local_only[0]);
    let found = exposure::check(&template.replace(globals, &exposed), &local_only);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn the_slack_app_calls_what_is_there() {
    let template = Template::parse(&fs::read_to_string("../template.yaml").unwrap()).unwrap();
    let of_slack = template.functions.iter().find(|function| function.binary == "slash-command");
    let routes = of_slack.unwrap().routes.iter();
    let answered: BTreeSet<String> =
        routes.map(|route| format!("{} {}", route.method, route.path)).collect();
    let manifest = fs::read_to_string("../infra/slack-manifest.yaml").unwrap();
    let host = "https://REPLACE.execute-api.us-east-1.amazonaws.com";
    let called: BTreeSet<String> = manifest
        .lines()
        .filter_map(|line| line.split_once(host))
        .map(|(_, path)| format!("POST {path}"))
        .collect();
    assert_eq!(called, answered, "infra/slack-manifest.yaml and template.yaml");
}

#[test]
fn every_sample_event_can_be_read() {
    for entry in fs::read_dir("../infra/events").unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        match path.file_stem().unwrap().to_str().unwrap() {
            name if name.starts_with("sheep-tick-") => {
                let event = Event::read(&event);
                event.unwrap_or_else(|err| panic!("{path:?}: {err}"));
            }
            "slash-command-http" => assert_eq!(event["rawPath"], "/slack/commands"),
            "slash-command-deferred" => assert_eq!(event["detail-type"], "command.deferred"),
            name => panic!("{name} is of no function"),
        }
    }
}

#[test]
fn every_rule_is_for_events_that_somebody_publishes() {
    let template = Template::parse(&fs::read_to_string("../template.yaml").unwrap()).unwrap();
    let mut kinds = BTreeSet::new();
    for function in &template.functions {
        for kind in function.rules.iter().flat_map(|rule| rule.pattern.kinds()) {
            let detail_is_missing = Event::read(json!({ "detail-type": kind })).unwrap_err();
            let said = detail_is_missing.to_string();
            assert_eq!(said, "unreadable event: missing field `detail`", "{kind}");
            assert!(kinds.insert(kind.clone()), "two rules are for {kind}");
        }
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

fn text() -> String {
    fs::read_to_string("../template.yaml").unwrap()
}

/// What stands under each name of a section, comments left out.
fn parts(text: &str, section: &str) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = text.lines().skip_while(|line| *line != format!("{section}:")).skip(1);
    let mut name = String::new();
    for line in lines.by_ref().take_while(|line| line.is_empty() || line.starts_with(' ')) {
        if line.trim_start().starts_with('#') {
            continue;
        }
        match line.strip_prefix("  ").filter(|line| !line.is_empty() && !line.starts_with(' ')) {
            Some(begins) => begins.split(':').next().unwrap().clone_into(&mut name),
            None if line.is_empty() => continue,
            None => {}
        }
        let part = parts.entry(name.clone()).or_default();
        part.push_str(line);
        part.push('\n');
    }
    parts
}

/// Every resource of a type.
fn of_type(text: &str, kind: &str) -> BTreeMap<String, String> {
    let kind = format!("    Type: {kind}\n");
    let mut resources = parts(text, "Resources");
    resources.retain(|_, resource| resource.contains(&kind));
    assert!(!resources.is_empty(), "{kind}");
    resources
}

/// The parameters that a part of the template uses.
fn parameters_in<'p>(part: &str, parameters: &'p BTreeMap<String, String>) -> BTreeSet<&'p str> {
    let is_used = |name: &str| {
        part.contains(&format!("${{{name}}}"))
            || part
                .split("!Ref ")
                .skip(1)
                .any(|after| after.split(|c: char| !c.is_ascii_alphanumeric()).next() == Some(name))
    };
    parameters.keys().map(String::as_str).filter(|name| is_used(name)).collect()
}

#[test]
fn every_parameter_is_asked_in_a_group_has_bounds_and_is_used() {
    let text = text();
    let parameters = parts(&text, "Parameters");
    let (head, after) = text.split_once("\nConditions:\n").unwrap();
    let groups = head.split_once("\nParameters:\n").unwrap().0;
    let used = parameters_in(after, &parameters);
    for (name, parameter) in &parameters {
        let grouped: Vec<_> =
            groups.split(['[', ']', ',']).filter(|word| word.trim() == name).collect();
        assert_eq!(grouped.len(), 1, "{name} is in one group");
        assert!(used.contains(name.as_str()), "{name} is used");
        assert!(parameter.contains("    Description: "), "{name} says what it is");
        let bounds: &[&str] = if parameter.contains("AllowedValues: ") {
            &[]
        } else if parameter.contains("Type: Number") {
            &["MinValue: ", "MaxValue: "]
        } else {
            &["MaxLength: ", "AllowedPattern: ^"]
        };
        for bound in bounds {
            assert!(parameter.contains(bound), "{name} has {bound}");
        }
    }
}

#[test]
fn alarms_tell_when_they_end_and_wait_for_no_unit() {
    let text = text();
    let mut own_metrics = BTreeSet::new();
    for (name, alarm) in of_type(&text, "AWS::CloudWatch::Alarm") {
        for wanted in ["AlarmActions: ", "OKActions: ", "TreatMissingData: ", "AlarmDescription: "]
        {
            assert!(alarm.contains(wanted), "{name} has {wanted}");
        }
        // An alarm with a unit sees only what was reported in that unit, and not otherwise.
        assert!(!alarm.contains("Unit: "), "{name} has a unit");
        if alarm.contains("Namespace: !Sub Flockwork/") {
            own_metrics.insert(
                alarm.split("MetricName: ").nth(1).unwrap().lines().next().unwrap().to_owned(),
            );
        }
    }
    let filters = of_type(&text, "AWS::Logs::MetricFilter");
    let made: BTreeSet<String> = filters
        .values()
        .map(|filter| {
            filter.split("MetricName: ").nth(1).unwrap().split(',').next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(made, own_metrics, "each metric that is made has an alarm");
}

#[test]
fn what_is_kept_is_kept_and_a_first_deployment_can_be_tried_again() {
    let text = text();
    let kept: BTreeMap<String, String> = parts(&text, "Resources")
        .into_iter()
        .filter_map(|(name, resource)| {
            let (_, policy) = resource.split_once("    DeletionPolicy: ")?;
            assert!(resource.contains("    UpdateReplacePolicy: Retain\n"), "{name}");
            Some((name, policy.lines().next().unwrap().to_owned()))
        })
        .collect();
    let expected = [("Keyring", "RetainExceptOnCreate"), ("Table", "Retain")];
    assert!(
        kept.iter().map(|(name, policy)| (name.as_str(), policy.as_str())).eq(expected),
        "{kept:?}"
    );
}

/// Where there is none of the stack's own, its name and its ARN are those of a parameter.
#[test]
fn whatever_names_the_table_or_the_keyring_asks_first_whether_the_stack_has_made_it() {
    let text = text();
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let mut number = 0;
    for (named, condition) in [
        ("!Ref Table,", "MakesTable"),
        ("!Ref Table]", "MakesTable"),
        ("Table.Arn", "MakesTable"),
        ("!Ref Keyring", "MakesKeyring"),
    ] {
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(named)) {
            let asks = line.contains(&format!("!If [{condition}, "))
                || lines[place - 1].trim() == format!("- {condition}");
            assert!(asks, "{line}");
            number += 1;
        }
    }
    assert!(10 <= number, "{number} places");
    assert!(!lines.iter().any(|line| line.trim_end().ends_with("!Ref Table")), "a bare name");
}

/// SAM publishes a version when the code or the template changes, and AWS another when its description does; a change
/// of a parameter alone would reach nobody without it.
#[test]
fn the_description_of_a_version_has_every_parameter_of_the_environment() {
    let text = text();
    let parameters = parts(&text, "Parameters");
    let globals = &parts(&text, "Globals")["Function"];
    let (_, common) = globals.split_once("    Environment:").unwrap();
    for (name, function) in of_type(&text, "AWS::Serverless::Function") {
        let (_, rest) = function.split_once("      Environment:\n").unwrap();
        let (own, rest) = rest.split_once("      VersionDescription: ").unwrap();
        let (description, _) = rest.split_once("      Role: ").unwrap();
        let read = parameters_in(&format!("{common}{own}"), &parameters);
        assert_eq!(parameters_in(description, &parameters), read, "{name}");
        // Lambda takes no longer one.
        let longest = |name: &&str| {
            let number = |key: &str| {
                let (_, after) = parameters[*name].split_once(key)?;
                after.lines().next().unwrap().trim().parse::<usize>().ok()
            };
            number("MaxLength: ")
                .or_else(|| number("MaxValue: ").map(|most| most.to_string().len()))
        };
        let longest: usize = read.iter().map(|name| longest(name).unwrap() + ", ".len()).sum();
        assert!(longest - ", ".len() <= 256, "{name}: {longest}");
    }
}

#[test]
fn what_starts_a_function_starts_its_alias() {
    let text = text();
    assert!(text.contains("    AutoPublishAlias: live\n    AutoPublishAliasAllProperties: true\n"));
    for (name, key, function) in [
        ("SlackIntegration", "IntegrationUri", "SlashCommand"),
        ("SlackPermission", "FunctionName", "SlashCommand"),
        ("KeymakerIntegration", "IntegrationUri", "Keymaker"),
        ("KeymakerPermission", "FunctionName", "Keymaker"),
    ] {
        let wanted = format!("      {key}: !Ref {function}.Alias\n");
        assert!(parts(&text, "Resources")[name].contains(&wanted), "{name}");
    }
    // A version on its way is taken back by alarms that are there.
    let alarms = of_type(&text, "AWS::CloudWatch::Alarm");
    let (_, after) = text.split_once("      Alarms: [").unwrap();
    for alarm in after.split(']').next().unwrap().split(", ") {
        assert!(alarms.contains_key(alarm.trim_start_matches("!Ref ")), "{alarm}");
    }
}

#[test]
fn functions_log_json_that_lambda_does_not_filter() {
    let text = text();
    assert!(text.contains("    LoggingConfig: { LogFormat: JSON, ApplicationLogLevel: TRACE }\n"));
    for (name, function) in of_type(&text, "AWS::Serverless::Function") {
        assert!(function.contains("LoggingConfig: { LogGroup: !Ref "), "{name}");
    }
}

/// A tick may wait for a place to run as long as all shards of all allowed stacks take in a new account.
#[test]
fn shards_do_not_age_out_where_ten_run_at_once() {
    let text = text();
    let number = |part: &str, name: &str| -> u32 {
        let (_, after) = part.split_once(name).unwrap();
        after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let tick = &parts(&text, "Resources")["SheepTick"];
    let shards = number(&parts(&text, "Parameters")["DueShards"], "MaxValue: ");
    // Beside the schedule's tick and Slack.
    let rounds = shards.div_ceil(10 - 2);
    let last_begins = (rounds - 1) * number(tick, "      Timeout: ");
    let age = number(tick, "        MaximumEventAgeInSeconds: ");
    assert!(last_begins <= age, "{last_begins} s, {age} s");
    let (_, rule) = tick.split_once("        ShardDue:\n").unwrap();
    assert_eq!(number(rule, "MaximumEventAgeInSeconds: "), age, "the rule's");
}

/// Every secret is for one thing: who knows the keyring's knows nothing else by it.
#[test]
fn the_keyring_is_read_by_the_tick_and_the_keymaker_and_is_no_other_secret() {
    let text = text();
    let secrets: Vec<_> = of_type(&text, "AWS::SecretsManager::Secret").into_keys().collect();
    assert_eq!(secrets, ["Keyring", "Slack", "XApp"]);
    let resources = parts(&text, "Resources");
    let roles = of_type(&text, "AWS::IAM::Role");
    let read_by: Vec<_> = roles
        .iter()
        .filter(|(_, role)| role.contains("!Ref Keyring"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(read_by, ["KeymakerRole", "SheepTickRole"]);
    assert!(!resources["SlashCommand"].contains("Keyring"));
}

#[test]
fn both_environments_of_samconfig_give_parameters_that_are_there() {
    let config = fs::read_to_string("../samconfig.toml").unwrap();
    let parameters = parts(&text(), "Parameters");
    let mut given = 0;
    for line in config.lines().filter_map(|line| line.strip_prefix("parameter_overrides = ")) {
        for pair in line.trim_matches('"').split(' ') {
            let (name, value) = pair.split_once('=').unwrap();
            let parameter =
                parameters.get(name).unwrap_or_else(|| panic!("{name} is no parameter"));
            assert!(parameter.contains(value), "{name} may be {value}");
            given += 1;
        }
    }
    assert!(0 < given);
    for environment in ["default", "staging"] {
        let (_, deploy) =
            config.split_once(&format!("[{environment}.deploy.parameters]\n")).unwrap();
        let deploy = deploy.split("\n[").next().unwrap();
        assert!(deploy.contains("tags = \"application=flockwork environment="), "{environment}");
    }
}

/// What a run shows is held against one environment of one repository, and the role that the stack is made with knows every
/// service that is in it.
#[test]
fn the_pipeline_trusts_one_environment_and_can_make_every_part() {
    let roles = fs::read_to_string("../infra/pipeline/roles.yaml").unwrap();
    let (_, trust) = roles.split_once("sts:AssumeRoleWithWebIdentity\n").unwrap();
    let (condition, _) = trust.split_once("      Policies:\n").unwrap();
    let github = "token.actions.githubusercontent.com";
    for wanted in [
        "StringEquals:\n",
        &format!("{github}:aud: sts.amazonaws.com\n"),
        &format!("{github}:sub: !Sub repo:${{Repository}}:environment:${{Environment}}\n"),
    ] {
        assert!(condition.contains(wanted), "{wanted} in {condition}");
    }
    assert!(!condition.contains("StringLike"), "{condition}");
    let (_, execution) = roles.split_once("\n  Execution:\n").unwrap();
    let text = text();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("    Type: AWS::"));
    let services: BTreeSet<_> = kinds.map(|kind| kind.split("::").next().unwrap()).collect();
    for service in services {
        // Of a function SAM makes what its events and its deployments need, too.
        let actions: &[&str] = match service {
            "Serverless" => &["lambda", "scheduler", "events", "codedeploy"],
            "ApiGatewayV2" => &["apigateway"],
            other => &[&*other.to_ascii_lowercase()],
        };
        for action in actions {
            assert!(execution.contains(&format!(" {action}:")), "{action} in {execution}");
        }
    }
}
