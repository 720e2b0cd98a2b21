//! Every function may do what it does, and no more: what it can call is read from the function itself, what it may do from template.yaml.
//!
//! A new call fails the first test until its role grants it: its code is in the program as soon as anything leads to it. A call that goes
//! fails it until the grant goes, too. Whoever makes a function adds it below; one without a line fails the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use flock_tests::Calls;
use local_cloud::grants::{self, GivenTo, Parts};

/// The functions as they are deployed.
const PROGRAMS: [(&str, &str); 3] = [
    ("keymaker", env!("CARGO_BIN_EXE_keymaker-process")),
    ("sheep-tick", env!("CARGO_BIN_EXE_sheep-tick-process")),
    ("slash-command", env!("CARGO_BIN_EXE_slash-command-process")),
];

/// What Lambda does as the function, without a call of it: it writes its log (AWS, "Lambda permissions: execution role", 2026-11).
const LOG: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// What Lambda does where a function has a destination for failures (AWS, "Retaining records of asynchronous invocations", 2026-11).
const FAILURES: &str = "sqs:SendMessage";

/// What a call is done to: the table, the bus and the secrets that the function's variables name.
fn expected(given: &GivenTo, calls: &Calls) -> BTreeMap<String, Parts> {
    let about = |variable: &str| given.variables.get(variable).cloned().unwrap_or_default();
    let secrets = || {
        let secrets = given.variables.iter().filter(|(name, _)| name.ends_with("_SECRET"));
        secrets.flat_map(|(_, parts)| parts.clone()).collect::<Parts>()
    };
    let mut rights = BTreeMap::new();
    for action in &calls.actions {
        let parts = match action.split_once(':').unwrap() {
            ("dynamodb", operation) => {
                let table = about("TABLE_NAME");
                let index = table.iter().map(|table| format!("{table}/index/due"));
                let index: Vec<_> =
                    index.filter(|_| operation == "Query" && calls.queries_index).collect();
                table.into_iter().chain(index).collect()
            }
            ("events", _) => about("BUS_NAME"),
            ("secretsmanager", _) => secrets(),
            _ => panic!("{action} is new: say what it is done to"),
        };
        rights.insert(action.clone(), parts);
    }
    if !given.failures_to.is_empty() {
        rights.insert(FAILURES.to_owned(), given.failures_to.clone());
    }
    rights
}

#[test]
fn every_function_may_do_what_it_calls_and_nothing_else() {
    let rights = grants::read(&fs::read_to_string("../template.yaml").unwrap());
    let programs: BTreeSet<_> = PROGRAMS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(rights.functions.keys().cloned().collect::<BTreeSet<_>>(), programs);
    for (name, program) in PROGRAMS {
        let given = &rights.functions[name];
        let calls = Calls::of(Path::new(program));
        let mut allowed = rights.allowed[&given.role].clone();
        for action in LOG {
            assert!(allowed.remove(action).is_some_and(|logs| logs.len() == 1), "{name}: {action}");
        }
        assert_eq!(allowed, expected(given, &calls), "{name}: template.yaml, and what it calls");
    }
}

#[test]
fn no_two_functions_share_a_role() {
    let rights = grants::read(&fs::read_to_string("../template.yaml").unwrap());
    let roles: BTreeSet<_> = rights.functions.values().map(|given| &given.role).collect();
    assert_eq!(roles.len(), rights.functions.len());
}
