//! Long seeded runs with faults; their trace hashes are the same on every platform.
