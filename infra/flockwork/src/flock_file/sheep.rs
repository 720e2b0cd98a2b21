//! Sheep: their names, accounts and texts.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use flock_core::{
    AccountId, Again, BehaviourKind, ChainRules, Corpus, CorpusProblem, Handle, InvalidAccount,
    InvalidId, Network, Post, SheepConfig, SheepName, says_nothing,
};
use flock_ops::SheepFile;
use jiff::tz::TimeZone;

use super::{
    FLOCK_TOML, Reader,
    fields::{Fields, Given},
    mistakes::{Mistake, Reported},
    rhythm::Defaults,
    spelling,
    texts::Division,
};

/// What stands for the sheep's name in an account.
const NAME: &str = "{name}";

/// The fields that say how texts are drawn from a chain.
const CHAIN_FIELDS: [&str; 4] = ["order", "most", "start_words", "must_words"];

/// The fields that say how the posts of a queue return.
const AGAIN_FIELDS: [&str; 2] = ["again_after", "again_times"];

/// Where a sheep comes from.
pub(super) struct Source {
    pub(super) name: Result<SheepName, Reported>,
    /// Its names by other spellings of its file's.
    others: Vec<SheepName>,
    /// Its text, relative to the directory.
    pub(super) path: Result<PathBuf, Reported>,
    /// The line that names the sheep, for people.
    named: String,
    /// That line.
    named_line: usize,
    /// The line that names its text.
    path_line: usize,
}

impl Reader<'_> {
    /// The sheep that one `[[sheep]]` makes.
    pub(super) fn sheep(
        &mut self,
        header: usize,
        (own, parts): (&Fields, &[(usize, Fields)]),
        defaults: &Defaults,
    ) -> Vec<SheepFile> {
        let behaviour = self.behaviour(header, own, defaults);
        let network = self
            .parsed(defaults.or_own(own, "network"))
            .map(|network| network.unwrap_or(Network::Meadow));
        let given = defaults.or_own(own, "account");
        // What is to be named after each sheep is an account only then.
        let template = given.and_then(Given::text).filter(|text| text.contains(NAME));
        let account = match template {
            Some(_) => Ok(None),
            None => self.account(given, network.ok()),
        };
        let is_given = account.as_ref().is_ok_and(Option::is_some);
        let made_with_ai = defaults.or_own(own, "made_with_ai").is_some_and(Given::is_true);
        let division = self.division(own, defaults, behaviour.ok());
        let threads = division.as_ref().is_ok_and(Division::threads);
        let rhythm = self.rhythm(header, (own, defaults), behaviour.ok(), threads);
        let rules = self.chain_rules(own, defaults, behaviour.ok());
        let again = self.again(own, defaults, behaviour.ok());
        let zone = rhythm.as_ref().map_or(TimeZone::UTC, |rhythm| rhythm.zone().clone());
        let is_mix = behaviour.is_ok_and(|behaviour| behaviour == BehaviourKind::Mix);
        if let (false, Ok(_), Some((line, _))) = (is_mix, behaviour, parts.first()) {
            self.report(
                *line,
                "`parts` are for a mix: write behaviour = \"mix\", or leave them out",
            );
        }
        let made = is_mix.then(|| self.made((header, own), defaults, parts, network.ok()));
        let mut drafts = Vec::new();
        for source in self.sources(header, own, is_mix) {
            let name = self.claim_name(&source);
            let corpus = source.path.and_then(|path| match behaviour {
                Ok(BehaviourKind::Mix) => {
                    let made = made.as_ref().ok_or(Reported)?.as_ref().map_err(|_| Reported)?;
                    Ok((path, Arc::clone(&made.corpus)))
                }
                Ok(behaviour) => {
                    let division = division.as_ref().map_err(|_| Reported)?;
                    let how = (behaviour, &zone, division);
                    self.corpus(source.path_line, &path, how, network.ok())
                }
                Err(Reported) => self.look_for(source.path_line, &path),
            });
            let handle = match (&account, &name) {
                (Ok(Some(handle)), _) => Ok(handle.clone()),
                (Ok(None), Ok(name)) if let (Some(text), Some(given)) = (template, given) => {
                    let handle = text.replace(NAME, name.as_str());
                    self.handle(given.line, &handle, network.ok())
                }
                (Ok(None), Ok(name)) => self.own_account(source.named_line, name, network.ok()),
                (Err(Reported), _) | (_, Err(Reported)) => Err(Reported),
            };
            let (Ok(name), Ok((file, corpus))) = (name, corpus) else { continue };
            let (Ok(behaviour), Ok(network), Ok(handle), Ok(rhythm), Ok(division), Ok(again)) =
                (behaviour, network, handle, &rhythm, &division, again)
            else {
                continue;
            };
            let misfits = match again {
                Some(_) => Again::check(&corpus),
                None => behaviour.check_text(&corpus, rhythm),
            };
            if self.misfits(&file, misfits) {
                continue;
            }
            let text = (file.as_path(), &*corpus, behaviour);
            let Ok(rules) = self.fitting_rules((own, defaults), &rules, text) else {
                continue;
            };
            let (mixed, parts) = match &made {
                Some(Ok(made)) => (made.mixed.clone(), made.parts.clone()),
                Some(Err(Reported)) | None => Default::default(),
            };
            let behaviour = behaviour.with_text(&corpus).divided(division.post).ruled(rules);
            let behaviour = behaviour.mixed(mixed).returning(again);
            let account = AccountId { network, handle };
            let config = SheepConfig {
                made_with_ai,
                ..SheepConfig::new(account, behaviour, rhythm.clone())
            };
            let spelled = source.others.into_iter().filter_map(|name| {
                let account = match template {
                    _ if is_given => Ok(config.account.clone()),
                    Some(text) => AccountId::on(network, &text.replace(NAME, name.as_str())),
                    None => AccountId::on(network, name.as_str()),
                };
                Some((name, account.ok()?))
            });
            drafts.push(SheepFile {
                name,
                spelled: spelled.collect(),
                config,
                corpus,
                split: division.split,
                file,
                parts,
            });
        }
        drafts
    }

    /// What a sheep says, as the kind of it.
    fn behaviour(
        &mut self,
        header: usize,
        own: &Fields,
        defaults: &Defaults,
    ) -> Result<BehaviourKind, Reported> {
        self.parsed(defaults.or_own(own, "behaviour"))?.ok_or_else(|| {
            let what = format!(
                "`behaviour` is missing: write behaviour = {}, here or in [defaults]",
                BehaviourKind::EXAMPLE
            );
            self.report_missing(header, what)
        })
    }

    /// Whether something in a text does not go with its sheep, which is reported.
    fn misfits(&mut self, file: &Path, misfits: Vec<CorpusProblem>) -> bool {
        let before = self.problems.len();
        let told = misfits
            .into_iter()
            .map(|problem| Mistake::new(file.to_owned(), problem.line(), problem.to_string()));
        self.problems.extend(told);
        before < self.problems.len()
    }

    /// How the texts of sheep are divided.
    pub(super) fn division(
        &mut self,
        own: &Fields,
        defaults: &Defaults,
        behaviour: Option<BehaviourKind>,
    ) -> Result<Division, Reported> {
        if behaviour.is_some_and(BehaviourKind::divides_itself) {
            for name in ["post", "split", "skip"] {
                if let Some(given) = own.get(name) {
                    let what = format!(
                        "`{name}` is for poems; the file of {} says itself what its posts are",
                        behaviour.map_or("this", BehaviourKind::a_name)
                    );
                    self.report(given.line, what);
                }
            }
            return Ok(Division::default());
        }
        let post = self.parsed::<Post>(defaults.or_own(own, "post"));
        let skip = match defaults.or_own(own, "skip") {
            None => Ok(Vec::new()),
            Some(given) => match given.texts() {
                Some(signs) if signs.iter().any(|sign| says_nothing(sign)) => {
                    let what = "`skip` has a text in it that every line begins with; write how the lines begin \
                                that are left out, such as [\"#\"]";
                    Err(self.report(given.line, what))
                }
                signs => signs.map(<[_]>::to_vec).ok_or(Reported),
            },
        };
        let split = defaults.or_own(own, "split").is_some_and(Given::is_true);
        Ok(Division { split, post: post?.unwrap_or_default(), skip: skip? })
    }

    /// How texts are drawn from a chain, where they are.
    pub(super) fn chain_rules(
        &mut self,
        own: &Fields,
        defaults: &Defaults,
        behaviour: Option<BehaviourKind>,
    ) -> Result<ChainRules, Reported> {
        if behaviour.is_some_and(|behaviour| behaviour != BehaviourKind::Markov) {
            for name in CHAIN_FIELDS {
                if let Some(given) = own.get(name) {
                    self.report(given.line, format!("`{name}` is for Markov chains; leave it out"));
                }
            }
            return Ok(ChainRules::default());
        }
        let mut rules = ChainRules::default();
        let numbers = [("order", &mut rules.order), ("most", &mut rules.most)];
        for (name, number) in numbers {
            if let Some(given) = defaults.or_own(own, name) {
                // What is larger than any is refused for that, as the number it is near to.
                *number = u8::try_from(given.count().ok_or(Reported)?).unwrap_or(u8::MAX);
            }
        }
        let words =
            [("start_words", &mut rules.start_words), ("must_words", &mut rules.must_words)];
        for (name, words) in words {
            if let Some(given) = defaults.or_own(own, name) {
                *words = given.texts().ok_or(Reported)?.to_vec();
            }
        }
        Ok(rules)
    }

    /// How the posts of a queue return, where they do.
    fn again(
        &mut self,
        own: &Fields,
        defaults: &Defaults,
        behaviour: Option<BehaviourKind>,
    ) -> Result<Option<Again>, Reported> {
        if behaviour.is_some_and(|behaviour| behaviour != BehaviourKind::Queue) {
            for name in AGAIN_FIELDS {
                if let Some(given) = own.get(name) {
                    self.report(given.line, format!("`{name}` is for queues; leave it out"));
                }
            }
            return Ok(None);
        }
        let [after, times] = AGAIN_FIELDS.map(|name| defaults.or_own(own, name));
        let after_text = after.map(|given| given.text().ok_or(Reported)).transpose()?;
        let count = times.map(|given| given.count().ok_or(Reported)).transpose()?;
        Again::parse(after_text, count).map_err(|problems| {
            for problem in problems {
                let given = defaults.or_own(own, problem.field).or(after).or(times);
                if let Some(given) = given {
                    self.report(given.line, format!("`{}`: {}", problem.field, problem.why));
                }
            }
            Reported
        })
    }

    /// The rules, where they go with the text.
    pub(super) fn fitting_rules(
        &mut self,
        (own, defaults): (&Fields, &Defaults),
        rules: &Result<ChainRules, Reported>,
        (file, corpus, behaviour): (&Path, &Corpus, BehaviourKind),
    ) -> Result<ChainRules, Reported> {
        let rules = rules.as_ref().map_err(|_| Reported)?;
        let misfits =
            if behaviour == BehaviourKind::Markov { rules.check(corpus) } else { Vec::new() };
        let mut fits = Ok(rules.clone());
        for problem in misfits {
            let why = problem.to_string();
            let names = CHAIN_FIELDS.into_iter().find(|name| why.contains(&format!("`{name}`")));
            if let Some(given) = names.and_then(|name| defaults.or_own(own, name)) {
                self.report(given.line, format!("{}: {why}", file.display()));
            } else {
                self.problems.push(Mistake::new(file.to_owned(), None, why));
            }
            fits = Err(Reported);
        }
        fits
    }

    /// The account that was given, in the form its network has. `Ok(None)`: there is none.
    pub(super) fn account(
        &mut self,
        given: Option<&Given>,
        network: Option<Network>,
    ) -> Result<Option<Handle>, Reported> {
        let Some(given) = given else { return Ok(None) };
        let text = given.text().ok_or(Reported)?;
        self.handle(given.line, text, network).map(Some)
    }

    /// A handle in the form its network has.
    fn handle(
        &mut self,
        line: usize,
        text: &str,
        network: Option<Network>,
    ) -> Result<Handle, Reported> {
        let Some(network) = network else {
            return text.parse().map_err(|err: InvalidId| self.report(line, err.to_string()));
        };
        AccountId::on(network, text).map(|account| account.handle).map_err(|err| match err {
            InvalidAccount::Handle(err) => self.report(line, err.to_string()),
            err => self.report(line, format!("`account`: {err}")),
        })
    }

    /// The account of a sheep that says none: it is called like the sheep.
    fn own_account(
        &mut self,
        line: usize,
        name: &SheepName,
        network: Option<Network>,
    ) -> Result<Handle, Reported> {
        // The alphabet of sheep names is a part of that of handles.
        let handle: Handle =
            name.as_str().parse().map_err(|err| self.report(line, format!("`account`: {err}")))?;
        let Some(Err(_)) = network.map(|network| network.check_handle(&handle)) else {
            return Ok(handle);
        };
        let facts = network.unwrap_or(Network::Meadow).facts();
        Err(self.report_missing(
            line,
            format!(
                "`account` is missing: without it the sheep posts as `{name}`, but accounts of {} are \
                 written like \"{}\"",
                facts.title, facts.account_example
            ),
        ))
    }

    /// The sheep that is a mix, whose texts are those of its parts.
    fn mix_source(&mut self, header: usize, own: &Fields) -> Source {
        let named_line = own.get("name").map_or(header, |name| name.line);
        Source {
            name: self.required(own, "name", Some(header), "say what the sheep is called"),
            others: Vec::new(),
            path: Ok(self.dir.join(FLOCK_TOML)),
            named: format!("line {named_line}"),
            named_line,
            path_line: header,
        }
    }

    /// Which sheep a `[[sheep]]` names, and their texts.
    fn sources(&mut self, header: usize, own: &Fields, is_mix: bool) -> Vec<Source> {
        if is_mix {
            return vec![self.mix_source(header, own)];
        }
        let Some(files) = own.get("files") else {
            return self.one_source(header, own).into_iter().collect();
        };
        for name in ["name", "corpus"] {
            if let Some(given) = own.get(name) {
                let what = format!(
                    "`{name}` does not go with `files`, which makes a sheep of each file and names \
                     it after the file"
                );
                self.report(given.line, what);
            }
        }
        let Some(pattern) = files.text() else { return Vec::new() };
        let paths = self.matching_files(files.line, pattern).unwrap_or_default();
        let spelled = |path: &PathBuf| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            spelling::sheep_names(&stem)
        };
        let mut spellings: Vec<_> = paths.iter().map(spelled).collect();
        // Who is called so in one spelling alone has the name; another keeps to the letters that have no accents.
        let plain = spellings.iter().flatten().filter_map(|spellings| match &**spellings {
            [name] => Some(name.clone()),
            _ => None,
        });
        let plain: BTreeSet<_> = plain.collect();
        for spellings in spellings.iter_mut().flatten() {
            if 1 < spellings.len() && spellings.first().is_some_and(|name| plain.contains(name)) {
                spellings.rotate_left(1);
            }
        }
        let source = |(path, spellings): (PathBuf, Result<Vec<_>, InvalidId>)| {
            let mut spellings = spellings.map(Vec::into_iter).map_err(|_| {
                let what = format!(
                    "no sheep can be named after this file: a name is made of 1 to 48 of a-z, 0-9, `-` and `_`; rename \
                     the file, or move it to where `{pattern}` does not find it and give it a [[sheep]] with `name` \
                     and `corpus`"
                );
                self.problems.push(Mistake::new(self.dir.join(&path), None, what));
                Reported
            });
            let name = spellings.as_mut().map_err(|_| Reported);
            let name = name.and_then(|spellings| spellings.next().ok_or(Reported));
            let others = spellings.into_iter().flatten().collect();
            let named = format!("line {} ({})", files.line, path.display());
            let (named_line, path_line) = (files.line, files.line);
            Source { name, others, path: Ok(path), named, named_line, path_line }
        };
        paths.into_iter().zip(spellings).map(source).collect()
    }

    /// The sheep of a `[[sheep]]` without `files`.
    fn one_source(&mut self, header: usize, own: &Fields) -> Option<Source> {
        let (name, corpus) = (own.get("name"), own.get("corpus"));
        if name.is_none() && corpus.is_none() {
            let what = "say which texts: give `files`, or `name` and `corpus`";
            self.report_missing(header, what);
            return None;
        }
        let named_line = name.map_or(header, |name| name.line);
        let path = self.required::<PathBuf>(
            own,
            "corpus",
            Some(header),
            "say which file holds the text, such as \"apollo.txt\"",
        );
        Some(Source {
            name: self.required(own, "name", Some(header), "say what the sheep is called"),
            others: Vec::new(),
            path,
            named: format!("line {named_line}"),
            named_line,
            path_line: corpus.map_or(header, |corpus| corpus.line),
        })
    }

    /// The name of a sheep, reported where another has it already.
    fn claim_name(&mut self, source: &Source) -> Result<SheepName, Reported> {
        // Also where the files are called alike in two spellings, which nobody sees: they are one poem, twice.
        let name = source.name.clone()?;
        if let Some(first) = self.names.get(&name) {
            let what = format!(
                "the sheep name `{name}` is used twice: in {first} and in {}",
                source.named
            );
            return Err(self.report(source.named_line, what));
        }
        self.names.insert(name.clone(), source.named.clone());
        Ok(name)
    }
}
