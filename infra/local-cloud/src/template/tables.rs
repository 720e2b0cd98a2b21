//! The table, as it is created.

use super::{Reading, none_of};
use crate::yaml::Value;

/// The table, as `CreateTable` and `UpdateTimeToLive` want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// The primary key.
    pub key: TableKey,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute that says when an item expires.
    pub ttl_attribute: Option<String>,
    /// Every attribute that is in a key, in the order of the file.
    pub attributes: Vec<Attribute>,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableKey {
    /// The partition key.
    pub hash: Attribute,
    /// The sort key.
    pub range: Option<Attribute>,
}

/// An attribute that is part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: AttributeKind,
}

/// The type of an [`Attribute`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// `S`
    Text,
    /// `N`
    Number,
    /// `B`
    Binary,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: TableKey,
    /// What it holds besides the keys.
    pub projection: Projection,
}

/// What an [`Index`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Only the keys of the index and of the table.
    KeysOnly,
    /// The whole item.
    All,
}

impl AttributeKind {
    /// Its letter in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }
}

impl Projection {
    /// Its word in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::All => "ALL",
        }
    }
}

const NOT_DONE_OF_TABLE: &str = "ImportSourceSpecification KinesisStreamSpecification
    LocalSecondaryIndexes StreamSpecification";

impl<'n> Reading<'n> {
    pub(super) fn table(&self, fields: &Value<'n>) -> Option<TableDefinition> {
        none_of(NOT_DONE_OF_TABLE, fields);
        let attributes = self.attributes(fields);
        let key = self.key(fields, &attributes);
        let indexes = fields.get("GlobalSecondaryIndexes").and_then(|indexes| indexes.items());
        let indexes = indexes.unwrap_or_default();
        let indexes: Vec<_> = indexes.iter().map(|item| self.index(item, &attributes)).collect();
        let ttl = fields.get("TimeToLiveSpecification");
        let ttl_attribute = ttl.and_then(|ttl| self.ttl_attribute(&ttl));
        let (key, indexes) = (key?, indexes.into_iter().collect::<Option<Vec<Index>>>()?);
        let keys = || std::iter::once(&key).chain(indexes.iter().map(|index| &index.key));
        for unused in attributes.iter().filter(|attribute| {
            !keys().any(|key| key.hash == **attribute || key.range.as_ref() == Some(attribute))
        }) {
            fields.finding(format!("the attribute `{}` is in no key; remove it", unused.name));
        }
        Some(TableDefinition { key, indexes, ttl_attribute, attributes })
    }

    fn attributes(&self, fields: &Value<'n>) -> Vec<Attribute> {
        let items = fields.need("AttributeDefinitions", "the attributes of its keys");
        let items = items.and_then(|items| items.items()).unwrap_or_default();
        let read = |item: &Value<'n>| {
            let [name, kind] = self.pair(item, ["AttributeName", "AttributeType"])?;
            let kind = match kind.as_str() {
                "S" => AttributeKind::Text,
                "N" => AttributeKind::Number,
                "B" => AttributeKind::Binary,
                _ => {
                    let text = "must be S, N or B, not";
                    item.finding(format!("`AttributeType` of `{name}` {text} `{kind}`"));
                    return None;
                }
            };
            Some(Attribute { name, kind })
        };
        items.iter().filter_map(read).collect()
    }

    fn key(&self, fields: &Value<'n>, attributes: &[Attribute]) -> Option<TableKey> {
        let schema = fields.need("KeySchema", "its key")?;
        let (mut kinds, mut parts) = (Vec::new(), Vec::new());
        for item in schema.items()? {
            let [name, kind] = self.pair(&item, ["AttributeName", "KeyType"])?;
            let attribute = attributes.iter().find(|attribute| attribute.name == name).cloned();
            if attribute.is_none() {
                let text = "has no type; add it to `AttributeDefinitions`";
                item.finding(format!("`{name}` in {} {text}", schema.what));
            }
            kinds.push(kind);
            parts.push(attribute);
        }
        if kinds != ["HASH"] && kinds != ["HASH", "RANGE"] {
            let text = "must be one HASH and at most one RANGE after it";
            schema.finding(format!("{} {text}", schema.what));
            return None;
        }
        let mut parts = parts.into_iter().collect::<Option<Vec<Attribute>>>()?.into_iter();
        Some(TableKey { hash: parts.next()?, range: parts.next() })
    }

    fn index(&self, item: &Value<'n>, attributes: &[Attribute]) -> Option<Index> {
        let index = item.mapping()?;
        let name = self.text(&index.need("IndexName", "what the code calls it")?)?;
        let index = Value { what: format!("the index `{name}`"), ..index };
        let key = self.key(&index, attributes);
        let projection = index.need("Projection", "`{ ProjectionType: KEYS_ONLY }` or ALL")?;
        let projection = projection.mapping()?;
        let projection = projection.need("ProjectionType", "KEYS_ONLY or ALL")?;
        let projection = match projection.choice(&["KEYS_ONLY", "ALL"])? {
            "ALL" => Projection::All,
            _ => Projection::KeysOnly,
        };
        Some(Index { name, key: key?, projection })
    }

    pub(super) fn ttl_attribute(&self, value: &Value<'n>) -> Option<String> {
        let ttl = value.mapping()?;
        if ttl.need("Enabled", "true or false")?.choice(&["true", "false"])? == "false" {
            return None;
        }
        self.text(&ttl.need("AttributeName", "which attribute says when")?)
    }

    /// Two texts under these keys.
    fn pair(&self, item: &Value<'n>, keys: [&str; 2]) -> Option<[String; 2]> {
        let fields = item.mapping()?;
        let [first, second] = keys.map(|key| self.text(&fields.need(key, "it")?));
        Some([first?, second?])
    }
}
