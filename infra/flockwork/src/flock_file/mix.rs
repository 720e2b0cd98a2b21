//! Mixes: what they are made of, each part with a file of its own.

use std::sync::Arc;

use flock_core::{BehaviourKind, Corpus, Mix, MixPart, Mixed, Network, Post};
use flock_ops::Part;
use jiff::tz::TimeZone;

use super::{Reader, fields::Fields, mistakes::Reported, rhythm::Defaults, texts::Division};

/// What a mix is made of.
pub(super) struct Made {
    /// The texts of all parts, one behind the other.
    pub(super) corpus: Arc<Corpus>,
    /// How they are mixed.
    pub(super) mixed: Vec<MixPart>,
    /// Where they come from.
    pub(super) parts: Vec<Part>,
}

impl Reader<'_> {
    /// The parts of the mix that the sheep at the line `header` is, each a table of `flock.toml` with the line where it begins.
    pub(super) fn made(
        &mut self,
        (header, own): (usize, &Fields),
        defaults: &Defaults,
        tables: &[(usize, Fields)],
        network: Option<Network>,
    ) -> Result<Made, Reported> {
        for name in ["corpus", "files"] {
            if let Some(given) = own.get(name) {
                let what =
                    format!("`{name}` is not for a mix: each part of it names its own `corpus`");
                self.report(given.line, what);
            }
        }
        if tables.len() < 2 || Mix::MOST_PARTS < tables.len() {
            let what = format!(
                "a mix has 2 to {} parts and this has {}: write each as [[sheep.parts]] with `behaviour`, `corpus` and `weight`",
                Mix::MOST_PARTS,
                tables.len()
            );
            return Err(self.report_missing(header, what));
        }
        let parts: Vec<_> =
            tables.iter().map(|(line, part)| self.part((*line, part), defaults, network)).collect();
        let parts: Vec<_> = parts.into_iter().collect::<Result<_, _>>()?;
        let corpus = Corpus::joined(parts.iter().map(|(part, _)| &*part.corpus));
        let corpus = corpus.ok_or_else(|| {
            self.report(header, "the parts of this mix have more lines together than one text can")
        })?;
        let (parts, mixed) = parts.into_iter().unzip();
        Ok(Made { corpus: Arc::new(corpus), mixed, parts })
    }

    /// How the text of a part is divided: into posts, none of which goes on with another.
    fn part_division(
        &mut self,
        (line, own): (usize, &Fields),
        defaults: &Defaults,
        kind: BehaviourKind,
    ) -> Result<Division, Reported> {
        let division = self.division(own, defaults, Some(kind))?;
        if division.post == Post::Thread {
            let line = own.get("post").map_or(line, |given| given.line);
            let what = "a part of a mix says one post in its turn, and no thread; write post = \"stanza\" or another";
            return Err(self.report(line, what));
        }
        Ok(Division { split: false, ..division })
    }

    fn part(
        &mut self,
        (line, own): (usize, &Fields),
        defaults: &Defaults,
        network: Option<Network>,
    ) -> Result<(Part, MixPart), Reported> {
        let example = format!("say what the part says, such as {}", BehaviourKind::EXAMPLE);
        let kind: Result<BehaviourKind, _> = self.required(own, "behaviour", Some(line), &example);
        let weight = match own.get("weight") {
            None => Ok(1),
            Some(given) => match given.count() {
                Some(weight @ 1..=MixPart::MOST_WEIGHT) => Ok(weight),
                Some(weight) => {
                    let most = MixPart::MOST_WEIGHT;
                    let what =
                        format!("`weight` is {weight}; a part has 1 to {most} turns of a round");
                    Err(self.report(given.line, what))
                }
                None => Err(Reported),
            },
        };
        let path = self.required(
            own,
            "corpus",
            Some(line),
            "say which file holds the text of the part, such as \"apollo.txt\"",
        );
        let kind = kind?;
        let division = self.part_division((line, own), defaults, kind);
        let rules = self.chain_rules(own, defaults, Some(kind));
        if Mixed::of(kind, flock_core::ChainRules::default()).is_none() {
            let line = own.get("behaviour").map_or(line, |given| given.line);
            let what = format!(
                "{} cannot be a part of a mix: write a poem, a grammar or a Markov chain, and give what else its account says a \
                 [[sheep]] of its own",
                kind.a_name()
            );
            return Err(self.report(line, what));
        }
        let (path, division): (std::path::PathBuf, _) = (path?, division?);
        let path_line = own.get("corpus").map_or(line, |given| given.line);
        // No part has times.
        let how = (kind, &TimeZone::UTC, &division);
        let (file, corpus) = self.corpus(path_line, &path, how, network)?;
        let text = (file.as_path(), &*corpus, kind);
        let rules = self.fitting_rules((own, defaults), &rules, text)?;
        let says = Mixed::of(kind, rules).ok_or(Reported)?;
        let mixed = MixPart { says, lines: corpus.len(), weight: weight? };
        Ok((Part { kind, corpus, file }, mixed))
    }
}
