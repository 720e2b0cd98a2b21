//! Whether texts can be drawn by rules: that all is there that they name, and that they come to an end.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::{
    Action, Builder, Dice, Fault, Grammar, Part, Problems, SHOWN, Span, TRIALS, json::Written,
    number, place, shown, sign_is_written,
};
use crate::nearest;

/// Among more names nobody looks for the one that was meant: each takes as long as both names are, one times the other.
const COMPARED: usize = 500;

/// More symbols are not listed in one sentence.
const LISTED: usize = 6;

/// The way to the least that symbols can say.
#[derive(Debug)]
pub(super) struct Cheapest {
    /// The rule of each symbol by which it says least, of all rules. None, where it has none that ends.
    pub(super) rules: Vec<Option<u32>>,
    /// Which symbols come to an end, by rules or by what they are set to.
    ends: Vec<bool>,
}

/// What a symbol may become: a rule of its own, or what an action sets it to.
struct Way {
    symbol: u32,
    rule: Option<u32>,
    /// Symbols in it that do not end as far as is known; as often as they are there.
    waits_for: usize,
    cost: u64,
}

/// What is in a rule.
#[derive(Clone, Copy)]
enum Found {
    Text(Span),
    Symbol(u32),
    Popped(u32),
}

impl Grammar {
    /// Calls `found` for what is in these parts, and whether it is said. Brackets are within each other as deep as `rule` reads them.
    fn walk(&self, span: Span, is_said: bool, found: &mut impl FnMut(Found, bool)) {
        for part in self.parts(span) {
            match part {
                Part::Text(text) => found(Found::Text(*text), is_said),
                Part::Symbol(symbol) => found(Found::Symbol(*symbol), is_said),
                Part::Tag { tag, .. } => {
                    let Some(tag) = self.tags.get(place(*tag)) else { continue };
                    found(Found::Symbol(tag.symbol), is_said);
                    for action in &tag.actions {
                        self.walk_action(action, found);
                    }
                }
                Part::Action(action) => {
                    if let Some(action) = self.actions.get(place(*action)) {
                        self.walk_action(action, found);
                    }
                }
            }
        }
    }

    fn walk_action(&self, action: &Action, found: &mut impl FnMut(Found, bool)) {
        match action {
            Action::Set { options, .. } => {
                for option in options {
                    self.walk(*option, false, found);
                }
            }
            Action::Do(parts) => self.walk(*parts, false, found),
            Action::Pop(symbol) => found(Found::Popped(*symbol), false),
        }
    }

    /// What actions set symbols to.
    fn options(&self) -> impl Iterator<Item = (u32, Span)> {
        let within = self.tags.iter().flat_map(|tag| &tag.actions);
        self.actions.iter().chain(within).flat_map(|action| match action {
            Action::Set { symbol, options } => {
                options.iter().map(|option| (*symbol, *option)).collect()
            }
            Action::Pop(_) | Action::Do(_) => Vec::new(),
        })
    }

    /// The rules of all symbols that say least, in characters; with `is_all`, those that do least, where what is drawn and not said
    /// counts, too, and has to come to an end.
    ///
    /// By Knuth ("A Generalization of Dijkstra's Algorithm", Information Processing Letters 6, 1977): what says least is known
    /// first, and what it is part of next. So no rule that is chosen leads to its own symbol again.
    pub(super) fn cheapest(&self, is_all: bool) -> Cheapest {
        let (mut ways, mut uses) = (Vec::new(), Vec::new());
        let mut add = |symbol, rule, span| {
            let way = number(ways.len());
            let (mut waits_for, mut cost) = (0, 0_u64);
            self.walk(span, true, &mut |part, is_said| match part {
                Found::Symbol(symbol) if is_said || is_all => {
                    waits_for += 1;
                    uses.push((symbol, way));
                }
                Found::Text(text) if is_said || is_all => {
                    let length = self.said(text).chars().count();
                    cost = cost.saturating_add(length.try_into().unwrap_or(u64::MAX));
                }
                _ => {}
            });
            ways.push(Way { symbol, rule, waits_for, cost });
        };
        for (symbol, rules) in (0..).zip(&self.symbols) {
            for (rule, span) in
                (rules.first..).zip(self.rules.get(rules.range()).unwrap_or_default())
            {
                add(symbol, Some(rule), *span);
            }
        }
        for (symbol, option) in self.options() {
            add(symbol, None, option);
        }
        uses.sort_unstable();
        let mut cheapest = Cheapest {
            rules: vec![None; self.symbols.len()],
            ends: vec![false; self.symbols.len()],
        };
        let mut known: BinaryHeap<_> = (0_u32..)
            .zip(&ways)
            .filter(|(_, way)| way.waits_for == 0)
            .map(|(index, way)| Reverse((way.cost, index)))
            .collect();
        while let Some(Reverse((cost, index))) = known.pop() {
            let Some(Way { symbol, rule, .. }) = ways.get(place(index)) else { continue };
            let symbol = *symbol;
            if let Some(own) = cheapest.rules.get_mut(place(symbol)) {
                *own = own.or(*rule);
            }
            let Some(ends) = cheapest.ends.get_mut(place(symbol)).filter(|ends| !**ends) else {
                continue;
            };
            *ends = true;
            let first = uses.partition_point(|(used, _)| *used < symbol);
            let of_it = uses.get(first..).unwrap_or_default();
            for (_, user) in of_it.iter().take_while(|(used, _)| *used == symbol) {
                let Some(way) = ways.get_mut(place(*user)) else { continue };
                way.cost = way.cost.saturating_add(cost);
                way.waits_for -= 1;
                if way.waits_for == 0 {
                    known.push(Reverse((way.cost, *user)));
                }
            }
        }
        cheapest
    }
}

impl Builder {
    /// Whether texts can be drawn by what was read of `symbols`.
    pub(super) fn check(&self, symbols: &[Written], problems: &mut Problems) {
        if self.grammar.rules(self.grammar.origin).len() == 0 {
            let meant = self.nearest(Self::ORIGIN);
            let why = format!(
                "there is no symbol `{}`, with whose rules every text begins{meant}",
                Self::ORIGIN
            );
            problems.tell(None, why);
        }
        let mut names = vec![""; self.grammar.symbols.len()];
        for (name, symbol) in &self.names {
            if let Some(place) = names.get_mut(place(*symbol)) {
                *place = name;
            }
        }
        let name = |symbol: u32| names.get(place(symbol)).copied().unwrap_or_default();
        self.tell_missing(symbols, &name, problems);
        if !problems.is_empty() {
            return;
        }
        let ends = self.grammar.cheapest(true).ends;
        self.tell_endless(&ends, &name, problems);
        if !problems.is_empty() {
            return;
        }
        let mut fault = None;
        for seed in 0..TRIALS {
            match self.grammar.try_draw(&mut Dice::new(seed)) {
                Ok(_) => return,
                Err(why) => fault = fault.or(Some(why)),
            }
        }
        let why = match fault {
            Some(Fault::Unset(symbol)) => {
                format!("`{}` is asked for before an action sets it", shown(name(symbol)))
            }
            Some(Fault::Nothing) => "they say nothing that is seen".to_owned(),
            Some(Fault::Long) => "they are longer than a post can be".to_owned(),
            _ => "they go on and on; give symbols that name themselves more rules that do not"
                .to_owned(),
        };
        problems.tell(None, format!("no text came of {TRIALS} draws: {why}"));
    }

    /// Tells which symbols of rules are nowhere.
    fn tell_missing<'a>(
        &self,
        symbols: &[Written],
        name: &impl Fn(u32) -> &'a str,
        problems: &mut Problems,
    ) {
        if (0..number(self.grammar.symbols.len())).all(|symbol| !self.is_missing(symbol)) {
            return;
        }
        for symbol in symbols {
            let Some(rules) = self.names.get(&symbol.name).map(|known| self.grammar.rules(*known))
            else {
                continue;
            };
            let lines = self.lines.get(rules.range()).unwrap_or_default();
            let rules = self.grammar.rules.get(rules.range()).unwrap_or_default();
            for (line, rule) in lines.iter().zip(rules) {
                if problems.is_full() {
                    return;
                }
                let mut missing = Vec::new();
                self.grammar.walk(*rule, true, &mut |found, _| match found {
                    Found::Symbol(symbol) if self.is_missing(symbol) => {
                        missing.push((symbol, false));
                    }
                    Found::Popped(symbol) if self.is_missing(symbol) => {
                        missing.push((symbol, true));
                    }
                    _ => {}
                });
                missing.dedup();
                for (missing, is_popped) in missing {
                    let missing = name(missing);
                    let meant = self.nearest(missing);
                    let hint = if meant.is_empty() && missing.contains(char::is_whitespace) {
                        format!("; {}", sign_is_written("#"))
                    } else {
                        meant
                    };
                    let (symbol, missing) = (shown(&symbol.name), shown(missing));
                    let why = if is_popped {
                        format!(
                            "in a rule of `{symbol}`: `[{missing}:POP]`, and nothing sets `{missing}`{hint}"
                        )
                    } else {
                        format!(
                            "in a rule of `{symbol}`: `#{missing}#`, and there is no such symbol{hint}"
                        )
                    };
                    problems.tell(*line, why);
                }
            }
        }
    }

    /// Which symbol of the file or of an action may have been meant.
    fn nearest(&self, missing: &str) -> String {
        if COMPARED < self.names.len() || SHOWN < missing.len() {
            return String::new();
        }
        let known = self
            .names
            .iter()
            .filter(|(name, symbol)| name.len() <= SHOWN && !self.is_missing(**symbol));
        nearest(missing, known.map(|(name, _)| name.as_str()))
            .map_or(String::new(), |meant| format!("; did you mean `{}`?", shown(meant)))
    }

    /// Tells of symbols that lead to themselves by every rule, once for all that lead to each other.
    fn tell_endless<'a>(
        &self,
        ends: &[bool],
        name: &impl Fn(u32) -> &'a str,
        problems: &mut Problems,
    ) {
        let grammar = &self.grammar;
        let is_endless = |symbol: u32| ends.get(place(symbol)).is_some_and(|ends| !ends);
        if ends.iter().all(|ends| *ends) {
            return;
        }
        // One way of each that has none that ends: its first rule, or what it is set to.
        let mut ways: HashMap<u32, Span> = grammar.options().collect();
        ways.extend((0..).zip(&grammar.symbols).filter_map(|(symbol, rules)| {
            let rules = grammar.rules.get(rules.range()).unwrap_or_default();
            Some((symbol, *rules.first()?))
        }));
        let next = |symbol: u32| {
            let mut next = None;
            grammar.walk(*ways.get(&symbol)?, true, &mut |found, _| match found {
                Found::Symbol(symbol) if is_endless(symbol) => next = next.or(Some(symbol)),
                _ => {}
            });
            next
        };
        // In which walk each was come by.
        let mut come_by = vec![0_u32; ends.len()];
        for (walk, start) in
            (1..).zip(0..number(ends.len())).filter(|(_, start)| is_endless(*start))
        {
            let (mut at, mut path) = (Some(start), Vec::new());
            while let Some((mark, symbol)) = at
                .and_then(|at| Some((come_by.get_mut(place(at))?, at)))
                .filter(|(mark, _)| **mark == 0)
            {
                *mark = walk;
                path.push(symbol);
                at = next(symbol);
            }
            let Some(first) = path.iter().position(|passed| Some(*passed) == at) else { continue };
            let cycle = path.get(first..).unwrap_or_default();
            let mut names: Vec<_> =
                cycle.iter().take(LISTED).map(|symbol| shown(name(*symbol))).collect();
            let symbol = names.first().cloned().unwrap_or_default();
            if LISTED < cycle.len() {
                names.push("…".to_owned());
            }
            names.push(symbol.clone());
            let why = format!(
                "`{symbol}` never comes to an end: each of its rules leads to it again ({}); give it one that does not",
                names.join(" > ")
            );
            let lines = cycle.iter().map(|symbol| grammar.rules(*symbol));
            let line = lines.filter(|rules| 0 < rules.len()).map(|rules| place(rules.first)).next();
            problems.tell(line.and_then(|rule| self.lines.get(rule).copied()), why);
        }
    }
}
