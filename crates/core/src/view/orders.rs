//! The orders behind a number.

use serde::{Deserialize, Serialize};

use super::OrderRow;

/// Which orders.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrdersOf {
    /// Attempts with a payment method.
    Method(String),
    /// Sales with a line in a category.
    Category(String),
    /// Orders with a product.
    Product(i64),
    /// Orders of a buyer, of all time.
    Buyer(i64),
    /// One order, with its lines.
    Order(i64),
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrderLine {
    /// Product name; its number where no product row has come.
    pub product: String,
    /// Category as it is now.
    pub category: String,
    /// Units.
    pub units: i64,
    /// Its share of the order, cents.
    pub cents: Option<i64>,
}

/// The orders behind a number, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrderList {
    /// At most 300.
    pub orders: Vec<OrderRow>,
    /// Lines, when one order was asked for.
    pub lines: Vec<OrderLine>,
}
