//! `flockwork slack`: enters something in the local Slack and prints what is answered, and the manifest of the
//! real app.

use std::{
    io::{self, Write as _},
    net::Ipv4Addr,
    time::Duration,
};

use anyhow::{Context as _, bail};
use axum::Router;
use flock_aws::Clock;
use local_cloud::dispatch::Invoked;
use local_slack::{
    desk::{Asked, Change, Heard, Input, Shown, ShownButton, SlackDesk},
    sender::COMMAND,
};
use loopback::{
    Token,
    serve::{Limits, serve},
};
use reqwest::Url;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    cli::{Place, Say},
    connect::{check_answers, read_template},
    data_dir::{DataDir, Endpoint, Hold},
    environment, functions,
    local_secrets::Lost,
    machine::Ground,
    refusal::refuse,
    terminal::harmless,
};

/// The app as api.slack.com takes it.
const MANIFEST: &str = include_str!("../../slack-manifest.yaml");

/// Longer than the desk waits for what is deferred.
const LONGEST: Duration = Duration::from_mins(2);

/// What stands in the manifest in the place of a deployment.
const PLACEHOLDER: &str = "https://REPLACE.execute-api.us-east-1.amazonaws.com";

/// Enters what `say` says and prints what is answered.
pub async fn say(place: &Place, say: &Say) -> anyhow::Result<()> {
    if place.aws {
        return Err(refuse(
            "`slack` is for this machine; what is deployed is spoken to in Slack itself",
        ));
    }
    let text = say.text.join(" ");
    let command = text.split_whitespace().next().unwrap_or_default();
    if !command.eq_ignore_ascii_case(COMMAND) && !text.starts_with('@') && !text.starts_with("<@") {
        return Err(refuse(format!(
            "`{text}` is not for the bot: begin with {COMMAND}, as in \"{COMMAND} help\", or with its name, \
             as in \"@flockwork help\""
        )));
    }
    let template = read_template(place)?;
    match DataDir::hold(&place.data).await? {
        Hold::Running(endpoint) => {
            check_answers(&place.data, &endpoint).await?;
            converse(&endpoint.slack, &endpoint.token, say, text, &mut io::stdout()).await
        }
        Hold::Ours(data_dir) => {
            functions::refuse_unrunnable(place.template(), &template.functions)?;
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let ground = Ground::open(&data_dir, &template, Lost::Refused).await?;
            let clock = Clock::ahead(ground.ahead);
            // Nothing that Slack sends is for a program of its own.
            let linked_in = template.functions.into_iter().filter(functions::is_linked_in);
            let functions = linked_in.map(|function| (function, None)).collect();
            let machine = ground.start(functions, &clock, listener.local_addr()?, false).await?;
            let (mut dispatcher, routes) = (machine.dispatcher, machine.routes);
            let served = Served(tokio::spawn(async move {
                let all = Router::new().fallback(async move |request| routes.answer(request).await);
                serve(listener, all, Limits::GATEWAY).await;
            }));
            let desk: &SlackDesk = &machine.desk;
            let url = desk.url();
            let token = machine.cloud.token();
            // Printed when others can have the directory again: whoever reads it may take any time.
            let (mut said, mut complaints) = (Vec::new(), Vec::new());
            let mut conversation = Box::pin(converse(&url, token, say, text, &mut said));
            let result = loop {
                tokio::select! {
                    result = &mut conversation => break result,
                    Invoked { function, answer, .. } = dispatcher.next() => {
                        complaints.extend(answer.err().map(|err| {
                            format!("! {function} could not handle an event: {err:#}")
                        }));
                    }
                }
            };
            drop(conversation);
            drop((served, machine.desk, machine.cloud, dispatcher, data_dir));
            io::stdout().write_all(&said)?;
            let told = |line: &String| writeln!(io::stderr(), "{}", harmless(line));
            complaints.iter().try_for_each(told)?;
            result
        }
    }
}

/// Prints the link to the local Slack of the run that is up.
pub fn link(place: &Place) -> anyhow::Result<()> {
    let Endpoint { page, try_link, .. } = environment::endpoint(place)?;
    let link = try_link.ok_or_else(|| {
        refuse(format!(
            "the run that is up listens at {page} alone, and its Slack is for this machine; start it with \
             --listen 127.0.0.1:4280"
        ))
    })?;
    writeln!(io::stdout(), "{link}")?;
    Ok(())
}

struct Served(JoinHandle<()>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Enters the text at a desk, presses what is to be pressed, and writes what comes to `out`.
async fn converse(
    desk: &str,
    token: &Token,
    say: &Say,
    text: String,
    out: &mut impl io::Write,
) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(LONGEST).build()?;
    let ask = async |what: Input| {
        let asked = Asked { user: say.user.clone(), room: say.room.clone(), what };
        let response = http.post(desk).bearer_auth(token.expose()).json(&asked).send().await;
        let response = response.context("the local Slack does not answer")?;
        if !response.status().is_success() {
            bail!("{}", response.text().await?);
        }
        let heard: Heard =
            response.json().await.context("the local Slack answers something else")?;
        anyhow::Ok(heard)
    };
    let mut heard = ask(Input::Enter(text)).await?;
    print(out, &heard)?;
    let mut buttons = Vec::new();
    for label in &say.press {
        renew(&mut buttons, &heard);
        let Some(button) = buttons.iter().find(|button| button.label.eq_ignore_ascii_case(label))
        else {
            let there: Vec<_> =
                buttons.iter().map(|button| format!("[{}]", button.label)).collect();
            bail!(
                "there is no button [{label}] to press; {}",
                if there.is_empty() {
                    "what was answered has none".to_owned()
                } else {
                    format!("there is {}", there.join(" "))
                }
            );
        };
        let asks = button
            .question
            .as_ref()
            .map_or_else(String::new, |question| format!(" (it asks: {question} - yes)"));
        writeln!(out, "> [{}]{asks}", button.label)?;
        let place = button.place.clone();
        heard = ask(Input::Press(place)).await?;
        print(out, &heard)?;
    }
    Ok(())
}

/// The buttons that are there now, the newest first: those of a message that was changed or deleted are not.
fn renew(buttons: &mut Vec<ShownButton>, heard: &Heard) {
    for message in &heard.messages {
        buttons.retain(|button| button.place.ts != message.ts);
        if message.change != Change::Deleted {
            buttons.splice(0..0, message.buttons.iter().cloned());
        }
    }
}

fn print(out: &mut impl io::Write, heard: &Heard) -> anyhow::Result<()> {
    for message in &heard.messages {
        let Shown { author, only_you, in_thread, change, text, .. } = message;
        if *change == Change::Deleted {
            writeln!(out, "{author} took a message back.")?;
            continue;
        }
        let marks = [
            (*only_you, "only visible to you"),
            (*in_thread, "in a thread"),
            (*change == Change::Replaced, "in the place of a message"),
        ];
        let marks: Vec<_> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        let marks =
            if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        writeln!(out, "{author}{marks}:")?;
        for line in text.lines() {
            writeln!(out, "{}", format!("  {}", harmless(line)).trim_end())?;
        }
    }
    if heard.messages.is_empty() {
        writeln!(out, "Nobody answers.")?;
    }
    if !heard.settled {
        writeln!(out, "Something is still being done; its answer comes later.")?;
    }
    Ok(())
}

/// Prints the app's manifest for a deployment, and where to paste it.
pub fn manifest(url: &str) -> anyhow::Result<()> {
    let address = address(url)?;
    let manifest = MANIFEST.replace(PLACEHOLDER, &address);
    let manifest = manifest.trim_end();
    let pasted: String = form_urlencoded::byte_serialize(bare(manifest).as_bytes()).collect();
    let pasted = pasted.replace('+', "%20");
    writeln!(io::stdout(), "{manifest}")?;
    writeln!(
        io::stderr(),
        "\nCreate the app with this manifest:\nhttps://api.slack.com/apps?new_app=1&manifest_yaml={pasted}"
    )?;
    Ok(())
}

/// The manifest without its comments: an address has a limit.
fn bare(manifest: &str) -> String {
    let lines = manifest.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

/// A deployment's address, without a slash at its end.
fn address(url: &str) -> anyhow::Result<String> {
    let wrong = |why: &str| {
        refuse(format!(
            "--url {url} is not the address of a deployment: {why}; give the output `SlackUrl` of the \
             stack, as in {PLACEHOLDER}"
        ))
    };
    let parsed = Url::parse(url).map_err(|err| wrong(&err.to_string()))?;
    if parsed.scheme() != "https" {
        return Err(wrong("Slack calls https only"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() || !parsed.username().is_empty() {
        return Err(wrong("it has more than a host and a path"));
    }
    let address = parsed.as_str().trim_end_matches('/');
    // Whoever copied the whole of it means the same.
    let routes = ["/slack/commands", "/slack/interactivity", "/slack/events", "/slack"];
    let stem = routes.iter().find_map(|route| address.strip_suffix(route));
    Ok(stem.unwrap_or(address).trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(address(url).ok().as_deref(), expected, "{url}");
        };
        check("https://a.test", Some("https://a.test"));
        check("https://a.test/", Some("https://a.test"));
        check("https://a.test/prod//", Some("https://a.test/prod"));
        check("HTTPS://A.test/slack/commands", Some("https://a.test"));
        check("http://a.test", None);
        check("a.test", None);
        check("https://", None);
        check("https://me@a.test", None);
        check("https://a.test/?x=1", None);
    }

    #[test]
    fn the_manifest_is_filled_in() {
        assert_eq!(MANIFEST.matches(PLACEHOLDER).count(), 3);
        let filled = MANIFEST.replace(PLACEHOLDER, "https://a.test");
        assert!(!bare(&filled).contains("REPLACE"), "{filled}");
    }
}
