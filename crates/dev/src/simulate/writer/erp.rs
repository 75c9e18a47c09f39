//! Statements of the ERP database. Each takes any number of actions of one rank.

use instashop_core::table::Table;

use super::{Action, Link, Outcome, column, naive};

const STORE: &str = "INSERT INTO stock (stock_id, product_id, available_quantity, reorder_point, warehouse_location) \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::text[]) ON CONFLICT DO NOTHING";

/// The stock changes only by movements that were written just now: a repetition finds them written and moves nothing
/// twice.
const MOVE_GOODS: &str = "WITH given AS (\
      SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::timestamp[], $6::text[], $7::int[], $8::text[]) \
        AS g(id, stock, delta, product, at, direction, quantity, reason)), \
    written AS (\
      INSERT INTO inventorymovement (movement_id, product_id, movement_date, movement_type, quantity, reason) \
      SELECT id, product, at, direction, quantity, reason FROM given ON CONFLICT DO NOTHING RETURNING movement_id), \
    moved AS (\
      UPDATE stock s SET available_quantity = s.available_quantity + sums.delta \
      FROM (SELECT stock, sum(delta)::int AS delta FROM given JOIN written ON written.movement_id = given.id GROUP BY stock) sums \
      WHERE s.stock_id = sums.stock) \
    SELECT count(*) FROM written";

impl Link {
    /// Carries out actions of one rank.
    pub(super) async fn erp(&mut self, run: &[Action]) -> Result<Outcome, tokio_postgres::Error> {
        let mut outcome = Outcome::default();
        match run.first() {
            Some(Action::Store(_)) => {
                let rows = column!(run, Action::Store(row) => row);
                let done = self
                    .run(
                        STORE,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.product).collect::<Vec<_>>(),
                            &rows.iter().map(|row| small(row.available)).collect::<Vec<_>>(),
                            &rows
                                .iter()
                                .map(|row| small(row.reorder_point))
                                .collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.warehouse).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.inserted(Table::Stock, rows.len(), done);
            }
            Some(Action::MoveGoods { .. }) => {
                let rows = column!(run, Action::MoveGoods { movement, .. } => movement);
                let statement = self.prepared(MOVE_GOODS).await?;
                let row = self
                    .client
                    .query_one(
                        &statement,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &column!(run, Action::MoveGoods { stock, .. } => *stock),
                            &column!(run, Action::MoveGoods { delta, .. } => small(*delta)),
                            &rows.iter().map(|row| row.product).collect::<Vec<_>>(),
                            &rows.iter().map(|row| naive(row.at)).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.direction).collect::<Vec<_>>(),
                            &rows.iter().map(|row| small(row.quantity)).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.reason).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.inserted(Table::InventoryMovement, rows.len(), row.get::<_, i64>(0) as u64);
            }
            _ => {}
        }
        Ok(outcome)
    }
}

/// A quantity as the column holds it.
fn small(quantity: i64) -> i32 {
    i32::try_from(quantity).unwrap_or(if quantity < 0 { i32::MIN } else { i32::MAX })
}
