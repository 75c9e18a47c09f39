//! Primary keys for rows to come: counted up for a history, taken from the sources' own sequences in the live phase,
//! so that another program that inserts at the same time never meets the same number.

use std::collections::{BTreeMap, VecDeque};

use instashop_core::table::Table;

/// Keys at hand, by table.
#[derive(Debug, Clone)]
pub(crate) enum Ids {
    /// As many as wanted, from a first number up.
    Counted(BTreeMap<Table, i64>),
    /// Those reserved in the database.
    Reserved(BTreeMap<Table, VecDeque<i64>>),
}

/// How many keys one action needs at most.
pub(crate) const MOST_AT_ONCE: usize = 16;

impl Ids {
    /// Counts up from the given first numbers; from 1 where none is given.
    pub(crate) fn counted(first: BTreeMap<Table, i64>) -> Self {
        Self::Counted(first)
    }

    /// Nothing reserved yet.
    pub(crate) fn reserved() -> Self {
        Self::Reserved(
            Table::ALL
                .into_iter()
                .map(|table| (table, VecDeque::new()))
                .collect(),
        )
    }

    /// The next key of a table, if one is at hand.
    pub(crate) fn take(&mut self, table: Table) -> Option<i64> {
        match self {
            Self::Counted(next) => {
                let next = next.entry(table).or_insert(1);
                *next += 1;
                Some(*next - 1)
            }
            Self::Reserved(pools) => pools.get_mut(&table)?.pop_front(),
        }
    }

    /// Adds reserved keys.
    pub(crate) fn add(&mut self, table: Table, keys: Vec<i64>) {
        if let Self::Reserved(pools) = self {
            pools.entry(table).or_default().extend(keys);
        }
    }

    /// Throws away what is reserved of a table, after somebody else used such numbers.
    pub(crate) fn discard(&mut self, table: Table) {
        if let Self::Reserved(pools) = self {
            pools.entry(table).or_default().clear();
        }
    }

    /// How many keys of a table are at hand.
    pub(crate) fn left(&self, table: Table) -> usize {
        match self {
            Self::Counted(_) => usize::MAX,
            Self::Reserved(pools) => pools.get(&table).map_or(0, VecDeque::len),
        }
    }

    /// True when an action that inserts into these tables can be carried out.
    pub(crate) fn suffice(&self, tables: &[Table]) -> bool {
        tables.iter().all(|table| self.left(*table) >= MOST_AT_ONCE)
    }
}
