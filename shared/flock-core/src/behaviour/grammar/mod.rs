//! Texts that are drawn by rules: Tracery's grammars.
//!
//! A file is a JSON object of symbols with their rules, `{"origin": ["The #animal# sleeps."], "animal": ["cow", "ewe"]}`. A
//! text begins with a rule of `origin`; each `#symbol#` becomes a rule of that symbol. `#symbol.capitalize.s#` has its text
//! modified, `[key:#animal#]` draws a text and keeps it for `#key#`, `[key:one,other]` keeps several to choose from, and `[key:POP]` has
//! what was kept before again. `#[key:value]symbol#` keeps a text while that symbol is drawn. `[#symbol#]` does what actions are in
//! it and says nothing. A `\` before a sign takes its meaning from it.
//!
//! The language is that of the npm package `tracery-grammar` 2.8.4 with its English modifiers, as Cheap Bots Done Quick ran it (read and
//! run in 2026-11; `.ci/grammar_peer.sh` draws the same texts by both). Where that has faults, this has what people expect:
//!
//! - It shows `((symbol))` for a symbol without rules and `((.name))` for a modifier that it does not know. Here both are refused when
//!   the file is read; where a key turns out to be set too late in one draw, that draw comes to nothing.
//! - It throws, or says `((undefined))` or half a rule, where brackets, `#` or the name of a symbol are missing, or rules never end. These
//!   are refused, too, or the draw comes to nothing.
//! - `[key:POP]` there takes away the rules of the file at last. Here it takes away what was set, and nothing else.
//! - What is set ends there at a second colon, `[at:10:30]`, and is split at commas within tags. Here it goes on to its bracket, and tags
//!   and brackets within it are whole; `\,` is a comma.
//! - Of several `\` in one text it loses all but the last before it reads a text a second time, and modifiers see those that are left.
//!   Here each stands for the sign behind it, once.
//! - `replace(old,new)` there takes `$&` in `new` for what was found, and writes `undefined` if there is no `new`. Here signs are signs,
//!   and what is missing is refused.
//! - `ed` makes `playd` of `play`, `firstS` puts a blank behind a single word, and for `capitalizeAll` an `é` is no letter, so that `été`
//!   is `éTé`. Here they are `played`, none, and `Été`.

mod check;
mod draw;
mod english;
mod json;
mod rule;

use std::{borrow::Cow, collections::HashMap, ops::Range};

use super::{Dice, Source};
use crate::{
    Corpus, CorpusProblem, FEW, Item, Mark,
    foreign::{lines_of, odd, says_nothing},
    text::one_line,
};

use draw::{Fault, Run};
use english::Modifier;
use rule::sign_is_written;

/// Rules that texts are drawn by.
#[derive(Debug, PartialEq, Eq)]
pub struct Grammar {
    /// What rules say, one text after the other: a text of each one's own would take many times the room of a short one.
    text: String,
    /// What rules are made of, those of one right after the other.
    parts: Vec<Part>,
    /// Tags that do more than to name a symbol.
    tags: Vec<Tag>,
    actions: Vec<Action>,
    modifiers: Vec<Modifier>,
    /// The parts of each rule, those of one symbol right after the other.
    rules: Vec<Span>,
    /// The rules of each symbol. None, where actions set it and the file does not have it.
    symbols: Vec<Span>,
    /// The symbol that texts begin with.
    origin: u32,
}

/// What it is the range of is said where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    first: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A text in the text of all.
    Text(Span),
    /// A symbol as it is.
    Symbol(u32),
    /// A tag, with what is done to its text then.
    Tag { tag: u32, modifiers: Span },
    /// An action by itself.
    Action(u32),
}

#[derive(Debug, PartialEq, Eq)]
struct Tag {
    symbol: u32,
    /// What is done before.
    actions: Box<[Action]>,
}

#[derive(Debug, PartialEq, Eq)]
enum Action {
    /// One of these is what the symbol says.
    Set { symbol: u32, options: Box<[Span]> },
    /// What it said before that is what it says again.
    Pop(u32),
    /// These parts are drawn, and not said.
    Do(Span),
}

impl Span {
    fn range(self) -> Range<usize> {
        place(self.first)..place(self.end)
    }

    fn len(self) -> usize {
        self.range().len()
    }
}

/// As an index.
fn place(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// As it is kept.
fn number(place: usize) -> u32 {
    u32::try_from(place).expect("a grammar is refused that is larger than `STORED_BYTES`")
}

/// The largest grammar as it is stored: three times the largest file that anybody is known to have. A long name of a symbol with
/// very many short rules would come to many gigabytes.
const STORED_BYTES: usize = 16 << 20;

/// Draws to find one text before a grammar is said to have none. Nearly always the first has it.
const TRIALS: u64 = 256;

/// Reads the file of a grammar. Its corpus has a line for each rule, in the order of the file: a JSON array of the name of its symbol and
/// the rule.
pub(super) fn read(source: &Source<'_>) -> (Option<Corpus>, Vec<CorpusProblem>) {
    let text = match lines_of(source.bytes) {
        Ok(text) => text,
        Err(why) => return (None, vec![why.into()]),
    };
    if says_nothing(&text) {
        return (None, vec![CorpusProblem::Empty]);
    }
    let mut problems = Problems::default();
    let symbols = json::symbols(&text, &mut problems);
    let mut builder = Builder::default();
    let mut stored = 0;
    for symbol in &symbols {
        builder.begin(&symbol.name);
        for (line, rule) in &symbol.rules {
            let bytes = stored_rule(&symbol.name, rule).len();
            stored += bytes;
            if Corpus::LINE_BYTES < bytes {
                let why = format!(
                    "a rule of `{}` is {bytes} bytes long, with the name and as JSON; it cannot be longer than {}",
                    shown(&symbol.name),
                    Corpus::LINE_BYTES
                );
                problems.tell(*line, why);
                continue;
            }
            // By itself: line feeds in a rule are in one line of the file.
            let seen = odd(&symbol.name).or_else(|| odd(rule)).map(|c| format!("-{c}-"));
            if let Some(problem) = seen.and_then(|seen| CorpusProblem::odd_in(*line, &seen)) {
                problems.note(problem);
            }
            if STORED_BYTES < stored {
                continue;
            }
            if let Err(why) = builder.rule(*line, rule) {
                problems.tell(*line, format!("in a rule of `{}`: {why}", shown(&symbol.name)));
            }
        }
    }
    if STORED_BYTES < stored {
        let why = format!(
            "it is {stored} bytes large as it is stored, where each rule has the name of its symbol; it cannot be larger than {STORED_BYTES}"
        );
        problems.tell(None, why);
    }
    // What is there depends on what could not be read.
    if problems.is_empty() {
        builder.check(&symbols, &mut problems);
    }
    let problems = problems.told();
    if !problems.is_empty() {
        return (None, problems);
    }
    let rules = symbols.iter().flat_map(|symbol| {
        symbol.rules.iter().map(|(line, rule)| (*line, symbol.name.as_str(), rule.as_str()))
    });
    Corpus::of(rules.map(|(line, symbol, rule)| Item {
        number: line,
        text: Cow::Owned(stored_rule(symbol, rule)),
        mark: Mark::default(),
    }))
}

/// Rules that do more elsewhere than to make a text: the line of each of the first, and what is said of it.
pub(super) fn doubts(text: &Corpus) -> Vec<(usize, String)> {
    // Cheap Bots Done Quick's (cheapbotsdonequick.com, "Images"; 2026-11).
    let drawn = text.lines().filter_map(|(number, line)| {
        let sign = ["{svg ", "{img ", "{cut "].into_iter().find(|sign| line.contains(sign))?;
        let why = format!(
            "`{}...}}` was more than text on Cheap Bots Done Quick, and is posted as it stands here; take it out",
            sign.trim_end()
        );
        Some((number, why))
    });
    drawn.take(FEW).collect()
}

/// A rule as it is stored.
fn stored_rule(symbol: &str, rule: &str) -> String {
    serde_json::to_string(&(symbol, rule)).expect("two texts are JSON")
}

impl Grammar {
    /// The rules in the corpus of a grammar. `None`: it is none of a grammar.
    pub fn of(text: &Corpus) -> Option<Self> {
        let mut builder = Builder::default();
        let (mut before, mut stored) = (None, 0);
        for (number, line) in text.lines() {
            stored += line.len();
            if STORED_BYTES < stored || Corpus::LINE_BYTES < line.len() {
                return None;
            }
            let (symbol, rule): (String, String) = serde_json::from_str(line).ok()?;
            if before.as_ref() != Some(&symbol) {
                if builder.has(&symbol) {
                    return None;
                }
                builder.begin(&symbol);
            }
            builder.rule(number, &rule).ok()?;
            before = Some(symbol);
        }
        builder.is_whole().then_some(builder.grammar)
    }

    /// A text, without white space around it. `None`: this draw came to more than a text can have (3,700 bytes), or to nothing that is
    /// seen, or took too many steps, or asked for what was not set yet.
    pub fn draw(&self, dice: &mut Dice) -> Option<String> {
        self.try_draw(dice).ok()
    }

    fn try_draw(&self, dice: &mut Dice) -> Result<String, Fault> {
        let said = Run::new(self, draw::Choice::Dice(dice)).text().map_err(|(_, fault)| fault)?;
        let said = said.trim();
        if Corpus::LINE_BYTES < said.len() {
            Err(Fault::Long)
        } else if says_nothing(said) {
            Err(Fault::Nothing)
        } else {
            Ok(said.to_owned())
        }
    }

    /// The shortest text it can say, in characters, which may be none. Rules are chosen by their own length: where modifiers make one
    /// longer or shorter, or what is set is another than the shortest, a shorter text may be possible. More than a text can have, where it
    /// comes to that; not always all of it then.
    pub fn shortest(&self) -> String {
        let said = |rules: &[Option<u32>]| Run::new(self, draw::Choice::Shortest(rules)).text();
        let text = said(&self.cheapest(false).rules).or_else(|_| {
            // What is done and not said may go on for ever by the rules that say least. By those that do least it ends.
            said(&self.cheapest(true).rules)
        });
        let text = text.unwrap_or_else(|(begun, _)| begun);
        text.trim().to_owned()
    }

    fn parts(&self, span: Span) -> &[Part] {
        self.parts.get(span.range()).unwrap_or_default()
    }

    fn said(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The rules of a symbol.
    fn rules(&self, symbol: u32) -> Span {
        self.symbols.get(place(symbol)).copied().unwrap_or_default()
    }
}

/// A grammar that is being read.
#[derive(Debug)]
struct Builder {
    grammar: Grammar,
    names: HashMap<String, u32>,
    /// Which symbols actions set.
    set: Vec<bool>,
    /// The line of each rule.
    lines: Vec<usize>,
    begun: u32,
}

impl Default for Builder {
    fn default() -> Self {
        let grammar = Grammar {
            text: String::new(),
            parts: Vec::new(),
            tags: Vec::new(),
            actions: Vec::new(),
            modifiers: Vec::new(),
            rules: Vec::new(),
            symbols: Vec::new(),
            origin: 0,
        };
        let mut builder =
            Self { grammar, names: HashMap::new(), set: Vec::new(), lines: Vec::new(), begun: 0 };
        builder.grammar.origin = builder.symbol(Self::ORIGIN);
        builder
    }
}

impl Builder {
    const ORIGIN: &str = "origin";

    /// The number of a symbol, which need not be there yet.
    fn symbol(&mut self, name: &str) -> u32 {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let symbol = number(self.grammar.symbols.len());
        self.names.insert(name.to_owned(), symbol);
        self.grammar.symbols.push(Span::default());
        self.set.push(false);
        symbol
    }

    /// Whether the file has it.
    fn has(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|symbol| 0 < self.grammar.rules(*symbol).len())
    }

    /// What rules come are those of this symbol.
    fn begin(&mut self, name: &str) {
        self.begun = self.symbol(name);
        let first = number(self.grammar.rules.len());
        if let Some(rules) = self.grammar.symbols.get_mut(place(self.begun)) {
            *rules = Span { first, end: first };
        }
    }

    fn rule(&mut self, line: usize, rule: &str) -> Result<(), String> {
        let parts = rule::parse(rule, self)?;
        self.grammar.rules.push(parts);
        self.lines.push(line);
        let end = number(self.grammar.rules.len());
        if let Some(rules) = self.grammar.symbols.get_mut(place(self.begun)) {
            rules.end = end;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Option<Part> {
        let first = number(self.grammar.text.len());
        self.grammar.text.push_str(text);
        let end = number(self.grammar.text.len());
        (first < end).then_some(Part::Text(Span { first, end }))
    }

    fn sequence(&mut self, parts: &[Part]) -> Span {
        let first = number(self.grammar.parts.len());
        self.grammar.parts.extend_from_slice(parts);
        Span { first, end: number(self.grammar.parts.len()) }
    }

    fn tag(&mut self, tag: Tag, modifiers: Vec<Modifier>) -> Part {
        if tag.actions.is_empty() && modifiers.is_empty() {
            return Part::Symbol(tag.symbol);
        }
        let first = number(self.grammar.modifiers.len());
        self.grammar.modifiers.extend(modifiers);
        let modifiers = Span { first, end: number(self.grammar.modifiers.len()) };
        self.grammar.tags.push(tag);
        Part::Tag { tag: number(self.grammar.tags.len() - 1), modifiers }
    }

    fn action(&mut self, action: Action) -> Part {
        self.grammar.actions.push(action);
        Part::Action(number(self.grammar.actions.len() - 1))
    }

    /// Actions set this symbol.
    fn is_set(&mut self, symbol: u32) {
        if let Some(set) = self.set.get_mut(place(symbol)) {
            *set = true;
        }
    }

    /// Whether nothing says what this symbol is.
    fn is_missing(&self, symbol: u32) -> bool {
        self.grammar.rules(symbol).len() == 0
            && !self.set.get(place(symbol)).copied().unwrap_or_default()
    }

    /// Whether all is there that rules ask for.
    fn is_whole(&self) -> bool {
        0 < self.grammar.rules(self.grammar.origin).len()
            && (0..number(self.grammar.symbols.len())).all(|symbol| !self.is_missing(symbol))
    }
}

/// What is wrong with a file.
#[derive(Debug, Default)]
struct Problems(Vec<CorpusProblem>);

impl Problems {
    /// Notes one, as long as somebody would still read it.
    fn tell(&mut self, line: impl Into<Option<usize>>, why: impl Into<String>) {
        self.note(CorpusProblem::Form { line: line.into(), why: why.into() });
    }

    fn note(&mut self, problem: CorpusProblem) {
        if !self.is_full() {
            self.0.push(problem);
        }
    }

    /// Whether more are noted already than are told.
    fn is_full(&self) -> bool {
        Corpus::PROBLEMS < self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of lines.
    fn told(mut self) -> Vec<CorpusProblem> {
        let is_more = self.is_full();
        self.0.truncate(Corpus::PROBLEMS);
        self.0.sort_by_key(|problem| problem.line().unwrap_or_default());
        if is_more {
            self.0.push(CorpusProblem::More { told: Corpus::PROBLEMS });
        }
        self.0
    }
}

/// The most characters of a name in a message.
const SHOWN: usize = 40;

/// A name that somebody wrote, as much of it as a line can show.
fn shown(name: &str) -> String {
    let begin: String = name.chars().take(SHOWN).collect();
    let more = if begin.len() < name.len() { "…" } else { "" };
    format!("{}{more}", one_line(&begin))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn read_text(text: &str) -> (Option<Corpus>, Vec<CorpusProblem>) {
        read(&Source::plain("a.json", text.as_bytes(), &TimeZone::UTC))
    }

    #[track_caller]
    fn grammar(text: &str) -> Grammar {
        let (corpus, problems) = read_text(text);
        assert_eq!(problems, [], "{text}");
        Grammar::of(&corpus.unwrap()).unwrap()
    }

    /// Every text of a grammar of a few.
    #[track_caller]
    fn texts(text: &str) -> String {
        let grammar = grammar(text);
        let texts = (0..500).map(|seed| grammar.draw(&mut Dice::new(seed)));
        let texts: BTreeSet<_> = texts.map(|text| text.unwrap_or_else(|| "-".to_owned())).collect();
        texts.into_iter().collect::<Vec<_>>().join("|")
    }

    #[track_caller]
    fn says(origin: &str, expected: &str) {
        let text = serde_json::json!({
            "origin": origin,
            "animal": ["cow"],
            "colour": ["red", "blue"],
            "set": "[who:#animal#]",
            "who's": "#who.capitalize#",
        });
        assert_eq!(texts(&text.to_string()), expected, "{origin}");
    }

    fn refused(text: &str) -> String {
        let (corpus, problems) = read_text(text);
        assert_eq!(corpus.is_some(), problems.is_empty());
        let said = problems.iter().map(|problem| match problem.line() {
            Some(line) => format!("{line}: {problem}"),
            None => problem.to_string(),
        });
        said.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn texts_are_drawn_by_rules() {
        says("The #animal# sleeps.", "The cow sleeps.");
        says("#colour# #colour#", "blue blue|blue red|red blue|red red");
        says("#animal.s# #animal.s.a.capitalize#", "cows A cows");
        says("#animal.replace(c,wr).capitalize#", "Wrow");
        says("#animal.replace(\\,,\\)).replace(o.,\\#)# #animal.replace(w,.\\,\\))#", "cow co.,)");
        // Set for a while, for good, and one of several.
        says("#[who:#animal#]who's#", "Cow");
        says(
            "[who:#colour#]#who# #who# #colour#",
            "blue blue blue|blue blue red|red red blue|red red red",
        );
        says("[who:ewe,ram]#who# #who#", "ewe ewe|ewe ram|ram ewe|ram ram");
        says("[who:a][who:b]#who# [who:POP]#who#", "b a");
        says("[animal:ewe]#animal# [animal:POP]#animal# [animal:POP]#animal#", "ewe cow cow");
        says("#[#set#]who's# #who#", "Cow cow");
        says("[#set#]#who#", "cow");
        says("[who:#[who:x]who##[who:y][animal:#who#]animal#]#who#", "xy");
        says("[who:]a#who#b[no one sees it][]c", "abc");
        // What is set goes on to its bracket.
        says("[who:10:30 \\, on #animal.replace(c,b)#]#who#", "10:30 , on bow");
        says("#animal[who:x]##[who:y]who#", "cowy");
        // Signs.
        says("\\#1 \\[a\\] \\\\ \\x \\", "#1 [a] \\ x \\");
        says("[who:\\#1]#who# #[who:\\]]who.s#", "#1 ]s");
        says(" a, b: c(d).e \n f ", "a, b: c(d).e \n f");
        says("<b> & \"😀\"", "<b> & \"😀\"");
        // A draw that asks too early comes to nothing.
        assert_eq!(texts(r##"{"origin":["#a#","[a:x]#a#"]}"##), "-|x");
        assert_eq!(texts(r#"{"origin":["", " \u200b", "x"]}"#), "-|x");
        assert_eq!(texts(r#"{"origin":["x","x","y\r\nz"]}"#), "x|y\nz");
    }

    #[test]
    fn a_draw_ends() {
        let doubling = r##"{"origin":["#origin##origin##origin#","x"]}"##;
        let grammar = grammar(doubling);
        let long = (0..200).filter(|seed| grammar.draw(&mut Dice::new(*seed)).is_none()).count();
        assert!((50..150).contains(&long), "{long}");
        // Each of these is set to twice what the one before is.
        let texts = (0..40).map(|n| format!("[a:#a##a#]{}", if n == 39 { "#a#" } else { "" }));
        let text =
            serde_json::json!({ "origin": [format!("[a:xx]{}", texts.collect::<String>()), "y"] });
        assert_eq!(super::tests::texts(&text.to_string()), "-|y");
        let text = r##"{"origin":["[a:xx]#b#","y"],"b":["#a.replace(x,xxxxxxxx).replace(x,xxxxxxxx).replace(x,xxxxxxxx).replace(x,xxxxxxxx).replace(x,xxxxxxxx).replace(x,xxxxxxxxxxxxxxxx).replace(x,xxxxxxxxxxxx)#"]}"##;
        assert_eq!(super::tests::texts(text), "-|y");
        // What is to be done grows with each step.
        let text = format!(
            r##"{{"origin":["#{}a#","y"],"a":["#origin#"],"b":["x"]}}"##,
            "[#origin#]".repeat(300)
        );
        assert_eq!(super::tests::texts(&text), "-|y");
    }

    #[test]
    fn the_texts_of_a_seed_never_change() {
        let text = r##"{"origin":["#a.capitalize# and [b:#a#,#a#]#b#.","#a#"],"a":["one","two","three"]}"##;
        let grammar = grammar(text);
        let texts: Vec<_> = (0..6).filter_map(|seed| grammar.draw(&mut Dice::new(seed))).collect();
        insta::assert_snapshot!(texts.join("\n"), @"
        two
        three
        three
        Three and two.
        Three and three.
        Three and one.
        ");
    }

    #[test]
    fn its_lines_are_a_schema() {
        let text =
            "{\n\"origin\": [\"#a.s#\\n\\\\#1\",\n\"#a# \\u00e9\" ],\n\n\"a\":\n \"é \\\"x\\\"\" }";
        let (corpus, _) = read_text(text);
        let corpus = corpus.unwrap();
        let lines: Vec<_> =
            corpus.lines().map(|(number, line)| format!("{number}: {line}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r##"
        2: ["origin","#a.s#\n\\#1"]
        3: ["origin","#a# é"]
        6: ["a","é \"x\""]
        "##);
        assert!(Grammar::of(&corpus).is_some());
        for other in [
            "the moon",
            "[\"origin\"]",
            "[\"a\",\"x\"]",
            "[\"origin\",\"#b#\"]",
            "[\"origin\",\"#\"]",
            "[\"origin\",\"x\"]\n[\"a\",\"x\"]\n[\"origin\",\"y\"]",
            "[\"origin\",\"x\",\"y\"]",
            "{\"origin\":\"x\"}",
        ] {
            let corpus = Corpus::parse(other.as_bytes()).unwrap();
            assert_eq!(Grammar::of(&corpus), None, "{other}");
        }
    }

    #[test]
    fn the_shortest_text_is_said() {
        let shortest = |text: &str| grammar(text).shortest();
        assert_eq!(
            shortest(r##"{"origin":["#a# #a#!","#a##b#"],"a":["one","éé"],"b":["long",""]}"##),
            "éé"
        );
        assert_eq!(
            shortest(r##"{"origin":["#origin#x","#a.s#"],"a":["#b##b#","bus"],"b":["ab","#a#"]}"##),
            "buses"
        );
        assert_eq!(
            shortest(r##"{"origin":["[c:long one]#a#"],"a":["#c#, longer"],"c":["x"]}"##),
            "long one, longer"
        );
        assert_eq!(shortest(r#"{"origin":["[c:long,two]#c#"]}"#), "two");
        // The rule that says least would go on for ever.
        assert_eq!(shortest(r#"{"origin":["[c:#origin#]x","longer"]}"#), "longer");
        // Far more than a text can have.
        let doubled: Vec<_> =
            (0..40).map(|n| format!("\"a{n}\":\"#a{0}##a{0}#\"", n + 1)).collect();
        let text = format!("{{\"origin\":\"#a0#\",{},\"a40\":\"yy\"}}", doubled.join(","));
        let with_another = text.replace("\"#a0#\"", "[\"#a0#\",\"x\"]");
        assert_eq!(shortest(&with_another), "x");
        insta::assert_snapshot!(refused(&text), @"no text came of 256 draws: they go on and on; give symbols that name themselves more rules that do not");
        let lines = ["[\"origin\",\"#a0#\"]".to_owned(), "[\"a40\",\"yy\"]".to_owned()];
        let doubled = (0..40).map(|n| format!("[\"a{n}\",\"#a{0}##a{0}#\"]", n + 1));
        let lines: Vec<_> = lines.into_iter().chain(doubled).collect();
        let corpus = Corpus::parse(lines.join("\n").as_bytes()).unwrap();
        assert!(Corpus::LINE_BYTES < Grammar::of(&corpus).unwrap().shortest().len());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        insta::assert_snapshot!(refused(""), @"there is no line to post in it");
        insta::assert_snapshot!(refused("{\"origin\": [\n\"x\",\n]}"), @"3: this is not JSON: expected value, at column 1; take out the comma before it");
        insta::assert_snapshot!(refused("{“origin”: \"x\"}"), @r#"1: this is not JSON: key must be a string, at column 2; the quotation marks are straight, "like these", and not as word processors make them"#);
        insta::assert_snapshot!(refused("{\"origin\": \"x\""), @"1: this is not JSON: EOF while parsing an object, at column 14");
        insta::assert_snapshot!(refused("{\"origin\": \"x\"} y"), @"1: this is not JSON: trailing characters, at column 17");
        insta::assert_snapshot!(refused("\n[\"x\"]"), @r#"2: a grammar is an object, {"origin": ["one rule", "another"]}, and this is a list"#);
        insta::assert_snapshot!(refused("12"), @r#"1: a grammar is an object, {"origin": ["one rule", "another"]}, and this is a number"#);
        let kinds = "{\"origin\":\n1,\n\"a\":[\n[\"x, ]\"], {\"y\": []},\nnull, true, \"\\ud800\", \"z\"\n],\"b\":\n[],\n\"a\": \"again\", \"\": {}}";
        insta::assert_snapshot!(refused(kinds), @r#"
        2: a rule of `origin` is a number; a rule is a text in double quotes
        4: a rule of `a` is a list; a rule is a text in double quotes
        4: a rule of `a` is an object; a rule is a text in double quotes
        5: a rule of `a` is null; a rule is a text in double quotes
        5: a rule of `a` is true or false; a rule is a text in double quotes
        5: half of a character is written here (`\ud800` to `\udfff`); take it out, or write the character itself
        7: `b` has no rules; give it one, or take it out
        8: `a` is in line 3 already; put its rules into one list
        8: a rule of `` is an object; a rule is a text in double quotes
        "#);
        insta::assert_snapshot!(refused("{\"Origin\": \"x\"}"), @"there is no symbol `origin`, with whose rules every text begins; did you mean `Origin`?");
        insta::assert_snapshot!(refused("{}"), @"there is no symbol `origin`, with whose rules every text begins");
    }

    #[test]
    fn rules_that_cannot_be_drawn_are_told_with_their_lines() {
        let names = r##"{"origin": "#anmial# #animal#",
            "animal": ["#[who:x]whom#", "[#whose#]", "[it:POP]", "[b:c, #d#]"],
            "b": "We're #1 and he's #2"}"##;
        insta::assert_snapshot!(refused(names), @r#"
        1: in a rule of `origin`: `#anmial#`, and there is no such symbol; did you mean `animal`?
        2: in a rule of `animal`: `#whom#`, and there is no such symbol; did you mean `who`?
        2: in a rule of `animal`: `#whose#`, and there is no such symbol
        2: in a rule of `animal`: `[it:POP]`, and nothing sets `it`
        2: in a rule of `animal`: `#d#`, and there is no such symbol
        3: in a rule of `b`: `#1 and he's #`, and there is no such symbol; the sign itself is written `\\#`
        "#);
        let rules = [
            "#a",
            "a#",
            "##",
            "#[b:c]#",
            "#.s#",
            "#a.#",
            "#a.shout.s#",
            "#a.replace(x)#",
            "#a.replace(,y)#",
            "#a.replace(x,y,z)#",
            "#a.replace(x,#b#)#",
            "#a.s()x#",
            "#a[b:c]d#",
            "[",
            "]",
            "[a:b",
            "[a:#b]",
            "#a]#",
            "[:b]",
            "[#a#:b]",
            "[a:b]]",
            ":]",
        ];
        let rules: Vec<_> = rules.iter().map(|rule| format!("\"{rule}\"")).collect();
        let rules = format!("{{\"origin\": [\n{}],\n\"a\": \"x\"}}", rules.join(",\n"));
        insta::assert_snapshot!(refused(&rules), @r#"
        2: in a rule of `origin`: the `#` before `a` has no other to close it; the sign itself is written `\\#`
        3: in a rule of `origin`: the last `#` has no other to close it; the sign itself is written `\\#`
        4: in a rule of `origin`: no symbol stands between two `#`; the sign itself is written `\\#`
        5: in a rule of `origin`: no symbol stands between two `#`, but an action; an action by itself is written without them: `[key:value]`
        6: in a rule of `origin`: no symbol stands between two `#`; the sign itself is written `\\#`
        7: in a rule of `origin`: a modifier is missing behind a point; they are a, capitalize, capitalizeAll, ed, firstS, replace(old,new) and s
        8: in a rule of `origin`: `shout` is no modifier; they are a, capitalize, capitalizeAll, ed, firstS, replace(old,new) and s
        9: in a rule of `origin`: `replace` has to be given two texts, as in replace(old,new); a comma in one is written `\\,`
        10: in a rule of `origin`: `replace` has to be given what is replaced, as in replace(old,new)
        11: in a rule of `origin`: `replace` has to be given two texts, as in replace(old,new); a comma in one is written `\\,`
        12: in a rule of `origin`: behind `replace(` comes no `)`; nothing is drawn within parentheses, and the sign itself is written `\\#`
        13: in a rule of `origin`: behind `#a` comes `x`, before the `#` that closes it
        14: in a rule of `origin`: behind `#a` comes `d`, before the `#` that closes it
        15: in a rule of `origin`: a `[` has no `]` to close it; the sign itself is written `\\[`
        16: in a rule of `origin`: a `]` has no `[` before it; the sign itself is written `\\]`
        17: in a rule of `origin`: a `[` has no `]` to close it; the sign itself is written `\\[`
        18: in a rule of `origin`: the `#` before `b` has no other to close it; the sign itself is written `\\#`
        19: in a rule of `origin`: the `#` before `a` has no other to close it; the sign itself is written `\\#`
        20: in a rule of `origin`: an action sets nothing: `[:value]`; name what it sets, as in `[key:value]`
        21: in a rule of `origin`: what is set by `[key:value]` has a plain name, without `#` and brackets
        22: in a rule of `origin`: a `]` has no `[` before it; the sign itself is written `\\]`
        23: in a rule of `origin`: a `]` has no `[` before it; the sign itself is written `\\]`
        "#);
        let ends = r##"{"origin": ["#a#", "#x#"],
            "a": "#b#", "b": ["#c# #x#",
            "#b# "], "c": "#a#", "x": "y", "d": "[e:#d#]", "f": ["#f#", "[f:z]"],
            "g": "[h:#h#]"}"##;
        insta::assert_snapshot!(refused(ends), @"
        `h` never comes to an end: each of its rules leads to it again (h > h); give it one that does not
        2: `a` never comes to an end: each of its rules leads to it again (a > b > c > a); give it one that does not
        3: `d` never comes to an end: each of its rules leads to it again (d > d); give it one that does not
        ");
        insta::assert_snapshot!(refused(r##"{"origin": "#a#", "b": "[a:x]"}"##), @"no text came of 256 draws: `a` is asked for before an action sets it");
        insta::assert_snapshot!(refused(r#"{"origin": ["", " "]}"#), @"no text came of 256 draws: they say nothing that is seen");
        // It may go on without end, and may not.
        insta::assert_snapshot!(refused(r##"{"origin": "#a#", "a": ["#a##a#", "#a##a#", "#a##a#", "#a##a##a##a#", "x"]}"##), @"");
        insta::assert_snapshot!(refused("{\"origin\": [\"a\n\"]}"), @r#"1: this is not JSON: control character (\u0000-\u001F) found while parsing a string, at column 14; a line end in a text is written `\n`, a tab `\t`"#);
        insta::assert_snapshot!(refused("{\"origin\": [\"a\\n\",\n\"\\u0000\", \" \u{85}\", \"\\uffff\"]}"), @"
        2: line 2 holds the control character U+0000; remove it
        2: line 2 holds the control character U+0085; that is UTF-8 that was taken for Windows-1252: take the text once more from where it came, as UTF-8
        2: line 2 holds U+FFFF, which is not a character; remove it
        ");
        let long = format!(
            "{{\"origin\": [\"x\",\n\"{}\", \"{}\"]}}",
            "\\n".repeat(1_842),
            "é".repeat(1_844)
        );
        insta::assert_snapshot!(refused(&long), @"2: a rule of `origin` is 3701 bytes long, with the name and as JSON; it cannot be longer than 3700");
    }

    #[test]
    fn however_much_is_wrong_it_is_read_in_bounded_time() {
        let deep = 1_000_000;
        insta::assert_snapshot!(refused(&"[".repeat(deep)), @"1: this is not JSON: EOF while parsing a list, at column 1000000");
        let lists = format!("{{\"origin\": [{}{}]}}", "[".repeat(deep), "]".repeat(deep));
        insta::assert_snapshot!(refused(&lists), @"1: a rule of `origin` is a list; a rule is a text in double quotes");
        let objects = format!("{}1{}", "{\"origin\":".repeat(deep), "}".repeat(deep));
        insta::assert_snapshot!(refused(&objects), @"1: a rule of `origin` is an object; a rule is a text in double quotes");
        let brackets = format!("{{\"origin\": \"{}{}\"}}", "[a:".repeat(deep), "]".repeat(deep));
        insta::assert_snapshot!(refused(&brackets), @"1: a rule of `origin` is 4000013 bytes long, with the name and as JSON; it cannot be longer than 3700");
        let brackets = format!("{{\"origin\": \"{}{}x\"}}", "[a:".repeat(33), "]".repeat(33));
        insta::assert_snapshot!(refused(&brackets), @"1: in a rule of `origin`: more than 32 brackets are within each other");
        let brackets = format!("{{\"origin\": \"{}{}x\"}}", "[a:".repeat(32), "]".repeat(32));
        insta::assert_snapshot!(refused(&brackets), @"");
        let name = "a".repeat(3_000);
        let many = format!("{{\"{name}\": [{}\"\"]}}", "\"\",".repeat(20_000));
        insta::assert_snapshot!(refused(&many), @"it is 60143007 bytes large as it is stored, where each rule has the name of its symbol; it cannot be larger than 16777216");
        let many = format!("{{\"origin\": [{}\"#\"]}}", "\"#\",".repeat(20_000));
        let problems = read_text(&many).1;
        assert_eq!(problems.len(), Corpus::PROBLEMS + 1);
        insta::assert_snapshot!(problems.last().unwrap(), @"more is wrong with it than the 100 problems told; mend these first");
    }

    /// Rules of all kinds, and nearly rules.
    fn any_rule() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "#a#",
            "#b.s#",
            "#b.capitalize.a#",
            "#[c:#a#]b#",
            "#c#",
            "[c:x]",
            "[c:#b#,#a#]",
            "[a:POP]",
            "[#a#]",
            "\\#",
            "\\[",
            "é ",
            "x",
            " ",
            ",",
            ":",
            ".",
            "#",
            "[",
            "]",
            "\\",
            "(",
            ")",
            "#a.replace(x,yy)#",
            "#b.ed.firstS.capitalizeAll#",
            "\n",
            "😀",
        ]);
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_drawn(
            rules in prop::collection::vec(prop::collection::vec(any_rule(), 1..4), 3..4),
            seed in any::<u64>(),
        ) {
            let names = ["origin", "a", "b"];
            let object: serde_json::Map<String, serde_json::Value> =
                names.iter().zip(rules).map(|(name, rules)| ((*name).to_owned(), rules.into())).collect();
            let text = serde_json::Value::Object(object).to_string();
            let (corpus, problems) = read_text(&text);
            prop_assert_eq!(corpus.is_none(), !problems.is_empty());
            let Some(corpus) = corpus else { return Ok(()) };
            let grammar = Grammar::of(&corpus).unwrap();
            let again = Corpus::of_pieces(corpus.pieces()).unwrap();
            prop_assert_eq!(&Grammar::of(&again).unwrap(), &grammar);
            let shortest = grammar.shortest();
            prop_assert!(shortest.len() <= Corpus::LINE_BYTES);
            let mut some = false;
            for seed in (0..TRIALS).chain([seed]) {
                let text = grammar.draw(&mut Dice::new(seed));
                prop_assert_eq!(&text, &grammar.draw(&mut Dice::new(seed)));
                let Some(text) = text else { continue };
                some = true;
                prop_assert!(!says_nothing(&text) && text.len() <= Corpus::LINE_BYTES && text.trim() == text);
            }
            prop_assert!(some);
        }

        #[test]
        fn nothing_shorter_is_said_than_the_shortest(
            rules in prop::collection::vec(prop::collection::vec("(x|é|yy|#a#|#b#|#c#){1,4}", 1..4), 4..5),
        ) {
            let names = ["origin", "a", "b", "c"];
            let object: BTreeMap<_, _> = names.iter().zip(&rules).collect();
            let (corpus, _) = read_text(&serde_json::to_string(&object).unwrap());
            let Some(corpus) = corpus else { return Ok(()) };
            let grammar = Grammar::of(&corpus).unwrap();
            let shortest = grammar.shortest();
            let texts: Vec<_> = (0..40).filter_map(|seed| grammar.draw(&mut Dice::new(seed))).collect();
            prop_assert!(texts.iter().all(|text| shortest.chars().count() <= text.chars().count()));
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[\\[\\]{}\",:#a\\\\ \n]{0,40}") {
            for bytes in [&bytes[..], text.as_bytes()] {
                let lines = bytes.split(|byte| *byte == b'\n').count();
                let (corpus, problems) = read(&Source::plain("a.json", bytes, &TimeZone::UTC));
                prop_assert_eq!(corpus.is_none(), !problems.is_empty());
                prop_assert!(problems.iter().all(|problem| problem.line().is_none_or(|line| (1..=lines).contains(&line))));
                if let Ok(corpus) = Corpus::parse(bytes) {
                    Grammar::of(&corpus).map(|grammar| grammar.draw(&mut Dice::new(0)));
                }
            }
        }
    }
}
