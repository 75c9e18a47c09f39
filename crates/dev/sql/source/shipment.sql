-- The delivery of an order. Grain: shipment. `carrier_id` is this project's addition: without it no one can tell which
-- carrier is late (docs: kpis 0.9).
CREATE TABLE shipment (
    shipment_id             bigserial PRIMARY KEY,
    transaction_id          bigint,
    buyer_id                bigint,
    delivery_address        varchar(255),
    shipping_method         varchar(50),
    status                  varchar(20),
    estimated_delivery_date timestamp,
    carrier_id              bigint
);
CREATE INDEX shipment_transaction_id_idx ON shipment (transaction_id);
CREATE INDEX shipment_open_idx ON shipment (estimated_delivery_date) WHERE status <> 'delivered';
