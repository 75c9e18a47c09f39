//! States as they are stored: a digest of the content, then the content.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::table::Table;

/// Length of the digest at the head of a stored state: 64 bits as base64.
pub const DIGEST_LEN: usize = 11;

/// Which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateId {
    /// An order with its lines, by `transaction_id`.
    Order(i64),
    /// Where a line is, by `transaction_detail_id`.
    Line(i64),
    /// A product with its stock rows, by `product_id`.
    Product(i64),
    /// A behaviour event.
    Behaviour(i64),
    /// A stock row: which product it belongs to.
    Stock(i64),
    /// A shipment.
    Shipment(i64),
    /// A store: a `customer` row.
    Store(i64),
    /// A buyer.
    Buyer(i64),
    /// A carrier.
    Carrier(i64),
    /// A stock movement.
    Movement(i64),
    /// A contact with a store.
    Contact(i64),
    /// A segment of stores.
    Segment(i64),
    /// A store's membership in a segment.
    Member(i64),
    /// The days a buyer bought on, by `buyer_id`; gathered from orders.
    Shopper(i64),
    /// The currency of a product, by `product_id`; what its orders are converted from.
    Tender(i64),
    /// What actors did at stores, by a digest of both; gathered from behaviour events and orders.
    Timelines(i64),
    /// Orders that left, 512 ids in each.
    Past(i64),
}

impl StateId {
    /// The state that belongs to a row.
    pub const fn of(table: Table, key: i64) -> Self {
        match table {
            Table::Transaction => Self::Order(key),
            Table::TransactionDetail => Self::Line(key),
            Table::Product => Self::Product(key),
            Table::UserBehavior => Self::Behaviour(key),
            Table::Stock => Self::Stock(key),
            Table::Shipment => Self::Shipment(key),
            Table::Customer => Self::Store(key),
            Table::Buyer => Self::Buyer(key),
            Table::Carrier => Self::Carrier(key),
            Table::InventoryMovement => Self::Movement(key),
            Table::Interaction => Self::Contact(key),
            Table::Segment => Self::Segment(key),
            Table::CustomerSegment => Self::Member(key),
        }
    }

    /// Name of the kind and the id.
    pub const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Order(id) => ("order", id),
            Self::Line(id) => ("line", id),
            Self::Product(id) => ("product", id),
            Self::Behaviour(id) => ("behaviour", id),
            Self::Stock(id) => ("stock", id),
            Self::Shipment(id) => ("shipment", id),
            Self::Store(id) => ("store", id),
            Self::Buyer(id) => ("buyer", id),
            Self::Carrier(id) => ("carrier", id),
            Self::Movement(id) => ("movement", id),
            Self::Contact(id) => ("contact", id),
            Self::Segment(id) => ("segment", id),
            Self::Member(id) => ("member", id),
            Self::Shopper(id) => ("shopper", id),
            Self::Tender(id) => ("tender", id),
            Self::Timelines(id) => ("timelines", id),
            Self::Past(id) => ("past", id),
        }
    }

    /// True for states whose ids are digests, so that neighbours in number are no neighbours in time.
    pub const fn is_digest(self) -> bool {
        matches!(self, Self::Timelines(_))
    }
}

impl std::fmt::Display for StateId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, id) = self.parts();
        write!(f, "{kind} {id}")
    }
}

/// A state as the store holds it: empty when there is none, else the digest of the body and the body, a compact JSON
/// array that can be read by eye.
///
/// The digest is the version of the state. It is taken from the content and is no counter: after a failover the same
/// count can stand for other content (docs: reliability 5.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored(String);

impl Stored {
    /// What the store returned for a state.
    pub fn new(text: Option<String>) -> Self {
        Self(text.unwrap_or_default())
    }

    /// Encodes a state.
    pub fn of(state: &impl Serialize) -> Self {
        // States are arrays of integers and texts; encoding them cannot fail.
        let body = serde_json::to_string(state).unwrap_or_default();
        Self(format!("{}{body}", digest(&body)))
    }

    /// The digest; empty when there is no state.
    pub fn digest(&self) -> &str {
        self.0.get(..DIGEST_LEN).unwrap_or("")
    }

    /// The whole text as it is stored; empty when there is no state.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Reads the state. `None` when there is none.
    pub fn read<T: DeserializeOwned>(&self, id: StateId) -> Result<Option<T>, BrokenState> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let broken = |problem: String| BrokenState::Unreadable { id, problem };
        let body = self
            .0
            .get(DIGEST_LEN..)
            .ok_or_else(|| broken("it is shorter than its digest".into()))?;
        if digest(body) != self.digest() {
            return Err(broken("its digest does not fit its content".into()));
        }
        serde_json::from_str(body)
            .map(Some)
            .map_err(|error| broken(error.to_string()))
    }
}

fn digest(body: &str) -> String {
    URL_SAFE_NO_PAD.encode(xxhash_rust::xxh3::xxh3_64(body.as_bytes()).to_be_bytes())
}

/// The stored states contradict themselves: somebody else than the live flow wrote to them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenState {
    /// A state cannot be read.
    #[error("the stored state of {id} cannot be used: {problem}")]
    Unreadable {
        /// Which one.
        id: StateId,
        /// Why.
        problem: String,
    },
    /// A line's entry names an order that does not hold the line.
    #[error("the entry of line {line} points to order {order}, which does not hold it")]
    LostLine {
        /// The line.
        line: i64,
        /// The order.
        order: i64,
    },
    /// A state that gathers parts of others does not hold a part it should.
    #[error("the state of {holder} does not hold {what}")]
    LostPart {
        /// The part.
        what: String,
        /// Where it should be.
        holder: StateId,
    },
    /// A state is needed that was not read: the caller did not read what [`super::Run`] asked for.
    #[error("the state of {0} was not read")]
    NotRead(StateId),
}

impl BrokenState {
    /// True when states read at different moments would explain it: they are read in up to three steps, without a lock, and
    /// a foreign write may fall between.
    pub const fn may_be_torn(&self) -> bool {
        matches!(self, Self::LostLine { .. } | Self::LostPart { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_its_digest_and_its_body() {
        let stored = Stored::of(&(1, "a"));
        assert_eq!(stored.text().len(), DIGEST_LEN + 7);
        assert!(stored.text().ends_with("[1,\"a\"]"));
        let id = StateId::Order(7);
        assert_eq!(stored.read::<(i64, String)>(id), Ok(Some((1, "a".into()))));
        assert_eq!(Stored::new(None).read::<i64>(id), Ok(None));
        assert_ne!(stored.digest(), Stored::of(&(2, "a")).digest());
    }

    #[test]
    fn a_state_that_was_changed_by_hand_is_noticed() {
        let id = StateId::Order(7);
        let good = Stored::of(&[1, 2]);
        for text in ["x", &good.text().replace('2', "3"), "aaaaaaaaaaa[1,2]"] {
            let error = Stored::new(Some(text.to_owned()))
                .read::<Vec<i64>>(id)
                .unwrap_err()
                .to_string();
            assert!(error.contains("order 7"), "{text}: {error}");
        }
    }
}
