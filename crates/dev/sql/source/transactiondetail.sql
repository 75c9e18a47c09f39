-- A line of an order. Grain: line. The price is the one paid for, not the product's price of today.
CREATE TABLE transactiondetail (
    transaction_detail_id bigserial PRIMARY KEY,
    transaction_id        bigint REFERENCES transaction (transaction_id),
    product_id            bigint REFERENCES product (product_id),
    quantity              int,
    unit_price            decimal(12,2)
);
CREATE INDEX transactiondetail_transaction_id_idx ON transactiondetail (transaction_id);
CREATE INDEX transactiondetail_product_id_idx ON transactiondetail (product_id);
