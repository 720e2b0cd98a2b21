//! Holds: any text is shown, as HTML and in a terminal, in a size that follows from its own, and none of it is a tag.
#![no_main]

use libfuzzer_sys::fuzz_target;
use local_slack::mrkdwn::{Names, html, plain};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let names = Names::default();
    let html = html(&text, &names).into_string();
    assert!(html.len() <= 32 * text.len() + 64, "{} bytes of {}", html.len(), text.len());
    for tag in html.split('<').skip(1) {
        let ours = ["p>", "blockquote>", "pre>", "code>", "strong>", "em>", "s>", "a>", "span>"];
        let ours = ours.iter().any(|ours| tag.strip_prefix('/').unwrap_or(tag).starts_with(ours));
        let others = ["br>", "a href=\"", "span class=\"mention\">"];
        assert!(ours || others.iter().any(|ours| tag.starts_with(ours)), "{html}");
    }
    assert!(plain(&text, &names).len() <= 2 * text.len() + 2, "{text:?}");
});
