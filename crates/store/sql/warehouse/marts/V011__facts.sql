-- marts, the facts: what the marts are added up from, at the finest grain, kept by dirty key. Each is the rows of the view
-- of the same name with _v; a test compares columns, another the rows after random changes.

CREATE TABLE marts.order_facts (
  order_id              bigint PRIMARY KEY,
  store_id              bigint NOT NULL,
  buyer_id              bigint,
  buyer_key             bigint NOT NULL,
  actor                 text,
  class                 text NOT NULL,
  is_sale               boolean NOT NULL,
  payment_method        text NOT NULL,
  amount_rc             numeric,
  gross_rc              numeric,
  units                 numeric NOT NULL,
  n_lines               bigint NOT NULL,
  currency              text NOT NULL,
  mixed_currency        boolean NOT NULL,
  ordered_at            timestamptz,
  order_day             date,
  reversal_day          date,
  buyer_order_no        bigint,
  store_buyer_order_no  bigint,
  recovered             boolean NOT NULL
);
CREATE INDEX order_facts_day ON marts.order_facts (order_day, store_id);
CREATE INDEX order_facts_reversal_day ON marts.order_facts (reversal_day, store_id) WHERE reversal_day IS NOT NULL;
CREATE INDEX order_facts_buyer ON marts.order_facts (buyer_key);
CREATE INDEX order_facts_actor ON marts.order_facts (actor);
COMMENT ON TABLE marts.order_facts IS 'grain: one row per order that exists at its source (order_id)';
COMMENT ON COLUMN marts.order_facts.buyer_key IS 'the buyer, or minus the order of one without a buyer: what is recomputed together';

CREATE TABLE marts.order_line_facts (
  order_id   bigint NOT NULL,
  line_id    bigint,
  store_id   bigint NOT NULL,
  buyer_id   bigint,
  is_sale    boolean NOT NULL,
  order_day  date,
  product_id bigint,
  quantity   bigint NOT NULL,
  category   text NOT NULL,
  currency   text,
  net_rc     numeric
);
CREATE UNIQUE INDEX order_line_facts_key ON marts.order_line_facts (order_id, coalesce(line_id, 0));
CREATE INDEX order_line_facts_line ON marts.order_line_facts (line_id);
CREATE INDEX order_line_facts_day ON marts.order_line_facts (order_day, store_id);
CREATE INDEX order_line_facts_product ON marts.order_line_facts (product_id, order_day);
COMMENT ON TABLE marts.order_line_facts IS
  'grain: one row per line of an order, with its share of the order to the cent; an order without lines has one row without line_id';

CREATE TABLE marts.visit_event_facts (
  src         integer NOT NULL,
  id          bigint NOT NULL,
  visit       text NOT NULL,
  actor       text NOT NULL,
  store_id    bigint NOT NULL,
  at          timestamptz NOT NULL,
  day         date NOT NULL,
  kind        text NOT NULL,
  product_id  bigint,
  PRIMARY KEY (src, id)
);
CREATE INDEX visit_event_facts_actor ON marts.visit_event_facts (actor);
CREATE INDEX visit_event_facts_product ON marts.visit_event_facts (product_id, day) WHERE product_id IS NOT NULL;
COMMENT ON TABLE marts.visit_event_facts IS
  'grain: one row per behaviour event (src 0, behavior_id) and per placed order (src 1, order_id), with the visit it falls into';

CREATE TABLE marts.visit_facts (
  visit       text PRIMARY KEY,
  actor       text NOT NULL,
  store_id    bigint NOT NULL,
  started_at  timestamptz NOT NULL,
  ended_at    timestamptz NOT NULL,
  day         date NOT NULL,
  duration_s  numeric NOT NULL,
  views       bigint NOT NULL,
  searches    bigint NOT NULL,
  adds        bigint NOT NULL,
  removes     bigint NOT NULL,
  checkouts   bigint NOT NULL,
  purchases   bigint NOT NULL,
  reached     integer NOT NULL,
  pages       text[] NOT NULL,
  outcome     text NOT NULL
);
CREATE INDEX visit_facts_day ON marts.visit_facts (day, store_id);
CREATE INDEX visit_facts_actor ON marts.visit_facts (actor);
CREATE INDEX visit_facts_open ON marts.visit_facts (ended_at) WHERE outcome = 'in_progress';
COMMENT ON TABLE marts.visit_facts IS
  'grain: one row per store visit with at least one behaviour event; reached is the last step of the closed funnel, 0 to 5; '
  'outcome follows D7';

CREATE TABLE marts.shipment_facts (
  shipment_id      bigint PRIMARY KEY,
  shipping_method  text NOT NULL,
  due_day          date,
  status           text,
  shipped_at       timestamptz,
  delivered_at     timestamptz,
  result           text NOT NULL
);
CREATE INDEX shipment_facts_due_day ON marts.shipment_facts (due_day, shipping_method);
CREATE INDEX shipment_facts_open ON marts.shipment_facts (due_day) WHERE result = 'in_progress';
COMMENT ON TABLE marts.shipment_facts IS
  'grain: one row per shipment; result is on_time, late, overdue, in_progress, or unknown when it was delivered before capture began';

-- The actor of a behaviour event (D5), as marts.visit_event_facts_v writes it.
CREATE INDEX userbehavior_actor ON staging.userbehavior
  ((coalesce('b' || (metadata ->> 'buyer_id'), 'c' || customer_id::text)));
-- What marts.order_facts_v recomputes together.
CREATE INDEX transaction_buyer_key ON staging.transaction ((coalesce(buyer_id, -transaction_id)));
CREATE INDEX stock_product ON staging.stock (product_id);
