//! Holds: any text is a key file of each network or refused in one line, which repeats nothing of what the file holds.
//!
//! `~` stands for a secret.
#![no_main]

use flock_net::check_key_file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| check_key_file(text));
