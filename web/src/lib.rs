//! The page: an ensemble that one can step, break and rewind.
//!
//! * [`state`]: what is shown and how it changes; plain Rust. * [`view`]: components, pure functions of
//!   it. * [`later`]: what comes after the first picture. * [`text`]: all words. * [`link`]: a run in an address. * [`platform`]: the browser.

pub mod console;
pub mod export;
pub mod later;
pub mod link;
pub mod platform;
pub mod scene;
pub mod state;
pub mod text;
pub mod view;
pub mod worker;
