//! Walks through a folder of texts and connects an account for each, as the first keymaker did; what it has come to is in
//! `flock.toml` after each, so that it can be left and gone on with at any time.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use flock_core::{
    AccountId, InvalidId, Network, Purpose, SheepName, Usd, capital, count, one_line,
};
use secrecy::ExposeSecret as _;

use crate::{
    account::refuse_other_label,
    cli::{Place, WalkAccounts, quoted},
    connect::look,
    files::{self, Unreadable, WRITTEN_BY_HAND},
    flock_file::{self, plain},
    init,
    prompt::{Shown, ask, tell},
    refusal::{refuse, refused},
    sign_in::{CameTo, sign_in_to},
};

/// Where the walk comes by.
struct Stop {
    /// The text, or the sheep that is there already.
    what: String,
    /// The sheep that is made of it.
    new: Option<(SheepName, String)>,
    /// The account it would have, as far as one can be called so.
    account: Option<AccountId>,
}

/// What somebody wants at a stop.
enum Wish {
    Connect(AccountId),
    Not,
    SkipTheRest,
}

/// What the walk has come to.
#[derive(Debug, Default)]
struct Come {
    connected: u64,
    sheep: u64,
    left: u64,
}

/// Walks through the directory.
pub(crate) async fn walk(place: &Place, options: &WalkAccounts) -> anyhow::Result<String> {
    let WalkAccounts { dir, network, sign_in, .. } = options;
    if *network == Network::Meadow {
        return Err(refuse("accounts of the meadow need no key; write the flock without a walk"));
    }
    sign_in.at.check(place)?;
    refuse_other_label(*network, sign_in.automated_label, sign_in.mark_as_bot)?;
    let stops = stops(options)?;
    // Before anybody signs in: without it there would be accounts and no flock.
    let written = Written::ask(dir, *network)?;
    if stops.iter().any(|stop| stop.new.is_some()) {
        written.try_writing()?;
    }
    let all = stops.len();
    let mut come = Come::default();
    'walk: for (number, stop) in (1..).zip(&stops) {
        let has_key = match &stop.account {
            Some(account) => is_connected(place, account).await?,
            None => false,
        };
        if has_key && stop.new.is_none() {
            continue;
        }
        tell(&format!("{number} of {all}: {}", one_line(&stop.what)))?;
        let account = loop {
            let account = match wish(stop, *network, has_key)? {
                Wish::Connect(account) => account,
                Wish::Not => break None,
                Wish::SkipTheRest => {
                    come.left += u64::try_from(all + 1 - number).unwrap_or_default();
                    break 'walk;
                }
            };
            // What plan would refuse is told of before there is a key.
            if let Some((name, file)) = &stop.new
                && let Err(why) = written.with(name, file, &account)
            {
                tell(&why)?;
                continue;
            }
            if is_connected(place, &account).await? {
                tell(&format!("{account} is connected already."))?;
                break Some(account);
            }
            match Box::pin(sign_in_to(place, &account, Purpose::Connect, sign_in)).await {
                Ok(CameTo::Connected(lines)) => {
                    come.connected += 1;
                    tell(&lines.join("\n"))?;
                    break Some(account);
                }
                Ok(CameTo::Left) => break None,
                // Such as somebody else's account: it can be tried again, or under another name.
                Err(err) => match refused(&err, place) {
                    Some(why) => tell(&format!("{}.", capital(&why)))?,
                    None => return Err(err),
                },
            }
        };
        let Some(account) = account else {
            come.left += 1;
            continue;
        };
        if let Some((name, file)) = &stop.new {
            match written.add(name, file, &account)? {
                Ok(()) => come.sheep += 1,
                Err(why) => {
                    tell(&format!(
                        "{why}\n{account} is connected, but the flock was changed meanwhile, and so no sheep was made of it."
                    ))?;
                    come.left += 1;
                }
            }
        }
    }
    Ok(ending(place, dir, &come))
}

/// What stands at the end.
fn ending(place: &Place, dir: &Path, come: &Come) -> String {
    let Come { connected, sheep, left } = come;
    let rest = match left {
        0 => String::new(),
        left => format!("; {} left out", count(*left, "text")),
    };
    let (accounts, sheep) = (count(*connected, "account"), count(*sheep, "sheep"));
    let is_there = toml(dir).exists();
    let what = if is_there {
        format!("{sheep} added to {}", toml(dir).display())
    } else {
        "no flock.toml written".to_owned()
    };
    let mut lines = vec![format!("{accounts} connected, {what}{rest}.")];
    if is_there {
        let (program, dir) = (place.command(), quoted(dir));
        lines.push(format!(
            "`{program} flock plan {dir}` shows what the flock will be, `{program} preview {dir}` its next posts, and \
             `{program} flock apply {dir}` lets it post."
        ));
    }
    lines.join("\n")
}

async fn is_connected(place: &Place, account: &AccountId) -> anyhow::Result<bool> {
    Ok(look(place).await?.store.newest_account(account).await?.is_some())
}

fn toml(dir: &Path) -> PathBuf {
    dir.join("flock.toml")
}

/// The sheep that are there, then the texts that are no sheep yet, in the order in which people look for names.
fn stops(options: &WalkAccounts) -> anyhow::Result<Vec<Stop>> {
    let WalkAccounts { dir, network, account: pattern, .. } = options;
    let shown = dir.display();
    let mut texts = files::with_extension(dir, "txt")
        .map_err(|err| refuse(format!("cannot read {shown}: it {err}")))?;
    let mut stops = Vec::new();
    let mut taken = Vec::new();
    if toml(dir).symlink_metadata().is_ok() {
        let file = flock_file::read(dir).map_err(|err| refuse(err.to_string()))?;
        for sheep in file.sheep {
            let account = sheep.config.account;
            texts.retain(|text| dir.join(text) != sheep.file);
            if account.network != Network::Meadow {
                let what = format!("the sheep {}", sheep.name);
                stops.push(Stop { what, new: None, account: Some(account) });
            }
            taken.push(sheep.name);
        }
    }
    for text in texts {
        let stem = Path::new(&text).file_stem().unwrap_or_default();
        let stem = plain(&stem.to_string_lossy());
        let own = SheepName::from_file_stem(&stem);
        let is_own = own.is_ok();
        // How what is not written in Latin letters is read depends on the language, which nobody has said.
        let name = own.or_else(|_| free_name(&taken));
        let shown = one_line(&dir.join(&text).to_string_lossy());
        let name = name.map_err(|err| refuse(format!("{shown}: {err}")))?;
        if taken.contains(&name) {
            return Err(refuse(format!(
                "{shown}: there is a sheep {name} already; give the file another name"
            )));
        }
        taken.push(name.clone());
        let handle = pattern.replace("{name}", &called(*network, &stem, &name));
        let is_named = is_own || !pattern.contains("{name}");
        let account = AccountId::on(*network, &handle).ok().filter(|_| is_named);
        stops.push(Stop { what: text.clone(), new: Some((name, text)), account });
    }
    if stops.is_empty() {
        return Err(refuse(format!(
            "{shown} has no .txt files, and no sheep that posts anywhere but on the meadow"
        )));
    }
    Ok(stops)
}

/// A name for a sheep whose file gives none.
fn free_name(taken: &[SheepName]) -> Result<SheepName, InvalidId> {
    let mut number = 1;
    loop {
        let name = format!("sheep-{number}").parse()?;
        if !taken.contains(&name) {
            return Ok(name);
        }
        number += 1;
    }
}

/// What an account may be called that is named after a file: on X there are no hyphens.
fn called(network: Network, stem: &str, name: &SheepName) -> String {
    match network {
        Network::X => {
            let words = stem.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
        }
        Network::Meadow | Network::Mastodon | Network::Bluesky => name.to_string(),
    }
}

/// Asks what is wanted until it is clear. The end of what is typed skips the rest.
fn wish(stop: &Stop, network: Network, has_key: bool) -> anyhow::Result<Wish> {
    let question = match (&stop.account, has_key) {
        (Some(account), true) => {
            format!(
                "{account} is connected. Make a sheep of it? [y]es, [n]o, [s]kip the rest, or another name:"
            )
        }
        (Some(account), false) => {
            format!("Connect {account}? [y]es, [n]o, [s]kip the rest, or another name:")
        }
        (None, _) => {
            format!(
                "No account of {} is called like it. Its name, [n]o, or [s]kip the rest:",
                network.title_within()
            )
        }
    };
    loop {
        let Some(answer) = ask(&question, Shown::Yes)? else { return Ok(Wish::SkipTheRest) };
        let answer = answer.expose_secret();
        match (answer.to_lowercase().as_str(), &stop.account) {
            ("y" | "yes", Some(account)) => return Ok(Wish::Connect(account.clone())),
            ("n" | "no", _) => return Ok(Wish::Not),
            ("s" | "skip", _) => return Ok(Wish::SkipTheRest),
            ("" | "y" | "yes", _) => {}
            // A sheep that is there has its account in the file.
            (_, Some(account)) if stop.new.is_none() => {
                tell(&format!("{account} is what flock.toml says; for another, change it there."))?;
            }
            (name, _) => {
                let account = match name.split_once(':') {
                    Some(_) => name.parse(),
                    None => AccountId::on(network, name),
                };
                match account {
                    Ok(account) if account.network == network => {
                        return Ok(Wish::Connect(account));
                    }
                    Ok(_) => tell(&format!("This walk is for {}.", network.title_within()))?,
                    Err(err) => tell(&format!("{err}."))?,
                }
            }
        }
    }
}

/// `flock.toml`, to which sheep are added.
struct Written {
    path: PathBuf,
    /// How it begins where there is none.
    beginning: String,
    /// What a sheep needs besides, where its defaults do not say it.
    rhythm: &'static str,
}

impl Written {
    /// Asks for what a flock needs that nobody has written yet.
    fn ask(dir: &Path, network: Network) -> anyhow::Result<Self> {
        let path = toml(dir);
        if path.symlink_metadata().is_ok() {
            let text = files::read_text(&path, WRITTEN_BY_HAND)
                .map_err(|err| refuse(format!("{}: it {err}", path.display())))?;
            let document: toml::Table = toml::from_str(&text)
                .map_err(|_| refuse(format!("{} is no TOML any more", path.display())))?;
            let defaults = document.get("defaults");
            let says = |field| defaults.is_some_and(|defaults| defaults.get(field).is_some());
            let rhythm = if says("line") || says("at") { "" } else { RHYTHM };
            return Ok(Self { path, beginning: String::new(), rhythm });
        }
        let name = init::name(dir, None)?;
        let cap = if network.bills() {
            let question = format!(
                "{} charges {} for a post. The most that the flock may cost in a month, in dollars:",
                network.title_within(),
                network.post_price("a line"),
            );
            format!("monthly_cap = \"{}\"\n", cap(&question)?.to_string().trim_start_matches('$'))
        } else {
            String::new()
        };
        let beginning = format!(
            "name = \"{name}\"\ntime_zone = \"UTC\"\n{cap}\n# From one line to the next, and from the last until the first comes \
             again.\n[defaults]\n{RHYTHM}"
        );
        Ok(Self { path, beginning, rhythm: "" })
    }

    /// What is in the file. `None`: there is none.
    fn there(&self) -> Result<Option<String>, String> {
        match files::read_text(&self.path, WRITTEN_BY_HAND) {
            Ok(text) => Ok(Some(text)),
            Err(Unreadable::Missing) => Ok(None),
            Err(err) => Err(format!("{}: it {err}.", self.path.display())),
        }
    }

    /// Refuses what could not be written later, when there are keys already.
    fn try_writing(&self) -> anyhow::Result<()> {
        let Self { path, beginning, .. } = self;
        let there = self.there().map_err(refuse)?;
        let text = there.as_ref().unwrap_or(beginning);
        files::try_replacing(path, text.as_bytes()).map_err(|err| {
            refuse(format!("cannot write {}: {}", path.display(), files::unwritable_there(&err)))
        })
    }

    /// What the file is with this sheep behind what is there, or what would be wrong with the flock.
    fn with(&self, name: &SheepName, file: &str, account: &AccountId) -> Result<String, String> {
        let Self { path, beginning, rhythm } = self;
        let there = self.there()?.unwrap_or_else(|| beginning.clone());
        let text = format!(
            "{there}\n[[sheep]]\nname = \"{name}\"\nbehaviour = \"poem\"\ncorpus = {}\nnetwork = \"{}\"\naccount = \
             {}\n{rhythm}",
            basic(file),
            account.network,
            basic(account.handle.as_str()),
        );
        let dir = path.parent().unwrap_or(Path::new("."));
        flock_file::read_as(dir, &text).map_err(|mistakes| mistakes.to_string())?;
        Ok(text)
    }

    /// Writes a sheep behind what is there, or says what would be wrong with the flock: while somebody signed in, others may
    /// have changed it.
    fn add(
        &self,
        name: &SheepName,
        file: &str,
        account: &AccountId,
    ) -> anyhow::Result<Result<(), String>> {
        let path = &self.path;
        // For other walks. Where directories cannot be locked, as on some network disks, it goes without.
        let dir = path.parent().and_then(|dir| File::open(dir).ok());
        let _locked = dir.filter(|dir| dir.lock().is_ok());
        let text = match self.with(name, file, account) {
            Ok(text) => text,
            Err(why) => return Ok(Err(why)),
        };
        files::replace(path, text.as_bytes()).map(Ok).map_err(|err| {
            anyhow!(
                "{account} is connected, but has no sheep yet: {}, which is as it was, cannot be written: {}",
                path.display(),
                files::unwritable_there(&err)
            )
        })
    }
}

/// The rhythm of sheep that nobody has given one.
const RHYTHM: &str = "line = \"1h\"\nstanza = \"1d\"\n";

fn cap(question: &str) -> anyhow::Result<Usd> {
    loop {
        let Some(answer) = ask(question, Shown::Yes)? else {
            return Err(refuse("the flock needs a cap; nothing was written"));
        };
        match answer.expose_secret().trim_start_matches('$').parse() {
            Ok(cap) => return Ok(cap),
            Err(err) => tell(&format!("{err}."))?,
        }
    }
}

/// A text as TOML has it, in quotation marks.
fn basic(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.extend(format!("\\u{:04X}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
