//! DynamoDB: the embedded engine, and beside it what those see who need not be shown the newest.
//!
//! DynamoDB answers reads of an index, and reads of the table that do not ask for consistency, from copies that follow the
//! table within moments (AWS, "Read consistency", 2026-11). The copy here follows with the delay it is told; each item
//! by itself, so that two items may be seen in another order than they were written in.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use dynoxide::Database;
use jiff::Timestamp;
use local_cloud::{table, template::TableDefinition};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    outside::{Answer, Asked, answer_of},
    platform::TEMPLATE,
};

/// The name of the table.
pub(crate) const NAME: &str = "flockwork";

/// The table, with its copy.
pub(crate) struct Table {
    database: Database,
    router: Router,
    copy: Option<Mutex<Copy>>,
    due: Mutex<Due>,
}

/// What is due when, as the table has it.
#[derive(Debug, Default)]
struct Due {
    by_time: BTreeSet<(i64, ItemKey)>,
    by_key: HashMap<ItemKey, i64>,
}

struct Copy {
    database: Database,
    router: Router,
    /// What is still to come, in order.
    coming: BTreeMap<(Instant, u64), (ItemKey, Option<Value>)>,
    /// When the newest change of an item comes, because none overtakes another of the same item.
    newest: HashMap<ItemKey, Instant>,
    count: u64,
}

/// `pk` and `sk`.
pub(crate) type ItemKey = (String, String);

/// One request to the table.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    operation: &'a str,
    body: Value,
}

impl Table {
    /// An empty table as the template defines it; with a copy that may be late, where `late` is to happen.
    pub(crate) fn new(late: bool) -> Self {
        let database = made(&TEMPLATE.table);
        let copy = late.then(|| {
            let database = made(&TEMPLATE.table);
            let router = table::router(database.clone());
            let (coming, newest) = (BTreeMap::new(), HashMap::new());
            Mutex::new(Copy { database, router, coming, newest, count: 0 })
        });
        let router = table::router(database.clone());
        Self { database, router, copy, due: Mutex::default() }
    }

    /// Answers as DynamoDB does; what is written is seen in the copy after `lag`.
    pub(crate) async fn answer(&self, asked: Asked, lag: impl Fn() -> Duration) -> Answer {
        let body = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        let Some(request) = Request::of(&asked, body) else {
            return answer_of(self.router.clone(), asked).await;
        };
        if request.may_be_late()
            && let Some(router) = self.copy.as_ref().map(|copy| lock(copy).caught_up())
        {
            return answer_of(router, asked).await;
        }
        let written = request.written();
        let answer = answer_of(self.router.clone(), asked).await;
        for key in written {
            let item = self.item(&key);
            self.note_due(&key, item.as_ref());
            if let Some(copy) = &self.copy {
                lock(copy).follow(key, item, lag());
            }
        }
        answer
    }

    /// When the next sheep or job is due, in seconds.
    pub(crate) fn next_due(&self) -> Option<i64> {
        lock(&self.due).by_time.first().map(|(at, _)| *at)
    }

    /// An item as it is.
    pub(crate) fn item(&self, key: &ItemKey) -> Option<Value> {
        let request = json!({ "TableName": NAME, "Key": key_of(key), "ConsistentRead": true });
        let request = serde_json::from_value(request).expect("a request");
        let answer = self.database.get_item(request).expect("the engine answers");
        let answer = serde_json::to_value(answer).expect("an answer is JSON");
        answer.get("Item").filter(|item| item.is_object()).cloned()
    }

    /// Puts an item there, as if it had been there from the beginning.
    pub(crate) fn put(&self, item: &Value) {
        let request = json!({ "TableName": NAME, "Item": item });
        let request = || serde_json::from_value(request.clone()).expect("a request");
        self.database.put_item(request()).expect("the engine takes it");
        if let Some(copy) = &self.copy {
            lock(copy).database.put_item(request()).expect("the engine takes it");
        }
    }

    /// All items, in order.
    pub(crate) fn items(&self) -> BTreeMap<ItemKey, Value> {
        let mut items = BTreeMap::new();
        let mut from = Value::Null;
        loop {
            let mut request = json!({ "TableName": NAME });
            if !from.is_null() {
                request["ExclusiveStartKey"] = from;
            }
            let request = serde_json::from_value(request).expect("a request");
            let answer = self.database.scan(request).expect("the engine answers");
            let mut answer = serde_json::to_value(answer).expect("an answer is JSON");
            let page = answer["Items"].as_array().into_iter().flatten();
            items.extend(page.filter_map(|item| Some((key_in(item)?, item.clone()))));
            // A megabyte is a page.
            from = answer["LastEvaluatedKey"].take();
            if from.is_null() {
                return items;
            }
        }
    }

    fn note_due(&self, key: &ItemKey, item: Option<&Value>) {
        let due = &mut *lock(&self.due);
        if let Some(before) = due.by_key.remove(key) {
            due.by_time.remove(&(before, key.clone()));
        }
        let at = item.filter(|item| item.get("due").is_some());
        let at = at.and_then(|item| match waits_until(item) {
            Some(until) => Some(until),
            None => item["next_at"]["N"].as_str()?.parse().ok(),
        });
        if let Some(at) = at {
            due.by_key.insert(key.clone(), at);
            due.by_time.insert((at, key.clone()));
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

impl Copy {
    /// Whoever reads now sees what has come by now.
    fn caught_up(&mut self) -> Router {
        let now = Instant::now();
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now) {
            let (key, item) = entry.remove();
            if let Some(item) = item {
                let put = json!({ "TableName": NAME, "Item": item });
                let put = serde_json::from_value(put).expect("a request");
                self.database.put_item(put).expect("the engine takes what it gave");
            } else {
                let delete = json!({ "TableName": NAME, "Key": key_of(&key) });
                let delete = serde_json::from_value(delete).expect("a request");
                self.database.delete_item(delete).expect("the engine answers");
            }
        }
        self.router.clone()
    }

    fn follow(&mut self, key: ItemKey, item: Option<Value>, lag: Duration) {
        let newest = self.newest.get(&key).copied();
        let at = newest.map_or(Instant::now() + lag, |newest| newest.max(Instant::now() + lag));
        self.newest.insert(key.clone(), at);
        self.count += 1;
        self.coming.insert((at, self.count), (key, item));
    }
}

impl<'a> Request<'a> {
    /// What is asked of DynamoDB; none where it is not asked.
    pub(crate) fn of(asked: &'a Asked, body: Value) -> Option<Self> {
        let target = asked.head.headers.get("x-amz-target")?.to_str().ok()?;
        let operation = target.strip_prefix("DynamoDB_20120810.")?;
        Some(Self { operation, body })
    }

    /// Whether it changes anything.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.operation, "GetItem" | "BatchGetItem" | "Query" | "Scan")
    }

    /// Whether the newest need not be shown.
    fn may_be_late(&self) -> bool {
        let consistent = |request: &Value| request["ConsistentRead"] == true;
        match self.operation {
            "GetItem" | "Query" | "Scan" => !consistent(&self.body),
            "BatchGetItem" => {
                let tables = self.body["RequestItems"].as_object();
                tables.is_some_and(|tables| !tables.values().any(consistent))
            }
            _ => false,
        }
    }

    /// The keys that it may write.
    pub(crate) fn written(&self) -> Vec<ItemKey> {
        let found = match self.operation {
            "PutItem" => vec![key_in(&self.body["Item"])],
            "UpdateItem" | "DeleteItem" => vec![key_in(&self.body["Key"])],
            "BatchWriteItem" => {
                let tables = self.body["RequestItems"].as_object().into_iter().flatten();
                let requests = tables.filter_map(|(_, requests)| requests.as_array()).flatten();
                let key = |request: &Value| {
                    key_in(&request["PutRequest"]["Item"])
                        .or_else(|| key_in(&request["DeleteRequest"]["Key"]))
                };
                requests.map(key).collect()
            }
            "TransactWriteItems" => {
                let items = self.body["TransactItems"].as_array().into_iter().flatten();
                let key = |item: &Value| {
                    let keyed = ["Update", "Delete"].map(|what| key_in(&item[what]["Key"]));
                    key_in(&item["Put"]["Item"]).or_else(|| keyed.into_iter().flatten().next())
                };
                items.map(key).collect()
            }
            _ => Vec::new(),
        };
        found.into_iter().flatten().collect()
    }

    /// The request in a few words.
    pub(crate) fn words(&self) -> String {
        let body = &self.body;
        let keys = match self.operation {
            "GetItem" => key_in(&body["Key"]).into_iter().collect(),
            _ => self.written(),
        };
        let keys = keys.iter().flat_map(|(pk, sk)| [" ", pk, " ", sk]).collect::<String>();
        let wanted = match body["IndexName"].as_str() {
            Some(index) => format!(" {index}"),
            None if keys.is_empty() => {
                let values = body["ExpressionAttributeValues"].as_object().into_iter().flatten();
                values.filter_map(|(_, value)| Some(format!(" {}", value["S"].as_str()?))).collect()
            }
            None => String::new(),
        };
        format!("{}{keys}{wanted}", self.operation)
    }
}

/// Until when nothing is done of a wipe that is due, because all of its accounts wait, in seconds.
fn waits_until(item: &Value) -> Option<i64> {
    let wipe = &item["wipe"]["M"];
    if wipe["all_begun"]["BOOL"] != true || !item["cancelled_by"].is_null() {
        return None;
    }
    let accounts = wipe["under_way"]["L"].as_array()?.iter();
    let until = |account: &Value| {
        let until: Timestamp = account["M"]["not_before"]["S"].as_str()?.parse().ok()?;
        Some(until.as_second())
    };
    accounts.map(until).collect::<Option<Vec<_>>>()?.into_iter().min()
}

fn made(definition: &TableDefinition) -> Database {
    let database = Database::memory().expect("memory is there");
    table::ensure(&database, NAME, definition).expect("the template defines a table");
    database
}

/// The key of an item in DynamoDB's JSON.
fn key_in(item: &Value) -> Option<ItemKey> {
    Some((item["pk"]["S"].as_str()?.to_owned(), item["sk"]["S"].as_str()?.to_owned()))
}

fn key_of((pk, sk): &ItemKey) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
