//! What an account shows of itself: its profile, as somebody wants it, and as its network shows it.
//!
//! Who wants one for a whole flock writes it once, with [placeholders](fill) for what differs from account to account.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Picture, PictureDigest, PictureRefusal, PictureRules, quoted};

/// A part of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProfilePart {
    /// What the account calls itself, beside its handle.
    Name,
    /// What it says of itself.
    Bio,
    /// A link.
    Url,
    /// Where it is.
    Location,
    /// The picture beside its posts.
    Picture,
    /// The picture above its profile.
    Banner,
    /// Whether it says that it is a bot's.
    Bot,
}

/// What a network takes of profiles.
#[derive(Debug, Clone, Copy)]
pub struct ProfileRules {
    /// The longest text of each part that it has, in what `measure` counts.
    pub texts: &'static [(ProfilePart, usize)],
    /// How it counts them.
    pub measure: fn(&str) -> usize,
    /// Which pictures it takes. `None`: it has none.
    pub picture: Option<PictureRules>,
    /// Which banners it takes. `None`: it has none.
    pub banner: Option<PictureRules>,
    /// Whether an account can say that it is a bot's, by a request.
    pub has_bot: bool,
}

/// What somebody wants of a profile. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The texts of its parts; an empty one takes away what is there.
    pub texts: BTreeMap<ProfilePart, String>,
    /// The picture beside posts.
    pub picture: Option<Picture>,
    /// The picture above the profile.
    pub banner: Option<Picture>,
    /// Whether it says that it is a bot's.
    pub bot: Option<bool>,
}

/// What a network shows of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// The texts of the parts that it has, empty ones too.
    pub texts: BTreeMap<ProfilePart, String>,
    /// The picture that was set last, where that can be told: networks shrink pictures.
    pub picture: Option<PictureDigest>,
    /// The banner, likewise.
    pub banner: Option<PictureDigest>,
    /// Whether it says that it is a bot's.
    pub bot: Option<bool>,
}

/// What differs between what is wanted and what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which part.
    pub part: ProfilePart,
    /// What is there now, for a person. `None`: nobody can tell.
    pub now: Option<String>,
    /// What is to be there, for a person.
    pub wanted: String,
}

/// Why an account cannot have a profile.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ProfileRefusal {
    /// Its network has no such thing.
    #[error("{} has no {part} in profiles: leave it out for {account}", account.network.title_within())]
    NoSuchPart {
        /// Whose.
        account: AccountId,
        /// What.
        part: ProfilePart,
    },
    /// Its network takes no text of that length.
    #[error("the {part} of {account} is {length} long, and {} takes {most}: shorten it", account.network.title_within())]
    TooLong {
        /// Whose.
        account: AccountId,
        /// What.
        part: ProfilePart,
        /// What the network counts.
        length: usize,
        /// What it takes.
        most: usize,
    },
    /// Its network does not take the picture.
    #[error("the {part} of {account}: {why}")]
    Picture {
        /// Whose.
        account: AccountId,
        /// What.
        part: ProfilePart,
        /// Why not.
        why: PictureRefusal,
    },
    /// What is no address.
    #[error("the link of {account} does not begin with https:// or http://: write it out")]
    NoUrl {
        /// Whose.
        account: AccountId,
    },
}

/// A text with placeholders cannot be filled.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Unfilled {
    /// Nothing has that name.
    #[error(
        "`{{{name}}}` is nothing that is known here: there are {known}; a brace of its own is written twice"
    )]
    Unknown {
        /// The name between the braces.
        name: String,
        /// What there is.
        known: String,
    },
    /// A brace has no other.
    #[error("`{0}` stands alone: a brace of its own is written twice")]
    Alone(char),
}

impl ProfilePart {
    /// All of them, in the order in which people read them.
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Bio, Self::Url, Self::Location, Self::Picture, Self::Banner, Self::Bot];
}

impl fmt::Display for ProfilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "display name",
            Self::Bio => "bio",
            Self::Url => "link",
            Self::Location => "location",
            Self::Picture => "picture",
            Self::Banner => "banner",
            Self::Bot => "bot label",
        })
    }
}

impl Wanted {
    /// Refuses what the network of `account` does not take; each thing that is wrong is named.
    pub fn check(&self, account: &AccountId) -> Vec<ProfileRefusal> {
        let rules = &account.network.facts().profile;
        let of = |part| (account.clone(), part);
        let mut refusals = Vec::new();
        for (part, text) in &self.texts {
            let (account, part) = of(*part);
            let Some((_, most)) = rules.texts.iter().find(|(has, _)| *has == part) else {
                refusals.push(ProfileRefusal::NoSuchPart { account, part });
                continue;
            };
            let (length, most) = ((rules.measure)(text), *most);
            let is_url = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
            if most < length {
                refusals.push(ProfileRefusal::TooLong { account, part, length, most });
            } else if part == ProfilePart::Url && !text.is_empty() && !is_url {
                refusals.push(ProfileRefusal::NoUrl { account });
            }
        }
        let pictures = [
            (ProfilePart::Picture, &self.picture, rules.picture),
            (ProfilePart::Banner, &self.banner, rules.banner),
        ];
        for (part, picture, rules) in pictures {
            let Some(picture) = picture else { continue };
            let (account, part) = of(part);
            match rules.map(|rules| rules.check(picture)) {
                None => refusals.push(ProfileRefusal::NoSuchPart { account, part }),
                Some(Err(why)) => refusals.push(ProfileRefusal::Picture { account, part, why }),
                Some(Ok(())) => {}
            }
        }
        if self.bot.is_some() && !rules.has_bot {
            let (account, part) = of(ProfilePart::Bot);
            refusals.push(ProfileRefusal::NoSuchPart { account, part });
        }
        refusals
    }

    /// What would be changed, in the order in which people read a profile. What nobody can compare counts as different.
    pub fn differences(&self, shown: &Shown) -> Vec<Difference> {
        ProfilePart::ALL.into_iter().filter_map(|part| self.difference(part, shown)).collect()
    }

    fn difference(&self, part: ProfilePart, shown: &Shown) -> Option<Difference> {
        let picture = |wanted: &Option<Picture>, now: Option<PictureDigest>| {
            let wanted = wanted.as_ref()?;
            let is_new = now != Some(wanted.digest());
            let now = now.map(|now| format!("picture {now}"));
            is_new.then(|| Difference { part, now, wanted: described(wanted) })
        };
        match part {
            ProfilePart::Picture => picture(&self.picture, shown.picture),
            ProfilePart::Banner => picture(&self.banner, shown.banner),
            ProfilePart::Bot => {
                let yes = |is: bool| if is { "a bot's" } else { "nobody's bot" }.to_owned();
                let wanted = self.bot.filter(|wanted| shown.bot != Some(*wanted))?;
                Some(Difference { part, now: shown.bot.map(yes), wanted: yes(wanted) })
            }
            ProfilePart::Name | ProfilePart::Bio | ProfilePart::Url | ProfilePart::Location => {
                let (wanted, now) = (self.texts.get(&part)?, shown.texts.get(&part));
                // Networks cut blanks off both ends.
                let is_new = now.is_none_or(|now| now.trim() != wanted.trim());
                is_new.then(|| Difference {
                    part,
                    now: now.map(|now| said(now)),
                    wanted: said(wanted),
                })
            }
        }
    }

    /// The same, without what is shown already.
    #[must_use]
    pub fn without_what_is(&self, shown: &Shown) -> Self {
        let differ = |part| self.difference(part, shown).is_some();
        let texts = self.texts.iter().filter(|(part, _)| differ(**part));
        Self {
            texts: texts.map(|(part, text)| (*part, text.clone())).collect(),
            picture: self.picture.clone().filter(|_| differ(ProfilePart::Picture)),
            banner: self.banner.clone().filter(|_| differ(ProfilePart::Banner)),
            bot: self.bot.filter(|_| differ(ProfilePart::Bot)),
        }
    }

    /// The same, without pictures: networks make others of what they are given, which cannot be compared.
    #[must_use]
    pub fn without_pictures(&self) -> Self {
        Self { picture: None, banner: None, ..self.clone() }
    }

    /// Whether nothing is wanted.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, now, wanted } = self;
        match now {
            Some(now) => write!(f, "{part}: {now} → {wanted}"),
            None => write!(f, "{part}: → {wanted}"),
        }
    }
}

/// A text of a profile, within one line.
fn said(text: &str) -> String {
    if text.trim().is_empty() { "nothing".to_owned() } else { format!("“{}”", quoted(text)) }
}

/// A picture, as people tell it from another.
fn described(picture: &Picture) -> String {
    let (width, height, bytes) = (picture.width(), picture.height(), picture.bytes().len());
    let kind = picture.kind();
    format!("{kind} of {width} × {height}, {bytes} bytes, {}", picture.digest())
}

/// A text in which each name between braces is replaced by what it stands for. `{{` and `}}` are braces of their own; blanks and
/// capitals in names make no difference.
pub fn fill(text: &str, known: &BTreeMap<&str, String>) -> Result<String, Unfilled> {
    let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            filled.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            filled.push('}');
            rest = after;
        } else if let Some((name, after)) =
            from.strip_prefix('{').and_then(|from| from.split_once('}'))
        {
            let wanted = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            let Some(value) = known.get(wanted.as_str()) else {
                let known: Vec<_> = known.keys().map(|name| format!("`{{{name}}}`")).collect();
                return Err(Unfilled::Unknown { name: name.to_owned(), known: known.join(", ") });
            };
            filled.push_str(value);
            rest = after;
        } else {
            return Err(Unfilled::Alone(if from.starts_with('{') { '{' } else { '}' }));
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of one pixel.
    fn picture() -> Picture {
        let bytes = [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89".as_slice(),
            b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82",
        ];
        Picture::read(bytes.concat(), String::new()).unwrap()
    }

    fn texts(texts: &[(ProfilePart, &str)]) -> BTreeMap<ProfilePart, String> {
        texts.iter().map(|(part, text)| (*part, (*text).to_owned())).collect()
    }

    #[test]
    fn placeholders_are_filled() {
        let known =
            BTreeMap::from([("n", "7".to_owned()), ("corpus title", "Paradise {lost}".to_owned())]);
        let filled = |text| fill(text, &known).map_err(|err| err.to_string());
        for (text, wanted) in [
            ("", Ok("")),
            ("Book {n} of 12", Ok("Book 7 of 12")),
            ("{Corpus  Title}, {n}{n}", Ok("Paradise {lost}, 77")),
            ("{{n}} is {n}}}", Ok("{n} is 7}")),
            (
                "{m}",
                Err(
                    "`{m}` is nothing that is known here: there are `{corpus title}`, `{n}`; a brace of its own is written twice",
                ),
            ),
            (
                "{}",
                Err(
                    "`{}` is nothing that is known here: there are `{corpus title}`, `{n}`; a brace of its own is written twice",
                ),
            ),
            ("a { b", Err("`{` stands alone: a brace of its own is written twice")),
            ("a } b", Err("`}` stands alone: a brace of its own is written twice")),
        ] {
            assert_eq!(filled(text), wanted.map(str::to_owned).map_err(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn each_network_refuses_what_it_does_not_take() {
        let wanted = Wanted {
            texts: texts(&[
                (ProfilePart::Name, &"n".repeat(40)),
                (ProfilePart::Bio, &"b".repeat(200)),
                (ProfilePart::Url, "example.org"),
                (ProfilePart::Location, "Eden"),
            ]),
            picture: Some(picture()),
            banner: None,
            bot: Some(true),
        };
        let mut lines = Vec::new();
        for account in [
            "x:milton",
            "mastodon:milton@example.social",
            "bluesky:milton.example",
            "meadow:milton",
        ] {
            let refusals = wanted.check(&account.parse().unwrap());
            lines.extend(refusals.iter().map(ToString::to_string));
        }
        insta::assert_snapshot!(lines.join("\n"), @"
        the bio of x:milton is 200 long, and X takes 160: shorten it
        the link of x:milton does not begin with https:// or http://: write it out
        X has no bot label in profiles: leave it out for x:milton
        the display name of mastodon:milton@example.social is 40 long, and Mastodon takes 30: shorten it
        the link of mastodon:milton@example.social does not begin with https:// or http://: write it out
        the link of bluesky:milton.example does not begin with https:// or http://: write it out
        Bluesky has no location in profiles: leave it out for bluesky:milton.example
        the meadow has no display name in profiles: leave it out for meadow:milton
        the meadow has no bio in profiles: leave it out for meadow:milton
        the meadow has no link in profiles: leave it out for meadow:milton
        the meadow has no location in profiles: leave it out for meadow:milton
        the meadow has no picture in profiles: leave it out for meadow:milton
        the meadow has no bot label in profiles: leave it out for meadow:milton
        ");
    }

    #[test]
    fn what_is_there_already_is_not_changed() {
        let wanted = Wanted {
            texts: texts(&[
                (ProfilePart::Bio, "reads\nParadise Lost"),
                (ProfilePart::Name, "Milton"),
            ]),
            picture: Some(picture()),
            banner: None,
            bot: Some(true),
        };
        let shown = Shown {
            texts: texts(&[
                (ProfilePart::Bio, ""),
                (ProfilePart::Name, " Milton"),
                (ProfilePart::Url, "https://a.example"),
            ]),
            picture: None,
            banner: None,
            bot: Some(false),
        };
        let lines: Vec<_> = wanted.differences(&shown).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        bio: nothing → “reads / Paradise Lost”
        picture: → PNG of 1 × 1, 70 bytes, 4ff6ab670a58
        bot label: nobody's bot → a bot's
        ");
        let left = wanted.without_what_is(&shown);
        assert_eq!(left.texts.keys().collect::<Vec<_>>(), [&ProfilePart::Bio]);
        let same = Shown {
            texts: wanted.texts.clone(),
            picture: Some(picture().digest()),
            banner: None,
            bot: Some(true),
        };
        assert!(wanted.without_what_is(&same).is_nothing() && wanted.differences(&same).is_empty());
    }

    proptest::proptest! {
        /// What has no braces is itself, and what has them doubled comes out with them.
        #[test]
        fn any_text_can_be_written(text in ".*") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            proptest::prop_assert_eq!(fill(&doubled, &BTreeMap::new()), Ok(text));
        }
    }
}
