-- KPIs of CRM: value, segments and contacts (docs: kpis 1.2).

CREATE OR REPLACE VIEW semantic.kpi_clv_historic AS
SELECT b.buyer_id, b.first_day, b.orders, b.clv_historic FROM marts.buyer_clv b;
COMMENT ON VIEW semantic.kpi_clv_historic IS 'grain: buyer; net revenue so far; revenue, not margin';

CREATE OR REPLACE VIEW semantic.kpi_clv_12m AS
SELECT b.buyer_id, b.daily_repeat_rate, b.expected_order_value, b.clv_next_12m AS clv_12m FROM marts.buyer_clv b;
COMMENT ON VIEW semantic.kpi_clv_12m IS 'grain: buyer; an estimate without dropout, too high for quiet buyers';

CREATE OR REPLACE VIEW semantic.kpi_rfm AS
SELECT r.segment, count(*) AS rfm, sum(r.monetary) AS revenue FROM marts.rfm r GROUP BY r.segment;
COMMENT ON VIEW semantic.kpi_rfm IS 'grain: segment; buyers and their revenue of 365 days';

CREATE OR REPLACE VIEW semantic.kpi_segments_crm AS
SELECT s.segment_id, s.segment_name, count(DISTINCT m.customer_id) AS segments_crm
FROM staging.segment s
LEFT JOIN staging.customersegment m ON m.segment_id = s.segment_id AND NOT m._deleted
WHERE NOT s._deleted
GROUP BY s.segment_id, s.segment_name;
COMMENT ON VIEW semantic.kpi_segments_crm IS 'grain: segment; member stores as the CRM holds them';

CREATE OR REPLACE VIEW semantic.kpi_buyer_profile AS
SELECT
  b.buyer_id, coalesce(e.events, 0) AS buyer_profile, b.orders, b.clv_historic AS net_spend, b.first_day, b.last_day,
  f.category AS favourite_category, r.segment AS rfm_segment
FROM marts.buyer_clv b
LEFT JOIN marts.rfm r ON r.buyer_id = b.buyer_id
LEFT JOIN LATERAL (
  SELECT count(*) AS events FROM marts.visit_event_facts v WHERE v.actor = 'b' || b.buyer_id::text AND v.src = 0
) e ON true
LEFT JOIN LATERAL (
  SELECT l.category
  FROM marts.order_facts o JOIN marts.order_line_facts l ON l.order_id = o.order_id
  WHERE o.buyer_key = b.buyer_id AND l.is_sale
  GROUP BY l.category ORDER BY sum(l.net_rc) DESC NULLS LAST, l.category LIMIT 1
) f ON true;
COMMENT ON VIEW semantic.kpi_buyer_profile IS 'grain: buyer with a sale; events, orders, spend, favourite category, segment';

-- Events of the web that the CRM copies are no contacts.
CREATE OR REPLACE VIEW semantic.kpi_crm_interactions AS
SELECT
  (i.interaction_date AT TIME ZONE 'UTC' AT TIME ZONE c.tz)::date AS day, i.customer_id AS store_id,
  lower(btrim(i.interaction_type)) AS interaction_type, lower(btrim(i.channel)) AS channel, lower(btrim(i.status)) AS status,
  count(*) AS crm_interactions
FROM staging.interaction i CROSS JOIN core.clock c
WHERE NOT i._deleted
  AND i.interaction_date >= TIMESTAMP '1900-01-01' AND i.interaction_date < TIMESTAMP '9999-01-01'
  AND coalesce(lower(btrim(i.interaction_type)), '')
    NOT IN ('website_visit', 'product_inquiry', 'cart_event', 'purchase_intent', 'search_query')
GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW semantic.kpi_crm_interactions IS 'grain: business day x store x type x channel x status';
