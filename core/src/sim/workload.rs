//! Seeded clients that create, write, read, watch and move.

/// A schedule of clients' requests for one run.
#[derive(Clone)]
pub struct Workload {}
