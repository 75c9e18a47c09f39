//! What can happen to the shop: the language between the planner, which decides, and whatever carries it out (the
//! in-memory ledger of the history, the writers of the live phase).

use chrono::{DateTime, Utc};
use instashop_core::money::Cents;
use instashop_core::table::SourceDb;

use super::row::{
    BehaviourRow, BuyerRow, CustomerRow, InteractionRow, LineRow, MembershipRow, MovementRow, OrderRow,
    ProductRow, ShipmentRow, StockRow,
};

/// One thing that happens, in one database. Everything inside one action happens in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// A store opens.
    OpenStore(CustomerRow),
    /// A store changes its subscription.
    ChangePlan { store: i64, plan: &'static str },
    /// A buyer signs up.
    SignUp(BuyerRow),
    /// A buyer moves.
    Move { buyer: i64, address: String },
    /// A buyer without orders is deleted.
    DeleteBuyer(i64),
    /// A product goes on sale.
    OfferProduct(ProductRow),
    /// A product gets another price.
    Reprice { product: i64, price: Cents },
    /// A product is filed under another category.
    Refile { product: i64, category: &'static str },
    /// A product is put on sale or taken off.
    Relist { product: i64, status: &'static str },
    /// An order is placed, header and lines together; without lines when they come later.
    PlaceOrder { order: OrderRow, lines: Vec<LineRow> },
    /// The lines of an order that was placed without them.
    AddLines(Vec<LineRow>),
    /// An order's status changes, unless somebody else changed it first.
    Resolve {
        order: i64,
        from: &'static str,
        to: &'static str,
    },
    /// A line gets another quantity and its order another total.
    ChangeLine {
        line: i64,
        quantity: i32,
        order: i64,
        total: Cents,
    },
    /// A line is taken off an order, which gets another total.
    DropLine { line: i64, order: i64, total: Cents },
    /// An order and its lines are deleted.
    DeleteOrder(i64),
    /// A visitor does something.
    Behave(BehaviourRow),
    /// A behaviour row is deleted, as when a cart is emptied or a visitor asks to be forgotten.
    Forget(i64),
    /// A contact begins.
    Contact(InteractionRow),
    /// A contact's status changes.
    Answer { interaction: i64, status: &'static str },
    /// A store joins a segment.
    Join(MembershipRow),
    /// A store leaves a segment.
    Leave(i64),
    /// A product gets a place in a warehouse.
    Store(StockRow),
    /// Goods move: the stock row changes by `delta` and the movement is written beside it.
    MoveGoods {
        stock: i64,
        delta: i64,
        movement: MovementRow,
    },
    /// A delivery is announced.
    Ship(ShipmentRow),
    /// A delivery's status changes.
    Track { shipment: i64, status: &'static str },
    /// A delivery is promised for another time.
    Promise { shipment: i64, at: DateTime<Utc> },
    /// The deliveries of a deleted order are deleted.
    Unship(i64),
}

impl Action {
    /// The database this happens in.
    pub(crate) const fn source(&self) -> SourceDb {
        match self {
            Self::OpenStore(_)
            | Self::ChangePlan { .. }
            | Self::SignUp(_)
            | Self::Move { .. }
            | Self::DeleteBuyer(_)
            | Self::OfferProduct(_)
            | Self::Reprice { .. }
            | Self::Refile { .. }
            | Self::Relist { .. }
            | Self::PlaceOrder { .. }
            | Self::AddLines(_)
            | Self::Resolve { .. }
            | Self::ChangeLine { .. }
            | Self::DropLine { .. }
            | Self::DeleteOrder(_)
            | Self::Behave(_)
            | Self::Forget(_) => SourceDb::Instashop,
            Self::Contact(_) | Self::Answer { .. } | Self::Join(_) | Self::Leave(_) => SourceDb::CrmDb,
            Self::Store(_) | Self::MoveGoods { .. } => SourceDb::ErpDb,
            Self::Ship(_) | Self::Track { .. } | Self::Promise { .. } | Self::Unship(_) => {
                SourceDb::EcommerceDb
            }
        }
    }

    /// Place in the order in which a batch is carried out: what others refer to comes first, deletions last. Actions
    /// of one rank are carried out by one statement.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::OpenStore(_) => 0,
            Self::SignUp(_) => 1,
            Self::OfferProduct(_) => 2,
            Self::PlaceOrder { .. } => 3,
            Self::AddLines(_) => 4,
            Self::ChangeLine { .. } => 5,
            Self::DropLine { .. } => 6,
            Self::Resolve { .. } => 7,
            Self::Behave(_) => 8,
            Self::ChangePlan { .. } => 9,
            Self::Move { .. } => 10,
            Self::Reprice { .. } => 11,
            Self::Refile { .. } => 12,
            Self::Relist { .. } => 13,
            Self::Forget(_) => 14,
            Self::DeleteOrder(_) => 15,
            Self::DeleteBuyer(_) => 16,
            Self::Contact(_) => 20,
            Self::Answer { .. } => 21,
            Self::Join(_) => 22,
            Self::Leave(_) => 23,
            Self::Store(_) => 30,
            Self::MoveGoods { .. } => 31,
            Self::Ship(_) => 40,
            Self::Track { .. } => 41,
            Self::Promise { .. } => 42,
            Self::Unship(_) => 43,
        }
    }
}

/// Order status: placed, not paid yet.
pub(crate) const PENDING: &str = "pending";
/// Order status: paid.
pub(crate) const COMPLETED: &str = "completed";
/// Order status: the payment failed.
pub(crate) const FAILED: &str = "failed";
/// Order status: called off before it was paid.
pub(crate) const CANCELLED: &str = "cancelled";
/// Order status: paid back.
pub(crate) const REFUNDED: &str = "refunded";
/// Order status: taken back by the card's bank.
pub(crate) const CHARGEBACK: &str = "chargeback";
