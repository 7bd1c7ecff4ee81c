//! What the page's first picture does not need. It is in a WebAssembly file of its own, which is fetched as
//! soon as the first one is shown: nobody waits for lessons, panels and searches to see an ensemble work.
//!
//! Where the two meet stand tables of functions: [`state::rest::Rest`] and [`view::rest::Rest`]. Code that is
//! reached only through them goes into the second file (`cargo xtask run` cuts it off). Without the feature
//! `split` (tests, `trunk serve`) there is one file, and the tables are always there.

use crate::{state, view};
use std::cell::Cell;
use zabscope_core::sim::Exported;

/// A table of functions that may come later than what calls them.
pub struct Later<T: 'static>(Cell<Option<&'static T>>);

impl<T: 'static> Later<T> {
    /// The place of a table.
    #[must_use]
    pub const fn new(table: &'static T) -> Later<T> {
        // Named only where it is in the same file: else it would come along into the first one.
        let here = if cfg!(feature = "split") {
            None
        } else {
            Some(table)
        };
        Later(Cell::new(here))
    }

    /// The table, if it is here.
    #[must_use]
    pub fn get(&self) -> Option<&'static T> {
        self.0.get()
    }
}

/// All tables.
#[derive(Clone, Copy)]
struct Tables {
    state: &'static state::rest::Rest,
    view: &'static view::rest::Rest,
}

/// It could not be fetched: the network is gone, or the host has another version by now.
#[derive(Clone, Copy, Debug)]
pub struct Missing;

/// The tables themselves: who calls this brings all that is behind them along.
fn whole() -> Tables {
    Tables {
        state: &state::rest::REST,
        view: &view::rest::REST,
    }
}

#[cfg(feature = "split")]
mod fetched {
    // The macro declares one function on both sides of the cut, import and export, with the signature below. Both
    // come from one compilation of it, and the loader is called back once: that is all it asks to be safe.
    #![allow(unsafe_code)]

    use super::{Missing, Tables};
    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    impl From<SplitLoaderError> for Missing {
        fn from(_: SplitLoaderError) -> Missing {
            Missing
        }
    }

    #[wasm_split(rest, fallible)]
    pub(super) fn tables() -> Result<Tables, Missing> {
        Ok(super::whole())
    }
}

#[cfg(not(feature = "split"))]
mod fetched {
    use super::{Missing, Tables};

    #[expect(clippy::unused_async, reason = "as where it is fetched")]
    pub(super) async fn tables() -> Result<Tables, Missing> {
        Ok(super::whole())
    }
}

/// Fetches what is not here yet. It can be asked for again and again.
///
/// # Errors
/// See [`Missing`].
pub async fn fetch() -> Result<(), Missing> {
    let tables = fetched::tables().await?;
    state::rest::LATER.with(|later| later.0.set(Some(tables.state)));
    view::rest::LATER.with(|later| later.0.set(Some(tables.view)));
    Ok(())
}

/// Whether all of it is here.
#[must_use]
pub fn is_here() -> bool {
    view::rest::get().is_some()
}

/// A run as a link holds it, if that code is here.
#[must_use]
pub fn encode(run: &Exported) -> Option<String> {
    view::rest::get().map(|rest| (rest.encode)(run))
}

/// In a worker: searches to the end.
///
/// # Errors
/// See [`Missing`].
pub async fn search(job: &str) -> Result<(), Missing> {
    fetch().await?;
    if let Some(rest) = view::rest::get() {
        (rest.search)(job);
    }
    Ok(())
}
