//! What the page shows, kept, so that only what is new is read: and of that no more at a time than a browser gladly waits for.
//! What is left is read when the page asks again.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    time::Duration,
};

use flock_core::{Occurrence, Sheep, SheepId, State};
use flock_store::{NotFound, Post, PostState, Stop, Store, StoreError};
use jiff::Timestamp;
use tokio::time::Instant;

/// How much is kept, and read for one answer.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Posts on the page.
    posts: usize,
    /// Posts that are read by their numbers in one step, which is a request.
    numbers: usize,
    /// Sheep whose posts are looked for in one step, because some numbers have none. Each takes a request.
    searches: usize,
    /// How long it goes on.
    time: Duration,
}

/// While there is more to be read, the sheep are as they were so long ago at most.
const FRESH: Duration = Duration::from_secs(2);

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
    /// When the sheep were read.
    read_at: Option<Instant>,
    /// Of the posts that have been read and are recorded, the newest, oldest first.
    recorded: Vec<Post>,
    /// What has been read of each sheep.
    known: HashMap<SheepId, Known>,
}

/// What has been read of the posts of a sheep: those with numbers from one up to another are kept, as many as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    from: u64,
    to: u64,
    /// What comes before is not newer than this; none: nothing is known of it.
    older: Option<Timestamp>,
    /// Not all numbers just before are those of posts.
    has_gap: bool,
    /// The version that the sheep had then: whatever happens to it, a wipe too, makes it another.
    version: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { posts: 100, numbers: 50, searches: 16, time: Duration::from_millis(60) }
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
            read_at: None,
            recorded: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// The newest posts, oldest first, with those that are being made.
    pub(crate) fn posts(&self) -> Vec<Post> {
        let mut posts = self.recorded.clone();
        posts.retain(|post| post.state != PostState::Deleted);
        posts.extend(self.sheep.iter().filter_map(Post::intended));
        posts.sort_by(Post::by_time);
        // A meadow post is there before its sheep says so.
        posts.dedup_by(|b, a| a.sheep == b.sheep && a.occurrence == b.occurrence);
        let older = posts.len().saturating_sub(self.sizes.posts);
        posts.split_off(older)
    }

    /// Reads the sheep, and of what is new as much as there is time for: first what was posted since, then what comes before that. It
    /// is behind until all is read that the sheep say who were read with it.
    pub(crate) async fn refresh(&mut self, store: &Store) -> Result<(), NotFound> {
        let begun = Instant::now();
        let time = self.sizes.time;
        let has_sheep = self.is_behind && self.read_at.is_some_and(|at| at.elapsed() < FRESH);
        if !has_sheep {
            let (sheep, control) = tokio::join!(store.sheep_of(None), store.control());
            (self.sheep, self.stop) = (sheep?, control?.stopped);
            self.read_at = Some(begun);
            self.let_deleted_go(store).await?;
            self.forget();
        }
        let mut has_read = false;
        loop {
            self.keep_newest();
            let (new, older) = (self.new_numbers(), self.older());
            let is_whole = new.is_empty() && older.is_empty();
            self.is_behind = has_sheep || !is_whole;
            if is_whole {
                // Whatever was posted since those were read is looked for at once.
                self.read_at = None;
                return Ok(());
            }
            // While a tick is at work, the table answers slowly: to read the sheep alone may take all the time there is.
            let has_done_something = !has_sheep || has_read;
            if has_done_something && time <= begun.elapsed() {
                return Ok(());
            }
            if new.is_empty() {
                let wanted = self.wanted(&older);
                self.read_older(store, wanted).await?;
            } else {
                self.read_new(store, &new).await?;
            }
            has_read = true;
        }
    }

    /// Lets go what is deleted by now, of whom it may be: who is as a wipe leaves a sheep, or has changed since.
    async fn let_deleted_go(&mut self, store: &Store) -> Result<(), StoreError> {
        let doubtful = self.sheep.iter().filter(|sheep| {
            let known = self.known.get(&sheep.id);
            begins_anew(sheep) || known.is_some_and(|known| known.version != sheep.version)
        });
        let doubtful: HashSet<_> = doubtful.map(|sheep| &sheep.id).collect();
        let posts = self.recorded.iter().filter(|post| doubtful.contains(&post.sheep));
        let numbers: Vec<_> = posts.map(|post| (post.sheep.clone(), post.occurrence)).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let posts = store.posts_numbered(&numbers).await?;
        let deleted = posts.into_iter().filter(|post| post.state == PostState::Deleted);
        let deleted: HashSet<_> = deleted.map(|post| (post.sheep, post.occurrence)).collect();
        self.recorded.retain(|post| !deleted.contains(&(post.sheep.clone(), post.occurrence)));
        Ok(())
    }

    /// Forgets who is gone, and of whom so much is new that only the newest of it may be wanted.
    fn forget(&mut self) {
        let mut known = HashMap::new();
        let mut kept = HashSet::new();
        for sheep in &self.sheep {
            let to = recorded_up_to(sheep);
            let before = self
                .known
                .get(&sheep.id)
                .filter(|before| (before.to..=before.to.saturating_add(NEW)).contains(&to));
            if before.is_some() {
                kept.insert(&sheep.id);
            }
            let nothing = Known { from: to, to, ..Known::default() };
            let known_before = before.copied().unwrap_or(nothing);
            known.insert(sheep.id.clone(), Known { version: sheep.version, ..known_before });
        }
        self.known = known;
        self.recorded.retain(|post| kept.contains(&post.sheep));
    }

    /// Numbers of what may have been posted since the posts that are known, as many as are read in one step.
    fn new_numbers(&self) -> Vec<(SheepId, Occurrence)> {
        let new = self.sheep.iter().flat_map(|sheep| {
            let to = recorded_up_to(sheep);
            let from = self.known.get(&sheep.id).map_or(to, |known| known.to);
            (from..to).map(|number| (sheep.id.clone(), Occurrence(number)))
        });
        new.take(self.sizes.numbers).collect()
    }

    async fn read_new(
        &mut self,
        store: &Store,
        numbers: &[(SheepId, Occurrence)],
    ) -> Result<(), StoreError> {
        self.recorded.extend(store.posts_numbered(numbers).await?);
        for (id, number) in numbers {
            if let Some(known) = self.known.get_mut(id) {
                known.to = number.0 + 1;
            }
        }
        Ok(())
    }

    /// Lets go what is too old for the page, and what is deleted: it would take the place of what is there.
    fn keep_newest(&mut self) {
        self.recorded.retain(|post| post.state != PostState::Deleted);
        self.recorded.sort_by(Post::by_time);
        let older = self.recorded.len().saturating_sub(self.sizes.posts);
        for post in self.recorded.drain(..older) {
            if let Some(known) = self.known.get_mut(&post.sheep) {
                known.from = known.from.max(post.occurrence.0 + 1);
                known.older = known.older.map(|older| older.max(post.at));
                known.has_gap = false;
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
        older.sort_by_key(|(known, _)| (known.older.is_some(), Reverse(known.older)));
        older.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// What is read next of these sheep, in one step.
    fn wanted(&self, older: &[SheepId]) -> Wanted {
        let Sizes { numbers, searches, .. } = self.sizes;
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

/// Whether it is as a wipe leaves it, until it is resumed.
fn begins_anew(sheep: &Sheep) -> bool {
    matches!(sheep.state, State::Paused { .. }) && sheep.progress.last_remote.is_none()
}

/// The first number of which no post is recorded yet, or none for sure.
fn recorded_up_to(sheep: &Sheep) -> u64 {
    let next = sheep.progress.occurrence;
    sheep.intent.as_ref().map_or(next, |intent| next.min(intent.occurrence)).0
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use dynoxide::Database;
    use flock_core::{Behaviour, Poem, Rhythm, RhythmFields, SheepConfig};
    use flock_store::{PostState, Recorded, Write};
    use jiff::SignedDuration;
    use local_cloud::{services::LocalCloud, table, template::Template};
    use loopback::Token;
    use proptest::prelude::*;

    use super::*;
    use crate::connect::{LOCAL_NAME, STRANGERS};

    /// What happens between two looks at the page.
    #[derive(Debug, Clone)]
    enum Deed {
        /// The sheep makes so many posts, after it has left out as many numbers as the other says.
        Post { sheep: usize, posts: u64, left_out: u64 },
        /// It is removed, or made again.
        Turn { sheep: usize },
        /// All it has said is deleted, so far that only so many are left.
        Wipe { sheep: usize, left: usize },
        /// It goes on.
        Resume { sheep: usize },
        /// Somebody looks.
        Look,
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            6 => (0..3_usize, 1..7_u64, prop_oneof![3 => Just(0_u64), 1 => 1..9_u64])
                .prop_map(|(sheep, posts, left_out)| Deed::Post { sheep, posts, left_out }),
            3 => (0..3_usize).prop_map(|sheep| Deed::Turn { sheep }),
            2 => (0..3_usize, prop_oneof![2 => Just(0_usize), 1 => 1..4_usize])
                .prop_map(|(sheep, left)| Deed::Wipe { sheep, left }),
            2 => (0..3_usize).prop_map(|sheep| Deed::Resume { sheep }),
            6 => Just(Deed::Look),
        ]
    }

    fn sheep(number: usize, occurrence: u64, now: Timestamp) -> Sheep {
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let behaviour = Behaviour::Poem(Poem::of_lines(corpus, 5));
        let account = "meadow:apollo".parse().unwrap();
        let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
        let id = format!("choir/s{number}").parse().unwrap();
        Sheep::create(id, config, Occurrence(occurrence), now).unwrap()
    }

    /// A table with three sheep, as the local run has it.
    struct Table {
        store: Store,
        now: Timestamp,
        /// The numbers of their next posts, and whether they are there.
        next: Vec<(u64, bool)>,
        posts: Vec<Post>,
        _cloud: LocalCloud,
    }

    impl Table {
        async fn start() -> Self {
            let template =
                Template::parse(include_str!("../../../template.yaml")).expect("it is ours");
            let database = Database::memory().unwrap();
            table::ensure(&database, LOCAL_NAME, &template.table).unwrap();
            let (cloud, _) =
                LocalCloud::start(database, HashMap::new(), Token::new(), STRANGERS).await.unwrap();
            let store = Store::new(Client::new(&cloud.aws()), LOCAL_NAME.to_owned());
            let now = "2026-11-27T12:00:00Z".parse().unwrap();
            let flock = flock_core::Flock::new("choir".parse().unwrap());
            store.put_flock(&flock).await.unwrap();
            let next = vec![(1, true); 3];
            for number in 0..next.len() {
                assert_eq!(store.create_sheep(&sheep(number, 1, now)).await.unwrap(), Write::Done);
            }
            Self { store, now, next, posts: Vec::new(), _cloud: cloud }
        }

        async fn read(&self, number: usize) -> Option<Sheep> {
            let id = format!("choir/s{number}").parse().unwrap();
            self.store.sheep(&id, flock_store::Read::Consistent).await.unwrap()
        }

        async fn carry_out(&mut self, deed: &Deed) {
            match *deed {
                Deed::Post { sheep: number, posts, left_out } => {
                    let Some(mut sheep) = self.read(number).await else { return };
                    let first = self.next[number].0 + left_out;
                    for occurrence in first..first + posts {
                        // Several sheep post at one time.
                        self.now +=
                            SignedDuration::from_secs(i64::try_from(occurrence % 3).unwrap());
                        let post = Post {
                            made: None,
                            sheep: sheep.id.clone(),
                            occurrence: Occurrence(occurrence),
                            account: sheep.config.account.clone(),
                            at: self.now,
                            text: format!("post {occurrence}"),
                            state: PostState::Posted,
                            remote_id: None,
                            answers: None,
                        };
                        let recorded = self.store.put_post(&post, sheep.version).await.unwrap();
                        assert_eq!(recorded, Recorded::Done);
                        self.posts.push(post);
                    }
                    sheep.progress.occurrence = Occurrence(first + posts);
                    sheep.version += 1;
                    assert_eq!(self.store.put_sheep(&sheep).await.unwrap(), Write::Done);
                    self.next[number].0 = first + posts;
                }
                Deed::Turn { sheep: number } => {
                    if let Some(sheep) = self.read(number).await {
                        let removed = self.store.remove_sheep(&sheep, self.now).await.unwrap();
                        assert_eq!(removed, Write::Done);
                        self.next[number].1 = false;
                    } else {
                        let id = format!("choir/s{number}").parse().unwrap();
                        let birth = self.store.birth(&id).await.unwrap();
                        let again = Sheep {
                            version: birth.version,
                            ..sheep(number, birth.occurrence.0, self.now)
                        };
                        assert_eq!(self.store.create_sheep(&again).await.unwrap(), Write::Done);
                        self.next[number] = (birth.occurrence.0, true);
                    }
                }
                Deed::Wipe { sheep: number, left } => self.wipe(number, left).await,
                Deed::Resume { sheep: number } => {
                    let Some(sheep) = self.read(number).await else { return };
                    // Nobody resumes what is being wiped: the rest goes first.
                    if matches!(sheep.state, State::Paused { .. }) {
                        self.wipe(number, 0).await;
                        let sheep = self.read(number).await.unwrap().resume(self.now);
                        assert_eq!(self.store.put_sheep(&sheep).await.unwrap(), Write::Done);
                    }
                }
                Deed::Look => {}
            }
        }

        /// As the job does it: the sheep begins anew, and its posts go, oldest first.
        async fn wipe(&mut self, number: usize, left: usize) {
            let Some(sheep) = self.read(number).await else { return };
            let is_wiped = matches!(sheep.state, State::Paused { .. });
            if !is_wiped {
                let anew = sheep.start_over(self.now).unwrap();
                assert_eq!(self.store.put_sheep(&anew).await.unwrap(), Write::Done);
                self.next[number].0 = anew.progress.occurrence.0;
            }
            let own: Vec<_> =
                self.posts.iter().filter(|post| post.sheep == sheep.id).cloned().collect();
            let gone = own.len().saturating_sub(left);
            for post in own.iter().take(gone) {
                self.store.mark_deleted(post, self.now).await.unwrap();
            }
            self.posts.retain(|post| !own[..gone].contains(post));
        }

        /// The posts that the page shows once it has read all.
        fn newest(&self, number: usize) -> Vec<Post> {
            let mut posts = self.posts.clone();
            posts.retain(|post| {
                let number: usize = post.sheep.name.as_str()[1..].parse().unwrap();
                self.next[number].1
            });
            posts.sort_by(Post::by_time);
            posts.split_off(posts.len().saturating_sub(number))
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// However little is read at a time, whatever happens meanwhile and whichever numbers have no post.
        #[test]
        fn what_is_read_bit_by_bit_is_whole_in_the_end(
            deeds in prop::collection::vec(deed(), 8..40),
            (posts, numbers, searches) in (1..12_usize, 1..5_usize, 1..3_usize),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut table = Table::start().await;
                let mut feed = Feed::of(Sizes { posts, numbers, searches, time: Duration::ZERO });
                for deed in deeds.iter().chain([&Deed::Look]) {
                    table.carry_out(deed).await;
                    if matches!(deed, Deed::Look) {
                        feed.refresh(&table.store).await.unwrap();
                        let shown = feed.posts();
                        assert!(shown.is_sorted_by(|a, b| a.by_time(b).is_lt()), "{shown:?}");
                        assert!(feed.is_behind || shown == table.newest(posts), "{shown:?}");
                    }
                }
                for _ in 0..1_000 {
                    if !feed.is_behind {
                        break;
                    }
                    feed.refresh(&table.store).await.unwrap();
                }
                assert_eq!(feed.posts(), table.newest(posts));
            });
        }
    }
}
