//! Rules, and which events they match.

use serde_json::json;

use super::{changed, check_all};

#[test]
fn problems_of_rules_are_named() {
    check_all(
        r"
-             EventBusName: !Ref Bus
= line 44: `Due` of `Tick` has no `EventBusName`; write `!Ref` and the bus it listens to

- EventBusName: !Ref Bus
+ EventBusName: default
= line 47: `EventBusName` of `Due` of `Tick` must be a `!Ref` to the event bus, not `default`

- EventBusName: !Ref Bus
+ EventBusName: !Ref Buss
= line 47: `EventBusName` of `Due` of `Tick` needs `Buss`, which has no value here; correct it, or write text

- EventBusName: !Ref Bus
+ EventBusName: !Ref Bus
+             InputPath: $.detail
= line 48: the local run does not do `InputPath` of `Due` of `Tick`; {teach}

-             Pattern: { source: [flockwork], detail: { kind: [a, b] } }
= line 44: `Due` of `Tick` has no `Pattern`; write which events it is for

- { source: [flockwork], detail: { kind: [a, b] } }
+ {}
= line 48: `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { region: [x] }
= line 48: the local run does not do `region` of `Pattern` of `Due` of `Tick`; {teach}

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: flockwork }
= line 48: `source` of `Pattern` of `Due` of `Tick` must be a list, not `flockwork`

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [] }
= line 48: `source` of `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [true, 'true'] }
= line 48: `true` in a part of `source` of `Pattern` of `Due` of `Tick` is not text; quote it

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { n: [1] } }
= line 48: `1` in a part of `n` of `detail` of `Pattern` of `Due` of `Tick` is not text; quote it

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: {} }
= line 48: `detail` of `Pattern` of `Due` of `Tick` is empty; list exact texts

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { a: { b: {} } } }
= line 48: `a` of `detail` of `Pattern` of `Due` of `Tick` must be a list, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [{ prefix: flock }] }
= line 48: a part of `source` of `Pattern` of `Due` of `Tick` must be text, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { n: [{ numeric: ['>', 0] }], e: [{ exists: true }], a: [{ anything-but: [x] }] } }
= line 48: a part of `n` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping
= line 48: a part of `e` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping
= line 48: a part of `a` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { detail: { $or: [{ a: [b] }] } }
= line 48: a part of `$or` of `detail` of `Pattern` of `Due` of `Tick` must be text, not a mapping

- { source: [flockwork], detail: { kind: [a, b] } }
+ { source: [!Ref Level, [x]] }
= line 48: a part of `source` of `Pattern` of `Due` of `Tick` must be text, not `!Ref`
= line 48: a part of `source` of `Pattern` of `Due` of `Tick` must be text, not a list
",
    );
}

#[test]
fn patterns_match_like_eventbridge() {
    let pattern = |pattern: &str| {
        let given = "{ source: [flockwork], detail: { kind: [a, b] } }";
        changed(given, pattern).functions[0].rules[0].pattern.clone()
    };
    let source = pattern("{ source: [flockwork, other] }");
    assert!(source.matches("flockwork", "anything", &json!(null)));
    assert!(source.matches("other", "", &json!({})));
    assert!(!source.matches("Flockwork", "", &json!({})));
    assert!(!source.matches("flockwork2", "", &json!({})));

    let both = pattern("{ source: [flockwork], detail-type: [shard.due, post.received] }");
    assert!(both.matches("flockwork", "post.received", &json!({})));
    assert!(!both.matches("flockwork", "post.sent", &json!({})));
    assert!(!both.matches("other", "post.received", &json!({})));

    let detail = pattern("{ detail: { kind: [a, b], 'a.b': ['1'] } }");
    let matches = |value| detail.matches("s", "t", &value);
    assert!(matches(json!({ "kind": "a", "a.b": "1", "more": 1 })));
    assert!(matches(json!({ "kind": ["c", "b"], "a.b": ["1"] })));
    assert!(!matches(json!({ "kind": "c", "a.b": "1" })));
    assert!(!matches(json!({ "kind": "a", "a.b": 1 })));
    assert!(!matches(json!({ "kind": "a", "a": { "b": "1" } })));
    assert!(!matches(json!({ "kind": [["a"]], "a.b": "1" })));
    assert!(!matches(json!({ "kind": null, "a.b": "1" })));
    assert!(!matches(json!({ "kind": [], "a.b": "1" })));
    assert!(!matches(json!({ "kind": "a" })));
    assert!(!matches(json!(null)));
}
