//! How a run and a violation are told in text.
