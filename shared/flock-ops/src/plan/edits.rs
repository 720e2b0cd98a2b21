//! Texts that change when a flock is applied: what was edited, and where the sheep in them go on.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    ops::Range,
    sync::Arc,
};

use flock_core::{
    CONTINUES, Carried, Change, Corpus, CorpusId, Cursor, Edit, Needs, Objection, OtherText, Place,
    Sheep, SheepConfig, SheepName, count, local,
};
use flock_store::Store;
use jiff::{Timestamp, tz::TimeZone};

use crate::{Error, Result, SheepFile};

/// The texts of sheep that get another.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    /// By what is replaced and by what.
    texts: BTreeMap<(CorpusId, CorpusId), Edited>,
    /// Where each sheep goes on, as far as it is known before it is written.
    places: BTreeMap<SheepName, Place>,
}

/// Of what people added nothing is shown: it is none of the files.
#[derive(Debug)]
struct Edited {
    /// `None`: it is not in the table.
    old: Option<Corpus>,
    new: Arc<Corpus>,
    edit: Edit,
}

impl Edits {
    /// The sheep as it will be, at the place where it is in its text: `new` is what it gets, with what people added to it and is
    /// `carried` over, and `file` what its files say.
    pub(crate) async fn plan(
        &mut self,
        store: &Store,
        (sheep, carried): (&Sheep, Option<&Carried>),
        new: &SheepFile,
        file: &SheepFile,
        now: Timestamp,
    ) -> Result<Sheep> {
        let texts = key(&sheep.config, &new.config);
        if texts.0 != texts.1 && !self.texts.contains_key(&texts) {
            let (old, edit) = match carried {
                Some(Carried { edit, before, .. }) => (Some(before.clone()), edit.clone()),
                None => match store.corpus(&sheep.id.flock, &texts.0).await? {
                    Some(old) => {
                        let edit = Edit::between(&old, &new.corpus);
                        (Some(old), edit)
                    }
                    // Nobody knows which lines are still there.
                    None => (None, Edit::from_lost(texts.0.clone(), &new.corpus)),
                },
            };
            self.texts.insert(texts, Edited { edit, new: Arc::clone(&file.corpus), old });
        }
        let changed = self.reconfigure(sheep, new.config.clone(), now);
        let changed =
            changed.map_err(|err| Error::refused(format!("{}: {err}; try again", sheep.id)))?;
        self.places.insert(new.name.clone(), changed.next_place());
        Ok(changed)
    }

    /// What would be posted twice or never, where a text is gone through once.
    pub(crate) fn slips(&self, sheep: &Sheep, file: &SheepFile, changed: &Sheep) -> Vec<Objection> {
        let texts = key(&sheep.config, &file.config);
        let is_same_kind = sheep.config.behaviour.kind() == file.config.behaviour.kind();
        let Some(Edited { edit, new, .. }) = self.texts.get(&texts).filter(|_| is_same_kind) else {
            return Vec::new();
        };
        let cursor = usize::try_from(sheep.progress.cursor.index()).unwrap_or(usize::MAX);
        let said = cursor.saturating_add(usize::from(sheep.decided().is_some()));
        let slips = edit.slips(said, changed.next_place(), &file.config.behaviour);
        if slips.is_empty() {
            return Vec::new();
        }
        let lines: Vec<_> = new.lines().collect();
        let about = |index: &usize, why: &str| {
            let (number, text) = lines.get(*index).copied().unwrap_or_default();
            let at = format!("{}:{number}", file.file.display());
            Objection::of([at], format!("{}: {why}", shown(text))).alike(why)
        };
        let kinds = [
            (
                &slips.again,
                "this was posted already, from where it stood before, and would be posted again; take it out, or \
                 put it back above what is to come",
            ),
            (
                &slips.never,
                "this stands above what was posted, and would never be; put it below, or take it out",
            ),
            (
                &slips.unclear,
                "of the posts that said this one was made and one is to come, and nobody can tell which this is; \
                 change its text, or leave both in",
            ),
        ];
        let of_kind = |(indexes, why): (&Vec<usize>, &'static str)| {
            indexes.iter().map(|index| about(index, why)).collect::<Vec<_>>()
        };
        kinds.into_iter().flat_map(of_kind).collect()
    }

    /// The sheep as it is now with another configuration, at the place where it is in its text. Refuses if its
    /// text is not the one that was planned for.
    pub(crate) fn reconfigure(
        &self,
        sheep: &Sheep,
        config: SheepConfig,
        now: Timestamp,
    ) -> Result<Sheep, OtherText> {
        let texts = key(&sheep.config, &config);
        if texts.0 == texts.1 {
            return Ok(sheep.reconfigure(config, now));
        }
        match self.texts.get(&texts) {
            Some(edited) => sheep.edit(config, &edited.edit, now),
            None => Err(OtherText),
        }
    }

    /// Writes what was edited in the text of `old`, if anything, in at most about `most` lines.
    pub(crate) fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        old: &Sheep,
        new: &SheepFile,
        most: usize,
    ) -> fmt::Result {
        let texts = key(&old.config, &new.config);
        let place = self.places.get(&new.name);
        let rest = old.next_place().follows;
        if 0 < rest && place.is_some_and(|place| place.follows == 0) {
            let parts = count(rest, "part");
            writeln!(f, "{MARGIN}the rest of the thread it is in, {parts}, is left out")?;
        }
        let (Some(edited), Some(place)) = (self.texts.get(&texts), place) else {
            return Ok(());
        };
        if let Some(intent) = old.decided() {
            let text = shown(&intent.errand.work.act.to_string());
            writeln!(f, "{MARGIN}post {} is under way as it is: {text}", intent.occurrence)?;
        }
        let Needs::Line { index, .. } = new.config.behaviour.needs(place.cursor);
        let ended = new.config.behaviour.ended(place.cursor).is_some();
        let next = if ended { new.corpus.len() } else { index };
        let next = edited.edit.in_file(Place { cursor: Cursor::at(next), ..*place });
        let zone = new.config.rhythm.zone();
        if edited.edit.is_from_lost() {
            writeln!(
                f,
                "{MARGIN}the old text is not in the table, so it stays at its line's number:"
            )?;
            return row(Some(&edited.new), next, ' ', true).write(f, zone);
        }
        let behaviour = &new.config.behaviour;
        // Its lines are not what it says.
        if behaviour.draws() || old.config.behaviour.draws() {
            return Ok(());
        }
        if edited.edit.starts_over(behaviour) {
            let (unit, before) = (behaviour.unit(), old.config.behaviour.unit());
            if unit == before {
                writeln!(f, "{MARGIN}no {unit} of the old text is left: it starts over")?;
            } else {
                writeln!(
                    f,
                    "{MARGIN}it is made of {unit}s now, and none is one of the {before}s before: wherever it was, it starts over \
                     with the first {unit}"
                )?;
            }
            if behaviour.goes_through_once() && 0 < old.progress.cursor.index() {
                writeln!(
                    f,
                    "{MARGIN}all of this is posted, from the first on, whatever was posted before"
                )?;
            }
        }
        let (rows, left_out) = edited.rows_around(next, most);
        let [above, below] = left_out;
        if 0 < above {
            writeln!(f, "{MARGIN}({} above)", count(above, "more changed line"))?;
        }
        rows.iter().try_for_each(|row| row.write(f, zone))?;
        if 0 < below {
            writeln!(f, "{MARGIN}({} below)", count(below, "more changed line"))?;
        }
        Ok(())
    }
}

fn key(old: &SheepConfig, new: &SheepConfig) -> (CorpusId, CorpusId) {
    (old.behaviour.text().clone(), new.behaviour.text().clone())
}

/// Before what is written of an edit.
const MARGIN: &str = "           ";

/// Where the line is that comes next.
const NEXT: &str = "    next > ";

/// So many lines that stay are shown beside what is not as it was, and beside the place.
const CONTEXT: usize = 2;

/// So many lines are shown where many are gone or new, at both ends.
const EDGE: usize = 3;

/// No line is shown at greater length.
const WIDTH: usize = 80;

/// What is shown in one line.
#[derive(Debug, Clone, Copy)]
enum Row<'a> {
    Line {
        sign: char,
        text: &'a str,
        /// Whether it goes on with the line above.
        continues_thread: bool,
        /// Its own time.
        at: Option<Timestamp>,
        is_next: bool,
    },
    /// So many lines in a row that are not shown.
    LeftOut { sign: char, lines: usize },
}

impl Row<'_> {
    fn write(self, f: &mut fmt::Formatter<'_>, zone: &TimeZone) -> fmt::Result {
        match self {
            Self::Line { sign, text, continues_thread, at, is_next } => {
                let margin = if is_next { NEXT } else { MARGIN };
                let at = at.map(|at| format!("{}: ", local(at, zone))).unwrap_or_default();
                let thread = if continues_thread { CONTINUES } else { "" };
                writeln!(f, "{margin}{sign} {at}{thread}{}", shown(text))
            }
            Self::LeftOut { sign: ' ', lines } => {
                let lines = count(u64::try_from(lines).unwrap_or(u64::MAX), "line");
                writeln!(f, "{MARGIN}  ({lines} as before)")
            }
            Self::LeftOut { sign, lines } => writeln!(f, "{MARGIN}{sign} ({lines} more)"),
        }
    }

    /// How many lines it tells of that are gone or new.
    fn changed(self) -> usize {
        match self {
            Self::Line { sign: ' ', .. } | Self::LeftOut { sign: ' ', .. } => 0,
            Self::Line { .. } => 1,
            Self::LeftOut { lines, .. } => lines,
        }
    }
}

impl Edited {
    /// The edit around the line `next`, and how many changed lines are left out above and below.
    fn rows_around(&self, next: usize, most: usize) -> (VecDeque<Row<'_>>, [u64; 2]) {
        let mut rows = VecDeque::new();
        let mut left_out = [0, 0];
        // How many rows may follow; all, until the place is found.
        let mut room = None;
        let changes: Vec<_> = self.edit.changes().collect();
        for (nth, change) in changes.iter().enumerate() {
            let is_last = nth + 1 == changes.len();
            for row in self.rows_of(*change, next, 0 < nth, !is_last) {
                let lines = u64::try_from(row.changed()).unwrap_or(u64::MAX);
                match &mut room {
                    Some(0) => left_out[1] += lines,
                    Some(room) => {
                        *room -= 1;
                        rows.push_back(row);
                    }
                    None => {
                        rows.push_back(row);
                        if matches!(row, Row::Line { is_next: true, .. }) {
                            room = Some(most / 2);
                        }
                        if most / 2 < rows.len()
                            && let Some(row) = rows.pop_front()
                        {
                            left_out[0] += u64::try_from(row.changed()).unwrap_or(u64::MAX);
                        }
                    }
                }
            }
        }
        (rows, left_out)
    }

    fn has_times(&self) -> bool {
        let is_timed = |text: &Corpus| text.marks().have_times();
        is_timed(&self.new) || self.old.as_ref().is_some_and(is_timed)
    }

    /// Whether a line that is kept has another time than before.
    fn is_moved(&self, old: usize, new: usize) -> bool {
        let at = |text: &Corpus, line| text.marks().of(Cursor::at(u32::try_from(line).ok()?)).at;
        self.old.as_ref().is_some_and(|text| at(text, old) != at(&self.new, new))
    }

    /// What is shown of a change that has others above or below.
    fn rows_of(&self, change: Change, next: usize, above: bool, below: bool) -> Vec<Row<'_>> {
        let (text, sign, lines, edges): (Option<&Corpus>, _, Range<usize>, _) = match change {
            Change::Kept { new, len, .. } => {
                let edges = [above, below].map(|there| if there { CONTEXT } else { 0 });
                (Some(&*self.new), ' ', new..new + len, edges)
            }
            Change::New { new, len } => (Some(&*self.new), '+', new..new + len, [EDGE; 2]),
            Change::Gone { old, len } => (self.old.as_ref(), '-', old..old + len, [EDGE; 2]),
        };
        let has_next = sign != '-' && lines.contains(&next);
        // A line that is kept may have another time.
        let moved = |line: usize| match change {
            Change::Kept { old, new, .. } => self.is_moved(old + (line - new), line),
            Change::New { .. } | Change::Gone { .. } => false,
        };
        let mut wanted: BTreeSet<_> = lines.clone().take(edges[0]).collect();
        if self.has_times() {
            wanted.extend(lines.clone().filter(|line| moved(*line)));
        }
        wanted.extend(lines.clone().rev().take(edges[1]));
        if has_next {
            let around = next.saturating_sub(CONTEXT)..=next.saturating_add(CONTEXT);
            wanted.extend(around.filter(|line| lines.contains(line)));
        }
        let mut rows = Vec::new();
        let mut from = lines.start;
        for line in wanted.into_iter().chain([lines.end]) {
            // A line takes no more room than its being left out.
            match line - from {
                0 => {}
                1 => rows.push(row(text, from, sign, false)),
                lines => rows.push(Row::LeftOut { sign, lines }),
            }
            if line < lines.end {
                let sign = if moved(line) { '~' } else { sign };
                rows.push(row(text, line, sign, has_next && line == next));
            }
            from = line + 1;
        }
        rows
    }
}

fn row(text: Option<&Corpus>, line: usize, sign: char, is_next: bool) -> Row<'_> {
    let line = || {
        let (text, index) = (text?, u32::try_from(line).ok()?);
        Some((text.line(index)?, text.marks().of(Cursor::at(index))))
    };
    let (text, mark) = line().unwrap_or_default();
    let (continues_thread, at) = (mark.follows, mark.at);
    Row::Line { sign, text, continues_thread, at, is_next }
}

/// A text as it can be shown in one line of a terminal: nothing in it moves what stands beside it.
fn shown(text: &str) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::new();
    for (nth, c) in text.chars().enumerate() {
        match c {
            _ if nth == WIDTH => return shown + "...",
            '\t' => shown.push(' '),
            c if is_odd(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}
