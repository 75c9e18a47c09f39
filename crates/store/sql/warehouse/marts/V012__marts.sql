-- marts: the fourteen marts M1 to M14 (docs: kpis 4.3) as tables. Each holds the rows of the view of the same name with _v,
-- kept by the refresher: by dirty key within seconds (M1 to M4 and M8 to M11), as a whole with the daily run (the others).

CREATE TABLE marts.daily_metrics (
  day                   date NOT NULL,
  store_id              bigint NOT NULL,
  attempts              bigint,
  orders                bigint,
  orders_pending        bigint,
  orders_failed         bigint,
  orders_cancelled      bigint,
  orders_reversed       bigint,
  orders_unmapped       bigint,
  orders_without_fx     bigint,
  orders_without_lines  bigint,
  gross_sales           numeric,
  discounts             numeric,
  revenue               numeric,
  returns               numeric,
  reversals             bigint,
  net_revenue           numeric,
  units                 numeric,
  aov                   numeric,
  max_order             numeric,
  min_order             numeric,
  buyers                bigint,
  new_buyers            bigint,
  returning_buyers      bigint,
  active_stores         bigint,
  payment_failure_rate  numeric,
  visits                bigint,
  visitors              bigint,
  visits_converted      bigint,
  conversion_rate       numeric,
  PRIMARY KEY (day, store_id)
);
COMMENT ON TABLE marts.daily_metrics IS 'grain: one row per business day and store, and one of the platform (store_id 0) per day';

CREATE TABLE marts.product_metrics (
  day                 date NOT NULL,
  product_id          bigint NOT NULL,
  product_name        text,
  category            text,
  store_id            bigint,
  units               numeric,
  revenue             numeric,
  orders              bigint,
  buyers              bigint,
  avg_unit_price      numeric,
  views               bigint,
  visits_with_view    bigint,
  visits_with_add     bigint,
  view_to_cart_rate   numeric,
  view_to_order_rate  numeric,
  PRIMARY KEY (day, product_id)
);
COMMENT ON TABLE marts.product_metrics IS 'grain: one row per business day and product';

CREATE INDEX product_metrics_product ON marts.product_metrics (product_id, day);

CREATE TABLE marts.sales_by_category (
  day       date NOT NULL,
  store_id  bigint NOT NULL,
  category  text NOT NULL,
  revenue   numeric,
  units     numeric,
  orders    bigint,
  buyers    bigint,
  PRIMARY KEY (day, store_id, category)
);
COMMENT ON TABLE marts.sales_by_category IS 'grain: one row per business day, store and category';

CREATE TABLE marts.payment_methods (
  day               date NOT NULL,
  store_id          bigint NOT NULL,
  payment_method    text NOT NULL,
  paid              bigint,
  failed            bigint,
  failed_recovered  bigint,
  pending           bigint,
  revenue           numeric,
  revenue_at_risk   numeric,
  success_rate      numeric,
  PRIMARY KEY (day, store_id, payment_method)
);
COMMENT ON TABLE marts.payment_methods IS 'grain: one row per business day, store and payment method';

CREATE TABLE marts.cohort_retention (
  cohort_month               date NOT NULL,
  month_index                integer NOT NULL,
  cohort_size                bigint,
  complete                   boolean,
  buyers                     bigint,
  revenue                    numeric,
  retention                  numeric,
  revenue_per_buyer_to_date  numeric,
  PRIMARY KEY (cohort_month, month_index)
);
COMMENT ON TABLE marts.cohort_retention IS 'grain: one row per month of the first order and month since';

CREATE TABLE marts.buyer_clv (
  buyer_id              bigint NOT NULL,
  orders                bigint,
  clv_historic          numeric,
  first_day             date,
  last_day              date,
  tenure_days           integer,
  aov                   numeric,
  daily_repeat_rate     numeric,
  expected_order_value  numeric,
  clv_next_12m          numeric,
  PRIMARY KEY (buyer_id)
);
COMMENT ON TABLE marts.buyer_clv IS 'grain: one row per buyer with a sale';

CREATE TABLE marts.rfm (
  buyer_id      bigint NOT NULL,
  recency_days  integer,
  frequency     bigint,
  monetary      numeric,
  r             integer,
  f             integer,
  m             integer,
  segment       text,
  PRIMARY KEY (buyer_id)
);
COMMENT ON TABLE marts.rfm IS 'grain: one row per buyer with a sale in the last 365 days';

CREATE TABLE marts.funnel (
  day         date NOT NULL,
  store_id    bigint NOT NULL,
  step        integer NOT NULL,
  name        text,
  visits      bigint,
  step_rate   numeric,
  total_rate  numeric,
  PRIMARY KEY (day, store_id, step)
);
COMMENT ON TABLE marts.funnel IS 'grain: one row per business day, store and step';

CREATE TABLE marts.session_outcome (
  day             date NOT NULL,
  store_id        bigint NOT NULL,
  outcome         text NOT NULL,
  visits          bigint,
  avg_duration_s  numeric,
  p50_duration_s  numeric,
  page_views      bigint,
  PRIMARY KEY (day, store_id, outcome)
);
COMMENT ON TABLE marts.session_outcome IS 'grain: one row per business day, store and outcome';

CREATE TABLE marts.inventory_health (
  stock_id            bigint NOT NULL,
  product_id          bigint,
  product_name        text,
  category            text,
  store_id            bigint,
  product_status      text,
  warehouse_location  text,
  available_quantity  bigint,
  reorder_point       bigint,
  price               numeric,
  units_per_day       numeric,
  avg_on_hand         numeric,
  stock_status        text,
  days_of_stock       numeric,
  turnover_per_year   numeric,
  retail_value        numeric,
  dead_stock          boolean,
  PRIMARY KEY (stock_id)
);
COMMENT ON TABLE marts.inventory_health IS 'grain: one row per stock row (product x warehouse), as of the refresh';

CREATE INDEX inventory_health_product ON marts.inventory_health (product_id);

CREATE TABLE marts.shipment_performance (
  due_day          date NOT NULL,
  shipping_method  text NOT NULL,
  shipments        bigint,
  on_time          bigint,
  late             bigint,
  overdue          bigint,
  unknown          bigint,
  in_progress      bigint,
  on_time_rate     numeric,
  transit_h_p50    numeric,
  transit_h_p90    numeric,
  PRIMARY KEY (due_day, shipping_method)
);
COMMENT ON TABLE marts.shipment_performance IS 'grain: one row per due day and shipping method';

CREATE TABLE marts.store_scorecard (
  store_id                   bigint NOT NULL,
  business_name              text,
  plan                       text,
  gmv                        numeric,
  gmv_before                 numeric,
  gmv_growth                 numeric,
  orders                     bigint,
  aov                        numeric,
  buyers                     bigint,
  returning_rate             numeric,
  payment_failure_rate       numeric,
  cancel_rate                numeric,
  reversal_rate              numeric,
  visits                     bigint,
  conversion_rate            numeric,
  critical_stock_share       numeric,
  complaints_per_100_orders  numeric,
  gmv_percentile             double precision,
  active                     boolean,
  PRIMARY KEY (store_id)
);
COMMENT ON TABLE marts.store_scorecard IS 'grain: one row per store, last 30 complete days';

CREATE TABLE marts.mrr_movements (
  month     date NOT NULL,
  store_id  bigint NOT NULL,
  mrr       numeric,
  mrr_prev  numeric,
  delta     numeric,
  movement  text,
  PRIMARY KEY (month, store_id)
);
COMMENT ON TABLE marts.mrr_movements IS 'grain: one row per month and store';

CREATE TABLE marts.product_pairs (
  product_a       bigint NOT NULL,
  product_b       bigint NOT NULL,
  "both"          bigint,
  orders_a        bigint,
  orders_b        bigint,
  orders          numeric,
  support         numeric,
  confidence_a_b  numeric,
  confidence_b_a  numeric,
  lift            numeric,
  PRIMARY KEY (product_a, product_b)
);
COMMENT ON TABLE marts.product_pairs IS 'grain: one row per unordered product pair of the last 180 days, product_a < product_b';
