-- core.orders: one row per order that exists at its source.
--
-- Amounts are taken as reporting currency in this version (fx is 1); an order whose lines name another currency, or two,
-- is marked for the data-quality tile. The clock is asked by subqueries and not joined, and
-- nothing stands in a WITH, so that the planner sees through and the index on the time of the order gives the latest
-- orders in their order. Status and payment method are folded as the live flow folds them.
CREATE OR REPLACE VIEW core.orders AS
SELECT
  t.transaction_id AS order_id,
  t.buyer_id,
  coalesce(t.customer_id, -1) AS store_id,
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
  ((t.transaction_date AT TIME ZONE 'UTC') AT TIME ZONE (SELECT c.tz FROM core.clock c))::date AS order_day,
  1::numeric AS fx,
  -- An amount that no decimal(12,2) can hold counts as none, as in the live flow.
  CASE WHEN abs(round(t.total_amount, 2)) < 10000000000 THEN round(t.total_amount, 2) END AS amount_rc,
  round(coalesce(l.gross, t.total_amount), 2) AS gross_rc
FROM staging.transaction t
LEFT JOIN (
    SELECT
      d.transaction_id AS order_id,
      sum(d.quantity * d.unit_price) AS gross,
      sum(d.quantity) AS units,
      count(*) AS n_lines,
      min(p.currency) AS first_currency,
      max(p.currency) AS last_currency
    FROM staging.transactiondetail d
    LEFT JOIN staging.product p ON p.product_id = d.product_id
    WHERE NOT d._deleted
    GROUP BY d.transaction_id
) l ON l.order_id = t.transaction_id
LEFT JOIN ref.payment_alias a ON a.raw = lower(btrim(t.payment_method))
LEFT JOIN ref.order_status s ON s.status = lower(btrim(t.status))
WHERE NOT t._deleted;
COMMENT ON VIEW core.orders IS 'grain: one row per order that exists at its source';
