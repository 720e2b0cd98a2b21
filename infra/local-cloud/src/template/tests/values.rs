//! References, and what is made of them.

use super::{GOOD, changed, check_all, findings, good, text};
use crate::template::values::EnvValue;

#[test]
fn problems_of_references_are_named() {
    check_all(
        r"
- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Levle
= line 37: the variable `LEVEL` needs `Levle`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub x=${Levle}
= line 37: the variable `LEVEL` needs `Levle`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub x=${Level
= line 37: `!Sub` has a `${` that is not closed; write `}`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref [Level]
= line 37: the local run cannot work out `!Ref` for the variable `LEVEL`; write text, `!Ref`, `!Sub` or `!If`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref
= line 37: the variable `LEVEL` needs ``, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Reff Level
= line 37: the local run cannot work out `!Reff` for the variable `LEVEL`; write text, `!Ref`, `!Sub` or `!If`

- LEVEL: !Sub x=${Level}
+ LEVEL: !GetAtt Table.Arn
= line 37: the local run cannot work out `!GetAtt` for the variable `LEVEL`; write text, `!Ref`, `!Sub` or `!If`

- LEVEL: !Sub x=${Level}
+ LEVEL: !GetAtt Tabel.Arn
= line 37: the local run cannot work out `!GetAtt` for the variable `LEVEL`; write text, `!Ref`, `!Sub` or `!If`

- LEVEL: !Sub x=${Level}
+ LEVEL: !If [Small, !Ref Levle, b]
= line 37: the variable `LEVEL` needs `Levle`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !If [Small, a]
= line 37: the local run cannot work out `!If` for the variable `LEVEL`; write text, `!Ref`, `!Sub` or `!If`

- LEVEL: !Sub x=${Level}
+ LEVEL: !If [Smaller, a, b]
= line 37: the variable `LEVEL`: there is no condition `Smaller`; correct it

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub ${Table}-x
= line 37: the variable `LEVEL` has `Table` within text; use it alone

- LEVEL: !Sub x=${Level}
+ LEVEL: !Sub ['${a}', { a: b }]
= line 37: the local run cannot work out `!Sub` for the variable `LEVEL`; write text, `!Ref`, `!Sub` or `!If`

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Bare
= line 37: the variable `LEVEL` needs the parameter `Bare`, which has no default; give it one

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Queue
= line 37: the variable `LEVEL` needs a name of `Queue`, but AWS::SQS::Queue is not run locally; remove it

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref Tick
= line 37: the variable `LEVEL` is the function `Tick`; functions meet on the bus, remove it

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref TickMinute
= line 37: the variable `LEVEL` needs `TickMinute`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref AWS::Region
= line 37: the variable `LEVEL` needs `AWS::Region`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: !Ref AWS::Regoin
= line 37: the variable `LEVEL` needs `AWS::Regoin`, which has no value here; correct it, or write text

- LEVEL: !Sub x=${Level}
+ LEVEL: { Ref: Levle }
= line 37: the variable `LEVEL` must be text, not a mapping

- LEVEL: !Sub x=${Level}
+ LEVEL: { 'Fn::Base64': !Ref Level }
= line 37: the variable `LEVEL` must be text, not a mapping

- LEVEL: !Sub x=${Level}
+ LEVEL: yes
= line 37: `yes` may be more than text to CloudFormation; quote it

- LEVEL: !Sub x=${Level}
+ LEVEL: 010
= line 37: `010` may be more than text to CloudFormation; quote it

- LEVEL: !Sub x=${Level}
+ LEVEL:
= line 37: the variable `LEVEL` must be text, not empty

- LEVEL: !Sub x=${Level}
+ LEVEL: [a]
= line 37: the variable `LEVEL` must be text, not a list
",
    );
}

#[test]
fn values_are_worked_out() {
    good(&GOOD.replace('\n', "\r\n"));
    good(&format!("\u{feff}---\n{GOOD}..."));
    let level = |value: &str| {
        let template = changed("!Sub x=${Level}", value);
        template.functions[0].environment["LEVEL"].clone()
    };
    for (value, expected) in [
        ("!Sub ${!Level}-${Level}", "${Level}-info"),
        ("!If [Small, !Sub 'a ${Level}', !Ref Levle]", "a info"),
        ("\"\"", ""),
        ("'010'", "010"),
        ("-12", "-12"),
        ("true", "true"),
        ("|\n            two\n            lines", "two\nlines\n"),
        ("&here x", "x"),
    ] {
        assert_eq!(level(value), text(expected), "{value}");
    }
    assert_eq!(level("!Ref Bus"), EnvValue::Bus);
    assert_eq!(level("!Sub ${Table}"), EnvValue::Table);
    assert_eq!(level("!Ref Keyring"), EnvValue::Secret("Keyring".to_owned()));
    assert_eq!(level("!Sub ${Api.ApiEndpoint}/keys"), EnvValue::Address("/keys".to_owned()));
}

/// Those of a template that is run as it is deployed without any parameter.
#[test]
fn conditions_hold_as_the_defaults_make_them() {
    let small = "!Equals [!Ref Level, info]";
    let with = |condition: &str, from: &str, to: &str| {
        assert_eq!((GOOD.matches(small).count(), GOOD.matches(from).count()), (1, 1));
        GOOD.replacen(small, condition, 1).replacen(from, to, 1)
    };
    let secret = "Type: AWS::SecretsManager::Secret";
    let conditional = format!("{secret}\n    Condition: Small");
    for (condition, holds) in [
        (small, true),
        ("!Equals [!Ref Level, debug]", false),
        ("!Not [!Equals [!Ref Level, debug]]", true),
        ("!Equals [a, a]", true),
    ] {
        let template = good(&with(condition, "!Sub x=${Level}", "!If [Small, one, other]"));
        let expected = if holds { "one" } else { "other" };
        let level = &template.functions[0].environment["LEVEL"];
        assert_eq!(*level, text(expected), "{condition}");
        let template = good(&with(condition, secret, &conditional));
        assert_eq!(template.secrets.len(), usize::from(holds), "{condition}");
    }
    for condition in ["!Equals [!Ref Bare, a]", "!Or [!Equals [a, a], !Equals [a, b]]", "small"] {
        assert_eq!(
            findings(&with(condition, secret, &conditional)),
            "line 27: the local run cannot tell whether the condition `Small` holds; \
             make it of `!Equals`, `!Not`, text and parameters that have a default"
        );
        // Of what has no meaning here, nobody needs to know.
        let queue = "{ Type: AWS::SQS::Queue }";
        good(&with(condition, queue, "{ Type: AWS::SQS::Queue, Condition: Small }"));
    }
}
