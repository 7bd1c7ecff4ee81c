//! Standard output that may be a closed pipe (`| head`): then there is nobody to tell.

use std::io::{self, Write};

/// Prints; a reader who has gone is no error.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
