-- The dimensions of the semantic layer: time, store, category (docs: kpis 1.6).

CREATE OR REPLACE VIEW semantic.dim_time AS
SELECT
  d.day, extract(isodow FROM d.day)::int AS weekday, to_char(d.day, 'IYYY-"W"IW') AS iso_week,
  date_trunc('week', d.day::timestamp)::date AS week_start, date_trunc('month', d.day::timestamp)::date AS month_start,
  extract(quarter FROM d.day)::int AS quarter, extract(year FROM d.day)::int AS year,
  d.day >= f.first_day AS is_captured, d.day = c.today AS is_today
FROM core.clock c
CROSS JOIN (SELECT min(o.order_day) AS first_day FROM marts.order_facts o WHERE o.order_day >= DATE '2000-01-01') f
CROSS JOIN LATERAL (
  SELECT g::date AS day FROM generate_series(coalesce(f.first_day, c.today)::timestamp, c.today::timestamp, INTERVAL '1 day') g
) d;
COMMENT ON VIEW semantic.dim_time IS 'grain: business day, from the first order (not before 2000) to today';

CREATE OR REPLACE VIEW semantic.dim_store AS
SELECT s.store_id, s.name, s.tier, s.deleted FROM core.stores s;
COMMENT ON VIEW semantic.dim_store IS 'grain: store, deleted ones included';

CREATE OR REPLACE VIEW semantic.dim_category AS
SELECT p.category, count(*) FILTER (WHERE NOT p.deleted) AS products FROM core.products p GROUP BY p.category;
COMMENT ON VIEW semantic.dim_category IS 'grain: category as products have it now; unattributed (orders without lines) has no product';
