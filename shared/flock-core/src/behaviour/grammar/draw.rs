//! How a text is drawn. What is still to be done is a list and not the stack: rules may name each other without end.

use std::collections::BTreeMap;

use super::{Action, Dice, Grammar, Modifier, Part, Span, Tag, place};

/// The most that one draw may do. Texts of a few sentences take some hundred; one that never ends is over in two milliseconds (2026-11,
/// as a function is built), and at most 1 MB large by then.
const STEPS: usize = 50_000;

/// What takes as long as a step: to copy this many bytes.
const STEP_BYTES: usize = 16;

/// Why a draw came to no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is longer than a text can be.
    Long,
    /// It takes more than `STEPS`.
    Steps,
    /// This symbol has no rules yet.
    Unset(u32),
    /// Nothing is seen of it.
    Nothing,
}

/// How one of several rules is chosen.
pub(super) enum Choice<'a> {
    /// By chance.
    Dice(&'a mut Dice),
    /// For each symbol this rule of all; of what is set, the shortest.
    Shortest(&'a [Option<u32>]),
}

/// One draw.
pub(super) struct Run<'a> {
    grammar: &'a Grammar,
    choice: Choice<'a>,
    said: String,
    /// What is to be done, the next last.
    todo: Vec<Step<'a>>,
    /// What symbols were set to, the latest last.
    set: BTreeMap<u32, Vec<Vec<String>>>,
    /// Steps that are left.
    left: usize,
}

enum Step<'a> {
    /// These parts are said.
    Say(Span),
    /// A rule of this symbol is.
    Symbol(u32),
    /// What is said from there on is the text of this tag.
    Close {
        tag: &'a Tag,
        modifiers: &'a [Modifier],
        from: usize,
    },
    Act(&'a Action),
    /// What is said from there on is the next of the texts that the symbol is set to; these are to come.
    Keep {
        symbol: u32,
        options: &'a [Span],
        texts: Vec<String>,
        from: usize,
    },
    /// What is said from there on is not said.
    Forget(usize),
}

impl<'a> Run<'a> {
    pub(super) fn new(grammar: &'a Grammar, choice: Choice<'a>) -> Self {
        let todo = vec![Step::Symbol(grammar.origin)];
        Self { grammar, choice, said: String::new(), todo, set: BTreeMap::new(), left: STEPS }
    }

    /// The text; or how it begins and why it is none.
    pub(super) fn text(mut self) -> Result<String, (String, Fault)> {
        while let Some(step) = self.todo.pop() {
            if let Err(fault) = self.take(step) {
                return Err((self.said, fault));
            }
        }
        Ok(self.said)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(1 + bytes / STEP_BYTES).ok_or(Fault::Steps)?;
        Ok(())
    }

    /// Everything that is to be done was paid for, so that there is never more of it than steps.
    fn todo(&mut self, step: Step<'a>) -> Result<(), Fault> {
        self.spend(0)?;
        self.todo.push(step);
        Ok(())
    }

    fn take(&mut self, step: Step<'a>) -> Result<(), Fault> {
        match step {
            Step::Say(parts) => self.say(parts),
            Step::Symbol(symbol) => self.symbol(symbol),
            Step::Close { tag, modifiers, from } => self.close(tag, modifiers, from),
            Step::Act(action) => self.act(action),
            Step::Keep { symbol, options, mut texts, from } => {
                let text = self.said.split_off(from);
                self.spend(text.len())?;
                texts.push(text);
                self.keep(symbol, options, texts)
            }
            Step::Forget(from) => {
                self.said.truncate(from);
                Ok(())
            }
        }
    }

    fn say(&mut self, span: Span) -> Result<(), Fault> {
        let grammar = self.grammar;
        for (at, part) in (span.first..).zip(grammar.parts(span)) {
            match part {
                Part::Text(text) => {
                    let text = grammar.said(*text);
                    self.spend(text.len())?;
                    self.said.push_str(text);
                    continue;
                }
                _ if at + 1 < span.end => {
                    self.todo(Step::Say(Span { first: at + 1, end: span.end }))?;
                }
                _ => {}
            }
            return self.part(part);
        }
        Ok(())
    }

    fn part(&mut self, part: &Part) -> Result<(), Fault> {
        let grammar = self.grammar;
        match part {
            Part::Text(_) => Ok(()),
            Part::Symbol(symbol) => self.symbol(*symbol),
            Part::Tag { tag, modifiers } => {
                let Some(tag) = grammar.tags.get(place(*tag)) else { return Ok(()) };
                let modifiers = grammar.modifiers.get(modifiers.range()).unwrap_or_default();
                self.todo(Step::Close { tag, modifiers, from: self.said.len() })?;
                self.todo(Step::Symbol(tag.symbol))?;
                tag.actions.iter().rev().try_for_each(|action| self.todo(Step::Act(action)))
            }
            Part::Action(action) => {
                grammar.actions.get(place(*action)).map_or(Ok(()), |action| self.act(action))
            }
        }
    }

    fn symbol(&mut self, symbol: u32) -> Result<(), Fault> {
        let grammar = self.grammar;
        let set = self.set.get(&symbol).and_then(|set| set.last()).filter(|set| !set.is_empty());
        if let Some(set) = set {
            let text = match &mut self.choice {
                Choice::Dice(dice) => set.get(dice.below(set.len())),
                Choice::Shortest(_) => set.first(),
            };
            let text = text.map(String::as_str).unwrap_or_default();
            self.said.push_str(text);
            let bytes = text.len();
            return self.spend(bytes);
        }
        let rules = grammar.rules(symbol);
        let rule = match &mut self.choice {
            _ if rules.len() == 0 => return Err(Fault::Unset(symbol)),
            Choice::Dice(dice) => place(rules.first) + dice.below(rules.len()),
            Choice::Shortest(of) => {
                of.get(place(symbol)).copied().flatten().map_or(place(rules.first), place)
            }
        };
        let rule = grammar.rules.get(rule).copied().unwrap_or_default();
        self.todo(Step::Say(rule))
    }

    fn close(&mut self, tag: &Tag, modifiers: &[Modifier], from: usize) -> Result<(), Fault> {
        for modifier in modifiers {
            let text = self.said.split_off(from);
            self.spend(modifier.most_bytes(&text))?;
            self.said.push_str(&modifier.applied(&text));
        }
        for action in &tag.actions {
            if let Action::Set { symbol, .. } = action {
                self.pop(*symbol);
            }
        }
        Ok(())
    }

    fn pop(&mut self, symbol: u32) {
        if let Some(set) = self.set.get_mut(&symbol) {
            set.pop();
        }
    }

    fn act(&mut self, action: &'a Action) -> Result<(), Fault> {
        match action {
            Action::Set { symbol, options } => self.keep(*symbol, options, Vec::new()),
            Action::Pop(symbol) => {
                self.pop(*symbol);
                Ok(())
            }
            Action::Do(parts) => {
                self.todo(Step::Forget(self.said.len()))?;
                self.todo(Step::Say(*parts))
            }
        }
    }

    /// Draws what of the options is still to come; then the symbol is set to all of them.
    fn keep(&mut self, symbol: u32, options: &'a [Span], texts: Vec<String>) -> Result<(), Fault> {
        let Some((next, options)) = options.split_first() else {
            let texts = match self.choice {
                Choice::Dice(_) => texts,
                Choice::Shortest(_) => {
                    texts.into_iter().min_by_key(|text| text.chars().count()).into_iter().collect()
                }
            };
            self.set.entry(symbol).or_default().push(texts);
            return Ok(());
        };
        self.todo(Step::Keep { symbol, options, texts, from: self.said.len() })?;
        self.todo(Step::Say(*next))
    }
}
