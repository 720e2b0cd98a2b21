//! The words of the command line.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use flock_core::{AccountId, FlockName, Network, QueueNumber, RoomId, UserId};
use jiff::Timestamp;

/// Flocks of social bots with no server.
///
/// Without a command it runs everything in template.yaml on this machine: the functions, their schedules,
/// the table and the bots' own network, the meadow. All other commands work on that, while it is up and
/// while it is not, or with --aws on what is deployed.
#[derive(Debug, Parser)]
#[command(name = "flockwork", version, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Where the flock is.
    #[command(flatten)]
    pub place: Place,
    /// How people read what is said.
    #[command(flatten)]
    pub look: Look,
    /// What to do; `run` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  flockwork                                  run everything here
  flockwork flock plan my-flock/             show what applying the files would change
  flockwork preview my-flock/                show what it would post, before it is applied
  flockwork preview --flock milton           show the next posts before they are made
  flockwork sheep pause milton/book-1        stop one bot
  flockwork networks x                       show what X can do, charges and forbids
  flockwork spend                            show what flocks have spent this month
  flockwork slack \"/flock help\"              try what can be said in Slack
  flockwork --aws --table flockwork-Table-1 posts --json";

/// The usual directory of a local run.
const DATA: &str = ".flockwork";

/// What every command has is shown below what it has for itself, and above its help.
const BELOW: usize = 100;

/// Where the flock is.
#[derive(Debug, Clone, Args)]
#[command(next_display_order = BELOW)]
pub struct Place {
    /// Directory of the local run: database, keys
    #[arg(long, global = true, default_value = DATA, value_name = "DIR")]
    pub data: PathBuf,
    /// Work on a deployed table, with the AWS credentials of this shell
    #[arg(long, global = true)]
    pub aws: bool,
    /// Name of the deployed table (output `TableName` of the stack)
    #[arg(long, global = true, value_name = "NAME")]
    pub table: Option<String>,
    /// Template that says what is deployed [default: template.yaml here, or else the one built in]
    #[arg(long, global = true, value_name = "FILE")]
    pub template: Option<PathBuf>,
}

/// How people read what is said.
#[derive(Debug, Clone, Args)]
#[command(next_display_order = BELOW + 10)]
pub struct Look {
    /// When to use colours
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN")]
    pub color: ColorChoice,
    /// Say only what was asked for, and errors: no notes and no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Do not show lists that are longer than the screen page by page
    #[arg(long, global = true)]
    pub no_pager: bool,
}

impl Place {
    /// That what is said of the place goes together. Clap cannot tell, because it looks for what an option needs on that side of the
    /// command where the option stands.
    pub fn check(&self) -> Result<(), &'static str> {
        match (self.aws, &self.table) {
            // As where a variable of the shell is not set.
            (_, Some(table)) if table.trim().is_empty() => {
                Err("the table's name is empty: say --table NAME (output `TableName` of the stack)")
            }
            (true, None) => Err(
                "--aws works on a deployed table: say which with --table NAME (output `TableName` of the stack)",
            ),
            (false, Some(_)) => Err("--table names a deployed table: say --aws, too"),
            (true, Some(_)) | (false, None) => Ok(()),
        }
    }

    /// How a command begins that is about the same place.
    pub fn command(&self) -> String {
        let mut command = "flockwork".to_owned();
        if let Some(table) = &self.table {
            command = format!("{command} --aws --table {table}");
        } else if self.data != Path::new(DATA) {
            command = format!("{command} --data {}", quoted(&self.data));
        }
        command
    }

    /// The command that connects `account` there; it posts through an app where its network `has_app`.
    pub fn connect_account(&self, account: &str, has_app: bool) -> String {
        let keyring = if self.aws { " --keyring NAME" } else { "" };
        let app = if self.aws && has_app { " --x-app NAME" } else { "" };
        format!("{} account connect {account}{keyring}{app}", self.command())
    }

    /// The template, as messages name it.
    pub fn template(&self) -> &Path {
        self.template.as_deref().unwrap_or(Path::new("template.yaml"))
    }
}

/// The path as a shell takes it for one word, and a command for a path.
pub fn quoted(path: &Path) -> String {
    let mut text = path.display().to_string();
    if text.starts_with('-') {
        text = format!("./{text}");
    }
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine until Ctrl-C
    Run(Run),
    /// Write the files of a first flock
    Init(Init),
    /// Look whether everything is so that sheep can post, and say what is not
    Doctor(Doctor),
    /// Flocks: plan and apply their files, list, remove
    #[command(subcommand)]
    Flock(FlockCommand),
    /// Sheep: list, show, pause, resume, move
    #[command(subcommand)]
    Sheep(SheepCommand),
    /// Posts that people add to a queue: list, add, edit, remove, move
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Stop everything within a minute: nothing is posted until `start`
    Stop,
    /// Let everything go on after a stop
    Start,
    /// Delete all posts of an account or a flock, when asked and answered; its sheep are paused and begin anew
    Wipe(Wipe),
    /// List posts that were made, oldest first
    Posts(Posts),
    /// Why a post was made and says what it says: what it was made of, and what was asked
    Why(Why),
    /// Show the next posts before they are made, at their exact times
    Preview(Preview),
    /// What flocks have spent this month, and what it will be
    Spend(Spend),
    /// Who changed what, in Slack and at the command line, oldest first
    Audit(Audit),
    /// Accounts on other networks, and their keys
    #[command(subcommand)]
    Account(AccountCommand),
    /// What the accounts of a flock show of themselves, from its ring.toml: plan, apply
    #[command(subcommand, after_help = RINGS)]
    Ring(RingCommand),
    /// What each network can do, takes, charges and forbids
    Networks {
        /// Everything about this one: meadow, x, mastodon or bluesky
        #[arg(value_name = "NAME")]
        network: Option<Network>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Say something to the bot as in Slack, and see what it answers
    Slack(Slack),
    /// Print the environment that leads other programs to the run that is up
    #[command(after_help = ENV_EXAMPLES)]
    Env {
        /// As commands for a shell
        #[arg(long)]
        export: bool,
    },
    /// Print the script that completes these commands in a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write pages for `man`, one for each command
    Man {
        /// Directory of the pages
        dir: PathBuf,
    },
}

const ENV_EXAMPLES: &str = "\
It holds the token of that run, which opens the table and the secrets: show it to nobody.

Examples:
  flockwork env > .flockwork/env             for `cargo lambda watch --env-file .flockwork/env`
  eval \"$(flockwork env --export)\"         then: aws dynamodb scan --table-name flockwork";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  flockwork completions bash > ~/.local/share/bash-completion/completions/flockwork
  flockwork completions zsh > ~/.zfunc/_flockwork
  flockwork completions fish > ~/.config/fish/completions/flockwork.fish";

/// `flockwork doctor`
#[derive(Debug, Clone, Args)]
pub struct Doctor {
    /// With --aws: turn on what the table lacks after it was restored (expiry of items, recovery, deletion protection)
    #[arg(long)]
    pub mend: bool,
    /// With --aws: the stack that works on the table, where the table's name does not begin with it
    #[arg(long, value_name = "NAME")]
    pub stack: Option<String>,
    /// One JSON object a line: finding, what
    #[arg(long)]
    pub json: bool,
}

/// `flockwork init`
#[derive(Debug, Clone, Args)]
pub struct Init {
    /// Directory of the flock; made where it is not there
    pub dir: PathBuf,
    /// What the flock is called [default: like the directory]
    #[arg(long)]
    pub name: Option<FlockName>,
}

/// `flockwork run`
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Address of the page that shows the feed
    #[arg(long, default_value = "127.0.0.1:4280", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Let time run this many times faster; only when every sheep posts to the meadow
    #[arg(long, default_value = "1", value_name = "N")]
    pub speed: NonZeroU32,
    /// Stop at this time, such as 2026-12-24T18:00:00Z
    #[arg(long, value_name = "RFC3339")]
    pub until: Option<Timestamp>,
    /// Let servers of Mastodon and Bluesky be on this machine and without TLS, to try things out
    #[arg(long)]
    pub networks_on_loopback: bool,
    /// Make a new keyring where it is lost; accounts need new keys then
    #[arg(long)]
    pub new_keyring: bool,
}

/// `flockwork flock`
#[derive(Debug, Subcommand)]
pub enum FlockCommand {
    /// Show what `apply` would change, and change nothing
    Plan {
        /// Directory with flock.toml and the corpora it names
        dir: PathBuf,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make the flock what its files say; asks first where that removes sheep
    Apply {
        /// Directory with flock.toml and the corpora it names
        dir: PathBuf,
        /// Remove sheep without asking
        #[arg(long)]
        yes: bool,
    },
    /// List the flocks
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Do something for each account of a flock: follow, unfollow, repost, like, profile
    #[command(after_help = ACTS)]
    Do {
        /// The flock
        name: FlockName,
        /// What, and how.
        #[command(flatten)]
        options: DoFor,
    },
    /// Remove a flock and its sheep, when asked and answered; what they posted stays
    Remove {
        /// The flock
        name: FlockName,
        /// Remove it without asking
        #[arg(long)]
        yes: bool,
    },
}

const ACTS: &str = "\
Acts:
  follow WHO, unfollow WHO          WHO is network:handle, or each-other: all accounts on a network
  repost POST, like POST            POST is network:id, or an address that begins with at://
  delete POST                       of one account, which its post is
  profile name|bio|url|location TEXT
  profile bot yes                   {handle}, {N}, {count} and {flock} in TEXT are each account's own

Where it costs something it says so and asks. What networks forbid is refused, and the rest is done.
The end is an error where one came to nothing.

Examples:
  flockwork flock do milton follow each-other --dry-run
  flockwork flock do milton profile bio 'Paradise Lost, book {N} of {count}'
  flockwork account do mastodon:apollo@example.social follow mastodon:bacchus@other.example";

/// `flockwork flock do` and `flockwork account do`
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct DoFor {
    /// What is done; words are put together with blanks
    #[arg(required = true, value_name = "ACT")]
    pub act: Vec<String>,
    /// Say what would be done, what it costs and what is refused, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: one JSON object a line: account, who, price, refused
    #[arg(long, requires = "dry_run")]
    pub json: bool,
    /// One after the other, and not some side by side
    #[arg(long)]
    pub one_by_one: bool,
    /// The flock that pays [default: the flock itself, or the only one with sheep on the account]
    #[arg(long, value_name = "FLOCK")]
    pub pay: Option<FlockName>,
    /// Do it without asking
    #[arg(long)]
    pub yes: bool,
    /// Where something is at work, do not wait until it has done it
    #[arg(long)]
    pub detach: bool,
    /// Let servers be on this machine and without TLS, to try things out
    #[arg(long)]
    pub networks_on_loopback: bool,
}

/// `flockwork sheep`
#[derive(Debug, Subcommand)]
pub enum SheepCommand {
    /// List sheep: what they are doing and when they post next
    List {
        /// Only this flock's
        #[arg(long)]
        flock: Option<FlockName>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show everything about one sheep
    Show {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Stop a sheep from posting
    Pause {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
    },
    /// Let a paused or stopped sheep go on where it was
    Resume {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
    },
    /// Have a sheep say other texts than those to come, where its texts are drawn
    Redraw {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
    },
    /// Let a sheep go on where it is through another account, on the same network or another
    Move {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// Network and name there, such as `mastodon:apollo@example.social`
        account: AccountId,
    },
}

/// `flockwork queue`
#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// Add a post at the end of a queue
    Add {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// What it says; words are put together with blanks
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Add a post that is made at a time of its own
    At {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// When, in the sheep's zone, or with an offset: 2026-12-01T09:00, "2026-12-01 09:00", 2026-12-01T09:00+01:00
        time: String,
        /// What it says; words are put together with blanks
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// List the posts of a queue that are to come, with the numbers that the other commands take
    List {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// How many posts
        #[arg(long, default_value = "50", value_name = "N")]
        count: usize,
        /// One JSON object a line: flock, sheep, number, at, added, text
        #[arg(long)]
        json: bool,
    },
    /// Give a post that somebody added another text
    Edit {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// The post's number, as `list` shows it
        number: QueueNumber,
        /// What it says then; words are put together with blanks
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Take a post out that somebody added
    Remove {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// The post's number, as `list` shows it
        number: QueueNumber,
    },
    /// Put a post that somebody added in the place of another
    Move {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// The post's number, as `list` shows it
        number: QueueNumber,
        /// The number of the post whose place it takes
        to: QueueNumber,
    },
    /// Write the posts of a queue that are to come as a table or a calendar
    Export {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// `csv`: a table, with the times that posts have of their own; `ical`: a calendar, with the times at which they are planned
        #[arg(long, default_value = "csv")]
        format: QueueFormat,
    },
    /// Add the posts of a file to a queue: all of them, or none
    Import {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// A table (.csv), a calendar (.ics) or a text, as for the queue's own file
        file: PathBuf,
    },
    /// Put a post that somebody added before all others
    Next {
        /// The sheep: flock/name, or its name when only one flock has it
        sheep: String,
        /// The post's number, as `list` shows it
        number: QueueNumber,
    },
}

/// What a queue is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueueFormat {
    /// A table, with a column for texts and one for times.
    Csv,
    /// A calendar, with an event for each post.
    Ical,
}

/// Which sheep are meant.
#[derive(Debug, Clone, Args)]
pub struct Posts {
    /// Only this flock's
    #[arg(long)]
    pub flock: Option<FlockName>,
    /// Only this sheep's: flock/name, or its name when only one flock has it
    #[arg(long)]
    pub sheep: Option<String>,
    /// The newest so many, also with --json
    #[arg(long, default_value = "50", value_name = "N")]
    pub limit: usize,
    /// One JSON object a line: at, flock, sheep, network, occurrence, text, state, `remote_id`
    #[arg(long)]
    pub json: bool,
}

/// `flockwork why`
#[derive(Debug, Clone, Args)]
pub struct Why {
    /// Whose post: flock/name, or its name when only one flock has it
    pub sheep: String,
    /// Its number among the posts of the sheep; the newest, if none is given
    pub number: Option<u64>,
    /// A JSON object
    #[arg(long)]
    pub json: bool,
}

/// `flockwork preview`
#[derive(Debug, Clone, Args)]
pub struct Preview {
    /// The posts of the flock whose files are in this directory, as if they were applied now; nothing is changed
    #[arg(required_unless_present_any = ["flock", "sheep"], conflicts_with_all = ["flock", "sheep"])]
    pub dir: Option<PathBuf>,
    /// The posts of this flock
    #[arg(long, conflicts_with = "sheep")]
    pub flock: Option<FlockName>,
    /// The posts of this sheep: flock/name, or its name when only one flock has it
    #[arg(long)]
    pub sheep: Option<String>,
    /// How many posts
    #[arg(long, default_value = "50", value_name = "N")]
    pub count: usize,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `flockwork spend`
#[derive(Debug, Clone, Args)]
pub struct Spend {
    /// Only this flock
    #[arg(long)]
    pub flock: Option<FlockName>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `flockwork audit`
#[derive(Debug, Clone, Args)]
pub struct Audit {
    /// The newest so many
    #[arg(long, default_value = "50", value_name = "N")]
    pub limit: usize,
    /// One JSON object a line: at, door, user, room, arn, line, outcome
    #[arg(long)]
    pub json: bool,
}

/// `flockwork account`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Add an account of another network, or replace its key
    #[command(after_help = KEY_FILES)]
    Add(AddAccount),
    /// Connect an account: sign in as it, and nobody touches a key
    #[command(after_help = SIGN_INS)]
    Connect(ConnectAccount),
    /// Give an account a new key: sign in as it; sheep that stopped for its key go on
    #[command(after_help = SIGN_INS)]
    Renew(ConnectAccount),
    /// Go through a folder of texts and connect an account for each, as wanted; ends with a flock
    #[command(after_help = WALKS)]
    Walk(WalkAccounts),
    /// Take over the accounts of a rainbow-mind-machine: a folder of its key bundles
    #[command(after_help = BUNDLES)]
    Import(ImportAccounts),
    /// List the accounts, and how many sheep post through each
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show what is known of an account, and what it can do; never its key
    Show {
        /// Network and name there, such as `x:apollo_bot`
        account: AccountId,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Do something with an account: follow, unfollow, repost, like, delete, profile
    #[command(after_help = ACTS)]
    Do {
        /// Network and name there, such as `x:apollo_bot`
        account: AccountId,
        /// What, and how.
        #[command(flatten)]
        options: DoFor,
    },
    /// Ask the networks whether the keys of accounts still work, as whom, and what is left of limits; costs nothing
    Check(CheckAccounts),
    /// Seal the keys of all accounts anew, with the current key of the keyring or a new one; posting goes on
    Rotate(Rotate),
    /// Remove an account and its key, when asked and answered; what was posted through it stays
    Remove {
        /// Network and name there, such as `x:apollo_bot`
        account: AccountId,
        /// Remove it without asking
        #[arg(long)]
        yes: bool,
    },
}

const KEY_FILES: &str = "\
The network is asked whose key it is before anything is stored.

Key files are JSON:
  X         {\"token\": \"...\", \"token_secret\": \"...\", \"user_id\": \"...\"}
            and, if need be, \"consumer_key\" and \"consumer_secret\" of the app, \"tier\":
            \"enterprise\", and \"automated_label\": true where the account has X's label
  Mastodon  {\"access_token\": \"...\"} and, if need be, \"url\"
  Bluesky   {\"app_password\": \"...\"} and, if need be, \"identifier\" and \"url\"

Examples:
  flockwork account add x:apollo_bot --key key.json
  flockwork account add mastodon:apollo@example.social --key key.json --mark-as-bot";

/// `flockwork account add`
#[derive(Debug, Clone, Args)]
pub struct AddAccount {
    /// Network and name there, such as `x:apollo_bot` or `mastodon:apollo@example.social`
    pub account: AccountId,
    /// JSON file with the account's key; delete it afterwards
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Have the network show that the account is a bot's (Mastodon and Bluesky)
    #[arg(long)]
    pub mark_as_bot: bool,
    /// What seals it, and where its network is.
    #[command(flatten)]
    pub at: KeyPlace,
}

/// What seals keys, and where networks are.
#[derive(Debug, Clone, Args)]
pub struct KeyPlace {
    /// With --aws: name of the keyring secret (output `KeyringName` of the stack)
    #[arg(long, value_name = "NAME")]
    pub keyring: Option<String>,
    /// With --aws, for X: name of the app's secret (output `XAppName`), unless a file has the app
    #[arg(long, value_name = "NAME")]
    pub x_app: Option<String>,
    /// Let the server be on this machine and without TLS, to try things out
    #[arg(long)]
    pub networks_on_loopback: bool,
}

const SIGN_INS: &str = "\
Where something answers it - `flockwork run` is up, or --keys-url is said of a deployment - it gives a
link for whoever is to sign in; it lives ten minutes and works once. Otherwise, or with --here, it is
done at this terminal: on X a page of X shows a PIN of seven digits; on Mastodon a page of the account's server shows a
code; on Bluesky an app password is made in the account's settings, and is not shown as it is typed.
Whoever signed in must be the account: else nothing is stored.

X needs an app: https://developer.x.com, with read and write permission and a callback address.
Its consumer_key and consumer_secret are asked for where they are not known.

Examples:
  flockwork account connect x:apollo_bot
  flockwork account connect x:apollo_bot --here --automated-label
  flockwork account connect mastodon:apollo@example.social --mark-as-bot";

/// `flockwork account connect`
#[derive(Debug, Clone, Args)]
pub struct ConnectAccount {
    /// Network and name there, such as `x:apollo_bot` or `mastodon:apollo@example.social`
    pub account: AccountId,
    /// Sign in at this terminal, and make no link
    #[arg(long)]
    pub here: bool,
    /// With --aws: where people sign in (output `KeysUrl` of the stack)
    #[arg(long, value_name = "URL", conflicts_with = "here")]
    pub keys_url: Option<String>,
    /// How the account is signed in to.
    #[command(flatten)]
    pub sign_in: SignIn,
}

/// How accounts are signed in to.
#[derive(Debug, Clone, Args)]
pub struct SignIn {
    /// Address of the account's server, where it does not follow from the name
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The account carries X's label for automated accounts (its settings, Your account, Automation)
    #[arg(long)]
    pub automated_label: bool,
    /// Have the network show that the account is a bot's (Mastodon and Bluesky)
    #[arg(long)]
    pub mark_as_bot: bool,
    /// What seals the key, and where its network is.
    #[command(flatten)]
    pub at: KeyPlace,
}

const WALKS: &str = "\
For each .txt file of the folder, in order, it asks whether an account is to be connected: yes, no,
skip the rest, or another name for it. While the PIN or code is asked for, `r` makes a new link and
`n` goes on with the next file. Where there is a flock.toml, its sheep without an account come first.
What was connected is written into flock.toml; given again, the walk goes on where it was left.

Examples:
  flockwork account walk milton/ --network x
  flockwork account walk milton/ --network mastodon --account '{name}@example.social'";

/// `flockwork account walk`
#[derive(Debug, Clone, Args)]
pub struct WalkAccounts {
    /// Directory of text files
    pub dir: PathBuf,
    /// Where the accounts are
    #[arg(long)]
    pub network: Network,
    /// Name of each account there; `{name}` in it is the name of its file
    #[arg(long, value_name = "PATTERN", default_value = "{name}")]
    pub account: String,
    /// How the accounts are signed in to.
    #[command(flatten)]
    pub sign_in: SignIn,
}

const BUNDLES: &str = "\
Each .json file of the folder is a bundle: consumer_token, consumer_token_secret, oauth_token,
oauth_token_secret, screen_name. X is asked about each before it is stored, and each needs the app it
was made with: all that are taken over go with one app, which is the first one's where none is known.
Accounts that are here already are left alone. Files are left alone, too; delete them afterwards.

Examples:
  flockwork account import keys/ --automated-label";

/// `flockwork account import`
#[derive(Debug, Clone, Args)]
pub struct ImportAccounts {
    /// Directory of the bundles
    pub dir: PathBuf,
    /// The accounts carry X's label for automated accounts (their settings, Your account, Automation)
    #[arg(long)]
    pub automated_label: bool,
    /// What seals the keys, and where X is.
    #[command(flatten)]
    pub at: KeyPlace,
}

/// `flockwork account check`
#[derive(Debug, Clone, Args)]
pub struct CheckAccounts {
    /// Network and name there, such as `x:apollo_bot`; all accounts, where none is named
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<AccountId>,
    /// One JSON object a line: account, works, as, user, why, scopes, lacks, limits
    #[arg(long)]
    pub json: bool,
    /// What sealed the keys, and where networks are.
    #[command(flatten)]
    pub at: KeyPlace,
}

/// `flockwork account rotate`
#[derive(Debug, Clone, Args)]
pub struct Rotate {
    /// First add a fresh key to the keyring; those that are there stay
    #[arg(long)]
    pub new_key: bool,
    /// With --aws: name of the keyring secret (output `KeyringName` of the stack)
    #[arg(long, value_name = "NAME")]
    pub keyring: Option<String>,
    /// Where something is at work, do not wait until it has done it
    #[arg(long)]
    pub detach: bool,
}

const RINGS: &str = "\
ring.toml stands beside flock.toml. [profile] is for all accounts of the flock, [account.\"x:milton\"]
for one; each has name, bio, url, location, picture, banner and bot. Placeholders, in paths, too:
{N}, {count}, {handle}, {flock}, {corpus title}, {network}.

Examples:
  flockwork ring plan paradise/
  flockwork ring apply paradise/ bluesky:book-1.example.com";

/// `flockwork ring`
#[derive(Debug, Clone, Subcommand)]
pub enum RingCommand {
    /// Show what `apply` would change; on X a look costs $0.01 for each account
    Plan(RingFiles),
    /// Change what differs, each account by itself, and say what came of each
    Apply(RingFiles),
}

/// Whose profiles are meant.
#[derive(Debug, Clone, Args)]
pub struct RingFiles {
    /// Directory with flock.toml and ring.toml
    pub dir: PathBuf,
    /// Only these accounts of the flock, such as `x:apollo_bot`
    #[arg(value_name = "ACCOUNT")]
    pub accounts: Vec<AccountId>,
    /// The flock that pays where a look costs [default: the flock itself]
    #[arg(long, value_name = "FLOCK")]
    pub pay: Option<FlockName>,
    /// One JSON object a line: account, outcome, differences, why, notes, cost
    #[arg(long)]
    pub json: bool,
    /// What sealed the keys, and where networks are.
    #[command(flatten)]
    pub at: KeyPlace,
}

const WIPE_EXAMPLES: &str = "\
Examples:
  flockwork wipe x:apollo_bot --dry-run
  flockwork wipe moon/ --everything";

/// `flockwork wipe`
#[derive(Debug, Clone, Args)]
#[command(after_help = WIPE_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Wipe {
    /// An account, such as `x:apollo_bot`, or a flock, such as `moon/`
    #[arg(value_name = "ACCOUNT|FLOCK")]
    pub target: String,
    /// Delete also what is not recorded, as far as the network lists it
    #[arg(long)]
    pub everything: bool,
    /// The flock that pays, where the network charges for deletions; otherwise whose sheep post there
    #[arg(long, value_name = "FLOCK")]
    pub pay: Option<FlockName>,
    /// Count what is recorded, and what it costs and takes; delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Delete without asking
    #[arg(long)]
    pub yes: bool,
    /// Where something is at work, do not wait until it has done it
    #[arg(long)]
    pub detach: bool,
    /// Let servers of Mastodon and Bluesky be on this machine and without TLS, to try things out
    #[arg(long)]
    pub networks_on_loopback: bool,
}

/// `flockwork slack`
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = SLACK_EXAMPLES
)]
pub struct Slack {
    /// What is said.
    #[command(flatten)]
    pub say: Say,
    /// Or what else is done.
    #[command(subcommand)]
    pub command: Option<SlackCommand>,
}

const SLACK_EXAMPLES: &str = "\
Examples:
  flockwork slack \"/flock help\"
  flockwork slack \"@flockwork alive\" --as U2 --room C2
  flockwork slack link
  flockwork slack manifest --url https://abc123.execute-api.us-east-1.amazonaws.com";

/// What is said to the bot in the local Slack.
#[derive(Debug, Clone, Args)]
pub struct Say {
    /// What is entered: a command, such as "/flock help", or a mention, such as "@flockwork alive"
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
    /// Who enters it; U1 is ada, who owns the workspace, U2 ben, U3 cyd, any other is new
    #[arg(long = "as", default_value = "U1", value_name = "USER")]
    pub user: UserId,
    /// Where; C1 is #general, C2 #random, any other is new
    #[arg(long, default_value = "C1", value_name = "ROOM")]
    pub room: RoomId,
    /// Then press the button of the answer that is called so; may be given several times
    #[arg(long, value_name = "LABEL")]
    pub press: Vec<String>,
}

/// `flockwork slack ...`
#[derive(Debug, Clone, Subcommand)]
pub enum SlackCommand {
    /// Print the manifest of the Slack app for a deployment
    Manifest {
        /// The deployment's address (output `SlackUrl` of the stack)
        #[arg(long)]
        url: String,
    },
    /// Print the link to the Slack of the run that is up, for a browser
    Link,
}
