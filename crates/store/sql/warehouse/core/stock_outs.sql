-- core: when a product could not be bought because no warehouse had a unit of it (docs: kpis 6.1: such days are missing in
-- a series of demand, and not zero).

-- Since capture began, from the levels that were seen. Before, back from the first level by the movements, as far as they go.
CREATE OR REPLACE VIEW core.stock_outs AS
WITH first_level AS (
  SELECT s.stock_id, s.product_id, f.valid_from AS since, CASE WHEN f.from_snapshot THEN f.available_quantity END AS level
  FROM staging.stock s
  CROSS JOIN LATERAL (
    SELECT l.valid_from, l.from_snapshot, l.available_quantity
    FROM history.stock_level l
    WHERE l.stock_id = s.stock_id
    ORDER BY l.valid_from, l._generation, l._lsn
    LIMIT 1
  ) f
  WHERE NOT s._deleted
),
-- How many stock rows of a product there are, and how many of them have nothing.
edges AS (
  SELECT f.product_id, f.since AS at, 1 AS stocks, 0 AS empty FROM first_level f
  UNION ALL
  SELECT f.product_id, x.at, 0, x.empty
  FROM history.stock_level l
  JOIN first_level f ON f.stock_id = l.stock_id
  CROSS JOIN LATERAL (VALUES (l.valid_from, 1), (l.valid_to, -1)) AS x(at, empty)
  WHERE l.available_quantity <= 0 AND x.at IS NOT NULL
),
seen AS (
  SELECT
    e.product_id, e.at AS since, lead(e.at) OVER (PARTITION BY e.product_id ORDER BY e.at) AS until,
    sum(e.stocks) OVER (PARTITION BY e.product_id ORDER BY e.at) AS stocks,
    sum(e.empty) OVER (PARTITION BY e.product_id ORDER BY e.at) AS empty
  FROM edges e
),
captured AS (
  -- What was created later had nothing before.
  SELECT f.product_id, min(f.since) AS since, sum(f.level) AS level FROM first_level f GROUP BY f.product_id HAVING sum(f.level) IS NOT NULL
),
moved AS (
  SELECT
    m.product_id, m.movement_date AT TIME ZONE 'UTC' AS since,
    lag(m.movement_date AT TIME ZONE 'UTC', 1, c.since) OVER newest AS until,
    c.level - coalesce(sum(CASE lower(btrim(m.movement_type)) WHEN 'in' THEN m.quantity WHEN 'out' THEN -m.quantity END)
      OVER (PARTITION BY m.product_id ORDER BY m.movement_date DESC, m.movement_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS level
  FROM captured c
  JOIN staging.inventorymovement m ON m.product_id = c.product_id
  WHERE NOT m._deleted AND m.movement_date AT TIME ZONE 'UTC' < c.since
    AND m.movement_date >= (SELECT (k.today - 400)::timestamp FROM core.clock k)
  WINDOW newest AS (PARTITION BY m.product_id ORDER BY m.movement_date DESC, m.movement_id DESC)
)
SELECT s.product_id, s.since, coalesce(s.until, k.now_ts) AS until
FROM seen s CROSS JOIN core.clock k
WHERE s.stocks > 0 AND s.empty >= s.stocks AND s.since < coalesce(s.until, k.now_ts)
UNION ALL
SELECT m.product_id, m.since, m.until FROM moved m WHERE m.level <= 0 AND m.since < m.until;
COMMENT ON VIEW core.stock_outs IS 'grain: product x period without a unit in any warehouse, half-open';

CREATE OR REPLACE VIEW core.stock_out_days AS
SELECT o.product_id, d.day
FROM core.stock_outs o
CROSS JOIN core.clock c
CROSS JOIN LATERAL (
  SELECT
    g.day, g.day::timestamp AT TIME ZONE c.tz AS begins, (g.day + 1)::timestamp AT TIME ZONE c.tz AS ends
  FROM (
    SELECT generate_series(greatest((o.since AT TIME ZONE c.tz)::date, c.today - 400), (o.until AT TIME ZONE c.tz)::date, INTERVAL '1 day')::date AS day
  ) g
) d
GROUP BY o.product_id, d.day
HAVING sum(greatest(least(o.until, d.ends) - greatest(o.since, d.begins), INTERVAL '0')) * 2 >= max(d.ends - d.begins);
COMMENT ON VIEW core.stock_out_days IS 'grain: product x business day of the last 400 that it was out of stock for half of or longer';
