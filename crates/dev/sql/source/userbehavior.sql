-- What a visitor did in a store. Grain: action. `metadata` carries buyer_id, order_id, search_term, results_count,
-- device_type and region (D5).
CREATE TABLE userbehavior (
    behavior_id bigserial PRIMARY KEY,
    customer_id bigint REFERENCES customer (customer_id),
    event_type  varchar(50),
    product_id  bigint,
    session_id  varchar(100),
    "timestamp" timestamp DEFAULT now(),
    metadata    jsonb
);
CREATE INDEX userbehavior_customer_id_idx ON userbehavior (customer_id);
CREATE INDEX userbehavior_session_id_idx ON userbehavior (session_id);
