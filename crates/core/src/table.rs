//! The thirteen captured tables: names, columns and key, in one list.
//!
//! The decoders, the staging tables of the warehouse, the connector files and `verify` all follow this list; a test
//! compares them. Names are lower case as PostgreSQL folds them; the first column is the primary key (`bigint`).
//! Source: docs/architecture, section "Sources".

use serde::{Deserialize, Serialize};

/// What a column holds, as far as decoding and storing it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// 64-bit integer (`bigint`).
    BigInt,
    /// 32-bit integer (`int`), carried as `i64` in Rust.
    Int,
    /// Exact decimal with two digits after the point (`decimal(12,2)`).
    Money,
    /// Any text (`varchar`, `text`).
    Text,
    /// `timestamp` without zone, read as UTC.
    Timestamp,
    /// `jsonb`, carried as its text.
    Json,
}

/// A column of a captured table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name as in the source.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// True when the meaning of the row depends on it: a source without it stops this table (docs: cdc, pitfall 24).
    pub needed: bool,
}

/// The source database a table lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceDb {
    /// Sales: stores, buyers, products, orders, behaviour.
    Instashop,
    /// CRM: interactions and segments.
    CrmDb,
    /// ERP: stock and its movements.
    ErpDb,
    /// Logistics: carriers and shipments.
    EcommerceDb,
}

impl SourceDb {
    /// All sources, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Instashop, Self::CrmDb, Self::ErpDb, Self::EcommerceDb];

    /// Database name, which is also the key in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instashop => "instashop",
            Self::CrmDb => "crm_db",
            Self::ErpDb => "erp_db",
            Self::EcommerceDb => "ecommerce_db",
        }
    }

    /// Connector name and `topic.prefix`: `instashop`, `crm`, `erp`, `ecommerce`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Instashop => "instashop",
            Self::CrmDb => "crm",
            Self::ErpDb => "erp",
            Self::EcommerceDb => "ecommerce",
        }
    }

    /// Finds a source by database name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|db| db.name() == name)
    }

    /// The captured tables of this source.
    pub fn tables(self) -> impl Iterator<Item = Table> {
        Table::ALL.into_iter().filter(move |table| table.source() == self)
    }
}

macro_rules! tables {
    ($( $variant:ident, $name:literal, $source:ident, $partitions:literal, [ $( $column:literal $kind:ident $needed:ident ),* $(,)? ] );* $(;)?) => {
        /// A captured table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Table {
            $( #[doc = concat!("Table `", $name, "`.")] $variant, )*
        }

        impl Table {
            /// All captured tables.
            pub const ALL: [Self; 13] = [ $( Self::$variant ),* ];

            /// Name of the table, of its topic and of its `staging` table.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// The source it lives in.
            pub const fn source(self) -> SourceDb {
                match self { $( Self::$variant => SourceDb::$source, )* }
            }

            /// Kafka partitions by default: six for busy tables, one for small ones.
            pub const fn default_partitions(self) -> i32 {
                match self { $( Self::$variant => $partitions, )* }
            }

            /// Columns in the order of the source; the first is the primary key.
            pub const fn columns(self) -> &'static [Column] {
                match self { $( Self::$variant => &[ $( Column { name: $column, kind: ColumnKind::$kind, needed: tables!(@ $needed) } ),* ], )* }
            }
        }
    };
    (@ needed) => { true };
    (@ optional) => { false };
}

tables! {
    Customer, "customer", Instashop, 1, ["customer_id" BigInt needed, "name" Text optional, "business_name" Text optional,
        "email" Text optional, "phone" Text optional, "subscription_plan" Text optional, "logo_url" Text optional, "store_url" Text optional];
    Buyer, "buyer", Instashop, 6, ["buyer_id" BigInt needed, "name" Text optional, "email" Text optional, "phone" Text optional,
        "shipping_address" Text optional];
    Product, "product", Instashop, 1, ["product_id" BigInt needed, "customer_id" BigInt optional, "name" Text optional,
        "description" Text optional, "category" Text optional, "price" Money optional, "currency" Text optional,
        "status" Text optional, "image_url" Text optional];
    Transaction, "transaction", Instashop, 6, ["transaction_id" BigInt needed, "buyer_id" BigInt needed, "customer_id" BigInt needed,
        "transaction_date" Timestamp needed, "total_amount" Money needed, "payment_method" Text optional, "status" Text needed];
    TransactionDetail, "transactiondetail", Instashop, 6, ["transaction_detail_id" BigInt needed, "transaction_id" BigInt needed,
        "product_id" BigInt needed, "quantity" Int needed, "unit_price" Money needed];
    UserBehavior, "userbehavior", Instashop, 6, ["behavior_id" BigInt needed, "customer_id" BigInt optional, "event_type" Text needed,
        "product_id" BigInt optional, "session_id" Text optional, "timestamp" Timestamp needed, "metadata" Json optional];
    Interaction, "interaction", CrmDb, 6, ["interaction_id" BigInt needed, "customer_id" BigInt optional, "interaction_type" Text optional,
        "channel" Text optional, "interaction_date" Timestamp optional, "status" Text optional];
    Segment, "segment", CrmDb, 1, ["segment_id" BigInt needed, "segment_name" Text optional, "criteria" Text optional];
    CustomerSegment, "customersegment", CrmDb, 1, ["customer_segment_id" BigInt needed, "customer_id" BigInt optional,
        "segment_id" BigInt optional];
    Stock, "stock", ErpDb, 6, ["stock_id" BigInt needed, "product_id" BigInt needed, "available_quantity" Int needed,
        "reorder_point" Int optional, "warehouse_location" Text optional];
    InventoryMovement, "inventorymovement", ErpDb, 6, ["movement_id" BigInt needed, "product_id" BigInt optional,
        "movement_date" Timestamp optional, "movement_type" Text optional, "quantity" Int optional, "reason" Text optional];
    Carrier, "carrier", EcommerceDb, 1, ["carrier_id" BigInt needed, "name" Text optional, "phone" Text optional,
        "tracking_number" Text optional];
    Shipment, "shipment", EcommerceDb, 6, ["shipment_id" BigInt needed, "transaction_id" BigInt optional, "buyer_id" BigInt optional,
        "delivery_address" Text optional, "shipping_method" Text optional, "status" Text optional,
        "estimated_delivery_date" Timestamp optional];
}

impl Table {
    /// Finds a table by its source name. `transaction_items` is another name of `transactiondetail` (D15).
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "transaction_items" {
            return Some(Self::TransactionDetail);
        }
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Name of the primary key column.
    pub const fn key(self) -> &'static str {
        match self.columns().first() {
            Some(column) => column.name,
            None => "",
        }
    }

    /// Index of a column by name.
    pub fn column(self, name: &str) -> Option<usize> {
        self.columns().iter().position(|column| column.name == name)
    }

    /// Name of the column that holds business time (docs: kpis 0.4), if the table has one.
    pub const fn business_time(self) -> Option<&'static str> {
        match self {
            Self::Transaction => Some("transaction_date"),
            Self::UserBehavior => Some("timestamp"),
            Self::Interaction => Some("interaction_date"),
            Self::InventoryMovement => Some("movement_date"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_found_by_its_name_and_has_a_bigint_key() {
        for table in Table::ALL {
            assert_eq!(Table::from_name(table.name()), Some(table));
            assert_eq!(table.columns()[0].kind, ColumnKind::BigInt, "{}", table.name());
            assert!(table.columns()[0].needed);
            assert_eq!(table.column(table.key()), Some(0));
        }
        assert_eq!(
            Table::from_name("transaction_items"),
            Some(Table::TransactionDetail)
        );
        assert_eq!(Table::from_name("invoice"), None);
    }

    #[test]
    fn business_time_columns_exist_and_are_timestamps() {
        for table in Table::ALL {
            if let Some(name) = table.business_time() {
                let index = table.column(name).unwrap();
                assert_eq!(table.columns()[index].kind, ColumnKind::Timestamp);
            }
        }
    }

    #[test]
    fn every_table_belongs_to_exactly_one_source() {
        let listed: usize = SourceDb::ALL.into_iter().map(|db| db.tables().count()).sum();
        assert_eq!(listed, Table::ALL.len());
    }
}
