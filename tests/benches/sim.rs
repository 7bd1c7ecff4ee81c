//! Steps per second.
fn main() {}
