//! A text that was edited while a sheep is in it: which lines are kept, and where the sheep goes on.
//!
//! Lines are compared by a diff that keeps as many as can be kept in order. A line that was moved counts as
//! gone where it was and as new where it is.

use std::{borrow::Cow, collections::HashMap, ops::Range, slice::SliceIndex};

use jiff::Timestamp;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::{
    Behaviour, Corpus, CorpusId, Cursor, Marks, Place, SheepConfig, foreign::without_marks,
};

/// What an edit did to the lines of a text.
#[derive(Debug, Clone)]
pub struct Edit {
    from: CorpusId,
    to: CorpusId,
    /// The lines before and after as numbers: equal lines have equal ones.
    old: Vec<u32>,
    new: Vec<u32>,
    /// Lines that are kept, in order; between two runs something is gone or new. `None`: nobody knows, because the old
    /// text is lost.
    kept: Option<Vec<Run>>,
    /// The marks of the lines before and after.
    before: Marks,
    marks: Marks,
    /// Whether no line is kept, and each is the one in its place before with something mended.
    mended: bool,
    /// Where people added lines: then all else is about the lines of the file.
    woven: Option<Woven>,
}

/// The lines of a text in which people added some to those of a file, by where they come from.
#[derive(Debug, Clone)]
pub(crate) struct Woven {
    /// Whether each line before was added.
    pub(crate) was_added: Vec<bool>,
    /// Where each line after comes from.
    pub(crate) lines: Vec<Strand>,
}

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strand {
    /// From the file, where it has this index.
    File(usize),
    /// It was added and there before, with this index among all lines.
    Added(usize),
    /// It is added now.
    New,
}

impl Woven {
    /// How many of the first `lines` before were of the file.
    fn of_file(&self, lines: usize) -> usize {
        self.was_added.iter().take(lines).filter(|was_added| !**was_added).count()
    }

    /// Whether a line is to come, where so many were said before, and the file goes on at `file`.
    fn is_to_come(strand: Strand, said: usize, file: usize) -> bool {
        match strand {
            Strand::File(index) => file <= index,
            Strand::Added(index) => said <= index,
            Strand::New => true,
        }
    }

    /// The first line that is to come.
    fn place(&self, said: usize, file: usize) -> usize {
        let first = self.lines.iter().position(|line| Self::is_to_come(*line, said, file));
        first.unwrap_or(self.lines.len())
    }
}

/// What an edit of a text that is gone through once would have said again, or never: indexes after the edit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slips {
    /// Lines that were said where they stood before.
    pub again: Vec<usize>,
    /// Lines that stand above what was said.
    pub never: Vec<usize>,
    /// Lines that may be one that was said, or one that says the same and was not.
    pub unclear: Vec<usize>,
}

impl Slips {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.again.is_empty() && self.never.is_empty() && self.unclear.is_empty()
    }
}

/// Consecutive lines that are kept, by their places before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    old: usize,
    new: usize,
    len: usize,
}

/// Lines before and after an edit, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// So many lines that are kept, from these indexes on.
    Kept {
        /// The first one's index before.
        old: usize,
        /// The first one's index after.
        new: usize,
        /// How many.
        len: usize,
    },
    /// So many lines that are gone, from this index on.
    Gone {
        /// The first one's index before.
        old: usize,
        /// How many.
        len: usize,
    },
    /// So many lines that are new, from this index on.
    New {
        /// The first one's index after.
        new: usize,
        /// How many.
        len: usize,
    },
}

impl Edit {
    /// Compares the lines of `old` with those of `new`.
    pub fn between(old: &Corpus, new: &Corpus) -> Self {
        let mut numbers = HashMap::new();
        let before = number_lines(old, &mut numbers);
        let after = number_lines(new, &mut numbers);
        let kept = Some(kept(&before, &after, WORK));
        let (was, marks) = (old.marks().clone(), new.marks().clone());
        let mended = kept.as_ref().is_some_and(Vec::is_empty) && is_mended(old, new);
        let (from, to, woven) = (old.id(), new.id(), None);
        let (old, new) = (before, after);
        Self { from, to, old, new, kept, before: was, marks, mended, woven }
    }

    /// The edit that leads from the text `from` to `new`, in both of which are lines that people added; `self` is the edit of the
    /// lines of their file.
    pub(crate) fn woven(self, from: CorpusId, new: &Corpus, woven: Woven) -> Self {
        Self { from, to: new.id(), marks: new.marks().clone(), woven: Some(woven), ..self }
    }

    /// The edit that leads to `new` from a text that is lost: places keep their numbers.
    pub fn from_lost(old: CorpusId, new: &Corpus) -> Self {
        let after = number_lines(new, &mut HashMap::new());
        let marks = new.marks().clone();
        let (from, to, old) = (old, new.id(), Vec::new());
        let before = Marks::default();
        let (kept, mended, woven) = (None, false, None);
        Self { from, to, old, new: after, kept, before, marks, mended, woven }
    }

    /// Whether it leads from the text of `old` to that of `new`.
    pub fn is_from(&self, old: &SheepConfig, new: &SheepConfig) -> bool {
        (&self.from, &self.to) == (old.behaviour.text(), new.behaviour.text())
    }

    /// The marks of the lines it leads to.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Whether nobody knows what was edited.
    pub fn is_from_lost(&self) -> bool {
        self.kept.is_none()
    }

    /// Whether no line is kept.
    pub fn keeps_nothing(&self) -> bool {
        self.kept.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether a sheep begins anew in `behaviour`, which has the new text: nothing is left of the old one. Where every line
    /// was mended of a text that is gone through once, what was said is not said again.
    pub fn starts_over(&self, behaviour: &Behaviour) -> bool {
        self.keeps_nothing() && !(self.mended && counts_off(behaviour))
    }

    /// The index after of the line that says what the one with this index said before, wherever it is.
    pub(crate) fn found(&self, index: u32) -> Option<u32> {
        let number = self.old.get(usize::try_from(index).ok()?)?;
        let found = self.new.iter().position(|line| line == number)?;
        u32::try_from(found).ok()
    }

    /// What is known of each line after, where `of` is known of the line before with an index, the latest of those that say the same;
    /// of a lost text, by number.
    pub(crate) fn carried<T: Copy + Ord>(&self, of: impl Fn(u32) -> Option<T>) -> Vec<Option<T>> {
        if self.is_from_lost() {
            return (0..).zip(&self.new).map(|(index, _)| of(index)).collect();
        }
        let mut known: HashMap<u32, Option<T>> = HashMap::new();
        for (index, number) in (0..).zip(&self.old) {
            let known = known.entry(*number).or_default();
            *known = (*known).max(of(index));
        }
        self.new.iter().map(|number| known.get(number).copied().flatten()).collect()
    }

    /// What would be said again or never by a sheep that has said the first `said` lines and goes on at `place`.
    pub fn slips(&self, said: usize, place: Place, behaviour: &Behaviour) -> Slips {
        let mut slips = Slips::default();
        let Some(kept) = &self.kept else { return slips };
        if !behaviour.goes_through_once() || kept.is_empty() {
            return slips;
        }
        let place = self.in_file(place);
        let said = self.woven.as_ref().map_or(said, |woven| woven.of_file(said));
        let mut gone = [HashMap::new(), HashMap::new()];
        for change in self.changes() {
            let Change::Gone { old, len } = change else { continue };
            for (index, number) in (old..).zip(part(&self.old, old..old + len)) {
                let [made, to_come] = &mut gone;
                *if index < said { made } else { to_come }.entry(*number).or_insert(0_usize) += 1;
            }
        }
        let [mut made, mut to_come] = gone;
        let take = |from: &mut HashMap<u32, usize>, number| match from.get_mut(&number) {
            Some(left @ 1..) => {
                *left -= 1;
                true
            }
            Some(0) | None => false,
        };
        let is_moved = among(self.changes().flat_map(|change| match change {
            Change::New { new, len } => part(&self.new, new..new + len),
            Change::Kept { .. } | Change::Gone { .. } => &[],
        }));
        // Lines that were said and are gone just there: what is new in their place is what they were mended to.
        let mut mended = 0;
        for change in self.changes() {
            match change {
                Change::Kept { .. } => mended = 0,
                Change::Gone { old, len } => {
                    let made = part(&self.old, old..(old + len).min(said.max(old)));
                    mended = made.iter().filter(|number| !is_moved(**number)).count();
                }
                Change::New { new, len } => {
                    for (index, number) in (new..).zip(part(&self.new, new..new + len)) {
                        let was_made = take(&mut made, *number);
                        if place <= index {
                            slips.again.extend(was_made.then_some(index));
                        } else if !was_made {
                            if take(&mut to_come, *number) || mended == 0 {
                                slips.never.push(index);
                            } else {
                                mended -= 1;
                            }
                        }
                    }
                }
            }
        }
        // Of two that say the same one was said, and nobody knows which of them is left.
        let mut there: HashMap<u32, usize> = HashMap::new();
        self.new.iter().for_each(|number| *there.entry(*number).or_default() += 1);
        for run in kept.iter().filter(|run| run.old < said) {
            let lines =
                (run.new..run.new + run.len.min(said - run.old)).zip(part(&self.new, run.new..));
            for (index, number) in lines {
                if to_come.get(number).is_some_and(|left| there.get(number) <= Some(left)) {
                    slips.unclear.push(index);
                }
            }
        }
        slips
    }

    /// Where a sheep goes on in `behaviour`, which has the new text, that has said the lines before `next`, and none
    /// from there on.
    ///
    /// What is kept is said once in the round: not again if it was said, and not left out if it was not. What
    /// is new at the place is said, too, unless
    ///
    /// - it stands for lines that were said: those that are gone there are counted off against it. Where another round
    ///   comes and nothing unsaid is gone there, all of it does; where none comes, or only after a long rest, what is one too many
    ///   would be lost;
    /// - it was said: a line that was said and moved to just there.
    ///
    /// A round that has not begun begins with the first line, and so does a text of which nothing is kept. The rest of a thread goes
    /// on, at `now`, where all of it that was said stands there as it did; else it is left out.
    pub fn place(&self, next: Cursor, behaviour: &Behaviour, now: Timestamp) -> Place {
        let place = self.untimed_place(next, behaviour).timed(&self.marks, now);
        if self.goes_on(next, place.cursor) {
            return place;
        }
        behaviour.past_thread(place).timed(&self.marks, now)
    }

    /// Whether the line at `after` goes on with what the line at `before` would have gone on with.
    fn goes_on(&self, before: Cursor, after: Cursor) -> bool {
        let said = |marks: &Marks, at: Cursor| {
            let index = |cursor: Cursor| usize::try_from(cursor.index()).unwrap_or(usize::MAX);
            index(marks.head(at))..index(at)
        };
        let (before, after) = (said(&self.before, before), said(&self.marks, after));
        !before.is_empty() && part(&self.old, before) == part(&self.new, after)
    }

    /// Where a place after the edit is in the file, of which it is the edit.
    pub fn in_file(&self, place: Place) -> usize {
        let place = usize::try_from(place.cursor.index()).unwrap_or(usize::MAX);
        let Some(woven) = &self.woven else { return place };
        let is_of_file = |line: &&Strand| matches!(line, Strand::File(_));
        woven.lines.iter().take(place).filter(is_of_file).count()
    }

    /// Whether a sheep that has said the lines before `next` says none again. Lines that people added were put where they stand
    /// for a sheep that had come as far as it had by then.
    pub(crate) fn fits(&self, next: Cursor, behaviour: &Behaviour) -> bool {
        let Some(woven) = &self.woven else { return true };
        let (said, file) = self.said_of(woven, next, behaviour);
        let after = woven.lines.iter().skip(woven.place(said, file));
        after.copied().all(|line| Woven::is_to_come(line, said, file))
    }

    /// How many lines were said, and where the file goes on.
    fn said_of(&self, woven: &Woven, next: Cursor, behaviour: &Behaviour) -> (usize, usize) {
        let said = usize::try_from(next.index()).unwrap_or(usize::MAX);
        let of_file = u32::try_from(woven.of_file(said)).unwrap_or(u32::MAX);
        let place = self.place_in_file(Cursor::at(of_file), behaviour);
        (said, usize::try_from(place.cursor.index()).unwrap_or(usize::MAX))
    }

    fn untimed_place(&self, next: Cursor, behaviour: &Behaviour) -> Place {
        let Some(woven) = &self.woven else { return self.place_in_file(next, behaviour) };
        let (said, file) = self.said_of(woven, next, behaviour);
        let place = u32::try_from(woven.place(said, file)).unwrap_or(u32::MAX);
        behaviour.admit(Cursor::at(place))
    }

    /// The lines that are kept by their indexes before and after; where every line was mended, those in its place.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let mended = if self.mended { self.old.len().min(self.new.len()) } else { 0 };
        let kept = self.kept.iter().flatten();
        let kept = kept.flat_map(|run| (0..run.len).map(|nth| (run.old + nth, run.new + nth)));
        kept.chain((0..mended).map(|index| (index, index)))
    }

    /// Where the line with this index before stands now, where it is not kept and only one is like it.
    pub(crate) fn moved(&self) -> impl Fn(usize) -> Option<usize> {
        let mut there: HashMap<u32, Option<usize>> = HashMap::new();
        for (index, number) in self.new.iter().enumerate() {
            let only = there.entry(*number).or_insert(Some(index));
            *only = only.filter(|only| *only == index);
        }
        move |old| there.get(self.old.get(old)?).copied().flatten()
    }

    fn place_in_file(&self, next: Cursor, behaviour: &Behaviour) -> Place {
        let Some(kept) = &self.kept else { return behaviour.admit(next) };
        // What is drawn from another text is another, under whatever number.
        if behaviour.draws() {
            return behaviour.admit(next);
        }
        let next = usize::try_from(next.index()).unwrap_or(usize::MAX).min(self.old.len());
        if next == 0 {
            return behaviour.first();
        }
        if self.starts_over(behaviour) {
            return behaviour.anew();
        }
        let after = kept.partition_point(|run| run.old < next);
        let (runs_before, runs_after) = kept.split_at(after);
        // Between which kept lines the place is: the last that was said, and the first that was not.
        let (from, lo, inside) = runs_before.last().map_or((0, 0, false), |run| {
            let said = run.len.min(next - run.old);
            (run.old + said, run.new + said, said < run.len)
        });
        let (to, hi) = match runs_after.first() {
            _ if inside => (from, lo),
            Some(run) => (run.old, run.new),
            None => (self.old.len(), self.new.len()),
        };
        let gone = next - from;
        let stands_for_all = 0 < gone && next == to && !counts_off(behaviour);
        let mut start = if stands_for_all { hi } else { hi.min(lo + gone) };
        if counts_off(behaviour) {
            // What was to come before is to come, wherever it is put.
            let was_to_come = among(self.gone_from(next));
            let lines = part(&self.new, lo..start);
            start = lines.iter().position(|line| was_to_come(*line)).map_or(start, |at| lo + at);
        }
        let start = self.after_what_was_said(next, start..hi);
        behaviour.admit(Cursor::at(u32::try_from(start).unwrap_or(u32::MAX)))
    }

    /// The lines that are not kept, from the one with this index on.
    fn gone_from(&self, index: usize) -> impl Iterator<Item = &u32> {
        self.changes().flat_map(move |change| match change {
            Change::Gone { old, len } => part(&self.old, old.max(index)..(old + len).max(index)),
            Change::Kept { .. } | Change::New { .. } => &[],
        })
    }

    /// Where `new` ends to hold lines that were said before `next` and are gone there.
    fn after_what_was_said(&self, next: usize, new: Range<usize>) -> usize {
        let start = new.start;
        if new.is_empty() {
            return start;
        }
        let mut gone = Vec::new();
        let mut from = 0;
        for run in self.kept.iter().flatten().take_while(|run| run.old < next) {
            gone.push(part(&self.old, from..run.old));
            from = run.old + run.len;
        }
        gone.push(part(&self.old, from..next));
        let lines = part(&self.new, new);
        let was_said = among(gone.into_iter().flatten());
        let last = lines.iter().rposition(|line| was_said(*line));
        last.map_or(start, |last| start + last + 1)
    }

    /// The lines of both texts in order; of what is gone and new at one place, what is gone comes first.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let end = Run { old: self.old.len(), new: self.new.len(), len: 0 };
        let mut at = (0, 0);
        self.kept.iter().flatten().copied().chain([end]).flat_map(move |Run { old, new, len }| {
            let gone = Change::Gone { old: at.0, len: old - at.0 };
            let added = Change::New { new: at.1, len: new - at.1 };
            at = (old + len, new + len);
            [gone, added, Change::Kept { old, new, len }]
                .into_iter()
                .filter(|change| !change.is_empty())
        })
    }
}

impl Change {
    /// How many lines it is about.
    pub fn len(self) -> usize {
        match self {
            Self::Kept { len, .. } | Self::Gone { len, .. } | Self::New { len, .. } => len,
        }
    }

    /// Whether it is about none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Whether what is passed by in it does not come again, or not for long.
fn counts_off(behaviour: &Behaviour) -> bool {
    behaviour.goes_through_once() || behaviour.pool().is_some()
}

/// Whether most lines say what the line in their place said before, but for some words.
fn is_mended(old: &Corpus, new: &Corpus) -> bool {
    /// Enough to know.
    const LINES: usize = 100;
    let pairs = old.lines().zip(new.lines()).take(LINES);
    let (mut alike, mut all) = (0, 0);
    for ((_, old), (_, new)) in pairs {
        let mut words: HashMap<&str, usize> = HashMap::new();
        old.split_whitespace().for_each(|word| *words.entry(word).or_default() += 1);
        let count = |text: &str| text.split_whitespace().count();
        let both = new.split_whitespace().filter(|word| match words.get_mut(word) {
            Some(left @ 1..) => {
                *left -= 1;
                true
            }
            Some(0) | None => false,
        });
        alike += usize::from(count(old) + count(new) <= 4 * both.count());
        all += 1;
    }
    all < 2 * alike
}

/// Lines are the same that were so when they were read as they are now: what is stored may be from before.
fn number_lines<'a>(corpus: &'a Corpus, numbers: &mut HashMap<Cow<'a, str>, u32>) -> Vec<u32> {
    let number = |(_, line)| {
        // Two corpora have fewer lines than there are numbers.
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(without_marks(line)).or_insert(next)
    };
    corpus.lines().map(number).collect()
}

/// About so many comparisons of lines may be made, which is a second or two.
const WORK: usize = 1 << 27;

/// Up to so many lines, before and after together, are compared at once however much is to be done.
const WINDOW: std::ops::RangeInclusive<usize> = 64..=4_096;

/// So often a text is divided at lines that are in it once.
const DIVISIONS: u32 = 4;

/// The lines that are kept: as many as there can be where the texts are short, not counting what both begin
/// and end with and what only one of them has. The work of that grows with the square of the length. Longer
/// texts are divided first, at lines that both have once; and where there are none, by length: there, a line is
/// kept if it is near where it was.
fn kept(old: &[u32], new: &[u32], work: usize) -> Vec<Run> {
    let mut runs = Runs(Vec::new());
    let prefix = common(old.iter(), new.iter());
    runs.push(0, 0, prefix);
    let suffix = common(part(old, prefix..).iter().rev(), part(new, prefix..).iter().rev());
    let (old_end, new_end) = (old.len() - suffix, new.len() - suffix);
    let (old_middle, new_middle) = (part(old, prefix..old_end), part(new, prefix..new_end));
    let (old_shared, new_shared) = (shared(old_middle, new_middle), shared(new_middle, old_middle));
    let total = old_shared.len() + new_shared.len();
    let window = (work / total.max(1)).clamp(*WINDOW.start(), *WINDOW.end());
    align(&old_shared, &new_shared, window, DIVISIONS, &mut |old, new| {
        runs.push(prefix + old, prefix + new, 1);
    });
    runs.push(old_end, new_end, suffix);
    runs.0
}

/// Some of the lines; none where there are none.
fn part<T>(lines: &[T], range: impl SliceIndex<[T], Output = [T]>) -> &[T] {
    lines.get(range).unwrap_or_default()
}

/// How many of the first are equal.
fn common<T: PartialEq>(old: impl Iterator<Item = T>, new: impl Iterator<Item = T>) -> usize {
    old.zip(new).take_while(|(old, new)| old == new).count()
}

/// What is kept so far. Runs that follow each other are one.
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, old: usize, new: usize, len: usize) {
        match self.0.last_mut() {
            Some(run) if run.old + run.len == old && run.new + run.len == new => run.len += len,
            _ if 0 < len => self.0.push(Run { old, new, len }),
            _ => {}
        }
    }
}

/// A line and its index.
#[derive(Debug, Clone, Copy)]
struct Line {
    number: u32,
    index: usize,
}

/// The lines of `lines` that are among `others`, too.
fn shared(lines: &[u32], others: &[u32]) -> Vec<Line> {
    let is_shared = among(others);
    let lines = lines.iter().enumerate().filter(|(_, number)| is_shared(**number));
    lines.map(|(index, number)| Line { number: *number, index }).collect()
}

/// Whether a line is among these.
fn among<'a>(lines: impl IntoIterator<Item = &'a u32>) -> impl Fn(u32) -> bool {
    // The numbers have no gaps, so that a list of all is short.
    let mut there: Vec<bool> = Vec::new();
    let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    for number in lines {
        if there.len() <= at(*number) {
            there.resize(at(*number) + 1, false);
        }
        if let Some(there) = there.get_mut(at(*number)) {
            *there = true;
        }
    }
    move |number| there.get(at(number)).copied().unwrap_or(false)
}

/// Tells `keep` the indexes of the lines that are kept, in order.
fn align(
    old: &[Line],
    new: &[Line],
    window: usize,
    divisions: u32,
    keep: &mut impl FnMut(usize, usize),
) {
    let number = |line: &Line| line.number;
    let prefix = common(old.iter().map(number), new.iter().map(number));
    let same = old.iter().zip(new).take(prefix);
    same.for_each(|(old, new)| keep(old.index, new.index));
    let (old, new) = (part(old, prefix..), part(new, prefix..));
    let total = old.len() + new.len();
    if old.is_empty() || new.is_empty() {
        return;
    }
    if total <= window {
        let numbers = |lines: &[Line]| lines.iter().map(number).collect::<Vec<_>>();
        for change in capture_diff_slices(Algorithm::Myers, &numbers(old), &numbers(new)) {
            if let DiffOp::Equal { old_index, new_index, len } = change {
                let same = part(old, old_index..).iter().zip(part(new, new_index..)).take(len);
                same.for_each(|(old, new)| keep(old.index, new.index));
            }
        }
        return;
    }
    let anchors = if divisions == 0 { Vec::new() } else { anchors(old, new) };
    if anchors.is_empty() {
        let parts = total.div_ceil(window);
        for nth in 0..parts {
            let of = |len: usize| len * nth / parts..len * (nth + 1) / parts;
            let (old, new) = (part(old, of(old.len())), part(new, of(new.len())));
            align(old, new, usize::MAX, 0, keep);
        }
        return;
    }
    let (mut old_from, mut new_from) = (0, 0);
    for (old_at, new_at) in anchors.into_iter().chain([(old.len(), new.len())]) {
        let (old_part, new_part) = (part(old, old_from..old_at), part(new, new_from..new_at));
        align(old_part, new_part, window, divisions - 1, keep);
        if let (Some(old), Some(new)) = (old.get(old_at), new.get(new_at)) {
            keep(old.index, new.index);
        }
        (old_from, new_from) = (old_at + 1, new_at + 1);
    }
}

/// Where lines are that both have once: as many as stand in the same order in both.
fn anchors(old: &[Line], new: &[Line]) -> Vec<(usize, usize)> {
    let old_once = once(old);
    let new_once = once(new);
    let places = old.iter().enumerate().filter_map(|(old_at, line)| {
        old_once.get(&line.number).copied().flatten()?;
        Some((old_at, new_once.get(&line.number).copied().flatten()?))
    });
    longest_rising(&places.collect::<Vec<_>>())
}

/// Where the lines are that are there once; nowhere for the others.
fn once(lines: &[Line]) -> HashMap<u32, Option<usize>> {
    let mut places = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        places.entry(line.number).and_modify(|at| *at = None).or_insert(Some(at));
    }
    places
}

/// The most pairs whose second parts rise, as their first ones do.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // By length, the index of the pair with the lowest end; and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::new();
    let second = |index: usize| pairs.get(index).map(|pair| pair.1);
    for (index, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| second(*end) < Some(pair.1));
        before.push(length.checked_sub(1).and_then(|last| ends.get(last).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let last = ends.last().copied();
    let mut rising: Vec<_> =
        std::iter::successors(last, |index| before.get(*index).copied().flatten())
            .filter_map(|index| pairs.get(index).copied())
            .collect();
    rising.reverse();
    rising
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Act, BehaviourKind, Due, Item, Mark, Occurrence, Outcome, Rhythm, RhythmFields, Sheep,
        TableId,
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn table() -> TableId {
        TableId::from_random([7; 16])
    }

    fn corpus(lines: &[impl AsRef<str>]) -> Corpus {
        let lines: Vec<_> = lines.iter().map(AsRef::as_ref).collect();
        Corpus::parse(lines.join("\n").as_bytes()).unwrap()
    }

    fn poem(lines: &[impl AsRef<str>]) -> Behaviour {
        BehaviourKind::Poem.with_text(&corpus(lines))
    }

    fn edit(old: &str, new: &str) -> Edit {
        let lines = |text: &str| corpus(&text.split(' ').collect::<Vec<_>>());
        Edit::between(&lines(old), &lines(new))
    }

    /// What comes next in the text `new` where `next` came next in `old`: both are words, each a line.
    #[track_caller]
    fn check(old: &str, next: &str, new: &str, expected: &str) {
        let cursor = old.split(' ').position(|line| line == next).unwrap_or(usize::MAX);
        let poem = poem(&new.split(' ').collect::<Vec<_>>());
        let cursor = Cursor::at(u32::try_from(cursor).unwrap_or(u32::MAX));
        let place = edit(old, new).place(cursor, &poem, NOW);
        let line = new.split(' ').nth(place.cursor.index().try_into().unwrap()).unwrap();
        let got = if place.starts_over { format!("over: {line}") } else { line.to_owned() };
        assert_eq!(got, expected, "{old:?} before {next} -> {new:?}");
    }

    #[test]
    fn the_place_moves_with_the_lines() {
        // Above it.
        check("a b c d e", "c", "new a b c d e", "c");
        check("a b c d e", "c", "b c d e", "c");
        check("a b c d e", "c", "c d e", "c");
        check("a b c d e", "c", "b a c d e", "c");
        check("a b c d e", "c", "a B c d e", "c");
        check("a b c d e", "c", "A1 A2 A3 A4 c d e", "c");
        // Below it.
        check("a b c d e", "c", "a b c new d", "c");
        check("a b c d e", "c", "a b c e d", "c");
        // It itself.
        check("a b c d e", "c", "a b d e", "d");
        check("a b c d e", "c", "a d e", "d");
        check("a b c d e", "c", "a b d e c", "d");
        check("a b c d e", "c", "a b d c e", "d");
        check("a b c d e", "c", "a b C d e", "C");
        check("a b c d e", "c", "A B C d e", "C");
        check("a b c d e", "c", "a b new c d e", "new");
        // What was said is not said again, though it was moved.
        check("a b c d e", "c", "b a d e", "d");
        check("a b c d e f", "d", "a c b e f", "e");
        // Nothing is left.
        check("a b c d e", "d", "a b c", "over: a");
        check("a b c d e", "e", "c a b", "over: c");
        check("a b c d e", "c", "v w x y z", "over: v");
        check("a b c", "b", "x", "over: x");
        // A round that has not begun.
        check("a b c", "a", "new a b c", "new");
        check("a b c", "a", "c b", "c");
        // All lines are said, but the last is not recorded.
        check("a b c", "", "a b c d", "d");
        check("a b c", "", "new a b c", "over: new");
        check("a b c", "", "a b", "over: a");
        check("a b c", "", "a b C", "over: a");
    }

    /// A text that was stored with the marks in it is the same text without them.
    #[test]
    fn nothing_is_said_again_because_marks_went() {
        let marked = |line: &str| Item {
            number: 1,
            text: format!("\u{feff}{line}").into(),
            mark: Mark::default(),
        };
        let (old, _) = Corpus::of(["a", "b", "c"].into_iter().map(marked));
        let (old, new) = (old.unwrap(), corpus(&["a", "b", "c"]));
        assert_ne!(old.id(), new.id());
        let edit = Edit::between(&old, &new);
        for behaviour in [BehaviourKind::Poem, BehaviourKind::Queue] {
            let behaviour = behaviour.with_text(&new);
            let place = edit.place(Cursor::at(2), &behaviour, NOW);
            assert_eq!((place.cursor.index(), place.starts_over), (2, false));
            assert!(edit.slips(2, place, &behaviour).is_empty());
        }
        // What says nothing was a line, and is none.
        let (old, _) = Corpus::of(["a", "\u{200b}", "b"].into_iter().map(|line| Item {
            number: 1,
            text: line.into(),
            mark: Mark::default(),
        }));
        let new = Corpus::parse("a\n\u{200b}\nb".as_bytes()).unwrap();
        let behaviour = BehaviourKind::Poem.with_text(&new);
        for next in [1, 2] {
            let place =
                Edit::between(&old.clone().unwrap(), &new).place(Cursor::at(next), &behaviour, NOW);
            assert_eq!((place.cursor.index(), place.starts_over), (1, false));
        }
    }

    #[test]
    fn a_refrain_is_not_taken_for_another() {
        check("v1 R v2 R v3 R v4 R", "v3", "v0 R v1 R v2 R v3 R v4 R", "v3");
        check("v1 R v2 R v3 R v4 R", "v3", "v1 v2 R v3 R v4 R", "v3");
        check("v1 R v2 R v3 R v4 R", "v3", "v1 R v2 R new R v3 R v4 R", "new");
        check("v1 R v2 R v3 R v4 R", "v3", "v1 R v2 R v4 R", "v4");
    }

    #[test]
    fn what_changes_is_told_in_order() {
        let changes = |old, new| format!("{:?}", edit(old, new).changes().collect::<Vec<_>>());
        let told = changes("a b c d", "new a C d");
        insta::assert_snapshot!(told, @"[New { new: 0, len: 1 }, Kept { old: 0, new: 1, len: 1 }, Gone { old: 1, len: 2 }, New { new: 2, len: 1 }, Kept { old: 3, new: 3, len: 1 }]");
        insta::assert_snapshot!(changes("a b", "a b"), @"[Kept { old: 0, new: 0, len: 2 }]");
    }

    /// The most lines two texts can have in common, in order.
    fn most_kept(old: &[String], new: &[String]) -> usize {
        let mut row = vec![0; new.len() + 1];
        for old in old {
            let above = row.clone();
            for (at, new) in new.iter().enumerate() {
                row[at + 1] = if old == new { above[at] + 1 } else { above[at + 1].max(row[at]) };
            }
        }
        row[new.len()]
    }

    /// Checks that what is kept is in both texts, in order, and gives the pairs.
    fn pairs(old: &[u32], new: &[u32], runs: &[Run]) -> Vec<(usize, usize)> {
        let pairs: Vec<_> = runs
            .iter()
            .flat_map(|run| (0..run.len).map(|nth| (run.old + nth, run.new + nth)))
            .collect();
        assert!(pairs.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{pairs:?}");
        assert!(pairs.iter().all(|(at_old, at_new)| old[*at_old] == new[*at_new]), "{pairs:?}");
        pairs
    }

    /// A sheep in a text whose lines are words, and what it has posted.
    struct Poet {
        sheep: Sheep,
        text: Corpus,
        now: Timestamp,
        posts: Vec<String>,
    }

    impl Poet {
        fn new(lines: &[impl AsRef<str>], fields: &RhythmFields) -> Self {
            let text = corpus(lines);
            let config = Self::config(&text, fields);
            let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
            let sheep = Sheep::create("moon/apollo".parse().unwrap(), config, Occurrence(1), now);
            Self { sheep: sheep.unwrap(), text, now, posts: Vec::new() }
        }

        fn config(text: &Corpus, fields: &RhythmFields) -> SheepConfig {
            let behaviour = BehaviourKind::Poem.with_text(text);
            let rhythm = RhythmFields {
                line: Some("3m".to_owned()),
                stanza: Some("1d".to_owned()),
                ..fields.clone()
            };
            let account = "meadow:apollo".parse().unwrap();
            SheepConfig::new(account, behaviour, Rhythm::parse(&rhythm).unwrap())
        }

        fn of(words: &str) -> Self {
            Self::new(&words.split(' ').collect::<Vec<_>>(), &RhythmFields::default())
        }

        /// Decides the next post when it is due.
        fn claim(&mut self) {
            self.now = self.now.max(self.sheep.next_at().unwrap());
            let now = self.now;
            self.sheep = match self.sheep.due(now) {
                Due::No | Due::Over => panic!("it is due: {:?}", self.sheep),
                Due::Finish => self.sheep.claim_again(now),
                Due::Post(next) => {
                    let text = self.text.line(next.progress.cursor.index()).unwrap().to_owned();
                    self.sheep.claim(next, Act::post(text), &table(), now)
                }
            };
        }

        fn settle(&mut self, outcome: &Outcome) {
            if let (Outcome::Done(_), Some(intent)) = (outcome, &self.sheep.intent) {
                self.posts.push(intent.errand.work.act.to_string());
            }
            self.sheep = self.sheep.settle(outcome, self.now);
        }

        fn posted(&mut self) {
            self.settle(&Outcome::Done("1".parse().unwrap()));
        }

        fn refused(&mut self) {
            self.settle(&Outcome::Refused { why: "why".to_owned() });
            self.sheep = self.sheep.resume(self.now);
        }

        fn post(&mut self, times: usize) {
            for _ in 0..times {
                self.claim();
                self.posted();
            }
        }

        fn edit(&mut self, lines: &[impl AsRef<str>]) {
            let text = corpus(lines);
            let behaviour = BehaviourKind::Poem.with_text(&text);
            let config = SheepConfig { behaviour, ..self.sheep.config.clone() };
            let edit = Edit::between(&self.text, &text);
            self.sheep = self.sheep.edit(config, &edit, self.now).unwrap();
            self.text = text;
        }

        fn edit_words(&mut self, words: &str) {
            self.edit(&words.split(' ').collect::<Vec<_>>());
        }

        #[track_caller]
        fn check(&self, expected: &str) {
            assert_eq!(self.posts.join(" "), expected);
        }
    }

    #[test]
    fn a_post_under_way_is_not_made_again_and_what_follows_it_comes_next() {
        for (edited, expected) in [
            ("new a b c d", "a b c d new"),
            ("a new b c d", "a b c d a"),
            ("a b new c d", "a b new c d"),
            ("a c d", "a b c d a"),
            ("b c d", "a b c d b"),
            ("c d", "a b c d c"),
            ("a d", "a b d a d"),
            ("a B c d", "a b c d a"),
            ("a B C d", "a b C d a"),
            ("a c d b", "a b c d b"),
            ("b a c d", "a b c d b"),
            ("a b", "a b a b a"),
            ("v w", "a b v w v"),
        ] {
            for is_unknown in [false, true] {
                let mut poet = Poet::of("a b c d");
                poet.post(1);
                poet.claim();
                let tried = poet.now;
                poet.edit_words(edited);
                if is_unknown {
                    poet.settle(&Outcome::Unknown { why: "why".to_owned() });
                    let intent = poet.sheep.intent.clone().unwrap();
                    poet.posts.push(intent.errand.work.act.to_string());
                    poet.sheep = poet.sheep.was_sent(intent.occurrence, poet.now).unwrap();
                } else {
                    poet.posted();
                }
                // The pause between lines, or the one before the text starts over.
                let pause = if matches!(edited, "a b" | "v w") { 24 * 60 * 60 } else { 180 };
                let next = poet.sheep.next_at().unwrap();
                assert_eq!(next.duration_since(tried).as_secs(), pause, "{edited}");
                poet.post(3);
                assert_eq!(poet.posts.join(" "), expected, "{edited}");
            }
        }
    }

    #[test]
    fn the_pause_comes_before_a_round_that_begins_because_the_rest_is_gone() {
        let day = 24 * 60 * 60;
        for (edited, pause, expected) in [
            ("a b", day, "a b a b"),
            ("v w", day, "a b v w"),
            ("a b d", 180, "a b d a"),
            ("new a b", day, "a b new a"),
        ] {
            for is_tried in [false, true] {
                let mut poet = Poet::of("a b c d");
                poet.post(2);
                let last = poet.now;
                if is_tried {
                    poet.claim();
                    poet.refused();
                }
                poet.edit_words(edited);
                // Edited once more, it pauses once.
                poet.edit_words(&format!("{edited} e"));
                poet.edit_words(edited);
                let next = poet.sheep.next_at().unwrap();
                assert_eq!(next.duration_since(last).as_secs(), pause, "{edited} {is_tried}");
                poet.post(2);
                poet.check(expected);
            }
        }
    }

    #[test]
    fn a_round_that_would_begin_after_the_end_does_not() {
        let fields = RhythmFields { end: Some("2026-11-21".to_owned()), ..RhythmFields::default() };
        let mut poet = Poet::new(&["a", "b", "c"], &fields);
        poet.post(2);
        poet.edit_words("a b");
        assert_eq!(poet.sheep.state.name(), "finished");
        poet.sheep = poet.sheep.reconfigure(
            Poet::config(&poet.text, &RhythmFields::default()),
            poet.now.saturating_add(jiff::SignedDuration::from_hours(48)).unwrap(),
        );
        poet.post(1);
        poet.check("a b a");
    }

    #[test]
    fn the_first_line_is_deleted_while_it_is_posted() {
        let mut poet = Poet::of("a b");
        poet.claim();
        let tried = poet.now;
        poet.edit_words("b");
        poet.edit_words("b c");
        poet.posted();
        assert_eq!(poet.sheep.next_at().unwrap().duration_since(tried).as_secs(), 180);
        poet.post(3);
        poet.check("a b c b");
    }

    #[test]
    fn a_refused_post_is_tried_again_where_its_line_is_now() {
        for (edited, expected) in [
            ("new a b c", "a b c"),
            ("a new b c", "a new b"),
            ("a c", "a c a"),
            ("a B c", "a B c"),
            ("a c b", "a c b"),
        ] {
            let mut poet = Poet::of("a b c");
            poet.post(1);
            poet.claim();
            poet.edit_words(edited);
            poet.refused();
            poet.post(2);
            poet.check(expected);
        }
    }

    #[test]
    fn what_somebody_says_does_not_move_the_place() {
        let mut poet = Poet::of("a b c");
        poet.post(1);
        poet.sheep = poet.sheep.say("hello", &table(), poet.now).unwrap();
        poet.claim();
        poet.edit_words("new a b c");
        poet.posted();
        poet.post(2);
        poet.check("a hello b c");
    }

    #[test]
    fn what_is_caught_up_goes_on_behind_the_edit() {
        let fields =
            RhythmFields { catch_up: Some("all(3)".to_owned()), ..RhythmFields::default() };
        let mut poet = Poet::new(&["a", "b", "c", "d", "e", "f"], &fields);
        poet.post(1);
        poet.now = poet.now.saturating_add(jiff::SignedDuration::from_mins(11)).unwrap();
        poet.claim();
        assert_eq!(poet.sheep.progress.owed, 2);
        poet.edit_words("new a c d e f");
        poet.posted();
        poet.edit_words("newer new a c d e f");
        poet.post(3);
        poet.check("a b c d e");
    }

    #[test]
    fn a_finished_sheep_goes_on_with_the_line_after_its_last() {
        let ends =
            |end: &str| RhythmFields { end: Some(end.to_owned()), ..RhythmFields::default() };
        let mut poet = Poet::new(&["a", "b", "c", "d"], &ends("2026-11-21T12:04:00Z"));
        poet.post(2);
        assert_eq!(poet.sheep.state.name(), "finished");
        poet.edit_words("new a b c d");
        let later = Poet::config(&poet.text, &ends("2026-12-21"));
        poet.sheep = poet.sheep.reconfigure(later, poet.now);
        poet.post(2);
        poet.check("a b c d");
    }

    #[test]
    fn an_edit_of_another_text_is_refused() {
        let poet = Poet::of("a b c");
        let config = poet.sheep.config.clone();
        let edit = edit("x y", "a b c");
        assert_eq!(poet.sheep.edit(config, &edit, poet.now), Err(crate::OtherText));
    }

    /// One thing somebody does to the lines of a text.
    #[derive(Debug, Clone)]
    enum Step {
        Insert(usize),
        Delete(usize),
        Replace(usize),
        Swap(usize, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<usize>().prop_map(Step::Insert),
            any::<usize>().prop_map(Step::Delete),
            any::<usize>().prop_map(Step::Replace),
            any::<(usize, usize)>().prop_map(|(a, b)| Step::Swap(a, b)),
        ]
    }

    /// Lines of which no two are equal, after these steps.
    fn edited(lines: &[String], steps: &[Step]) -> Vec<String> {
        let mut lines = lines.to_vec();
        for (nth, step) in steps.iter().enumerate() {
            change(&mut lines, nth, step);
        }
        lines
    }

    fn change(lines: &mut Vec<String>, nth: usize, step: &Step) {
        let len = lines.len();
        match *step {
            Step::Insert(at) => lines.insert(at % (len + 1), format!("new {nth}")),
            Step::Delete(at) if 1 < len => drop(lines.remove(at % len)),
            Step::Replace(at) => lines[at % len] = format!("other {nth}"),
            Step::Swap(a, b) => lines.swap(a % len, b % len),
            Step::Delete(_) => {}
        }
    }

    proptest! {
        /// Of posts that all say something else: what an edit is not refused for loses none and doubles none.
        #[test]
        fn what_is_no_slip_is_posted_once(
            old in Just(('a'..='h').collect::<Vec<_>>()),
            new in Just(('a'..='l').collect::<Vec<_>>()).prop_shuffle(),
            length in 1_usize..12,
            said in 0_usize..=8,
        ) {
            let texts = |letters: &[char]| letters.iter().map(ToString::to_string).collect::<Vec<_>>();
            let new = &new[..length];
            let queue = BehaviourKind::Queue.with_text(&corpus(&texts(new)));
            let edit = Edit::between(&corpus(&texts(&old)), &corpus(&texts(new)));
            let cursor = Cursor::at(u32::try_from(said).unwrap());
            let place = edit.place(cursor, &queue, NOW);
            let slips = edit.slips(said, place, &queue);
            if !slips.is_empty() || edit.keeps_nothing() {
                return Ok(());
            }
            let (above, below) = new.split_at(place.cursor.index().try_into().unwrap());
            let (made, to_come) = old.split_at(said);
            prop_assert!(!below.iter().any(|letter| made.contains(letter)), "{below:?}");
            prop_assert!(!above.iter().any(|letter| to_come.contains(letter)), "{above:?}");
            // A new one above stands for one that was made and is gone.
            let fresh = above.iter().filter(|letter| !old.contains(letter)).count();
            let gone = made.iter().filter(|letter| !new.contains(letter)).count();
            prop_assert!(fresh <= gone, "{above:?}");
        }
    }

    proptest! {
        /// Lines that stay where they are among the others: what was not said is said once, what was said is not,
        /// and every new line below the last that was said and stayed is said.
        #[test]
        fn nothing_is_said_twice_or_left_out(
            count in 1_usize..30,
            next in 0_usize..30,
            steps in prop::collection::vec(step(), 0..6),
        ) {
            let lines: Vec<_> = (0..count).map(|line| format!("line {line}")).collect();
            let steps: Vec<_> =
                steps.into_iter().filter(|step| !matches!(step, Step::Swap(..))).collect();
            let new = edited(&lines, &steps);
            let next = next % (count + 1);
            let place = Edit::between(&corpus(&lines), &corpus(&new)).place(Cursor::at(u32::try_from(next).unwrap()), &poem(&new), NOW);
            let rest = if place.starts_over { &[] } else { &new[usize::try_from(place.cursor.index()).unwrap()..] };
            let (said, unsaid) = lines.split_at(next);
            if next == 0 {
                prop_assert_eq!(rest, &new[..]);
            } else if !lines.iter().any(|line| new.contains(line)) {
                prop_assert!(place.starts_over);
            } else {
                prop_assert!(!rest.iter().any(|line| said.contains(line)));
                let kept: Vec<_> = new.iter().filter(|line| unsaid.contains(line)).collect();
                let comes: Vec<_> = rest.iter().filter(|line| unsaid.contains(line)).collect();
                prop_assert_eq!(kept, comes);
                if let Some(at) = new.iter().position(|line| *line == said[next - 1]) {
                    prop_assert_eq!(rest, &new[at + 1..]);
                }
            }
        }

        /// Whatever happens between edits of one line each, a pointer that is moved along with the lines says what comes
        /// next.
        #[test]
        fn a_sheep_goes_on_where_a_finger_in_the_text_points(
            count in 1_usize..6,
            events in prop::collection::vec((0_u8..8, step()), 0..40),
        ) {
            let mut lines: Vec<_> = (0..count).map(|line| format!("line {line}")).collect();
            let mut poet = Poet::new(&lines, &RhythmFields::default());
            // The next line; where a post is under way, the one after it, and where its own line is or was.
            let (mut next, mut under_way) = (0, None);
            let mut edited_once = false;
            for (nth, (event, step)) in events.into_iter().enumerate() {
                match (event, under_way) {
                    (0..4, None) => {
                        poet.claim();
                        let intent = poet.sheep.intent.as_ref().unwrap();
                        prop_assert_eq!(&intent.errand.work.act, &Act::post(&lines[next]));
                        (under_way, edited_once) = (Some(next), false);
                        next += 1;
                    }
                    (0..3, Some(_)) => {
                        poet.posted();
                        under_way = None;
                    }
                    (3, Some(at)) => {
                        poet.refused();
                        (next, under_way) = (at, None);
                    }
                    (_, Some(_)) if edited_once => {}
                    _ => {
                        edited_once = true;
                        let mut fingers = [Some(next), under_way];
                        for finger in fingers.iter_mut().flatten() {
                            let is_above = |at: usize, len: usize| at % len < *finger;
                            match step {
                                Step::Insert(at) if is_above(at, lines.len() + 1) => *finger += 1,
                                Step::Delete(at) if 1 < lines.len() && is_above(at, lines.len()) => {
                                    *finger -= 1;
                                }
                                _ => {}
                            }
                        }
                        next = fingers[0].unwrap();
                        under_way = fingers[1];
                        if !matches!(step, Step::Swap(..)) {
                            change(&mut lines, nth, &step);
                        }
                        poet.edit(&lines);
                    }
                }
                if under_way.is_none() && next == lines.len() {
                    next = 0;
                }
            }
        }

        /// Of texts in which lines are moved or come again and again, as many lines are kept as can be.
        #[test]
        fn as_many_lines_are_kept_as_can_be(
            old in prop::collection::vec("[a-f]", 1..24),
            steps in prop::collection::vec(step(), 0..8),
            other in prop::option::of(prop::collection::vec("[a-f]", 1..24)),
            next in 0_u32..24,
        ) {
            let new = other.unwrap_or_else(|| edited(&old, &steps));
            let edit = Edit::between(&corpus(&old), &corpus(&new));
            let pairs = pairs(&edit.old, &edit.new, edit.kept.as_ref().unwrap());
            prop_assert_eq!(pairs.len(), most_kept(&old, &new));
            let place = edit.place(Cursor::at(next), &poem(&new), NOW);
            let cursor = usize::try_from(place.cursor.index()).unwrap();
            prop_assert!(cursor < new.len());
            let next = usize::try_from(next).unwrap();
            if next > 0 && !pairs.is_empty() {
                let cursor = if place.starts_over { new.len() } else { cursor };
                for (at_old, at_new) in pairs {
                    prop_assert_eq!(next <= at_old, cursor <= at_new);
                }
            }
        }

        /// However little work is allowed, what is kept is in both texts and in order.
        #[test]
        fn long_texts_are_compared_in_parts(
            old in prop::collection::vec(0_u32..400, 0..700),
            new in prop::collection::vec(0_u32..400, 0..700),
            letters in 1_u32..400,
        ) {
            let few = |lines: &[u32]| lines.iter().map(|line| line % letters).collect::<Vec<_>>();
            let (old, new) = (few(&old), few(&new));
            pairs(&old, &new, &kept(&old, &new, 1));
            prop_assert_eq!(pairs(&old, &old, &kept(&old, &old, 1)).len(), old.len());
        }
    }

    /// Each kind of text that is hard on a diff.
    #[test]
    fn huge_texts_are_compared_in_little_work() {
        const LINES: u32 = 10_000;
        let all = |line: fn(u32) -> u32| (0..LINES).map(line).collect::<Vec<_>>();
        let noise = |n: u32| n.wrapping_mul(2_654_435_769) >> 13;
        let texts = [
            all(|_| 7),
            all(|n| n),
            all(|n| LINES - n),
            all(|n| n + LINES),
            all(|n| n % 2),
            all(|n| (n / 3) % 2),
            (0..LINES).map(|n| noise(n) % 2).collect(),
            (0..LINES).map(|n| noise(n) % 1_000).collect(),
            (0..LINES).map(|n| noise(n + 1) % 1_000).collect(),
        ];
        for old in &texts {
            for new in &texts {
                let kept = kept(old, new, 1);
                let kept = pairs(old, new, &kept).len();
                assert!(old != new || kept == old.len());
            }
        }
        // A few edits of a huge text cost no line that stayed.
        let old = all(|n| n % 5_000);
        let mut new = old.clone();
        new.insert(7_000, 1_000_000);
        new.remove(4_000);
        new.insert(10, 1_000_001);
        assert_eq!(pairs(&old, &new, &kept(&old, &new, 1)).len(), old.len() - 1);
    }
}
