-- A product of one store. Grain: product. The only place a currency is named.
CREATE TABLE product (
    product_id  bigserial PRIMARY KEY,
    customer_id bigint REFERENCES customer (customer_id),
    name        varchar(150),
    description text,
    category    varchar(100),
    price       decimal(12,2),
    currency    varchar(10),
    status      varchar(20),
    image_url   varchar(255)
);
CREATE INDEX product_customer_id_idx ON product (customer_id);
