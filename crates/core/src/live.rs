//! The live flow as a pure function: stored states and a batch in, new states and changes of totals out
//! (docs: reliability 5.2).
//!
//! The shell around it, in `instashop_store::live`, reads the states that a [`Run`] asks for until it asks for no more,
//! and hands the result to a script that applies all of it or nothing. Nothing here knows a clock: a [`Window`] decides
//! only which corrections come too late for a bucket with a limited life or for a sealed day. States of sealed days [`Leave`].

mod chain;
mod deltas;
mod figures;
mod gather;
mod leave;
mod metrics;
mod past;
mod rows;
mod run;
mod shopper;
mod state;
mod step;
mod tape;
mod tender;
#[cfg(test)]
mod tests;
mod timeline;
mod window;
mod work;

pub use figures::{Figure, LiveDump, figures_of};
pub use leave::Leave;
pub use metrics::{LiveTotals, MetricRow, held, metrics};
pub use past::Past;
pub use rows::{
    Behaviour, Contact, Known, Listing, Membership, Merchant, Movement, Parcel, Product, Shelf, UNATTRIBUTED,
    UNCLASSIFIED,
};
pub use run::{Progress, Run};
pub use shopper::Shopper;
pub use state::{BrokenState, DIGEST_LEN, StateId, Stored};
pub use step::{StateWrite, Step, Writes};
pub use tender::Tender;
pub use timeline::{Stretch, StretchKey, Timelines};
pub use window::Window;
