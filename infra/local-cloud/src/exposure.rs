//! What must not be deployed, although `sam validate`, cfn-lint and checkov let it pass.
//!
//! Knows what AWS refuses only when it is deployed, and what a reviewer would refuse. Looks at
//! every part of a template, also at what the local run passes over or cannot do; knows nothing
//! of how a template is run.

use crate::{
    schedule::Expression,
    template::{Method, check_path, route_key},
    yaml::{Content, Entry, Finding, Findings, Node, document},
};

/// The fields of an event that a pattern can be about.
const EVENT_FIELDS: [&str; 9] =
    ["account", "detail", "detail-type", "id", "region", "resources", "source", "time", "version"];

/// The stack itself: its id is not known to whoever asks by its name, and AWS puts `*` there in the request (AWS, "Actions, resources,
/// and condition keys for `CloudFormation`", and the refusals of 2022 to 2024 that are quoted in aws-parallelcluster#754, 2026-11).
const THIS_STACK: &str = ":stack/${AWS::StackName}/*";

/// What must not be deployed, by line; `local_only` are variables that only a run on one machine may have.
pub fn check(text: &str, local_only: &[&str]) -> Vec<Finding> {
    let findings = Findings::default();
    if let Some(root) = document(text, &findings) {
        root.walk(&mut |node| {
            statement(node, &findings);
            role(node, &findings);
            schedule(node, &findings);
            delivery(node, &findings);
            pattern(node, &findings);
            route(node, &findings);
            variables(node, local_only, &findings);
        });
    }
    findings.sorted()
}

/// A statement of a policy allows what it names, and names no more than is needed.
fn statement(node: &Node, findings: &Findings) {
    let Some(effect) = node.get("Effect") else { return };
    // To deny more than is needed takes nothing away.
    if effect.scalar() == Some("Deny") {
        return;
    }
    for Entry { key, line, value } in node.entries() {
        match key.as_str() {
            "Action" | "Resource" | "Principal" => value.walk(&mut |node| {
                if let Content::Scalar { text, .. } = &node.content
                    && text.contains('*')
                    && !text.ends_with(THIS_STACK)
                {
                    let text = format!("`{text}` as {key} allows more than is named");
                    findings.add(node.line, text + "; write out what is needed");
                }
            }),
            "NotAction" | "NotResource" | "NotPrincipal" => {
                let text = format!("{key} allows everything that it does not name");
                findings.add(*line, text + "; write out what is needed");
            }
            _ => {}
        }
    }
}

/// A role has no policies but its own.
fn role(node: &Node, findings: &Findings) {
    if let Some(policies) = node.get("ManagedPolicyArns") {
        let text = "a managed policy allows more than is needed; write a policy of the role's own";
        findings.add(policies.line, text);
    }
    if let ("AWS::Serverless::Function", Some(properties)) = typed(node)
        && properties.get("Role").is_none()
    {
        let text = "SAM makes a role with managed policies for a function that has none";
        findings.add(properties.line, format!("{text}; write a `Role`"));
    }
}

/// AWS takes the expression, as text that can be checked here.
fn schedule(node: &Node, findings: &Findings) {
    let of_sam = match typed(node) {
        ("Schedule", Some(properties)) => properties.get("Schedule"),
        _ => None,
    };
    let Some(node) = node.get("ScheduleExpression").or(of_sam) else { return };
    let Some(text) = node.scalar() else {
        let text = format!("a schedule cannot be checked as {}; write it as text", node.describe());
        return findings.add(node.line, text);
    };
    if let Err(error) = text.parse::<Expression>() {
        findings.add(node.line, error.to_string());
    }
}

/// What schedules and rules start says what happens when it cannot be reached.
fn delivery(node: &Node, findings: &Findings) {
    let targets: Vec<&Node> = match typed(node) {
        ("ScheduleV2" | "Schedule" | "EventBridgeRule" | "CloudWatchEvent", Some(properties)) => {
            vec![properties]
        }
        ("AWS::Scheduler::Schedule", Some(properties)) => {
            properties.get("Target").into_iter().collect()
        }
        ("AWS::Events::Rule", Some(properties)) => match properties.get("Targets") {
            Some(targets) if targets.items().is_empty() => vec![targets],
            Some(targets) => targets.items().iter().collect(),
            None => vec![],
        },
        _ => return,
    };
    for target in targets {
        if target.get("RetryPolicy").is_none() {
            let text = "there is no RetryPolicy, so AWS would try for a day; write one";
            findings.add(target.line, text);
        }
        if target.get("DeadLetterConfig").is_none() {
            let text = "there is no DeadLetterConfig, so what is not delivered is lost; write one";
            findings.add(target.line, text);
        }
    }
}

/// A pattern is about fields that events have.
fn pattern(node: &Node, findings: &Findings) {
    let of_sam = match typed(node) {
        ("EventBridgeRule" | "CloudWatchEvent", Some(properties)) => properties.get("Pattern"),
        _ => None,
    };
    let pattern = node.get("EventPattern").or(of_sam);
    for Entry { key, line, .. } in pattern.map(Node::entries).unwrap_or_default() {
        if !EVENT_FIELDS.contains(&key.as_str()) {
            let text = format!("no event has a field `{key}`, so the rule would match nothing");
            findings.add(*line, text + "; correct it");
        }
    }
}

/// A route has a method and a path that can be.
fn route(node: &Node, findings: &Findings) {
    let check = |node: Option<&Node>, check: &dyn Fn(&str) -> Result<(), String>| {
        if let Some(node) = node
            && let Some(text) = node.scalar().filter(|text| *text != "$default")
            && let Err(text) = check(text)
        {
            findings.add(node.line, text);
        }
    };
    check(node.get("RouteKey"), &|text| route_key(text).map(drop));
    if let ("HttpApi" | "Api", Some(properties)) = typed(node) {
        check(properties.get("Path"), &check_path);
        let method = |text: &str| Method::parse(&text.to_ascii_uppercase()).map(drop);
        check(properties.get("Method"), &method);
    }
    // Of an OpenAPI document.
    for Entry { key, line, .. } in node.get("paths").map(Node::entries).unwrap_or_default() {
        if key != "$default"
            && let Err(text) = check_path(key)
        {
            findings.add(*line, text);
        }
    }
}

/// The environment of a function has names that Lambda takes.
fn variables(node: &Node, local_only: &[&str], findings: &Findings) {
    let variables = node.get("Environment").and_then(|environment| environment.get("Variables"));
    for Entry { key, line, .. } in variables.map(Node::entries).unwrap_or_default() {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = key.starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins || key.len() < 2 || !key.chars().all(is_allowed) {
            let text = "is not a name of a variable; write two or more letters, digits and `_`";
            findings.add(*line, format!("`{key}` {text}"));
        }
        if local_only.contains(&key.as_str()) {
            let text = "lets servers that people name be asked where only our own are";
            findings.add(*line, format!("{key} {text}; remove it"));
        }
    }
}

/// The type of a resource or an event, and its properties.
fn typed(node: &Node) -> (&str, Option<&Node>) {
    (node.get("Type").and_then(Node::scalar).unwrap_or_default(), node.get("Properties"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = include_str!("../../../template.yaml");

    #[track_caller]
    fn finds(text: &str, expected: &[&str]) {
        let found: Vec<String> =
            check(text, &["NETWORKS_ON_LOOPBACK"]).iter().map(Finding::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn the_real_template_may_be_deployed() {
        finds(REAL, &[]);
    }

    #[test]
    fn it_finds_wide_permissions() {
        let star = |found: &str, key: &str| {
            let text = "allows more than is named; write out what is needed";
            format!("line 2: `{found}` as {key} {text}")
        };
        let not = |key: &str| {
            let text = "allows everything that it does not name; write out what is needed";
            format!("line 2: {key} {text}")
        };
        for (statement, expected) in [
            ("Action: '*'", vec![star("*", "Action")]),
            ("Action: [a:Get, 'a:*']", vec![star("a:*", "Action")]),
            (
                "Resource: !Sub '${Table.Arn}/index/*'",
                vec![star("${Table.Arn}/index/*", "Resource")],
            ),
            ("Resource: { 'Fn::Join': ['', [!GetAtt A.Arn, '/*']] }", vec![star("/*", "Resource")]),
            ("Resource: !If [C, x, '*']", vec![star("*", "Resource")]),
            ("Resource: !Sub 'arn:a:stack/${AWS::StackName}/*'", vec![]),
            ("Resource: 'arn:a:stack/*'", vec![star("arn:a:stack/*", "Resource")]),
            ("Principal: { AWS: '*' }", vec![star("*", "Principal")]),
            ("NotAction: a:Get, NotResource: b", vec![not("NotAction"), not("NotResource")]),
            ("Action: '*', Resource: '*'", vec![star("*", "Action"), star("*", "Resource")]),
            (
                "Action: a:Get, Resource: !GetAtt A.Arn, Condition: { ArnLike: { a: 'b/*' } }",
                vec![],
            ),
        ] {
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            finds(&format!("Statement:\n  - {{ Effect: Allow, {statement} }}\n"), &expected);
            finds(&format!("Any: {{ Where:\n  {{ Effect: Allow, {statement} }} }}\n"), &expected);
            finds(&format!("Any: {{ Where:\n  {{ Effect: Deny, {statement} }} }}\n"), &[]);
        }
    }

    #[test]
    fn it_finds_managed_policies() {
        let managed =
            "line 1: a managed policy allows more than is needed; write a policy of the role's own";
        for arns in ["[arn:a]", "!If [C, [arn:a], []]"] {
            let role = "{ Type: AWS::IAM::Role, Properties: { ManagedPolicyArns: ";
            finds(&format!("A: {role}{arns} }} }}\n"), &[managed]);
        }
        let made = "line 2: SAM makes a role with managed policies for a function that has none; \
                    write a `Role`";
        let function = "A:\n  { Type: AWS::Serverless::Function, Properties: ";
        finds(&format!("{function}{{ Timeout: 5 }} }}\n"), &[made]);
        finds(&format!("{function}{{ Role: !GetAtt R.Arn }} }}\n"), &[]);
    }

    #[test]
    fn it_finds_schedules_that_are_none() {
        finds(
            "A: { ScheduleExpression: rate(1 minutes) }\n\
             B: { Type: Schedule, Properties: { Schedule: rate(5 minute), RetryPolicy: {}, DeadLetterConfig: {} } }\n\
             C: { ScheduleExpression: every day }\n\
             D: { ScheduleExpression: !Ref X }\n\
             E: { ScheduleExpression: cron(0 9 * * *) }\n\
             F: { ScheduleExpression: at(2026-02-30T00:00:00) }\n\
             G: { ScheduleExpression: cron(0 9 * * ? *) }\n\
             H: { ScheduleExpression: at(2026-01-01T00:00:00) }\n\
             I: { ScheduleExpression: cron(0  9 * * ?) }\n",
            &[
                "line 1: AWS refuses `rate(1 minutes)`; write `rate(1 minute)`",
                "line 2: AWS refuses `rate(5 minute)`; write `rate(5 minutes)`",
                "line 3: `every day` is no schedule; write it like `rate(5 minutes)`, `cron(0 9 * * ? *)` or `at(2026-01-01T00:00:00)`",
                "line 4: a schedule cannot be checked as `!Ref`; write it as text",
                "line 5: `cron(0 9 * * *)` is no schedule of AWS: it needs six fields with one space between: minutes, hours, day of month, month, day of week, year",
                "line 6: `at(2026-02-30T00:00:00)` is no schedule; write it like `rate(5 minutes)`, `cron(0 9 * * ? *)` or `at(2026-01-01T00:00:00)`",
                "line 9: `cron(0  9 * * ?)` is no schedule of AWS: it needs six fields with one space between: minutes, hours, day of month, month, day of week, year",
            ],
        );
    }

    #[test]
    fn it_finds_deliveries_that_may_be_lost() {
        let retry = "line 1: there is no RetryPolicy, so AWS would try for a day; write one";
        let lost =
            "line 1: there is no DeadLetterConfig, so what is not delivered is lost; write one";
        for event in ["ScheduleV2", "Schedule", "EventBridgeRule", "CloudWatchEvent"] {
            let event =
                |properties: &str| format!("A: {{ Type: {event}, Properties: {properties} }}");
            finds(&event("{ Name: x }"), &[retry, lost]);
            finds(&event("{ RetryPolicy: { MaximumRetryAttempts: 2 } }"), &[lost]);
            finds(&event("{ DeadLetterConfig: { Arn: x } }"), &[retry]);
            finds(&event("{ RetryPolicy: {}, DeadLetterConfig: {} }"), &[]);
        }
        let target = "{ Arn: x, RetryPolicy: {}, DeadLetterConfig: {} }";
        for (resource, expected) in [
            ("AWS::Scheduler::Schedule, Properties: { Target: { Arn: x } }", &[retry, lost][..]),
            (&format!("AWS::Scheduler::Schedule, Properties: {{ Target: {target} }}"), &[]),
            ("AWS::Events::Rule, Properties: { Targets: [{ Arn: x }] }", &[retry, lost]),
            ("AWS::Events::Rule, Properties: { Targets: !If [C, [], []] }", &[retry, lost]),
            (&format!("AWS::Events::Rule, Properties: {{ Targets: [{target}] }}"), &[]),
        ] {
            finds(&format!("A: {{ Type: {resource} }}"), expected);
        }
    }

    #[test]
    fn it_finds_patterns_that_match_nothing() {
        let none =
            "no event has a field `detail_type`, so the rule would match nothing; correct it";
        finds(
            "A: { EventPattern: { source: [x], detail_type: [y] } }\n\
             B: { Type: EventBridgeRule, Properties: { Pattern: { detail_type: [y] }, RetryPolicy: {}, DeadLetterConfig: {} } }\n\
             C: { EventPattern: { source: [x], detail-type: [y], detail: { any: [z] } } }\n",
            &[&format!("line 1: {none}"), &format!("line 2: {none}")],
        );
    }

    #[test]
    fn it_finds_routes_that_are_none() {
        finds(
            "A: { Type: HttpApi, Properties: { Path: slack, Method: post } }\n\
             B: { Type: Api, Properties: { Path: /slack, Method: fetch } }\n\
             C: { RouteKey: POST slack }\n\
             D: { RouteKey: FETCH /slack }\n\
             E: { RouteKey: $default }\n\
             F: { RouteKey: /slack }\n\
             G: { Type: HttpApi, Properties: { Path: /slack, Method: POST } }\n\
             H: { Body: { paths: { slack: {}, /slack: {}, $default: {} } } }\n",
            &[
                "line 1: the path `slack` does not start with a slash; write `/slack`",
                "line 2: `FETCH` is not a method; \
                 write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE",
                "line 3: the path `slack` does not start with a slash; write `/slack`",
                "line 4: `FETCH` is not a method; \
                 write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE",
                "line 6: `/slack` is not a method and a path; write them as in `POST /slack/command`",
                "line 8: the path `slack` does not start with a slash; write `/slack`",
            ],
        );
    }

    #[test]
    fn it_finds_variables_that_lambda_refuses() {
        let text = "is not a name of a variable; write two or more letters, digits and `_`";
        finds(
            "Environment: { Variables: { AB: x, a_1: x } }\n\
             A: { Environment: { Variables: { 1EVEL: x } } }\n\
             B: { Environment: { Variables: { A: x } } }\n\
             C: { Environment: { Variables: { A-B: x } } }\n",
            &[
                &format!("line 2: `1EVEL` {text}"),
                &format!("line 3: `A` {text}"),
                &format!("line 4: `A-B` {text}"),
            ],
        );
    }

    #[test]
    fn it_finds_what_only_a_local_run_may_do() {
        let text = "NETWORKS_ON_LOOPBACK lets servers that people name be asked where only our own are; \
                    remove it";
        let globals = "Globals:\n  Function:\n    Environment:\n      Variables:\n        AB: x\n";
        for value in ["'true'", "'false'", "!Ref Loopback"] {
            let template = format!("{globals}        NETWORKS_ON_LOOPBACK: {value}\n");
            finds(&template, &[&format!("line 6: {text}")]);
        }
    }

    #[test]
    fn it_finds_what_hides_something() {
        finds("A: 1\nA: 2\n", &["line 2: `A` is here twice, first on line 1; remove one"]);
        finds(
            "A: [\n",
            &[
                "line 2: this is not YAML at column 1: while parsing a node, did not find expected node content",
            ],
        );
    }
}
