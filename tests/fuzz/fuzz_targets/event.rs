//! Holds: any JSON is an event of ours, with the kind it names and the parts it has, or refused in a few words.
#![no_main]

use flock_core::{Event, SheepId};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Corpus::Reject };
    match Event::read(&value) {
        Ok(event) => {
            // serde takes the fields of a struct in order, too.
            let kind = match &value {
                Value::Array(fields) => fields[0].as_str(),
                value => value["detail-type"].as_str(),
            };
            assert_eq!(kind, Some(event.kind()));
            match &event {
                Event::ShardDue { shard } => assert!(*shard < 64),
                Event::SheepStopped(trouble) => {
                    let id: SheepId = trouble.sheep.to_string().parse().expect("it is written so");
                    assert_eq!(id, trouble.sheep);
                }
                _ => {}
            }
            assert_eq!(Event::read(&json!(event)), Ok(event));
        }
        // It is logged, and the text in it is not ours.
        Err(err) => assert!(err.to_string().chars().count() < 500, "{err}"),
    }
    Corpus::Keep
});
