//! The feed against a real warehouse that the test starts itself.

#![cfg(feature = "stack-tests")]
#![allow(unreachable_pub, missing_docs, dead_code, clippy::pedantic)]

#[path = "../../store/tests/warehouse/cluster.rs"]
mod cluster;

use std::time::Duration;

use instashop_core::config::Config;
use instashop_core::view::{Ask, Basis, Range, Topic};
use instashop_tui::app::{Event, Tab, Wanted};
use instashop_tui::feed::Feed;
use instashop_tui::snapshot::{Body, Message, PartName, StoreName};
use tokio::sync::mpsc::{Receiver, channel};

use cluster::Database;

/// What the warehouse says next; what nobody can wait for longer.
async fn told(events: &mut Receiver<Event>) -> Body {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(30), events.recv()).await;
        if let Event::Told(Message {
            store: StoreName::Warehouse,
            body,
            ..
        }) = event.unwrap().unwrap()
            && !matches!(body, Body::Asking)
        {
            assert!(
                !matches!(body, Body::Down { .. }),
                "the warehouse answers: {body:?}"
            );
            return body;
        }
    }
}

/// A statement that waits for a lock, or runs for too long, is the failure of one tab: the others, and the health of the
/// warehouse, go on being answered, and the tab is when it can be.
#[tokio::test]
async fn a_query_of_one_tab_that_fails_is_not_the_failure_of_the_warehouse() {
    let database = Database::ready().await;
    let mut config = Config::default();
    config.warehouse = database.config.clone();
    let wanted = Wanted {
        tab: Tab::Logistics,
        days: 30,
        ask: Ask {
            range: Range::Days(30),
            basis: Basis::Previous,
            store: None,
        },
        orders: None,
        difference: None,
        sales_on_live: false,
        at: None,
        redis_is_out: false,
    };
    let hold = database.hold("marts.shipment_facts").await;
    let (sender, mut events) = channel(64);
    let feed = Feed::start(&config, wanted.clone(), &sender);
    let (mut failed, mut healthy) = (false, false);
    while !(failed && healthy) {
        match told(&mut events).await {
            Body::Failed(PartName::Board(Topic::Logistics), failure) => {
                assert!(failure.text.contains("lock"), "{failure:?}");
                failed = true;
            }
            Body::WarehouseSystem(_) => healthy |= failed,
            _ => {}
        }
        feed.poll();
    }
    feed.want(Wanted {
        tab: Tab::Buyers,
        ..wanted.clone()
    });
    while !matches!(told(&mut events).await, Body::Board(_, board) if board.view.topic() == Topic::Buyers) {}
    drop(hold);
    feed.want(wanted);
    while !matches!(told(&mut events).await, Body::Board(_, board) if board.view.topic() == Topic::Logistics)
    {
        feed.poll();
    }
}
