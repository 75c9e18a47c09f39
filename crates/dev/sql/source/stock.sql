-- What lies in a warehouse of a product. Grain: product and warehouse.
CREATE TABLE stock (
    stock_id           bigserial PRIMARY KEY,
    product_id         bigint,
    available_quantity int,
    reorder_point      int,
    warehouse_location varchar(100)
);
CREATE INDEX stock_product_id_idx ON stock (product_id);
