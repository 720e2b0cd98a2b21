//! The table.

use super::check_all;

#[test]
fn problems_of_tables_are_named() {
    check_all(
        r"
-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
= line 12: `Table` has no `KeySchema`; write its key

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: [{ AttributeName: pk, KeyType: RANGE }]
= line 18: `KeySchema` of `Table` must be one HASH and at most one RANGE after it

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: [{ AttributeName: id, KeyType: HASH }]
= line 18: `id` in `KeySchema` of `Table` has no type; add it to `AttributeDefinitions`

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: [{ Name: pk, KeyType: HASH }]
= line 18: a part of `KeySchema` of `Table` has no `AttributeName`; write it

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: pk
= line 18: `KeySchema` of `Table` must be a list, not `pk`

-       KeySchema: [{ AttributeName: pk, KeyType: HASH }]
+       KeySchema: []
= line 18: `KeySchema` of `Table` must be one HASH and at most one RANGE after it

- AttributeName: at, AttributeType: N }
+ AttributeName: at, AttributeType: T }
= line 17: `AttributeType` of `at` must be S, N or B, not `T`
= line 21: `at` in `KeySchema` of the index `by_at` has no type; add it to `AttributeDefinitions`

- AttributeName: at, AttributeType: N }
+ AttributeName: at, AttributeType: N }
+         - { AttributeName: x, AttributeType: B }
= line 12: the attribute `x` is in no key; remove it

-         - IndexName: by_at
-           KeySchema
+         - KeySchema
= line 20: a part of `GlobalSecondaryIndexes` of `Table` has no `IndexName`; write what the code calls it

- ProjectionType: ALL
+ ProjectionType: INCLUDE
= line 22: `ProjectionType` of `Projection` of the index `by_at` must be KEYS_ONLY or ALL, not `INCLUDE`

- ProjectionType: ALL
+ Type: ALL
= line 22: `Projection` of the index `by_at` has no `ProjectionType`; write KEYS_ONLY or ALL

-           Projection: { ProjectionType: ALL }
= line 20: the index `by_at` has no `Projection`; write `{ ProjectionType: KEYS_ONLY }` or ALL

- AttributeName: ttl, Enabled: true
+ AttributeName: ttl, Enabled: yes
= line 23: `Enabled` of `TimeToLiveSpecification` of `Table` must be true or false, not `yes`

- AttributeName: ttl, Enabled: true
+ Enabled: true
= line 23: `TimeToLiveSpecification` of `Table` has no `AttributeName`; write which attribute says when

- AttributeName: ttl, Enabled: true
+ AttributeName: ttl
= line 23: `TimeToLiveSpecification` of `Table` has no `Enabled`; write true or false

-       TimeToLiveSpecification:
+       StreamSpecification: {}
+       TimeToLiveSpecification:
= line 23: the local run does not do `StreamSpecification` of `Table`; {teach}
",
    );
}
