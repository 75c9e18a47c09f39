-- history: what a value was, from when to when.
--
-- A row is keyed by the identity of the change that caused it, so that a replay adds nothing. valid_to is NULL on the
-- value that still holds, and the delete's moment on the last value of a deleted row.

CREATE TABLE history.order_status (
  transaction_id     bigint NOT NULL,
  valid_from         timestamptz NOT NULL,
  valid_to           timestamptz,
  status             text,
  from_snapshot      boolean NOT NULL,
  _generation        integer NOT NULL,
  _lsn               pg_lsn NOT NULL,
  PRIMARY KEY (transaction_id, valid_from, _generation, _lsn)
);
CREATE INDEX order_status_end ON history.order_status (transaction_id, valid_to);
COMMENT ON TABLE history.order_status IS 'grain: one row per status of an order and period; valid_from is the commit time of the change';
COMMENT ON COLUMN history.order_status.from_snapshot IS 'read by a snapshot: valid_from is when it was read, not when it began';

CREATE TABLE history.customer_plan (
  customer_id        bigint NOT NULL,
  valid_from         timestamptz NOT NULL,
  valid_to           timestamptz,
  plan               text,
  from_snapshot      boolean NOT NULL,
  _generation        integer NOT NULL,
  _lsn               pg_lsn NOT NULL,
  PRIMARY KEY (customer_id, valid_from, _generation, _lsn)
);
CREATE INDEX customer_plan_end ON history.customer_plan (customer_id, valid_to);
COMMENT ON TABLE history.customer_plan IS 'grain: one row per subscription plan of a store and period; valid_from is the commit time of the change';
COMMENT ON COLUMN history.customer_plan.from_snapshot IS 'read by a snapshot: valid_from is when it was read, not when it began';

CREATE TABLE history.stock_level (
  stock_id           bigint NOT NULL,
  valid_from         timestamptz NOT NULL,
  valid_to           timestamptz,
  product_id         bigint,
  available_quantity bigint,
  from_snapshot      boolean NOT NULL,
  _generation        integer NOT NULL,
  _lsn               pg_lsn NOT NULL,
  PRIMARY KEY (stock_id, valid_from, _generation, _lsn)
);
CREATE INDEX stock_level_end ON history.stock_level (stock_id, valid_to);
COMMENT ON TABLE history.stock_level IS 'grain: one row per quantity of a stock row and period; valid_from is the commit time of the change';
COMMENT ON COLUMN history.stock_level.from_snapshot IS 'read by a snapshot: valid_from is when it was read, not when it began';

CREATE TABLE history.shipment_status (
  shipment_id        bigint NOT NULL,
  valid_from         timestamptz NOT NULL,
  valid_to           timestamptz,
  status             text,
  from_snapshot      boolean NOT NULL,
  _generation        integer NOT NULL,
  _lsn               pg_lsn NOT NULL,
  PRIMARY KEY (shipment_id, valid_from, _generation, _lsn)
);
CREATE INDEX shipment_status_end ON history.shipment_status (shipment_id, valid_to);
COMMENT ON TABLE history.shipment_status IS 'grain: one row per status of a shipment and period; valid_from is the commit time of the change';
COMMENT ON COLUMN history.shipment_status.from_snapshot IS 'read by a snapshot: valid_from is when it was read, not when it began';
