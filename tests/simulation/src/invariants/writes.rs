//! What must be so of each write to the table, in the moment in which it is there: it is judged by the items themselves, as
//! they were and as they are, and never by the code that has made them.

use std::collections::{BTreeMap, BTreeSet};

use flock_core::Behaviour;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::wipes::{self, Wipes};
use crate::{
    fault::Service,
    outside::Asked,
    table::{ItemKey, Request},
    world::World,
};

/// What was seen of writes so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Which machine has asked for whom of its events to be told, by kind and sheep.
    told: BTreeSet<(String, String, String)>,
    /// The audit log, as far as it is written.
    audit: BTreeMap<ItemKey, Entry>,
    /// What each flock may spend in a month, since when, in millionths of a dollar.
    caps: Vec<(Timestamp, String, u64)>,
    /// Which machines work on an event, and on the how many-th of all.
    at_work: BTreeMap<String, u64>,
    events: u64,
    /// What was seen of wipes.
    pub(crate) wipes: Wipes,
    /// Which machine has taken the intent of a sheep last, and at work on which event.
    owners: BTreeMap<String, (String, Option<u64>)>,
}

/// An entry of the audit log.
#[derive(Debug, Clone)]
struct Entry {
    at: Timestamp,
    by: String,
    words: Vec<String>,
    is_over: bool,
}

/// A write that is about to arrive.
#[derive(Debug)]
pub(crate) struct Write {
    items: Vec<(ItemKey, Option<Value>)>,
}

/// How long after its entry somebody may still be at what they do: as long as an event is tried again.
const AT_IT: SignedDuration = SignedDuration::from_mins(15);

/// How old a tick's knowledge of its flocks may be: it reads them once, perhaps late, and works on.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(4);

/// How far the clocks of two machines may differ, with the seconds that are stored whole.
const CLOCKS: i64 = 6;

/// A machine asks for events to be told.
pub(crate) fn tells(world: &World, machine: &str, asked: &Asked) {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
    for entry in body["Entries"].as_array().into_iter().flatten() {
        world.known().seen.told.insert(what_is_told(machine, entry));
    }
}

/// Nobody posts for a sheep but who has taken its intent last.
pub(crate) fn who_posts_has_claimed(world: &World, machine: &str, sheep: &str) {
    let known = world.known();
    let owners = known.seen.owners.iter();
    let mut owners = owners.filter(|(id, _)| id.ends_with(&format!("/{sheep}")));
    let owner = owners.next().map_or("nobody", |(_, (owner, _))| owner).to_owned();
    drop(known);
    if owner != machine {
        world.broken("who_posts_has_claimed", || {
            format!("{machine} posts for {sheep}, which {owner} has claimed last")
        });
    }
}

/// The bus does not take an event that a machine has asked it to tell.
pub(crate) fn is_not_taken(world: &World, machine: &str, entry: &Value) {
    world.known().seen.told.remove(&what_is_told(machine, entry));
}

/// By which machine, of what kind, of which sheep.
fn what_is_told(machine: &str, entry: &Value) -> (String, String, String) {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let detail: Value = serde_json::from_str(text("Detail")).unwrap_or(Value::Null);
    let sheep = detail["sheep"].as_str().unwrap_or_default().to_owned();
    (machine.to_owned(), text("DetailType").to_owned(), sheep)
}

/// A machine begins to work on an event, or has ended.
pub(crate) fn works(world: &World, machine: &str, is_at_work: bool) {
    let seen = &mut world.known().seen;
    if is_at_work {
        seen.events += 1;
        seen.at_work.insert(machine.to_owned(), seen.events);
    } else {
        seen.at_work.remove(machine);
    }
}

impl Write {
    /// What a request is about to write that is looked at, and what is there before.
    pub(crate) fn of(world: &World, whom: Service, asked: &Asked) -> Option<Self> {
        let body = || serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        let request = (whom == Service::Table).then(|| Request::of(asked, body()))??;
        let is_looked_at = |(pk, sk): &ItemKey| {
            let kinds = ["FLOCK#", "FLOCKS", "POSTS#", "ROOM#", "AUDIT#", "SPEND#", "JOB#"];
            kinds.iter().any(|kind| pk.starts_with(kind)) || sk == "CONTROL"
        };
        let keys = request.written().into_iter().filter(is_looked_at);
        let items: Vec<_> = keys.map(|key| (key.clone(), world.outside.table.item(&key))).collect();
        (!items.is_empty()).then_some(Self { items })
    }

    /// It is there.
    pub(crate) fn arrived(self, world: &World, machine: &str) {
        for (key, before) in self.items {
            let after = world.outside.table.item(&key);
            let (pk, sk) = (key.0.as_str(), key.1.as_str());
            let [before, after] = [before, after].map(Option::unwrap_or_default);
            match pk.split('#').next().unwrap_or_default() {
                "AUDIT" => note_entry(world, key, &after),
                "FLOCKS" => {
                    let cap = number(&after["monthly_cap"]).unwrap_or(0).unsigned_abs();
                    world.known().seen.caps.push((world.now(), sk.to_owned(), cap));
                    who_changes_something_is_noted_before(world, machine, &[sk]);
                }
                "SPEND" => caps_are_kept(world, &pk["SPEND#".len()..], &before, &after),
                "JOB" => wipes::note_job(world, pk, &after),
                "POSTS" => {
                    wipes::note_post(world, &key, &after);
                    a_number_stands_for_what_its_sheep_says(world, pk, sk, &before, &after);
                }
                "ROOM" => {
                    who_changes_something_is_noted_before(
                        world,
                        machine,
                        &["grant", "revoke", "level"],
                    );
                    nobody_gives_what_is_not_below_them(world, &before, &after);
                }
                "SYSTEM" => {
                    let verbs = ["stop", "start", "reboot"];
                    who_changes_something_is_noted_before(world, machine, &verbs);
                }
                _ => {
                    let flock = pk.trim_start_matches("FLOCK#");
                    let sheep = format!("{flock}/{}", sk.trim_start_matches("SHEEP#"));
                    who_changes_something_is_noted_before(world, machine, &[flock, &sheep]);
                    wipes::note_sheep(world, machine, &sheep, &before, &after);
                    versions_go_up_by_one(world, &sheep, &before, &after);
                    a_post_keeps_its_id(world, &sheep, &before, &after);
                    an_intent_has_one_owner(world, machine, &sheep, &before, &after);
                    who_has_to_know_is_told_before(world, machine, &sheep, &before, &after);
                    a_number_is_held_before_it_stands_for_another_post(
                        world, &sheep, &before, &after,
                    );
                }
            }
        }
    }
}

pub(super) fn number(value: &Value) -> Option<i64> {
    value["N"].as_str()?.parse().ok()
}

/// A value of DynamoDB's as what it means.
fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|value| value.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), inner) {
        ("M", Value::Object(fields)) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        ("L", Value::Array(values)) => values.iter().map(plain).collect(),
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_default(),
        _ => inner.clone(),
    }
}

fn note_entry(world: &World, key: ItemKey, item: &Value) {
    let text = |name: &str| item[name]["S"].as_str();
    let at = key.1.split('#').next().and_then(|at| at.parse().ok()).unwrap_or_default();
    let entry = Entry {
        at: Timestamp::from_millisecond(at).unwrap_or_default(),
        by: text("user").or(text("operator")).unwrap_or_default().to_owned(),
        words: text("line").unwrap_or_default().split(' ').map(str::to_owned).collect(),
        is_over: text("outcome").is_some(),
    };
    world.known().seen.audit.insert(key, entry);
}

/// The entries of the audit log that somebody may still be at.
fn entries(world: &World) -> Vec<Entry> {
    let now = world.now();
    let entries = world.known().seen.audit.values().cloned().collect::<Vec<_>>().into_iter();
    entries.filter(|entry| now.duration_since(entry.at) < AT_IT).collect()
}

/// Whoever changes something at a command line or in Slack is in the audit log with their words before it is changed. A tick
/// changes what is its own, and goes on with what somebody else has begun.
fn who_changes_something_is_noted_before(world: &World, machine: &str, names: &[&str]) {
    if !machine.starts_with("slash-command") && machine != "the command line" {
        return;
    }
    let is_named = |entry: &Entry| entry.words.iter().any(|word| names.contains(&word.as_str()));
    if !entries(world).iter().any(is_named) {
        world.broken("who_changes_something_is_noted_before", || {
            format!("{machine} changes {}, and nobody is noted for it", names.join(" "))
        });
    }
}

/// Every change of a sheep is made of the version before it: nobody writes over what they have not read.
fn versions_go_up_by_one(world: &World, sheep: &str, before: &Value, after: &Value) {
    let [was, is] = [before, after].map(|item| number(&item["version"]));
    if let (Some(was), Some(is)) = (was, is)
        && was + 1 != is
    {
        world.broken("versions_go_up_by_one", || {
            format!("version {is} of {sheep} is written over version {was}")
        });
    }
}

/// As long as a post is open its id is the same, by which its network knows it again.
fn a_post_keeps_its_id(world: &World, sheep: &str, before: &Value, after: &Value) {
    let post = |item: &Value| {
        let intent = &item["intent"]["M"];
        Some((number(&intent["occurrence"])?, intent["post"]["S"].as_str()?.to_owned()))
    };
    if let (Some((number, was)), Some((same, is))) = (post(before), post(after))
        && number == same
        && was != is
    {
        world.broken("a_post_keeps_its_id", || {
            format!("post {number} of {sheep} is {is}, and was {was}")
        });
    }
}

/// An intent has one owner: nobody takes it before its lease is over, nor while who has it is still at work on their event.
fn an_intent_has_one_owner(
    world: &World,
    machine: &str,
    sheep: &str,
    before: &Value,
    after: &Value,
) {
    let [was, is] = [before, after].map(|item| number(&item["lease_until"]));
    if is.is_none() || was == is {
        return;
    }
    let mut known = world.known();
    let event = known.seen.at_work.get(machine).copied();
    let owner = known.seen.owners.insert(sheep.to_owned(), (machine.to_owned(), event));
    let (Some(was), Some((owner, event))) = (was, owner) else { return };
    let is_at_it = event.is_some() && known.seen.at_work.get(&owner).copied() == event;
    drop(known);
    let early = was - world.now().as_second();
    if CLOCKS < early {
        world.broken("an_intent_has_one_owner", || {
            format!("{machine} takes the intent of {sheep} {early} s before its lease ends")
        });
    }
    if is_at_it && owner != machine {
        world.broken("an_intent_has_one_owner", || {
            format!("{machine} takes the intent of {sheep}, which {owner} is at work on")
        });
    }
}

/// Before it is written down that a sheep has stopped, that nobody knows what became of its post, or that a text is set aside,
/// the bus was asked to tell people: told twice can be told apart, told never cannot.
fn who_has_to_know_is_told_before(
    world: &World,
    machine: &str,
    sheep: &str,
    before: &Value,
    after: &Value,
) {
    let is_stopped = |item: &Value| item["state"]["S"] == "stopped";
    let failed = |item: &Value| number(&item["intent"]["M"]["attempts"]).unwrap_or(0);
    let aside = |item: &Value| number(&item["set_aside"]).unwrap_or(0);
    let is_open = after["intent"]["M"]["sent"]["S"] == "maybe" && after["lease_until"].is_null();
    let kinds: &[&str] = if is_stopped(after) && !is_stopped(before) {
        &["sheep.stopped"]
    } else if aside(before) < aside(after) {
        &["sheep.set-aside", "sheep.stopped"]
    } else if is_open && failed(before) < failed(after) {
        &["sheep.unknown"]
    } else {
        return;
    };
    let told = |kind: &&str| {
        let told = (machine.to_owned(), (*kind).to_owned(), sheep.to_owned());
        world.known().seen.told.contains(&told)
    };
    if !kinds.iter().any(told) {
        world.broken("who_has_to_know_is_told_before", || {
            format!("{machine} writes down what {} says of {sheep}, and has told nobody", kinds[0])
        });
    }
}

/// Who makes something else of the next number of a sheep of the meadow holds it first, or the post is there: somebody who has read
/// the sheep as it was may be about to make it.
fn a_number_is_held_before_it_stands_for_another_post(
    world: &World,
    sheep: &str,
    before: &Value,
    after: &Value,
) {
    if before["network"]["S"] != "meadow" || !before["intent"].is_null() {
        return;
    }
    // Where parts of threads come when they say, nobody posts without having claimed.
    if before["behaviour"]["M"]["threads"]["BOOL"] == true {
        return;
    }
    let stands_for = ["occurrence", "cursor", "network", "handle", "behaviour"];
    let is_said = after["intent"]["M"]["said"]["BOOL"] == true;
    if stands_for.iter().all(|name| before[*name] == after[*name]) && !is_said {
        return;
    }
    let number = number(&before["occurrence"]).unwrap_or_default();
    let key = (format!("POSTS#{}", sheep.replace('/', "#")), format!("POST#{number:012}"));
    if world.outside.table.item(&key).is_none() {
        world.broken("a_number_is_held_before_it_stands_for_another_post", || {
            format!("number {number} of {sheep} is neither a post nor held")
        });
    }
}

/// On the meadow, a post that is made under a number says what its sheep says under it at that moment, through the account
/// that it has then: whoever makes something else of the number keeps out who has read the sheep before.
fn a_number_stands_for_what_its_sheep_says(
    world: &World,
    pk: &str,
    sk: &str,
    before: &Value,
    after: &Value,
) {
    let is_post = |item: &Value| item["held_from"].is_null() && !item["text"].is_null();
    if is_post(before) || !is_post(after) || after["network"]["S"] != "meadow" {
        return;
    }
    let mut names = pk.split('#').skip(1);
    let (flock, name) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let sheep = world.outside.table.item(&(format!("FLOCK#{flock}"), format!("SHEEP#{name}")));
    let sheep = sheep.unwrap_or_default();
    let post: Option<i64> = sk.trim_start_matches("POST#").parse().ok();
    let intent = &sheep["intent"]["M"];
    let decided =
        (number(&intent["occurrence"]) == post).then(|| intent["act"]["M"]["text"]["S"].as_str());
    let planned = (number(&sheep["occurrence"]) == post).then(|| {
        let behaviour: Behaviour = serde_json::from_value(plain(&sheep["behaviour"])).ok()?;
        let cursor = u32::try_from(number(&sheep["cursor"])?).ok()?;
        // What somebody added is in no file, and in the table alone.
        let of_table = || line_in_the_table(world, flock, &behaviour, cursor);
        world.files.says(&behaviour, cursor).or_else(of_table)
    });
    let says = match (decided.flatten(), planned.flatten()) {
        (Some(decided), _) => Some(decided.to_owned()),
        (None, planned) => planned,
    };
    let text = after["text"]["S"].as_str();
    if says.as_deref() != text || sheep["handle"] != after["handle"] {
        world.broken("a_number_stands_for_what_its_sheep_says", || {
            format!("{flock}/{name} says {says:?} under number {post:?}, and {text:?} is posted")
        });
    }
}

/// What a flock has spent in a month, with what it has reserved, never comes to be more than its cap of that time.
fn caps_are_kept(world: &World, flock: &str, before: &Value, after: &Value) {
    let [was, is] = [before, after].map(|item| number(&item["spent"]).unwrap_or(0).unsigned_abs());
    if is <= was {
        return;
    }
    let now = world.now();
    let caps = world.known().seen.caps.clone();
    let caps: Vec<_> = caps.iter().filter(|(_, of, _)| of == flock).collect();
    // The newest that is older than anybody's knowledge, and all that came after it.
    let old = caps.iter().rposition(|(at, _, _)| KNOWN_FOR < now.duration_since(*at));
    let first = old.is_none().then_some(u64::from(world.scenario.cap_cents) * 10_000);
    let since = caps.iter().skip(old.unwrap_or(0)).map(|(_, _, cap)| *cap);
    let most = since.chain(first).max().unwrap_or(0);
    if most < is {
        world.broken("caps_are_kept", || {
            format!("{flock} has spent {is} millionths of a dollar in a month, of {most}")
        });
    }
}

/// Nobody but who is at the top gives or takes a level that is not below their own.
fn nobody_gives_what_is_not_below_them(world: &World, before: &Value, after: &Value) {
    // A new room has the levels it begins with.
    if before.is_null() || before["levels"] != after["levels"] {
        return;
    }
    let rank = |level: &Value| {
        let level = level["S"].as_str()?;
        number(&before["levels"]["M"][level])
    };
    let levels = before["levels"]["M"].as_object().into_iter().flatten();
    let top = levels.filter_map(|(_, rank)| number(rank)).max();
    let members = |item: &Value| item["members"]["M"].as_object().cloned().unwrap_or_default();
    let (was, is) = (members(before), members(after));
    for user in was.keys().chain(is.keys()).filter(|user| was.get(*user) != is.get(*user)) {
        let of = |members: &serde_json::Map<_, _>| members.get(user).and_then(rank);
        let given = of(&was).max(of(&is));
        let may = |entry: &Entry| {
            let own = was.get(&entry.by).and_then(rank);
            let is_grant = entry.words[0] == "grant" || entry.words[0] == "revoke";
            let is_about = entry.words.iter().any(|word| word.contains(user.as_str()));
            let gives_up = entry.by == *user && entry.words[0] == "revoke";
            // The first owner is at the top, whatever is stored of them.
            let is_above = entry.by == "U1" || own == top || given < own || gives_up;
            !entry.is_over && is_grant && is_about && is_above
        };
        if !entries(world).iter().any(may) {
            world.broken("nobody_gives_what_is_not_below_them", || {
                let levels = (was.get(user), is.get(user));
                format!("{user} comes from one of these levels to the other: {levels:?}")
            });
        }
    }
}

/// The line of the text of `behaviour` as it is stored.
fn line_in_the_table(
    world: &World,
    flock: &str,
    behaviour: &Behaviour,
    cursor: u32,
) -> Option<String> {
    let corpus = format!("CORPUS#{flock}#{}", behaviour.text());
    let items = world.outside.table.items();
    let pieces = items.iter().filter(|((pk, _), _)| *pk == corpus);
    let mut lines = pieces.filter_map(|(_, item)| {
        let index = i64::from(cursor) - number(&item["first"])?;
        let line = item["lines"]["L"].as_array()?.get(usize::try_from(index).ok()?)?;
        Some(line["S"].as_str()?.to_owned())
    });
    lines.next_back()
}
