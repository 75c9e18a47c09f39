//! Contributions of states that hold one source row, and of products with their stock rows.

use chrono::NaiveDate;

use super::{
    Add, Bucket, Calendar, Cell, DayMeasure, Delivery, Measure, PlaceMeasure, Scope, StockStatus, store_id,
};
use crate::config::Meaning;
use crate::live::{Behaviour, Contact, Known, Listing, Membership, Merchant, Movement, Parcel, Product};
use crate::order::Holder;
use crate::table::Table;

/// Contact types that web traffic leaves in the CRM; they are no contacts (KPI crm_interactions).
const WEB_TRAFFIC: [&str; 5] = [
    "website_visit",
    "product_inquiry",
    "cart_event",
    "purchase_intent",
    "search_query",
];

fn row(table: Table, add: &mut Add<'_>) {
    add(Cell::Rows { table, day: None }, 1);
}

/// Business day of a moment.
fn day_of(at: Option<i64>, calendar: Calendar) -> Option<NaiveDate> {
    match at.and_then(|at| calendar.buckets(at)) {
        Some([Bucket::Day(day), ..]) => Some(day),
        _ => None,
    }
}

/// Contribution of a line's entry: one that names no order is counted as a row. All others are counted by their order, whose
/// is the money too.
pub fn of_line(holder: Holder, add: &mut Add<'_>) {
    if holder.order.is_none() {
        row(Table::TransactionDetail, add);
    }
}

/// Contribution of a stock row: it is counted as a row. Its units belong to the product.
pub fn of_shelf(add: &mut Add<'_>) {
    row(Table::Stock, add);
}

/// Contribution of a product and its stock rows. A deleted product keeps its stock rows until they are deleted too.
pub fn of_listing(id: i64, listing: &Listing, meaning: &Meaning, add: &mut Add<'_>) {
    let product = listing.product.as_ref().and_then(|kept| kept.row.as_ref());
    let is_foreign = |product: &Product| !product.currency.is_empty() && product.currency != meaning.currency;
    if product.is_some_and(|product| !product.deleted) {
        row(Table::Product, add);
    }
    if product.is_some_and(is_foreign) {
        add(Cell::ForeignCurrency, 1);
    }
    // Without its product row a stock row belongs to no store yet.
    let Some(product) = product else { return };
    let store = store_id(product.store);
    for shelf in listing.shelves.values() {
        let status = StockStatus::of(shelf.available, shelf.reorder_point);
        add(Cell::Shelves { store, status }, 1);
        let mut place = |measure, value| {
            add(
                Cell::Place {
                    store,
                    location: shelf.location.clone(),
                    measure,
                },
                value,
            );
        };
        let available = shelf.available.unwrap_or(0);
        place(PlaceMeasure::Units, available);
        // In another currency it is worth what the rate of the day says: its reader's to convert.
        if !is_foreign(product) {
            place(
                PlaceMeasure::Value,
                available.max(0).saturating_mul(product.price.unwrap_or(0)),
            );
        }
        if status.is_critical() {
            place(PlaceMeasure::Critical, 1);
            if product.status != "inactive" {
                add(Cell::Critical { store, product: id }, 1);
            }
        }
    }
}

/// Contribution of a behaviour row: events by type in three grains, sessions and actors by type and day
/// (KPI events_by_type), and searches. The type NULL is shown as `unknown`.
pub fn of_behaviour(event: &Behaviour, calendar: Calendar, add: &mut Add<'_>) {
    let day = day_of(event.at, calendar);
    add(
        Cell::Rows {
            table: Table::UserBehavior,
            day,
        },
        1,
    );
    let Some([day_bucket, hour, minute, _]) = event.at.and_then(|at| calendar.buckets(at)) else {
        add(Cell::Undated, 1);
        return;
    };
    let Bucket::Day(day) = day_bucket else { return };
    let actor = event.actor();
    for scope in Scope::both(event.store) {
        add(
            Cell::Total {
                scope,
                bucket: day_bucket,
                measure: Measure::Events,
            },
            1,
        );
        for bucket in [day_bucket, hour, minute] {
            add(
                Cell::Events {
                    scope,
                    bucket,
                    kind: event.kind.clone(),
                },
                1,
            );
        }
        // A search of nobody is in no visit, and the marts count searches in visits.
        if event.kind == "search" && actor.is_some() {
            let mut search = |in_vain| {
                add(
                    Cell::Search {
                        scope,
                        day,
                        term: event.term.clone().unwrap_or_default(),
                        in_vain,
                    },
                    1,
                );
            };
            search(false);
            if event.in_vain {
                search(true);
            }
        }
    }
    if let Some(session) = &event.session {
        add(
            Cell::Session {
                day,
                kind: event.kind.clone(),
                session: session.clone(),
            },
            1,
        );
    }
    if let Some(actor) = actor {
        add(
            Cell::Actor {
                day,
                kind: event.kind.clone(),
                actor,
            },
            1,
        );
    }
}

/// Contribution of a store: its plan, what it pays a month, and the day it was inserted.
pub fn of_merchant(merchant: &Merchant, calendar: Calendar, add: &mut Add<'_>) {
    inserted(merchant.inserted_at, DayMeasure::NewStores, calendar, add);
    if merchant.deleted {
        return;
    }
    row(Table::Customer, add);
    add(
        Cell::Plan {
            tier: merchant.tier.clone(),
        },
        1,
    );
    add(Cell::Mrr, merchant.monthly_cents);
}

/// Contribution of a buyer, carrier or segment: it is counted; a buyer also on the day it was inserted.
pub fn of_known(table: Table, known: &Known, calendar: Calendar, add: &mut Add<'_>) {
    row(table, add);
    if table == Table::Buyer {
        inserted(known.inserted_at, DayMeasure::NewUsers, calendar, add);
    }
}

fn inserted(at: Option<i64>, measure: DayMeasure, calendar: Calendar, add: &mut Add<'_>) {
    if let Some(day) = day_of(at, calendar) {
        add(
            Cell::Day {
                scope: Scope::Platform,
                day,
                measure,
            },
            1,
        );
    }
}

/// Contribution of a stock movement. A movement that is neither in nor out moves nothing.
pub fn of_movement(movement: &Movement, calendar: Calendar, add: &mut Add<'_>) {
    let day = day_of(movement.at, calendar);
    add(
        Cell::Rows {
            table: Table::InventoryMovement,
            day,
        },
        1,
    );
    let (Some(day), Some(inward)) = (day, movement.inward) else {
        return;
    };
    add(
        Cell::Movement {
            day,
            product: movement.product,
            reason: movement.reason.clone(),
            inward,
        },
        movement.quantity,
    );
}

/// Contribution of a contact with a store.
pub fn of_contact(contact: &Contact, calendar: Calendar, add: &mut Add<'_>) {
    let day = day_of(contact.at, calendar);
    add(
        Cell::Rows {
            table: Table::Interaction,
            day,
        },
        1,
    );
    if contact
        .kind
        .as_deref()
        .is_some_and(|kind| WEB_TRAFFIC.contains(&kind))
    {
        return;
    }
    if let Some(day) = day {
        let parts = [
            contact.store.map(|store| store.to_string()),
            contact.kind.clone(),
            contact.channel.clone(),
            contact.status.clone(),
        ];
        add(Cell::Contact { day, parts }, 1);
    }
}

/// Contribution of a store's membership in a segment.
pub fn of_member(membership: Membership, add: &mut Add<'_>) {
    row(Table::CustomerSegment, add);
    if let (Some(segment), Some(store)) = (membership.segment, membership.store) {
        add(Cell::Member { segment, store }, 1);
    }
}

/// Contribution of a shipment (KPIs shipments, on_time_rate).
pub fn of_parcel(parcel: &Parcel, calendar: Calendar, add: &mut Add<'_>) {
    let due = day_of(parcel.due_at, calendar);
    add(
        Cell::Rows {
            table: Table::Shipment,
            day: due,
        },
        1,
    );
    add(
        Cell::Shipment {
            due,
            method: parcel.method.clone(),
            status: parcel.status.clone(),
        },
        1,
    );
    let Some(due) = due else { return };
    let delivery = match day_of(parcel.delivered_at, calendar) {
        Some(day) if day <= due => Delivery::OnTime,
        Some(_) => Delivery::Late,
        None if parcel.status == "delivered" => Delivery::Unknown,
        None => Delivery::Undelivered,
    };
    add(
        Cell::Delivered {
            due,
            method: parcel.method.clone(),
            delivery,
        },
        1,
    );
}
