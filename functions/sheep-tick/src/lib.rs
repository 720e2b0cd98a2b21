//! Posts what is due. Runs every minute, and once per index shard when there is more than one.
//!
//! For each due sheep: read it, let [`flock_core`] decide, claim it with the intent stored, ask the
//! network, record. Whatever dies in between, the next tick finishes the intent.

mod draw;
mod function;
mod jobs;
mod near;
mod settings;
mod tick;

pub use function::error_type;
pub use settings::Settings;
pub use tick::{App, Report};
