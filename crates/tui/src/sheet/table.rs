//! Rows of a panel, their order and their filter.

use std::cmp::Ordering;

use super::cell::{Cell, Key};
use crate::app::Order;
use crate::theme::Role;

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Col {
    /// Heading in capitals; empty for none.
    pub title: &'static str,
    /// Name in JSON and CSV.
    pub name: &'static str,
    /// Columns of the screen it needs.
    pub width: u16,
    /// Share of spare room, 0 for none.
    pub grow: u16,
    /// True for numbers.
    pub right: bool,
    /// Left out when there is no room, the highest number first; 0 always stays.
    pub optional: u8,
    /// False for what the screen alone shows, such as bars.
    pub exported: bool,
}

impl Col {
    /// A column of text.
    pub const fn left(name: &'static str, title: &'static str, width: u16) -> Self {
        Self {
            title,
            name,
            width,
            grow: 0,
            right: false,
            optional: 0,
            exported: true,
        }
    }

    /// A column of numbers.
    pub const fn right(name: &'static str, title: &'static str, width: u16) -> Self {
        Self {
            right: true,
            ..Self::left(name, title, width)
        }
    }

    /// A column that is drawn and not exported.
    pub const fn drawn(title: &'static str, width: u16) -> Self {
        Self {
            exported: false,
            ..Self::left("", title, width)
        }
    }

    /// Takes spare room.
    #[must_use]
    pub const fn grow(mut self, share: u16) -> Self {
        self.grow = share;
        self
    }

    /// Is left out when there is no room.
    #[must_use]
    pub const fn optional(mut self, rank: u8) -> Self {
        self.optional = rank;
        self
    }
}

/// What a row stands for: where `Enter` leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A payment method.
    Method(String),
    /// A store.
    Store(i64),
    /// A buyer.
    Buyer(i64),
    /// A product.
    Product(i64),
    /// A stock row.
    Stock(i64),
    /// An order.
    Order(i64),
    /// A rule of alerts and what it is about.
    Alert(String),
}

/// A row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// `!!`, `!` or nothing, in front.
    pub mark: &'static str,
    /// Values, one per column.
    pub cells: Vec<Cell>,
    /// What it stands for.
    pub target: Option<Target>,
}

impl Row {
    /// A row of values.
    pub const fn new(cells: Vec<Cell>) -> Self {
        Self {
            mark: "",
            cells,
            target: None,
        }
    }

    /// With a mark in front.
    #[must_use]
    pub const fn mark(mut self, mark: &'static str) -> Self {
        self.mark = mark;
        self
    }

    /// Leads somewhere.
    #[must_use]
    pub fn to(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Columns.
    pub columns: Vec<Col>,
    /// Rows in their usual order.
    pub rows: Vec<Row>,
    /// Columns it can be ordered by, the usual one first, and whether small comes first.
    pub sorts: Vec<(usize, bool)>,
    /// True when rows can be selected: lists of things, not the rows of a small chart.
    pub selects: bool,
    /// True when rows have a column of marks in front.
    pub marked: bool,
    /// A line below the rows.
    pub foot: Vec<(String, Role)>,
    /// Said when there is no row.
    pub empty: &'static str,
}

impl Table {
    /// A table of columns.
    pub fn new(columns: Vec<Col>, rows: Vec<Row>, empty: &'static str) -> Self {
        Self {
            columns,
            rows,
            empty,
            ..Self::default()
        }
    }

    /// A list: its rows can be selected and ordered.
    #[must_use]
    pub fn list(mut self, sorts: &[(usize, bool)]) -> Self {
        self.selects = true;
        self.sorts = sorts.to_vec();
        self
    }

    /// With a column of marks.
    #[must_use]
    pub const fn marked(mut self) -> Self {
        self.marked = true;
        self
    }

    /// True when its columns have headings.
    pub fn is_headed(&self) -> bool {
        self.columns.iter().any(|column| !column.title.is_empty())
    }

    /// With a line below.
    #[must_use]
    pub fn foot(mut self, text: impl Into<String>, role: Role) -> Self {
        self.foot.push((text.into(), role));
        self
    }

    /// The rows in an order, those that hold what was searched for.
    pub fn arranged(&self, order: Order, find: &str) -> Vec<&Row> {
        let find = find.to_lowercase();
        let holds = |row: &&Row| find.is_empty() || row.cells.iter().any(|cell| cell.holds(&find));
        let mut rows: Vec<&Row> = self.rows.iter().filter(holds).collect();
        if order != Order::default()
            && let Some((column, ascending)) = self.sorts.get(order.column)
        {
            let up = *ascending != order.reversed;
            rows.sort_by(|a, b| compare(a.cells.get(*column), b.cells.get(*column), up));
        }
        rows
    }
}

/// Compares two cells; nothing is last whichever way.
fn compare(a: Option<&Cell>, b: Option<&Cell>, up: bool) -> Ordering {
    let key = |cell: Option<&Cell>| cell.map_or(Key::None, Cell::key);
    let by = match (key(a), key(b)) {
        (Key::None, Key::None) => return Ordering::Equal,
        (Key::None, _) => return Ordering::Greater,
        (_, Key::None) => return Ordering::Less,
        (Key::Number(a), Key::Number(b)) => a.total_cmp(&b),
        (Key::Text(a), Key::Text(b)) => a.cmp(&b),
        (Key::Number(_), Key::Text(_)) => Ordering::Less,
        (Key::Text(_), Key::Number(_)) => Ordering::Greater,
    };
    if up { by } else { by.reverse() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_filter() {
        let row = |name: &str, cell: Cell| Row::new(vec![Cell::text(name), cell]);
        let table = Table::new(
            vec![Col::left("name", "NAME", 8), Col::right("n", "N", 5)],
            vec![
                row("Beta", Cell::Count(2)),
                row("alpha", Cell::Dash),
                row("Gamma", Cell::Count(10)),
            ],
            "",
        )
        .list(&[(1, false), (0, true)]);
        let names = |column, reversed, find: &str| -> Vec<String> {
            let rows = table.arranged(Order { column, reversed }, find);
            rows.iter()
                .map(|row| match &row.cells[0] {
                    Cell::Text(text, _) => text.clone(),
                    _ => String::new(),
                })
                .collect()
        };
        assert_eq!(
            names(0, false, ""),
            ["Beta", "alpha", "Gamma"],
            "the usual order is the order of the rows"
        );
        assert_eq!(names(0, true, ""), ["Beta", "Gamma", "alpha"], "nothing is last");
        assert_eq!(names(1, false, ""), ["alpha", "Beta", "Gamma"]);
        assert_eq!(names(1, true, ""), ["Gamma", "Beta", "alpha"]);
        assert_eq!(names(0, false, "AL"), ["alpha"]);
        assert_eq!(
            names(7, false, ""),
            ["Beta", "alpha", "Gamma"],
            "an order that is not there changes nothing"
        );
    }
}
