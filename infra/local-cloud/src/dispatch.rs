//! Hands events to functions: each invocation is a task of its own, so that a slow function delays nobody.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinSet,
};

use crate::{
    functions::LocalFunction,
    gateway::Routes,
    services::{BusEvent, Unhandled},
};

/// The functions, the bus between them, and what they are doing.
#[derive(Debug)]
pub struct Dispatcher {
    functions: Vec<Arc<LocalFunction>>,
    events: UnboundedReceiver<BusEvent>,
    // Requests that were not handled.
    failures: (UnboundedSender<Invoked>, UnboundedReceiver<Invoked>),
    under_way: JoinSet<Invoked>,
}

/// A function has been invoked and is done.
#[derive(Debug)]
pub struct Invoked {
    /// Its name in the template.
    pub function: String,
    /// Which schedule of the run started it; none for an event or a request.
    pub schedule: Option<usize>,
    /// What it said, or why it failed.
    pub answer: anyhow::Result<Value>,
}

impl Dispatcher {
    /// Delivers what comes out of `events` to those of `functions` that have a rule for it.
    pub fn new(functions: Vec<LocalFunction>, events: UnboundedReceiver<BusEvent>) -> Self {
        let functions = functions.into_iter().map(Arc::new).collect();
        Self { functions, events, failures: mpsc::unbounded_channel(), under_way: JoinSet::new() }
    }

    /// The functions.
    pub fn functions(&self) -> &[Arc<LocalFunction>] {
        &self.functions
    }

    /// Which requests they answer. Of one that is not handled, [`Self::next`] tells.
    pub fn routes(&self) -> Routes {
        Routes::new(&self.functions, self.failures.0.clone())
    }

    /// Whether no function is at work and no event waits for one.
    pub fn is_quiet(&self) -> bool {
        self.under_way.is_empty() && self.events.is_empty()
    }

    /// Invokes a function with what `schedule` gives it.
    pub fn fire(&mut self, function: usize, input: Value, schedule: usize) {
        if let Some(function) = self.functions.get(function) {
            self.invoke(Arc::clone(function), input, Some(schedule), None);
        }
    }

    /// Delivers events until a function is done, or has not handled a request. May be dropped at any moment and called again.
    pub async fn next(&mut self) -> Invoked {
        loop {
            tokio::select! {
                Some(event) = self.events.recv() => self.deliver(event),
                Some(invoked) = self.failures.1.recv() => return invoked,
                // An error would be a panic, which is caught, or an abort, and nobody aborts one.
                Some(Ok(invoked)) = self.under_way.join_next() => return invoked,
            }
        }
    }

    /// Hands an event to every function with a rule for it.
    fn deliver(&mut self, event: BusEvent) {
        let BusEvent { source, detail_type, detail, unhandled } = event;
        let unhandled = Arc::new(unhandled);
        let message = json!({ "source": source, "detail-type": detail_type, "detail": detail });
        for function in self.functions.clone() {
            let rules = &function.definition.rules;
            if rules.iter().any(|rule| rule.pattern.matches(&source, &detail_type, &detail)) {
                self.invoke(function, message.clone(), None, Some(Arc::clone(&unhandled)));
            }
        }
    }

    fn invoke(
        &mut self,
        function: Arc<LocalFunction>,
        event: Value,
        schedule: Option<usize>,
        unhandled: Option<Arc<Unhandled>>,
    ) {
        self.under_way.spawn(async move {
            let answer = function.handle(event).await;
            drop(unhandled);
            let function = function.definition.logical_id.clone();
            Invoked { function, schedule, answer }
        });
    }
}
