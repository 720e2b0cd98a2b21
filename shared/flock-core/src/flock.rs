//! A flock: what holds for all its sheep.

use crate::{FlockName, Usd, Waivers};

/// A named group of sheep that are handled together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flock {
    /// Its name.
    pub name: FlockName,
    /// The most its networks may charge in one month. Without it nothing is posted that costs.
    pub monthly_cap: Option<Usd>,
    /// Rules of networks it does not keep.
    pub waivers: Waivers,
}

impl Flock {
    /// A flock that pays nothing and keeps every rule.
    pub fn new(name: FlockName) -> Self {
        Self { name, monthly_cap: None, waivers: Waivers::new() }
    }
}
