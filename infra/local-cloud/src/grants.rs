//! What the roles and policies of a template allow, and what the functions that have them are given to use.
//!
//! Names of resources and parameters stand for what they are in a deployment, so that a right and a variable can be compared: `!Ref
//! Table` and `!GetAtt Table.Arn` are both about `Table`, and a choice between two is about both. Knows nothing of what functions do.

use std::collections::{BTreeMap, BTreeSet};

use crate::yaml::{Content, Findings, Node, document};

/// Parts of a template that are meant together, each by its name and what follows it, as in `Table/index/due`.
pub type Parts = BTreeSet<String>;

/// Rights and who has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// The functions, by the name of their binary.
    pub functions: BTreeMap<String, GivenTo>,
    /// What each role or policy allows, by its name in the template: actions, each with what it may be done to.
    pub allowed: BTreeMap<String, BTreeMap<String, Parts>>,
}

/// What a function is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenTo {
    /// Its role.
    pub role: String,
    /// Its variables, those that all functions have among them, and what each is about.
    pub variables: BTreeMap<String, Parts>,
    /// Where Lambda sends what it failed on.
    pub failures_to: Parts,
}

/// Reads a template. What cannot be read is not there; other readers say what is wrong with it.
pub fn read(text: &str) -> Rights {
    let findings = Findings::default();
    let Some(root) = document(text, &findings) else { return Rights::default() };
    let mut rights = Rights::default();
    let common = at(&root, &["Globals", "Function", "Environment", "Variables"]);
    for entry in root.get("Resources").map(Node::entries).unwrap_or_default() {
        let resource = &entry.value;
        match resource.get("Type").and_then(Node::scalar) {
            Some("AWS::Serverless::Function") => {
                let binary = at(resource, &["Metadata", "BuildProperties", "Binary"]);
                let Some(binary) = binary.and_then(Node::scalar) else { continue };
                rights.functions.insert(binary.to_owned(), given(resource, common));
            }
            Some("AWS::IAM::Role" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::Policy") => {
                rights.allowed.insert(entry.key.clone(), allowed(resource));
            }
            _ => {}
        }
    }
    rights
}

fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

fn given(function: &Node, common: Option<&Node>) -> GivenTo {
    let own = at(function, &["Properties", "Environment", "Variables"]);
    let variables = [common, own].into_iter().flatten().flat_map(Node::entries);
    let role = at(function, &["Properties", "Role"]).map(parts).unwrap_or_default();
    let failures =
        ["Properties", "EventInvokeConfig", "DestinationConfig", "OnFailure", "Destination"];
    GivenTo {
        role: role.into_iter().next().unwrap_or_default(),
        variables: variables.map(|entry| (entry.key.clone(), parts(&entry.value))).collect(),
        failures_to: at(function, &failures).map(parts).unwrap_or_default(),
    }
}

/// The actions that the statements below allow. A statement with a principal says who may take a role.
fn allowed(resource: &Node) -> BTreeMap<String, Parts> {
    let mut allowed = BTreeMap::<String, Parts>::new();
    resource.walk(&mut |node| {
        if node.get("Effect").and_then(Node::scalar) != Some("Allow")
            || node.get("Principal").is_some()
        {
            return;
        }
        let on = node.get("Resource").map(parts).unwrap_or_default();
        let actions = node.get("Action").into_iter();
        for action in actions.flat_map(|actions| std::iter::once(actions).chain(actions.items())) {
            if let Some(action) = action.scalar() {
                allowed.entry(action.to_owned()).or_default().extend(on.iter().cloned());
            }
        }
    });
    allowed
}

/// The parts of the template that a value is about. Text that names none of them is itself.
fn parts(node: &Node) -> Parts {
    let mut found = Parts::new();
    collect(node, &mut found);
    found
}

fn collect(node: &Node, found: &mut Parts) {
    match (&node.content, node.tag.as_deref()) {
        (Content::Scalar { text, .. }, Some("Ref")) if text == "AWS::NoValue" => {}
        (Content::Scalar { text, .. }, Some("GetAtt")) => {
            found.insert(text.split('.').next().unwrap_or_default().to_owned());
        }
        (Content::Scalar { text, .. }, Some("Sub")) => {
            found.insert(named_in(text));
        }
        (Content::Scalar { text, .. }, _) => {
            found.insert(text.clone());
        }
        // The first of a choice is its condition.
        (Content::List(items), tag) => {
            for item in items.iter().skip(usize::from(tag == Some("If"))) {
                collect(item, found);
            }
        }
        (Content::Map(entries), _) => {
            for entry in entries {
                collect(&entry.value, found);
            }
        }
    }
}

/// The last name in the text that is not AWS's own, without its attribute and with what follows it; else the text.
fn named_in(text: &str) -> String {
    let names = text.match_indices("${").filter_map(|(start, _)| {
        let (name, rest) = text.get(start + 2..)?.split_once('}')?;
        // Six characters that Secrets Manager adds to a secret's name (AWS, "Secrets Manager ARN", 2026-11).
        let rest = rest.trim_end_matches("-??????");
        (!name.starts_with("AWS::"))
            .then(|| format!("{}{rest}", name.split('.').next().unwrap_or_default()))
    });
    names.last().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Globals:
  Function:
    Environment:
      Variables:
        TABLE_NAME: !If [HasTable, !Ref ExistingTable, !Ref Table]
Resources:
  Dew:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: dew } }
    Properties:
      Role: !GetAtt DewRole.Arn
      Environment: { Variables: { KEY: !Ref Keyring, LEVEL: high } }
      EventInvokeConfig:
        DestinationConfig:
          OnFailure: { Type: SQS, Destination: !GetAtt Letters.Arn }
  DewRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - { Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }
      Policies:
        - PolicyDocument:
            Statement:
              - Effect: Allow
                Action: [dynamodb:GetItem, dynamodb:Query]
                Resource: !If [HasTable, !Sub "arn:aws:dynamodb:${AWS::Region}:1:table/${ExistingTable}", !GetAtt Table.Arn]
              - { Effect: Allow, Action: dynamodb:Query, Resource: !Sub "${Table.Arn}/index/due" }
              - { Effect: Deny, Action: dynamodb:PutItem, Resource: !GetAtt Table.Arn }
              - !If
                - HasSecret
                - { Effect: Allow, Action: a:B, Resource: [!Ref Keyring, "arn:x"] }
                - !Ref AWS::NoValue
"#;

    #[test]
    fn rights_are_read() {
        let rights = read(TEMPLATE);
        let of = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Parts>();
        let dew = &rights.functions["dew"];
        assert_eq!(dew.role, "DewRole");
        assert_eq!(dew.variables["TABLE_NAME"], of(&["ExistingTable", "Table"]));
        assert_eq!(dew.variables["KEY"], of(&["Keyring"]));
        assert_eq!(dew.variables["LEVEL"], of(&["high"]));
        assert_eq!(dew.failures_to, of(&["Letters"]));
        let expected = BTreeMap::from([
            ("dynamodb:GetItem".to_owned(), of(&["ExistingTable", "Table"])),
            ("dynamodb:Query".to_owned(), of(&["ExistingTable", "Table", "Table/index/due"])),
            ("a:B".to_owned(), of(&["Keyring", "arn:x"])),
        ]);
        assert_eq!(rights.allowed["DewRole"], expected);
    }

    #[test]
    fn what_is_no_template_has_no_rights() {
        for text in ["", "a: [", "Resources: 1", "Resources: { A: { Type: AWS::IAM::Role } }"] {
            let rights = read(text);
            assert!(rights.functions.is_empty(), "{text}");
            assert!(rights.allowed.values().all(BTreeMap::is_empty), "{text}");
        }
    }
}
