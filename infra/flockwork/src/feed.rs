//! What the page shows, kept, so that only what is new is read: and of that no more at a time than a browser gladly waits for.
//! What is left is read when the page asks again.

use std::collections::{HashMap, HashSet};

use flock_core::{Occurrence, Sheep, SheepId};
use flock_store::{NotFound, Post, Stop, Store, StoreError};
use jiff::Timestamp;

/// How much is kept, and read at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Posts on the page.
    posts: usize,
    /// Posts that are read by their numbers for one answer. A hundred take a request.
    numbers: usize,
    /// Sheep whose posts are looked for, because some numbers have none, for one answer. Each takes a request.
    searches: usize,
}

/// New posts of one sheep that are read by their numbers: of more, only the newest may be wanted.
const NEW: u64 = 4;

/// All sheep and their newest posts.
#[derive(Debug)]
pub(crate) struct Feed {
    /// All sheep.
    pub(crate) sheep: Vec<Sheep>,
    /// That everything is stopped, if it is.
    pub(crate) stop: Option<Stop>,
    /// Whether there are posts that were not read yet.
    pub(crate) is_behind: bool,
    sizes: Sizes,
    /// Of the posts that have been read and are recorded, the newest, oldest first.
    recorded: Vec<Post>,
    /// What has been read of each sheep.
    known: HashMap<SheepId, Known>,
}

/// What has been read of the posts of a sheep: those with numbers from one up to another are kept, as many as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    from: u64,
    to: u64,
    /// What comes before is not newer than this; none: nothing is known of it.
    older: Option<Timestamp>,
    /// Not all numbers just before are those of posts.
    has_gap: bool,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { posts: 100, numbers: 1_000, searches: 32 }
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::of(Sizes::default())
    }
}

impl Feed {
    fn of(sizes: Sizes) -> Self {
        Self {
            sheep: Vec::new(),
            stop: None,
            is_behind: false,
            sizes,
            recorded: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// The newest posts, oldest first, with those that are being made.
    pub(crate) fn posts(&self) -> Vec<Post> {
        let mut posts = self.recorded.clone();
        posts.extend(self.sheep.iter().filter_map(Post::intended));
        posts.sort_by(Post::by_time);
        // A meadow post is there before its sheep says so.
        posts.dedup_by(|b, a| a.sheep == b.sheep && a.occurrence == b.occurrence);
        let older = posts.len().saturating_sub(self.sizes.posts);
        posts.split_off(older)
    }

    /// Reads what is new: first what was posted since, then what comes before that.
    pub(crate) async fn refresh(&mut self, store: &Store) -> Result<(), NotFound> {
        self.sheep = store.sheep_of(None).await?;
        self.stop = store.control().await?.stopped;
        let there: HashSet<_> = self.sheep.iter().map(|sheep| &sheep.id).collect();
        self.known.retain(|id, _| there.contains(id));
        self.recorded.retain(|post| there.contains(&post.sheep));
        let Sizes { numbers, mut searches, .. } = self.sizes;
        let mut left = numbers.saturating_sub(self.read_new(store, numbers).await?);
        loop {
            self.keep_newest();
            let older = self.older();
            let wanted = self.wanted(&older, left, searches);
            self.is_behind = self.is_new() || !older.is_empty();
            if wanted.numbers.is_empty() && wanted.searched.is_empty() {
                return Ok(());
            }
            left = left.saturating_sub(wanted.numbers.len());
            searches = searches.saturating_sub(wanted.searched.len());
            self.read_older(store, wanted).await?;
        }
    }

    /// Reads what was posted since the posts that are known; says how many numbers it looked at.
    async fn read_new(&mut self, store: &Store, most: usize) -> Result<usize, StoreError> {
        let (mut numbers, mut read) = (Vec::new(), Vec::new());
        let mut forgotten = HashSet::new();
        for sheep in &self.sheep {
            let to = recorded_up_to(sheep);
            let nothing = Known { from: to, to, older: None, has_gap: false };
            let known = self.known.entry(sheep.id.clone()).or_insert(nothing);
            if !(known.to..=known.to.saturating_add(NEW)).contains(&to) {
                *known = nothing;
                forgotten.insert(&sheep.id);
            } else if known.to < to && numbers.len() < most {
                numbers.extend((known.to..to).map(|number| (sheep.id.clone(), Occurrence(number))));
                read.push((&sheep.id, to));
            }
        }
        self.recorded.retain(|post| !forgotten.contains(&post.sheep));
        self.recorded.extend(store.posts_numbered(&numbers).await?);
        for (id, to) in read {
            if let Some(known) = self.known.get_mut(id) {
                known.to = to;
            }
        }
        Ok(numbers.len())
    }

    /// Whether there is something new that was not read.
    fn is_new(&self) -> bool {
        let known = |sheep: &Sheep| self.known.get(&sheep.id).map(|known| known.to);
        self.sheep.iter().any(|sheep| known(sheep) != Some(recorded_up_to(sheep)))
    }

    /// Lets go what is too old for the page.
    fn keep_newest(&mut self) {
        self.recorded.sort_by(Post::by_time);
        let older = self.recorded.len().saturating_sub(self.sizes.posts);
        for post in self.recorded.drain(..older) {
            if let Some(known) = self.known.get_mut(&post.sheep) {
                known.from = known.from.max(post.occurrence.0 + 1);
                (known.older, known.has_gap) = (Some(post.at), false);
            }
        }
    }

    /// The sheep that may have posts of which nothing was read, and which belong on the page.
    fn older(&self) -> Vec<SheepId> {
        let oldest = self.recorded.first().filter(|_| self.recorded.len() == self.sizes.posts);
        let oldest = oldest.map(|post| (post.at, &post.sheep, post.occurrence.0));
        let belongs = |id: &SheepId, known: &Known| {
            let newest = known.older.map(|at| (at, id, known.from.saturating_sub(1)));
            1 < known.from
                && oldest.is_none_or(|oldest| newest.is_none_or(|newest| oldest < newest))
        };
        let ids = self.sheep.iter().map(|sheep| &sheep.id);
        let mut older: Vec<_> = ids
            .filter_map(|id| {
                self.known.get(id).filter(|known| belongs(id, known)).map(|known| (known, id))
            })
            .collect();
        // Those of which nothing is known come first: they may have the newest.
        older.sort_by_key(|(known, _)| (known.older.is_some(), std::cmp::Reverse(known.older)));
        older.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// What is read next of these sheep, where so many numbers and searches are left.
    fn wanted(&self, older: &[SheepId], numbers: usize, searches: usize) -> Wanted {
        // Of many sheep each has few of the newest.
        let each = (2 * self.sizes.posts / older.len().max(1)).clamp(1, self.sizes.posts);
        let mut wanted = Wanted { each, numbers: Vec::new(), searched: Vec::new() };
        for id in older {
            let Some(known) = self.known.get(id) else { continue };
            if known.has_gap {
                if wanted.searched.len() < searches {
                    wanted.searched.push((id.clone(), Occurrence(known.from)));
                }
            } else if wanted.numbers.len() < numbers {
                let each = u64::try_from(each).unwrap_or(u64::MAX);
                let from = known.from.saturating_sub(each).max(1);
                let before = (from..known.from).map(|number| (id.clone(), Occurrence(number)));
                wanted.numbers.extend(before);
            }
        }
        wanted
    }

    async fn read_older(&mut self, store: &Store, wanted: Wanted) -> Result<(), StoreError> {
        let Wanted { each, numbers, searched } = wanted;
        let mut found: HashMap<SheepId, Vec<Post>> = HashMap::new();
        for post in store.posts_numbered(&numbers).await? {
            found.entry(post.sheep.clone()).or_default().push(post);
        }
        let mut asked: HashMap<SheepId, u64> = HashMap::new();
        for (id, _) in numbers {
            *asked.entry(id).or_default() += 1;
        }
        for (id, asked) in asked {
            let posts = found.remove(&id).unwrap_or_default();
            let Some(known) = self.known.get_mut(&id) else { continue };
            if u64::try_from(posts.len()) == Ok(asked) {
                known.from -= asked;
                known.older = posts.iter().map(|post| post.at).max();
                self.recorded.extend(posts);
            } else {
                known.has_gap = true;
            }
        }
        let posts = store.newest_posts_before(&searched, each).await?;
        for (id, _) in searched {
            let posts: Vec<_> = posts.iter().filter(|post| post.sheep == id).cloned().collect();
            let Some(known) = self.known.get_mut(&id) else { continue };
            let last = posts.iter().map(|post| post.occurrence.0).min();
            known.from = last.filter(|_| each <= posts.len()).unwrap_or(1);
            known.older = posts.iter().map(|post| post.at).max();
            known.has_gap = false;
            self.recorded.extend(posts);
        }
        Ok(())
    }
}

/// What is read next.
struct Wanted {
    /// So many of each sheep.
    each: usize,
    /// Posts by their numbers.
    numbers: Vec<(SheepId, Occurrence)>,
    /// Sheep whose posts before a number are looked for.
    searched: Vec<(SheepId, Occurrence)>,
}

/// The first number of which no post is recorded yet, or none for sure.
fn recorded_up_to(sheep: &Sheep) -> u64 {
    let next = sheep.progress.occurrence;
    sheep.intent.as_ref().map_or(next, |intent| next.min(intent.occurrence)).0
}
