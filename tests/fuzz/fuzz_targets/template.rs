//! Holds: any text is a template or refused, and looked through for what must not be deployed, with lines that are in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use local_cloud::{exposure, template::Template, yaml::Finding};
use serde_json::json;

fuzz_target!(|text: &str| {
    // YAML ends lines with line feeds, carriage returns or both; its parser counts the end as a line of its own.
    let lines = text.split(['\n', '\r']).count() + 1;
    let check = |findings: &[Finding]| {
        for finding in findings {
            assert!((1..=lines).contains(&finding.line), "{finding} of {lines} lines");
        }
    };
    match Template::parse(text) {
        Ok(template) => {
            let detail = json!({ "sheep": "a", "tags": ["a", { "b": null }] });
            for rule in template.functions.iter().flat_map(|function| &function.rules) {
                let _ = rule.pattern.matches("flockwork", "post.received", &detail);
            }
        }
        Err(err) => {
            assert!(!err.findings().is_empty());
            check(err.findings());
        }
    }
    check(&exposure::check(text, &["NETWORKS_ON_LOOPBACK"]));
});
