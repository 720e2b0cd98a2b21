//! What `template.yaml` says, as far as it matters on one machine.
//!
//! Strict: what the local run cannot do is a [`Problem`] that names its line, and all problems are
//! found at once. Resource types and properties that mean nothing locally are listed here and
//! passed over. Knows nothing of files, of AWS's APIs, or of how anything is run.
//!
//! YAML comes as events of the parser and not as its ready-made tree: that tree knows only the
//! first duplicate key, turns `1.10` into a number, and overflows the stack on a deeply nested file.

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

// --- What a template may hold: lists of words ---

const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

const SECTIONS: &str = "AWSTemplateFormatVersion Conditions Description Globals Mappings Metadata
    Outputs Parameters Resources Rules Transform";

const RESOURCE_ATTRIBUTES: &str = "Condition CreationPolicy DeletionPolicy DependsOn Metadata
    Properties Type UpdatePolicy UpdateReplacePolicy";

/// Types that have no meaning on one machine: permissions, failed deliveries, observation, names.
const PASSED_OVER_TYPES: &str = "
    AWS::ApiGatewayV2::ApiMapping AWS::ApiGatewayV2::Deployment AWS::ApiGatewayV2::DomainName
    AWS::ApiGatewayV2::Stage AWS::Budgets::Budget AWS::CertificateManager::Certificate AWS::CloudWatch::Alarm AWS::CloudWatch::CompositeAlarm
    AWS::CloudWatch::Dashboard AWS::Events::Archive AWS::Events::EventBusPolicy
    AWS::IAM::ManagedPolicy AWS::IAM::Policy AWS::IAM::Role AWS::KMS::Alias AWS::KMS::Key
    AWS::Lambda::Permission AWS::Logs::LogGroup
    AWS::Logs::MetricFilter AWS::Logs::QueryDefinition AWS::Logs::ResourcePolicy
    AWS::Route53::RecordSet AWS::SNS::Subscription AWS::SNS::Topic AWS::SNS::TopicPolicy
    AWS::SQS::Queue AWS::SQS::QueuePolicy AWS::Scheduler::ScheduleGroup
    AWS::SecretsManager::ResourcePolicy";

/// What says the same as something that is not known here.
const BETTER: &[(&str, &str)] = &[
    ("AWS::Events::Rule", "write an EventBridgeRule among the function's `Events`"),
    ("AWS::Lambda::Function", "write an AWS::Serverless::Function"),
    ("AWS::Scheduler::Schedule", "write a ScheduleV2 among the function's `Events`"),
    ("AWS::Serverless::SimpleTable", "write an AWS::DynamoDB::Table"),
    ("Api", "write an HttpApi"),
    ("CloudWatchEvent", "write an EventBridgeRule"),
    ("Schedule", "write a ScheduleV2"),
];

const FUNCTION_PROPERTIES: &str = "Architectures AutoPublishAlias CodeUri DeadLetterQueue
    Description Environment EphemeralStorage EventInvokeConfig Events FunctionName Handler KmsKeyArn
    LoggingConfig MemorySize PermissionsBoundary Policies PropagateTags
    ProvisionedConcurrencyConfig RecursiveLoop ReservedConcurrentExecutions Role RolePath Runtime
    RuntimeManagementConfig Tags Timeout Tracing";

/// A firing at the beginning of a `FlexibleTimeWindow` is within it.
const SCHEDULE_PROPERTIES: &str = "DeadLetterConfig Description FlexibleTimeWindow GroupName Input
    KmsKeyArn Name OmitName PermissionsBoundary RetryPolicy RoleArn ScheduleExpression
    ScheduleExpressionTimezone State";

const RULE_PROPERTIES: &str =
    "DeadLetterConfig EventBusName Pattern RetryPolicy RuleName State Target";

const HTTP_EVENT_PROPERTIES: &str =
    "ApiId Method Path PayloadFormatVersion RouteSettings TimeoutInMillis";

const ROUTE_PROPERTIES: &str = "ApiId AuthorizationType OperationName RouteKey Target";

const INTEGRATION_PROPERTIES: &str = "ApiId Description IntegrationMethod IntegrationType
    IntegrationUri PayloadFormatVersion TimeoutInMillis";

const HTTP_API_PROPERTIES: &str = "AccessLogSettings DefaultRouteSettings Description
    DisableExecuteApiEndpoint Domain FailOnWarnings Name PropagateTags RouteSettings StageName
    Tags";

const API_PROPERTIES: &str =
    "Description DisableExecuteApiEndpoint FailOnWarnings Name ProtocolType Tags Version";

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

const PSEUDO_PARAMETERS: &str = "AWS::AccountId AWS::NoValue AWS::NotificationARNs AWS::Partition
    AWS::Region AWS::StackId AWS::StackName AWS::URLSuffix";

const FUNCTIONS_OF_CLOUDFORMATION: &str = "And Base64 Cidr Condition Equals FindInMap GetAZs GetAtt
    If ImportValue Join Not Or Ref Select Split Sub";

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
    better.map_or("remove it, or teach it in infra/flockwork/src/template.rs", |(_, better)| better)
}

// --- YAML ---

/// Deeper than any template. Reading a node takes stack.
const MAX_DEPTH: usize = 64;

/// More than any template has; AWS takes 1 MB. An alias counts as what it stands for.
const MAX_NODES: usize = 100_000;

/// A value in the file.
#[derive(Debug, Clone)]
struct Node {
    line: usize,
    /// `Ref` for `!Ref`.
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
            let Some(key) = key.scalar().map(str::to_owned) else {
                self.problems.add(line, "only text can be a key; write a name");
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

    /// The name of a function, as in `!Ref`.
    fn tag(&mut self, tag: &Tag, line: usize) -> Option<String> {
        if tag.handle == "!" && is_in(FUNCTIONS_OF_CLOUDFORMATION, &tag.suffix) {
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
                "the file is too large for a template; an alias counts as what it repeats",
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
        // A function of a function has no argument that could be worked out.
        let argument = if value.tag.is_some() { &NO_ARGUMENT } else { &value.content };
        Some(Call { function, argument, line: *line })
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

static NO_ARGUMENT: Content = Content::List(Vec::new());

/// A function, as in `!Ref`, and what it is given.
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

/// The pieces, none of them empty; nothing when a `${` is not closed.
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
    pieces.retain(|piece| !matches!(piece, Piece::Text("")));
    Some(pieces)
}

/// Whether AWS, which reads YAML 1.1, may see something else in plain text than its characters.
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

// --- From YAML to the template ---

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

/// A mapping, and what to call it in a problem.
struct Fields<'n> {
    of: String,
    line: usize,
    entries: &'n [Entry],
}

/// A resource and what is read of it.
struct Resource<'n> {
    id: &'n str,
    kind: &'n str,
    attributes: &'n [Entry],
    properties: Fields<'n>,
}

/// Under way from YAML to a [`Template`].
struct Reading<'n, 'p> {
    problems: &'p mut Problems,
    names: BTreeMap<&'n str, Named>,
    conditions: BTreeSet<&'n str>,
    /// Names of what SAM makes.
    generated: BTreeSet<String>,
    /// Of all functions.
    timeout: Duration,
    environment: BTreeMap<String, EnvValue>,
    functions: Vec<Function>,
    tables: Vec<(usize, Option<TableDefinition>)>,
    buses: Vec<(usize, Option<String>)>,
    secrets: Vec<SecretDefinition>,
    /// From the integration to its function.
    integrations: BTreeMap<&'n str, &'n str>,
    /// Each with its integration.
    routes: Vec<(Route, &'n str)>,
}

fn find<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Node> {
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

impl<'n> Fields<'n> {
    fn get(&self, key: &str) -> Option<&'n Node> {
        find(self.entries, key)
    }

    fn what(&self, key: &str) -> String {
        format!("`{key}` of {}", self.of)
    }
}

impl<'n, 'p> Reading<'n, 'p> {
    /// None only when there is a problem; there may be one in any case.
    fn template(root: &'n Node, problems: &'p mut Problems) -> Option<Template> {
        let mut reading = Self {
            problems,
            names: BTreeMap::new(),
            conditions: BTreeSet::new(),
            generated: BTreeSet::new(),
            timeout: DEFAULT_TIMEOUT,
            environment: BTreeMap::new(),
            functions: Vec::new(),
            tables: Vec::new(),
            buses: Vec::new(),
            secrets: Vec::new(),
            integrations: BTreeMap::new(),
            routes: Vec::new(),
        };
        let sections = reading.fields(root, "the template", SECTIONS)?;
        let parameters = reading.parameters(&sections);
        let resources = reading.resources(&sections)?;
        reading.conditions(&sections);
        reading.references(&sections);
        reading.globals(&sections);
        for resource in &resources {
            reading.resource(resource);
        }
        reading.join_routes();
        let line = sections.entries.iter().find(|entry| entry.key == "Resources")?.line;
        let tables = std::mem::take(&mut reading.tables);
        let table = reading.the_only(tables, line, "table", "AWS::DynamoDB::Table");
        let buses = std::mem::take(&mut reading.buses);
        let bus = reading.the_only(buses, line, "event bus", "AWS::Events::EventBus");
        let Self { functions, secrets, .. } = reading;
        Some(Template { functions, table: table?, bus: bus?, secrets, parameters })
    }

    // Sections.

    fn parameters(&mut self, sections: &Fields<'n>) -> BTreeMap<String, String> {
        if let Some(transform) = self.need(sections, "Transform", TRANSFORM)
            && transform.scalar() != Some(TRANSFORM)
        {
            self.must_be(transform, "`Transform`", TRANSFORM);
        }
        let mut defaults = BTreeMap::new();
        let Some(node) = sections.get("Parameters") else { return defaults };
        for Entry { key, value, .. } in self.entries(node, "`Parameters`") {
            let of = format!("the parameter `{key}`");
            let entries = self.entries(value, &of);
            let parameter = Fields { of, line: value.line, entries };
            self.choice(&parameter, "Type", &["String", "Number", "CommaDelimitedList"]);
            let given = parameter.get("Default");
            let default = given.and_then(|node| self.plain_text(node, &parameter.what("Default")));
            defaults.extend(default.clone().map(|default| (key.clone(), default)));
            // What is wrong already need not be reported as missing too.
            let is_wrong = given.is_some() || value.entries().is_none();
            let default = default.or_else(|| is_wrong.then(String::new));
            self.names.insert(key, Named::Parameter { default });
        }
        defaults
    }

    fn conditions(&mut self, sections: &Fields<'n>) {
        if let Some(node) = sections.get("Conditions") {
            let conditions = self.entries(node, "`Conditions`");
            self.conditions = conditions.iter().map(|entry| entry.key.as_str()).collect();
        }
    }

    fn globals(&mut self, sections: &Fields<'n>) {
        let node = sections.get("Globals");
        let globals = node.and_then(|node| self.fields(node, "`Globals`", "Function"));
        let Some(node) = globals.and_then(|globals| globals.get("Function")) else { return };
        let function = self.fields(node, "`Globals: Function`", FUNCTION_PROPERTIES);
        let Some(function) = function else { return };
        let found = self.common(&function);
        (self.timeout, self.environment) = found;
    }

    fn resources(&mut self, sections: &Fields<'n>) -> Option<Vec<Resource<'n>>> {
        let node = self.need(sections, "Resources", "at least a table and an event bus")?;
        let mut resources = Vec::new();
        for Entry { key: id, line, value } in self.entries(node, "`Resources`") {
            let of = format!("`{id}`");
            let Some(attributes) = self.fields(value, &of, RESOURCE_ATTRIBUTES) else { continue };
            let properties = attributes.get("Properties");
            let entries = properties.map(|node| self.entries(node, &attributes.what("Properties")));
            let entries = entries.unwrap_or_default();
            let properties = Fields { of, line: *line, entries };
            let attributes = Fields { line: *line, ..attributes };
            let kind = self.need(&attributes, "Type", "what kind of resource it is");
            if let Some(kind) = kind.filter(|kind| kind.scalar().is_none()) {
                self.must_be(kind, &attributes.what("Type"), "text");
            }
            let kind = kind.and_then(Node::scalar).unwrap_or_default();
            if matches!(self.names.insert(id, named(kind)), Some(Named::Parameter { .. })) {
                self.add(*line, format!("`{id}` is a parameter as well; rename one of them"));
            }
            if kind == "AWS::Serverless::Function" {
                self.generated.extend(generated(id, &properties));
            }
            resources.push(Resource { id, kind, attributes: attributes.entries, properties });
        }
        Some(resources)
    }

    fn resource(&mut self, resource: &Resource<'n>) {
        let Resource { id, kind, properties, .. } = resource;
        let line = properties.line;
        match *kind {
            "AWS::Serverless::Function" => self.function(resource),
            "AWS::DynamoDB::Table" => {
                let table = self.table(id, properties);
                self.tables.push((line, table));
            }
            "AWS::Events::EventBus" => {
                self.only(properties, BUS_PROPERTIES);
                self.buses.push((line, Some((*id).to_owned())));
            }
            "AWS::SecretsManager::Secret" => self.secret(id, properties),
            "AWS::Serverless::HttpApi" => self.only(properties, HTTP_API_PROPERTIES),
            "AWS::ApiGatewayV2::Api" => {
                self.only(properties, API_PROPERTIES);
                self.choice(properties, "ProtocolType", &["HTTP"]);
            }
            "AWS::Lambda::EventInvokeConfig" => return self.destinations(properties),
            "AWS::ApiGatewayV2::Integration" => self.integration(id, properties),
            "AWS::ApiGatewayV2::Route" => self.route_resource(properties),
            // Reported as missing or wrong.
            "" => return,
            kind if is_in(PASSED_OVER_TYPES, kind) => return,
            kind => {
                let better = better(kind);
                let text = format!("the local run does not know the type {kind}; {better}");
                return self.add(line, text);
            }
        }
        if let Some(node) = find(resource.attributes, "Condition") {
            let text = "the local run cannot tell whether the condition holds; remove it";
            self.add(node.line, text);
        }
    }

    fn the_only<T>(
        &mut self,
        found: Vec<(usize, Option<T>)>,
        line: usize,
        what: &str,
        kind: &str,
    ) -> Option<T> {
        let mut found = found.into_iter();
        let Some((first, only)) = found.next() else {
            self.add(line, format!("there is no {what}; write one resource of type {kind}"));
            return None;
        };
        for (line, _) in found {
            let text = format!("this is a second {what}, the first is on line {first}; keep one");
            self.add(line, text);
        }
        only
    }

    // Functions and what starts them.

    fn function(&mut self, resource: &Resource<'n>) {
        let properties = &resource.properties;
        self.only(properties, FUNCTION_PROPERTIES);
        let binary = self.binary(resource);
        if let Some(node) = properties.get("EventInvokeConfig") {
            let what = properties.what("EventInvokeConfig");
            let entries = self.entries(node, &what);
            self.destinations(&Fields { of: what, line: node.line, entries });
        }
        let (timeout, own) = self.common(properties);
        let mut environment = self.environment.clone();
        environment.extend(own);
        let mut function = Function {
            logical_id: resource.id.to_owned(),
            line: properties.line,
            binary: binary.unwrap_or_default(),
            timeout,
            environment,
            schedules: Vec::new(),
            rules: Vec::new(),
            routes: Vec::new(),
        };
        if let Some(node) = properties.get("Events") {
            for event in self.entries(node, &properties.what("Events")) {
                self.event(event, &properties.of, &mut function);
            }
        }
        self.functions.push(function);
    }

    fn binary(&mut self, resource: &Resource<'n>) -> Option<String> {
        let of = &resource.properties.of;
        let inner = |node: Option<&'n Node>, key: &str| find(node?.entries()?, key);
        let metadata = find(resource.attributes, "Metadata");
        if let Some(method) = inner(metadata, "BuildMethod")
            && method.scalar() != Some("rust-cargolambda")
        {
            self.must_be(method, &format!("`BuildMethod` of {of}"), "rust-cargolambda");
        }
        let Some(node) = inner(inner(metadata, "BuildProperties"), "Binary") else {
            let line = resource.properties.line;
            let text = "does not say which program it is; write `Binary` in its `Metadata`";
            self.add(line, format!("{of} {text}: `{{ BuildProperties: {{ Binary: ... }} }}`"));
            return None;
        };
        let binary = self.text(node, &format!("`Binary` of {of}"))?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if binary.is_empty() || !binary.chars().all(allowed) {
            self.must_be(node, &format!("`Binary` of {of}"), "the name of a program");
            return None;
        }
        Some(binary)
    }

    /// Where results of a function go. What failed is only logged locally; success has no place to go.
    fn destinations(&mut self, fields: &Fields<'n>) {
        if let Some(node) = fields.get("DestinationConfig") {
            self.fields(node, fields.what("DestinationConfig"), "OnFailure");
        }
    }

    /// What `Globals` and a function may both say.
    fn common(&mut self, fields: &Fields<'n>) -> (Duration, BTreeMap<String, EnvValue>) {
        self.choice(fields, "Runtime", &["provided.al2023", "provided.al2"]);
        let timeout = fields.get("Timeout").and_then(|node| {
            self.number(node, &fields.what("Timeout"), TIMEOUTS_SECONDS, "seconds")
        });
        let timeout = timeout.map_or(self.timeout, Duration::from_secs);
        let mut environment = BTreeMap::new();
        let what = fields.what("Environment");
        let node = fields.get("Environment");
        let node = node.and_then(|node| self.fields(node, what, "Variables")?.get("Variables"));
        let Some(node) = node else { return (timeout, environment) };
        for Entry { key, line, value } in self.entries(node, &fields.what("Variables")) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let starts = key.starts_with(|c: char| c.is_ascii_alphabetic());
            if !starts || key.len() < 2 || !key.chars().all(allowed) {
                let text = "is not a name of a variable; write two or more letters, digits and `_`";
                self.add(*line, format!("`{key}` {text}"));
            }
            let value = self.value(value, &format!("the variable `{key}`"));
            environment.extend(value.map(|value| (key.clone(), value)));
        }
        (timeout, environment)
    }

    fn event(&mut self, event: &'n Entry, function_name: &str, function: &mut Function) {
        let Entry { key: name, line, value } = event;
        let of = format!("`{name}` of {function_name}");
        let Some(fields) = self.fields(value, &of, "Properties Type") else { return };
        let fields = Fields { line: *line, ..fields };
        let entries = fields.get("Properties");
        let entries = entries.map(|node| self.entries(node, &fields.what("Properties")));
        let properties = Fields { of, line: *line, entries: entries.unwrap_or_default() };
        let Some(kind) = self.need(&fields, "Type", "ScheduleV2, EventBridgeRule or HttpApi")
        else {
            return;
        };
        match kind.scalar() {
            Some("ScheduleV2") => function.schedules.extend(self.schedule(name, &properties)),
            Some("EventBridgeRule") => function.rules.extend(self.rule(name, &properties)),
            Some("HttpApi") => function.routes.extend(self.http(&properties)),
            other => {
                let (found, better) = (kind.describe(), better(other.unwrap_or_default()));
                let text = format!("the local run cannot start a function by {found}; {better}");
                self.add(kind.line, text);
            }
        }
    }

    fn schedule(&mut self, name: &str, fields: &Fields<'n>) -> Option<ScheduleEvent> {
        self.only(fields, SCHEDULE_PROPERTIES);
        let state = self.choice(fields, "State", &["ENABLED", "DISABLED"]);
        let every = self.every(fields);
        let input = self.input(fields);
        let event = ScheduleEvent {
            name: name.to_owned(),
            line: fields.line,
            every: every?,
            input: input?,
        };
        (state != Some("DISABLED")).then_some(event)
    }

    fn every(&mut self, fields: &Fields<'n>) -> Option<Schedule> {
        let node = self.need(fields, "ScheduleExpression", "when it fires")?;
        let text = self.text(node, &fields.what("ScheduleExpression"))?;
        let zone_node = fields.get("ScheduleExpressionTimezone");
        let zone = match zone_node {
            Some(node) => Some(self.text(node, &fields.what("ScheduleExpressionTimezone"))?),
            None => None,
        };
        match Schedule::parse(&text, zone.as_deref()) {
            Ok(schedule) => Some(schedule),
            Err(error) => {
                let of_zone = matches!(error, ScheduleError::TimeZone(_));
                let line = zone_node.filter(|_| of_zone).unwrap_or(node).line;
                self.add(line, error.to_string());
                None
            }
        }
    }

    fn input(&mut self, fields: &Fields<'n>) -> Option<Json> {
        let node = self.need(fields, "Input", "what the function is given")?;
        let what = fields.what("Input");
        let text = self.text(node, &what)?;
        if text.contains("<aws.scheduler.") {
            let text = "has a place for AWS to fill, which the local run does not; write it out";
            self.add(node.line, format!("{what} {text}"));
            return None;
        }
        let parsed = serde_json::from_str(&text);
        parsed.map_err(|error| self.add(node.line, format!("{what} must be JSON: {error}"))).ok()
    }

    fn rule(&mut self, name: &str, fields: &Fields<'n>) -> Option<EventRule> {
        self.only(fields, RULE_PROPERTIES);
        let state = self.choice(fields, "State", &["ENABLED", "DISABLED"]);
        let bus = self.need(fields, "EventBusName", "`!Ref` and the bus it listens to");
        if let Some(node) = bus
            && let Some(value) = self.value(node, &fields.what("EventBusName"))
            && value != EnvValue::Bus
        {
            self.must_be(node, &fields.what("EventBusName"), "a `!Ref` to the event bus");
        }
        let pattern = self.need(fields, "Pattern", "which events it is for")?;
        let pattern = self.pattern(pattern, &fields.what("Pattern"))?;
        let event = EventRule { name: name.to_owned(), line: fields.line, pattern };
        (state != Some("DISABLED")).then_some(event)
    }

    fn pattern(&mut self, node: &'n Node, of: &str) -> Option<EventPattern> {
        let fields = self.fields(node, of, "detail detail-type source")?;
        self.not_empty(&fields);
        let mut texts =
            |key: &str| fields.get(key).and_then(|node| self.one_of(node, &fields.what(key)));
        let (source, detail_type) = (texts("source"), texts("detail-type"));
        let detail = fields.get("detail").map(|node| self.detail(node, &fields.what("detail")));
        Some(EventPattern { source, detail_type, detail: detail.unwrap_or_default() })
    }

    fn detail(&mut self, node: &'n Node, of: &str) -> BTreeMap<String, DetailPattern> {
        let entries = self.entries(node, of);
        let fields = Fields { of: of.to_owned(), line: node.line, entries };
        if node.entries().is_some() {
            self.not_empty(&fields);
        }
        let mut patterns = BTreeMap::new();
        for Entry { key, line, value } in entries {
            if key.starts_with('$') {
                let text = format!("the local run does not know {}", fields.what(key));
                self.add(*line, text + "; list exact texts");
                continue;
            }
            let pattern = if value.entries().is_some() {
                Some(DetailPattern::Fields(self.detail(value, &fields.what(key))))
            } else {
                self.one_of(value, &fields.what(key)).map(DetailPattern::OneOf)
            };
            patterns.extend(pattern.map(|pattern| (key.clone(), pattern)));
        }
        patterns
    }

    /// A list of exact texts.
    fn one_of(&mut self, node: &'n Node, what: &str) -> Option<Vec<String>> {
        let items = self.items(node, what)?;
        if items.is_empty() {
            self.add(node.line, format!("{what} is empty; list exact texts"));
        }
        let mut texts = Vec::new();
        for item in items {
            let found = item.describe();
            match &item.content {
                Content::Scalar { text, plain } if item.tag.is_none() => {
                    let is_other = ["true", "false"].contains(&text.as_str())
                        || is_whole_number(text)
                        || is_misread(text);
                    if *plain && is_other {
                        let text = format!("{found} in {what} is not text; put it in quotes");
                        self.add(item.line, text);
                    }
                    texts.push(text.clone());
                }
                Content::Map(entries) if item.call().is_none() && !entries.is_empty() => {
                    let filter = &entries[0].key;
                    let text =
                        format!("the local run does not know the filter `{filter}` in {what}");
                    self.add(item.line, text + "; list exact texts");
                }
                _ => self.must_be(item, &format!("a value in {what}"), "text"),
            }
        }
        Some(texts)
    }

    fn http(&mut self, fields: &Fields<'n>) -> Option<Route> {
        self.only(fields, HTTP_EVENT_PROPERTIES);
        self.choice(fields, "PayloadFormatVersion", &["2.0"]);
        let path = self.checked(fields, "Path", "one, as in `/slack/command`", |path| {
            check_path(path).map(|()| path.to_owned())
        });
        // SAM does not mind the case.
        let method = self.checked(fields, "Method", "one, as in `post`", |method| {
            check_method(&method.to_ascii_uppercase(), method)
        });
        Some(Route { method: method?, path: path?, line: fields.line })
    }

    // Routes that are resources.

    fn integration(&mut self, id: &'n str, fields: &Fields<'n>) {
        self.only(fields, INTEGRATION_PROPERTIES);
        self.choice(fields, "PayloadFormatVersion", &["2.0"]);
        self.choice(fields, "IntegrationType", &["AWS_PROXY"]);
        let uri = self.need(fields, "IntegrationUri", "`!GetAtt` and the `Arn` of a function");
        let Some(uri) = uri else { return };
        let is_function = |name: &&str| matches!(self.names.get(name), Some(Named::Function));
        match names_in(uri).into_iter().find(is_function) {
            Some(function) => drop(self.integrations.insert(id, function)),
            None => self.must_be(uri, &fields.what("IntegrationUri"), "the `Arn` of a function"),
        }
    }

    fn route_resource(&mut self, fields: &Fields<'n>) {
        self.only(fields, ROUTE_PROPERTIES);
        self.choice(fields, "AuthorizationType", &["NONE"]);
        let route = self.checked(fields, "RouteKey", "one, as in `POST /slack/command`", |key| {
            let (method, path) = check_route_key(key)?;
            Ok(Route { method, path, line: fields.line })
        });
        let target = self.need(fields, "Target", "`!Sub integrations/${...}`");
        let (Some(route), Some(target)) = (route, target) else { return };
        match names_in(target)[..] {
            [integration] => self.routes.push((route, integration)),
            _ => self.must_be(target, &fields.what("Target"), "`!Sub integrations/${...}`"),
        }
    }

    fn join_routes(&mut self) {
        for (route, integration) in std::mem::take(&mut self.routes) {
            let function = self.integrations.get(integration);
            let mut functions = self.functions.iter_mut();
            if let Some(function) =
                functions.find(|known| Some(&known.logical_id.as_str()) == function)
            {
                function.routes.push(route);
            } else if self.is_known(integration) {
                let text = "is not an integration with a function; correct the `Target`";
                self.add(route.line, format!("`{integration}` {text}"));
            }
        }
        let mut seen: BTreeMap<(Method, &str), usize> = BTreeMap::new();
        let mut routes: Vec<&Route> =
            self.functions.iter().flat_map(|known| &known.routes).collect();
        routes.sort_by_key(|route| route.line);
        for Route { method, path, line } in routes {
            if let Some(first) = seen.get(&(*method, path.as_str())) {
                let text = format!("`{method} {path}` is here twice, first on line {first}");
                self.problems.add(*line, text + "; remove one");
            } else {
                seen.insert((*method, path), *line);
            }
        }
    }

    // The table.

    fn table(&mut self, id: &str, fields: &Fields<'n>) -> Option<TableDefinition> {
        self.only(fields, TABLE_PROPERTIES);
        let attributes = self.attributes(fields);
        let key = self.key(fields, &attributes);
        let mut indexes = Vec::new();
        if let Some(node) = fields.get("GlobalSecondaryIndexes") {
            for item in self.items(node, &fields.what("GlobalSecondaryIndexes")).unwrap_or_default()
            {
                indexes.push(self.index(item, &attributes));
            }
        }
        let ttl = fields.get("TimeToLiveSpecification");
        let ttl_attribute = ttl.and_then(|node| self.ttl(node, fields));
        let indexes: Option<Vec<Index>> = indexes.into_iter().collect();
        let (key, indexes) = (key?, indexes?);
        let keys = std::iter::once(&key).chain(indexes.iter().map(|index| &index.key));
        let in_keys: Vec<&Attribute> =
            keys.flat_map(|key| std::iter::once(&key.hash).chain(&key.range)).collect();
        for attribute in &attributes {
            if !in_keys.contains(&attribute) {
                let text = format!("the attribute `{}` is in no key; remove it", attribute.name);
                self.add(fields.line, text);
            }
        }
        let (logical_id, line) = (id.to_owned(), fields.line);
        Some(TableDefinition { logical_id, line, key, indexes, ttl_attribute, attributes })
    }

    fn attributes(&mut self, fields: &Fields<'n>) -> Vec<Attribute> {
        let mut attributes: Vec<Attribute> = Vec::new();
        let node = self.need(fields, "AttributeDefinitions", "the attributes of its keys");
        let items = node.and_then(|node| self.items(node, &fields.what("AttributeDefinitions")));
        for item in items.unwrap_or_default() {
            let of = format!("an attribute of {}", fields.of);
            let Some([name, kind]) = self.pair(item, &of, ["AttributeName", "AttributeType"])
            else {
                continue;
            };
            let kind = match kind.as_str() {
                "S" => AttributeKind::Text,
                "N" => AttributeKind::Number,
                "B" => AttributeKind::Binary,
                _ => {
                    let text =
                        format!("`AttributeType` of `{name}` must be S, N or B, not `{kind}`");
                    self.add(item.line, text);
                    continue;
                }
            };
            if attributes.iter().any(|known| known.name == name) {
                self.add(item.line, format!("the attribute `{name}` is here twice; remove one"));
            }
            attributes.push(Attribute { name, kind });
        }
        attributes
    }

    fn key(&mut self, fields: &Fields<'n>, attributes: &[Attribute]) -> Option<TableKey> {
        let node = self.need(fields, "KeySchema", "its key")?;
        let what = fields.what("KeySchema");
        let mut kinds = Vec::new();
        let mut parts = Vec::new();
        for item in self.items(node, &what)? {
            let [name, kind] = self.pair(item, &what, ["AttributeName", "KeyType"])?;
            let attribute = attributes.iter().find(|attribute| attribute.name == name).cloned();
            if attribute.is_none() {
                let text = format!("`{name}` in {what} has no type");
                self.add(item.line, text + "; add it to `AttributeDefinitions`");
            }
            kinds.push(kind);
            parts.extend(attribute);
        }
        if kinds != ["HASH"] && kinds != ["HASH", "RANGE"] {
            let text = format!("{what} must be one HASH and at most one RANGE after it");
            self.add(node.line, text);
            return None;
        }
        if parts.len() != kinds.len() {
            return None;
        }
        let mut parts = parts.into_iter();
        Some(TableKey { hash: parts.next()?, range: parts.next() })
    }

    fn index(&mut self, node: &'n Node, attributes: &[Attribute]) -> Option<Index> {
        let fields = self.fields(node, "an index", INDEX_PROPERTIES)?;
        let name = self.need(&fields, "IndexName", "what the code calls it")?;
        let name = self.text(name, "`IndexName`")?;
        let fields = Fields { of: format!("the index `{name}`"), ..fields };
        let key = self.key(&fields, attributes);
        let projection =
            self.need(&fields, "Projection", "`{ ProjectionType: KEYS_ONLY }` or ALL")?;
        let projection = self.fields(projection, fields.what("Projection"), "ProjectionType")?;
        self.need(&projection, "ProjectionType", "KEYS_ONLY or ALL")?;
        let projection = match self.choice(&projection, "ProjectionType", &["KEYS_ONLY", "ALL"])? {
            "ALL" => Projection::All,
            _ => Projection::KeysOnly,
        };
        Some(Index { name, key: key?, projection })
    }

    fn ttl(&mut self, node: &'n Node, table: &Fields<'n>) -> Option<String> {
        let what = table.what("TimeToLiveSpecification");
        let fields = self.fields(node, what, "AttributeName Enabled")?;
        self.need(&fields, "Enabled", "true or false")?;
        if self.choice(&fields, "Enabled", &["true", "false"])? == "false" {
            return None;
        }
        let name = self.need(&fields, "AttributeName", "which attribute says when")?;
        self.text(name, &fields.what("AttributeName"))
    }

    /// Two texts under these keys.
    fn pair(&mut self, node: &'n Node, of: &str, keys: [&str; 2]) -> Option<[String; 2]> {
        let fields = self.fields(node, of, &keys.join(" "))?;
        let [first, second] = keys.map(|key| {
            let node = self.need(&fields, key, "it")?;
            self.text(node, &fields.what(key))
        });
        Some([first?, second?])
    }

    // Secrets.

    fn secret(&mut self, id: &str, fields: &Fields<'n>) {
        self.only(fields, SECRET_PROPERTIES);
        let literal = fields.get("SecretString");
        let value = match (literal, fields.get("GenerateSecretString")) {
            (None, None) => Some(SecretValue::Empty),
            (Some(node), None) => {
                self.text(node, &fields.what("SecretString")).map(SecretValue::Literal)
            }
            (None, Some(node)) => self.generated_secret(node, fields),
            (Some(_), Some(node)) => {
                let text = "has both `SecretString` and `GenerateSecretString`; remove one";
                self.add(node.line, format!("{} {text}", fields.of));
                None
            }
        };
        let (logical_id, line) = (id.to_owned(), fields.line);
        self.secrets.extend(value.map(|value| SecretDefinition { logical_id, line, value }));
    }

    fn generated_secret(&mut self, node: &'n Node, secret: &Fields<'n>) -> Option<SecretValue> {
        let what = secret.what("GenerateSecretString");
        let fields = self.fields(node, what, GENERATE_PROPERTIES)?;
        let length = match fields.get("PasswordLength") {
            Some(node) => {
                self.number(node, &fields.what("PasswordLength"), PASSWORD_LENGTHS, "characters")?
            }
            None => DEFAULT_PASSWORD_LENGTH,
        };
        let length = usize::try_from(length).ok()?;
        let key = fields.get("GenerateStringKey");
        match (fields.get("SecretStringTemplate"), key) {
            (None, None) => Some(SecretValue::Password { length }),
            (Some(node), Some(key)) => {
                let key = self.text(key, &fields.what("GenerateStringKey"));
                let what = fields.what("SecretStringTemplate");
                let template = serde_json::from_str(&self.text(node, &what)?);
                let template = template.map_err(|error| {
                    self.add(node.line, format!("{what} must be a JSON object: {error}"));
                });
                Some(SecretValue::Generated { template: template.ok()?, key: key?, length })
            }
            _ => {
                let text = "needs `SecretStringTemplate` and `GenerateStringKey`, or neither";
                self.add(node.line, format!("{} {text}", fields.of));
                None
            }
        }
    }

    // Values.

    fn add(&mut self, line: usize, text: impl Into<String>) {
        self.problems.add(line, text);
    }

    fn must_be(&mut self, node: &Node, what: &str, must: &str) {
        self.add(node.line, format!("{what} must be {must}, not {}", node.describe()));
    }

    /// A mapping that has only these keys.
    fn fields(&mut self, node: &'n Node, of: impl Into<String>, known: &str) -> Option<Fields<'n>> {
        let of = of.into();
        let Some(entries) = node.entries() else {
            self.must_be(node, &of, "a mapping");
            return None;
        };
        let fields = Fields { of, line: node.line, entries };
        self.only(&fields, known);
        Some(fields)
    }

    fn only(&mut self, fields: &Fields<'n>, known: &str) {
        for Entry { key, line, .. } in fields.entries {
            if !is_in(known, key) {
                let text = format!("the local run does not know {}; ", fields.what(key));
                self.add(*line, text + better(""));
            }
        }
    }

    fn not_empty(&mut self, fields: &Fields<'n>) {
        if fields.entries.is_empty() {
            self.add(fields.line, format!("{} is empty; list exact texts", fields.of));
        }
    }

    fn need(&mut self, fields: &Fields<'n>, key: &str, advice: &str) -> Option<&'n Node> {
        let found = fields.get(key);
        if found.is_none() {
            self.add(fields.line, format!("{} has no `{key}`; write {advice}", fields.of));
        }
        found
    }

    /// The value, if it is there and one of these.
    fn choice(&mut self, fields: &Fields<'n>, key: &str, allowed: &[&str]) -> Option<&'n str> {
        let node = fields.get(key)?;
        let value = node.scalar().filter(|value| allowed.contains(value));
        if value.is_none() {
            self.must_be(node, &fields.what(key), &allowed.join(" or "));
        }
        value
    }

    /// A text that is needed, and what it means.
    fn checked<T>(
        &mut self,
        fields: &Fields<'n>,
        key: &str,
        advice: &str,
        check: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let node = self.need(fields, key, advice)?;
        let text = self.text(node, &fields.what(key))?;
        check(&text).map_err(|text| self.add(node.line, text)).ok()
    }

    fn entries(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        let entries = node.entries();
        if entries.is_none() {
            self.must_be(node, what, "a mapping");
        }
        entries.unwrap_or_default()
    }

    fn items(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let items = node.items();
        if items.is_none() {
            self.must_be(node, what, "a list");
        }
        items
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
            let text = format!("{what} must be {min} to {max} {unit}, not `{text}`");
            self.add(node.line, text);
        }
        number
    }

    /// Text as it stands, without functions.
    fn plain_text(&mut self, node: &'n Node, what: &str) -> Option<String> {
        let Content::Scalar { text, plain } = &node.content else {
            self.must_be(node, what, "text");
            return None;
        };
        if node.tag.is_some() || node.is_nothing() {
            self.must_be(node, what, "text");
            return None;
        }
        if *plain && is_misread(text) {
            let text = format!("`{text}` is more than text to CloudFormation; put it in quotes");
            self.add(node.line, text);
            return None;
        }
        Some(text.clone())
    }

    /// Text as it stands, or made from parameters.
    fn text(&mut self, node: &'n Node, what: &str) -> Option<String> {
        match self.value(node, what)? {
            EnvValue::Text(text) => Some(text),
            EnvValue::Table | EnvValue::Bus | EnvValue::Secret(_) => {
                self.add(node.line, format!("{what} must be text, not the name of a resource"));
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
                let text = format!("the local run cannot work out `!{function}` for {what}");
                self.add(call.line, text + "; write text, `!Ref` or `!Sub`");
                return None;
            }
        };
        let alone = pieces.len() == 1;
        let mut whole = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => whole.push_str(text),
                Piece::Name(name) => match self.named_value(name, call.line, what)? {
                    EnvValue::Text(text) => whole.push_str(&text),
                    value if alone => return Some(value),
                    EnvValue::Table | EnvValue::Bus | EnvValue::Secret(_) => {
                        let text = format!("{what} has `{name}` within text; use it alone");
                        self.add(call.line, text);
                        return None;
                    }
                },
            }
        }
        Some(EnvValue::Text(whole))
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
                format!("{what} needs the parameter `{name}`, which has no default; give it one")
            }
            Some(Named::Function) => {
                format!("{what} is the function `{name}`; functions meet on the bus, remove it")
            }
            Some(Named::Other(kind)) => {
                format!("{what} needs a name of `{name}`, but {kind} is not run locally; remove it")
            }
            // What names nothing at all is reported for the whole template.
            None if !self.is_known(name) => return None,
            None => format!("{what} needs `{name}`, which has no value here; write text"),
        };
        self.add(line, text);
        None
    }

    // References.

    fn is_known(&self, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        is_in(PSEUDO_PARAMETERS, name)
            || self.names.contains_key(first)
            || self.generated.contains(first)
    }

    /// Everything that is named must be there.
    fn references(&mut self, sections: &Fields<'n>) {
        let mut missing: Vec<(usize, String)> = Vec::new();
        for section in ["Conditions", "Globals", "Resources", "Outputs"] {
            let Some(node) = sections.get(section) else { continue };
            node.walk(&mut |node| missing.extend(self.missing(node)));
            if matches!(section, "Resources" | "Outputs") {
                for entry in node.entries().unwrap_or_default() {
                    missing.extend(self.missing_attributes(&entry.value));
                }
            }
        }
        for (line, text) in missing {
            self.add(line, text);
        }
    }

    /// What a function, as in `!Ref`, names in vain.
    fn missing(&self, node: &'n Node) -> Option<(usize, String)> {
        let call = node.call()?;
        let text = call.text().filter(|text| !text.is_empty());
        let problem = |text: &str| Some((call.line, format!("`!{}` {text}", call.function)));
        let name = match call.function {
            "Ref" | "GetAtt" => text.filter(|name| !self.is_known(name)),
            "If" | "Condition" => text.filter(|name| !self.conditions.contains(name)),
            "Sub" => {
                let Some(pieces) = pieces(text.unwrap_or_default()) else {
                    return problem("has a `${` that is not closed; write `}`");
                };
                let own = call.own_names();
                pieces.into_iter().find_map(|piece| match piece {
                    Piece::Name(name) => {
                        (find(own, name).is_none() && !self.is_known(name)).then_some(name)
                    }
                    Piece::Text(_) => None,
                })
            }
            _ => return None,
        };
        if text.is_none() {
            return problem("is of nothing; write a name");
        }
        problem(&format!("of `{}`, which is not in the template; correct it, or define it", name?))
    }

    /// What `Condition` and `DependsOn` of a resource name in vain.
    fn missing_attributes(&self, resource: &'n Node) -> Vec<(usize, String)> {
        let entries = resource.entries().unwrap_or_default();
        let mut missing = Vec::new();
        if let Some(node) = find(entries, "Condition")
            && !node.scalar().is_some_and(|name| self.conditions.contains(name))
        {
            let text =
                format!("`Condition` must be the name of a condition, not {}", node.describe());
            missing.push((node.line, text));
        }
        if let Some(node) = find(entries, "DependsOn") {
            let one = std::slice::from_ref(node);
            for node in node.items().unwrap_or(one) {
                if !node.scalar().is_some_and(|name| self.is_known(name)) {
                    let text = format!("`DependsOn` must name resources, not {}", node.describe());
                    missing.push((node.line, text));
                }
            }
        }
        missing
    }
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
fn generated(id: &str, properties: &Fields<'_>) -> Vec<String> {
    let mut names = Vec::new();
    if properties.get("Role").is_none() {
        names.push(format!("{id}Role"));
    }
    let events = properties.get("Events").and_then(Node::entries).unwrap_or_default();
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
                let pieces = pieces(text).unwrap_or_default().into_iter();
                names.extend(pieces.filter_map(|piece| match piece {
                    Piece::Name(name) => Some(name),
                    Piece::Text(_) => None,
                }));
            }
            _ => {}
        }
    });
    names.retain(|name| !is_in(PSEUDO_PARAMETERS, name));
    names.into_iter().map(|name| name.split('.').next().unwrap_or(name)).collect()
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
                && part.chars().all(|c| c.is_ascii_graphic() && !"{}?#\"<>\\^`|+*".contains(c))
        };
        if !name.map_or_else(|| is_text(part), is_name) {
            let text = format!("`{part}` in the path `{path}` cannot be served");
            return Err(text + "; write text or `{name}`, at the end also `{name+}`");
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

// --- What should not be deployed ---

/// What `sam validate` and cfn-lint let pass, and AWS or a reviewer would refuse, by line.
///
/// Permissions with a `*`, schedules that are none, paths without a slash, methods that are none.
/// Unlike [`Template::parse`] it also looks at what the local run passes over or does not know.
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

#[cfg(test)]
mod tests {
    use super::*;
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
        Hook:
          Type: HttpApi
          Properties: { Path: /hook, Method: post }
"#;

    #[track_caller]
    fn good(text: &str) -> Template {
        Template::parse(text).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[track_caller]
    fn problems(text: &str) -> String {
        let problems = Template::parse(text).expect_err("it is wrong").0;
        problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
    }

    /// The good template with what is after `-` changed to what is after `+` has the problems after `=`.
    fn check_all(cases: &str) {
        for case in cases.trim_matches('\n').split("\n\n") {
            let lines = |mark: &str| {
                case.lines()
                    .filter_map(|line| line.strip_prefix(mark))
                    .collect::<Vec<_>>()
                    .join("\n")
            };
            let (from, to) = (lines("- "), lines("+ "));
            let teach = "remove it, or teach it in infra/flockwork/src/template.rs";
            let expected = lines("= ").replace("{teach}", teach);
            assert_eq!(GOOD.matches(&from).count(), 1, "{from:?} is there once");
            let found = problems(&GOOD.replacen(&from, &to, 1));
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
        assert_eq!((template.table.logical_id.as_str(), template.bus.as_str()), ("Table", "Bus"));
        assert_eq!(template.table.ttl_attribute.as_deref(), Some("ttl"));
        assert!(template.parameters.contains_key("LogLevel"));
        let tick = template.functions.iter().find(|function| function.binary == "sheep-tick");
        let tick = tick.expect("sheep-tick is a function");
        assert_eq!(tick.environment["TABLE_NAME"], EnvValue::Table);
        assert_eq!(tick.environment["BUS_NAME"], EnvValue::Bus);
        assert_eq!(tick.environment["KEYRING_SECRET"], EnvValue::Secret("Keyring".to_owned()));
        assert_eq!(tick.environment["DUE_SHARDS"], text(&template.parameters["DueShards"]));
        assert_eq!(tick.schedules[0].every.to_string(), "rate(1 minute)");
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
        assert_eq!((minute.name.as_str(), minute.line), ("Minute", 39));
        assert_eq!(minute.every.to_string(), "rate(1 minute)");
        assert_eq!(minute.input, json!({}));
        let [due] = &tick.rules[..] else { panic!("one rule") };
        assert_eq!((due.name.as_str(), due.line), ("Due", 44));
        let hook = Route { method: Method::Post, path: "/hook".to_owned(), line: 49 };
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
            logical_id: "Table".to_owned(),
            line: 12,
            key: TableKey { hash: pk.clone(), range: None },
            indexes: vec![index],
            ttl_attribute: Some("ttl".to_owned()),
            attributes: vec![pk, at],
        };
        assert_eq!(template.table, table);
        assert_eq!(template.bus, "Bus");
        let [keyring] = &template.secrets[..] else { panic!("one secret") };
        assert_eq!((keyring.logical_id.as_str(), keyring.line), ("Keyring", 25));
        let SecretValue::Generated { template: object, key, length } = &keyring.value else {
            panic!("a generated secret")
        };
        assert_eq!((json!(object), key.as_str(), *length), (json!({ "a": 1 }), "k", 32));
        let default = [("Level".to_owned(), "info".to_owned())];
        assert_eq!(template.parameters, BTreeMap::from(default));
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
= line 1: `Transform` must be AWS::Serverless-2016-10-31, not a list

- Conditions:
+ Condition:
= line 5: the local run does not know `Condition` of the template; {teach}

-   Small: !Equals [!Ref Level, info]
+   - x
= line 6: `Conditions` must be a mapping, not a list

- Level: { Type: String, Default: info }
+ Level: { Type: "AWS::SSM::Parameter::Value<String>", Default: info }
= line 3: `Type` of the parameter `Level` must be String or Number or CommaDelimitedList, not `AWS::SSM::Parameter::Value<String>`

- Level: { Type: String, Default: info }
+ Level: { Type: String, Default: 1.10 }
= line 3: `1.10` is more than text to CloudFormation; put it in quotes

- Level: { Type: String, Default: info }
+ Level: { Type: String, Default: }
= line 3: `Default` of the parameter `Level` must be text, not empty

- Level: { Type: String, Default: info }
+ Level: { Type: String, Default: [a] }
= line 3: `Default` of the parameter `Level` must be text, not a list

- Level: { Type: String, Default: info }
+ Level: String
= line 3: the parameter `Level` must be a mapping, not `String`

- Bare: { Type: String }
+ Queue: { Type: String }
= line 29: `Queue` is a parameter as well; rename one of them

- Globals:
+ Globals:
+   Api: {}
= line 8: the local run does not know `Api` of `Globals`; {teach}

-     Runtime: provided.al2023
+     Runtime: nodejs22.x
= line 9: `Runtime` of `Globals: Function` must be provided.al2023 or provided.al2, not `nodejs22.x`

-     Runtime: provided.al2023
+     Layers: [x]
= line 9: the local run does not know `Layers` of `Globals: Function`; {teach}

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
= line 29: the local run does not know `OnSuccess` of `DestinationConfig` of `Queue`; {teach}

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
+ Queue: { Type: AWS::SQS::Queue, Condition: Big, DependsOn: [Bus, Car] }
= line 29: `Condition` must be the name of a condition, not `Big`
= line 29: `DependsOn` must name resources, not `Car`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::Serverless::HttpApi, Properties: { Auth: {} } }
= line 29: the local run does not know `Auth` of `Queue`; {teach}

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
= line 37: `!Ref` of `Levle`, which is not in the template; correct it, or define it

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub x=${Levle}
= line 37: `!Sub` of `Levle`, which is not in the template; correct it, or define it

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub x=${Level
= line 37: `!Sub` has a `${` that is not closed; write `}`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref [Level]
= line 37: the local run cannot work out `!Ref` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref
= line 37: `!Ref` is of nothing; write a name

- LEVEL: !Sub x=${Level}
+ LEVEL: !Reff Level
= line 37: `!Reff` is not a function of CloudFormation; correct its name

- LEVEL: !Sub x=${Level}
+ LEVEL: !GetAtt Table.Arn
= line 37: the local run cannot work out `!GetAtt` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !GetAtt Tabel.Arn
= line 37: `!GetAtt` of `Tabel.Arn`, which is not in the template; correct it, or define it
= line 37: the local run cannot work out `!GetAtt` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !If [Small, a, b]
= line 37: the local run cannot work out `!If` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: !If [Smaller, a, b]
= line 37: `!If` of `Smaller`, which is not in the template; correct it, or define it
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
= line 37: the variable `LEVEL` needs `TickMinute`, which has no value here; write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref AWS::Region
= line 37: the variable `LEVEL` needs `AWS::Region`, which has no value here; write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref AWS::Regoin
= line 37: `!Ref` of `AWS::Regoin`, which is not in the template; correct it, or define it

- LEVEL: !Sub x=${Level}
+ LEVEL: { Ref: Levle }
= line 37: `!Ref` of `Levle`, which is not in the template; correct it, or define it

- LEVEL: !Sub x=${Level}
+ LEVEL: { 'Fn::Base64': !Ref Level }
= line 37: the local run cannot work out `!Base64` for the variable `LEVEL`; write text, `!Ref` or `!Sub`

- LEVEL: !Sub x=${Level}
+ LEVEL: yes
= line 37: `yes` is more than text to CloudFormation; put it in quotes

- LEVEL: !Sub x=${Level}
+ LEVEL: 010
= line 37: `010` is more than text to CloudFormation; put it in quotes

- LEVEL: !Sub x=${Level}
+ LEVEL:
= line 37: the variable `LEVEL` must be text, not empty

- LEVEL: !Sub x=${Level}
+ LEVEL: [a]
= line 37: the variable `LEVEL` must be text, not a list

- LEVEL: !Sub x=${Level}
+ 1EVEL: x
= line 37: `1EVEL` is not a name of a variable; write two or more letters, digits and `_`

- Small: !Equals [!Ref Level, info]
+ Small: !Equals [!Ref Levle, info]
= line 6: `!Ref` of `Levle`, which is not in the template; correct it, or define it
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
= line 32: `Binary` of `Tick` must be the name of a program, not `../tick`

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
= line 34: `1_0` is more than text to CloudFormation; put it in quotes

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
= line 36: `Variables` of `Tick` must be a mapping, not `x`
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
= line 39: `Minute` of `Tick` has no `Type`; write ScheduleV2, EventBridgeRule or HttpApi

- rate(1 minute)
+ rate(1 minutes)
= line 42: AWS refuses `rate(1 minutes)`; write `rate(1 minute)`

- rate(1 minute)
+ rate(5 minute)
= line 42: AWS refuses `rate(5 minute)`; write `rate(5 minutes)`

- rate(1 minute)
+ cron(0 9 * * *)
= line 42: `cron(0 9 * * *)` has 5 fields; write minutes, hours, day, month, day of week, year

- rate(1 minute)
+ at(2026-01-01T00:00:00)
= line 42: `at(2026-01-01T00:00:00)` fires only once, which the local run cannot do; write a `rate` or a `cron`

- rate(1 minute)
+ every minute
= line 42: `every minute` is not a schedule; write `rate(5 minutes)` or `cron(0 9 * * ? *)`

- rate(1 minute)
+ !Ref Bus
= line 42: `ScheduleExpression` of `Minute` of `Tick` must be text, not the name of a resource

-             ScheduleExpression: rate(1 minute)
= line 39: `Minute` of `Tick` has no `ScheduleExpression`; write when it fires

- rate(1 minute)
+ cron(0 9 * * ? *)
+             ScheduleExpressionTimezone: Berlin
= line 43: `Berlin` is not a time zone; write a name of the IANA database, as in `Europe/Berlin`

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
= line 44: the local run does not know `StartDate` of `Minute` of `Tick`; {teach}
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
= line 47: `!Ref` of `Buss`, which is not in the template; correct it, or define it

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
= line 48: `true` in `source` of `Pattern` of `Due` of `Tick` is not text; put it in quotes

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { n: [1] } }
= line 48: `1` in `n` of `detail` of `Pattern` of `Due` of `Tick` is not text; put it in quotes

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: {} }
= line 48: `detail` of `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { a: { b: {} } } }
= line 48: `b` of `a` of `detail` of `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [{ prefix: flock }] }
= line 48: the local run does not know the filter `prefix` in `source` of `Pattern` of `Due` of `Tick`; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { n: [{ numeric: ['>', 0] }], e: [{ exists: true }], a: [{ anything-but: [x] }] } }
= line 48: the local run does not know the filter `numeric` in `n` of `detail` of `Pattern` of `Due` of `Tick`; list exact texts
= line 48: the local run does not know the filter `exists` in `e` of `detail` of `Pattern` of `Due` of `Tick`; list exact texts
= line 48: the local run does not know the filter `anything-but` in `a` of `detail` of `Pattern` of `Due` of `Tick`; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { $or: [{ a: [b] }] } }
= line 48: the local run does not know `$or` of `detail` of `Pattern` of `Due` of `Tick`; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [!Ref Level, [x]] }
= line 48: a value in `source` of `Pattern` of `Due` of `Tick` must be text, not `!Ref`
= line 48: a value in `source` of `Pattern` of `Due` of `Tick` must be text, not a list
",
        );
    }

    #[test]
    fn problems_of_routes_are_named() {
        check_all(
            r"
- Path: /hook
+ Path: hook
= line 51: the path `hook` does not start with a slash; write `/hook`

- Path: /hook
+ Path: '/{a+}/b'
= line 51: `{a+}` in the path `/{a+}/b` cannot be served; write text or `{name}`, at the end also `{name+}`

- Path: /hook
+ Path: /a//b
= line 51: `` in the path `/a//b` cannot be served; write text or `{name}`, at the end also `{name+}`

- Path: /hook
+ Path: '/a b'
= line 51: `a b` in the path `/a b` cannot be served; write text or `{name}`, at the end also `{name+}`

- Path: /hook
+ Path: '/{}'
= line 51: `{}` in the path `/{}` cannot be served; write text or `{name}`, at the end also `{name+}`

- Path: /hook, 
= line 49: `Hook` of `Tick` has no `Path`; write one, as in `/slack/command`

- Method: post
+ Method: poste
= line 51: `poste` is not a method; write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE

- , Method: post
= line 49: `Hook` of `Tick` has no `Method`; write one, as in `post`

- Method: post
+ Method: post, Auth: {}
= line 51: the local run does not know `Auth` of `Hook` of `Tick`; {teach}

- Method: post
+ Method: post, PayloadFormatVersion: '1.0'
= line 51: `PayloadFormatVersion` of `Hook` of `Tick` must be 2.0, not `1.0`

- Method: post }
+ Method: post }
+         Again: { Type: HttpApi, Properties: { Path: /hook, Method: POST } }
= line 52: `POST /hook` is here twice, first on line 49; remove one

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Route, Properties: { RouteKey: POST slack } }
= line 29: the path `slack` does not start with a slash; write `/slack`
= line 29: `Queue` has no `Target`; write `!Sub integrations/${...}`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Route, Properties: { RouteKey: $default, Target: !Sub 'integrations/${Bus}' } }
= line 29: `$default` is not a method and a path; write them as in `POST /slack/command`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Route, Properties: { RouteKey: get /x, Target: x, AuthorizationType: JWT } }
= line 29: `AuthorizationType` of `Queue` must be NONE, not `JWT`
= line 29: `get` is not a method; write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Route, Properties: { RouteKey: GET /x, Target: !Sub 'integrations/${Bus}' } }
= line 29: `Bus` is not an integration with a function; correct the `Target`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Route, Properties: { RouteKey: GET /x, Target: x } }
= line 29: `Target` of `Queue` must be `!Sub integrations/${...}`, not `x`

- Queue: { Type: AWS::SQS::Queue }
+ Queue: { Type: AWS::ApiGatewayV2::Integration, Properties: { IntegrationType: HTTP_PROXY, IntegrationUri: !GetAtt Table.Arn } }
= line 29: `IntegrationType` of `Queue` must be AWS_PROXY, not `HTTP_PROXY`
= line 29: `IntegrationUri` of `Queue` must be the `Arn` of a function, not `!GetAtt`
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
= line 18: the local run does not know `Name` of `KeySchema` of `Table`; {teach}
= line 18: `KeySchema` of `Table` has no `AttributeName`; write it

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

- AttributeName: at, AttributeType: N }
+ AttributeName: at, AttributeType: N }
+         - { AttributeName: at, AttributeType: N }
= line 18: the attribute `at` is here twice; remove one

-         - IndexName: by_at
-           KeySchema
+         - KeySchema
= line 20: an index has no `IndexName`; write what the code calls it

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
        let check = |text: &str, expected: &str| assert_eq!(problems(text), expected, "{text:?}");
        let empty = "line 1: the file is empty; write a SAM template with `Resources` into it";
        for text in ["", "\n \n", "# only this\n", "---\n", "---\n...\n", "\u{feff}"] {
            check(text, empty);
        }
        check("- a\n", "line 1: the template must be a mapping, not a list");
        check("\nhello\n", "line 2: the template must be a mapping, not `hello`");
        check("!Ref x\n", "line 1: the template must be a mapping, not `!Ref`");
        check(
            "a: 1\n b: 2\n",
            "line 2: this is not YAML at column 3: mapping values are not allowed in this context",
        );
        check(
            "a:\n\t- b\n",
            "line 2: this is not YAML at column 2: \
             tabs disallowed within this context (block indentation)",
        );
        check(
            "a: [b\n",
            "line 2: this is not YAML at column 1: \
             while parsing a flow sequence, expected ',' or ']'",
        );
        check(
            "a: *b\n",
            "line 1: this is not YAML at column 4: while parsing node, found unknown anchor",
        );
        check("a: &b\n  - *b\n", "line 2: this alias stands within what it stands for");
        let second = "line 3: a second document starts here; a template is one document";
        check("a: 1\n\n---\nb: 2\n", second);
        let deep = "line 1: this is nested too deeply; bring it nearer to the top";
        check(&"- ".repeat(100_000), deep);
        check(&"[".repeat(200), deep);
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for level in 1..40 {
            let below = level - 1;
            let line = format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
            bomb.push_str(&line);
        }
        let large =
            "line 16: the file is too large for a template; an alias counts as what it repeats";
        check(&bomb, large);
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let text =
            format!("{GOOD}Bus: 1\nBus: 2\n? [a]\n: b\nOutputs:\n  A: !Reff B\n  A: !Ref C\n");
        let known = "of the template; remove it, or teach it in infra/flockwork/src/template.rs";
        let expected = format!(
            "template.yaml:52: the local run does not know `Bus` {known}\n\
             template.yaml:53: `Bus` is here twice, first on line 52; remove one\n\
             template.yaml:54: only text can be a key; write a name\n\
             template.yaml:57: `!Reff` is not a function of CloudFormation; correct its name\n\
             template.yaml:58: `A` is here twice, first on line 57; remove one"
        );
        let found = Template::parse(&text).expect_err("it is wrong");
        assert_eq!(found.to_string(), expected);
        assert_eq!(found.problems().len(), 5);
    }

    #[test]
    fn yaml_is_understood() {
        good(&GOOD.replace('\n', "\r\n"));
        good(&format!("\u{feff}---\n{GOOD}..."));
        // An alias.
        let table = changed(
            "      KeySchema: [{ AttributeName: pk, KeyType: HASH }]\n      Global",
            "      KeySchema: &key [{ AttributeName: pk, KeyType: HASH }]\n      Global",
        );
        assert_eq!(table.table.key.range, None);
        let alias = changed(
            "Due:\n",
            "Again: &again { Type: HttpApi, Properties: { Path: /, Method: ANY } }\n        Due:\n",
        );
        assert_eq!(alias.functions[0].routes.len(), 2);
        let level = |value: &str| {
            let template = changed("!Sub x=${Level}", value);
            template.functions[0].environment["LEVEL"].clone()
        };
        for (value, expected) in [
            ("{ Ref: Level }", "info"),
            ("{ 'Fn::Sub': '<${Level}>' }", "<info>"),
            ("!Sub ${!Level}-${Level}", "${Level}-info"),
            ("\"\"", ""),
            ("'010'", "010"),
            ("!!str 010", "010"),
            ("007x", "007x"),
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
        for misread in [
            "Yes",
            "off",
            "~",
            "NULL",
            "010",
            "+1",
            "1_000",
            "0x1F",
            "1.0",
            ".5",
            "1e3",
            "1:30",
            "2026-01-01",
            ".inf",
            "True",
        ] {
            assert!(is_misread(misread), "{misread}");
        }
        for read in [
            "yesterday",
            "0",
            "-1",
            "12345678901234567890",
            "true",
            "false",
            "v1",
            "1st",
            "a:b",
            "info,x=debug",
            "-",
        ] {
            assert!(!is_misread(read), "{read}");
        }
    }

    #[test]
    fn events_may_be_disabled_or_by_the_calendar() {
        let template = changed("Input: '{}'", "Input: '{}'\n            State: DISABLED");
        assert_eq!(template.functions[0].schedules.len(), 0);
        let template = changed(
            "EventBusName: !Ref Bus",
            "EventBusName: !Ref Bus\n            State: DISABLED",
        );
        assert_eq!(template.functions[0].rules.len(), 0);
        let zone = "cron(0 9 * * ? *)\n            ScheduleExpressionTimezone: Europe/Berlin";
        let template = changed("rate(1 minute)", zone);
        let Schedule::Cron(cron) = &template.functions[0].schedules[0].every else {
            panic!("a cron")
        };
        assert_eq!(cron.time_zone().iana_name(), Some("Europe/Berlin"));
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
    fn routes_may_be_resources() {
        let template = changed(
            "  Queue: { Type: AWS::SQS::Queue }\n",
            "  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:${AWS::Partition}:lambda:${AWS::Region}:x:function/${Tick.Arn}/invocations
      PayloadFormatVersion: \"2.0\"
  Sub:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: 'ANY /keys/{proxy+}', Target: !Sub 'integrations/${Integration}' }
  Join:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: GET /, Target: !Join [/, [integrations, !Ref Integration]] }
",
        );
        let routes: Vec<String> = template.functions[0]
            .routes
            .iter()
            .map(|Route { method, path, line }| format!("{line} {method} {path}"))
            .collect();
        assert_eq!(routes, ["62 POST /hook", "37 ANY /keys/{proxy+}", "40 GET /"]);
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

        let detail = pattern("{ detail: { kind: [a, b], post: { network: [x], 'a.b': ['1'] } } }");
        let matches = |value| detail.matches("s", "t", &value);
        assert!(matches(json!({ "kind": "a", "post": { "network": "x", "a.b": "1" }, "more": 1 })));
        assert!(matches(json!({ "kind": ["c", "b"], "post": { "network": ["x"], "a.b": "1" } })));
        assert!(!matches(json!({ "kind": "c", "post": { "network": "x", "a.b": "1" } })));
        assert!(!matches(json!({ "kind": "a", "post": { "network": "x", "a.b": 1 } })));
        assert!(!matches(json!({ "kind": "a", "post": { "network": "x", "a": { "b": "1" } } })));
        assert!(!matches(json!({ "kind": "a", "post": "x" })));
        assert!(!matches(json!({ "kind": null, "post": { "network": "x", "a.b": "1" } })));
        assert!(!matches(json!({ "kind": [], "post": { "network": "x", "a.b": "1" } })));
        assert!(!matches(json!({ "kind": "a" })));
        assert!(!matches(json!(null)));
        // The fields must be those of one element.
        assert!(matches(json!({ "kind": "a", "post": [{}, { "network": "x", "a.b": "1" }] })));
        assert!(!matches(json!({ "kind": "a", "post": [{ "network": "x" }, { "a.b": "1" }] })));
    }

    #[track_caller]
    fn check_audit(text: &str, expected: &[&str]) {
        let found: Vec<String> = audit(text).iter().map(Problem::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn the_real_template_passes_the_audit() {
        check_audit(REAL, &[]);
        check_audit(GOOD, &[]);
    }

    #[test]
    fn the_audit_finds_wide_permissions() {
        let star = |found: &str, key: &str| {
            format!(
                "line 2: `{found}` as {key} allows more than is named; write out what is needed"
            )
        };
        let not = |key: &str| {
            format!(
                "line 2: {key} allows everything that it does not name; write out what is needed"
            )
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
            ("Principal: { AWS: '*' }", vec![star("*", "Principal")]),
            ("NotAction: a:Get, NotResource: b", vec![not("NotAction"), not("NotResource")]),
            ("Action: '*', Resource: '*'", vec![star("*", "Action"), star("*", "Resource")]),
            (
                "Action: a:Get, Resource: !GetAtt A.Arn, Condition: { ArnLike: { a: 'b/*' } }",
                vec![],
            ),
        ] {
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            check_audit(&format!("Statement:\n  - {{ Effect: Allow, {statement} }}\n"), &expected);
            check_audit(
                &format!("Any: {{ Where:\n  {{ Effect: Allow, {statement} }} }}\n"),
                &expected,
            );
            check_audit(&format!("Any: {{ Where:\n  {{ Effect: Deny, {statement} }} }}\n"), &[]);
        }
    }

    #[test]
    fn the_audit_finds_schedules_and_routes_that_are_none() {
        check_audit(
            "A: { ScheduleExpression: rate(1 minutes) }\n\
             B: { Type: Schedule, Properties: { Schedule: rate(5 minute) } }\n\
             C: { ScheduleExpression: rate(1 minute), ScheduleExpressionTimezone: Berlin }\n\
             D: { ScheduleExpression: !Ref X }\n\
             E: { ScheduleExpression: cron(0 9 * * ? *) }\n",
            &[
                "line 1: AWS refuses `rate(1 minutes)`; write `rate(1 minute)`",
                "line 2: AWS refuses `rate(5 minute)`; write `rate(5 minutes)`",
                "line 3: `Berlin` is not a time zone; \
                 write a name of the IANA database, as in `Europe/Berlin`",
                "line 4: a schedule cannot be checked as `!Ref`; write it as text",
            ],
        );
        check_audit(
            "A: { Type: HttpApi, Properties: { Path: slack, Method: post } }\n\
             B: { Type: Api, Properties: { Path: /slack, Method: fetch } }\n\
             C: { RouteKey: POST slack }\n\
             D: { RouteKey: FETCH /slack }\n\
             E: { RouteKey: $default }\n\
             F: { RouteKey: /slack }\n\
             G: { Type: HttpApi, Properties: { Path: /slack, Method: POST } }\n",
            &[
                "line 1: the path `slack` does not start with a slash; write `/slack`",
                "line 2: `fetch` is not a method; \
                 write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE",
                "line 3: the path `slack` does not start with a slash; write `/slack`",
                "line 4: `FETCH` is not a method; \
                 write one of ANY, GET, HEAD, OPTIONS, PATCH, POST, PUT, DELETE",
                "line 6: `/slack` is not a method and a path; write them as in `POST /slack/command`",
            ],
        );
        // What hides something is found as well.
        check_audit("A: 1\nA: 2\n", &["line 2: `A` is here twice, first on line 1; remove one"]);
        check_audit(
            "A: [\n",
            &[
                "line 2: this is not YAML at column 1: while parsing a node, did not find expected node content",
            ],
        );
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
            audit(&text);
            match Template::parse(&text) {
                Ok(_) => read += 1,
                Err(TemplateProblems(problems)) => {
                    refused += 1;
                    // A parser that ran out of text points behind the last line.
                    let lines = 1..=text.split('\n').count() + 1;
                    assert!(!problems.is_empty(), "{text}");
                    for problem in problems {
                        assert!(lines.contains(&problem.line), "{problem}\n{text}");
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
            if let Err(problems) = Template::parse(&text) {
                assert!(!problems.problems().is_empty(), "without line {}", missing + 1);
            }
        }
    }
}
