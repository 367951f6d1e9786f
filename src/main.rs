//! Which command did the engineer type?

fn main() {}
