//! Parses, dispatches, exits; nothing else.

fn main() {}
