-- A store's membership in a segment. Grain: membership.
CREATE TABLE customersegment (
    customer_segment_id bigserial PRIMARY KEY,
    customer_id         bigint,
    segment_id          bigint
);
CREATE INDEX customersegment_customer_id_idx ON customersegment (customer_id);
