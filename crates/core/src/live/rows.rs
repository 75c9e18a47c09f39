//! Rows of the other tables as the live flow remembers them: only what the totals and the tape need.

mod behaviour;
mod crm;
mod listing;
mod merchant;
mod movement;
mod parcel;

pub use behaviour::Behaviour;
pub use crm::{Contact, Membership};
pub use listing::{Listing, Product, Shelf, UNATTRIBUTED, UNCLASSIFIED};
pub use merchant::{Known, Merchant};
pub use movement::Movement;
pub use parcel::Parcel;

/// A row of a moment: its business day decides how long it is kept.
pub(super) trait Dated {
    /// Microseconds since the epoch, UTC; of a shipment when it is due.
    fn moment(&self) -> Option<i64>;
}

impl Dated for Behaviour {
    fn moment(&self) -> Option<i64> {
        self.at
    }
}

impl Dated for Movement {
    fn moment(&self) -> Option<i64> {
        self.at
    }
}

impl Dated for Contact {
    fn moment(&self) -> Option<i64> {
        self.at
    }
}

impl Dated for Parcel {
    fn moment(&self) -> Option<i64> {
        self.due_at
    }
}

/// Text as PostgreSQL's `lower(btrim(text))`.
fn folded(text: &str) -> String {
    text.trim_matches(' ').to_lowercase()
}

/// Implements the short stored form of a row: a JSON array of its fields.
macro_rules! as_array {
    ($name:ident as $body:ty { $( $field:ident ),* $(,)? }) => {
        impl From<$body> for $name {
            fn from(($( $field, )*): $body) -> Self {
                Self { $( $field, )* }
            }
        }

        impl From<$name> for $body {
            fn from(row: $name) -> Self {
                ($( row.$field, )*)
            }
        }
    };
}
use as_array;
