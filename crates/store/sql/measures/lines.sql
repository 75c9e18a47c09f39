-- Order totals shared over their lines to the cent, by category and by product and business day: the four steps of
-- core.order_lines and core::money::allocate. Continues currency.sql.
-- $5: products that are gone; $7: reporting zone; $8, $9: order statuses and their classes; $10: last category of products
-- that are gone.
status_class AS (SELECT * FROM unnest($8::text[], $9::text[]) AS m(status, class)),
gone AS (SELECT * FROM unnest($5::bigint[], $10::text[]) AS g(product_id, category)),
sales AS (
  SELECT
    t.transaction_id AS order_id,
    CASE
      WHEN abs(round(t.total_amount * 100)) >= 1000000000000 OR t.total_amount IS NULL THEN 0
      WHEN r.order_id IS NULL THEN round(t.total_amount * 100)
      WHEN abs(round(round(t.total_amount * 100) * r.rate)) < 1000000000000000 THEN round(round(t.total_amount * 100) * r.rate)
      ELSE 0
    END AS cents,
    (t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE $7::text)::date AS day
  FROM transaction t
  JOIN status_class s ON s.status = lower(btrim(t.status))
  LEFT JOIN order_rate r ON r.order_id = t.transaction_id
  WHERE s.class IN ('recognised', 'reversed')
    AND t.transaction_date >= TIMESTAMP '0001-01-01' AND t.transaction_date < TIMESTAMP '10000-01-01'
    AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE $7::text >= TIMESTAMP '0001-01-01'
    AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE $7::text < TIMESTAMP '10000-01-01'
),
lines AS (
  SELECT
    s.*, d.transaction_detail_id AS line_id, d.product_id, coalesce(d.quantity, 0) AS quantity,
    greatest(coalesce(d.quantity, 0) * coalesce(
      CASE WHEN abs(round(d.unit_price * 100)) < 1000000000000 THEN round(d.unit_price * 100) END, 0), 0) AS gross
  FROM sales s
  LEFT JOIN transactiondetail d ON d.transaction_id = s.order_id
),
summed AS (
  SELECT l.*, sum(l.gross) OVER w AS gross_sum, count(*) OVER w AS n FROM lines l WINDOW w AS (PARTITION BY l.order_id)
),
weighed AS (
  SELECT
    s.*,
    CASE WHEN s.gross_sum = 0 THEN 1 ELSE s.gross END AS weight,
    CASE WHEN s.gross_sum = 0 THEN s.n ELSE s.gross_sum END AS weights
  FROM summed s
),
shared AS (
  SELECT
    w.*, div(abs(w.cents) * w.weight, w.weights) AS share, mod(abs(w.cents) * w.weight, w.weights) AS rest
  FROM weighed w
),
ranked AS (
  SELECT
    s.*,
    row_number() OVER (PARTITION BY s.order_id ORDER BY s.rest DESC, s.line_id) AS place,
    abs(s.cents) - sum(s.share) OVER (PARTITION BY s.order_id) AS left_over
  FROM shared s
),
allocated AS MATERIALIZED (
  SELECT
    r.day, r.line_id, r.product_id, r.quantity,
    sign(r.cents) * (r.share + CASE WHEN r.place <= r.left_over THEN 1 ELSE 0 END) AS cents,
    CASE WHEN r.line_id IS NULL THEN 'unattributed'
         ELSE coalesce(CASE WHEN p.product_id IS NULL THEN g.category ELSE nullif(btrim(p.category), '') END, 'unclassified')
    END AS category
  FROM ranked r
  LEFT JOIN product p ON p.product_id = r.product_id
  LEFT JOIN gone g ON g.product_id = r.product_id
),
categories AS (
  SELECT a.day, a.category, sum(a.cents) AS cents, sum(a.quantity) AS units, count(*) AS n
  FROM allocated a GROUP BY a.day, a.category
),
products AS (
  SELECT a.day, a.product_id, sum(a.cents) AS cents, sum(a.quantity) AS units, count(*) AS n
  FROM allocated a WHERE a.product_id IS NOT NULL GROUP BY a.day, a.product_id
)
SELECT c.day, f.name, c.category, f.value::numeric
FROM categories c CROSS JOIN LATERAL (VALUES
  ('category.revenue_cents', c.cents), ('category.units', c.units), ('category.lines', c.n)) AS f(name, value)
UNION ALL
SELECT p.day, f.name, p.product_id::text, f.value::numeric
FROM products p CROSS JOIN LATERAL (VALUES
  ('product.revenue_cents', p.cents), ('product.units', p.units), ('product.lines', p.n)) AS f(name, value)
UNION ALL
SELECT a.day, 'orders_without_lines', '', count(*)::numeric FROM allocated a WHERE a.line_id IS NULL GROUP BY a.day
