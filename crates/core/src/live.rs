//! The live flow as a pure function: stored states and a batch in, new states and changes of totals out
//! (docs: reliability 5.2).
//!
//! The shell around it, in `instashop_store::live`, reads the states that [`wanted`] names until it names no more,
//! calls [`step`], and hands the result to a script that applies all of it or nothing. Nothing here knows a clock:
//! `now` decides only which corrections come too late for a bucket with a limited life.

mod deltas;
mod figures;
mod rows;
mod state;
mod step;
mod tape;
#[cfg(test)]
mod tests;
mod wanted;
mod work;

pub use figures::{Figure, LiveDump};
pub use rows::{Behaviour, Parcel, Product, Shelf, UNATTRIBUTED, UNCLASSIFIED};
pub use state::{BrokenState, DIGEST_LEN, StateId, Stored};
pub use step::{StateWrite, Step, Writes, step};
pub use wanted::wanted;
