//! Corpora, stored in pieces so that a post reads a line and not the book.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, PutRequest, ReturnConsumedCapacity, WriteRequest,
};
use flock_core::{Corpus, CorpusId, FlockName};
use serde::{Deserialize, Serialize};

use crate::{
    Read, Store, StoreError, from_item,
    key::{Key, pieces_of},
    request_error, to_item,
};

/// BatchWriteItem takes this many (AWS, "BatchWriteItem", 2026-11).
const BATCH: usize = 25;

#[derive(Debug, Serialize, Deserialize)]
struct PieceItem {
    #[serde(flatten)]
    key: Key,
    first: u32,
    lines: Vec<String>,
}

impl Store {
    /// The line of the corpus with this index. `None`: the corpus is not there, or shorter.
    pub async fn line(
        &self,
        flock: &FlockName,
        corpus: &CorpusId,
        index: u32,
    ) -> Result<Option<String>, StoreError> {
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
        let mut piece: PieceItem = from_item(item, what())?;
        let within = usize::try_from(index.saturating_sub(piece.first)).unwrap_or(usize::MAX);
        Ok((within < piece.lines.len()).then(|| piece.lines.swap_remove(within)))
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
        let mut text = String::new();
        while let Some(item) = pieces.next().await {
            let item = item.map_err(|err| request_error("read", what.clone(), err))?;
            let piece: PieceItem = from_item(item, what.clone())?;
            for line in piece.lines {
                text += &line;
                text.push('\n');
            }
        }
        // What is cut off is another corpus than the one that was asked for.
        Ok(Corpus::parse(text.as_bytes()).ok().filter(|read| read.id() == *corpus))
    }

    /// Whether the corpus is there and whole.
    pub async fn has_corpus(
        &self,
        flock: &FlockName,
        corpus: &CorpusId,
    ) -> Result<bool, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(Key::corpus_head(flock, corpus).attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|err| request_error("look for corpus", corpus.to_string(), err))?;
        Ok(output.item.is_some())
    }

    /// Stores a corpus; once more changes nothing. `written` is told the lines written, piece by piece.
    pub async fn put_corpus(
        &self,
        flock: &FlockName,
        corpus: &Corpus,
        written: impl Fn(u32),
    ) -> Result<(), StoreError> {
        let id = corpus.id();
        for batch in corpus.pieces().chunks(BATCH) {
            let mut requests = Vec::new();
            for piece in batch {
                let key = Key::piece(flock, &id, piece.first);
                let item = PieceItem { key, first: piece.first, lines: piece.lines.clone() };
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
        // Last, because it says that all pieces are there.
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(Key::corpus_head(flock, &id).attributes()))
            .send()
            .await
            .map_err(|err| request_error("finish corpus", id.to_string(), err))?;
        Ok(())
    }

    /// Removes a corpus that no sheep of the flock uses any more.
    pub async fn delete_corpus(
        &self,
        flock: &FlockName,
        corpus: &CorpusId,
    ) -> Result<(), StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pieces_of(flock, corpus)))
            .projection_expression("pk, sk")
            .into_paginator()
            .items()
            .send();
        // `HEAD` sorts first, so a removal that is cut off leaves no corpus that seems whole.
        let mut requests = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|err| request_error("list corpus", corpus.to_string(), err))?;
            let delete =
                DeleteRequest::builder().set_key(Some(item)).build().expect("the key was given");
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        for batch in requests.chunks(BATCH) {
            self.write_batch(batch.to_vec(), corpus).await?;
        }
        Ok(())
    }

    async fn write_batch(
        &self,
        mut requests: Vec<WriteRequest>,
        corpus: &CorpusId,
    ) -> Result<(), StoreError> {
        let mut wait = Duration::from_millis(50);
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
                wait = (wait * 2).min(Duration::from_secs(5));
            }
        }
        Ok(())
    }
}
