-- core.orders: one row per order that exists at its source.
--
-- Amounts are taken as reporting currency in this version (fx is 1); an order whose lines name another currency, or two,
-- is marked for the data-quality tile. The clock is asked by subqueries and not joined,
-- nothing stands in a WITH, and lines are looked up for each order, so that the planner sees through: the index on the
-- time of the order gives the latest orders in their order, a few orders touch a few lines, and sums that ask for no line
-- touch none. Status and payment method are folded as the live flow folds them.
CREATE OR REPLACE VIEW core.orders AS
SELECT
  t.transaction_id AS order_id,
  t.buyer_id,
  coalesce(nullif(t.customer_id, 0), -1) AS store_id,
  t.total_amount AS amount,
  coalesce(l.gross, t.total_amount) AS gross,
  coalesce(l.units, 0) AS units,
  coalesce(l.n_lines, 0) AS n_lines,
  coalesce(l.first_currency, (SELECT c.currency FROM core.clock c)) AS currency,
  coalesce(l.first_currency <> l.last_currency, false) AS mixed_currency,
  coalesce(l.first_currency <> (SELECT c.currency FROM core.clock c)
           OR l.last_currency <> (SELECT c.currency FROM core.clock c), false) AS foreign_currency,
  coalesce(a.method, 'unknown') AS payment_method,
  coalesce(s.class, 'unmapped') AS class,
  coalesce(s.class IN ('recognised', 'reversed'), false) AS is_sale,
  t.transaction_date AT TIME ZONE 'UTC' AS ordered_at,
  -- No day without a year of four digits, in UTC and in the zone: counted apart, as in the live flow.
  CASE WHEN t.transaction_date >= TIMESTAMP '0001-01-01' AND t.transaction_date < TIMESTAMP '10000-01-01'
        AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) >= TIMESTAMP '0001-01-01'
        AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c) < TIMESTAMP '10000-01-01'
       THEN (t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE (SELECT c.tz FROM core.clock c))::date END AS order_day,
  1::numeric AS fx,
  -- An amount that no decimal(12,2) can hold counts as none, as in the live flow.
  CASE WHEN abs(round(t.total_amount, 2)) < 10000000000 THEN round(t.total_amount, 2) END AS amount_rc,
  round(coalesce(l.gross, t.total_amount), 2) AS gross_rc
FROM staging.transaction t
LEFT JOIN LATERAL (
    SELECT
      sum(d.quantity * d.unit_price) AS gross,
      sum(d.quantity) AS units,
      count(*) AS n_lines,
      min(p.currency) AS first_currency,
      max(p.currency) AS last_currency
    FROM staging.transactiondetail d
    LEFT JOIN staging.product p ON p.product_id = d.product_id
    WHERE d.transaction_id = t.transaction_id AND NOT d._deleted
) l ON true
LEFT JOIN ref.payment_alias a ON a.raw = lower(btrim(t.payment_method))
LEFT JOIN ref.order_status s ON s.status = lower(btrim(t.status))
WHERE NOT t._deleted;
COMMENT ON VIEW core.orders IS 'grain: one row per order that exists at its source';
