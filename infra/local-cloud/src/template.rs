//! What `template.yaml` says, as far as it matters on one machine.
//!
//! Strict: what the local run cannot do is a [`Finding`] that names its line, and all findings are
//! found at once. Resource types and properties that mean nothing locally are listed here and
//! passed over; whether what they name exists is for cfn-lint. Knows nothing of files, of AWS's
//! APIs, of how anything is run, or of YAML beyond [`crate::yaml`].

use crate::{
    schedule::{Expression, Schedule},
    yaml::{self, Finding, Findings, NOTHING, Node, Value},
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value as Json;
use std::{collections::BTreeMap, fmt, ops::RangeInclusive, time::Duration};

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

/// A program that is started by schedules, events or requests.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name in the template.
    pub logical_id: String,
    /// Where it is defined.
    pub line: usize,
    /// Name of the program, and of its package.
    pub binary: String,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// With what `Globals` gives to all.
    pub environment: BTreeMap<String, EnvValue>,
    /// When it is started by the clock. What is disabled is left out.
    pub schedules: Vec<ScheduleEvent>,
    /// Which events start it. What is disabled is left out.
    pub rules: Vec<EventRule>,
    /// Which requests it answers.
    pub routes: Vec<Route>,
}

/// What a variable of the environment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// As it stands; parameters have their defaults.
    Text(String),
    /// The name of the table.
    Table,
    /// The name of the event bus.
    Bus,
    /// The name of the secret with this logical id.
    Secret(String),
}

/// A schedule that starts a function.
#[derive(Debug, Clone)]
pub struct ScheduleEvent {
    /// When it fires.
    pub schedule: Schedule,
    /// What the function is given.
    pub input: Json,
}

/// A rule that starts a function with an event from the bus.
#[derive(Debug, Clone)]
pub struct EventRule {
    /// Which events.
    pub pattern: EventPattern,
}

/// Which events a rule is for: lists of exact texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPattern {
    source: Option<Vec<String>>,
    detail_type: Option<Vec<String>>,
    /// By field at the top of the detail.
    detail: BTreeMap<String, Vec<String>>,
}

/// A request that a function answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Starts with a slash; `{name}` stands for one part and `{name+}` for all that follow.
    pub path: String,
    /// Where it is defined.
    pub line: usize,
}

/// The method of a [`Route`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Every one for which the path has no route of its own.
    Any,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

/// The table, as `CreateTable` and `UpdateTimeToLive` want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// The primary key.
    pub key: TableKey,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute that says when an item expires.
    pub ttl_attribute: Option<String>,
    /// Every attribute that is in a key, in the order of the file.
    pub attributes: Vec<Attribute>,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableKey {
    /// The partition key.
    pub hash: Attribute,
    /// The sort key.
    pub range: Option<Attribute>,
}

/// An attribute that is part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: AttributeKind,
}

/// The type of an [`Attribute`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// `S`
    Text,
    /// `N`
    Number,
    /// `B`
    Binary,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: TableKey,
    /// What it holds besides the keys.
    pub projection: Projection,
}

/// What an [`Index`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Only the keys of the index and of the table.
    KeysOnly,
    /// The whole item.
    All,
}

/// A secret, as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDefinition {
    /// Its name in the template.
    pub logical_id: String,
    /// What it holds at first.
    pub value: SecretValue,
}

/// What a secret holds at first. A password is random letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretValue {
    /// Nothing.
    Empty,
    /// This text.
    Literal(String),
    /// A password of this many characters.
    Password {
        /// Characters.
        length: usize,
    },
    /// A JSON object with one more key, whose value is a password.
    Generated {
        /// The object without the key.
        template: serde_json::Map<String, Json>,
        /// The key.
        key: String,
        /// Characters of the password.
        length: usize,
    },
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

impl EventPattern {
    /// The kinds of events it is for; none where it is for all.
    pub fn kinds(&self) -> &[String] {
        self.detail_type.as_deref().unwrap_or_default()
    }

    /// Whether an event is one of those that the rule is for.
    pub fn matches(&self, source: &str, detail_type: &str, detail: &Json) -> bool {
        let has = |allowed: &Option<Vec<String>>, text: &str| {
            allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|allowed| allowed == text))
        };
        let field_has = |(field, allowed): (&String, &Vec<String>)| {
            let is_allowed = |value: &Json| {
                value.as_str().is_some_and(|text| allowed.iter().any(|allowed| allowed == text))
            };
            // A list matches when one of its values does, as on AWS.
            detail.get(field).is_some_and(|value| match value {
                Json::Array(values) => values.iter().any(is_allowed),
                value => is_allowed(value),
            })
        };
        has(&self.source, source)
            && has(&self.detail_type, detail_type)
            && self.detail.iter().all(field_has)
    }
}

impl Method {
    const ALL: [Self; 8] = [
        Self::Any,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
        Self::Delete,
    ];

    /// Its name in capitals; `ANY` for all.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Reads it in capitals.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a method; write one of {known}")
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl AttributeKind {
    /// Its letter in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }
}

// --- What a template may hold: lists of words ---

const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

const SECTIONS: &str = "AWSTemplateFormatVersion Conditions Description Globals Mappings Metadata
    Outputs Parameters Resources Rules Transform";

const RESOURCE_ATTRIBUTES: &str = "Condition CreationPolicy DeletionPolicy DependsOn Metadata
    Properties Type UpdatePolicy UpdateReplacePolicy";

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

const FUNCTION_PROPERTIES: &str = "Architectures AutoPublishAlias CodeUri DeadLetterQueue
    Description Environment EphemeralStorage EventInvokeConfig Events FunctionName Handler KmsKeyArn
    LoggingConfig MemorySize PermissionsBoundary Policies PropagateTags
    ProvisionedConcurrencyConfig RecursiveLoop ReservedConcurrentExecutions Role RolePath Runtime
    RuntimeManagementConfig Tags Timeout Tracing";

/// A firing at the beginning of a `FlexibleTimeWindow` is within it.
const SCHEDULE_PROPERTIES: &str =
    "DeadLetterConfig Description EndDate FlexibleTimeWindow GroupName
    Input KmsKeyArn Name OmitName PermissionsBoundary RetryPolicy RoleArn ScheduleExpression
    ScheduleExpressionTimezone StartDate State";

const RULE_PROPERTIES: &str =
    "DeadLetterConfig EventBusName Pattern RetryPolicy RuleName State Target";

const API_PROPERTIES: &str =
    "Description DisableExecuteApiEndpoint FailOnWarnings Name ProtocolType Tags Version";

const INTEGRATION_PROPERTIES: &str = "ApiId Description IntegrationMethod IntegrationType
    IntegrationUri PayloadFormatVersion TimeoutInMillis";

const ROUTE_PROPERTIES: &str = "ApiId AuthorizationType OperationName RouteKey Target";

const TABLE_PROPERTIES: &str = "AttributeDefinitions BillingMode ContributorInsightsSpecification
    DeletionProtectionEnabled GlobalSecondaryIndexes KeySchema OnDemandThroughput
    PointInTimeRecoverySpecification ProvisionedThroughput ResourcePolicy SSESpecification
    TableClass TableName Tags TimeToLiveSpecification WarmThroughput";

const INDEX_PROPERTIES: &str = "ContributorInsightsSpecification IndexName KeySchema
    OnDemandThroughput Projection ProvisionedThroughput WarmThroughput";

const SECRET_PROPERTIES: &str =
    "Description GenerateSecretString KmsKeyId Name ReplicaRegions SecretString Tags";

/// Letters and digits are within what these ask for.
const GENERATE_PROPERTIES: &str = "ExcludePunctuation GenerateStringKey PasswordLength
    RequireEachIncludedType SecretStringTemplate";

const BUS_PROPERTIES: &str =
    "DeadLetterConfig Description KmsKeyIdentifier LogConfig Name Policy Tags";

/// Lambda's own, when a template says nothing.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUTS_SECONDS: RangeInclusive<u64> = 1..=900;

/// Secrets Manager's own, when a template says nothing.
const DEFAULT_PASSWORD_LENGTH: u64 = 32;
const PASSWORD_LENGTHS: RangeInclusive<u64> = 1..=4096;

fn is_in(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

fn better(kind: &str) -> &'static str {
    let better = BETTER.iter().find(|(worse, _)| *worse == kind);
    better
        .map_or("remove it, or teach it in infra/local-cloud/src/template.rs", |(_, better)| better)
}

// --- Reading ---

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
    /// Types of the resources.
    kinds: BTreeMap<&'n str, &'n str>,
}

/// What functions have when they do not say.
#[derive(Clone)]
struct Common {
    timeout: Duration,
    environment: BTreeMap<String, EnvValue>,
}

/// None only when there is a finding; there may be one in any case.
fn template(root: &Node, findings: &Findings) -> Option<Template> {
    let what = "the template".to_owned();
    let root = Value { node: root, line: root.line, what, findings };
    let sections = fields(&root, SECTIONS)?;
    sections.need("Transform", TRANSFORM);
    choice(&sections, "Transform", &[TRANSFORM]);
    let all = sections.need("Resources", "at least a table and an event bus")?;
    let resources = resources(&all.mapping()?);
    let reading = Reading {
        parameters: parameters(&sections),
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
        only(bus, BUS_PROPERTIES);
    }
    let mut functions: Vec<Function> =
        of(FUNCTION).map(|resource| reading.function(resource, common.clone())).collect();
    for api in of(API) {
        only(&api.properties, API_PROPERTIES);
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

fn resources<'n>(section: &Value<'n>) -> Vec<Resource<'n>> {
    let mut resources = Vec::new();
    for (id, value) in section.iter() {
        let node = value.node;
        let value = Value { what: format!("`{id}`"), ..value };
        let typed = typed(&value, RESOURCE_ATTRIBUTES, "what kind of resource it is");
        let Some(Typed { kind, properties }) = typed else { continue };
        let Some(text) = kind.node.scalar() else {
            kind.must_be("text");
            continue;
        };
        match text {
            FUNCTION | TABLE | BUS | SECRET | API | INTEGRATION | ROUTE => {
                if let Some(condition) = node.get("Condition") {
                    let text = "the local run cannot tell whether the condition holds; remove it";
                    value.findings.add(condition.line, text);
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

fn typed<'n>(value: &Value<'n>, known: &str, kinds: &str) -> Option<Typed<'n>> {
    let fields = fields(value, known)?;
    let properties = fields.get("Properties").and_then(|properties| properties.mapping());
    let node = properties.map_or(&NOTHING, |properties| properties.node);
    let kind = fields.need("Type", kinds)?;
    Some(Typed { kind, properties: Value { node, ..fields } })
}

/// A mapping that has only these keys.
fn fields<'n>(value: &Value<'n>, known: &str) -> Option<Value<'n>> {
    let fields = value.mapping()?;
    only(&fields, known);
    Some(fields)
}

fn only(fields: &Value<'_>, known: &str) {
    for (_, value) in fields.iter().filter(|(key, _)| !is_in(known, key)) {
        value.finding(format!("the local run does not know {}; {}", value.what, better("")));
    }
}

/// The value, if it is there and one of these.
fn choice<'n>(fields: &Value<'n>, key: &str, allowed: &[&str]) -> Option<&'n str> {
    fields.get(key)?.choice(allowed)
}

fn is_enabled(fields: &Value<'_>) -> bool {
    choice(fields, "State", &["ENABLED", "DISABLED"]) != Some("DISABLED")
}

impl<'n> Reading<'n> {
    // Functions and what starts them.

    fn globals(&self, sections: &Value<'n>) -> Common {
        let common = Common { timeout: DEFAULT_TIMEOUT, environment: BTreeMap::new() };
        let globals = sections.get("Globals").and_then(|section| fields(&section, "Function"));
        let function = globals.and_then(|globals| globals.get("Function"));
        match function.and_then(|function| fields(&function, FUNCTION_PROPERTIES)) {
            Some(function) => self.common(&function, common),
            None => common,
        }
    }

    /// What `Globals` and a function may both say.
    fn common(&self, of: &Value<'n>, mut common: Common) -> Common {
        choice(of, "Runtime", &["provided.al2023", "provided.al2"]);
        let timeout = of.get("Timeout");
        let timeout = timeout.and_then(|value| self.number(&value, TIMEOUTS_SECONDS, "seconds"));
        common.timeout = timeout.map_or(common.timeout, Duration::from_secs);
        let environment = of.get("Environment").and_then(|value| fields(&value, "Variables"));
        let variables = environment.and_then(|environment| environment.get("Variables"));
        let variables = variables.and_then(|variables| variables.mapping());
        for (name, value) in variables.iter().flat_map(Value::iter) {
            let value = Value { what: format!("the variable `{name}`"), ..value };
            common.environment.extend(self.value(&value).map(|value| (name.to_owned(), value)));
        }
        common
    }

    fn function(&self, resource: &Resource<'n>, common: Common) -> Function {
        let properties = &resource.properties;
        only(properties, FUNCTION_PROPERTIES);
        // What failed is only logged locally; success has no place to go.
        let config = properties.get("EventInvokeConfig").and_then(|config| config.mapping());
        if let Some(destinations) = config.and_then(|config| config.get("DestinationConfig")) {
            fields(&destinations, "OnFailure");
        }
        let binary = self.binary(resource).unwrap_or_default();
        let Common { timeout, environment } = self.common(properties, common);
        let (mut schedules, mut rules) = (Vec::new(), Vec::new());
        let events = properties.get("Events").and_then(|events| events.mapping());
        for (name, value) in events.iter().flat_map(Value::iter) {
            let value = Value { what: format!("`{name}` of {}", properties.what), ..value };
            let typed = typed(&value, "Properties Type", "ScheduleV2 or EventBridgeRule");
            let Some(Typed { kind, properties }) = typed else { continue };
            match kind.node.scalar() {
                Some("ScheduleV2") => schedules.extend(self.schedule(&properties)),
                Some("EventBridgeRule") => rules.extend(self.rule(&properties)),
                other => {
                    let (found, better) = (kind.node.describe(), better(other.unwrap_or_default()));
                    let text = "the local run cannot start a function by";
                    kind.finding(format!("{text} {found}; {better}"));
                }
            }
        }
        Function {
            logical_id: resource.id.to_owned(),
            line: properties.line,
            binary,
            timeout,
            environment,
            schedules,
            rules,
            routes: Vec::new(),
        }
    }

    fn binary(&self, resource: &Resource<'n>) -> Option<String> {
        let Value { what: of, findings, line, .. } = &resource.properties;
        let metadata = resource.node.get("Metadata");
        let value = |node: &'n Node, key: &str| {
            let what = format!("`{key}` of {of}");
            Value { node, line: node.line, what, findings }
        };
        if let Some(method) = metadata.and_then(|metadata| metadata.get("BuildMethod")) {
            value(method, "BuildMethod").choice(&["rust-cargolambda"]);
        }
        let properties = metadata.and_then(|metadata| metadata.get("BuildProperties"));
        let Some(node) = properties.and_then(|properties| properties.get("Binary")) else {
            let text = "does not say which program it is; write `Binary` in its `Metadata`";
            findings.add(*line, format!("{of} {text}: `{{ BuildProperties: {{ Binary: ... }} }}`"));
            return None;
        };
        self.text(&value(node, "Binary"))
    }

    fn schedule(&self, fields: &Value<'n>) -> Option<ScheduleEvent> {
        only(fields, SCHEDULE_PROPERTIES);
        let schedule = self.when(fields);
        let input = fields.need("Input", "what the function is given");
        let input = input.and_then(|value| self.input(&value));
        let is_enabled = is_enabled(fields);
        let event = ScheduleEvent { schedule: schedule?, input: input? };
        is_enabled.then_some(event)
    }

    fn when(&self, fields: &Value<'n>) -> Option<Schedule> {
        let zone = fields.get("ScheduleExpressionTimezone");
        // What is wrong is a problem already, so any other will do.
        let zone = zone.and_then(|value| value.accept(zone_named(&self.text(&value)?)));
        let date = |key: &str| {
            let value = fields.get(key)?;
            value.accept(moment(&value, &self.text(&value)?))
        };
        let (start, end) = (date("StartDate"), date("EndDate"));
        if let (Some(start), Some(end)) = (start, end)
            && end <= start
        {
            let text = "ends before it starts; correct `StartDate` or `EndDate`";
            fields.finding(format!("{} {text}", fields.what));
        }
        let value = fields.need("ScheduleExpression", "when it fires")?;
        let expression = value.accept(self.text(&value)?.parse::<Expression>())?;
        value.accept(expression.within(zone.unwrap_or(TimeZone::UTC), start, end))
    }

    fn input(&self, value: &Value<'n>) -> Option<Json> {
        let (text, what) = (self.text(value)?, &value.what);
        if text.contains("<aws.scheduler.") {
            let text = "has a place for AWS to fill, which the local run does not; write it out";
            value.finding(format!("{what} {text}"));
            return None;
        }
        let parsed = serde_json::from_str(&text);
        value.accept(parsed.map_err(|error| format!("{what} must be JSON: {error}")))
    }

    fn rule(&self, of: &Value<'n>) -> Option<EventRule> {
        only(of, RULE_PROPERTIES);
        let is_enabled = is_enabled(of);
        if let Some(bus) = of.need("EventBusName", "`!Ref` and the bus it listens to")
            && self.value(&bus).is_some_and(|value| value != EnvValue::Bus)
        {
            bus.must_be("a `!Ref` to the event bus");
        }
        let pattern = of.need("Pattern", "which events it is for")?;
        let pattern = fields(&pattern, "detail detail-type source")?;
        not_empty(&pattern);
        let texts = |key: &str| pattern.get(key).and_then(|value| exact_texts(&value));
        let (source, detail_type) = (texts("source"), texts("detail-type"));
        let detail = pattern.get("detail").and_then(|detail| detail.mapping());
        detail.iter().for_each(not_empty);
        let detail = detail.iter().flat_map(Value::iter);
        let detail = detail
            .filter_map(|(field, value)| Some((field.to_owned(), exact_texts(&value)?)))
            .collect();
        let rule = EventRule { pattern: EventPattern { source, detail_type, detail } };
        is_enabled.then_some(rule)
    }

    /// Hands each route to the function behind its integration.
    fn routes(
        &self,
        integrations: Vec<&Resource<'n>>,
        routes: Vec<&Resource<'n>>,
        functions: &mut [Function],
    ) {
        let is = |kind: &'static str| {
            move |name: &&str| self.kinds.get(name).is_some_and(|known| *known == kind)
        };
        let mut function_of: BTreeMap<&str, &str> = BTreeMap::new();
        for Resource { id, properties, .. } in integrations {
            only(properties, INTEGRATION_PROPERTIES);
            choice(properties, "PayloadFormatVersion", &["2.0"]);
            choice(properties, "IntegrationType", &["AWS_PROXY"]);
            let uri = properties.need("IntegrationUri", "`!GetAtt` and the `Arn` of a function");
            let Some(uri) = uri else { continue };
            match resource_in(uri.node).filter(is(FUNCTION)) {
                Some(function) => drop(function_of.insert(id, function)),
                None => uri.must_be("the `Arn` of a function"),
            }
        }
        let mut lines: BTreeMap<(Method, String), usize> = BTreeMap::new();
        for Resource { properties, .. } in routes {
            only(properties, ROUTE_PROPERTIES);
            choice(properties, "AuthorizationType", &["NONE"]);
            let key = properties.need("RouteKey", "one, as in `POST /slack/command`");
            let key = key.and_then(|value| value.accept(route_key(&self.text(&value)?)));
            let integration = "`!Sub integrations/${...}` with an integration";
            let target = properties.need("Target", integration);
            let (Some((method, path)), Some(target)) = (key, target) else { continue };
            let line = properties.line;
            if let Some(first) = lines.insert((method, path.clone()), line) {
                let text = format!("`{method} {path}` is here twice, first on line {first}");
                properties.finding(text + "; remove one");
            }
            let Some(id) = resource_in(target.node).filter(is(INTEGRATION)) else {
                target.must_be(integration);
                continue;
            };
            let function = function_of.get(id);
            let mut functions = functions.iter_mut();
            // Without a function there is a finding already.
            if let Some(function) = functions.find(|known| Some(&&*known.logical_id) == function) {
                function.routes.push(Route { method, path, line });
            }
        }
    }

    // The table.

    fn table(&self, fields: &Value<'n>) -> Option<TableDefinition> {
        only(fields, TABLE_PROPERTIES);
        let attributes = self.attributes(fields);
        let key = self.key(fields, &attributes);
        let indexes = fields.get("GlobalSecondaryIndexes").and_then(|indexes| indexes.items());
        let indexes = indexes.unwrap_or_default();
        let indexes: Vec<_> = indexes.iter().map(|item| self.index(item, &attributes)).collect();
        let ttl = fields.get("TimeToLiveSpecification");
        let ttl_attribute = ttl.and_then(|ttl| self.ttl_attribute(&ttl));
        let (key, indexes) = (key?, indexes.into_iter().collect::<Option<Vec<Index>>>()?);
        let keys = || std::iter::once(&key).chain(indexes.iter().map(|index| &index.key));
        for unused in attributes.iter().filter(|attribute| {
            !keys().any(|key| key.hash == **attribute || key.range.as_ref() == Some(attribute))
        }) {
            fields.finding(format!("the attribute `{}` is in no key; remove it", unused.name));
        }
        Some(TableDefinition { key, indexes, ttl_attribute, attributes })
    }

    fn attributes(&self, fields: &Value<'n>) -> Vec<Attribute> {
        let items = fields.need("AttributeDefinitions", "the attributes of its keys");
        let items = items.and_then(|items| items.items()).unwrap_or_default();
        let read = |item: &Value<'n>| {
            let [name, kind] = self.pair(item, ["AttributeName", "AttributeType"])?;
            let kind = match kind.as_str() {
                "S" => AttributeKind::Text,
                "N" => AttributeKind::Number,
                "B" => AttributeKind::Binary,
                _ => {
                    let text = "must be S, N or B, not";
                    item.finding(format!("`AttributeType` of `{name}` {text} `{kind}`"));
                    return None;
                }
            };
            Some(Attribute { name, kind })
        };
        items.iter().filter_map(read).collect()
    }

    fn key(&self, fields: &Value<'n>, attributes: &[Attribute]) -> Option<TableKey> {
        let schema = fields.need("KeySchema", "its key")?;
        let (mut kinds, mut parts) = (Vec::new(), Vec::new());
        for item in schema.items()? {
            let [name, kind] = self.pair(&item, ["AttributeName", "KeyType"])?;
            let attribute = attributes.iter().find(|attribute| attribute.name == name).cloned();
            if attribute.is_none() {
                let text = "has no type; add it to `AttributeDefinitions`";
                item.finding(format!("`{name}` in {} {text}", schema.what));
            }
            kinds.push(kind);
            parts.push(attribute);
        }
        if kinds != ["HASH"] && kinds != ["HASH", "RANGE"] {
            let text = "must be one HASH and at most one RANGE after it";
            schema.finding(format!("{} {text}", schema.what));
            return None;
        }
        let mut parts = parts.into_iter().collect::<Option<Vec<Attribute>>>()?.into_iter();
        Some(TableKey { hash: parts.next()?, range: parts.next() })
    }

    fn index(&self, item: &Value<'n>, attributes: &[Attribute]) -> Option<Index> {
        let index = fields(item, INDEX_PROPERTIES)?;
        let name = self.text(&index.need("IndexName", "what the code calls it")?)?;
        let index = Value { what: format!("the index `{name}`"), ..index };
        let key = self.key(&index, attributes);
        let projection = index.need("Projection", "`{ ProjectionType: KEYS_ONLY }` or ALL")?;
        let projection = fields(&projection, "ProjectionType")?;
        let projection = projection.need("ProjectionType", "KEYS_ONLY or ALL")?;
        let projection = match projection.choice(&["KEYS_ONLY", "ALL"])? {
            "ALL" => Projection::All,
            _ => Projection::KeysOnly,
        };
        Some(Index { name, key: key?, projection })
    }

    fn ttl_attribute(&self, value: &Value<'n>) -> Option<String> {
        let ttl = fields(value, "AttributeName Enabled")?;
        if ttl.need("Enabled", "true or false")?.choice(&["true", "false"])? == "false" {
            return None;
        }
        self.text(&ttl.need("AttributeName", "which attribute says when")?)
    }

    /// Two texts under these keys.
    fn pair(&self, item: &Value<'n>, keys: [&str; 2]) -> Option<[String; 2]> {
        let fields = fields(item, &keys.join(" "))?;
        let [first, second] = keys.map(|key| self.text(&fields.need(key, "it")?));
        Some([first?, second?])
    }

    // Secrets.

    fn secret(&self, fields: &Value<'n>) -> Option<SecretValue> {
        only(fields, SECRET_PROPERTIES);
        match (fields.get("SecretString"), fields.get("GenerateSecretString")) {
            (None, None) => Some(SecretValue::Empty),
            (Some(text), None) => self.text(&text).map(SecretValue::Literal),
            (None, Some(generate)) => self.generated_secret(&generate),
            (Some(_), Some(generate)) => {
                let text = "has both `SecretString` and `GenerateSecretString`; remove one";
                generate.finding(format!("{} {text}", fields.what));
                None
            }
        }
    }

    fn generated_secret(&self, value: &Value<'n>) -> Option<SecretValue> {
        let fields = fields(value, GENERATE_PROPERTIES)?;
        let length = match fields.get("PasswordLength") {
            Some(length) => self.number(&length, PASSWORD_LENGTHS, "characters")?,
            None => DEFAULT_PASSWORD_LENGTH,
        };
        let length = usize::try_from(length).ok()?;
        match (fields.get("SecretStringTemplate"), fields.get("GenerateStringKey")) {
            (None, None) => Some(SecretValue::Password { length }),
            (Some(template), Some(key)) => {
                let parsed = serde_json::from_str(&self.text(&template)?);
                let what = &template.what;
                let parsed =
                    parsed.map_err(|error| format!("{what} must be a JSON object: {error}"));
                let (template, key) = (template.accept(parsed)?, self.text(&key)?);
                Some(SecretValue::Generated { template, key, length })
            }
            _ => {
                let text = "needs `SecretStringTemplate` and `GenerateStringKey`, or neither";
                fields.finding(format!("{} {text}", fields.what));
                None
            }
        }
    }

    // Values.

    fn number(&self, value: &Value<'n>, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let text = self.text(value)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (what, min, max) = (&value.what, range.start(), range.end());
            value.finding(format!("{what} must be {min} to {max} {unit}, not `{text}`"));
        }
        number
    }

    /// Text as it stands, or made from parameters.
    fn text(&self, value: &Value<'n>) -> Option<String> {
        match self.value(value)? {
            EnvValue::Text(text) => Some(text),
            EnvValue::Table | EnvValue::Bus | EnvValue::Secret(_) => {
                value.finding(format!("{} must be text, not the name of a resource", value.what));
                None
            }
        }
    }

    /// Text, or the name of a resource that is here.
    fn value(&self, value: &Value<'n>) -> Option<EnvValue> {
        let what = &value.what;
        let pieces = match (&value.node.tag, value.node.call()) {
            (None, _) => return value.plain_text().map(EnvValue::Text),
            (_, Some(("Ref", name))) => vec![Piece::Name(name)],
            (_, Some(("Sub", text))) => value.accept(pieces(text))?,
            (Some(function), _) => {
                let text = format!("the local run cannot work out `!{function}` for {what}");
                value.finding(text + "; write text, `!Ref` or `!Sub`");
                return None;
            }
        };
        let is_alone = pieces.len() == 1;
        let mut whole = String::new();
        for piece in pieces {
            let name = match piece {
                Piece::Text(text) => {
                    whole.push_str(text);
                    continue;
                }
                Piece::Name(name) => name,
            };
            let named = self.named(name).map_err(|text| format!("{what} {text}"));
            match value.accept(named)? {
                EnvValue::Text(text) => whole.push_str(&text),
                resource if is_alone => return Some(resource),
                EnvValue::Table | EnvValue::Bus | EnvValue::Secret(_) => {
                    value.finding(format!("{what} has `{name}` within text; use it alone"));
                    return None;
                }
            }
        }
        Some(EnvValue::Text(whole))
    }

    /// What a name stands for, or why it cannot be used.
    fn named(&self, name: &str) -> Result<EnvValue, String> {
        match (self.parameters.get(name), self.kinds.get(name)) {
            (Some(Some(default)), _) => Ok(EnvValue::Text(default.clone())),
            (Some(None), _) => {
                Err(format!("needs the parameter `{name}`, which has no default; give it one"))
            }
            (None, Some(&TABLE)) => Ok(EnvValue::Table),
            (None, Some(&BUS)) => Ok(EnvValue::Bus),
            (None, Some(&SECRET)) => Ok(EnvValue::Secret(name.to_owned())),
            (None, Some(&FUNCTION)) => {
                Err(format!("is the function `{name}`; functions meet on the bus, remove it"))
            }
            (None, Some(kind)) => {
                Err(format!("needs a name of `{name}`, but {kind} is not run locally; remove it"))
            }
            (None, None) => {
                Err(format!("needs `{name}`, which has no value here; correct it, or write text"))
            }
        }
    }
}

/// The zone, by the name that AWS knows it by: capitals count there.
fn zone_named(name: &str) -> Result<TimeZone, String> {
    let other = "use a name such as Europe/London";
    let zone = TimeZone::get(name).map_err(|_| format!("`{name}` is not a time zone; {other}"))?;
    match zone.iana_name() {
        Some(known) if known != name => Err(format!("`{name}` is not a time zone; write {known}")),
        _ => Ok(zone),
    }
}

fn moment(of: &Value<'_>, text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| format!("{} must be a time like 2026-01-01T00:00:00Z, not `{text}`", of.what))
}

fn not_empty(fields: &Value<'_>) {
    if fields.node.entries().is_empty() {
        fields.finding(format!("{} is empty; list exact texts", fields.what));
    }
}

/// The texts of a pattern; AWS tells `"1"` from `1`.
fn exact_texts(value: &Value<'_>) -> Option<Vec<String>> {
    let items = value.items()?;
    if items.is_empty() {
        value.finding(format!("{} is empty; list exact texts", value.what));
    }
    Some(items.iter().filter_map(Value::only_text).collect())
}

/// A piece of the text of a `!Sub`.
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The pieces, none of them empty.
fn pieces(mut text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once("${") {
        let closed = rest.split_once('}');
        let (name, after) = closed.ok_or("`!Sub` has a `${` that is not closed; write `}`")?;
        pieces.push(Piece::Text(before));
        if let Some(literal) = name.strip_prefix('!') {
            pieces.extend([Piece::Text("${"), Piece::Text(literal), Piece::Text("}")]);
        } else {
            pieces.push(Piece::Name(name));
        }
        text = after;
    }
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| !matches!(piece, Piece::Text("")));
    Ok(pieces)
}

/// The one resource that a function, as in `!GetAtt`, names.
fn resource_in(node: &Node) -> Option<&str> {
    let name = match node.call()? {
        ("GetAtt", name) => name,
        ("Sub", text) => {
            let pieces = pieces(text).ok()?;
            let mut names = pieces.into_iter().filter_map(|piece| match piece {
                Piece::Name(name) => Some(name).filter(|name| !name.starts_with("AWS::")),
                Piece::Text(_) => None,
            });
            names.next().filter(|_| names.next().is_none())?
        }
        _ => return None,
    };
    name.split('.').next()
}

/// Whether a path can be served, and deployed.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("the path `{path}` does not start with a slash; write `/{path}`"));
    };
    let mut parts = rest.split('/').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let inner = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let name =
            inner.map(|name| if is_last { name.strip_suffix('+').unwrap_or(name) } else { name });
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        };
        let is_text = |part: &str| {
            (is_last || !part.is_empty())
                && part.chars().all(|c| c.is_ascii_graphic() && !"{}?#\"<>\\^`|+*".contains(c))
        };
        if !name.map_or_else(|| is_text(part), is_name) {
            let text = format!("`{part}` in the path `{path}` cannot be served");
            return Err(text + "; write text or `{name}`, at the end also `{name+}`");
        }
    }
    Ok(())
}

/// The method and the path, as in `POST /slack/command`.
pub(crate) fn route_key(key: &str) -> Result<(Method, String), String> {
    let Some((method, path)) = key.split_once(' ') else {
        return Err(format!(
            "`{key}` is not a method and a path; write them as in `POST /slack/command`"
        ));
    };
    check_path(path)?;
    Ok((Method::parse(method)?, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure;
    use serde_json::json;

    const REAL: &str = include_str!("../../../template.yaml");

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
                case.lines()
                    .filter_map(|line| line.strip_prefix(mark))
                    .collect::<Vec<_>>()
                    .join("\n")
            };
            let (from, to) = (lines("- "), lines("+ "));
            let teach = "remove it, or teach it in infra/local-cloud/src/template.rs";
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
        assert_eq!(
            (tick.logical_id.as_str(), tick.line, tick.binary.as_str()),
            ("Tick", 30, "tick")
        );
        assert_eq!(tick.timeout, Duration::from_secs(50));
        let environment = [("LEVEL", text("x=info")), ("TABLE_NAME", EnvValue::Table)]
            .map(|(k, v)| (k.into(), v));
        assert_eq!(tick.environment, BTreeMap::from(environment));
        let [minute] = &tick.schedules[..] else { panic!("one schedule") };
        assert_eq!(minute.schedule.to_string(), "rate(1 minute)");
        assert_eq!(minute.input, json!({}));
        let [due] = &tick.rules[..] else { panic!("one rule") };
        assert!(due.pattern.matches("flockwork", "x", &json!({ "kind": "b" })));
        let hook = Route { method: Method::Post, path: "/hook".to_owned(), line: 53 };
        assert_eq!(tick.routes, [hook]);
        let attribute = |name: &str, kind| Attribute { name: name.to_owned(), kind };
        let (pk, at) =
            (attribute("pk", AttributeKind::Text), attribute("at", AttributeKind::Number));
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

- Conditions:
+ Condition:
= line 5: the local run does not know `Condition` of the template; {teach}

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

- Globals:
+ Globals:
+   Api: {}
= line 8: the local run does not know `Api` of `Globals` of the template; {teach}

-     Runtime: provided.al2023
+     Runtime: nodejs22.x
= line 9: `Runtime` of `Function` of `Globals` of the template must be provided.al2023 or provided.al2, not `nodejs22.x`

-     Runtime: provided.al2023
+     Layers: [x]
= line 9: the local run does not know `Layers` of `Function` of `Globals` of the template; {teach}

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
+ Queue: { Type: AWS::SQS::Queue, Timeout: 3 }
= line 29: the local run does not know `Timeout` of `Queue`; {teach}

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Properties: {} }
= line 29: `Queue` has no `Type`; write what kind of resource it is

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: !Ref Level }
= line 29: `Type` of `Queue` must be text, not `!Ref`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: WEBSOCKET, Body: {} } }
= line 29: the local run does not know `Body` of `Queue`; {teach}
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
+ Queue: { Type: AWS::SecretsManager::Secret, Condition: Small }
= line 29: the local run cannot tell whether the condition holds; remove it

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::Serverless::HttpApi, Properties: { Auth: {} } }
= line 29: the local run does not know the type AWS::Serverless::HttpApi; write an AWS::ApiGatewayV2::Api

-   Bus: { Type: AWS::Events::EventBus }
+   Bus: { Type: AWS::SQS::Queue }
= line 11: there is no event bus; write one resource of type AWS::Events::EventBus
= line 47: `EventBusName` of `Due` of `Tick` needs a name of `Bus`, but AWS::SQS::Queue is not run locally; remove it

-   Bus: { Type: AWS::Events::EventBus }
+   Bus: { Type: AWS::Events::EventBus, Properties: { EventSourceName: x } }
= line 24: the local run does not know `EventSourceName` of `Bus`; {teach}
",
        );
    }

    #[test]
    fn problems_of_references_are_named() {
        check_all(
            r"
- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Levle
= line 37: the variable `LEVEL` needs `Levle`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub x=${Levle}
= line 37: the variable `LEVEL` needs `Levle`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub x=${Level
= line 37: `!Sub` has a `${` that is not closed; write `}`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref [Level]
= line 37: the local run cannot work out `!Ref` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref
= line 37: the variable `LEVEL` needs ``, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Reff Level
= line 37: the local run cannot work out `!Reff` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !GetAtt Table.Arn
= line 37: the local run cannot work out `!GetAtt` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !GetAtt Tabel.Arn
= line 37: the local run cannot work out `!GetAtt` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !If [Small, a, b]
= line 37: the local run cannot work out `!If` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !If [Smaller, a, b]
= line 37: the local run cannot work out `!If` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub ${Table}-x
= line 37: the variable `LEVEL` has `Table` within text; use it alone

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub ['${a}', { a: b }]
= line 37: the local run cannot work out `!Sub` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Bare
= line 37: the variable `LEVEL` needs the parameter `Bare`, which has no default; give it one

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Queue
= line 37: the variable `LEVEL` needs a name of `Queue`, but AWS::SQS::Queue is not run locally; remove it

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Tick
= line 37: the variable `LEVEL` is the function `Tick`; functions meet on the bus, remove it

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref TickMinute
= line 37: the variable `LEVEL` needs `TickMinute`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref AWS::Region
= line 37: the variable `LEVEL` needs `AWS::Region`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref AWS::Regoin
= line 37: the variable `LEVEL` needs `AWS::Regoin`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: { Ref: Levle }
= line 37: the variable `LEVEL` must be text, not a mapping

- LEVEL: !Sub x=${Level}
+ LEVEL: { 'Fn::Base64': !Ref Level }
= line 37: the variable `LEVEL` must be text, not a mapping

- LEVEL: !Sub x=${Level}
+ LEVEL: yes
= line 37: `yes` may be more than text to CloudFormation; quote it

- LEVEL: !Sub x=${Level}
+ LEVEL: 010
= line 37: `010` may be more than text to CloudFormation; quote it

- LEVEL: !Sub x=${Level}
+ LEVEL:
= line 37: the variable `LEVEL` must be text, not empty

- LEVEL: !Sub x=${Level}
+ LEVEL: [a]
= line 37: the variable `LEVEL` must be text, not a list
",
        );
    }

    #[test]
    fn problems_of_functions_are_named() {
        check_all(
            r"
- , BuildProperties: { Binary: tick }
= line 30: `Tick` does not say which program it is; write `Binary` in its `Metadata`: `{ BuildProperties: { Binary: ... } }`

-     Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: tick } }
= line 30: `Tick` does not say which program it is; write `Binary` in its `Metadata`: `{ BuildProperties: { Binary: ... } }`

- Binary: tick
+ Binary: ../tick
= line 32: `../tick` may be more than text to CloudFormation; quote it

- BuildMethod: rust-cargolambda
+ BuildMethod: makefile
= line 32: `BuildMethod` of `Tick` must be rust-cargolambda, not `makefile`

-       Timeout: 50
+       Timeout: 901
= line 34: `Timeout` of `Tick` must be 1 to 900 seconds, not `901`

-       Timeout: 50
+       EventInvokeConfig: { DestinationConfig: { OnFailure: { Type: SQS }, OnSuccess: { Type: SQS } } }
= line 34: the local run does not know `OnSuccess` of `DestinationConfig` of `EventInvokeConfig` of `Tick`; {teach}

-       Timeout: 50
+       Timeout: 0
= line 34: `Timeout` of `Tick` must be 1 to 900 seconds, not `0`

-       Timeout: 50
+       Timeout: fifty
= line 34: `Timeout` of `Tick` must be 1 to 900 seconds, not `fifty`

-       Timeout: 50
+       Timeout: 1_0
= line 34: `1_0` may be more than text to CloudFormation; quote it

-       Timeout: 50
+       Timeot: 50
= line 34: the local run does not know `Timeot` of `Tick`; {teach}

-       Timeout: 50
+       VpcConfig: {}
= line 34: the local run does not know `VpcConfig` of `Tick`; {teach}

-       Timeout: 50
+       Runtime: !Ref Level
= line 34: `Runtime` of `Tick` must be provided.al2023 or provided.al2, not `!Ref`

-         Variables:
-           LEVEL: !Sub x=${Level}
+         Vars: {}
= line 36: the local run does not know `Vars` of `Environment` of `Tick`; {teach}

-         Variables:
-           LEVEL: !Sub x=${Level}
+         Variables: x
= line 36: `Variables` of `Environment` of `Tick` must be a mapping, not `x`
",
        );
    }

    #[test]
    fn problems_of_events_are_named() {
        check_all(
            r#"
- Type: ScheduleV2
+ Type: Schedule
= line 40: the local run cannot start a function by `Schedule`; write a ScheduleV2

- Type: ScheduleV2
+ Type: SQS
= line 40: the local run cannot start a function by `SQS`; {teach}

- Type: ScheduleV2
+ Type: [ScheduleV2]
= line 40: the local run cannot start a function by a list; {teach}

-           Type: ScheduleV2
= line 39: `Minute` of `Tick` has no `Type`; write ScheduleV2 or EventBridgeRule

- rate(1 minute)
+ rate(1 minutes)
= line 42: AWS refuses `rate(1 minutes)`; write `rate(1 minute)`

- rate(1 minute)
+ rate(5 minute)
= line 42: AWS refuses `rate(5 minute)`; write `rate(5 minutes)`

- rate(1 minute)
+ cron(0 9 * * *)
= line 42: `cron(0 9 * * *)` is no schedule of AWS: it needs six fields with one space between: minutes, hours, day of month, month, day of week, year

- rate(1 minute)
+ at(2026-03-29T02:30:00)
+             ScheduleExpressionTimezone: Europe/Berlin
= line 42: `at(2026-03-29T02:30:00)` never comes in Europe/Berlin, where clocks go past it; write another time

- rate(1 minute)
+ every minute
= line 42: `every minute` is no schedule; write it like `rate(5 minutes)`, `cron(0 9 * * ? *)` or `at(2026-01-01T00:00:00)`

- rate(1 minute)
+ !Ref Bus
= line 42: `ScheduleExpression` of `Minute` of `Tick` must be text, not the name of a resource

-             ScheduleExpression: rate(1 minute)
= line 39: `Minute` of `Tick` has no `ScheduleExpression`; write when it fires

- rate(1 minute)
+ cron(0 9 * * ? *)
+             ScheduleExpressionTimezone: Berlin
= line 43: `Berlin` is not a time zone; use a name such as Europe/London

- rate(1 minute)
+ cron(0 9 * * ? *)
+             ScheduleExpressionTimezone: europe/berlin
= line 43: `europe/berlin` is not a time zone; write Europe/Berlin

- Input: '{}'
+ Input: '{}'
+             StartDate: '2026-12-02T00:00:00Z'
+             EndDate: '2026-12-01T00:00:00.000Z'
= line 39: `Minute` of `Tick` ends before it starts; correct `StartDate` or `EndDate`

- Input: '{}'
+ Input: '{}'
+             EndDate: '2026-12-01'
= line 44: `EndDate` of `Minute` of `Tick` must be a time like 2026-01-01T00:00:00Z, not `2026-12-01`

-             Input: '{}'
= line 39: `Minute` of `Tick` has no `Input`; write what the function is given

- Input: '{}'
+ Input: '{'
= line 43: `Input` of `Minute` of `Tick` must be JSON: EOF while parsing an object at line 1 column 1

- Input: '{}'
+ Input: {}
= line 43: `Input` of `Minute` of `Tick` must be text, not a mapping

- Input: '{}'
+ Input: '{"at":"<aws.scheduler.scheduled-time>"}'
= line 43: `Input` of `Minute` of `Tick` has a place for AWS to fill, which the local run does not; write it out

- Input: '{}'
+ Input: '{}'
+             State: OFF
= line 44: `State` of `Minute` of `Tick` must be ENABLED or DISABLED, not `OFF`

- Input: '{}'
+ Input: '{}'
+             StartDate: x
= line 44: `StartDate` of `Minute` of `Tick` must be a time like 2026-01-01T00:00:00Z, not `x`
"#,
        );
    }

    #[test]
    fn problems_of_rules_are_named() {
        check_all(
            r"
-             EventBusName: !Ref Bus
= line 44: `Due` of `Tick` has no `EventBusName`; write `!Ref` and the bus it listens to

- EventBusName: !Ref Bus
+ EventBusName: default
= line 47: `EventBusName` of `Due` of `Tick` must be a `!Ref` to the event bus, not `default`

- EventBusName: !Ref Bus
+ EventBusName: !Ref Buss
= line 47: `EventBusName` of `Due` of `Tick` needs `Buss`, which has no value here; correct it, or write text

- EventBusName: !Ref Bus
+ EventBusName: !Ref Bus
+             InputPath: $.detail
= line 48: the local run does not know `InputPath` of `Due` of `Tick`; {teach}

-             Pattern: { source: [flockwork], detail: { kind: [a, b] } }
= line 44: `Due` of `Tick` has no `Pattern`; write which events it is for

- { source: [flockwork], detail: { kind: [a, b] } }
+ {}
= line 48: `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { region: [x] }
= line 48: the local run does not know `region` of `Pattern` of `Due` of `Tick`; {teach}

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: flockwork }
= line 48: `source` of `Pattern` of `Due` of `Tick` must be a list, not `flockwork`

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [] }
= line 48: `source` of `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [true, 'true'] }
= line 48: `true` in a part of `source` of `Pattern` of `Due` of `Tick` is not text; quote it

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { n: [1] } }
= line 48: `1` in a part of `n` of `detail` of `Pattern` of `Due` of `Tick` is not text; quote it

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: {} }
= line 48: `detail` of `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { a: { b: {} } } }
= line 48: `a` of `detail` of `Pattern` of `Due` of `Tick` must be a list, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [{ prefix: flock }] }
= line 48: a part of `source` of `Pattern` of `Due` of `Tick` must be text, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { n: [{ numeric: ['>', 0] }], e: [{ exists: true }], a: [{ anything-but: [x] }] } }
= line 48: a part of `n` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping
= line 48: a part of `e` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping
= line 48: a part of `a` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { $or: [{ a: [b] }] } }
= line 48: a part of `$or` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [!Ref Level, [x]] }
= line 48: a part of `source` of `Pattern` of `Due` of `Tick` must be text, not `!Ref`
= line 48: a part of `source` of `Pattern` of `Due` of `Tick` must be text, not a list
",
        );
    }

    #[test]
    fn problems_of_routes_are_named() {
        check_all(
            r"
- POST /hook
+ POST hook
= line 55: the path `hook` does not start with a slash; write `/hook`

- POST /hook
+ 'POST /{a+}/b'
= line 55: `{a+}` in the path `/{a+}/b` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ POST /a//b
= line 55: `` in the path `/a//b` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ 'POST /{}'
= line 55: `{}` in the path `/{}` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ POST /a b
= line 55: `a b` in the path `/a b` cannot be served; write text or `{name}`, at the end also `{name+}`

- POST /hook
+ $default
= line 55: `$default` is not a method and a path; write them as in `POST /slack/command`

- POST /hook
+ post /hook
= line 55: `post` is not a method; write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE

-  RouteKey: POST /hook,
= line 53: `Hook` has no `RouteKey`; write one, as in `POST /slack/command`

-  Target: !Sub 'integrations/${Answer}'
= line 53: `Hook` has no `Target`; write `!Sub integrations/${...}` with an integration

- 'integrations/${Answer}'
+ 'integrations/${Answr}'
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Sub`

- 'integrations/${Answer}'
+ 'integrations/${Bus}'
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Sub`

- 'integrations/${Answer}'
+ 'integrations/${Answer}/${Answer}'
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Sub`

- !Sub 'integrations/${Answer}'
+ !Join [/, [integrations, !Ref Answer]]
= line 55: `Target` of `Hook` must be `!Sub integrations/${...}` with an integration, not `!Join`

- Target: !Sub
+ AuthorizationType: JWT, Target: !Sub
= line 55: `AuthorizationType` of `Hook` must be NONE, not `JWT`

- Target: !Sub
+ AuthorizerId: x, Target: !Sub
= line 55: the local run does not know `AuthorizerId` of `Hook`; {teach}

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Route, Properties: { RouteKey: POST /hook, Target: !Sub 'integrations/${Answer}' } }
= line 53: `POST /hook` is here twice, first on line 29; remove one

- !GetAtt Tick.Arn
+ !GetAtt Table.Arn
= line 52: `IntegrationUri` of `Answer` must be the `Arn` of a function, not `!GetAtt`

- !GetAtt Tick.Arn
+ !Ref Tick
= line 52: `IntegrationUri` of `Answer` must be the `Arn` of a function, not `!Ref`

- !GetAtt Tick.Arn
+ !GetAtt Tock.Arn
= line 52: `IntegrationUri` of `Answer` must be the `Arn` of a function, not `!GetAtt`

- AWS_PROXY
+ HTTP_PROXY
= line 52: `IntegrationType` of `Answer` must be AWS_PROXY, not `HTTP_PROXY`

- ApiId: !Ref Api, IntegrationType
+ PayloadFormatVersion: '1.0', IntegrationType
= line 52: `PayloadFormatVersion` of `Answer` must be 2.0, not `1.0`

- Type: ScheduleV2
+ Type: HttpApi
= line 40: the local run cannot start a function by `HttpApi`; write an AWS::ApiGatewayV2::Route and its Integration
",
        );
    }

    #[test]
    fn problems_of_tables_are_named() {
        check_all(
            r"
-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
= line 12: `Table` has no `KeySchema`; write its key

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: [{ AttributeName: pk, KeyType: RANGE }]
= line 18: `KeySchema` of `Table` must be one HASH and at most one RANGE after it

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: [{ AttributeName: id, KeyType: HASH }]
= line 18: `id` in `KeySchema` of `Table` has no type; add it to `AttributeDefinitions`

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: [{ Name: pk, KeyType: HASH }]
= line 18: the local run does not know `Name` of a part of `KeySchema` of `Table`; {teach}
= line 18: a part of `KeySchema` of `Table` has no `AttributeName`; write it

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: pk
= line 18: `KeySchema` of `Table` must be a list, not `pk`

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: []
= line 18: `KeySchema` of `Table` must be one HASH and at most one RANGE after it

- AttributeName: at, AttributeType: N }
+ AttributeName: at, AttributeType: T }
= line 17: `AttributeType` of `at` must be S, N or B, not `T`
= line 21: `at` in `KeySchema` of the index `by_at` has no type; add it to `AttributeDefinitions`

- AttributeName: at, AttributeType: N }
+ AttributeName: at, AttributeType: N }
+         - { AttributeName: x, AttributeType: B }
= line 12: the attribute `x` is in no key; remove it

-         - IndexName: by_at
-           KeySchema
+         - KeySchema
= line 20: a part of `GlobalSecondaryIndexes` of `Table` has no `IndexName`; write what the code calls it

- ProjectionType: ALL
+ ProjectionType: INCLUDE
= line 22: `ProjectionType` of `Projection` of the index `by_at` must be KEYS_ONLY or ALL, not `INCLUDE`

- ProjectionType: ALL
+ Type: ALL
= line 22: the local run does not know `Type` of `Projection` of the index `by_at`; {teach}
= line 22: `Projection` of the index `by_at` has no `ProjectionType`; write KEYS_ONLY or ALL

-           Projection: { ProjectionType: ALL }
= line 20: the index `by_at` has no `Projection`; write `{ ProjectionType: KEYS_ONLY }` or ALL

- AttributeName: ttl, Enabled: true
+ AttributeName: ttl, Enabled: yes
= line 23: `Enabled` of `TimeToLiveSpecification` of `Table` must be true or false, not `yes`

- AttributeName: ttl, Enabled: true
+ Enabled: true
= line 23: `TimeToLiveSpecification` of `Table` has no `AttributeName`; write which attribute says when

- AttributeName: ttl, Enabled: true
+ AttributeName: ttl
= line 23: `TimeToLiveSpecification` of `Table` has no `Enabled`; write true or false

-       TimeToLiveSpecification:
+       StreamSpecification: {}
+       TimeToLiveSpecification:
= line 23: the local run does not know `StreamSpecification` of `Table`; {teach}
",
        );
    }

    #[test]
    fn problems_of_secrets_are_named() {
        check_all(
            r#"
- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { GenerateStringKey: k }
= line 28: `GenerateSecretString` of `Keyring` needs `SecretStringTemplate` and `GenerateStringKey`, or neither

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { SecretStringTemplate: '[]', GenerateStringKey: k }
= line 28: `SecretStringTemplate` of `GenerateSecretString` of `Keyring` must be a JSON object: invalid type: sequence, expected a map at line 1 column 0

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { PasswordLength: 5000 }
= line 28: `PasswordLength` of `GenerateSecretString` of `Keyring` must be 1 to 4096 characters, not `5000`

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { ExcludeLowercase: true }
= line 28: the local run does not know `ExcludeLowercase` of `GenerateSecretString` of `Keyring`; {teach}

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ {}
+       SecretString: x
= line 28: `Keyring` has both `SecretString` and `GenerateSecretString`; remove one

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ x
= line 28: `GenerateSecretString` of `Keyring` must be a mapping, not `x`
"#,
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
        let text =
            format!("{GOOD}Bus: 1\nBus: 2\n? [a]\n: b\nOutputs:\n  A: !Reff B\n  A: !Ref C\n");
        let known = "of the template; remove it, or teach it in infra/local-cloud/src/template.rs";
        let expected = format!(
            "template.yaml:56: the local run does not know `Bus` {known}\n\
             template.yaml:57: `Bus` is here twice, first on line 56; remove one\n\
             template.yaml:58: only text can be a key; write a name\n\
             template.yaml:62: `A` is here twice, first on line 61; remove one"
        );
        let found = Template::parse(&text).expect_err("it is wrong");
        assert_eq!(found.to_string(), expected);
        assert_eq!(found.findings().len(), 4);
    }

    #[test]
    fn values_are_worked_out() {
        good(&GOOD.replace('\n', "\r\n"));
        good(&format!("\u{feff}---\n{GOOD}..."));
        let level = |value: &str| {
            let template = changed("!Sub x=${Level}", value);
            template.functions[0].environment["LEVEL"].clone()
        };
        for (value, expected) in [
            ("!Sub ${!Level}-${Level}", "${Level}-info"),
            ("\"\"", ""),
            ("'010'", "010"),
            ("-12", "-12"),
            ("true", "true"),
            ("|\n            two\n            lines", "two\nlines\n"),
            ("&here x", "x"),
        ] {
            assert_eq!(level(value), text(expected), "{value}");
        }
        assert_eq!(level("!Ref Bus"), EnvValue::Bus);
        assert_eq!(level("!Sub ${Table}"), EnvValue::Table);
        assert_eq!(level("!Ref Keyring"), EnvValue::Secret("Keyring".to_owned()));
    }

    #[test]
    fn events_may_be_disabled() {
        let template = changed("Input: '{}'", "Input: '{}'\n            State: DISABLED");
        assert_eq!(template.functions[0].schedules.len(), 0);
        let template = changed(
            "EventBusName: !Ref Bus",
            "EventBusName: !Ref Bus\n            State: DISABLED",
        );
        assert_eq!(template.functions[0].rules.len(), 0);
    }

    #[test]
    fn what_is_left_out_has_the_default_of_aws() {
        let timeout = |from, to| changed(from, to).functions[0].timeout.as_secs();
        assert_eq!(timeout("      Timeout: 50\n", ""), 3);
        let global = "    Runtime: provided.al2023\n";
        assert_eq!(timeout(global, "    Timeout: 9\n"), 50);
        let both = GOOD.replace(global, "    Timeout: 9\n").replace("      Timeout: 50\n", "");
        assert_eq!(good(&both).functions[0].timeout.as_secs(), 9);
        let secret = |value: &str| {
            let given = "{ SecretStringTemplate: '{\"a\":1}', GenerateStringKey: k }";
            changed(&format!("GenerateSecretString: {given}"), value).secrets[0].value.clone()
        };
        assert_eq!(secret("Name: x"), SecretValue::Empty);
        assert_eq!(secret("SecretString: '{}'"), SecretValue::Literal("{}".to_owned()));
        assert_eq!(secret("GenerateSecretString: {}"), SecretValue::Password { length: 32 });
        let length = "GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true }";
        assert_eq!(secret(length), SecretValue::Password { length: 64 });
        let off =
            changed("AttributeName: ttl, Enabled: true", "AttributeName: ttl, Enabled: false");
        assert_eq!(off.table.ttl_attribute, None);
    }

    #[test]
    fn routes_find_their_function() {
        let route = |key: &str, uri: &str| {
            let text =
                GOOD.replace("POST /hook", &format!("'{key}'")).replace("!GetAtt Tick.Arn", uri);
            let [Route { method, path, line: 53 }] = &good(&text).functions[0].routes[..] else {
                panic!("one route")
            };
            format!("{method} {path}")
        };
        assert_eq!(route("ANY /keys/{proxy+}", "!GetAtt Tick.Arn"), "ANY /keys/{proxy+}");
        let long = "!Sub 'arn:${AWS::Partition}:lambda:path/${Tick.Arn}/invocations'";
        assert_eq!(route("GET /", long), "GET /");
    }

    #[test]
    fn paths_are_checked() {
        for path in
            ["/", "/a", "/a/b-c_d.json", "/a/", "/{id}", "/{id}/x", "/a/{proxy+}", "/~me/@you"]
        {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        for path in [
            "", "a", "a/b", "$default", "//", "/a//b", "/{}", "/{+}", "/{a+}/b", "/{a}b", "/a{b}",
            "/a?b=c", "/a#b", "/ä", "/a b", "/*", "/{a b}",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
    }

    #[test]
    fn patterns_match_like_eventbridge() {
        let pattern = |pattern: &str| {
            let given = "{ source: [flockwork], detail: { kind: [a, b] } }";
            changed(given, pattern).functions[0].rules[0].pattern.clone()
        };
        let source = pattern("{ source: [flockwork, other] }");
        assert!(source.matches("flockwork", "anything", &json!(null)));
        assert!(source.matches("other", "", &json!({})));
        assert!(!source.matches("Flockwork", "", &json!({})));
        assert!(!source.matches("flockwork2", "", &json!({})));

        let both = pattern("{ source: [flockwork], detail-type: [shard.due, post.received] }");
        assert!(both.matches("flockwork", "post.received", &json!({})));
        assert!(!both.matches("flockwork", "post.sent", &json!({})));
        assert!(!both.matches("other", "post.received", &json!({})));

        let detail = pattern("{ detail: { kind: [a, b], 'a.b': ['1'] } }");
        let matches = |value| detail.matches("s", "t", &value);
        assert!(matches(json!({ "kind": "a", "a.b": "1", "more": 1 })));
        assert!(matches(json!({ "kind": ["c", "b"], "a.b": ["1"] })));
        assert!(!matches(json!({ "kind": "c", "a.b": "1" })));
        assert!(!matches(json!({ "kind": "a", "a.b": 1 })));
        assert!(!matches(json!({ "kind": "a", "a": { "b": "1" } })));
        assert!(!matches(json!({ "kind": [["a"]], "a.b": "1" })));
        assert!(!matches(json!({ "kind": null, "a.b": "1" })));
        assert!(!matches(json!({ "kind": [], "a.b": "1" })));
        assert!(!matches(json!({ "kind": "a" })));
        assert!(!matches(json!(null)));
    }

    /// Numbers that are the same in every run (xorshift).
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 >> 33).expect("31 bits fit") % end.max(1)
        }

        fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
            of[self.below(of.len())]
        }
    }

    fn mutate(text: &str, random: &mut Random) -> String {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for _ in 0..=random.below(3) {
            let (at, other) = (random.below(lines.len()), random.below(lines.len()));
            match random.below(8) {
                0 => drop(lines.remove(at)),
                1 => lines.swap(at, other),
                2 => lines.insert(at, lines[other].clone()),
                3 => lines.truncate(at.max(1)),
                4 => lines[at].insert_str(0, random.pick(&[" ", "  ", "- ", "\t", "? ", "&a "])),
                5 => lines[at] = lines[at].trim_start().to_owned(),
                _ => {
                    let place = random.below(lines[at].chars().count());
                    let cut = random.below(3);
                    let chars: Vec<char> = lines[at].chars().collect();
                    let with = random.pick(&[
                        "", ":", ": ", "{", "}", "[", "]", "!", "!Ref ", "!Sub ", "${", "&a ",
                        "*a", "'", "\"", "#", "|", ">", "-", "@", "%", "\u{0}", "\u{feff}", "ü",
                        "\u{2028}", "~", "<<: ", "*", "?", "\\", "!!str ", "!<x> ", "---", "...",
                        "1", ",",
                    ]);
                    let rest = (place + cut).min(chars.len());
                    lines[at] = chars[..place].iter().collect::<String>()
                        + with
                        + &chars[rest..].iter().collect::<String>();
                }
            }
            if lines.is_empty() {
                break;
            }
        }
        lines.join("\n")
    }

    #[test]
    fn nothing_makes_it_panic() {
        let mut random = Random(0x5EED);
        let (mut read, mut refused) = (0, 0);
        for round in 0..1000 {
            let text = mutate(if round % 4 == 0 { REAL } else { GOOD }, &mut random);
            exposure::check(&text, &[]);
            match Template::parse(&text) {
                Ok(_) => read += 1,
                Err(TemplateError(findings)) => {
                    refused += 1;
                    // A parser that ran out of text points behind the last line.
                    let lines = 1..=text.split('\n').count() + 1;
                    assert!(!findings.is_empty(), "{text}");
                    for finding in findings {
                        assert!(lines.contains(&finding.line), "{finding}\n{text}");
                    }
                }
            }
        }
        assert!(read > 10 && refused > 10, "{read} read and {refused} refused");
    }

    /// Whatever single line is missing.
    #[test]
    fn a_missing_line_makes_nothing_panic() {
        let lines: Vec<&str> = REAL.lines().collect();
        for missing in 0..lines.len() {
            let text = [&lines[..missing], &lines[missing + 1..]].concat().join("\n");
            if let Err(findings) = Template::parse(&text) {
                assert!(!findings.findings().is_empty(), "without line {}", missing + 1);
            }
        }
    }
}
