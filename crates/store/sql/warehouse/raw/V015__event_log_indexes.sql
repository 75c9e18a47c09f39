-- Indexes of the event log, each for a query that people and views ask; what they cost and gain is in docs/event-log.md.
-- On the parent, so that every partition has them, also one that is attached later.

-- Changes of the last minutes (semantic.kpi_throughput), and an hour within a day: almost free, since rows come in about this order.
CREATE INDEX realtime_events_processed ON raw.realtime_events USING brin (processed_at);
CREATE INDEX realtime_events_time ON raw.realtime_events USING brin ("timestamp");

-- Orders and revenue by day, from the index alone.
CREATE INDEX realtime_events_type ON raw.realtime_events (event_type, "timestamp") INCLUDE (amount);

-- What one store, and what one product did.
CREATE INDEX realtime_events_customer ON raw.realtime_events (customer_id, "timestamp");
CREATE INDEX realtime_events_product ON raw.realtime_events (product_id, "timestamp") WHERE product_id IS NOT NULL;
