//! Statements of the logistics database. Each takes any number of actions of one rank.

use instashop_core::table::Table;

use super::{Action, Link, Outcome, column, naive};

const SHIP: &str = "INSERT INTO shipment (shipment_id, transaction_id, buyer_id, delivery_address, shipping_method, status, \
      estimated_delivery_date, carrier_id) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamp[], $8::bigint[]) \
    ON CONFLICT DO NOTHING";

/// For a table of somebody else that has no carrier.
const SHIP_WITHOUT_CARRIER: &str = "INSERT INTO shipment (shipment_id, transaction_id, buyer_id, delivery_address, shipping_method, status, \
      estimated_delivery_date) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamp[]) \
    ON CONFLICT DO NOTHING";

const TRACK: &str = "UPDATE shipment s SET status = given.status \
    FROM unnest($1::bigint[], $2::text[]) AS given(id, status) \
    WHERE s.shipment_id = given.id AND s.status IS DISTINCT FROM 'delivered'";

const PROMISE: &str = "UPDATE shipment s SET estimated_delivery_date = given.at \
    FROM unnest($1::bigint[], $2::timestamp[]) AS given(id, at) WHERE s.shipment_id = given.id";

const UNSHIP: &str = "DELETE FROM shipment WHERE transaction_id = ANY($1)";

impl Link {
    /// Carries out actions of one rank.
    pub(super) async fn logistics(&mut self, run: &[Action]) -> Result<Outcome, tokio_postgres::Error> {
        let mut outcome = Outcome::default();
        match run.first() {
            Some(Action::Ship(_)) => {
                let rows = column!(run, Action::Ship(row) => row);
                let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
                let orders: Vec<i64> = rows.iter().map(|row| row.order).collect();
                let buyers: Vec<i64> = rows.iter().map(|row| row.buyer).collect();
                let addresses: Vec<&str> = rows.iter().map(|row| row.address.as_str()).collect();
                let methods: Vec<&str> = rows.iter().map(|row| row.method).collect();
                let status: Vec<&str> = rows.iter().map(|row| row.status).collect();
                let promised: Vec<_> = rows.iter().map(|row| naive(row.promised)).collect();
                let carriers: Vec<Option<i64>> = rows.iter().map(|row| row.carrier).collect();
                let done = if self.carrier_column {
                    self.run(
                        SHIP,
                        &[
                            &ids, &orders, &buyers, &addresses, &methods, &status, &promised, &carriers,
                        ],
                    )
                    .await?
                } else {
                    self.run(
                        SHIP_WITHOUT_CARRIER,
                        &[&ids, &orders, &buyers, &addresses, &methods, &status, &promised],
                    )
                    .await?
                };
                outcome.inserted(Table::Shipment, rows.len(), done);
            }
            Some(Action::Track { .. }) => {
                let ids = column!(run, Action::Track { shipment, .. } => *shipment);
                let status = column!(run, Action::Track { status, .. } => *status);
                let done = self.run(TRACK, &[&ids, &status]).await?;
                outcome.found(run.len(), done);
            }
            Some(Action::Promise { .. }) => {
                let ids = column!(run, Action::Promise { shipment, .. } => *shipment);
                let promised = column!(run, Action::Promise { at, .. } => naive(*at));
                let done = self.run(PROMISE, &[&ids, &promised]).await?;
                outcome.found(run.len(), done);
            }
            Some(Action::Unship(_)) => {
                self.run(UNSHIP, &[&column!(run, Action::Unship(order) => *order)])
                    .await?;
            }
            _ => {}
        }
        Ok(outcome)
    }
}
