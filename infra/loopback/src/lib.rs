//! Ports on this machine: who may ask them, for how long and how much. Knows nothing of what is answered there.

mod access;
pub mod serve;

pub use access::{Key, Token, aimed, is_loopback_name, is_own_origin, own_host, unheard};
