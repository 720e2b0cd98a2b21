//! Holds: any answer of a PDS is read or is not; what is read of a login can be kept and read again and does not print; any
//! record can be answered; links and hashtags found in any text are in it, in order, and whole characters.
#![no_main]

use flock_net::check_bluesky_answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check_bluesky_answer(bytes));
