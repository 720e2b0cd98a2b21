//! Corpora, stored in pieces so that a post reads a line and not the book.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{
    AttributeValue, PutRequest, ReturnConsumedCapacity, ReturnValue, WriteRequest,
};
use flock_core::{
    Corpus, CorpusId, Cursor, FlockName, Mark, Marks, Material, Needs, Piece, Sheep, Timing,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    FIRST_WAIT, Item, Keyed, LONGEST_WAIT, Read, Store, StoreError, Write, conditional, from_item,
    key::{Key, pieces_of},
    random_text, request_error,
    sheep::Seconds,
    to_item,
};

/// BatchWriteItem takes this many (AWS, "BatchWriteItem", 2026-11).
const BATCH: usize = 25;

/// Updates at once.
const CONCURRENCY: usize = 16;

/// How long a corpus stays that no sheep points to.
const UNUSED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long drawn texts are kept: what is posted later is drawn again.
const DRAWN_FOR: SignedDuration = SignedDuration::from_hours(60 * 24);

#[derive(Debug, Serialize, Deserialize)]
struct PieceItem {
    first: u32,
    lines: Vec<String>,
    /// The own time of each; not there where none has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    times: Vec<Option<Seconds>>,
    /// The own time of the first line of the next piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_at: Option<Seconds>,
    /// Which of its lines go on with the one before, counted from 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    follow: Vec<usize>,
    /// How many lines do, from the first of the next piece on.
    #[serde(default, skip_serializing_if = "is_none")]
    next_follow: u32,
    /// Which of its lines were added to those of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    added: Vec<usize>,
    /// Which storing of the corpus wrote it; random. Not there in what was written before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edition: Option<String>,
    /// Where its lines are drawn, and can be again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<Seconds>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_none(number: &u32) -> bool {
    *number == 0
}

impl PieceItem {
    fn new(piece: Piece, edition: Option<String>, ttl: Option<Timestamp>) -> Self {
        let Piece { first, lines, marks, next } = piece;
        let numbers = |is_such: fn(&Mark) -> bool| {
            let such = marks.iter().enumerate().filter(|(_, mark)| is_such(mark));
            such.map(|(number, _)| number).collect()
        };
        let has_times = marks.iter().any(|mark| mark.at.is_some());
        let times = marks.iter().filter(|_| has_times).map(|mark| mark.at.map(Seconds::from));
        Self {
            first,
            times: times.collect(),
            next_at: next.at.map(Seconds::from),
            follow: numbers(|mark| mark.follows),
            next_follow: next.follows,
            added: numbers(|mark| mark.added),
            edition,
            ttl: ttl.map(Seconds::from),
            lines,
        }
    }

    fn into_piece(self) -> Result<Piece, jiff::Error> {
        let instant = |at: Option<Seconds>| at.map(Timestamp::try_from).transpose();
        let times: Vec<_> = self.times.into_iter().map(instant).collect::<Result<_, _>>()?;
        let mark = |number: usize| Mark {
            at: times.get(number).copied().flatten(),
            follows: self.follow.binary_search(&number).is_ok(),
            added: self.added.binary_search(&number).is_ok(),
        };
        let is_marked = !(times.is_empty() && self.follow.is_empty() && self.added.is_empty());
        Ok(Piece {
            first: self.first,
            marks: (0..self.lines.len()).filter(|_| is_marked).map(mark).collect(),
            next: Timing { at: instant(self.next_at)?, follows: self.next_follow },
            lines: self.lines,
        })
    }
}

/// Says that a corpus is there and whole. Before the pieces may expire it is marked, so that what is not
/// marked is to stay.
#[derive(Debug, Serialize, Deserialize)]
struct HeadItem {
    /// As in the pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edition: Option<String>,
    /// Who found that no sheep points to it, or that it is not whole; random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unused: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<Seconds>,
}

/// A corpus that somebody found unused and marked.
struct Marked {
    corpus: CorpusId,
    edition: Option<String>,
    mark: String,
}

impl Store {
    /// The line of the corpus with this index, and the own time of the next. `None`: the corpus is not there, or
    /// shorter.
    async fn line(
        &self,
        flock: &FlockName,
        corpus: &CorpusId,
        index: u32,
    ) -> Result<Option<Material>, StoreError> {
        let up_to = Key::piece(flock, corpus, index);
        let what = || format!("line {index} of corpus {corpus} of flock {flock}");
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :sk")
            .expression_attribute_values(":pk", AttributeValue::S(up_to.pk))
            .expression_attribute_values(
                ":first",
                AttributeValue::S(Key::piece(flock, corpus, 0).sk),
            )
            .expression_attribute_values(":sk", AttributeValue::S(up_to.sk))
            .scan_index_forward(false)
            .limit(1)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|err| request_error("read", what(), err))?;
        self.meter.read(output.consumed_capacity());
        let Some(item) = output.items.unwrap_or_default().pop() else { return Ok(None) };
        let mut piece = piece(item, &what())?;
        let within = usize::try_from(index.saturating_sub(piece.first)).unwrap_or(usize::MAX);
        if piece.lines.len() <= within {
            return Ok(None);
        }
        let mark = piece.marks.get(within).copied().unwrap_or_default();
        let next = piece.timing_after(within);
        Ok(Some(Material::Line { text: piece.lines.swap_remove(within), mark, next }))
    }

    /// What a behaviour of a sheep of `flock` needs. `None`: it is not there.
    pub async fn material(
        &self,
        flock: &FlockName,
        needs: &Needs,
    ) -> Result<Option<Material>, StoreError> {
        match needs {
            Needs::Line { corpus, index } => self.line(flock, corpus, *index).await,
        }
    }

    /// The whole corpus. `None`: it is not there.
    pub async fn corpus(
        &self,
        flock: &FlockName,
        corpus: &CorpusId,
    ) -> Result<Option<Corpus>, StoreError> {
        // Half the price, and whole unless it was written a moment ago.
        match self.read_corpus(flock, corpus, Read::Eventual).await? {
            None => self.read_corpus(flock, corpus, Read::Consistent).await,
            whole => Ok(whole),
        }
    }

    /// The marks of the lines of the text of `sheep`, where they say when lines come; none where the text is not there.
    pub async fn marks(&self, sheep: &Sheep) -> Result<Marks, StoreError> {
        let Some(text) = sheep.config.behaviour.timed_text() else { return Ok(Marks::default()) };
        let corpus = self.corpus(&sheep.id.flock, text).await?;
        Ok(corpus.map(|corpus| corpus.marks().clone()).unwrap_or_default())
    }

    async fn read_corpus(
        &self,
        flock: &FlockName,
        corpus: &CorpusId,
        read: Read,
    ) -> Result<Option<Corpus>, StoreError> {
        let what = format!("corpus {corpus} of flock {flock}");
        let mut pieces = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :line)")
            .expression_attribute_values(":pk", AttributeValue::S(pieces_of(flock, corpus)))
            .expression_attribute_values(":line", AttributeValue::S("LINE#".to_owned()))
            .consistent_read(read == Read::Consistent)
            .into_paginator()
            .items()
            .send();
        let mut read = Vec::new();
        while let Some(item) = pieces.next().await {
            let item = item.map_err(|err| request_error("read", what.clone(), err))?;
            read.push(piece(item, &what)?);
        }
        // What is cut off is another corpus than the one that was asked for.
        Ok(Corpus::of_pieces(read).filter(|read| read.id() == *corpus))
    }

    /// Which of these corpora are not there, or not whole, or not to stay.
    pub async fn missing_corpora(
        &self,
        flock: &FlockName,
        corpora: &BTreeSet<CorpusId>,
    ) -> Result<BTreeSet<CorpusId>, StoreError> {
        let mut missing = corpora.clone();
        let by_key: BTreeMap<_, _> =
            corpora.iter().map(|corpus| (pieces_of(flock, corpus), corpus)).collect();
        let about = ("look for corpora of", flock.as_str());
        let keys = corpora.iter().map(|corpus| Key::corpus_head(flock, corpus));
        for item in self.several(about, keys).await? {
            let head: Keyed<HeadItem> = Keyed::read(item, &format!("a corpus of {flock}"))?;
            if head.value.unused.is_none()
                && let Some(corpus) = by_key.get(&head.key.pk)
            {
                missing.remove(*corpus);
            }
        }
        Ok(missing)
    }

    /// Stores a corpus, to stay; once more changes nothing of it. `written` is told the lines written, piece by
    /// piece.
    pub async fn put_corpus(
        &self,
        flock: &FlockName,
        corpus: &Corpus,
        written: impl Fn(u32),
    ) -> Result<(), StoreError> {
        let id = corpus.id();
        let edition = Some(random_text());
        self.put_pieces(flock, corpus, (edition.clone(), None), written).await?;
        // Last, because it says that all pieces are there.
        let head = HeadItem { edition, unused: None, ttl: None };
        self.put(&format!("corpus {id}"), Key::corpus_head(flock, &id), head).await
    }

    /// The batch of texts that `sheep` draws in which that at `cursor` is. `None`: it draws none, or its
    /// text is not there, or hardly anything that is drawn from it can be posted.
    pub async fn draw(&self, sheep: &Sheep, cursor: Cursor) -> Result<Option<Corpus>, StoreError> {
        let behaviour = &sheep.config.behaviour;
        if !behaviour.draws() {
            return Ok(None);
        }
        let text = self.corpus(&sheep.id.flock, behaviour.text()).await?;
        let drawn = text.and_then(|text| behaviour.draw(&behaviour.well(&text)?, cursor, 1));
        Ok(drawn)
    }

    /// Keeps texts that were drawn at `now`, for a while. What is there already is the same.
    pub async fn keep_drawn(
        &self,
        flock: &FlockName,
        drawn: &Corpus,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let until = now.saturating_add(DRAWN_FOR).unwrap_or(Timestamp::MAX);
        self.put_pieces(flock, drawn, (None, Some(until)), |_| {}).await
    }

    async fn put_pieces(
        &self,
        flock: &FlockName,
        corpus: &Corpus,
        (edition, ttl): (Option<String>, Option<Timestamp>),
        written: impl Fn(u32),
    ) -> Result<(), StoreError> {
        let id = corpus.id();
        for batch in corpus.pieces().chunks(BATCH) {
            let mut requests = Vec::new();
            for piece in batch {
                let key = Key::piece(flock, &id, piece.first);
                let item = PieceItem::new(piece.clone(), edition.clone(), ttl);
                let item = Keyed::new(key, item);
                let put = PutRequest::builder()
                    .set_item(Some(to_item(item, id.to_string())?))
                    .build()
                    .expect("the item was given");
                requests.push(WriteRequest::builder().put_request(put).build());
            }
            self.write_batch(requests, &id).await?;
            let lines: usize = batch.iter().map(|piece| piece.lines.len()).sum();
            written(u32::try_from(lines).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    /// Lets those of `corpora` go, a day after `now`, that no sheep of the flock points to.
    ///
    /// Somebody may point a sheep to one of them meanwhile. Whoever does stores the corpus, writes the sheep
    /// and then looks for the mark; here the mark is written and then the sheep are looked at. So at least one
    /// of the two sees the other, and until this one has looked, nothing expires. A corpus that is stored
    /// again meanwhile is not touched: its items are of another edition.
    pub async fn let_unused_corpora_go(
        &self,
        flock: &FlockName,
        corpora: BTreeSet<CorpusId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if corpora.is_empty() {
            return Ok(());
        }
        let used = self.used_corpora(flock).await?;
        let unused = corpora.into_iter().filter(|corpus| !used.contains(corpus));
        let marks: Vec<_> = unused.map(|corpus| self.mark_unused(flock, corpus)).collect();
        let marked: Vec<_> = stream::iter(marks).buffered(CONCURRENCY).try_collect().await?;
        let marked: Vec<_> = marked.into_iter().flatten().collect();
        if marked.is_empty() {
            return Ok(());
        }
        let used = self.used_corpora(flock).await?;
        let ttl = now.saturating_add(UNUSED_FOR).unwrap_or(Timestamp::MAX);
        let ends = marked.iter().map(|marked| self.unmark_or_expire(flock, marked, &used, ttl));
        let ends: Vec<_> = ends.collect();
        stream::iter(ends).buffer_unordered(CONCURRENCY).try_collect().await
    }

    async fn unmark_or_expire(
        &self,
        flock: &FlockName,
        marked: &Marked,
        used: &BTreeSet<CorpusId>,
        ttl: Timestamp,
    ) -> Result<(), StoreError> {
        if used.contains(&marked.corpus) {
            return self.unmark(flock, marked).await;
        }
        self.expire(flock, marked, ttl).await
    }

    async fn used_corpora(&self, flock: &FlockName) -> Result<BTreeSet<CorpusId>, StoreError> {
        let sheep = self.sheep_of_flock(flock).await?;
        Ok(sheep.iter().flat_map(|sheep| sheep.config.behaviour.corpora().cloned()).collect())
    }

    /// `None`: it is not there.
    async fn mark_unused(
        &self,
        flock: &FlockName,
        corpus: CorpusId,
    ) -> Result<Option<Marked>, StoreError> {
        let mark = random_text();
        let update = self
            .update(Key::corpus_head(flock, &corpus), "SET unused = :mark")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":mark", AttributeValue::S(mark.clone()))
            .return_values(ReturnValue::AllNew);
        let output = conditional(update.send().await, "mark corpus", corpus.to_string())?;
        let Some(output) = output else { return Ok(None) };
        let head = output.attributes.unwrap_or_default();
        let head: HeadItem = Keyed::read(head, corpus.as_str())?.value;
        Ok(Some(Marked { corpus, edition: head.edition, mark }))
    }

    /// Notes that a line is missing though the corpus seems whole, so that it is stored again.
    pub async fn note_incomplete(
        &self,
        flock: &FlockName,
        corpus: &CorpusId,
    ) -> Result<(), StoreError> {
        self.mark_unused(flock, corpus.clone()).await.map(|_| ())
    }

    /// Takes the mark back. What began to expire before stays marked, to be stored again.
    async fn unmark(&self, flock: &FlockName, marked: &Marked) -> Result<(), StoreError> {
        let update = self
            .update(Key::corpus_head(flock, &marked.corpus), "REMOVE unused")
            .condition_expression("unused = :mark AND attribute_not_exists(#ttl)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":mark", AttributeValue::S(marked.mark.clone()));
        let what = marked.corpus.to_string();
        conditional(update.send().await, "keep corpus", what).map(|_| ())
    }

    async fn expire(
        &self,
        flock: &FlockName,
        marked: &Marked,
        ttl: Timestamp,
    ) -> Result<(), StoreError> {
        let corpus = &marked.corpus;
        let head = Key::corpus_head(flock, corpus);
        let is_mine = ("unused = :mark", Some((":mark", marked.mark.clone())));
        if self.expire_at(head.clone(), ttl, is_mine, corpus).await? == Write::Conflict(()) {
            return Ok(());
        }
        let pieces: Vec<Key> = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pieces_of(flock, corpus)))
            .projection_expression("pk, sk")
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(|err| request_error("list corpus", corpus.to_string(), err))?
            .into_iter()
            .map(|item| from_item(item, corpus.to_string()))
            .collect::<Result<_, _>>()?;
        let of_this_edition = match &marked.edition {
            Some(edition) => ("edition = :edition", Some((":edition", edition.clone()))),
            None => ("attribute_exists(pk) AND attribute_not_exists(edition)", None),
        };
        stream::iter(pieces.into_iter().filter(|key| *key != head).map(Ok))
            .try_for_each_concurrent(CONCURRENCY, |key| async {
                // Stored again meanwhile where it conflicts: then it is to stay.
                self.expire_at(key, ttl, of_this_edition.clone(), corpus).await.map(|_| ())
            })
            .await
    }

    async fn expire_at(
        &self,
        key: Key,
        ttl: Timestamp,
        (condition, value): (&str, Option<(&str, String)>),
        corpus: &CorpusId,
    ) -> Result<Write, StoreError> {
        let mut update = self
            .update(key, "SET #ttl = :ttl")
            .condition_expression(condition)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", AttributeValue::N(ttl.as_second().to_string()));
        if let Some((name, value)) = value {
            update = update.expression_attribute_values(name, AttributeValue::S(value));
        }
        let output = conditional(update.send().await, "let go of corpus", corpus.to_string())?;
        Ok(output.map_or(Write::Conflict(()), |_| Write::Done))
    }

    async fn write_batch(
        &self,
        mut requests: Vec<WriteRequest>,
        corpus: &CorpusId,
    ) -> Result<(), StoreError> {
        let mut wait = FIRST_WAIT;
        while !requests.is_empty() {
            let output = self
                .client
                .batch_write_item()
                .request_items(&self.table, requests)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|err| request_error("write corpus", corpus.to_string(), err))?;
            self.meter.write(output.consumed_capacity());
            // What the table had no capacity for is handed back, to be sent again after a while.
            requests = output
                .unprocessed_items
                .and_then(|mut items| items.remove(&self.table))
                .unwrap_or_default();
            if !requests.is_empty() {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        Ok(())
    }
}

fn piece(item: Item, what: &str) -> Result<Piece, StoreError> {
    let piece: PieceItem = Keyed::read(item, what)?.value;
    let corrupt =
        |err: jiff::Error| StoreError::Corrupt { what: what.to_owned(), source: err.into() };
    piece.into_piece().map_err(corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_a_schema() {
        let at = |second| Timestamp::from_second(second).ok();
        let (lines, next) = (vec!["a".to_owned()], Timing::default());
        let plain = Piece { first: 3, lines, marks: Vec::new(), next };
        let lines = vec!["a\nb".to_owned(), "c".to_owned()];
        let marks = vec![Mark::default(), Mark::at(at(7))];
        let timed =
            Piece { first: 0, lines: lines.clone(), marks, next: Timing { at: at(9), follows: 0 } };
        let follows = Mark { follows: true, ..Mark::default() };
        let marks = vec![Mark { added: true, ..Mark::default() }, follows];
        let marked = Piece { first: 0, lines, marks, next: Timing { at: None, follows: 3 } };
        let stored = [plain, timed, marked].map(|piece| {
            let item: Item = to_item(PieceItem::new(piece.clone(), None, None), "a piece").unwrap();
            let read: PieceItem = from_item(item.clone(), "a piece").unwrap();
            assert_eq!(read.into_piece().unwrap(), piece);
            serde_dynamo::from_item::<_, serde_json::Value>(item).unwrap().to_string()
        });
        insta::assert_snapshot!(stored.join("\n"), @r#"
        {"first":3,"lines":["a"]}
        {"first":0,"lines":["a\nb","c"],"next_at":9,"times":[null,7]}
        {"added":[0],"first":0,"follow":[1],"lines":["a\nb","c"],"next_follow":3}
        "#);
    }
}
