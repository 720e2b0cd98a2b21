//! Texts that were set aside, because their network does not take them.

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{Occurrence, SheepId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Keyed, Read, Store, StoreError,
    key::{Key, asides_of},
    post::kept_until,
    request_error,
    sheep::Seconds,
};

/// A text that was not posted and will not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// The number of the post that it would have been.
    pub occurrence: Occurrence,
    /// When it was due.
    pub at: Timestamp,
    /// The text.
    pub text: String,
    /// Why its network does not take it, for a person.
    pub why: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct AsideItem {
    at: Seconds,
    text: String,
    why: String,
    ttl: Seconds,
}

impl Store {
    /// Notes that `sheep` has set a text aside. The first reason stays.
    pub async fn put_aside(&self, sheep: &SheepId, aside: &Aside) -> Result<(), StoreError> {
        let Aside { occurrence, at, text, why } = aside;
        let what = format!("the text of post {occurrence} of {sheep}, which is set aside");
        let item = AsideItem {
            at: (*at).into(),
            text: text.clone(),
            why: why.clone(),
            ttl: kept_until(*at),
        };
        self.put_version(&what, Key::aside(sheep, *occurrence), item, 0).await.map(|_| ())
    }

    /// What `sheep` has set aside under this number.
    pub async fn aside(
        &self,
        sheep: &SheepId,
        occurrence: Occurrence,
    ) -> Result<Option<Aside>, StoreError> {
        let what = format!("what {sheep} has set aside");
        let item: Option<AsideItem> =
            self.one(&what, Key::aside(sheep, occurrence), Read::Consistent).await?;
        item.map(|item| item.into_aside(occurrence, &what)).transpose()
    }

    /// What `sheep` has set aside, the newest first, at most `limit`.
    pub async fn newest_asides(
        &self,
        sheep: &SheepId,
        limit: usize,
    ) -> Result<Vec<Aside>, StoreError> {
        let what = format!("what {sheep} has set aside");
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(asides_of(sheep)))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX).max(1))
            .send()
            .await
            .map_err(|err| request_error("list", what.clone(), err))?;
        let mut asides = Vec::new();
        for item in output.items.unwrap_or_default() {
            let Keyed { key, value, .. } = Keyed::<AsideItem>::read(item, &what)?;
            let number = key.as_occurrence().ok_or_else(|| StoreError::Corrupt {
                what: what.clone(),
                source: "its key has no number".into(),
            })?;
            asides.push(value.into_aside(number, &what)?);
        }
        Ok(asides)
    }
}

impl AsideItem {
    fn into_aside(self, occurrence: Occurrence, what: &str) -> Result<Aside, StoreError> {
        let Self { at, text, why, ttl: _ } = self;
        let at = at.try_into().map_err(|source: jiff::Error| StoreError::Corrupt {
            what: what.to_owned(),
            source: Box::new(source),
        })?;
        Ok(Aside { occurrence, at, text, why })
    }
}
