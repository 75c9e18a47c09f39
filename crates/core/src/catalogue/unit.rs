//! What a number is measured in, and what it can be broken down by.

use super::{Text, text};

/// Unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Money in the reporting currency, kept in integer cents (docs: kpis 0.3).
    Money,
    /// Orders or payment attempts.
    Orders,
    /// Stores (merchants).
    Stores,
    /// Buyers (shoppers).
    Buyers,
    /// Rows of a table.
    Rows,
    /// Events.
    Events,
    /// Visits: one actor at one store, cut after 30 minutes of silence (D6).
    Visits,
    /// Visitors: distinct actors.
    Visitors,
    /// Views of a page or a product.
    Views,
    /// Pieces of goods.
    Pieces,
    /// Products.
    Products,
    /// Shipments.
    Shipments,
    /// Contacts with support or sales.
    Contacts,
    /// Messages in Kafka.
    Messages,
    /// A share or change, shown in per cent.
    Percent,
    /// Times a year.
    PerYear,
    /// Events a second.
    PerSecond,
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// A state with a word, such as up or down.
    State,
    /// Several numbers about one thing, on one card.
    Card,
}

impl Unit {
    /// Its name.
    pub const fn name(self) -> Text {
        match self {
            Self::Money => text("money", "dinero"),
            Self::Orders => text("orders", "pedidos"),
            Self::Stores => text("stores", "tiendas"),
            Self::Buyers => text("buyers", "compradores"),
            Self::Rows => text("rows", "filas"),
            Self::Events => text("events", "eventos"),
            Self::Visits => text("visits", "visitas"),
            Self::Visitors => text("visitors", "visitantes"),
            Self::Views => text("views", "vistas"),
            Self::Pieces => text("units", "unidades"),
            Self::Products => text("products", "productos"),
            Self::Shipments => text("shipments", "envíos"),
            Self::Contacts => text("contacts", "contactos"),
            Self::Messages => text("messages", "mensajes"),
            Self::Percent => text("%", "%"),
            Self::PerYear => text("times a year", "veces al año"),
            Self::PerSecond => text("events a second", "eventos por segundo"),
            Self::Days => text("days", "días"),
            Self::Hours => text("hours", "horas"),
            Self::Seconds => text("seconds", "segundos"),
            Self::Millis => text("milliseconds", "milisegundos"),
            Self::State => text("state", "estado"),
            Self::Card => text("several numbers", "varios números"),
        }
    }

    /// True when it counts things one by one.
    pub const fn is_count(self) -> bool {
        matches!(
            self,
            Self::Orders
                | Self::Stores
                | Self::Buyers
                | Self::Rows
                | Self::Events
                | Self::Visits
                | Self::Visitors
                | Self::Views
                | Self::Pieces
                | Self::Products
                | Self::Shipments
                | Self::Contacts
                | Self::Messages
        )
    }
}

/// What a metric can be broken down by, besides time and store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Product.
    Product,
    /// Category of the product as it is now (docs: kpis 0.7).
    Category,
    /// Payment method, after aliases (D2).
    PaymentMethod,
    /// Region of delivery (docs: kpis 0.9).
    Region,
    /// Buyer.
    Buyer,
    /// Subscription plan of the store (D1).
    Plan,
    /// Month of a buyer's first order.
    Cohort,
    /// Segment.
    Segment,
    /// Kind of movement of a recurring revenue, a stock or a contact.
    Kind,
    /// Type of behaviour event (docs: kpis 1.3a).
    EventType,
    /// Outcome of a visit (D7).
    Outcome,
    /// Step of the funnel.
    Step,
    /// Search term.
    SearchTerm,
    /// Weekday and hour in the reporting zone.
    HourOfWeek,
    /// Warehouse location.
    Location,
    /// Status of a stock row or shipment.
    Status,
    /// Shipping method.
    ShippingMethod,
    /// Captured table.
    Table,
    /// Part of the system: a worker, partition, server or check.
    Part,
}

impl Dimension {
    /// Its name.
    pub const fn name(self) -> Text {
        match self {
            Self::Product => text("product", "producto"),
            Self::Category => text("category", "categoría"),
            Self::PaymentMethod => text("payment method", "método de pago"),
            Self::Region => text("region", "región"),
            Self::Buyer => text("buyer", "comprador"),
            Self::Plan => text("plan", "plan"),
            Self::Cohort => text("month of the first order", "mes del primer pedido"),
            Self::Segment => text("segment", "segmento"),
            Self::Kind => text("kind", "clase"),
            Self::EventType => text("event type", "tipo de evento"),
            Self::Outcome => text("outcome", "resultado"),
            Self::Step => text("step", "paso"),
            Self::SearchTerm => text("search term", "término de búsqueda"),
            Self::HourOfWeek => text("weekday and hour", "día y hora"),
            Self::Location => text("warehouse location", "ubicación del almacén"),
            Self::Status => text("status", "estado"),
            Self::ShippingMethod => text("shipping method", "método de envío"),
            Self::Table => text("table", "tabla"),
            Self::Part => text("part of the system", "parte del sistema"),
        }
    }
}
