//! The names of the tables: a WITH list before every measure.

use std::fmt::Write;

use instashop_core::table::{Column, ColumnKind, Table};

/// Tables of a cut, each with the query that gives its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prelude {
    tables: Vec<(Table, String)>,
}

impl Prelude {
    /// Adds a table; `query` gives exactly the columns of [`typed`].
    pub(crate) fn add(&mut self, table: Table, query: String) {
        self.tables.push((table, query));
    }

    /// The tables, in the order they were added.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Table> {
        self.tables.iter().map(|(table, _)| *table)
    }

    /// The query that gives a table's rows.
    pub(crate) fn query(&self, table: Table) -> Option<&str> {
        self.tables
            .iter()
            .find(|(known, _)| *known == table)
            .map(|(_, query)| query.as_str())
    }

    /// True when all of these are there.
    pub(crate) fn has(&self, wanted: &[Table]) -> bool {
        wanted
            .iter()
            .all(|table| self.tables().any(|known| known == *table))
    }

    /// A whole statement: the WITH list of the wanted tables, then the text, which continues it.
    pub(crate) fn before(&self, wanted: &[Table], text: &str) -> String {
        let mut statement = String::from("WITH ");
        for (table, query) in self.tables.iter().filter(|(table, _)| wanted.contains(table)) {
            // Not materialised: the measures filter and join, and the planner should see through.
            let _ = writeln!(statement, "{} AS NOT MATERIALIZED ({query}),", table.name());
        }
        statement.push_str(text);
        statement
    }
}

/// A column in the type that both sides share, so that casts, hashes and arithmetic are the same.
pub(crate) fn typed(column: &Column, expression: &str) -> String {
    format!(
        "{expression}::{} AS \"{}\"",
        shared_type(column.kind),
        column.name
    )
}

/// The type that both sides share. The session's zone is UTC, so `timestamp` also reads one with zone.
pub(crate) const fn shared_type(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::BigInt | ColumnKind::Int => "bigint",
        ColumnKind::Money => "numeric",
        ColumnKind::Text => "text",
        ColumnKind::Timestamp => "timestamp",
        ColumnKind::Json => "jsonb",
    }
}
