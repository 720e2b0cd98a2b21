//! Functions and what they leave out.

use super::{GOOD, changed, check_all, good};
use crate::template::secrets::SecretValue;

#[test]
fn problems_of_functions_are_named() {
    check_all(
        r"
- , BuildProperties: { Binary: tick }
= line 30: `Tick` does not say which program it is; write `Binary` in its `Metadata`: `{ BuildProperties: { Binary: ... } }`

-     Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: tick } }
= line 30: `Tick` does not say which program it is; write `Binary` in its `Metadata`: `{ BuildProperties: { Binary: ... } }`

- Binary: tick
+ Binary: ../tick
= line 32: `../tick` may be more than text to CloudFormation; quote it

- BuildMethod: rust-cargolambda
+ BuildMethod: makefile
= line 32: `BuildMethod` of `Tick` must be rust-cargolambda, not `makefile`

-       Timeout: 50
+       Timeout: 901
= line 34: `Timeout` of `Tick` must be 1 to 900 seconds, not `901`

-       Timeout: 50
+       EventInvokeConfig: { DestinationConfig: { OnFailure: { Type: SQS }, OnSuccess: { Type: SQS } } }
= line 34: the local run does not do `OnSuccess` of `DestinationConfig` of `EventInvokeConfig` of `Tick`; {teach}

-       Timeout: 50
+       Timeout: 0
= line 34: `Timeout` of `Tick` must be 1 to 900 seconds, not `0`

-       Timeout: 50
+       Timeout: fifty
= line 34: `Timeout` of `Tick` must be 1 to 900 seconds, not `fifty`

-       Timeout: 50
+       Timeout: 1_0
= line 34: `1_0` may be more than text to CloudFormation; quote it

-       Timeout: 50
+       FunctionUrlConfig: { AuthType: NONE }
= line 34: the local run does not do `FunctionUrlConfig` of `Tick`; {teach}

-       Timeout: 50
+       PackageType: Image
= line 34: `PackageType` of `Tick` must be Zip, not `Image`

-       Timeout: 50
+       Runtime: !Ref Level
= line 34: `Runtime` of `Tick` must be provided.al2023 or provided.al2, not `!Ref`

-         Variables:
-           LEVEL: !Sub x=${Level}
+         Variables: x
= line 36: `Variables` of `Environment` of `Tick` must be a mapping, not `x`
",
    );
}

#[test]
fn what_is_left_out_has_the_default_of_aws() {
    let timeout = |from, to| changed(from, to).functions[0].timeout.as_secs();
    assert_eq!(timeout("      Timeout: 50\n", ""), 3);
    let global = "    Runtime: provided.al2023\n";
    assert_eq!(timeout(global, "    Timeout: 9\n"), 50);
    let both = GOOD.replace(global, "    Timeout: 9\n").replace("      Timeout: 50\n", "");
    assert_eq!(good(&both).functions[0].timeout.as_secs(), 9);
    let secret = |value: &str| {
        let given = "{ SecretStringTemplate: '{\"a\":1}', GenerateStringKey: k }";
        changed(&format!("GenerateSecretString: {given}"), value).secrets[0].value.clone()
    };
    assert_eq!(secret("Name: x"), SecretValue::Empty);
    assert_eq!(secret("SecretString: '{}'"), SecretValue::Literal("{}".to_owned()));
    assert_eq!(secret("GenerateSecretString: {}"), SecretValue::Password { length: 32 });
    let length = "GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true }";
    assert_eq!(secret(length), SecretValue::Password { length: 64 });
    let off = changed("AttributeName: ttl, Enabled: true", "AttributeName: ttl, Enabled: false");
    assert_eq!(off.table.ttl_attribute, None);
}
