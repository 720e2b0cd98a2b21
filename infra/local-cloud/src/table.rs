//! `DynamoDB` on this machine: its JSON protocol over the embedded engine. The engine brings a server of its own,
//! which would answer any page in any browser.

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use loopback::serve::Limits;

use crate::template::{Attribute, TableDefinition, TableKey};

const JSON: &str = "application/x-amz-json-1.0";

/// How an operation's request becomes its answer, in JSON.
type Operation = fn(&Database, &str) -> Result<String, DynoxideError>;

/// The operations, each with the engine's function for it.
macro_rules! operations {
    ($($name:literal => $function:ident,)*) => {
        fn operation(name: &str) -> Option<Operation> {
            match name {
                $($name => Some(|database, body| carry_out(body, |request| database.$function(request))),)*
                _ => None,
            }
        }
    };
}

operations! {
    "GetItem" => get_item,
    "PutItem" => put_item,
    "UpdateItem" => update_item,
    "DeleteItem" => delete_item,
    "Query" => query,
    "Scan" => scan,
    "BatchGetItem" => batch_get_item,
    "BatchWriteItem" => batch_write_item,
    "TransactGetItems" => transact_get_items,
    "TransactWriteItems" => transact_write_items,
    "ExecuteStatement" => execute_statement,
    "ListTables" => list_tables,
    "DescribeTable" => describe_table,
    "CreateTable" => create_table,
    "UpdateTable" => update_table,
    "DeleteTable" => delete_table,
    "DescribeTimeToLive" => describe_time_to_live,
    "UpdateTimeToLive" => update_time_to_live,
}

/// Lets there be a table called `name`, as the template defines it.
pub fn ensure(database: &Database, name: &str, definition: &TableDefinition) -> anyhow::Result<()> {
    let known = database.list_tables(serde_json::from_value(json!({}))?)?;
    if known.table_names.iter().any(|known| known == name) {
        return Ok(());
    }
    let key = |key: &TableKey| {
        let element = |kind: &str, attribute: &Attribute| json!({ "AttributeName": attribute.name, "KeyType": kind });
        let range = key.range.iter().map(|range| element("RANGE", range));
        std::iter::once(element("HASH", &key.hash)).chain(range).collect::<Vec<_>>()
    };
    let attributes = definition.attributes.iter().map(|attribute| {
        json!({ "AttributeName": attribute.name, "AttributeType": attribute.kind.as_str() })
    });
    let indexes = definition.indexes.iter().map(|index| {
        json!({
            "IndexName": index.name,
            "KeySchema": key(&index.key),
            "Projection": { "ProjectionType": index.projection.as_str() },
        })
    });
    let mut request = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": key(&definition.key),
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
    });
    let indexes: Vec<_> = indexes.collect();
    if !indexes.is_empty() {
        request["GlobalSecondaryIndexes"] = indexes.into();
    }
    database.create_table(serde_json::from_value(request)?)?;
    if let Some(attribute) = &definition.ttl_attribute {
        let request = json!({
            "TableName": name,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        });
        database.update_time_to_live(serde_json::from_value(request)?)?;
    }
    Ok(())
}

/// Answers as `DynamoDB` does. Who may ask is not known here.
pub fn router(database: Database) -> Router {
    Router::new()
        .route("/", post(answer))
        .layer(DefaultBodyLimit::max(Limits::AWS.body))
        .with_state(database)
}

async fn answer(State(database): State<Database>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let name = target.and_then(|target| target.strip_prefix("DynamoDB_20120810."));
    let Some(operation) = name.and_then(operation) else {
        let body = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
        return (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, JSON)], body).into_response();
    };
    let (status, body) = match operation(&database, &body) {
        Ok(body) => (StatusCode::OK, body),
        Err(err) => {
            let status = StatusCode::from_u16(err.status_code());
            (status.unwrap_or(StatusCode::BAD_REQUEST), err.to_json())
        }
    };
    (status, [(CONTENT_TYPE, JSON)], body).into_response()
}

fn carry_out<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    with: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_str(body)
        .map_err(|err| DynoxideError::SerializationException(err.to_string()))?;
    let answer = with(request)?;
    serde_json::to_string(&answer)
        .map_err(|err| DynoxideError::InternalServerError(err.to_string()))
}
