-- An order: one attempt to pay. Grain: attempt. Times are UTC.
CREATE TABLE transaction (
    transaction_id   bigserial PRIMARY KEY,
    buyer_id         bigint REFERENCES buyer (buyer_id),
    customer_id      bigint REFERENCES customer (customer_id),
    transaction_date timestamp,
    total_amount     decimal(12,2),
    payment_method   varchar(50),
    status           varchar(20)
);
-- A shop looks up the orders of a buyer, of a store, of a day, and the ones that are still open.
CREATE INDEX transaction_buyer_id_idx ON transaction (buyer_id);
CREATE INDEX transaction_customer_id_idx ON transaction (customer_id);
CREATE INDEX transaction_date_idx ON transaction (transaction_date);
CREATE INDEX transaction_pending_idx ON transaction (transaction_id) WHERE status = 'pending';
