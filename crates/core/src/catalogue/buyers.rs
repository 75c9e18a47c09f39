//! Buyers, stores and subscriptions (docs: kpis 1.2).

metrics! { Buyers;

active_stores "Active stores", "Tiendas activas" {
    terms { Readme "Customers Activos", Tiendi "Tiendas activas" }
    unit Stores also [] by [Plan];
    adds OverStores; small Any; fresh Live; kept Both; scope Platform; better Higher; trust Exact;
    what "Stores that sold something lately.", "Tiendas que vendieron algo últimamente.";
    words "distinct stores with at least one paid order in 30 days", "tiendas distintas con al menos un pedido pagado en 30 días";
    // D4
    know "Stores that list at least one active product are a second number, so that a quiet store can be told from an empty one.", "Las tiendas con al menos un producto activo son un segundo número, para distinguir una tienda quieta de una vacía.";
}

active_buyers "Active buyers", "Compradores activos" {
    terms { Readme "Customers Activos; clientes únicos", Tiendi "Usuarios activos" }
    unit Buyers also [] by [];
    adds Never; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "Buyers who bought something lately.", "Compradores que compraron algo últimamente.";
    words "distinct buyers with at least one paid order in 30 days; 12 months beside it", "compradores distintos con al menos un pedido pagado en 30 días; al lado, en 12 meses";
    // D4, docs: kpis 2.4
    know "A buyer of two stores is one buyer of the platform. What Tiendi calls active users, people with any event, is visitors by day, week and month.", "Quien compra en dos tiendas es un solo comprador de la plataforma. Lo que Tiendi llama usuarios activos, personas con algún evento, son los visitantes por día, semana y mes.";
}

unique_buyers_today "Unique buyers", "Compradores únicos" {
    terms { Readme "clientes únicos" }
    unit Buyers also [] by [];
    adds Never; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "How many different people bought today.", "Cuántas personas distintas compraron hoy.";
    words "distinct buyers with at least one paid order today", "compradores distintos con al menos un pedido pagado hoy";
    know "Counted exactly: a buyer leaves when the last order of the day does. The buyers of a week are not the sum of its days.", "Cuenta exacta: un comprador sale cuando sale su último pedido del día. Los compradores de una semana no son la suma de sus días.";
}

totals "Stores, buyers, products", "Tiendas, compradores, productos" {
    terms { Scripts "Contadores de transacciones, clientes, productos" }
    unit Rows also [] by [Table];
    adds Never; small Any; fresh Live; kept Both; scope Platform; better Higher; trust Exact;
    what "How many stores, buyers and products there are.", "Cuántas tiendas, compradores y productos hay.";
    words "rows that are not deleted, by table", "filas no borradas, por tabla";
    know "A level, not a flow: the value of now.", "Es un nivel, no un flujo: el valor de ahora.";
}

new_buyers "New buyers", "Compradores nuevos" {
    terms { Tiendi "Nuevos clientes" }
    unit Buyers also [] by [];
    adds OverTime; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "Buyers who bought for the first time.", "Compradores que compraron por primera vez.";
    words "buyers whose first paid order lies in the window: first anywhere for the platform, first there for a store", "compradores cuyo primer pedido pagado cae en el período: el primero de todos para la plataforma, el primero allí para una tienda";
    know "New to two stores is two at the stores and at most one on the platform. When a first order is deleted the buyer moves to the day of the next.", "Ser nuevo en dos tiendas cuenta dos en las tiendas y como máximo uno en la plataforma. Si se borra el primer pedido, el comprador pasa al día del siguiente.";
}

returning_buyers "Returning buyers", "Compradores recurrentes" {
    terms { Tiendi "Clientes recurrentes" }
    unit Buyers also [Percent] by [];
    adds Never; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "Buyers who came back for another order.", "Compradores que volvieron por otro pedido.";
    words "buyers with a paid order in the window and an earlier one; the rate beside it = returning ÷ active buyers", "compradores con un pedido pagado en el período y otro anterior; la tasa de al lado = recurrentes ÷ compradores activos";
    know "A second order on the same day counts. The rate is dim for fewer than 30 active buyers.", "Un segundo pedido el mismo día cuenta. La tasa va tenue con menos de 30 compradores activos.";
}

retention_rate "Retention, month over month", "Retención de mes a mes" {
    terms { Readme "Retention Rate (Tasa de retención)", Tiendi "Tasa de retención" }
    unit Percent also [Buyers] by [];
    adds Never; small Dim; fresh Daily; kept Warehouse; scope Both; better Higher; trust Exact;
    what "The share of last month's buyers who bought again this month.", "La parte de los compradores del mes pasado que volvió a comprar este mes.";
    part "buyers active in a month and in the month before", "compradores activos en un mes y también en el anterior"; whole "buyers active in the month before", "compradores activos en el mes anterior";
    know "Not the retention of a cohort: buyers of every age are in it.", "No es la retención de una cohorte: incluye compradores de toda antigüedad.";
}

cohorts "Cohort retention", "Retención por cohortes" {
    terms { Readme "Análisis de Cohortes (Retención temporal)", Tiendi "Cohort analysis" }
    unit Percent also [Buyers, Money] by [Cohort];
    adds Never; small Dim; fresh Daily; kept Warehouse; scope Both; better Higher; trust Exact;
    what "Of the buyers who began in one month, how many buy in each month after.", "De los compradores que empezaron en un mes, cuántos compran en cada mes siguiente.";
    part "buyers of the cohort with a paid order in that month", "compradores de la cohorte con un pedido pagado en ese mes"; whole "buyers whose first paid order lies in the cohort's month", "compradores cuyo primer pedido pagado cae en el mes de la cohorte";
    // D21
    know "Months are those of the calendar. A month that still runs has no value, so that it does not look like a loss. A row may rise again: this is no funnel.", "Los meses son de calendario. Un mes en curso no tiene valor, para que no parezca una pérdida. Una fila puede volver a subir: no es un embudo.";
    know "Revenue per buyer to date stands beside it.", "Al lado va el ingreso por comprador hasta la fecha.";
}

ltv_store "Store lifetime value", "Valor de vida de una tienda" {
    terms { Tiendi "Valor de vida del cliente (LTV)" }
    unit Money also [] by [Plan];
    adds Never; small Hide(30 Stores); fresh Daily; kept Warehouse; scope Platform; better Higher; trust Estimate;
    what "What a paying store brings to the platform until it leaves.", "Lo que una tienda que paga aporta a la plataforma hasta que se va.";
    part "monthly recurring revenue per paying store", "ingreso mensual recurrente por tienda que paga"; whole "monthly store churn", "bajas mensuales de tiendas";
    know "Without churn there is no value: nobody has left yet, so how long stores stay is unknown.", "Sin bajas no hay valor: nadie se ha ido aún, así que no se sabe cuánto se queda una tienda.";
}

plan_mix "Stores by plan", "Tiendas por plan" {
    terms { Readme "Segmentación por Plan; Segmentación: Por plan de suscripción" }
    unit Stores also [Money] by [Plan];
    adds OverStores; small Any; fresh Live; kept Both; scope Platform; better Neither; trust Exact;
    what "How many stores have each subscription plan, and what they sell.", "Cuántas tiendas tiene cada plan de suscripción, y cuánto venden.";
    words "number of stores, and their revenue, by the plan they have now", "número de tiendas y sus ingresos, según el plan que tienen ahora";
    // D1
    know "A plan that the price list does not know is a row of its own and counted as data quality.", "Un plan que la lista de precios no conoce es una fila propia y se cuenta como calidad de datos.";
}

mrr "Monthly recurring revenue", "Ingreso mensual recurrente" {
    terms { Tiendi "MRR (Monthly Recurring Revenue)" }
    unit Money also [] by [Plan];
    adds OverStores; small Any; fresh Live; kept Both; scope Platform; better Higher; trust Exact;
    what "What the subscriptions of now bring in a month.", "Lo que las suscripciones actuales aportan en un mes.";
    words "sum of the monthly price of each store's current plan", "suma del precio mensual del plan actual de cada tienda";
    // D1, D22
    know "A free plan counts 0 and is no subscriber. Prices are a setting of this product: the source has none, nor trials or coupons.", "Un plan gratuito cuenta 0 y no es suscriptor. Los precios son un ajuste de este producto: la fuente no los tiene, ni pruebas ni cupones.";
}

mrr_movements "MRR movements", "Movimientos del MRR" {
    terms { Tiendi "MRR; Crecimiento" }
    unit Money also [Stores] by [Kind, Plan];
    adds Full; small Any; fresh Daily; kept Warehouse; scope Platform; better Higher; trust Exact;
    what "Why recurring revenue changed: new, reactivated, expanded, contracted and lost stores.", "Por qué cambió el ingreso recurrente: tiendas nuevas, reactivadas, ampliadas, reducidas y perdidas.";
    words "each store's price at the end of the month − at the end of the month before, by kind of change", "precio de cada tienda al final del mes − al final del mes anterior, por clase de cambio";
    // D22
    know "Several changes within a month count as their sum. The first captured month is the opening level, not new business; plans before it are not known.", "Varios cambios en un mes cuentan como su suma. El primer mes capturado es el nivel inicial, no negocio nuevo; no se conocen los planes anteriores.";
}

churn_stores "Store churn", "Bajas de tiendas" {
    terms { Tiendi "Tasa de churn" }
    unit Percent also [Stores, Money] by [Plan];
    adds Never; small Dim; fresh Daily; kept Warehouse; scope Platform; better Lower; trust Exact;
    what "The share of paying stores that stopped paying within a month.", "La parte de las tiendas que pagan que dejó de pagar en un mes.";
    part "stores that paid at the start of the month and do not at its end", "tiendas que pagaban al inicio del mes y no al final"; whole "stores that paid at the start of the month", "tiendas que pagaban al inicio del mes";
    // docs: kpis 0.9
    know "A store leaves when its plan becomes free or its row is deleted.", "Una tienda se da de baja cuando su plan pasa a gratuito o se borra su fila.";
    know "Beside it the same in money: gross = (churn + contraction) ÷ opening MRR; net also takes off expansion and reactivation.", "Al lado, lo mismo en dinero: bruto = (bajas + reducción) ÷ MRR inicial; el neto resta además ampliación y reactivación.";
}

churn_buyers "Inactive buyers", "Compradores inactivos" {
    terms { Tiendi "Tasa de churn", Dashboards "Inactive" }
    unit Percent also [Buyers] by [];
    adds Never; small Dim; fresh Daily; kept Warehouse; scope Both; better Lower; trust Exact;
    what "The share of buyers who have not bought for half a year.", "La parte de los compradores que no compra hace medio año.";
    part "buyers whose last paid order is over 180 days old", "compradores cuyo último pedido pagado tiene más de 180 días"; whole "buyers with at least one paid order ever", "compradores con al menos un pedido pagado";
    know "Called inactive, not lost: a buyer has no contract to end and may come back. From 90 days on a buyer is at risk.", "Se llama inactivo, no perdido: un comprador no tiene contrato que terminar y puede volver. Desde 90 días está en riesgo.";
}

new_stores "New stores", "Tiendas nuevas" {
    terms { Tiendi "Nuevas tiendas" }
    unit Stores also [] by [Plan];
    adds Full; small Any; fresh Live; kept Both; scope Platform; better Higher; trust Exact;
    what "Stores that joined.", "Tiendas que se sumaron.";
    words "stores that the source inserted in the window", "tiendas insertadas en la fuente en el período";
    // docs: kpis 0.9
    know "The source has no date of creation. Stores that were there when capture began have an unknown age and are never new.", "La fuente no tiene fecha de alta. Las tiendas que ya estaban al empezar la captura tienen edad desconocida y nunca son nuevas.";
}

new_users "New users", "Usuarios nuevos" {
    terms { Tiendi "Nuevos usuarios" }
    unit Buyers also [] by [];
    adds OverTime; small Any; fresh Live; kept Both; scope Platform; better Higher; trust Exact;
    what "Buyers who registered, whether they bought or not.", "Compradores que se registraron, hayan comprado o no.";
    words "buyers that the source inserted in the window", "compradores insertados en la fuente en el período";
    // docs: kpis 0.9
    know "Not the same as new_buyers, who have bought. Buyers that were there when capture began are never new.", "No es lo mismo que new_buyers, que ya compraron. Los compradores que ya estaban al empezar la captura nunca son nuevos.";
}

}
