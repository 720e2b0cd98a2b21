//! Operations: what people can do, called alike from the command line, Slack and the console, and the JSON that describes what came of
//! it.
//!
//! An operation is a file. Those that change something want a [`Noted`], which is to be had for an entry in the audit log alone: so
//! whatever changes something is there, from whichever door. Those that only look want none.
//!
//! Knows what is asked before something is changed: networks, limits, money, what is under way. Names acts and not commands: how
//! something is done where a person is, knows the door they came in by ([`Remedy`](flock_core::Remedy)).

mod accounts;
mod act_for;
mod add_account;
mod at_once;
mod audit;
mod begin_job;
mod check_account;
mod connect_account;
mod flock_file;
mod flocks;
mod move_sheep;
mod networks;
mod noted;
mod now;
mod plan;
mod posts;
mod preview;
mod queue;
mod redraw;
mod refusal;
mod remove_account;
mod remove_flock;
mod rhythm;
mod ring;
mod rotate;
mod say;
mod send_again;
mod sent;
mod sheep;
mod spelling;
mod spend;
mod steer;
mod stop;
mod texts;
mod whom;
mod why;
mod wipe;

pub use accounts::{AccountLine, AccountPage, account, accounts};
pub use act_for::{ActFor, ActLine, WouldDo, begin_acts, would_do};
pub use add_account::{KeyFrom, NewAccount, VouchedFor};
pub use audit::AuditLine;
pub use begin_job::{Begun, begin_job};
pub use check_account::{
    AccountCheck, CheckStride, LimitLine, begin_check, check_accounts, check_stride,
};
pub use connect_account::{
    Asking, Connected, Link, SignedIn, connect_account, connected_by, late, link_to_connect,
    link_to_renew, reached_by, resume_for_account, sign_in_here,
};
pub use flock_file::{FlockFile, Part, SheepFile};
pub use flocks::{FlockLine, flocks};
pub use move_sheep::{Moved, move_sheep};
pub use networks::{NETWORKS_WORDS, NetworkLine, network, network_rows, networks};
pub use noted::{Noted, Who};
pub use now::{post_now, price_of_next, price_of_posting_now};
pub use plan::{Plan, PlanLine, Progress, plan};
pub use posts::{PostLine, Posts, posts};
pub use preview::{
    Budgets, UpcomingLine, WithText, silent, upcoming, waits_for_cap, with_texts_for,
};
pub use queue::{QueuedLine, added_to, change_queue, import_queue, queue, queue_takes_long};
pub use redraw::redraw;
pub use refusal::{Error, Refusal, each};
pub use remove_account::{refuse_to_remove_account, remove_account};
pub use remove_flock::{loss, refuse_to_remove, remove_flock};
pub use rhythm::{Changed, change_rhythm, rhythm_of, rhythm_takes_long};
pub use ring::{
    Differs, Ring, RingEntry, RingLine, RingOutcome, apply_ring, has_part, plan_ring, ring_summary,
};
pub use rotate::{begin_rotation, begin_with_new_key, keys_in_use};
pub use say::{Budget, Price, price_of_saying, say};
pub use send_again::send_again;
pub use sent::{CountsAsSent, sent};
pub use sheep::{SheepLine, SheepPage};
pub use spend::{Standing, StandingLine, spend};
pub use steer::{Steered, forget_notices, steer};
pub use stop::{reboot, start, stop};
pub use whom::{accounts_of, payer_of, whom};
pub use why::{Again, Why, WhyLine, why};
pub use wipe::{WipeCount, begin_wipe, count_wipe, lists_newest, wiped_before};

/// What an operation gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;
