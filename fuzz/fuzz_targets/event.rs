//! Holds: any JSON is a tick, a shard there can be, the sheep it names, or refused in a few words.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;
use sheep_tick::Event;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return Corpus::Reject };
    let kind = event.get("detail-type").and_then(Value::as_str);
    match Event::try_from(&event) {
        Ok(Event::Tick) => assert_eq!(kind, Some("Scheduled Event")),
        Ok(Event::Shard(shard)) => {
            assert_eq!(kind, Some("shard.due"));
            assert!(shard < 64);
        }
        Ok(Event::Sheep(id)) => {
            assert_eq!(kind, Some("sheep.due"));
            // serde takes the fields of a struct in order, too.
            let detail = |place: usize, field: &str| match &event["detail"] {
                Value::Array(fields) => fields[place].as_str(),
                detail => detail[field].as_str(),
            };
            assert_eq!(detail(0, "flock"), Some(id.flock.as_str()));
            assert_eq!(detail(1, "sheep"), Some(id.name.as_str()));
        }
        // It is logged, and the text in it is not ours.
        Err(err) => assert!(err.to_string().chars().count() < 500, "{err}"),
    }
    Corpus::Keep
});
