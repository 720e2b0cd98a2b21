//! template.yaml and the function folders say the same.

use std::{cell::RefCell, collections::BTreeSet, fs};

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
    let variables = Variables { name: "local", ..Variables::default() };
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
    let globals = "        TABLE_NAME: !Ref Table\n";
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
    assert_eq!(kinds.len(), 10, "{kinds:?}");
}
