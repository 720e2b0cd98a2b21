//! New texts of the words of another: a Markov chain over words, which repeats no more than a few of them in a row.
//!
//! It is trained in one go, and texts are drawn from it; where they are kept until they are posted is not known here.

mod chain;
mod runs;
mod sentences;
mod words;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Drawn, Post, Source, poem};
use crate::{Corpus, CorpusProblem, Dice, FEW, count, one_line, says_nothing};

use runs::BREAK;
use sentences::{is_link, is_mention};

pub use chain::Chain;

/// Texts of the words of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Markov {
    /// What they are drawn from, and for whom.
    #[serde(flatten)]
    pub drawn: Drawn,
    /// How.
    pub rules: ChainRules,
}

impl Markov {
    pub(super) fn of(text: &Corpus) -> Self {
        Self { drawn: Drawn::of(text), rules: ChainRules::default() }
    }

    /// By what it is told apart from all that draw from the same text.
    pub(super) fn how(&self) -> String {
        let ChainRules { order, most, start_words, must_words } = &self.rules;
        format!("markov {order} {most} {start_words:?} {must_words:?}")
    }

    pub(super) fn describe(&self) -> String {
        format!("Markov chain of order {}", self.rules.order)
    }
}

/// How texts are drawn from a chain. What is absent where one is stored is as by default.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ChainRules {
    /// By how many of the last words the next is drawn: 1 to 5, and 2 by default.
    pub order: u8,
    /// How many words in a row of one sentence of the source there may be: more than `order`, up to 20, and 6 by default.
    pub most: u8,
    /// Words of which a text begins with one; none where any will do. Case and punctuation do not matter, nor in `must_words`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub start_words: Vec<String>,
    /// Words of which there is one in a text; none where any will do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub must_words: Vec<String>,
}

impl Default for ChainRules {
    fn default() -> Self {
        Self { order: 2, most: 6, start_words: Vec::new(), must_words: Vec::new() }
    }
}

/// Reads the file of a chain: its lines, as those of a poem are read. One too long is told as a sentence that nobody could learn
/// from, and not as a post.
pub(super) fn read(source: &Source<'_>) -> (Option<Corpus>, Vec<CorpusProblem>) {
    let (text, problems) = poem::read(&Source { post: Post::Line, ..*source });
    let problems = problems.into_iter().map(|problem| match problem {
        CorpusProblem::LongLine { line, bytes, limit } => CorpusProblem::Form {
            line: Some(line),
            why: format!(
                "the line is {bytes} bytes long, and one cannot be longer than {limit}; write each of its sentences on a line of its own"
            ),
        },
        problem => problem,
    });
    (text, problems.collect())
}

/// Signs that hardly anybody would write in a sentence: the line of each of the first, and what is said of it. `file` is the name of
/// the file.
pub(super) fn doubts(text: &Corpus, file: &str) -> Vec<(usize, String)> {
    const SIGNS: [&str; 5] = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
    let signs = text.lines().filter_map(|(number, line)| {
        let sign = SIGNS.into_iter().find(|sign| line.contains(sign))?;
        Some((
            number,
            format!("`{sign}` is posted as it stands; write the sign that it stands for"),
        ))
    });
    let mut doubts: Vec<_> = signs.take(FEW).collect();
    let end = file.rsplit('.').next().unwrap_or_default().to_lowercase();
    let first = text.lines().next().map_or(1, |(number, _)| number);
    if ["js", "json", "csv", "tsv", "html", "xml"].contains(&end.as_str()) {
        let why = format!(
            "a file that ends with .{end} is read as plain text, and its columns and signs are posted; make a text of it with a post \
             on each line"
        );
        doubts.push((first, why));
    }
    // As mail and old texts are: what goes on in the next line begins there with a small letter.
    let (lines, small) = text.lines().fold((0_usize, 0_usize), |(lines, small), (_, line)| {
        (lines + 1, small + usize::from(line.starts_with(|c: char| c.is_lowercase())))
    });
    if 20 <= lines && lines < 2 * small {
        let why = "most lines begin with a small letter, as where sentences go on from line to line; write each paragraph in one \
                   line, or what is made of it ends in the middle"
            .to_owned();
        doubts.push((first, why));
    }
    doubts
}

impl ChainRules {
    /// After a run of more words than five hardly ever more than one can follow.
    const ORDER: RangeInclusive<u8> = 1..=5;

    /// Sentences are hardly longer.
    const MOST: RangeInclusive<u8> = 2..=20;

    /// How many words a list has at most, and how long each is: nobody writes more by hand.
    const NAMES: usize = 100;
    const NAME_BYTES: usize = 100;

    /// `order` and `most`, where a chain can be trained by them.
    fn in_range(&self) -> Option<(usize, usize)> {
        let is_fine = Self::ORDER.contains(&self.order)
            && Self::MOST.contains(&self.most)
            && self.order < self.most;
        is_fine.then_some((self.order.into(), self.most.into()))
    }

    /// What of the rules is wrong in itself or does not go with the text, and what is wrong with a text of which nothing new can be
    /// made. Trains a chain to know, and draws from it.
    pub fn check(&self, text: &Corpus) -> Vec<CorpusProblem> {
        let (sound, mut told) = self.sound();
        let is_in_range = self.in_range().is_some();
        let before = told.len();
        match Chain::trained(text, &sound) {
            None => told.push("it has more words than a chain counts; give it less".to_owned()),
            Some(chain) if chain.learned.sentences() == 0 => told.push(nothing_learned(&chain)),
            Some(chain) => {
                told.extend(unfit(&chain, &sound));
                let is_poor = chain.is_of_one_word() || !says_something(&chain);
                if is_in_range && told.len() == before && is_poor {
                    told.push(sound.nothing_new(text, &chain));
                }
            }
        }
        let more = (Corpus::PROBLEMS < told.len())
            .then_some(CorpusProblem::More { told: Corpus::PROBLEMS });
        let told = told.into_iter().take(Corpus::PROBLEMS);
        told.map(|why| CorpusProblem::Form { line: None, why }).chain(more).collect()
    }

    /// These rules without what is wrong with them in themselves, and that.
    fn sound(&self) -> (Self, Vec<String>) {
        let (mut sound, mut told) = (self.clone(), Vec::new());
        let Self { order, most, .. } = *self;
        let between = |range: RangeInclusive<u8>| format!("{} to {}", range.start(), range.end());
        if !Self::ORDER.contains(&order) {
            let known = between(Self::ORDER);
            told.push(format!("`order` is {order}; the next word is drawn by the last {known}"));
        }
        if !Self::MOST.contains(&most) {
            let known = between(Self::MOST);
            told.push(format!("`most` is {most}; so many words in a row can be {known}"));
        }
        if told.is_empty() && most <= order {
            told.push(format!(
                "`most` is {most} and `order` {order}, but what is drawn by {} is a run of one more; make `most` larger",
                count(order, "word")
            ));
        }
        if !told.is_empty() {
            (sound.order, sound.most) = (Self::default().order, Self::default().most);
        }
        for (field, names) in
            [("start_words", &mut sound.start_words), ("must_words", &mut sound.must_words)]
        {
            if Self::NAMES < names.len() {
                told.push(format!(
                    "`{field}` has {} words, and {} are the most; leave some out",
                    names.len(),
                    Self::NAMES
                ));
                names.truncate(Self::NAMES);
            }
            names.retain(|name| {
                let why = no_word(name);
                told.extend(why.iter().map(|why| format!("`{field}` has {why}")));
                why.is_none()
            });
        }
        (sound, told)
    }

    /// Why nothing could be drawn from a chain by these rules.
    fn nothing_new(&self, text: &Corpus, chain: &Chain) -> String {
        if chain.learned.sentences() == 1 {
            return "there is one sentence in it, of which nothing new can be made; give it more"
                .to_owned();
        }
        if chain.is_of_one_word() {
            return "there is one word in it, again and again, of which nothing new can be made; give it sentences"
                .to_owned();
        }
        if chain.is_of_single_words() {
            return "each of its sentences is one word, as spaces divide them, and nothing new can be made of these; give it \
                    sentences of several"
                .to_owned();
        }
        let freely = Self { start_words: Vec::new(), must_words: Vec::new(), ..self.clone() };
        if freely != *self && Chain::of(text, &freely).is_some_and(|chain| says_something(&chain)) {
            let begins =
                (!self.start_words.is_empty()).then_some("begins with a word of `start_words`");
            let has = (!self.must_words.is_empty()).then_some("has one of `must_words` in it");
            let wanted: Vec<_> = begins.into_iter().chain(has).collect();
            return format!(
                "no text that {} was found in it; give it more sentences with them, or name other words",
                wanted.join(" and ")
            );
        }
        format!(
            "no text was found in it of which no more than {} are in a row in one sentence; make `order` smaller or `most` \
             larger, or give it more sentences that share words",
            count(self.most, "word")
        )
    }
}

/// Why what was named for a word is none that a text can have: a part of a sentence.
fn no_word(name: &str) -> Option<String> {
    let shown = one_line(name.trim());
    if says_nothing(name) {
        Some("a word that is empty; leave it out".to_owned())
    } else if ChainRules::NAME_BYTES < name.len() {
        Some(format!("a word of {} bytes, and no word is that long; name another", name.len()))
    } else if name.split_whitespace().nth(1).is_some() {
        Some(format!("`{shown}`, which is more than one word; name one of them"))
    } else if is_mention(name) {
        Some(format!("`{shown}`, but what may mention somebody is left out; name another word"))
    } else if is_link(name) {
        Some(format!("`{shown}`, but links are left out; name another word"))
    } else {
        None
    }
}

/// The words of the rules by which nothing can be drawn.
fn unfit(chain: &Chain, rules: &ChainRules) -> Vec<String> {
    let mut told = Vec::new();
    let mut unknown = 0;
    for (field, names) in [("start_words", &rules.start_words), ("must_words", &rules.must_words)] {
        let run = |word: u32| if field == "start_words" { vec![BREAK, word] } else { vec![word] };
        for (name, words) in names.iter().zip(chain.words.like(names)) {
            if words.iter().any(|word| chain.learned.has(&run(*word))) {
                continue;
            }
            let name = one_line(name.trim());
            let why = if words.is_empty() {
                unknown += 1;
                // Each is compared with every word of the text.
                let near = (unknown <= FEW).then(|| chain.words.nearest(&name)).flatten();
                let todo = near.map_or_else(
                    || "name a word that is".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                format!("`{name}`, which is nowhere in the text; {todo}")
            } else if words.iter().any(|word| chain.set_aside.has(&run(*word))) {
                let place = if field == "start_words" { "begins only" } else { "is only in" };
                format!(
                    "`{name}`, which {place} sentences that are left out, because {HALF}; complete these"
                )
            } else {
                format!(
                    "`{name}`, with which no sentence of the text begins; name a word with which one does"
                )
            };
            told.push(format!("`{field}` has {why}"));
        }
    }
    told
}

/// Why a sentence is not learned: a part of one.
const HALF: &str = "a quotation mark or a bracket in them has no other half";

/// Why there is no sentence to learn.
fn nothing_learned(chain: &Chain) -> String {
    if chain.set_aside.sentences() == 0 {
        "there is nothing in it but links and mentions, which are left out; give it sentences"
            .to_owned()
    } else {
        format!("all its sentences are left out, because {HALF}; complete these")
    }
}

/// Whether texts can be drawn from a chain. It is asked with seeds of its own: what was drawn by one may be rare.
fn says_something(chain: &Chain) -> bool {
    (0..3).any(|seed| chain.draw(&mut Dice::new(seed)).is_some())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::{sentences::is_left_out, *};

    /// Real texts, of many subjects and with all sorts of signs in them.
    const DOCUMENTS: &str = concat!(
        include_str!("../../../../../README.md"),
        include_str!("../../../../../ARCHITECTURE.md"),
        include_str!("../../../../../CONTRIBUTING.md"),
    );

    const MOON: &str = "The moon rose over the sea.\nThe sun set over the old town.\nA cat sat on the moon, alone.\n\
                        The cat saw the sun and the sea.\nHer moon was the old lamp of the town.\n";

    fn names(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn rules(order: u8, most: u8, start: &str, wanted: &str) -> ChainRules {
        ChainRules { order, most, start_words: names(start), must_words: names(wanted) }
    }

    fn parsed(text: &str) -> Corpus {
        Corpus::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn its_form_is_a_schema() {
        let stored = serde_json::to_value(rules(3, 7, "the", "moon sun")).unwrap();
        insta::assert_snapshot!(stored, @r#"{"most":7,"must_words":["moon","sun"],"order":3,"start_words":["the"]}"#);
        assert_eq!(
            serde_json::from_value::<ChainRules>(stored).unwrap(),
            rules(3, 7, "the", "moon sun")
        );
        assert_eq!(serde_json::from_str::<ChainRules>("{}").unwrap(), ChainRules::default());
        let stored = serde_json::to_value(ChainRules::default()).unwrap();
        insta::assert_snapshot!(stored, @r#"{"most":6,"order":2}"#);
    }

    #[test]
    fn a_file_is_read_line_by_line() {
        let shown = |text: &str| {
            let skip = names("#");
            let zone = TimeZone::UTC;
            let plain = Source::plain("a.txt", text.as_bytes(), &zone);
            let (corpus, problems) = read(&Source { post: Post::File, skip: &skip, ..plain });
            let problems =
                problems.iter().map(|problem| format!("{:?}: {problem}", problem.line()));
            let lines = corpus.iter().flat_map(Corpus::lines);
            let lines =
                lines.filter(|_| problems.len() == 0).map(|(line, text)| format!("{line} {text}"));
            lines.chain(problems.clone()).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(shown("\u{feff}The moon.\r\n\n# by me\n It rose. It set."), @"
        1 The moon.
        4 It rose. It set.
        ");
        insta::assert_snapshot!(shown(""), @"None: there is no line to post in it");
        insta::assert_snapshot!(shown("# moon"), @"None: `skip` leaves no line to post in it");
        insta::assert_snapshot!(shown("a\nb\u{7}"), @"Some(2): line 2 holds the control character U+0007; remove it");
        let long = "moon ".repeat(1_000_000);
        insta::assert_snapshot!(shown(&long), @"Some(1): the line is 4999999 bytes long, and one cannot be longer than 3700; write each of its sentences on a line of its own");
    }

    /// What is said of the rules and the text.
    fn told(rules: &ChainRules, text: &str) -> String {
        let text = parsed(text);
        let told = rules.check(&text);
        // What is refused says nothing, and what is not, something.
        let chain = Chain::of(&text, rules);
        let said = chain.and_then(|chain| (0..3).find_map(|seed| chain.draw(&mut Dice::new(seed))));
        assert!(told.is_empty() <= said.is_some(), "{told:?}");
        assert!(told.iter().all(|problem| problem.line().is_none()));
        told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rules_that_do_not_fit_are_refused() {
        assert_eq!(told(&ChainRules::default(), MOON), "");
        assert_eq!(told(&rules(1, 3, "The a", "moon TOWN"), MOON), "");
        insta::assert_snapshot!(told(&rules(0, 1, "", ""), MOON), @"
        `order` is 0; the next word is drawn by the last 1 to 5
        `most` is 1; so many words in a row can be 2 to 20
        ");
        insta::assert_snapshot!(told(&rules(6, 21, "cat", "dog"), MOON), @"
        `order` is 6; the next word is drawn by the last 1 to 5
        `most` is 21; so many words in a row can be 2 to 20
        `start_words` has `cat`, with which no sentence of the text begins; name a word with which one does
        `must_words` has `dog`, which is nowhere in the text; name a word that is
        ");
        insta::assert_snapshot!(told(&rules(3, 3, "", ""), MOON), @"`most` is 3 and `order` 3, but what is drawn by 3 words is a run of one more; make `most` larger");
        insta::assert_snapshot!(told(&rules(2, 6, "teh", "mooon the"), MOON), @"
        `start_words` has `teh`, which is nowhere in the text; did you mean `the`?
        `must_words` has `mooon`, which is nowhere in the text; did you mean `moon`?
        ");
        let odd = ChainRules {
            start_words: vec!["the moon".to_owned(), " ".to_owned(), "@cat".to_owned()],
            must_words: vec!["https://cat.example".to_owned(), "x".repeat(101)],
            ..ChainRules::default()
        };
        insta::assert_snapshot!(told(&odd, MOON), @"
        `start_words` has `the moon`, which is more than one word; name one of them
        `start_words` has a word that is empty; leave it out
        `start_words` has `@cat`, but what may mention somebody is left out; name another word
        `must_words` has `https://cat.example`, but links are left out; name another word
        `must_words` has a word of 101 bytes, and no word is that long; name another
        ");
        let many =
            ChainRules { must_words: vec!["moon".to_owned(); 1_000], ..ChainRules::default() };
        let strange =
            ChainRules { must_words: vec!["@moon".to_owned(); 1_000], ..ChainRules::default() };
        assert_eq!(told(&strange, MOON).lines().count(), Corpus::PROBLEMS + 1);
        insta::assert_snapshot!(told(&many, MOON), @"`must_words` has 1000 words, and 100 are the most; leave some out");
        let text = format!("{MOON}(Dogs bark at the moon");
        insta::assert_snapshot!(told(&rules(2, 6, "dogs", "bark"), &text), @"
        `start_words` has `dogs`, which begins only sentences that are left out, because a quotation mark or a bracket in them has no other half; complete these
        `must_words` has `bark`, which is only in sentences that are left out, because a quotation mark or a bracket in them has no other half; complete these
        ");
        let text = format!("{MOON}Frogs!");
        insta::assert_snapshot!(told(&rules(2, 6, "frogs", ""), &text), @"no text that begins with a word of `start_words` was found in it; give it more sentences with them, or name other words");
        insta::assert_snapshot!(told(&rules(2, 6, "the", "frogs"), &text), @"no text that begins with a word of `start_words` and has one of `must_words` in it was found in it; give it more sentences with them, or name other words");
    }

    #[test]
    fn texts_of_which_nothing_new_can_be_made_are_refused() {
        let told = |text: &str| told(&ChainRules::default(), text);
        insta::assert_snapshot!(told("Baa"), @"there is one sentence in it, of which nothing new can be made; give it more");
        insta::assert_snapshot!(told("The moon rose over a sea"), @"there is one sentence in it, of which nothing new can be made; give it more");
        insta::assert_snapshot!(told("https://moon.example/a\n@moon rose.com"), @"there is nothing in it but links and mentions, which are left out; give it sentences");
        insta::assert_snapshot!(told("(moon\nrose)"), @"all its sentences are left out, because a quotation mark or a bracket in them has no other half; complete these");
        insta::assert_snapshot!(told("moon moon\nmoon moon moon moon moon"), @"there is one word in it, again and again, of which nothing new can be made; give it sentences");
        insta::assert_snapshot!(told("moon\nrose\nsun"), @"each of its sentences is one word, as spaces divide them, and nothing new can be made of these; give it sentences of several");
        insta::assert_snapshot!(told("月が昇った\n日が沈んだ"), @"each of its sentences is one word, as spaces divide them, and nothing new can be made of these; give it sentences of several");
        insta::assert_snapshot!(told("the moon rose\na sun set"), @"no text was found in it of which no more than 6 words are in a row in one sentence; make `order` smaller or `most` larger, or give it more sentences that share words");
        // One sentence is enough where words come again in it.
        assert_eq!(told("The cat saw the dog and the bird and the moon and the cat."), "");
    }

    #[test]
    fn large_texts_of_little_are_done_with_in_time() {
        let none = |text: &str| {
            let chain = Chain::of(&parsed(text), &rules(5, 20, "", "")).unwrap();
            assert_eq!(chain.draw(&mut Dice::new(0)), None);
        };
        none(&"moon\n".repeat(1_000_000));
        let numbers: Vec<_> = (0..300_000).map(|number| number.to_string()).collect();
        none(&numbers.join("\n"));
        let line = "moon ".repeat(700) + "\n";
        let chain = Chain::of(&parsed(&line.repeat(1_400)), &rules(5, 20, "", "moon")).unwrap();
        let said = chain.draw(&mut Dice::new(0));
        assert!(said.is_none_or(|text| text.len() <= 100));
    }

    /// The runs of so many words of the lines, and of what is learned from them.
    fn runs(text: &Corpus, length: usize) -> HashSet<Vec<&str>> {
        let lines = text.lines().flat_map(|(_, line)| {
            let all: Vec<_> = line.split_whitespace().collect();
            let learned = all.iter().copied().filter(|word| !is_left_out(word)).collect();
            [all, learned]
        });
        let lines: Vec<Vec<&str>> = lines.collect();
        lines.iter().flat_map(|line| line.windows(length)).map(<[_]>::to_vec).collect()
    }

    fn has_run(text: &str, runs: &HashSet<Vec<&str>>, length: usize) -> bool {
        let words: Vec<_> = text.split_whitespace().collect();
        words.windows(length).any(|run| runs.contains(run))
    }

    #[test]
    fn ten_thousand_texts_have_no_run_that_is_too_long() {
        let text = parsed(DOCUMENTS);
        let runs = runs(&text, 7);
        let chain = Chain::of(&text, &ChainRules::default()).unwrap();
        let mut said = HashSet::new();
        for seed in 0..10_000 {
            let text = chain.draw(&mut Dice::new(seed)).unwrap();
            assert!(!has_run(&text, &runs, 7), "{text}");
            said.insert(text);
        }
        assert!(7_000 < said.len(), "{}", said.len());
        // A text of a longer order goes on as the source does, up to the limit.
        let chain = Chain::of(&text, &rules(5, 6, "", "")).unwrap();
        let texts: Vec<_> = (0..100).filter_map(|seed| chain.draw(&mut Dice::new(seed))).collect();
        let runs = self::runs(&text, 6);
        assert!(texts.iter().any(|text| has_run(text, &runs, 6)));
    }

    #[test]
    fn a_rare_word_that_must_be_there_is() {
        let text =
            format!("{DOCUMENTS}\nThe sheep of the meadow say nothing to a zebra of the night.\n");
        let chain = |rules: &ChainRules| Chain::of(&parsed(&text), rules).unwrap();
        let rare = chain(&rules(2, 6, "", "zebra"));
        let both = chain(&rules(2, 6, "the a it", "zebra meadow"));
        for seed in 0..100 {
            let said = rare.draw(&mut Dice::new(seed)).unwrap();
            assert!(said.contains("zebra"), "{said}");
            let said = both.draw(&mut Dice::new(seed)).unwrap().to_lowercase();
            let first = said.split(' ').next().unwrap();
            assert!(["the", "a", "it"].contains(&words::folded(first).as_str()), "{said}");
            assert!(said.contains("zebra") || said.contains("meadow"), "{said}");
        }
    }

    /// All that is said with a hundred seeds.
    fn all(rules: &ChainRules, text: &str) -> HashSet<String> {
        let chain = Chain::of(&parsed(text), rules).unwrap();
        (0..100).filter_map(|seed| chain.draw(&mut Dice::new(seed))).collect()
    }

    #[test]
    fn sentences_that_are_not_learned_are_not_repeated_either() {
        let text = "the moon rose up\na moon rose late";
        assert!(all(&rules(2, 3, "", ""), text).contains("the moon rose late"));
        let aside = format!("{text}\n(so the moon rose late");
        let said = all(&rules(2, 3, "", ""), &aside);
        assert!(
            !said.contains("the moon rose late") && said.contains("a moon rose up"),
            "{said:?}"
        );
    }

    #[test]
    fn a_beginning_that_is_put_before_a_word_makes_no_run_too_long() {
        let text = "now the moon rose late\nthe moon set\nthe sun rose late\nthe sun and stars\nstars and moon rose";
        let rules = rules(1, 3, "the", "late");
        let said = all(&rules, text);
        assert!(!said.contains("the moon rose late") && !said.is_empty(), "{said:?}");
    }

    #[test]
    fn a_sentence_is_known_however_many_begin_like_it() {
        let many: Vec<_> = (0..50).map(|number| format!("the moon rose at {number}")).collect();
        let text = format!("{0}\nthe moon rose\n{0}\nthe sun", many.join("\n"));
        let said = all(&rules(1, 3, "", ""), &text);
        assert!(!said.contains("the moon rose") && !said.contains("the sun"), "{said:?}");
    }

    /// Whoever asks why a sheep said something has it said again.
    #[test]
    fn the_texts_of_a_seed_never_change() {
        let said = |rules: &ChainRules| {
            let chain = Chain::of(&parsed(MOON), rules).unwrap();
            let said = (0..4).filter_map(|seed| chain.draw(&mut Dice::new(seed)));
            said.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(said(&ChainRules::default()), @"
        Her moon was the old town.
        The moon rose over the old lamp of the town.
        The sun set over the sea.
        The sun set over the old lamp of the town.
        ");
        insta::assert_snapshot!(said(&rules(1, 3, "", "")), @"
        The moon was the sea.
        The sun and the moon, alone.
        The moon was the moon, alone.
        The moon was the sea.
        ");
        insta::assert_snapshot!(said(&rules(2, 4, "", "town")), @"
        Her moon rose over the old town.
        The moon was the old town.
        The moon was the old town.
        Her moon rose over the old town.
        ");
        insta::assert_snapshot!(said(&rules(2, 5, "a", "sun")), @"
        A cat sat on the sun and the sea.
        A cat sat on the sun and the sea.
        A cat sat on the sun and the sea.
        A cat sat on the sun and the sea.
        ");
    }

    /// Texts of few words that come again and again, with all that matters to a chain among them.
    fn any_text() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            6 => "[ab]{1,2}",
            2 => "[A-B][ab]?[.!,]?",
            1 => "[\"(']?[ab][)\"'.?]?",
            1 => Just("@ab".to_owned()),
            1 => Just("https://a.example".to_owned()),
            1 => Just(":-)".to_owned()),
        ];
        let line = prop::collection::vec(word, 1..14).prop_map(|words| words.join(" "));
        prop::collection::vec(line, 1..14).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_text_keeps_the_rules(
            text in any_text(),
            (order, most) in (1_u8..=5).prop_flat_map(|order| (Just(order), order + 1..=8)),
            start in prop_oneof![3 => Just(""), 1 => Just("a"), 1 => Just("b aa")],
            must in prop_oneof![3 => Just(""), 1 => Just("ab"), 1 => Just("ba aa")],
            seed: u64,
        ) {
            let (text, rules) = (parsed(&text), rules(order, most, start, must));
            let Some(chain) = Chain::of(&text, &rules) else { return Ok(()) };
            let said = chain.draw(&mut Dice::new(seed));
            prop_assert_eq!(&said, &Chain::of(&text, &rules).unwrap().draw(&mut Dice::new(seed)));
            let Some(said) = said else { return Ok(()) };
            let length = usize::from(most) + 1;
            prop_assert!(!has_run(&said, &runs(&text, length), length), "{}", said);
            prop_assert!(text.lines().all(|(_, line)| line != said), "{}", said);
            let words: Vec<_> = said.split(' ').map(words::folded).collect();
            prop_assert!(rules.start_words.is_empty() || rules.start_words.contains(&words[0]), "{}", said);
            let has_must = words.iter().any(|word| rules.must_words.contains(word));
            prop_assert!(rules.must_words.is_empty() || has_must, "{}", said);
            prop_assert!(!said.contains(['@', '/']) && sentences::is_balanced(said.split(' ')), "{}", said);
            prop_assert!(Corpus::parse(said.as_bytes()).is_ok());
        }

        #[test]
        fn whatever_is_in_a_text_and_in_rules_is_read_or_refused(
            text in "(\\PC{0,9}[ \n]){0,20}",
            order: u8,
            most in 0_u8..24,
            name in "\\PC{0,9}",
        ) {
            let zone = TimeZone::UTC;
            let plain = Source::plain("a.txt", text.as_bytes(), &zone);
            let (Some(text), problems) = read(&plain) else { return Ok(()) };
            let rules = ChainRules { order: order % 7, most, start_words: Vec::new(), must_words: vec![name] };
            let told = rules.check(&text);
            let chain = Chain::of(&text, &rules).filter(|_| problems.is_empty());
            let said = chain.and_then(|chain| chain.draw(&mut Dice::new(0)));
            prop_assert!(said.is_none_or(|said| !says_nothing(&said)));
            prop_assert!(told.iter().all(|problem| !problem.to_string().is_empty()));
        }
    }
}
