//! What starts a function by the clock.

use super::{changed, check_all};

#[test]
fn problems_of_events_are_named() {
    check_all(
        r#"
- Type: ScheduleV2
+ Type: Schedule
= line 40: the local run cannot start a function by `Schedule`; write a ScheduleV2

- Type: ScheduleV2
+ Type: SQS
= line 40: the local run cannot start a function by `SQS`; {teach}

- Type: ScheduleV2
+ Type: [ScheduleV2]
= line 40: the local run cannot start a function by a list; {teach}

-           Type: ScheduleV2
= line 39: `Minute` of `Tick` has no `Type`; write ScheduleV2 or EventBridgeRule

- rate(1 minute)
+ rate(1 minutes)
= line 42: AWS refuses `rate(1 minutes)`; write `rate(1 minute)`

- rate(1 minute)
+ rate(5 minute)
= line 42: AWS refuses `rate(5 minute)`; write `rate(5 minutes)`

- rate(1 minute)
+ cron(0 9 * * *)
= line 42: `cron(0 9 * * *)` is no schedule of AWS: it needs six fields with one space between: minutes, hours, day of month, month, day of week, year

- rate(1 minute)
+ at(2026-03-29T02:30:00)
+             ScheduleExpressionTimezone: Europe/Berlin
= line 42: `at(2026-03-29T02:30:00)` never comes in Europe/Berlin, where clocks go past it; write another time

- rate(1 minute)
+ every minute
= line 42: `every minute` is no schedule; write it like `rate(5 minutes)`, `cron(0 9 * * ? *)` or `at(2026-01-01T00:00:00)`

- rate(1 minute)
+ !Ref Bus
= line 42: `ScheduleExpression` of `Minute` of `Tick` must be text, not the name of a resource

-             ScheduleExpression: rate(1 minute)
= line 39: `Minute` of `Tick` has no `ScheduleExpression`; write when it fires

- rate(1 minute)
+ cron(0 9 * * ? *)
+             ScheduleExpressionTimezone: Berlin
= line 43: `Berlin` is not a time zone; use a name such as Europe/London

- rate(1 minute)
+ cron(0 9 * * ? *)
+             ScheduleExpressionTimezone: europe/berlin
= line 43: `europe/berlin` is not a time zone; write Europe/Berlin

- Input: '{}'
+ Input: '{}'
+             StartDate: '2026-12-02T00:00:00Z'
+             EndDate: '2026-12-01T00:00:00.000Z'
= line 39: `Minute` of `Tick` ends before it starts; correct `StartDate` or `EndDate`

- Input: '{}'
+ Input: '{}'
+             EndDate: '2026-12-01'
= line 44: `EndDate` of `Minute` of `Tick` must be a time like 2026-01-01T00:00:00Z, not `2026-12-01`

-             Input: '{}'
= line 39: `Minute` of `Tick` has no `Input`; write what the function is given

- Input: '{}'
+ Input: '{'
= line 43: `Input` of `Minute` of `Tick` must be JSON: EOF while parsing an object at line 1 column 1

- Input: '{}'
+ Input: {}
= line 43: `Input` of `Minute` of `Tick` must be text, not a mapping

- Input: '{}'
+ Input: '{"at":"<aws.scheduler.scheduled-time>"}'
= line 43: `Input` of `Minute` of `Tick` has a place for AWS to fill, which the local run does not; write it out

- Input: '{}'
+ Input: '{}'
+             State: OFF
= line 44: `State` of `Minute` of `Tick` must be ENABLED or DISABLED, not `OFF`

- Input: '{}'
+ Input: '{}'
+             StartDate: x
= line 44: `StartDate` of `Minute` of `Tick` must be a time like 2026-01-01T00:00:00Z, not `x`
"#,
    );
}

#[test]
fn events_may_be_disabled() {
    let template = changed("Input: '{}'", "Input: '{}'\n            State: DISABLED");
    assert_eq!(template.functions[0].schedules.len(), 0);
    let template =
        changed("EventBusName: !Ref Bus", "EventBusName: !Ref Bus\n            State: DISABLED");
    assert_eq!(template.functions[0].rules.len(), 0);
}
