//! Secrets.

use super::check_all;

#[test]
fn problems_of_secrets_are_named() {
    check_all(
        r#"
- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { GenerateStringKey: k }
= line 28: `GenerateSecretString` of `Keyring` needs `SecretStringTemplate` and `GenerateStringKey`, or neither

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { SecretStringTemplate: '[]', GenerateStringKey: k }
= line 28: `SecretStringTemplate` of `GenerateSecretString` of `Keyring` must be a JSON object: invalid type: sequence, expected a map at line 1 column 0

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { PasswordLength: 5000 }
= line 28: `PasswordLength` of `GenerateSecretString` of `Keyring` must be 1 to 4096 characters, not `5000`

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ { ExcludeLowercase: true }
= line 28: the local run does not do `ExcludeLowercase` of `GenerateSecretString` of `Keyring`; {teach}

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ {}
+       SecretString: x
= line 28: `Keyring` has both `SecretString` and `GenerateSecretString`; remove one

- { SecretStringTemplate: '{"a":1}', GenerateStringKey: k }
+ x
= line 28: `GenerateSecretString` of `Keyring` must be a mapping, not `x`
"#,
    );
}
