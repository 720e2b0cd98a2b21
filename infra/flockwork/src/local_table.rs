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

use crate::serve::Limits;

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

/// Answers as `DynamoDB` does. Who may ask is not known here.
pub(crate) fn router(database: Database) -> Router {
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
