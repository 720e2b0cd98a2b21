//! What `template.yaml` says, as far as it matters on one machine.
//!
//! Strict: what the local run cannot do is a [`Problem`] that names its line, and all problems are found at once.
//! Resource types and properties that mean nothing locally are listed here and passed over. Knows nothing of files,
//! of AWS's APIs, or of how anything is run.
//!
//! YAML comes as events of the parser and not as its ready-made tree: that tree knows only the first duplicate key, turns
//! `1.10` into a number, and overflows the stack on a file that is nested deeply.

use crate::schedule::{Schedule, ScheduleError};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    time::Duration,
};

/// The parts of a template that are run.
#[derive(Debug, Clone)]
pub struct Template {
    /// In the order of the file.
    pub functions: Vec<Function>,
    /// The one table.
    pub table: TableDefinition,
    /// Logical id of the one event bus.
    pub bus: String,
    /// In the order of the file.
    pub secrets: Vec<SecretDefinition>,
    /// Defaults of the parameters that have one.
    pub parameters: BTreeMap<String, String>,
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
    /// Its name in the function.
    pub name: String,
    /// Where it is defined.
    pub line: usize,
    /// When it fires.
    pub every: Schedule,
    /// What the function is given.
    pub input: Json,
}

/// A rule that starts a function with an event from the bus.
#[derive(Debug, Clone)]
pub struct EventRule {
    /// Its name in the function.
    pub name: String,
    /// Where it is defined.
    pub line: usize,
    /// Which events.
    pub pattern: EventPattern,
}

/// Which events a rule is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPattern {
    source: Option<Vec<String>>,
    detail_type: Option<Vec<String>>,
    detail: BTreeMap<String, DetailPattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DetailPattern {
    OneOf(Vec<String>),
    Fields(BTreeMap<String, DetailPattern>),
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
    /// Its name in the template.
    pub logical_id: String,
    /// Where it is defined.
    pub line: usize,
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
    /// Where it is defined.
    pub line: usize,
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

/// Something in the template that cannot be run, or should not be deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub text: String,
}

/// All that is wrong with a template, by line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateProblems(Vec<Problem>);

impl fmt::Display for TemplateProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Problem { line, text }) in self.0.iter().enumerate() {
            let newline = if place == 0 { "" } else { "\n" };
            write!(f, "{newline}template.yaml:{line}: {text}")?;
        }
        Ok(())
    }
}

impl TemplateProblems {
    /// The problems, by line.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

impl Template {
    /// Reads the text of a `template.yaml`.
    pub fn parse(text: &str) -> Result<Self, TemplateProblems> {
        let mut problems = Problems::default();
        let root = document(text, &mut problems);
        let template = root.and_then(|root| Reading::template(&root, &mut problems));
        match template {
            Some(template) if problems.0.is_empty() => Ok(template),
            _ => Err(TemplateProblems(problems.sorted())),
        }
    }
}

impl EventPattern {
    /// Whether an event is one of those that the rule is for.
    pub fn matches(&self, source: &str, detail_type: &str, detail: &Json) -> bool {
        let has = |allowed: &Option<Vec<String>>, value: &str| {
            allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|allowed| allowed == value))
        };
        has(&self.source, source)
            && has(&self.detail_type, detail_type)
            && (self.detail.is_empty() || fields_match(&self.detail, detail))
    }
}

impl DetailPattern {
    /// A list matches when one of its values does, as on AWS.
    fn matches(&self, value: &Json) -> bool {
        match (self, value) {
            (_, Json::Array(values)) => values.iter().any(|value| self.matches(value)),
            (Self::OneOf(allowed), Json::String(text)) => allowed.contains(text),
            (Self::OneOf(_), _) => false,
            (Self::Fields(fields), value) => fields_match(fields, value),
        }
    }
}

fn fields_match(fields: &BTreeMap<String, DetailPattern>, value: &Json) -> bool {
    let matches = |(name, pattern): (&String, &DetailPattern)| {
        value.get(name).is_some_and(|value| pattern.matches(value))
    };
    fields.iter().all(matches)
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

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
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

// --- What a template may hold ------------------------------------------------------------------------------------------

/// Where a reader is sent to teach the local run something new.
const HERE: &str = "infra/flockwork/src/template.rs";

const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

const RESOURCE_ATTRIBUTES: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

/// Resource types that have no meaning on one machine: permissions, delivery failures, observation, names on the net.
const PASSED_OVER_TYPES: &[&str] = &[
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Budgets::Budget",
    "AWS::CertificateManager::Certificate",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::Archive",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Logs::ResourcePolicy",
    "AWS::Route53::RecordSet",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::ResourcePolicy",
];

/// Types that say what a type we know says better.
const BETTER_TYPES: &[(&str, &str)] = &[
    ("AWS::Events::Rule", "write an EventBridgeRule under the function's `Events`"),
    ("AWS::Lambda::Function", "write an AWS::Serverless::Function"),
    ("AWS::Scheduler::Schedule", "write a ScheduleV2 under the function's `Events`"),
    ("AWS::Serverless::SimpleTable", "write an AWS::DynamoDB::Table"),
];

/// Events of a function that say what an event we know says better.
const BETTER_EVENTS: &[(&str, &str)] = &[
    ("Api", "write an HttpApi"),
    ("CloudWatchEvent", "write an EventBridgeRule"),
    ("Schedule", "write a ScheduleV2"),
];

const FUNCTION_PROPERTIES: &[&str] = &[
    "Architectures",
    "AutoPublishAlias",
    "CodeUri",
    "DeadLetterQueue",
    "Description",
    "Environment",
    "EphemeralStorage",
    "EventInvokeConfig",
    "Events",
    "FunctionName",
    "Handler",
    "KmsKeyArn",
    "LoggingConfig",
    "MemorySize",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Role",
    "RolePath",
    "Runtime",
    "RuntimeManagementConfig",
    "Tags",
    "Timeout",
    "Tracing",
];

const SCHEDULE_PROPERTIES: &[&str] = &[
    "DeadLetterConfig",
    "Description",
    // A firing at its beginning is within the window.
    "FlexibleTimeWindow",
    "GroupName",
    "Input",
    "KmsKeyArn",
    "Name",
    "OmitName",
    "PermissionsBoundary",
    "RetryPolicy",
    "RoleArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "State",
];

const RULE_PROPERTIES: &[&str] =
    &["DeadLetterConfig", "EventBusName", "Pattern", "RetryPolicy", "RuleName", "State", "Target"];

const HTTP_EVENT_PROPERTIES: &[&str] =
    &["ApiId", "Method", "Path", "PayloadFormatVersion", "RouteSettings", "TimeoutInMillis"];

const ROUTE_PROPERTIES: &[&str] =
    &["ApiId", "AuthorizationType", "OperationName", "RouteKey", "Target"];

const INTEGRATION_PROPERTIES: &[&str] = &[
    "ApiId",
    "Description",
    "IntegrationMethod",
    "IntegrationType",
    "IntegrationUri",
    "PayloadFormatVersion",
    "TimeoutInMillis",
];

const HTTP_API_PROPERTIES: &[&str] = &[
    "AccessLogSettings",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "Domain",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "RouteSettings",
    "StageName",
    "Tags",
];

const TABLE_PROPERTIES: &[&str] = &[
    "AttributeDefinitions",
    "BillingMode",
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "ProvisionedThroughput",
    "ResourcePolicy",
    "SSESpecification",
    "TableClass",
    "TableName",
    "Tags",
    "TimeToLiveSpecification",
    "WarmThroughput",
];

const INDEX_PROPERTIES: &[&str] = &[
    "ContributorInsightsSpecification",
    "IndexName",
    "KeySchema",
    "OnDemandThroughput",
    "Projection",
    "ProvisionedThroughput",
    "WarmThroughput",
];

const SECRET_PROPERTIES: &[&str] = &[
    "Description",
    "GenerateSecretString",
    "KmsKeyId",
    "Name",
    "ReplicaRegions",
    "SecretString",
    "Tags",
];

/// Letters and digits are within what these ask for.
const GENERATE_PROPERTIES: &[&str] = &[
    "ExcludePunctuation",
    "GenerateStringKey",
    "PasswordLength",
    "RequireEachIncludedType",
    "SecretStringTemplate",
];

const BUS_PROPERTIES: &[&str] =
    &["DeadLetterConfig", "Description", "KmsKeyIdentifier", "LogConfig", "Name", "Policy", "Tags"];

const PSEUDO_PARAMETERS: &[&str] = &[
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

const FUNCTIONS_OF_CLOUDFORMATION: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Condition",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "If",
    "ImportValue",
    "Join",
    "Not",
    "Or",
    "Ref",
    "Select",
    "Split",
    "Sub",
];

/// Lambda's own, when a template says nothing.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUTS_SECONDS: RangeInclusive<u64> = 1..=900;

/// Secrets Manager's own, when a template says nothing.
const DEFAULT_PASSWORD_LENGTH: u64 = 32;
const PASSWORD_LENGTHS: RangeInclusive<u64> = 1..=4096;

// --- YAML --------------------------------------------------------------------------------------------------------------

/// Deeper than any template. Reading a node takes stack.
const MAX_DEPTH: usize = 64;

/// More than any template has; CloudFormation takes 1 MB. An alias counts as what it stands for.
const MAX_NODES: usize = 100_000;

/// A value in the file.
#[derive(Debug, Clone)]
struct Node {
    line: usize,
    /// Of CloudFormation: `Ref` for `!Ref`.
    tag: Option<String>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Scalar {
        text: String,
        /// Not in quotes, so that YAML may see more than text in it.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
struct Entry {
    key: String,
    line: usize,
    value: Node,
}

#[derive(Debug, Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, line: usize, text: impl Into<String>) {
        self.0.push(Problem { line, text: text.into() });
    }

    fn sorted(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| problem.line);
        self.0.dedup();
        self.0
    }
}

/// The one document of the file; none when it cannot be read, and then there is a problem.
fn document(text: &str, problems: &mut Problems) -> Option<Node> {
    let mut reader =
        Reader { parser: Parser::new_from_str(text), anchors: BTreeMap::new(), nodes: 0, problems };
    match reader.document() {
        Ok(Some(root)) => Some(root),
        Ok(None) => {
            let text = "the file is empty; write a SAM template with `Resources` into it";
            problems.add(1, text);
            None
        }
        Err(problem) => {
            problems.0.push(problem);
            None
        }
    }
}

struct Reader<'t, 'p> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    problems: &'p mut Problems,
}

impl<'t> Reader<'t, '_> {
    fn document(&mut self) -> Result<Option<Node>, Problem> {
        let (event, span) = loop {
            match self.event()? {
                (Event::StreamStart | Event::DocumentStart(_), _) => {}
                (Event::StreamEnd, _) => return Ok(None),
                other => break other,
            }
        };
        let root = self.node(event, span, 0)?;
        loop {
            match self.event()? {
                (Event::StreamEnd, _) => return Ok(Some(root).filter(|root| !root.is_nothing())),
                (Event::DocumentStart(_), span) => {
                    let text = "a second document starts here; a template is one document";
                    return Err(problem(span, text));
                }
                _ => {}
            }
        }
    }

    fn event(&mut self) -> Result<(Event<'t>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let (at, info) = (error.marker(), error.info());
                let text = format!("this is not YAML at column {}: {info}", at.col() + 1);
                Err(Problem { line: at.line(), text })
            }
            None => Err(Problem { line: 1, text: "this is not YAML: it has no end".to_owned() }),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(problem(span, "this is nested too deeply; bring it nearer to the top"));
        }
        self.count(1, span)?;
        let line = span.start.line();
        let (anchor, tag, content) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.as_ref().is_some_and(|tag| is_text_tag(tag));
                let plain = style == ScalarStyle::Plain && !is_text;
                (anchor, tag, Content::Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(anchor, tag) => {
                (anchor, tag, Content::List(self.list(depth + 1)?))
            }
            Event::MappingStart(anchor, tag) => (anchor, tag, Content::Map(self.map(depth + 1)?)),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(problem(span, "this alias stands within what it stands for"));
                };
                self.count(node.size(), span)?;
                return Ok(node);
            }
            other => return Err(problem(span, &format!("this is not YAML: {other:?}"))),
        };
        let tag = tag.filter(|tag| !is_text_tag(tag)).and_then(|tag| self.tag(&tag, line));
        let node = Node { line, tag, content };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        loop {
            match self.event()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let key = match self.event()? {
                (Event::MappingEnd, _) => return Ok(entries),
                (event, span) => self.node(event, span, depth)?,
            };
            let (event, span) = self.event()?;
            let mut value = self.node(event, span, depth)?;
            let line = key.line;
            if value.is_nothing() {
                // The parser gives it the place of what comes next.
                value.line = line;
            }
            let Content::Scalar { text: key, .. } = key.content else {
                self.problems.add(line, "a list or a mapping cannot be a key; write a name");
                continue;
            };
            if let Some(first) = lines.get(&key) {
                let text = format!("`{key}` is here twice, first on line {first}; remove one");
                self.problems.add(line, text);
                continue;
            }
            lines.insert(key.clone(), line);
            entries.push(Entry { key, line, value });
        }
    }

    /// The name of a function of CloudFormation.
    fn tag(&mut self, tag: &Tag, line: usize) -> Option<String> {
        if tag.handle == "!" && FUNCTIONS_OF_CLOUDFORMATION.contains(&tag.suffix.as_str()) {
            return Some(tag.suffix.clone());
        }
        let text = format!("`{tag}` is not a function of CloudFormation; correct its name");
        self.problems.add(line, text);
        None
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(problem(
                span,
                "the file is too large for a template; aliases count as what they repeat",
            ));
        }
        Ok(())
    }
}

fn problem(span: Span, text: &str) -> Problem {
    Problem { line: span.start.line(), text: text.to_owned() }
}

/// `!!str`
fn is_text_tag(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == "str"
}

impl Node {
    fn size(&self) -> usize {
        1 + match &self.content {
            Content::Scalar { .. } => 0,
            Content::List(items) => items.iter().map(Self::size).sum(),
            Content::Map(entries) => entries.iter().map(|entry| 1 + entry.value.size()).sum(),
        }
    }

    /// Where a value could be and is not.
    fn is_nothing(&self) -> bool {
        let empty =
            matches!(&self.content, Content::Scalar { text, plain: true } if text.is_empty());
        self.tag.is_none() && empty
    }

    fn items(&self) -> Option<&[Node]> {
        match &self.content {
            Content::List(items) if self.tag.is_none() => Some(items),
            _ => None,
        }
    }

    fn entries(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Map(entries) if self.call().is_none() => Some(entries),
            _ => None,
        }
    }

    fn scalar(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } if self.tag.is_none() => Some(text),
            _ => None,
        }
    }

    /// `!Sub ...` or `Fn::Sub: ...`
    fn call(&self) -> Option<Call<'_>> {
        if let Some(function) = &self.tag {
            return Some(Call { function, argument: &self.content, line: self.line });
        }
        let Content::Map(entries) = &self.content else { return None };
        let [Entry { key, value, line }] = &entries[..] else { return None };
        let function = if key == "Ref" { key } else { key.strip_prefix("Fn::")? };
        // A function of a function is given away as one that nobody can work out.
        let function = if value.tag.is_some() { "a function of a function" } else { function };
        Some(Call { function, argument: &value.content, line: *line })
    }

    /// What it is, to be said in a problem.
    fn describe(&self) -> String {
        if let Some(call) = self.call() {
            return format!("`!{}`", call.function);
        }
        match &self.content {
            Content::Scalar { .. } if self.is_nothing() => "empty".to_owned(),
            Content::Scalar { text, .. } => format!("`{text}`"),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a mapping".to_owned(),
        }
    }

    /// Every node below, this one first.
    fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n Node)) {
        visit(self);
        match &self.content {
            Content::Scalar { .. } => {}
            Content::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Content::Map(entries) => entries.iter().for_each(|entry| entry.value.walk(visit)),
        }
    }
}

/// A function of CloudFormation and what it is given.
struct Call<'n> {
    function: &'n str,
    argument: &'n Content,
    line: usize,
}

impl<'n> Call<'n> {
    /// The argument, or the first of them.
    fn text(&self) -> Option<&'n str> {
        match self.argument {
            Content::Scalar { text, .. } => Some(text),
            Content::List(items) => items.first()?.scalar(),
            Content::Map(_) => None,
        }
    }

    /// Names that a `!Sub` brings along.
    fn own_names(&self) -> &'n [Entry] {
        match self.argument {
            Content::List(items) => items.get(1).and_then(Node::entries).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// A piece of the text of a `!Sub`.
enum Piece<'n> {
    Text(&'n str),
    Name(&'n str),
}

/// The pieces; none when a `${` is not closed.
fn pieces(mut text: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    while let Some((before, rest)) = text.split_once("${") {
        let (name, after) = rest.split_once('}')?;
        pieces.push(Piece::Text(before));
        if let Some(literal) = name.strip_prefix('!') {
            pieces.extend([Piece::Text("${"), Piece::Text(literal), Piece::Text("}")]);
        } else {
            pieces.push(Piece::Name(name));
        }
        text = after;
    }
    pieces.push(Piece::Text(text));
    Some(pieces)
}

/// Whether CloudFormation, which reads YAML 1.1, may see something else in plain text than its characters.
fn is_misread(text: &str) -> bool {
    const WORDS: &[&str] = &["yes", "no", "on", "off", "null", "~", "", "=", "<<"];
    if text == "true" || text == "false" || is_whole_number(text) {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.trim_start_matches(['+', '-']);
    let is_numeric = unsigned.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit());
    let numeric = |c: char| c.is_ascii_digit() || "_:.+-eE".contains(c);
    WORDS.contains(&lower.as_str())
        || matches!(lower.as_str(), "true" | "false")
        || matches!(unsigned, ".inf" | ".nan")
        || is_numeric && unsigned.chars().all(numeric)
        || ["0x", "0b", "0o"].iter().any(|prefix| unsigned.starts_with(prefix))
}

/// In the one form that every reader of YAML writes back as it was.
fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text == "0"
        || !digits.is_empty()
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
}

// --- From YAML to the template -----------------------------------------------------------------------------------------

/// What a name in the template stands for.
enum Named {
    Parameter {
        default: Option<String>,
    },
    Table,
    Bus,
    Secret,
    Function,
    /// Has no meaning locally.
    Other(String),
}

/// Under way from YAML to a [`Template`].
struct Reading<'n, 'p> {
    problems: &'p mut Problems,
    names: BTreeMap<&'n str, Named>,
    conditions: BTreeSet<&'n str>,
    /// Names of what SAM makes.
    generated: BTreeSet<String>,
    globals: &'n [Entry],
    functions: Vec<Function>,
    tables: Vec<(usize, Option<TableDefinition>)>,
    buses: Vec<(usize, &'n str)>,
    secrets: Vec<SecretDefinition>,
    /// From the integration to the function.
    integrations: BTreeMap<&'n str, String>,
    /// With the integration that each has.
    routes: Vec<(Route, String)>,
}

/// A resource and the attributes that are read.
struct Resource<'n> {
    id: &'n str,
    line: usize,
    kind: &'n str,
    properties: &'n [Entry],
    attributes: &'n [Entry],
}

fn find<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Node> {
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

impl<'n, 'p> Reading<'n, 'p> {
    /// None only when there is a problem; there may be one in any case.
    fn template(root: &'n Node, problems: &'p mut Problems) -> Option<Template> {
        let Some(sections) = root.entries() else {
            let found = root.describe();
            let text = format!("the template must be a mapping with `Resources`, not {found}");
            problems.add(root.line, text);
            return None;
        };
        let mut reading = Self {
            problems,
            names: BTreeMap::new(),
            conditions: BTreeSet::new(),
            generated: BTreeSet::new(),
            globals: &[],
            functions: Vec::new(),
            tables: Vec::new(),
            buses: Vec::new(),
            secrets: Vec::new(),
            integrations: BTreeMap::new(),
            routes: Vec::new(),
        };
        reading.sections(sections);
        let parameters = reading.parameters(sections);
        let resources = reading.resources(sections);
        reading.references(sections);
        for resource in &resources {
            reading.resource(resource);
        }
        reading.join_routes();
        let line = sections.iter().find(|entry| entry.key == "Resources")?.line;
        let table = reading.the_table(line);
        let bus = reading.the_bus(line);
        let (functions, secrets) = (reading.functions, reading.secrets);
        Some(Template { functions, table: table?, bus: bus?, secrets, parameters })
    }

    fn sections(&mut self, sections: &'n [Entry]) {
        for Entry { key, line, .. } in sections {
            if !SECTIONS.contains(&key.as_str()) {
                self.problems
                    .add(*line, format!("`{key}` is not a section of a template; remove it"));
            }
        }
        let first = sections.first().map_or(1, |entry| entry.line);
        match find(sections, "Transform") {
            None => {
                let text =
                    format!("the template has no `Transform`; write `Transform: {TRANSFORM}`");
                self.problems.add(first, text);
            }
            Some(node) if node.scalar() != Some(TRANSFORM) => {
                let found = node.describe();
                let text = format!("`Transform` must be `{TRANSFORM}`, not {found}");
                self.problems.add(node.line, text);
            }
            Some(_) => {}
        }
        if let Some(conditions) = find(sections, "Conditions") {
            let conditions = self.entries(conditions, "`Conditions`");
            self.conditions = conditions.iter().map(|entry| entry.key.as_str()).collect();
        }
        if let Some(globals) = find(sections, "Globals") {
            let globals = self.entries(globals, "`Globals`");
            self.only(globals, "`Globals`", &["Function"]);
            if let Some(function) = find(globals, "Function") {
                self.globals = self.entries(function, "`Globals: Function`");
                self.only(self.globals, "`Globals: Function`", FUNCTION_PROPERTIES);
            }
        }
    }

    fn parameters(&mut self, sections: &'n [Entry]) -> BTreeMap<String, String> {
        let mut defaults = BTreeMap::new();
        let Some(parameters) = find(sections, "Parameters") else { return defaults };
        for Entry { key, value, .. } in self.entries(parameters, "`Parameters`") {
            let of = format!("the parameter `{key}`");
            let entries = self.entries(value, &of);
            if let Some(kind) = find(entries, "Type")
                && !matches!(kind.scalar(), Some("String" | "Number" | "CommaDelimitedList"))
            {
                let found = kind.describe();
                let text = format!(
                    "{of} must be a String or a Number, not {found}: the local run knows no other"
                );
                self.problems.add(kind.line, text);
            }
            let default = find(entries, "Default")
                .and_then(|node| self.plain_text(node, &format!("the default of {of}")));
            if let Some(default) = &default {
                defaults.insert(key.clone(), default.clone());
            }
            self.names.insert(key, Named::Parameter { default });
        }
        defaults
    }

    fn resources(&mut self, sections: &'n [Entry]) -> Vec<Resource<'n>> {
        let Some(node) = find(sections, "Resources") else {
            let line = sections.first().map_or(1, |entry| entry.line);
            self.problems
                .add(line, "the template has no `Resources`; write at least a table and a bus");
            return Vec::new();
        };
        let mut resources = Vec::new();
        for Entry { key: id, line, value } in self.entries(node, "`Resources`") {
            let attributes = self.entries(value, &format!("`{id}`"));
            for Entry { key, line, .. } in attributes {
                if !RESOURCE_ATTRIBUTES.contains(&key.as_str()) {
                    let text = format!(
                        "`{key}` is not an attribute of a resource; remove it from `{id}`, or indent it"
                    );
                    self.problems.add(*line, text);
                }
            }
            let properties = find(attributes, "Properties");
            let properties = properties
                .map_or(&[][..], |node| self.entries(node, &format!("`Properties` of `{id}`")));
            let Some(kind) = find(attributes, "Type").and_then(Node::scalar) else {
                if value.entries().is_some() {
                    self.problems.add(
                        *line,
                        format!("`{id}` has no `Type`; write what kind of resource it is"),
                    );
                }
                self.names.insert(id, Named::Other("resource without a type".to_owned()));
                continue;
            };
            if self.names.contains_key(id.as_str()) {
                let text = format!("`{id}` is a parameter as well; give one of them another name");
                self.problems.add(*line, text);
            }
            self.names.insert(id, named(kind));
            if kind == "AWS::Serverless::Function" {
                self.generated.extend(generated(id, properties));
            }
            resources.push(Resource { id, line: *line, kind, properties, attributes });
        }
        resources
    }

    fn resource(&mut self, resource: &Resource<'n>) {
        match resource.kind {
            "AWS::Serverless::Function" => self.function(resource),
            "AWS::DynamoDB::Table" => {
                let table = self.table(resource);
                self.tables.push((resource.line, table));
            }
            "AWS::Events::EventBus" => {
                self.only(resource.properties, &resource.name(), BUS_PROPERTIES);
                self.buses.push((resource.line, resource.id));
            }
            "AWS::SecretsManager::Secret" => self.secret(resource),
            "AWS::Serverless::HttpApi" => {
                self.only(resource.properties, &resource.name(), HTTP_API_PROPERTIES);
            }
            "AWS::ApiGatewayV2::Integration" => self.integration(resource),
            "AWS::ApiGatewayV2::Route" => self.explicit_route(resource),
            kind if PASSED_OVER_TYPES.contains(&kind) => return,
            kind => {
                let advice = better(BETTER_TYPES, kind);
                let id = resource.id;
                let text =
                    format!("the local run does not know the type {kind} of `{id}`; {advice}");
                self.problems.add(resource.line, text);
                return;
            }
        }
        if let Some(node) = find(resource.attributes, "Condition") {
            let id = resource.id;
            let text = format!(
                "the local run cannot tell whether `{id}` is wanted; remove its `Condition`"
            );
            self.problems.add(node.line, text);
        }
    }

    fn the_table(&mut self, line: usize) -> Option<TableDefinition> {
        if self.tables.is_empty() {
            let text = "there is no table; write one resource of type AWS::DynamoDB::Table";
            self.problems.add(line, text);
        }
        let first = self.tables.first().map_or(line, |(line, _)| *line);
        for (line, _) in self.tables.iter().skip(1) {
            let text = format!(
                "this is a second table, the first is on line {first}; the local run has one"
            );
            self.problems.add(*line, text);
        }
        self.tables.pop().and_then(|(_, table)| table)
    }

    fn the_bus(&mut self, line: usize) -> Option<String> {
        let Some((first, id)) = self.buses.first().copied() else {
            let text = "there is no event bus; write one resource of type AWS::Events::EventBus";
            self.problems.add(line, text);
            return None;
        };
        for (line, _) in self.buses.iter().skip(1) {
            let text = format!(
                "this is a second event bus, the first is on line {first}; the local run has one"
            );
            self.problems.add(*line, text);
        }
        Some(id.to_owned())
    }

    // Functions and what starts them.

    fn function(&mut self, resource: &Resource<'n>) {
        let Resource { id, line, properties, .. } = *resource;
        self.only(properties, &resource.name(), FUNCTION_PROPERTIES);
        let binary = self.binary(resource);
        let own_or_global = |key: &str| find(properties, key).or_else(|| find(self.globals, key));
        let (timeout, runtime) = (own_or_global("Timeout"), own_or_global("Runtime"));
        let timeout = timeout.and_then(|node| {
            self.number(node, &format!("`Timeout` of `{id}`"), TIMEOUTS_SECONDS, "seconds")
        });
        if let Some(node) = runtime
            && !node.scalar().is_some_and(|runtime| runtime.starts_with("provided."))
        {
            let found = node.describe();
            let text = format!(
                "`Runtime` of `{id}` must be provided.al2023, not {found}: the local run starts programs"
            );
            self.problems.add(node.line, text);
        }
        let mut environment = BTreeMap::new();
        for entries in [self.globals, properties] {
            self.environment(entries, id, &mut environment);
        }
        let mut function = Function {
            logical_id: id.to_owned(),
            line,
            binary: binary.unwrap_or_default(),
            timeout: timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs),
            environment,
            schedules: Vec::new(),
            rules: Vec::new(),
            routes: Vec::new(),
        };
        if let Some(events) = find(properties, "Events") {
            for event in self.entries(events, &format!("`Events` of `{id}`")) {
                self.event(event, &mut function);
            }
        }
        self.functions.push(function);
    }

    fn binary(&mut self, resource: &Resource<'n>) -> Option<String> {
        let id = resource.id;
        let metadata = find(resource.attributes, "Metadata");
        let metadata = metadata.map(|node| self.entries(node, &format!("`Metadata` of `{id}`")));
        let metadata = metadata.unwrap_or_default();
        if let Some(method) = find(metadata, "BuildMethod")
            && method.scalar() != Some("rust-cargolambda")
        {
            let found = method.describe();
            let text = format!(
                "`BuildMethod` of `{id}` must be rust-cargolambda, not {found}: the local run builds no other"
            );
            self.problems.add(method.line, text);
        }
        let build = find(metadata, "BuildProperties");
        let build = build.map(|node| self.entries(node, &format!("`BuildProperties` of `{id}`")));
        let Some(node) = find(build.unwrap_or_default(), "Binary") else {
            let text = format!(
                "`{id}` does not say which program it is; write `Metadata: {{ BuildProperties: {{ Binary: ... }} }}`"
            );
            self.problems.add(resource.line, text);
            return None;
        };
        let binary = self.text(node, &format!("`Binary` of `{id}`"))?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if binary.is_empty() || !binary.chars().all(allowed) {
            let text = format!(
                "`{binary}` is not the name of a program; write letters, digits, `-` and `_`"
            );
            self.problems.add(node.line, text);
            return None;
        }
        Some(binary)
    }

    fn environment(
        &mut self,
        properties: &'n [Entry],
        id: &str,
        environment: &mut BTreeMap<String, EnvValue>,
    ) {
        let Some(node) = find(properties, "Environment") else { return };
        let entries = self.entries(node, &format!("`Environment` of `{id}`"));
        self.only(entries, &format!("`Environment` of `{id}`"), &["Variables"]);
        let Some(node) = find(entries, "Variables") else { return };
        for Entry { key, line, value } in self.entries(node, &format!("`Variables` of `{id}`")) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let starts = key.starts_with(|c: char| c.is_ascii_alphabetic());
            if !starts || key.len() < 2 || !key.chars().all(allowed) {
                let text = format!(
                    "`{key}` is not the name of a variable; write two or more letters, digits and `_`"
                );
                self.problems.add(*line, text);
            }
            if let Some(value) = self.value(value, &format!("the variable `{key}`")) {
                environment.insert(key.clone(), value);
            }
        }
    }

    fn event(&mut self, event: &'n Entry, function: &mut Function) {
        let Entry { key: name, line, value } = event;
        let of = format!("`{name}` of `{}`", function.logical_id);
        let entries = self.entries(value, &of);
        self.only(entries, &of, &["Type", "Properties"]);
        let properties = find(entries, "Properties");
        let properties =
            properties.map_or(&[][..], |node| self.entries(node, &format!("`Properties` of {of}")));
        let event = NamedEvent { name, line: *line, of: &of, properties };
        match find(entries, "Type").map(|node| (node.line, node.describe(), node.scalar())) {
            Some((_, _, Some("ScheduleV2"))) => function.schedules.extend(self.schedule(&event)),
            Some((_, _, Some("EventBridgeRule"))) => function.rules.extend(self.rule(&event)),
            Some((_, _, Some("HttpApi"))) => function.routes.extend(self.http(&event)),
            Some((line, found, kind)) => {
                let advice = better(BETTER_EVENTS, kind.unwrap_or_default());
                let text = format!(
                    "the local run cannot start a function by {found}, as {of} wants; {advice}"
                );
                self.problems.add(line, text);
            }
            None if value.entries().is_some() => {
                let text =
                    format!("{of} has no `Type`; write ScheduleV2, EventBridgeRule or HttpApi");
                self.problems.add(*line, text);
            }
            None => {}
        }
    }

    fn schedule(&mut self, event: &NamedEvent<'_, 'n>) -> Option<ScheduleEvent> {
        let NamedEvent { name, line, of, properties } = *event;
        self.only(properties, of, SCHEDULE_PROPERTIES);
        let enabled = self.is_enabled(event);
        let zone = find(properties, "ScheduleExpressionTimezone").map(|node| {
            self.text(node, &format!("`ScheduleExpressionTimezone` of {of}"))
                .map(|zone| (node, zone))
        });
        let expression = self.needed(event, "ScheduleExpression", "when it fires");
        let every = expression.and_then(|node| {
            let text = self.text(node, &format!("`ScheduleExpression` of {of}"))?;
            let zone = zone.map_or(Some(None), |zone| zone.map(Some))?;
            let parsed = Schedule::parse(&text, zone.as_ref().map(|(_, zone)| zone.as_str()));
            let line = match (&parsed, &zone) {
                (Err(ScheduleError::TimeZone(_)), Some((zone, _))) => zone.line,
                _ => node.line,
            };
            parsed.map_err(|error| self.problems.add(line, error.to_string())).ok()
        });
        let input = self.needed(event, "Input", "what the function is given");
        let input = input.and_then(|node| {
            let text = self.text(node, &format!("`Input` of {of}"))?;
            if text.contains("<aws.scheduler.") {
                let text = format!("`Input` of {of} asks AWS to fill something in, which the local run cannot; write it out");
                self.problems.add(node.line, text);
                return None;
            }
            let parsed = serde_json::from_str(&text);
            parsed
                .map_err(|error| {
                    let text = format!("`Input` of {of} must be JSON: {error}");
                    self.problems.add(node.line, text);
                })
                .ok()
        });
        let (every, input) = (every?, input?);
        enabled?.then(|| ScheduleEvent { name: name.to_owned(), line, every, input })
    }

    fn rule(&mut self, event: &NamedEvent<'_, 'n>) -> Option<EventRule> {
        let NamedEvent { name, line, of, properties } = *event;
        self.only(properties, of, RULE_PROPERTIES);
        let enabled = self.is_enabled(event);
        let bus =
            self.needed(event, "EventBusName", "which bus it listens to, `!Ref` and its name");
        if let Some(node) = bus {
            match self.value(node, &format!("`EventBusName` of {of}")) {
                None | Some(EnvValue::Bus) => {}
                Some(EnvValue::Text(_) | EnvValue::Table | EnvValue::Secret(_)) => {
                    let text = format!(
                        "`EventBusName` of {of} must be a `!Ref` to the event bus of this template"
                    );
                    self.problems.add(node.line, text);
                }
            }
        }
        let pattern = self.needed(event, "Pattern", "which events it is for");
        let pattern = self.pattern(pattern?, of)?;
        enabled?.then(|| EventRule { name: name.to_owned(), line, pattern })
    }

    fn pattern(&mut self, node: &'n Node, of: &str) -> Option<EventPattern> {
        let of = format!("the pattern of {of}");
        let entries = self.entries(node, &of);
        if node.entries().is_some_and(<[Entry]>::is_empty) {
            self.problems.add(node.line, format!("{of} is empty; write which events it is for"));
        }
        let mut pattern = EventPattern { source: None, detail_type: None, detail: BTreeMap::new() };
        for Entry { key, line, value } in entries {
            match key.as_str() {
                "source" => pattern.source = self.one_of(value, "`source`", &of),
                "detail-type" => pattern.detail_type = self.one_of(value, "`detail-type`", &of),
                "detail" => pattern.detail = self.detail(value, "`detail`", &of),
                other => {
                    let text = format!(
                        "the local run does not know `{other}` in {of}; use source, detail-type and detail"
                    );
                    self.problems.add(*line, text);
                }
            }
        }
        Some(pattern)
    }

    fn detail(&mut self, node: &'n Node, what: &str, of: &str) -> BTreeMap<String, DetailPattern> {
        let mut fields = BTreeMap::new();
        let entries = self.entries(node, &format!("{what} in {of}"));
        if node.entries().is_some_and(<[Entry]>::is_empty) {
            self.problems
                .add(node.line, format!("{what} in {of} is empty; write fields or remove it"));
        }
        for Entry { key, line, value } in entries {
            if key.starts_with('$') {
                let text = format!("the local run does not know `{key}` in {of}; list exact texts");
                self.problems.add(*line, text);
                continue;
            }
            let what = format!("`{key}`");
            let field = if value.entries().is_some() {
                Some(DetailPattern::Fields(self.detail(value, &what, of)))
            } else {
                self.one_of(value, &what, of).map(DetailPattern::OneOf)
            };
            fields.extend(field.map(|field| (key.clone(), field)));
        }
        fields
    }

    /// A list of exact texts.
    fn one_of(&mut self, node: &'n Node, what: &str, of: &str) -> Option<Vec<String>> {
        let Some(items) = node.items().filter(|items| !items.is_empty()) else {
            let found = node.describe();
            let found = if found == "a list" { "an empty one" } else { &found };
            let text = format!("{what} in {of} must be a list of texts, not {found}");
            self.problems.add(node.line, text);
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.content {
                Content::Scalar { text, plain } if item.tag.is_none() => {
                    if *plain
                        && (is_misread(text)
                            || is_whole_number(text)
                            || text == "true"
                            || text == "false")
                    {
                        let text = format!(
                            "`{text}` for {what} in {of} is not text for EventBridge; put it in quotes"
                        );
                        self.problems.add(item.line, text);
                    }
                    texts.push(text.clone());
                }
                Content::Map(entries) if !entries.is_empty() => {
                    let filter = &entries[0].key;
                    let text = format!(
                        "the local run does not know the filter `{filter}` for {what} in {of}; list exact texts"
                    );
                    self.problems.add(item.line, text);
                }
                _ => {
                    let found = item.describe();
                    let text =
                        format!("{what} in {of} must be a list of texts, and one is {found}");
                    self.problems.add(item.line, text);
                }
            }
        }
        Some(texts)
    }

    fn http(&mut self, event: &NamedEvent<'_, 'n>) -> Option<Route> {
        let NamedEvent { line, of, properties, .. } = *event;
        self.only(properties, of, HTTP_EVENT_PROPERTIES);
        self.payload_version(properties, of);
        let path = self.needed(event, "Path", "where it is, as in `/slack/command`");
        let path = path.and_then(|node| {
            let path = self.text(node, &format!("`Path` of {of}"))?;
            check_path(&path).map_err(|text| self.problems.add(node.line, text)).ok()?;
            Some(path)
        });
        let method = self.needed(event, "Method", "which requests it answers, as in `post`");
        let method = method.and_then(|node| {
            let text = self.text(node, &format!("`Method` of {of}"))?;
            // SAM does not mind the case.
            let method = check_method(&text.to_ascii_uppercase(), &text);
            method.map_err(|text| self.problems.add(node.line, text)).ok()
        });
        Some(Route { method: method?, path: path?, line })
    }

    /// 1.0 gives the function another event.
    fn payload_version(&mut self, properties: &'n [Entry], of: &str) {
        if let Some(node) = find(properties, "PayloadFormatVersion")
            && node.scalar() != Some("2.0")
        {
            let found = node.describe();
            let text = format!(
                "`PayloadFormatVersion` of {of} must be \"2.0\", not {found}: the local run sends no other"
            );
            self.problems.add(node.line, text);
        }
    }

    fn is_enabled(&mut self, event: &NamedEvent<'_, 'n>) -> Option<bool> {
        let Some(node) = find(event.properties, "State") else { return Some(true) };
        match node.scalar() {
            Some("ENABLED") => Some(true),
            Some("DISABLED") => Some(false),
            _ => {
                let (of, found) = (event.of, node.describe());
                let text = format!("`State` of {of} must be ENABLED or DISABLED, not {found}");
                self.problems.add(node.line, text);
                None
            }
        }
    }

    /// A property without which an event cannot be.
    fn needed(&mut self, event: &NamedEvent<'_, 'n>, key: &str, what: &str) -> Option<&'n Node> {
        let found = find(event.properties, key);
        if found.is_none() {
            self.problems.add(event.line, format!("{} has no `{key}`; write {what}", event.of));
        }
        found
    }

    // Routes that are resources.

    fn integration(&mut self, resource: &Resource<'n>) {
        let of = resource.name();
        let properties = resource.properties;
        self.only(properties, &of, INTEGRATION_PROPERTIES);
        self.payload_version(properties, &of);
        if let Some(node) = find(properties, "IntegrationType")
            && node.scalar() != Some("AWS_PROXY")
        {
            let found = node.describe();
            let text = format!(
                "`IntegrationType` of {of} must be AWS_PROXY, not {found}: the local run knows no other"
            );
            self.problems.add(node.line, text);
        }
        let uri = find(properties, "IntegrationUri");
        let function = uri
            .map(names_in)
            .unwrap_or_default()
            .into_iter()
            .find(|name| matches!(self.names.get(name), Some(Named::Function)));
        match function {
            Some(function) => {
                self.integrations.insert(resource.id, function.to_owned());
            }
            None => {
                let line = uri.map_or(resource.line, |node| node.line);
                let text =
                    format!("`IntegrationUri` of {of} must be the `!GetAtt ....Arn` of a function");
                self.problems.add(line, text);
            }
        }
    }

    fn explicit_route(&mut self, resource: &Resource<'n>) {
        let of = resource.name();
        self.only(resource.properties, &of, ROUTE_PROPERTIES);
        if let Some(node) = find(resource.properties, "AuthorizationType")
            && node.scalar() != Some("NONE")
        {
            let found = node.describe();
            let text = format!(
                "`AuthorizationType` of {of} must be NONE, not {found}: the local run asks nobody"
            );
            self.problems.add(node.line, text);
        }
        let event = NamedEvent {
            name: resource.id,
            line: resource.line,
            of: &of,
            properties: resource.properties,
        };
        let key =
            self.needed(&event, "RouteKey", "a method and a path, as in `POST /slack/command`");
        let route = key.and_then(|node| {
            let key = self.text(node, &format!("`RouteKey` of {of}"))?;
            let route =
                check_route_key(&key).map_err(|text| self.problems.add(node.line, text)).ok();
            route.map(|(method, path)| Route { method, path, line: resource.line })
        });
        let target = self.needed(&event, "Target", "`!Sub integrations/${...}`");
        let integration = target.map(|node| (node.line, names_in(node)));
        if let (Some(route), Some((line, names))) = (route, integration) {
            match names[..] {
                [name] => self.routes.push((route, name.to_owned())),
                _ => {
                    let text = format!(
                        "`Target` of {of} must be `!Sub integrations/${{...}}` with one integration"
                    );
                    self.problems.add(line, text);
                }
            }
        }
    }

    fn join_routes(&mut self) {
        for (route, integration) in std::mem::take(&mut self.routes) {
            let function = self.integrations.get(integration.as_str());
            let mut functions = self.functions.iter_mut();
            let function = functions.find(|known| Some(&known.logical_id) == function);
            match function {
                Some(function) => function.routes.push(route),
                None => {
                    let text = format!(
                        "`{integration}` is not an integration with a function; write one of type AWS::ApiGatewayV2::Integration"
                    );
                    self.problems.add(route.line, text);
                }
            }
        }
        let mut seen: BTreeMap<(Method, &str), usize> = BTreeMap::new();
        for Route { method, path, line } in self.functions.iter().flat_map(|known| &known.routes) {
            if let Some(first) = seen.insert((*method, path), *line) {
                let text =
                    format!("`{method} {path}` is here twice, also on line {first}; remove one");
                self.problems.add(*line, text);
            }
        }
    }

    // The table.

    fn table(&mut self, resource: &Resource<'n>) -> Option<TableDefinition> {
        let (of, properties) = (resource.name(), resource.properties);
        self.only(properties, &of, TABLE_PROPERTIES);
        let attributes = self.attributes(resource);
        let key = self.key(properties, resource.line, &of, &attributes);
        let mut indexes = Vec::new();
        if let Some(node) = find(properties, "GlobalSecondaryIndexes") {
            for item in self.items(node, &format!("`GlobalSecondaryIndexes` of {of}")) {
                indexes.extend(self.index(item, &attributes));
            }
        }
        let ttl_attribute =
            find(properties, "TimeToLiveSpecification").and_then(|node| self.ttl(node, &of));
        let used: BTreeSet<&str> = key
            .iter()
            .chain(indexes.iter().map(|index: &Index| &index.key))
            .flat_map(|key| std::iter::once(&key.hash).chain(&key.range))
            .map(|attribute| attribute.name.as_str())
            .collect();
        // Only if all keys are known: otherwise their attributes would be reported too.
        if key.is_some() && self.problems.0.is_empty() {
            for Attribute { name, .. } in &attributes {
                if !used.contains(name.as_str()) {
                    let text = format!(
                        "the attribute `{name}` of {of} is in no key; remove it from `AttributeDefinitions`"
                    );
                    self.problems.add(resource.line, text);
                }
            }
        }
        let Resource { id, line, .. } = *resource;
        let (logical_id, key) = (id.to_owned(), key?);
        Some(TableDefinition { logical_id, line, key, indexes, ttl_attribute, attributes })
    }

    fn attributes(&mut self, resource: &Resource<'n>) -> Vec<Attribute> {
        let of = resource.name();
        let mut attributes: Vec<Attribute> = Vec::new();
        let Some(node) = find(resource.properties, "AttributeDefinitions") else {
            let text =
                format!("{of} has no `AttributeDefinitions`; write the attributes of its keys");
            self.problems.add(resource.line, text);
            return attributes;
        };
        for item in self.items(node, &format!("`AttributeDefinitions` of {of}")) {
            let what = format!("an attribute of {of}");
            let Some([name, kind]) = self.pair(item, &what, ["AttributeName", "AttributeType"])
            else {
                continue;
            };
            let kind = match kind.as_str() {
                "S" => AttributeKind::Text,
                "N" => AttributeKind::Number,
                "B" => AttributeKind::Binary,
                other => {
                    let text =
                        format!("`AttributeType` of `{name}` must be S, N or B, not `{other}`");
                    self.problems.add(item.line, text);
                    continue;
                }
            };
            if attributes.iter().any(|known| known.name == name) {
                self.problems
                    .add(item.line, format!("the attribute `{name}` is here twice; remove one"));
            }
            attributes.push(Attribute { name, kind });
        }
        attributes
    }

    fn key(
        &mut self,
        properties: &'n [Entry],
        line: usize,
        of: &str,
        attributes: &[Attribute],
    ) -> Option<TableKey> {
        let Some(node) = find(properties, "KeySchema") else {
            self.problems.add(line, format!("{of} has no `KeySchema`; write its key"));
            return None;
        };
        let mut parts = Vec::new();
        for item in self.items(node, &format!("`KeySchema` of {of}")) {
            let what = format!("a part of the key of {of}");
            let [name, kind] = self.pair(item, &what, ["AttributeName", "KeyType"])?;
            let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) else {
                let text = format!(
                    "`{name}` in the key of {of} has no type; add it to `AttributeDefinitions`"
                );
                self.problems.add(item.line, text);
                return None;
            };
            parts.push((kind, attribute.clone()));
        }
        let kinds: Vec<&str> = parts.iter().map(|(kind, _)| kind.as_str()).collect();
        if node.items().is_some() && kinds != ["HASH"] && kinds != ["HASH", "RANGE"] {
            let text =
                format!("the key of {of} must be one HASH and at most one RANGE, in this order");
            self.problems.add(node.line, text);
            return None;
        }
        let mut parts = parts.into_iter().map(|(_, attribute)| attribute);
        Some(TableKey { hash: parts.next()?, range: parts.next() })
    }

    fn index(&mut self, node: &'n Node, attributes: &[Attribute]) -> Option<Index> {
        let entries = self.entries(node, "an index");
        let Some(name) = find(entries, "IndexName") else {
            if node.entries().is_some() {
                self.problems.add(node.line, "an index has no `IndexName`; write one");
            }
            return None;
        };
        let name = self.text(name, "`IndexName`")?;
        let of = format!("the index `{name}`");
        self.only(entries, &of, INDEX_PROPERTIES);
        let key = self.key(entries, node.line, &of, attributes);
        let Some(projection) = find(entries, "Projection") else {
            self.problems
                .add(node.line, format!("{of} has no `Projection`; write KEYS_ONLY or ALL"));
            return None;
        };
        let kind = self.entries(projection, &format!("`Projection` of {of}"));
        let projection = match find(kind, "ProjectionType").and_then(Node::scalar) {
            Some("KEYS_ONLY") => Projection::KeysOnly,
            Some("ALL") => Projection::All,
            other => {
                if projection.entries().is_some() {
                    let found = other.unwrap_or("nothing");
                    let text = format!(
                        "`ProjectionType` of {of} must be KEYS_ONLY or ALL, not {found}: the local run knows no other"
                    );
                    self.problems.add(projection.line, text);
                }
                return None;
            }
        };
        Some(Index { name, key: key?, projection })
    }

    fn ttl(&mut self, node: &'n Node, of: &str) -> Option<String> {
        let what = format!("`TimeToLiveSpecification` of {of}");
        let entries = self.entries(node, &what);
        self.only(entries, &what, &["AttributeName", "Enabled"]);
        let enabled = find(entries, "Enabled").and_then(Node::scalar);
        match enabled {
            Some("false") => None,
            Some("true") => {
                let Some(name) = find(entries, "AttributeName") else {
                    self.problems
                        .add(node.line, format!("{what} has no `AttributeName`; write one"));
                    return None;
                };
                self.text(name, &format!("`AttributeName` of {what}"))
            }
            _ => {
                if node.entries().is_some() {
                    let text = format!("`Enabled` of {what} must be true or false; write one");
                    self.problems.add(node.line, text);
                }
                None
            }
        }
    }

    /// Two texts under these keys.
    fn pair(&mut self, node: &'n Node, what: &str, keys: [&str; 2]) -> Option<[String; 2]> {
        let entries = self.entries(node, what);
        if node.entries().is_some() {
            self.only(entries, what, &keys);
        }
        let [first, second] = keys.map(|key| {
            let Some(value) = find(entries, key) else {
                if node.entries().is_some() {
                    self.problems.add(node.line, format!("{what} has no `{key}`; write one"));
                }
                return None;
            };
            self.text(value, &format!("`{key}` of {what}"))
        });
        Some([first?, second?])
    }

    // Secrets.

    fn secret(&mut self, resource: &Resource<'n>) {
        let Resource { id, line, properties, .. } = *resource;
        let of = resource.name();
        self.only(properties, &of, SECRET_PROPERTIES);
        let literal = find(properties, "SecretString");
        let generate = find(properties, "GenerateSecretString");
        let value = match (literal, generate) {
            (None, None) => Some(SecretValue::Empty),
            (Some(node), None) => {
                self.text(node, &format!("`SecretString` of {of}")).map(SecretValue::Literal)
            }
            (None, Some(node)) => self.generated_secret(node, &of),
            (Some(_), Some(node)) => {
                let text =
                    format!("{of} has both `SecretString` and `GenerateSecretString`; remove one");
                self.problems.add(node.line, text);
                None
            }
        };
        let logical_id = id.to_owned();
        self.secrets.extend(value.map(|value| SecretDefinition { logical_id, line, value }));
    }

    fn generated_secret(&mut self, node: &'n Node, of: &str) -> Option<SecretValue> {
        let what = format!("`GenerateSecretString` of {of}");
        let entries = self.entries(node, &what);
        self.only(entries, &what, GENERATE_PROPERTIES);
        let length = match find(entries, "PasswordLength") {
            Some(node) => {
                let what = format!("`PasswordLength` of {of}");
                self.number(node, &what, PASSWORD_LENGTHS, "characters")?
            }
            None => DEFAULT_PASSWORD_LENGTH,
        };
        let length = usize::try_from(length).ok()?;
        let template = find(entries, "SecretStringTemplate");
        let key = find(entries, "GenerateStringKey");
        match (template, key) {
            (None, None) => Some(SecretValue::Password { length }),
            (Some(template), Some(key)) => {
                let line = template.line;
                let key = self.text(key, &format!("`GenerateStringKey` of {of}"));
                let template = self.text(template, &format!("`SecretStringTemplate` of {of}"))?;
                match serde_json::from_str(&template) {
                    Ok(template) => Some(SecretValue::Generated { template, key: key?, length }),
                    Err(error) => {
                        let text = format!(
                            "`SecretStringTemplate` of {of} must be a JSON object: {error}"
                        );
                        self.problems.add(line, text);
                        None
                    }
                }
            }
            _ => {
                let text = format!(
                    "{what} must have both `SecretStringTemplate` and `GenerateStringKey`, or neither"
                );
                self.problems.add(node.line, text);
                None
            }
        }
    }

    // Values.

    fn entries(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        node.entries().unwrap_or_else(|| {
            let found = node.describe();
            self.problems.add(node.line, format!("{what} must be a mapping, not {found}"));
            &[]
        })
    }

    fn items(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        node.items().unwrap_or_else(|| {
            let found = node.describe();
            self.problems.add(node.line, format!("{what} must be a list, not {found}"));
            &[]
        })
    }

    fn only(&mut self, entries: &[Entry], of: &str, known: &[&str]) {
        for Entry { key, line, .. } in entries {
            if !known.contains(&key.as_str()) {
                let text = format!(
                    "the local run does not know `{key}` of {of}; remove it, or teach it in {HERE}"
                );
                self.problems.add(*line, text);
            }
        }
    }

    fn number(
        &mut self,
        node: &'n Node,
        what: &str,
        range: RangeInclusive<u64>,
        unit: &str,
    ) -> Option<u64> {
        let text = self.text(node, what)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (min, max) = (range.start(), range.end());
            let text =
                format!("{what} must be a number of {unit} from {min} to {max}, not `{text}`");
            self.problems.add(node.line, text);
        }
        number
    }

    /// Text as it stands, without functions.
    fn plain_text(&mut self, node: &'n Node, what: &str) -> Option<String> {
        match &node.content {
            Content::Scalar { text, plain } if node.tag.is_none() => {
                if *plain && is_misread(text) {
                    let found = node.describe();
                    let text = format!(
                        "{what} is {found}, which CloudFormation does not read as text; put it in quotes"
                    );
                    self.problems.add(node.line, text);
                    return None;
                }
                Some(text.clone())
            }
            _ => {
                let found = node.describe();
                self.problems.add(node.line, format!("{what} must be text, not {found}"));
                None
            }
        }
    }

    /// Text as it stands, or made from parameters.
    fn text(&mut self, node: &'n Node, what: &str) -> Option<String> {
        match self.value(node, what)? {
            EnvValue::Text(text) => Some(text),
            EnvValue::Table | EnvValue::Bus | EnvValue::Secret(_) => {
                let text = format!("{what} must be text, not the name of a resource");
                self.problems.add(node.line, text);
                None
            }
        }
    }

    /// Text, or the name of a resource that is here.
    fn value(&mut self, node: &'n Node, what: &str) -> Option<EnvValue> {
        let Some(call) = node.call() else {
            return self.plain_text(node, what).map(EnvValue::Text);
        };
        let pieces = match (call.function, call.argument) {
            ("Ref", Content::Scalar { text, .. }) => vec![Piece::Name(text)],
            ("Sub", Content::Scalar { text, .. }) => pieces(text)?,
            (function, _) => {
                let text = format!(
                    "{what} is a `!{function}`, which the local run cannot work out; use text, !Ref or !Sub"
                );
                self.problems.add(call.line, text);
                return None;
            }
        };
        let mut pieces = pieces.into_iter().filter(|piece| !matches!(piece, Piece::Text("")));
        let mut whole = String::new();
        let mut count = 0;
        let mut alone = None;
        while let Some(piece) = pieces.next() {
            count += 1;
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Name(name) => match self.named_value(name, call.line, what)? {
                    EnvValue::Text(text) => whole.push_str(&text),
                    other => alone = Some(other),
                },
            }
        }
        match alone {
            None => Some(EnvValue::Text(whole)),
            Some(value) if count == 1 => Some(value),
            Some(_) => {
                let text = format!(
                    "{what} has the name of a resource within text, which the local run cannot work out; use it alone"
                );
                self.problems.add(call.line, text);
                None
            }
        }
    }

    fn named_value(&mut self, name: &str, line: usize, what: &str) -> Option<EnvValue> {
        let text = match self.names.get(name) {
            Some(Named::Parameter { default: Some(default) }) => {
                return Some(EnvValue::Text(default.clone()));
            }
            Some(Named::Table) => return Some(EnvValue::Table),
            Some(Named::Bus) => return Some(EnvValue::Bus),
            Some(Named::Secret) => return Some(EnvValue::Secret(name.to_owned())),
            Some(Named::Parameter { default: None }) => {
                format!(
                    "{what} needs the parameter `{name}`, which has no usable default; give it one"
                )
            }
            Some(Named::Function) => {
                format!(
                    "{what} is the name of the function `{name}`; functions do not call each other, use the bus"
                )
            }
            Some(Named::Other(kind)) => {
                format!("{what} is the name of `{name}`, and the local run has no {kind}")
            }
            // What names nothing at all is reported for the whole template.
            None if !self.is_known(name) => return None,
            None => {
                format!("{what} needs `{name}`, which has no value here; use text, or a parameter")
            }
        };
        self.problems.add(line, text);
        None
    }

    // References.

    fn is_known(&self, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        PSEUDO_PARAMETERS.contains(&name)
            || self.names.contains_key(first)
            || self.generated.contains(first)
    }

    /// Everything that is named must be there.
    fn references(&mut self, sections: &'n [Entry]) {
        let mut missing: Vec<(usize, String)> = Vec::new();
        for section in ["Conditions", "Globals", "Resources", "Outputs"] {
            let Some(node) = find(sections, section) else { continue };
            node.walk(&mut |node| missing.extend(self.missing(node)));
            let Some(entries) = node.entries().filter(|_| section != "Conditions") else {
                continue;
            };
            for entry in entries {
                missing.extend(self.missing_attributes(&entry.value));
            }
        }
        for (line, text) in missing {
            self.problems.add(line, text);
        }
    }

    fn missing(&self, node: &'n Node) -> Option<(usize, String)> {
        let call = node.call()?;
        let function = call.function;
        let nothing = |name: &str| {
            let text = format!(
                "`{name}` in this `!{function}` is nothing in the template; correct it, or define it"
            );
            (call.line, text)
        };
        let name = call.text().filter(|name| !name.is_empty());
        match function {
            "Ref" | "GetAtt" | "Sub" | "If" | "Condition" if name.is_none() => {
                let text = format!("this `!{function}` names nothing; write a name");
                Some((call.line, text))
            }
            "Ref" | "GetAtt" => name.filter(|name| !self.is_known(name)).map(nothing),
            "If" | "Condition" => name.filter(|name| !self.conditions.contains(name)).map(nothing),
            "Sub" => {
                let Some(pieces) = pieces(name?) else {
                    return Some((
                        call.line,
                        "a `${` in this `!Sub` is not closed; write `}`".to_owned(),
                    ));
                };
                let own = call.own_names();
                let missing = pieces.into_iter().find_map(|piece| match piece {
                    Piece::Name(name) if find(own, name).is_none() && !self.is_known(name) => {
                        Some(name)
                    }
                    Piece::Name(_) | Piece::Text(_) => None,
                });
                missing.map(nothing)
            }
            _ => None,
        }
    }

    /// `Condition` and `DependsOn` of a resource.
    fn missing_attributes(&self, resource: &'n Node) -> Vec<(usize, String)> {
        let entries = resource.entries().unwrap_or_default();
        let mut missing = Vec::new();
        if let Some(node) = find(entries, "Condition")
            && !node.scalar().is_some_and(|name| self.conditions.contains(name))
        {
            let found = node.describe();
            missing.push((
                node.line,
                format!("`Condition` must be the name of a condition, and {found} is not"),
            ));
        }
        if let Some(node) = find(entries, "DependsOn") {
            let list = node.items().map_or(vec![node], |items| items.iter().collect());
            for node in list {
                if !node.scalar().is_some_and(|name| self.is_known(name)) {
                    let found = node.describe();
                    missing.push((
                        node.line,
                        format!("`DependsOn` must name resources, and {found} is not one"),
                    ));
                }
            }
        }
        missing
    }
}

impl Resource<'_> {
    fn name(&self) -> String {
        format!("`{}`", self.id)
    }
}

/// An event of a function, or a resource that is like one.
struct NamedEvent<'e, 'n> {
    name: &'e str,
    line: usize,
    of: &'e str,
    properties: &'n [Entry],
}

fn named(kind: &str) -> Named {
    match kind {
        "AWS::DynamoDB::Table" => Named::Table,
        "AWS::Events::EventBus" => Named::Bus,
        "AWS::SecretsManager::Secret" => Named::Secret,
        "AWS::Serverless::Function" => Named::Function,
        other => Named::Other(other.to_owned()),
    }
}

/// Names of the resources that SAM makes for a function.
fn generated(id: &str, properties: &[Entry]) -> Vec<String> {
    let mut names = Vec::new();
    if find(properties, "Role").is_none() {
        names.push(format!("{id}Role"));
    }
    let events = find(properties, "Events").and_then(Node::entries).unwrap_or_default();
    for Entry { key, value, .. } in events {
        names.extend(["", "Role", "Permission"].map(|suffix| format!("{id}{key}{suffix}")));
        let kind = value.entries().and_then(|entries| find(entries, "Type")?.scalar());
        if kind == Some("HttpApi") {
            names.push("ServerlessHttpApi".to_owned());
        }
    }
    names
}

/// The resources that a value is made from.
fn names_in(node: &Node) -> Vec<&str> {
    let mut names = Vec::new();
    node.walk(&mut |node| {
        let Some(call) = node.call() else { return };
        let text = call.text().unwrap_or_default();
        match call.function {
            "Ref" | "GetAtt" => names.push(text),
            "Sub" => {
                names.extend(pieces(text).unwrap_or_default().into_iter().filter_map(|piece| {
                    match piece {
                        Piece::Name(name) => Some(name),
                        Piece::Text(_) => None,
                    }
                }))
            }
            _ => {}
        }
    });
    names
        .into_iter()
        .filter(|name| !PSEUDO_PARAMETERS.contains(name))
        .map(|name| name.split('.').next().unwrap_or(name))
        .collect()
}

fn better(advice: &[(&str, &'static str)], kind: &str) -> String {
    let advice = advice.iter().find(|(worse, _)| *worse == kind);
    advice.map_or_else(
        || format!("remove it, or teach it in {HERE}"),
        |(_, better)| (*better).to_owned(),
    )
}

fn check_method(capitals: &str, given: &str) -> Result<Method, String> {
    Method::parse(capitals).ok_or_else(|| {
        let known = Method::ALL.map(Method::as_str).join(", ");
        format!("`{given}` is not a method; write one of {known}")
    })
}

fn check_path(path: &str) -> Result<(), String> {
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
                && part.chars().all(|c| c.is_ascii_graphic() && !"{}?#\"<>\\^`|+".contains(c))
        };
        if !name.map_or_else(|| is_text(part), is_name) {
            return Err(format!(
                "the path `{path}` cannot be served because of `{part}`; write texts and `{{names}}` between slashes, `{{name+}}` only at the end"
            ));
        }
    }
    Ok(())
}

fn check_route_key(key: &str) -> Result<(Method, String), String> {
    let Some((method, path)) = key.split_once(' ') else {
        return Err(format!(
            "`{key}` is not a method and a path; write them as in `POST /slack/command`"
        ));
    };
    check_path(path)?;
    Ok((check_method(method, method)?, path.to_owned()))
}

// --- What should not be deployed ---------------------------------------------------------------------------------------

/// What `sam validate` and cfn-lint let pass and AWS refuses, or should: all that is found, by line.
///
/// Permissions with a `*`, schedules that are none, paths without a slash, methods that are none. Unlike
/// [`Template::parse`] it also looks at resources that the local run passes over or does not know.
pub fn audit(text: &str) -> Vec<Problem> {
    let mut problems = Problems::default();
    if let Some(root) = document(text, &mut problems) {
        root.walk(&mut |node| {
            let entries = node.entries().unwrap_or_default();
            audit_statement(entries, &mut problems);
            audit_schedule(entries, &mut problems);
            audit_route(entries, &mut problems);
        });
    }
    problems.sorted()
}

fn audit_statement(entries: &[Entry], problems: &mut Problems) {
    let Some(effect) = find(entries, "Effect") else { return };
    // To deny more than is needed takes nothing away.
    if effect.scalar() == Some("Deny") {
        return;
    }
    for Entry { key, line, value } in entries {
        match key.as_str() {
            "Action" | "Resource" | "Principal" => value.walk(&mut |node| {
                if let Content::Scalar { text, .. } = &node.content
                    && text.contains('*')
                {
                    let text = format!(
                        "`{text}` as {key} allows more than is named; write out what is needed"
                    );
                    problems.add(node.line, text);
                }
            }),
            "NotAction" | "NotResource" | "NotPrincipal" => {
                let text = format!(
                    "{key} allows everything that it does not name; write out what is needed"
                );
                problems.add(*line, text);
            }
            _ => {}
        }
    }
}

fn audit_schedule(entries: &[Entry], problems: &mut Problems) {
    let kind = find(entries, "Type").and_then(Node::scalar);
    let inner = find(entries, "Properties").and_then(Node::entries).unwrap_or_default();
    let of_sam = find(inner, "Schedule").filter(|_| kind == Some("Schedule"));
    let Some(node) = find(entries, "ScheduleExpression").or(of_sam) else { return };
    let zone = find(entries, "ScheduleExpressionTimezone").and_then(Node::scalar);
    match node.scalar().map(|text| Schedule::parse(text, zone)) {
        Some(Ok(_)) => {}
        Some(Err(error)) => problems.add(node.line, error.to_string()),
        None => {
            let found = node.describe();
            problems.add(
                node.line,
                format!("a schedule cannot be checked as {found}; write it as text"),
            );
        }
    }
}

fn audit_route(entries: &[Entry], problems: &mut Problems) {
    if let Some(node) = find(entries, "RouteKey")
        && let Some(key) = node.scalar().filter(|key| *key != "$default")
        && let Err(text) = check_route_key(key)
    {
        problems.add(node.line, text);
    }
    if !matches!(find(entries, "Type").and_then(Node::scalar), Some("HttpApi" | "Api")) {
        return;
    }
    let inner = find(entries, "Properties").and_then(Node::entries).unwrap_or_default();
    if let Some(node) = find(inner, "Path")
        && let Some(Err(text)) = node.scalar().map(check_path)
    {
        problems.add(node.line, text);
    }
    if let Some(node) = find(inner, "Method")
        && let Some(Err(text)) =
            node.scalar().map(|text| check_method(&text.to_ascii_uppercase(), text))
    {
        problems.add(node.line, text);
    }
}
