//! Functions: what runs, for how long, and with what environment.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use super::{
    Reading, Resource, Typed, better, choice, none_of, routes::Route, rules::EventRule,
    schedules::ScheduleEvent, typed, values::EnvValue,
};
use crate::yaml::{Node, Value};

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

/// Code from elsewhere, files that are not there, doors that are not opened.
const NOT_DONE_OF_FUNCTION: &str = "CapacityProviderConfig DurableConfig FileSystemConfigs
    FunctionUrlConfig ImageConfig ImageUri InlineCode Layers";

const NOT_DONE_OF_DESTINATIONS: &str = "OnSuccess";

/// Lambda's own, when a template says nothing.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

const TIMEOUTS_SECONDS: RangeInclusive<u64> = 1..=900;

/// What functions have when they do not say.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) timeout: Duration,
    pub(super) environment: BTreeMap<String, EnvValue>,
}

impl<'n> Reading<'n> {
    pub(super) fn globals(&self, sections: &Value<'n>) -> Common {
        let common = Common { timeout: DEFAULT_TIMEOUT, environment: BTreeMap::new() };
        let globals = sections.get("Globals").and_then(|section| section.mapping());
        let function = globals.and_then(|globals| globals.get("Function"));
        match function.and_then(|function| function.mapping()) {
            Some(function) => self.common(&function, common),
            None => common,
        }
    }

    /// What `Globals` and a function may both say.
    fn common(&self, of: &Value<'n>, mut common: Common) -> Common {
        none_of(NOT_DONE_OF_FUNCTION, of);
        choice(of, "PackageType", &["Zip"]);
        choice(of, "Runtime", &["provided.al2023", "provided.al2"]);
        let timeout = of.get("Timeout");
        let timeout = timeout.and_then(|value| self.number(&value, TIMEOUTS_SECONDS, "seconds"));
        common.timeout = timeout.map_or(common.timeout, Duration::from_secs);
        let environment = of.get("Environment").and_then(|value| value.mapping());
        let variables = environment.and_then(|environment| environment.get("Variables"));
        let variables = variables.and_then(|variables| variables.mapping());
        for (name, value) in variables.iter().flat_map(Value::iter) {
            let value = Value { what: format!("the variable `{name}`"), ..value };
            common.environment.extend(self.value(&value).map(|value| (name.to_owned(), value)));
        }
        common
    }

    pub(super) fn function(&self, resource: &Resource<'n>, common: Common) -> Function {
        let properties = &resource.properties;
        // What failed is only logged locally; success has no place to go.
        let config = properties.get("EventInvokeConfig").and_then(|config| config.mapping());
        let destinations = config.and_then(|config| config.get("DestinationConfig")?.mapping());
        if let Some(destinations) = destinations {
            none_of(NOT_DONE_OF_DESTINATIONS, &destinations);
        }
        let binary = self.binary(resource).unwrap_or_default();
        let Common { timeout, environment } = self.common(properties, common);
        let (mut schedules, mut rules) = (Vec::new(), Vec::new());
        let events = properties.get("Events").and_then(|events| events.mapping());
        for (name, value) in events.iter().flat_map(Value::iter) {
            let value = Value { what: format!("`{name}` of {}", properties.what), ..value };
            let typed = typed(&value, "ScheduleV2 or EventBridgeRule");
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

    pub(super) fn binary(&self, resource: &Resource<'n>) -> Option<String> {
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
}
