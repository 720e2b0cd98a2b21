//! What `template.yaml` says, as far as it matters on one machine.
//!
//! Strict: what the local run cannot do is a [`Finding`] that names its line, and all findings are
//! found at once. Properties that mean nothing locally are passed over; whether what a template
//! names exists, and is spelt so, is for cfn-lint. Knows nothing of files, of AWS's
//! APIs, of how anything is run, or of YAML beyond [`crate::yaml`].

mod conditions;
mod functions;
mod routes;
mod rules;
mod schedules;
mod secrets;
mod tables;
#[cfg(test)]
mod tests;
mod values;

pub use self::{
    functions::Function,
    routes::{Method, Route},
    rules::{EventPattern, EventRule},
    schedules::ScheduleEvent,
    secrets::{SecretDefinition, SecretValue},
    tables::{Attribute, AttributeKind, Index, Projection, TableDefinition, TableKey},
    values::EnvValue,
};

pub(crate) use self::routes::{check_path, route_key};

use std::{collections::BTreeMap, fmt};

use self::conditions::Conditions;
use crate::yaml::{self, Finding, Findings, NOTHING, Node, Value};

/// The parts of a template that are run.
#[derive(Debug, Clone)]
pub struct Template {
    /// In the order of the file.
    pub functions: Vec<Function>,
    /// The one table.
    pub table: TableDefinition,
    /// In the order of the file.
    pub secrets: Vec<SecretDefinition>,
}

/// All that is wrong with a template, by line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError(Vec<Finding>);

impl TemplateError {
    /// What was found, by line.
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Finding { line, text }) in self.0.iter().enumerate() {
            let newline = if place == 0 { "" } else { "\n" };
            write!(f, "{newline}template.yaml:{line}: {text}")?;
        }
        Ok(())
    }
}

impl Template {
    /// Reads the text of a `template.yaml`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let findings = Findings::default();
        let root = yaml::document(text, &findings);
        let template = root.and_then(|root| template(&root, &findings));
        let findings = findings.sorted();
        match template {
            Some(template) if findings.is_empty() => Ok(template),
            _ => Err(TemplateError(findings)),
        }
    }
}

const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

const FUNCTION: &str = "AWS::Serverless::Function";

const TABLE: &str = "AWS::DynamoDB::Table";

const BUS: &str = "AWS::Events::EventBus";

const SECRET: &str = "AWS::SecretsManager::Secret";

const API: &str = "AWS::ApiGatewayV2::Api";

const INTEGRATION: &str = "AWS::ApiGatewayV2::Integration";

const ROUTE: &str = "AWS::ApiGatewayV2::Route";

/// Types that have no meaning on one machine: permissions, failed deliveries, observation, names.
const PASSED_OVER_TYPES: &str = "
    AWS::ApiGatewayV2::ApiMapping AWS::ApiGatewayV2::Deployment AWS::ApiGatewayV2::DomainName
    AWS::ApiGatewayV2::Stage AWS::Budgets::Budget AWS::CertificateManager::Certificate
    AWS::CloudWatch::Alarm AWS::CloudWatch::CompositeAlarm AWS::CloudWatch::Dashboard
    AWS::Events::Archive AWS::Events::EventBusPolicy AWS::IAM::ManagedPolicy AWS::IAM::Policy
    AWS::IAM::Role AWS::KMS::Alias AWS::KMS::Key AWS::Lambda::Permission AWS::Logs::LogGroup
    AWS::Logs::MetricFilter AWS::Logs::QueryDefinition AWS::Logs::ResourcePolicy
    AWS::Route53::RecordSet AWS::SNS::Subscription AWS::SNS::Topic AWS::SNS::TopicPolicy
    AWS::SQS::Queue AWS::SQS::QueuePolicy AWS::Scheduler::ScheduleGroup
    AWS::SecretsManager::ResourcePolicy";

/// What says the same as something that is not known here.
const BETTER: &[(&str, &str)] = &[
    ("AWS::Events::Rule", "write an EventBridgeRule among the function's `Events`"),
    ("AWS::Lambda::EventInvokeConfig", "write an `EventInvokeConfig` in the function"),
    ("AWS::Lambda::Function", "write an AWS::Serverless::Function"),
    ("AWS::Scheduler::Schedule", "write a ScheduleV2 among the function's `Events`"),
    ("AWS::Serverless::HttpApi", "write an AWS::ApiGatewayV2::Api"),
    ("AWS::Serverless::SimpleTable", "write an AWS::DynamoDB::Table"),
    ("Api", "write an AWS::ApiGatewayV2::Route and its Integration"),
    ("CloudWatchEvent", "write an EventBridgeRule"),
    // The emulator that deployments are tested on makes no routes of it.
    ("HttpApi", "write an AWS::ApiGatewayV2::Route and its Integration"),
    ("Schedule", "write a ScheduleV2"),
];

/// Routes that are written elsewhere, and answers that no function gives.
const NOT_DONE_OF_API: &str = "BasePath Body BodyS3Location CorsConfiguration RouteKey Target";

/// A partner's events.
const NOT_DONE_OF_BUS: &str = "EventSourceName";

fn is_in(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

fn better(kind: &str) -> &'static str {
    let better = BETTER.iter().find(|(worse, _)| *worse == kind);
    better.map_or("remove it, or teach it in infra/local-cloud/src/template", |(_, better)| better)
}

/// A resource or an event of a function.
struct Typed<'n> {
    kind: Value<'n>,
    properties: Value<'n>,
}

struct Resource<'n> {
    id: &'n str,
    node: &'n Node,
    kind: &'n str,
    properties: Value<'n>,
}

/// What is known of the whole template while its parts are read.
struct Reading<'n> {
    /// Defaults of the parameters.
    parameters: BTreeMap<&'n str, Option<String>>,
    /// As these make them.
    conditions: Conditions<'n>,
    /// Types of the resources.
    kinds: BTreeMap<&'n str, &'n str>,
}

/// None only when there is a finding; there may be one in any case.
fn template(root: &Node, findings: &Findings) -> Option<Template> {
    let what = "the template".to_owned();
    let root = Value { node: root, line: root.line, what, findings };
    let sections = root.mapping()?;
    sections.need("Transform", TRANSFORM);
    choice(&sections, "Transform", &[TRANSFORM]);
    let all = sections.need("Resources", "at least a table and an event bus")?;
    let parameters = parameters(&sections);
    let conditions = Conditions::read(sections.node, &parameters);
    let resources = resources(&all.mapping()?, &conditions);
    let reading = Reading {
        parameters,
        conditions,
        kinds: resources.iter().map(|resource| (resource.id, resource.kind)).collect(),
    };
    let common = reading.globals(&sections);
    let of = |kind| resources.iter().filter(move |resource| resource.kind == kind);
    let the_only = |kind, what: &str| {
        let mut found = of(kind).map(|resource| &resource.properties);
        let Some(first) = found.next() else {
            all.finding(format!("there is no {what}; write one resource of type {kind}"));
            return None;
        };
        for second in found {
            let text = format!("this is a second {what}, the first is on line {}", first.line);
            second.finding(text + "; keep one");
        }
        Some(first)
    };
    let table = the_only(TABLE, "table").and_then(|fields| reading.table(fields));
    if let Some(bus) = the_only(BUS, "event bus") {
        none_of(NOT_DONE_OF_BUS, bus);
    }
    let mut functions: Vec<Function> =
        of(FUNCTION).map(|resource| reading.function(resource, common.clone())).collect();
    for api in of(API) {
        none_of(NOT_DONE_OF_API, &api.properties);
        choice(&api.properties, "ProtocolType", &["HTTP"]);
    }
    reading.routes(of(INTEGRATION).collect(), of(ROUTE).collect(), &mut functions);
    let secrets = of(SECRET).filter_map(|resource| {
        let value = reading.secret(&resource.properties)?;
        Some(SecretDefinition { logical_id: resource.id.to_owned(), value })
    });
    let secrets = secrets.collect();
    Some(Template { functions, table: table?, secrets })
}

fn parameters<'n>(sections: &Value<'n>) -> BTreeMap<&'n str, Option<String>> {
    let section = sections.get("Parameters").and_then(|section| section.mapping());
    let mut parameters = BTreeMap::new();
    for (name, value) in section.iter().flat_map(Value::iter) {
        let what = format!("the parameter `{name}`");
        // What is wrong already need not be reported as missing too.
        let default = match (Value { what, ..value }).mapping() {
            None => Some(String::new()),
            Some(parameter) => {
                choice(&parameter, "Type", &["String", "Number", "CommaDelimitedList"]);
                parameter.get("Default").map(|value| value.plain_text().unwrap_or_default())
            }
        };
        parameters.insert(name, default);
    }
    parameters
}

/// Without those that are not there while the parameters have their defaults.
fn resources<'n>(section: &Value<'n>, conditions: &Conditions<'n>) -> Vec<Resource<'n>> {
    let mut resources = Vec::new();
    for (id, value) in section.iter() {
        let node = value.node;
        let value = Value { what: format!("`{id}`"), ..value };
        let typed = typed(&value, "what kind of resource it is");
        let Some(Typed { kind, properties }) = typed else { continue };
        let Some(text) = kind.node.scalar() else {
            kind.must_be("text");
            continue;
        };
        match text {
            FUNCTION | TABLE | BUS | SECRET | API | INTEGRATION | ROUTE => {
                if let Some(condition) = node.get("Condition") {
                    match conditions.holds(condition) {
                        Ok(true) => {}
                        Ok(false) => continue,
                        Err(text) => value.findings.add(condition.line, text),
                    }
                }
            }
            passed_over if is_in(PASSED_OVER_TYPES, passed_over) => {}
            other => {
                let text = format!("the local run does not know the type {other}; ");
                value.finding(text + better(other));
            }
        }
        resources.push(Resource { id, node, kind: text, properties });
    }
    resources
}

fn typed<'n>(value: &Value<'n>, kinds: &str) -> Option<Typed<'n>> {
    let fields = value.mapping()?;
    let properties = fields.get("Properties").and_then(|properties| properties.mapping());
    let node = properties.map_or(&NOTHING, |properties| properties.node);
    let kind = fields.need("Type", kinds)?;
    Some(Typed { kind, properties: Value { node, ..fields } })
}

/// None of these is there: each would be otherwise here than on AWS, if it were passed over. All others have no meaning on one
/// machine.
fn none_of(words: &str, fields: &Value<'_>) {
    refuse(fields, |key| is_in(words, key));
}

fn refuse(fields: &Value<'_>, is_refused: impl Fn(&str) -> bool) {
    for (_, value) in fields.iter().filter(|(key, _)| is_refused(key)) {
        value.finding(format!("the local run does not do {}; {}", value.what, better("")));
    }
}

/// The value, if it is there and one of these.
fn choice<'n>(fields: &Value<'n>, key: &str, allowed: &[&str]) -> Option<&'n str> {
    fields.get(key)?.choice(allowed)
}

fn is_enabled(fields: &Value<'_>) -> bool {
    choice(fields, "State", &["ENABLED", "DISABLED"]) != Some("DISABLED")
}
