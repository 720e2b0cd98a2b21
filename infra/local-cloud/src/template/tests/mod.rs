//! Templates as people write them, right and wrong.

mod any_text;
mod events;
mod functions;
mod routes;
mod rules;
mod secrets;
mod tables;
mod values;

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::{
    Template,
    routes::{Method, Route},
    secrets::SecretValue,
    tables::{Attribute, AttributeKind, Index, Projection, TableDefinition, TableKey},
    values::EnvValue,
};
use crate::yaml::Finding;

const REAL: &str = include_str!("../../../../../template.yaml");

/// Small, and with one of everything that is read.
const GOOD: &str = r#"Transform: AWS::Serverless-2016-10-31
Parameters:
  Level: { Type: String, Default: info }
  Bare: { Type: String }
Conditions:
  Small: !Equals [!Ref Level, info]
Globals:
  Function:
    Runtime: provided.al2023
    Environment: { Variables: { TABLE_NAME: !Ref Table, LEVEL: none } }
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions:
        - { AttributeName: pk, AttributeType: S }
        - { AttributeName: at, AttributeType: N }
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      GlobalSecondaryIndexes:
        - IndexName: by_at
          KeySchema: [{ AttributeName: pk, KeyType: HASH }, { AttributeName: at, KeyType: RANGE }]
          Projection: { ProjectionType: ALL }
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
  Bus: { Type: AWS::Events::EventBus }
  Keyring:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
  Queue: { Type: AWS::SQS::Queue }
  Tick:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: tick } }
    Properties:
      Timeout: 50
      Environment:
        Variables:
          LEVEL: !Sub x=${Level}
      Events:
        Minute:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(1 minute)
            Input: '{}'
        Due:
          Type: EventBridgeRule
          Properties:
            EventBusName: !Ref Bus
            Pattern: { source: [flockwork], detail: { kind: [a, b] } }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Answer:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Tick.Arn }
  Hook:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: POST /hook, Target: !Sub 'integrations/${Answer}' }
"#;

#[track_caller]
fn good(text: &str) -> Template {
    Template::parse(text).unwrap_or_else(|findings| panic!("{findings}"))
}

#[track_caller]
fn findings(text: &str) -> String {
    let findings = Template::parse(text).expect_err("it is wrong").0;
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// The good template with what is after `-` changed to what is after `+` has the findings after `=`.
fn check_all(cases: &str) {
    for case in cases.trim_matches('\n').split("\n\n") {
        let lines = |mark: &str| {
            case.lines().filter_map(|line| line.strip_prefix(mark)).collect::<Vec<_>>().join("\n")
        };
        let (from, to) = (lines("- "), lines("+ "));
        let teach = "remove it, or teach it in infra/local-cloud/src/template";
        let expected = lines("= ").replace("{teach}", teach);
        assert_eq!(GOOD.matches(&from).count(), 1, "{from:?} is there once");
        let found = findings(&GOOD.replacen(&from, &to, 1));
        assert_eq!(found, expected, "{case}");
    }
}

/// The good template with one thing changed is still good.
#[track_caller]
fn changed(from: &str, to: &str) -> Template {
    assert_eq!(GOOD.matches(from).count(), 1, "{from:?} is there once");
    good(&GOOD.replacen(from, to, 1))
}

fn text(text: &str) -> EnvValue {
    EnvValue::Text(text.to_owned())
}

#[test]
fn the_real_template_is_read() {
    let template = good(REAL);
    assert_eq!(template.table.ttl_attribute.as_deref(), Some("ttl"));
    let tick = template.functions.iter().find(|function| function.binary == "sheep-tick");
    let tick = tick.expect("sheep-tick is a function");
    assert_eq!(tick.environment["TABLE_NAME"], EnvValue::Table);
    assert_eq!(tick.environment["BUS_NAME"], EnvValue::Bus);
    assert_eq!(tick.environment["KEYRING_SECRET"], EnvValue::Secret("Keyring".to_owned()));
    assert_eq!(tick.environment["DUE_SHARDS"], text("1"));
    assert_eq!(tick.schedules[0].schedule.to_string(), "rate(1 minute)");
    assert!(tick.rules[0].pattern.matches("flockwork", "shard.due", &json!({})));
    for function in &template.functions {
        let line = REAL.lines().nth(function.line - 1).expect("the line is there");
        assert_eq!(line, format!("  {}:", function.logical_id));
    }
}

#[test]
fn everything_is_read() {
    let template = good(GOOD);
    let [tick] = &template.functions[..] else { panic!("one function") };
    assert_eq!((tick.logical_id.as_str(), tick.line, tick.binary.as_str()), ("Tick", 30, "tick"));
    assert_eq!(tick.timeout, Duration::from_secs(50));
    let environment =
        [("LEVEL", text("x=info")), ("TABLE_NAME", EnvValue::Table)].map(|(k, v)| (k.into(), v));
    assert_eq!(tick.environment, BTreeMap::from(environment));
    let [minute] = &tick.schedules[..] else { panic!("one schedule") };
    assert_eq!(minute.schedule.to_string(), "rate(1 minute)");
    assert_eq!(minute.input, json!({}));
    let [due] = &tick.rules[..] else { panic!("one rule") };
    assert!(due.pattern.matches("flockwork", "x", &json!({ "kind": "b" })));
    let hook = Route { method: Method::Post, path: "/hook".to_owned(), line: 53 };
    assert_eq!(tick.routes, [hook]);
    let attribute = |name: &str, kind| Attribute { name: name.to_owned(), kind };
    let (pk, at) = (attribute("pk", AttributeKind::Text), attribute("at", AttributeKind::Number));
    let index = Index {
        name: "by_at".to_owned(),
        key: TableKey { hash: pk.clone(), range: Some(at.clone()) },
        projection: Projection::All,
    };
    let table = TableDefinition {
        key: TableKey { hash: pk.clone(), range: None },
        indexes: vec![index],
        ttl_attribute: Some("ttl".to_owned()),
        attributes: vec![pk, at],
    };
    assert_eq!(template.table, table);
    let [keyring] = &template.secrets[..] else { panic!("one secret") };
    assert_eq!(keyring.logical_id.as_str(), "Keyring");
    let SecretValue::Generated { template: object, key, length } = &keyring.value else {
        panic!("a generated secret")
    };
    assert_eq!((json!(object), key.as_str(), *length), (json!({ "a": 1 }), "k", 32));
}

#[test]
fn problems_of_sections_and_parameters_are_named() {
    check_all(
        r#"
- Transform: AWS::Serverless-2016-10-31
+ Description: x
= line 1: the template has no `Transform`; write AWS::Serverless-2016-10-31

- Transform: AWS::Serverless-2016-10-31
+ Transform: [AWS::LanguageExtensions]
= line 1: `Transform` of the template must be AWS::Serverless-2016-10-31, not a list

- Level: { Type: String, Default: info }
+ Level: { Type: "AWS::SSM::Parameter::Value<String>", Default: info }
= line 3: `Type` of the parameter `Level` must be String or Number or CommaDelimitedList, not `AWS::SSM::Parameter::Value<String>`

- Level: { Type: String, Default: info }
+ Level: { Type: String, Default: 1.10 }
= line 3: `1.10` may be more than text to CloudFormation; quote it

- Level: { Type: String, Default: info }
+ Level: { Type: String, Default: }
= line 3: `Default` of the parameter `Level` must be text, not empty

- Level: { Type: String, Default: info }
+ Level: { Type: String, Default: [a] }
= line 3: `Default` of the parameter `Level` must be text, not a list

- Level: { Type: String, Default: info }
+ Level: String
= line 3: the parameter `Level` must be a mapping, not `String`

-     Runtime: provided.al2023
+     Runtime: nodejs22.x
= line 9: `Runtime` of `Function` of `Globals` of the template must be provided.al2023 or provided.al2, not `nodejs22.x`

-     Runtime: provided.al2023
+     Layers: [x]
= line 9: the local run does not do `Layers` of `Function` of `Globals` of the template; {teach}

- Resources:
+ Outputs:
= line 1: the template has no `Resources`; write at least a table and an event bus
"#,
    );
}

#[test]
fn problems_of_resources_are_named() {
    check_all(
        r"
- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::SQS::Que }
= line 29: the local run does not know the type AWS::SQS::Que; {teach}

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::Events::Rule }
= line 29: the local run does not know the type AWS::Events::Rule; write an EventBridgeRule among the function's `Events`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Properties: {} }
= line 29: `Queue` has no `Type`; write what kind of resource it is

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: !Ref Level }
= line 29: `Type` of `Queue` must be text, not `!Ref`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: WEBSOCKET, Body: {} } }
= line 29: the local run does not do `Body` of `Queue`; {teach}
= line 29: `ProtocolType` of `Queue` must be HTTP, not `WEBSOCKET`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::Lambda::EventInvokeConfig, Properties: { DestinationConfig: { OnSuccess: x } } }
= line 29: the local run does not know the type AWS::Lambda::EventInvokeConfig; write an `EventInvokeConfig` in the function

- Queue: { Type: AWS::SQS::Queue }
+ Queue: AWS::SQS::Queue
= line 29: `Queue` must be a mapping, not `AWS::SQS::Queue`

- Queue: { Type: AWS::SQS::Queue }
+ Queue:
= line 29: `Queue` must be a mapping, not empty

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::DynamoDB::Table, Properties: { AttributeDefinitions: [{ AttributeName: a, AttributeType: S }], KeySchema: [{ AttributeName: a, KeyType: HASH }] } }
= line 29: this is a second table, the first is on line 12; keep one

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::Events::EventBus }
= line 29: this is a second event bus, the first is on line 24; keep one

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::SecretsManager::Secret, Condition: Smal }
= line 29: there is no condition `Smal`; correct it

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::SecretsManager::Secret, Condition: [Small] }
= line 29: a condition must be a name, not a list

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::Serverless::HttpApi, Properties: { Auth: {} } }
= line 29: the local run does not know the type AWS::Serverless::HttpApi; write an AWS::ApiGatewayV2::Api

-   Bus: { Type: AWS::Events::EventBus }
+   Bus: { Type: AWS::SQS::Queue }
= line 11: there is no event bus; write one resource of type AWS::Events::EventBus
= line 47: `EventBusName` of `Due` of `Tick` needs a name of `Bus`, but AWS::SQS::Queue is not run locally; remove it

-   Bus: { Type: AWS::Events::EventBus }
+   Bus: { Type: AWS::Events::EventBus, Properties: { EventSourceName: x } }
= line 24: the local run does not do `EventSourceName` of `Bus`; {teach}
",
    );
}

#[test]
fn a_file_that_is_no_template_is_refused() {
    let check = |text: &str, expected: &str| assert_eq!(findings(text), expected, "{text:?}");
    check("", "line 1: the file is empty");
    check("- a\n", "line 1: the template must be a mapping, not a list");
    check("\nhello\n", "line 2: the template must be a mapping, not `hello`");
    check("!Ref x\n", "line 1: the template must be a mapping, not `!Ref`");
    let not_yaml = "mapping values are not allowed in this context";
    let text = format!("line 2: this is not YAML at column 3: {not_yaml}");
    check("a: 1\n b: 2\n", &text);
}

#[test]
fn all_problems_are_found_at_once() {
    let text = format!("{GOOD}Bus: 1\nBus: 2\n? [a]\n: b\nOutputs:\n  A: !Reff B\n  A: !Ref C\n");
    let expected = "template.yaml:57: `Bus` is here twice, first on line 56; remove one\n\
             template.yaml:58: only text can be a key; write a name\n\
             template.yaml:62: `A` is here twice, first on line 61; remove one";
    let found = Template::parse(&text).expect_err("it is wrong");
    assert_eq!(found.to_string(), expected);
    assert_eq!(found.findings().len(), 3);
}
