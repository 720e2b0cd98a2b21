//! The lines of a text in order, and again from the first: lines of a poem, one by one or as threads, its stanzas, or the
//! whole.

use std::{borrow::Cow, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Cursor, Material, Needs, Place, Said, Source, Turn};
use crate::{
    Act, Action, Corpus, CorpusId, CorpusProblem, InvalidRhythm, Item, Mark, NewPost, RhythmFields,
    corpus, count,
    foreign::{is_invisible, lines_of, says_nothing},
};

/// A text that is said line by line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Poem {
    /// The text.
    pub corpus: CorpusId,
    /// How many lines it has; at least 1.
    pub lines: u32,
    /// What of its file a line is, for people.
    #[serde(default, skip_serializing_if = "Post::is_line")]
    pub post: Post,
    /// Whether some lines answer the one before, as parts of one thread.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub threads: bool,
}

/// What of a poem's file is one post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Post {
    /// Every line that is not blank.
    #[default]
    Line,
    /// What stands between blank lines.
    Stanza,
    /// Every line that is not blank; those between blank lines are one thread.
    Thread,
    /// All of it.
    File,
}

/// A poem is not divided so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no part of a poem: use line, stanza, thread or file")]
pub struct UnknownPost(String);

impl Post {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    fn is_line(&self) -> bool {
        *self == Self::Line
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Line | Self::Thread => "line",
            Self::Stanza => "stanza",
            Self::File => "post",
        }
    }
}

impl FromStr for Post {
    type Err = UnknownPost;

    fn from_str(name: &str) -> Result<Self, UnknownPost> {
        match name.to_ascii_lowercase().as_str() {
            "line" => Ok(Self::Line),
            "stanza" => Ok(Self::Stanza),
            "thread" => Ok(Self::Thread),
            "file" => Ok(Self::File),
            _ => Err(UnknownPost(name.to_owned())),
        }
    }
}

/// What of a rhythm does not go with threads.
pub(super) fn check(rhythm: &RhythmFields, threads: bool) -> Option<InvalidRhythm> {
    let catch_up = rhythm.catch_up.as_deref().filter(|how| threads && how.trim() == "latest");
    catch_up.map(|_| InvalidRhythm {
        field: "catch_up",
        why: "with `latest` a sheep might go on in the middle of a thread; use skip or all(3), which leave out no part"
            .to_owned(),
    })
}

/// Reads the file of a poem.
pub(super) fn read(source: &Source<'_>) -> (Option<Corpus>, Vec<CorpusProblem>) {
    match divided(source) {
        // Without `skip` there is something to post.
        (None, problems)
            if problems == [CorpusProblem::Empty]
                && divided(&Source { skip: &[], ..*source }).0.is_some() =>
        {
            (None, vec![CorpusProblem::AllSkipped])
        }
        read => read,
    }
}

fn divided(source: &Source<'_>) -> (Option<Corpus>, Vec<CorpusProblem>) {
    let text = match lines_of(source.bytes) {
        Ok(text) => text,
        Err(why) => return (None, vec![why.into()]),
    };
    let is_skipped = |line: &str| {
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
        source.skip.iter().any(|sign| line.starts_with(sign.as_str()))
    };
    match source.post {
        Post::Line => {
            return source.corpus(corpus::lines(&text).filter(|item| !is_skipped(&item.text)));
        }
        Post::Thread => {
            let mut follows = false;
            let mut items = Vec::new();
            for (number, line) in (1..).zip(text.lines()) {
                if says_nothing(line) {
                    follows = false;
                } else if !is_skipped(line) {
                    let mark = Mark { follows, ..Mark::default() };
                    items.push(Item { number, text: Cow::Borrowed(line.trim()), mark });
                    follows = true;
                }
            }
            return source.corpus(items.iter().cloned());
        }
        Post::Stanza | Post::File => {}
    }
    // Each with its lines as they are written, but for what stands at their ends.
    let mut stanzas: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut problems = Vec::new();
    let mut is_open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let is_blank = says_nothing(line);
        // Pages of old texts begin with a form feed.
        let line = line.trim_start_matches(|c: char| c.is_control() && c != '\t').trim_end();
        let line = if is_blank { "" } else { line };
        if is_skipped(line) {
            continue;
        }
        if problems.len() <= Corpus::PROBLEMS {
            problems.extend(CorpusProblem::odd_in(number, line));
        }
        match stanzas.last_mut().filter(|_| is_open) {
            Some((_, lines)) => lines.push(line),
            None if is_blank => continue,
            None => stanzas.push((number, vec![line])),
        }
        is_open = !is_blank || source.post == Post::File;
    }
    let stanzas: Vec<_> = stanzas.iter().map(|(number, lines)| (*number, joined(lines))).collect();
    let items = stanzas.iter().map(|(number, text)| Item {
        number: *number,
        text: Cow::Borrowed(text),
        mark: Mark::default(),
    });
    let (corpus, more) = source.corpus(items);
    (corpus, if problems.is_empty() { more } else { problems })
}

impl Source<'_> {
    /// The corpus of these items.
    fn corpus<'a>(
        &self,
        items: impl Iterator<Item = Item<'a>> + Clone,
    ) -> (Option<Corpus>, Vec<CorpusProblem>) {
        if self.split { Corpus::of_any_length(items) } else { Corpus::of(items) }
    }
}

/// The lines of one post, moved to the left as far as all of them can be.
fn joined(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let written = lines.iter().filter(|line| !line.is_empty());
    // As many bytes of white space may be different characters.
    let first = lines.first().map_or("", |first| first.get(..indent(first)).unwrap_or_default());
    let shared = written.fold(first, |shared, line| {
        let same = shared.char_indices().zip(line.chars()).find(|((_, a), b)| a != b);
        let end = same.map_or(shared.len().min(line.len()), |((at, _), _)| at);
        shared.get(..end).unwrap_or_default()
    });
    let moved = lines.iter().map(|line| line.strip_prefix(shared).unwrap_or(line));
    moved.collect::<Vec<_>>().join("\n")
}

impl Poem {
    /// A text of which every line is a line of its file.
    pub fn of_lines(corpus: CorpusId, lines: u32) -> Self {
        Self { corpus, lines, post: Post::Line, threads: false }
    }

    pub(super) fn of(text: &Corpus) -> Self {
        let threads = text.marks().have_times();
        Self { threads, ..Self::of_lines(text.id(), text.len()) }
    }

    pub(super) fn needs(&self, cursor: Cursor) -> Needs {
        Needs::Line { corpus: self.corpus.clone(), index: cursor.index() }
    }

    pub(super) fn say(&self, turn: Turn, material: Material) -> Said {
        let Material::Line { text, mark, next } = material;
        let post = NewPost { continues_thread: mark.follows, ..NewPost::of(text) };
        Said { act: Act::Post(post), then: self.next(turn.cursor).coming(next, turn.at) }
    }

    pub(super) fn actions(&self) -> &'static [Action] {
        if self.threads { &[Action::Post, Action::Reply] } else { &[Action::Post] }
    }

    pub(super) fn timed_text(&self) -> Option<&CorpusId> {
        Some(&self.corpus).filter(|_| self.threads)
    }

    pub(super) fn next(&self, cursor: Cursor) -> Place {
        self.admit(Cursor::at(cursor.index().saturating_add(1)))
    }

    pub(super) fn admit(&self, cursor: Cursor) -> Place {
        if cursor.index() < self.lines { Place::at(cursor) } else { Place::OVER }
    }

    pub(super) fn describe(&self) -> String {
        let threads = if self.threads { " in threads" } else { "" };
        format!("poem of {}{threads}", count(self.lines, self.unit()))
    }

    pub(super) fn unit(&self) -> &'static str {
        // Where something was too long, there are more of them.
        if self.threads && self.post != Post::Thread { "part" } else { self.post.unit() }
    }
}

#[cfg(test)]
mod threads;

#[cfg(test)]
mod tests {
    use super::{super::Behaviour, *};

    #[test]
    fn it_goes_through_its_text_and_starts_over() {
        let text = Corpus::parse(b"the moon\n\nrose\n").unwrap();
        let poem = Poem::of(&text);
        let mut place = Place::at(Cursor::default());
        let mut said = Vec::new();
        for _ in 0..3 {
            let material = text.material(&poem.needs(place.cursor)).unwrap();
            let turn = Turn { cursor: place.cursor, seed: 0, at: jiff::Timestamp::UNIX_EPOCH };
            let Said { act, then } = poem.say(turn, material);
            said.push(format!("{act} {}", place.starts_over));
            assert_eq!(then, poem.next(place.cursor));
            place = then;
        }
        insta::assert_snapshot!(said.join("\n"), @"
        the moon false
        rose false
        the moon true
        ");
        let behaviour = Behaviour::Poem(poem.clone());
        assert_eq!(behaviour.describe(), "poem of 2 lines");
        assert_eq!(behaviour.position(Cursor::at(1)), "2 of 2");
        assert_eq!(poem.admit(Cursor::at(2)), Place::OVER);
        let other = Corpus::parse(b"the sun").unwrap();
        assert_eq!(other.material(&poem.needs(Cursor::default())), None);
    }

    #[test]
    fn its_form_is_a_schema() {
        let text = Corpus::parse(b"the moon\nrose").unwrap();
        let stanzas = Behaviour::Poem(Poem::of(&text)).divided(Post::Stanza);
        let stored = serde_json::to_value(&stanzas).unwrap();
        insta::assert_snapshot!(stored, @r#"{"corpus":"807af5a069bf7bd0d36e1f5631c39526","kind":"poem","lines":2,"post":"stanza"}"#);
        assert_eq!(serde_json::from_value::<Behaviour>(stored).unwrap(), stanzas);
        let stored = serde_json::to_value(Behaviour::Poem(Poem::of(&text))).unwrap();
        insta::assert_snapshot!(stored, @r#"{"corpus":"807af5a069bf7bd0d36e1f5631c39526","kind":"poem","lines":2}"#);
    }

    #[test]
    fn the_form_of_threads_is_a_schema() {
        let zone = jiff::tz::TimeZone::UTC;
        let plain = Source::plain("a.txt", b"the moon\nrose\n\nit set", &zone);
        let (text, _) = read(&Source { post: Post::Thread, ..plain });
        let threads = Behaviour::Poem(Poem::of(&text.unwrap())).divided(Post::Thread);
        let stored = serde_json::to_value(&threads).unwrap();
        insta::assert_snapshot!(stored, @r#"{"corpus":"4b3eced1285c0e9c72f923d72f12061a","kind":"poem","lines":3,"post":"thread","threads":true}"#);
        assert_eq!(serde_json::from_value::<Behaviour>(stored).unwrap(), threads);
    }

    fn shown(post: &str, skip: &[&str], text: &str) -> String {
        let skip: Vec<_> = skip.iter().map(|sign| (*sign).to_owned()).collect();
        let zone = jiff::tz::TimeZone::UTC;
        let plain = Source::plain("a.txt", text.as_bytes(), &zone);
        let (corpus, problems) =
            read(&Source { post: post.parse().unwrap(), skip: &skip, ..plain });
        if !problems.is_empty() {
            return problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        }
        let corpus = corpus.unwrap();
        corpus
            .lines()
            .map(|(number, text)| format!("{number} {text:?}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_poem_is_divided_as_it_is_asked_for() {
        let text =
            "# Title\n\n  The moon  \r\n    rose.\n\u{200b}\n\n\tIt\n\tset.\n# II\n\n## End\n";
        insta::assert_snapshot!(shown("line", &["#"], text), @r#"
        3 "The moon"
        4 "rose."
        7 "It"
        8 "set."
        "#);
        insta::assert_snapshot!(shown("stanza", &["#"], text), @r#"
        3 "The moon\n  rose."
        7 "It\nset."
        "#);
        insta::assert_snapshot!(shown("stanza", &[], text), @r###"
        1 "# Title"
        3 "The moon\n  rose."
        7 "It\n\tset.\n# II"
        11 "## End"
        "###);
        insta::assert_snapshot!(shown("file", &["#"], text), @r#"3 "The moon\n    rose.\n\n\n\tIt\n\tset.""#);
        insta::assert_snapshot!(shown("stanza", &["#"], "a\n# b\n\u{c}c\nd\u{7}e\n\nf\u{ffff}"), @"
        line 4 holds the control character U+0007; remove it
        line 6 holds U+FFFF, which is not a character; remove it
        ");
        insta::assert_snapshot!(shown("file", &["#"], "# a\n\n"), @"`skip` leaves no line to post in it");
        insta::assert_snapshot!(shown("file", &["#"], "\n\n"), @"there is no line to post in it");
        insta::assert_snapshot!(shown("line", &["#"], "\u{200b}# a\n\u{2060} #b\n"), @"`skip` leaves no line to post in it");
    }

    proptest::proptest! {
        #[test]
        fn all_that_is_seen_of_a_poem_is_in_one_post(text in "([ \t]{0,3}[a-c]{0,3}[ \u{200b}]{0,2}\n){1,12}") {
            let zone = jiff::tz::TimeZone::UTC;
            let words = |post| {
                let plain = Source::plain("a.txt", text.as_bytes(), &zone);
                let (corpus, _) = read(&Source { post, ..plain });
                let corpus = corpus.iter().flat_map(Corpus::lines);
                let corpus: Vec<_> = corpus.map(|(_, text)| text.to_owned()).collect();
                let words = |text: &String| text.split_whitespace().map(|word| word.replace('\u{200b}', "")).collect::<Vec<_>>();
                corpus.iter().flat_map(words).filter(|word| !word.is_empty()).collect::<Vec<_>>()
            };
            proptest::prop_assert_eq!(words(Post::Line), words(Post::Stanza));
            proptest::prop_assert_eq!(words(Post::Line), words(Post::File));
            proptest::prop_assert_eq!(words(Post::Line), words(Post::Thread));
        }
    }
}
