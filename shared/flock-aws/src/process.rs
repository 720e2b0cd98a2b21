//! This process.

/// A random name for this process, which tells it from others of its function: eight hexadecimal digits.
pub fn process_id() -> String {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    format!("{:08x}", u32::from_be_bytes(bytes))
}
