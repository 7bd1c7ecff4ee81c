//! The page.
fn main(){}
