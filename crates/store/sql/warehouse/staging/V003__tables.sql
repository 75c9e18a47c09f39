-- staging: one table per source table, the current row per source key.
--
-- Column names are the source's. Types are the widest of their kind (text, numeric, bigint), so that nothing a source
-- sends is cut or refused; a test compares these tables with the catalogue in core::table. No foreign keys and no second
-- unique key: rows of different tables arrive in any order.
--
-- Every table ends in the same columns, written by the warehouse flow:
--   _generation, _lsn   position of the change applied last; _lsn 0/0 after a snapshot row (docs: architecture 6a)
--   _committed_at       commit time of that change at the source
--   _snapshot           the image came from a snapshot
--   _deleted            the row was deleted at the source; its last image stays
--   _extra              columns the source has beyond the catalogue
--   _missing            columns whose value never came; NULL here and something else at the source

CREATE TABLE staging.customer (
  customer_id         bigint PRIMARY KEY,
  name                text,
  business_name       text,
  email               text,
  phone               text,
  subscription_plan   text,
  logo_url            text,
  store_url           text,
  _generation         integer NOT NULL,
  _lsn                pg_lsn NOT NULL,
  _committed_at       timestamptz NOT NULL,
  _snapshot           boolean NOT NULL,
  _deleted            boolean NOT NULL,
  _extra              jsonb,
  _missing            text[]
);
COMMENT ON TABLE staging.customer IS 'grain: one row per store (merchant) (customer_id), deleted ones included';

CREATE TABLE staging.buyer (
  buyer_id           bigint PRIMARY KEY,
  name               text,
  email              text,
  phone              text,
  shipping_address   text,
  _generation        integer NOT NULL,
  _lsn               pg_lsn NOT NULL,
  _committed_at      timestamptz NOT NULL,
  _snapshot          boolean NOT NULL,
  _deleted           boolean NOT NULL,
  _extra             jsonb,
  _missing           text[]
);
COMMENT ON TABLE staging.buyer IS 'grain: one row per buyer (shopper) (buyer_id), deleted ones included';

CREATE TABLE staging.product (
  product_id     bigint PRIMARY KEY,
  customer_id    bigint,
  name           text,
  description    text,
  category       text,
  price          numeric,
  currency       text,
  status         text,
  image_url      text,
  _generation    integer NOT NULL,
  _lsn           pg_lsn NOT NULL,
  _committed_at  timestamptz NOT NULL,
  _snapshot      boolean NOT NULL,
  _deleted       boolean NOT NULL,
  _extra         jsonb,
  _missing       text[]
);
COMMENT ON TABLE staging.product IS 'grain: one row per product (product_id), deleted ones included';

CREATE TABLE staging.transaction (
  transaction_id     bigint PRIMARY KEY,
  buyer_id           bigint,
  customer_id        bigint,
  transaction_date   timestamp,
  total_amount       numeric,
  payment_method     text,
  status             text,
  _generation        integer NOT NULL,
  _lsn               pg_lsn NOT NULL,
  _committed_at      timestamptz NOT NULL,
  _snapshot          boolean NOT NULL,
  _deleted           boolean NOT NULL,
  _extra             jsonb,
  _missing           text[]
);
COMMENT ON TABLE staging.transaction IS 'grain: one row per order (transaction_id), deleted ones included';

CREATE TABLE staging.transactiondetail (
  transaction_detail_id   bigint PRIMARY KEY,
  transaction_id          bigint,
  product_id              bigint,
  quantity                bigint,
  unit_price              numeric,
  _generation             integer NOT NULL,
  _lsn                    pg_lsn NOT NULL,
  _committed_at           timestamptz NOT NULL,
  _snapshot               boolean NOT NULL,
  _deleted                boolean NOT NULL,
  _extra                  jsonb,
  _missing                text[]
);
COMMENT ON TABLE staging.transactiondetail IS 'grain: one row per order line (transaction_detail_id), deleted ones included';

CREATE TABLE staging.userbehavior (
  behavior_id    bigint PRIMARY KEY,
  customer_id    bigint,
  event_type     text,
  product_id     bigint,
  session_id     text,
  "timestamp"    timestamp,
  metadata       jsonb,
  _generation    integer NOT NULL,
  _lsn           pg_lsn NOT NULL,
  _committed_at  timestamptz NOT NULL,
  _snapshot      boolean NOT NULL,
  _deleted       boolean NOT NULL,
  _extra         jsonb,
  _missing       text[]
);
COMMENT ON TABLE staging.userbehavior IS 'grain: one row per behaviour event (behavior_id), deleted ones included';

CREATE TABLE staging.interaction (
  interaction_id     bigint PRIMARY KEY,
  customer_id        bigint,
  interaction_type   text,
  channel            text,
  interaction_date   timestamp,
  status             text,
  _generation        integer NOT NULL,
  _lsn               pg_lsn NOT NULL,
  _committed_at      timestamptz NOT NULL,
  _snapshot          boolean NOT NULL,
  _deleted           boolean NOT NULL,
  _extra             jsonb,
  _missing           text[]
);
COMMENT ON TABLE staging.interaction IS 'grain: one row per CRM contact (interaction_id), deleted ones included';

CREATE TABLE staging.segment (
  segment_id     bigint PRIMARY KEY,
  segment_name   text,
  criteria       text,
  _generation    integer NOT NULL,
  _lsn           pg_lsn NOT NULL,
  _committed_at  timestamptz NOT NULL,
  _snapshot      boolean NOT NULL,
  _deleted       boolean NOT NULL,
  _extra         jsonb,
  _missing       text[]
);
COMMENT ON TABLE staging.segment IS 'grain: one row per segment (segment_id), deleted ones included';

CREATE TABLE staging.customersegment (
  customer_segment_id   bigint PRIMARY KEY,
  customer_id           bigint,
  segment_id            bigint,
  _generation           integer NOT NULL,
  _lsn                  pg_lsn NOT NULL,
  _committed_at         timestamptz NOT NULL,
  _snapshot             boolean NOT NULL,
  _deleted              boolean NOT NULL,
  _extra                jsonb,
  _missing              text[]
);
COMMENT ON TABLE staging.customersegment IS 'grain: one row per membership of a store in a segment (customer_segment_id), deleted ones included';

CREATE TABLE staging.stock (
  stock_id             bigint PRIMARY KEY,
  product_id           bigint,
  available_quantity   bigint,
  reorder_point        bigint,
  warehouse_location   text,
  _generation          integer NOT NULL,
  _lsn                 pg_lsn NOT NULL,
  _committed_at        timestamptz NOT NULL,
  _snapshot            boolean NOT NULL,
  _deleted             boolean NOT NULL,
  _extra               jsonb,
  _missing             text[]
);
COMMENT ON TABLE staging.stock IS 'grain: one row per stock of a product in a place (stock_id), deleted ones included';

CREATE TABLE staging.inventorymovement (
  movement_id     bigint PRIMARY KEY,
  product_id      bigint,
  movement_date   timestamp,
  movement_type   text,
  quantity        bigint,
  reason          text,
  _generation     integer NOT NULL,
  _lsn            pg_lsn NOT NULL,
  _committed_at   timestamptz NOT NULL,
  _snapshot       boolean NOT NULL,
  _deleted        boolean NOT NULL,
  _extra          jsonb,
  _missing        text[]
);
COMMENT ON TABLE staging.inventorymovement IS 'grain: one row per stock movement (movement_id), deleted ones included';

CREATE TABLE staging.carrier (
  carrier_id        bigint PRIMARY KEY,
  name              text,
  phone             text,
  tracking_number   text,
  _generation       integer NOT NULL,
  _lsn              pg_lsn NOT NULL,
  _committed_at     timestamptz NOT NULL,
  _snapshot         boolean NOT NULL,
  _deleted          boolean NOT NULL,
  _extra            jsonb,
  _missing          text[]
);
COMMENT ON TABLE staging.carrier IS 'grain: one row per carrier (carrier_id), deleted ones included';

CREATE TABLE staging.shipment (
  shipment_id               bigint PRIMARY KEY,
  transaction_id            bigint,
  buyer_id                  bigint,
  delivery_address          text,
  shipping_method           text,
  status                    text,
  estimated_delivery_date   timestamp,
  _generation               integer NOT NULL,
  _lsn                      pg_lsn NOT NULL,
  _committed_at             timestamptz NOT NULL,
  _snapshot                 boolean NOT NULL,
  _deleted                  boolean NOT NULL,
  _extra                    jsonb,
  _missing                  text[]
);
COMMENT ON TABLE staging.shipment IS 'grain: one row per shipment (shipment_id), deleted ones included';

CREATE INDEX transactiondetail_order ON staging.transactiondetail (transaction_id);
-- The expression of core.orders.ordered_at, so that a range of it is an index scan.
CREATE INDEX transaction_ordered_at ON staging.transaction ((transaction_date AT TIME ZONE 'UTC'));
CREATE INDEX transaction_buyer ON staging.transaction (buyer_id);
