//! Statements of the sales database. Each takes any number of actions of one rank.

use instashop_core::money::decimal_text;
use instashop_core::table::Table;

use super::{Action, Link, Outcome, column, naive};
use crate::simulate::row::LineRow;

const OPEN_STORE: &str = "INSERT INTO customer (customer_id, name, business_name, email, phone, subscription_plan, logo_url, store_url) \
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) \
    ON CONFLICT DO NOTHING";

const SIGN_UP: &str = "INSERT INTO buyer (buyer_id, name, email, phone, shipping_address) \
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING";

const OFFER_PRODUCT: &str = "INSERT INTO product (product_id, customer_id, name, description, category, price, currency, status, image_url) \
    SELECT id, store, name, description, category, price::numeric, currency, status, image \
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) \
      AS given(id, store, name, description, category, price, currency, status, image) \
    ON CONFLICT DO NOTHING";

/// Header and lines in one statement: lines are written only for headers that were, never for an order of somebody
/// else that has the same key.
const PLACE_ORDER: &str = "WITH placed AS (\
      INSERT INTO transaction (transaction_id, buyer_id, customer_id, transaction_date, total_amount, payment_method, status) \
      SELECT id, buyer, store, at, total::numeric, method, status \
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamp[], $5::text[], $6::text[], $7::text[]) \
        AS given(id, buyer, store, at, total, method, status) \
      ON CONFLICT DO NOTHING RETURNING transaction_id), \
    lines AS (\
      INSERT INTO transactiondetail (transaction_detail_id, transaction_id, product_id, quantity, unit_price) \
      SELECT line, placed.transaction_id, product, quantity, price::numeric \
      FROM unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::int[], $12::text[]) \
        AS given(line, parent, product, quantity, price) \
      JOIN placed ON placed.transaction_id = given.parent \
      ON CONFLICT DO NOTHING RETURNING 1) \
    SELECT (SELECT count(*) FROM placed), (SELECT count(*) FROM lines)";

const ADD_LINES: &str = "INSERT INTO transactiondetail (transaction_detail_id, transaction_id, product_id, quantity, unit_price) \
    SELECT line, parent, product, quantity, price::numeric \
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::text[]) AS given(line, parent, product, quantity, price) \
    WHERE EXISTS (SELECT FROM transaction o WHERE o.transaction_id = parent) \
    ON CONFLICT DO NOTHING";

const CHANGE_LINE: &str = "WITH given AS (SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[]) AS g(line, quantity, parent, total)), \
    changed AS (UPDATE transactiondetail d SET quantity = given.quantity FROM given \
      WHERE d.transaction_detail_id = given.line AND d.transaction_id = given.parent RETURNING given.parent) \
    UPDATE transaction o SET total_amount = given.total::numeric FROM given JOIN changed ON changed.parent = given.parent \
    WHERE o.transaction_id = given.parent";

const DROP_LINE: &str = "WITH given AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS g(line, parent, total)), \
    dropped AS (DELETE FROM transactiondetail d USING given \
      WHERE d.transaction_detail_id = given.line AND d.transaction_id = given.parent RETURNING given.parent) \
    UPDATE transaction o SET total_amount = given.total::numeric FROM given JOIN dropped ON dropped.parent = given.parent \
    WHERE o.transaction_id = given.parent";

const RESOLVE: &str = "UPDATE transaction o SET status = given.after \
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS given(id, before, after) \
    WHERE o.transaction_id = given.id AND o.status = given.before";

const BEHAVE: &str = "INSERT INTO userbehavior (behavior_id, customer_id, event_type, product_id, session_id, \"timestamp\", metadata) \
    SELECT id, store, event, product, session, at, metadata::jsonb \
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::timestamp[], $7::text[]) \
      AS given(id, store, event, product, session, at, metadata) \
    ON CONFLICT DO NOTHING";

const CHANGE_PLAN: &str = "UPDATE customer c SET subscription_plan = given.plan \
    FROM unnest($1::bigint[], $2::text[]) AS given(id, plan) WHERE c.customer_id = given.id";

const MOVE: &str = "UPDATE buyer b SET shipping_address = given.address \
    FROM unnest($1::bigint[], $2::text[]) AS given(id, address) WHERE b.buyer_id = given.id";

const REPRICE: &str = "UPDATE product p SET price = given.price::numeric \
    FROM unnest($1::bigint[], $2::text[]) AS given(id, price) WHERE p.product_id = given.id";

const REFILE: &str = "UPDATE product p SET category = given.category \
    FROM unnest($1::bigint[], $2::text[]) AS given(id, category) WHERE p.product_id = given.id";

const RELIST: &str = "UPDATE product p SET status = given.status \
    FROM unnest($1::bigint[], $2::text[]) AS given(id, status) WHERE p.product_id = given.id";

const FORGET: &str = "DELETE FROM userbehavior WHERE behavior_id = ANY($1)";

const DELETE_LINES: &str = "DELETE FROM transactiondetail WHERE transaction_id = ANY($1)";

const DELETE_ORDERS: &str = "DELETE FROM transaction WHERE transaction_id = ANY($1)";

const DELETE_BUYERS: &str = "DELETE FROM buyer b WHERE b.buyer_id = ANY($1) \
    AND NOT EXISTS (SELECT FROM transaction o WHERE o.buyer_id = b.buyer_id)";

impl Link {
    /// Carries out actions of one rank.
    pub(super) async fn sales(&mut self, run: &[Action]) -> Result<Outcome, tokio_postgres::Error> {
        let mut outcome = Outcome::default();
        match run.first() {
            Some(Action::OpenStore(_)) => {
                let rows = column!(run, Action::OpenStore(row) => row);
                let done = self
                    .run(
                        OPEN_STORE,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
                            &rows
                                .iter()
                                .map(|row| row.business_name.as_str())
                                .collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.email.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.phone.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.plan).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.logo_url.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.store_url.as_str()).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.inserted(Table::Customer, rows.len(), done);
            }
            Some(Action::SignUp(_)) => {
                let rows = column!(run, Action::SignUp(row) => row);
                let done = self
                    .run(
                        SIGN_UP,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.email.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.phone.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.address.as_str()).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.inserted(Table::Buyer, rows.len(), done);
            }
            Some(Action::OfferProduct(_)) => {
                let rows = column!(run, Action::OfferProduct(row) => row);
                let done = self
                    .run(
                        OFFER_PRODUCT,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.store).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
                            &rows
                                .iter()
                                .map(|row| row.description.as_str())
                                .collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.category.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| decimal_text(row.price)).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.currency.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.status).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.image_url.as_str()).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.inserted(Table::Product, rows.len(), done);
            }
            Some(Action::PlaceOrder { .. }) => {
                outcome = self.place(run).await?;
            }
            Some(Action::AddLines(_)) => {
                let lines: Vec<&LineRow> = column!(run, Action::AddLines(lines) => lines)
                    .into_iter()
                    .flatten()
                    .collect();
                let (ids, parents, products, quantities, prices) = line_columns(&lines);
                let done = self
                    .run(ADD_LINES, &[&ids, &parents, &products, &quantities, &prices])
                    .await?;
                outcome.found(lines.len(), done);
            }
            Some(Action::ChangeLine { .. }) => {
                let done = self
                    .run(
                        CHANGE_LINE,
                        &[
                            &column!(run, Action::ChangeLine { line, .. } => *line),
                            &column!(run, Action::ChangeLine { quantity, .. } => *quantity),
                            &column!(run, Action::ChangeLine { order, .. } => *order),
                            &column!(run, Action::ChangeLine { total, .. } => decimal_text(*total)),
                        ],
                    )
                    .await?;
                outcome.found(run.len(), done);
            }
            Some(Action::DropLine { .. }) => {
                let done = self
                    .run(
                        DROP_LINE,
                        &[
                            &column!(run, Action::DropLine { line, .. } => *line),
                            &column!(run, Action::DropLine { order, .. } => *order),
                            &column!(run, Action::DropLine { total, .. } => decimal_text(*total)),
                        ],
                    )
                    .await?;
                outcome.found(run.len(), done);
            }
            Some(Action::Resolve { .. }) => {
                let done = self
                    .run(
                        RESOLVE,
                        &[
                            &column!(run, Action::Resolve { order, .. } => *order),
                            &column!(run, Action::Resolve { from, .. } => *from),
                            &column!(run, Action::Resolve { to, .. } => *to),
                        ],
                    )
                    .await?;
                outcome.found(run.len(), done);
            }
            Some(Action::Behave(_)) => {
                let rows = column!(run, Action::Behave(row) => row);
                let done = self
                    .run(
                        BEHAVE,
                        &[
                            &rows.iter().map(|row| row.id).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.store).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.event).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.product).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.session.as_str()).collect::<Vec<_>>(),
                            &rows.iter().map(|row| naive(row.at)).collect::<Vec<_>>(),
                            &rows.iter().map(|row| row.metadata.as_str()).collect::<Vec<_>>(),
                        ],
                    )
                    .await?;
                outcome.behaviour = done;
                outcome.inserted(Table::UserBehavior, rows.len(), done);
            }
            _ => {
                let done = self.small_sales(run).await?;
                outcome.found(run.len(), done);
            }
        }
        Ok(outcome)
    }

    async fn place(&mut self, run: &[Action]) -> Result<Outcome, tokio_postgres::Error> {
        let orders = column!(run, Action::PlaceOrder { order, .. } => order);
        let lines: Vec<&LineRow> = column!(run, Action::PlaceOrder { lines, .. } => lines)
            .into_iter()
            .flatten()
            .collect();
        let (ids, parents, products, quantities, prices) = line_columns(&lines);
        let statement = self.prepared(PLACE_ORDER).await?;
        let row = self
            .client
            .query_one(
                &statement,
                &[
                    &orders.iter().map(|row| row.id).collect::<Vec<_>>(),
                    &orders.iter().map(|row| row.buyer).collect::<Vec<_>>(),
                    &orders.iter().map(|row| row.store).collect::<Vec<_>>(),
                    &orders.iter().map(|row| naive(row.placed)).collect::<Vec<_>>(),
                    &orders
                        .iter()
                        .map(|row| decimal_text(row.total))
                        .collect::<Vec<_>>(),
                    &orders.iter().map(|row| row.method).collect::<Vec<_>>(),
                    &orders.iter().map(|row| row.status).collect::<Vec<_>>(),
                    &ids,
                    &parents,
                    &products,
                    &quantities,
                    &prices,
                ],
            )
            .await?;
        let (placed, written) = (row.get::<_, i64>(0) as u64, row.get::<_, i64>(1) as u64);
        let mut outcome = Outcome {
            orders: placed,
            ..Outcome::default()
        };
        outcome.inserted(Table::Transaction, orders.len(), placed);
        if placed == orders.len() as u64 {
            outcome.inserted(Table::TransactionDetail, lines.len(), written);
        }
        Ok(outcome)
    }

    /// Updates and deletions of few columns; gives how many rows were touched.
    async fn small_sales(&mut self, run: &[Action]) -> Result<u64, tokio_postgres::Error> {
        match run.first() {
            Some(Action::ChangePlan { .. }) => {
                let ids = column!(run, Action::ChangePlan { store, .. } => *store);
                let plans = column!(run, Action::ChangePlan { plan, .. } => *plan);
                self.run(CHANGE_PLAN, &[&ids, &plans]).await
            }
            Some(Action::Move { .. }) => {
                let ids = column!(run, Action::Move { buyer, .. } => *buyer);
                let addresses = column!(run, Action::Move { address, .. } => address.as_str());
                self.run(MOVE, &[&ids, &addresses]).await
            }
            Some(Action::Reprice { .. }) => {
                let ids = column!(run, Action::Reprice { product, .. } => *product);
                let prices = column!(run, Action::Reprice { price, .. } => decimal_text(*price));
                self.run(REPRICE, &[&ids, &prices]).await
            }
            Some(Action::Refile { .. }) => {
                let ids = column!(run, Action::Refile { product, .. } => *product);
                let categories = column!(run, Action::Refile { category, .. } => *category);
                self.run(REFILE, &[&ids, &categories]).await
            }
            Some(Action::Relist { .. }) => {
                let ids = column!(run, Action::Relist { product, .. } => *product);
                let status = column!(run, Action::Relist { status, .. } => *status);
                self.run(RELIST, &[&ids, &status]).await
            }
            Some(Action::Forget(_)) => {
                self.run(FORGET, &[&column!(run, Action::Forget(row) => *row)])
                    .await
            }
            Some(Action::DeleteOrder(_)) => {
                let ids = column!(run, Action::DeleteOrder(order) => *order);
                self.run(DELETE_LINES, &[&ids]).await?;
                self.run(DELETE_ORDERS, &[&ids]).await
            }
            Some(Action::DeleteBuyer(_)) => {
                self.run(
                    DELETE_BUYERS,
                    &[&column!(run, Action::DeleteBuyer(buyer) => *buyer)],
                )
                .await
            }
            _ => Ok(0),
        }
    }
}

type LineColumns = (Vec<i64>, Vec<i64>, Vec<i64>, Vec<i32>, Vec<String>);

fn line_columns(lines: &[&LineRow]) -> LineColumns {
    (
        lines.iter().map(|line| line.id).collect(),
        lines.iter().map(|line| line.order).collect(),
        lines.iter().map(|line| line.product).collect(),
        lines.iter().map(|line| line.quantity).collect(),
        lines.iter().map(|line| decimal_text(line.price)).collect(),
    )
}
