-- The rate of every order whose products name another currency than the reporting currency: the lowest code of its products,
-- and the last rate on or before the order day (core::order). Continues a WITH that names the tables.
-- $1: reporting currency; $2, $3, $4: currencies, first days of validity and rates; $5, $6: products that are gone, and their
-- last currency; $7: reporting zone.
currency_rate AS (SELECT * FROM unnest($2::text[], $3::date[], $4::numeric[]) AS r(code, since, rate)),
product_code AS MATERIALIZED (
  SELECT p.product_id, upper(btrim(p.currency)) COLLATE "C" AS code FROM product p WHERE btrim(p.currency) <> ''
  UNION ALL
  SELECT g.product_id, upper(btrim(g.currency)) COLLATE "C" FROM unnest($5::bigint[], $6::text[]) AS g(product_id, currency)
  WHERE btrim(g.currency) <> '' AND NOT EXISTS (SELECT 1 FROM product p WHERE p.product_id = g.product_id)
),
order_code AS MATERIALIZED (
  SELECT d.transaction_id AS order_id, min(c.code) AS code
  FROM transactiondetail d
  JOIN product_code c ON c.product_id = d.product_id
  -- As long as no product names another currency, no line is read.
  WHERE EXISTS (SELECT 1 FROM product_code f WHERE f.code <> $1::text)
  GROUP BY d.transaction_id
  HAVING min(c.code) <> $1::text
),
order_rate AS MATERIALIZED (
  SELECT
    o.order_id,
    (SELECT r.rate FROM currency_rate r
     WHERE r.code = o.code AND r.since <= (t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE $7::text)::date
     ORDER BY r.since DESC LIMIT 1) AS rate
  FROM order_code o
  JOIN transaction t ON t.transaction_id = o.order_id
  WHERE t.transaction_date >= TIMESTAMP '0001-01-01' AND t.transaction_date < TIMESTAMP '10000-01-01'
),
