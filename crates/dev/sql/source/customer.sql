-- A store (merchant): pays a subscription plan. Grain: store.
CREATE TABLE customer (
    customer_id       bigserial PRIMARY KEY,
    name              varchar(100),
    business_name     varchar(150),
    email             varchar(100),
    phone             varchar(20),
    subscription_plan varchar(50),
    logo_url          varchar(255),
    store_url         varchar(255)
);
