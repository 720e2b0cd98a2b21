//! Conditions, which the local run knows while the parameters have their defaults.

use std::collections::BTreeMap;

use crate::yaml::Node;

/// Whether each condition holds; none where that cannot be worked out here.
pub(super) struct Conditions<'n>(BTreeMap<&'n str, Option<bool>>);

impl<'n> Conditions<'n> {
    pub(super) fn read(root: &'n Node, parameters: &BTreeMap<&str, Option<String>>) -> Self {
        let entries = root.get("Conditions").map(Node::entries).unwrap_or_default();
        let read = |node| holds(node, parameters);
        Self(entries.iter().map(|entry| (entry.key.as_str(), read(&entry.value))).collect())
    }

    /// Whether the condition that the node names holds, or why nobody can tell.
    pub(super) fn holds(&self, name: &Node) -> Result<bool, String> {
        let Some(text) = name.scalar() else {
            return Err(format!("a condition must be a name, not {}", name.describe()));
        };
        match self.0.get(text) {
            Some(Some(holds)) => Ok(*holds),
            Some(None) => Err(format!(
                "the local run cannot tell whether the condition `{text}` holds; \
                 make it of `!Equals`, `!Not`, text and parameters that have a default"
            )),
            None => Err(format!("there is no condition `{text}`; correct it")),
        }
    }
}

fn holds(node: &Node, parameters: &BTreeMap<&str, Option<String>>) -> Option<bool> {
    let text = |node: &Node| match node.call() {
        Some(("Ref", name)) => parameters.get(name)?.clone(),
        _ => node.scalar().map(str::to_owned),
    };
    match node.call_with_list()? {
        ("Equals", [one, other]) => Some(text(one)? == text(other)?),
        ("Not", [condition]) => Some(!holds(condition, parameters)?),
        _ => None,
    }
}
