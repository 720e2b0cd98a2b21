//! Holds: any text is a template or refused, and audited, with lines that are in it.
#![no_main]

use flockwork::{audit::audit, template::Template, yaml::Problem};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    // YAML ends lines with line feeds, carriage returns or both; its parser counts the end as a line of its own.
    let lines = text.split(['\n', '\r']).count() + 1;
    let check = |problems: &[Problem]| {
        for problem in problems {
            assert!((1..=lines).contains(&problem.line), "{problem} of {lines} lines");
        }
    };
    match Template::parse(text) {
        Ok(template) => {
            let detail = json!({ "sheep": "a", "tags": ["a", { "b": null }] });
            for rule in template.functions.iter().flat_map(|function| &function.rules) {
                let _ = rule.pattern.matches("flockwork", "post.received", &detail);
            }
        }
        Err(problems) => {
            assert!(!problems.problems().is_empty());
            check(problems.problems());
        }
    }
    check(&audit(text));
});
