//! Orders that have left the live store.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::state::StateId;

/// Orders in one state.
const ORDERS: i64 = 512;
const BYTES: usize = ORDERS as usize / 8;

/// Which of 512 neighbouring order ids belong to sealed days: one bit each, so that a line that comes late, or before its
/// order when everything is read again, is known to be sealed and does not wait for its order for ever.
///
/// Written as base64 of the bits, the lowest id first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Past([u8; BYTES]);

impl Default for Past {
    fn default() -> Self {
        Self([0; BYTES])
    }
}

impl TryFrom<String> for Past {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string())?;
        let held = bytes.len();
        let bits = bytes.try_into();
        bits.map(Self)
            .map_err(|_| format!("it has {held} bytes instead of {BYTES}"))
    }
}

impl From<Past> for String {
    fn from(past: Past) -> Self {
        URL_SAFE_NO_PAD.encode(past.0)
    }
}

impl Past {
    /// The state that knows of an order.
    pub(super) const fn holder(order: i64) -> StateId {
        StateId::Past(order.div_euclid(ORDERS))
    }

    /// True when it knows of no order.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }

    /// True when the order has left.
    pub fn contains(&self, order: i64) -> bool {
        let (byte, bit) = place(order);
        self.0[byte] & bit != 0
    }

    pub(super) fn insert(&mut self, order: i64) {
        let (byte, bit) = place(order);
        self.0[byte] |= bit;
    }

    pub(super) fn remove(&mut self, order: i64) {
        let (byte, bit) = place(order);
        self.0[byte] &= !bit;
    }
}

const fn place(order: i64) -> (usize, u8) {
    let at = order.rem_euclid(ORDERS) as usize;
    (at / 8, 1 << (at % 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_is_a_short_text_and_comes_back_the_same() {
        let mut past = Past::default();
        assert!(past.is_empty());
        for order in [-1, 0, 511, 513] {
            past.insert(order);
        }
        let body = serde_json::to_string(&past).unwrap();
        assert_eq!(body.len(), 88);
        assert_eq!(serde_json::from_str::<Past>(&body).unwrap(), past);
        // -1, 511 and 1023 stand at the same place of different states.
        assert!(past.contains(511) && past.contains(0) && past.contains(1) && !past.contains(2));
        for order in [511, 512, 1] {
            past.remove(order);
        }
        assert!(past.is_empty());
        assert!(serde_json::from_str::<Past>("\"AAAA\"").is_err());
        assert_eq!(
            [-1, 0, 511, 512].map(Past::holder),
            [-1, 0, 0, 1].map(StateId::Past)
        );
    }
}
