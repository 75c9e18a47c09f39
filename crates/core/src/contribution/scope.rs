//! Whose total it is: the platform's or one store's.

/// Store of orders and events that name none, as the warehouse calls it.
pub const NO_STORE: i64 = -1;

/// Whose total it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All stores together.
    Platform,
    /// One store; [`NO_STORE`] for what names no store.
    Store(i64),
}

impl Scope {
    /// The platform and the store of a row.
    pub fn both(store: Option<i64>) -> [Self; 2] {
        [Self::Platform, Self::Store(store_id(store))]
    }

    /// The store; `None` for the platform.
    pub const fn store(self) -> Option<i64> {
        match self {
            Self::Platform => None,
            Self::Store(id) => Some(id),
        }
    }
}

/// The store a row counts for: NULL and 0 are [`NO_STORE`], as in `core.orders`; 0 is the platform's in the marts.
pub fn store_id(column: Option<i64>) -> i64 {
    column.filter(|id| *id != 0).unwrap_or(NO_STORE)
}
