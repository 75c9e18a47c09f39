-- Sums, payments and buyers by business day, as core::contribution books them. Continues currency.sql.
-- $7: reporting zone; $8, $9: order statuses and their classes; $10, $11: payment aliases and their methods.
status_class AS (SELECT * FROM unnest($8::text[], $9::text[]) AS m(status, class)),
method_alias AS (SELECT * FROM unnest($10::text[], $11::text[]) AS m(alias, method)),
headers AS MATERIALIZED (
  SELECT
    t.buyer_id,
    coalesce(s.class, 'unmapped') AS class,
    coalesce(s.class IN ('recognised', 'reversed'), false) AS is_sale,
    coalesce(a.method, 'unknown') AS method,
    -- An amount that no decimal(12,2) can hold counts as none (core::order), and so does one without a rate or one that is
    -- absurd after its conversion (core::money::convert).
    CASE
      WHEN abs(round(t.total_amount * 100)) >= 1000000000000 OR t.total_amount IS NULL THEN 0
      WHEN r.order_id IS NULL THEN round(t.total_amount * 100)
      WHEN abs(round(round(t.total_amount * 100) * r.rate)) < 1000000000000000 THEN round(round(t.total_amount * 100) * r.rate)
      ELSE 0
    END AS cents,
    -- No day without a year of four digits, in UTC and in the zone.
    CASE WHEN t.transaction_date >= TIMESTAMP '0001-01-01' AND t.transaction_date < TIMESTAMP '10000-01-01'
          AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE $7::text >= TIMESTAMP '0001-01-01'
          AND t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE $7::text < TIMESTAMP '10000-01-01'
         THEN (t.transaction_date AT TIME ZONE 'UTC' AT TIME ZONE $7::text)::date END AS day
  FROM transaction t
  LEFT JOIN order_rate r ON r.order_id = t.transaction_id
  LEFT JOIN status_class s ON s.status = lower(btrim(t.status))
  LEFT JOIN method_alias a ON a.alias = lower(btrim(t.payment_method))
),
days AS (
  SELECT
    h.day,
    coalesce(sum(h.cents) FILTER (WHERE h.is_sale), 0) AS revenue_cents,
    count(*) FILTER (WHERE h.is_sale) AS orders,
    count(*) FILTER (WHERE h.class = 'open') AS open,
    count(*) FILTER (WHERE h.class = 'failed') AS failed,
    count(*) FILTER (WHERE h.class = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE h.class = 'reversed') AS reversed,
    count(*) FILTER (WHERE h.class = 'unmapped') AS unmapped,
    count(DISTINCT h.buyer_id) FILTER (WHERE h.is_sale) AS buyers
  FROM headers h
  WHERE h.day IS NOT NULL
  GROUP BY h.day
),
payments AS (
  SELECT
    h.day,
    h.method,
    count(*) FILTER (WHERE h.is_sale) AS paid,
    count(*) FILTER (WHERE h.class = 'failed') AS failed,
    count(*) FILTER (WHERE h.class = 'open') AS open,
    coalesce(sum(h.cents) FILTER (WHERE h.is_sale), 0) AS revenue_cents
  FROM headers h
  WHERE h.day IS NOT NULL
  GROUP BY h.day, h.method
)
SELECT d.day, f.name, ''::text, f.value::numeric
FROM days d CROSS JOIN LATERAL (VALUES
  ('revenue_cents', d.revenue_cents), ('orders', d.orders), ('open', d.open), ('failed', d.failed),
  ('cancelled', d.cancelled), ('reversed', d.reversed), ('unmapped', d.unmapped), ('buyers', d.buyers)) AS f(name, value)
UNION ALL
SELECT p.day, f.name, p.method, f.value::numeric
FROM payments p CROSS JOIN LATERAL (VALUES
  ('payment.paid', p.paid), ('payment.failed', p.failed), ('payment.open', p.open),
  ('payment.revenue_cents', p.revenue_cents)) AS f(name, value)
UNION ALL
SELECT NULL, 'undated', '', count(*)::numeric FROM headers h WHERE h.day IS NULL
