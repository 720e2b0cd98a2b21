//! Notes of what went over the wire, to be held against X's own document by `.ci/x_contract.py`.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::http::{HeaderMap, header, request::Parts};
use serde_json::{Value, json};

/// A file with a line of JSON for each exchange; none, when nobody asks for it.
#[derive(Debug)]
pub(super) struct Exchanges(Option<Mutex<File>>);

/// One exchange. It is noted when it ends, also when its client goes away before.
#[derive(Debug)]
pub(super) struct Note<'a> {
    exchanges: &'a Exchanges,
    line: Value,
}

impl Exchanges {
    /// A file of its own in the folder the environment variable `X_EXCHANGES` names.
    pub(super) fn from_env() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "a test's own setting, not the functions'")]
        let folder = std::env::var("X_EXCHANGES").ok().filter(|folder| !folder.is_empty());
        Self(folder.map(|folder| {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{number}.jsonl", std::process::id());
            let file = File::options()
                .create(true)
                .append(true)
                .open(Path::new(&folder).join(name))
                .expect("X_EXCHANGES names a folder");
            Mutex::new(file)
        }))
    }

    /// Begins to note an exchange; nothing is noted of one that is not `meant`.
    pub(super) fn begin(&self, request: &Parts, body: &[u8], meant: bool) -> Note<'_> {
        if self.0.is_none() || !meant {
            return Note { exchanges: self, line: Value::Null };
        }
        let text = |value: &[u8]| Value::from(String::from_utf8_lossy(value).into_owned());
        let body = match serde_json::from_slice(body) {
            _ if body.is_empty() => Value::Null,
            Ok(body) => body,
            Err(_) => text(body),
        };
        let line = json!({
            "method": request.method.as_str(),
            "path": request.uri.path(),
            "query": request.uri.query().unwrap_or_default(),
            "content_type": content_type(&request.headers),
            "body": body,
            // What a client that was never answered saw.
            "status": null,
            "answer_type": null,
            "answer": null,
            "misbehaved": false,
        });
        Note { exchanges: self, line }
    }
}

impl Note<'_> {
    /// X is having a bad day: its answer is not one its document knows.
    pub(super) fn misbehaved(&mut self) {
        self.set("misbehaved", true.into());
    }

    pub(super) fn answered(&mut self, status: u16, headers: &HeaderMap, body: Value) {
        self.set("status", status.into());
        self.set("answer_type", content_type(headers));
        self.set("answer", body);
    }

    fn set(&mut self, field: &str, value: Value) {
        if let Some(line) = self.line.as_object_mut() {
            line.insert(field.to_owned(), value);
        }
    }
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        let Some(file) = self.exchanges.0.as_ref().filter(|_| !self.line.is_null()) else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{}", self.line).expect("the folder of X_EXCHANGES takes files");
    }
}

fn content_type(headers: &HeaderMap) -> Value {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.into()
}
