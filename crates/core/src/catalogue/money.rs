//! Sales and money, first half: amounts, orders and what the platform keeps of them (docs: kpis 1.1).

metrics! { Sales;

revenue_total "Total revenue", "Ingresos totales" {
    terms { Readme "Revenue Total", Scripts "revenue total/diario", Warehouse "ingresos_totales" }
    unit Money also [] by [];
    adds OverStores; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "Everything that was ever sold, before reversals.", "Todo lo vendido hasta ahora, antes de devoluciones.";
    words "sum of the amounts of all paid orders, all time", "suma de los montos de todos los pedidos pagados, desde el inicio";
    know "Reversals are not taken off here; net_revenue stands beside it.", "Aquí no se restan las devoluciones; net_revenue va al lado.";
}

revenue_today "Revenue today", "Ingresos de hoy" {
    terms { Scripts "revenue total/diario" }
    unit Money also [] by [PaymentMethod, Category];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "What was sold since midnight.", "Lo vendido desde la medianoche.";
    words "sum of the amounts of the paid orders of today", "suma de los montos de los pedidos pagados de hoy";
    // docs: kpis 0.4, point 5
    know "Starts at zero at midnight of the reporting zone, and is compared with the same weekday of last week up to the same clock time.", "Empieza en cero a la medianoche de la zona de reporte y se compara con el mismo día de la semana pasada hasta la misma hora.";
}

revenue_30d "Revenue, last 30 days", "Ingresos, últimos 30 días" {
    terms { Readme "Revenue 30d" }
    unit Money also [] by [PaymentMethod, Category];
    adds OverStores; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "What was sold in the 30 complete days before today.", "Lo vendido en los 30 días completos anteriores a hoy.";
    words "sum of the amounts of the paid orders of 30 complete days", "suma de los montos de los pedidos pagados de 30 días completos";
    know "Today is not in it. Two such windows overlap, so they cannot be added.", "No incluye hoy. Dos ventanas así se solapan y no se pueden sumar.";
}

net_revenue "Net revenue", "Ingreso neto" {
    terms {}
    unit Money also [] by [];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "Revenue less what was taken back.", "Ingresos menos lo devuelto.";
    words "revenue − reversals, each on its own day", "ingresos − devoluciones, cada una en su día";
    // docs: kpis 2.5: transitions that a rebuild of the live totals cannot see come from the warehouse.
    know "A reversal counts on the day it happened, not on the day of the order; a day can be negative.", "Una devolución cuenta el día en que ocurrió, no el del pedido; un día puede ser negativo.";
    know "Days before the live totals were created come from the warehouse.", "Los días anteriores a la creación de los totales en vivo vienen del almacén de datos.";
}

gross_sales "Gross sales", "Ventas brutas" {
    terms {}
    unit Money also [] by [];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "What the goods of the paid orders would have cost at the prices of their lines.", "Lo que habrían costado los artículos de los pedidos pagados a los precios de sus líneas.";
    words "sum of quantity × unit price over the lines of paid orders", "suma de cantidad × precio unitario de las líneas de los pedidos pagados";
    know "An order without lines counts with its amount.", "Un pedido sin líneas cuenta con su monto.";
}

discounts "Discount or mismatch", "Descuento o diferencia" {
    terms {}
    unit Money also [] by [];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "By how much buyers paid less than the prices of the lines.", "Cuánto menos pagaron los compradores frente a los precios de las líneas.";
    words "gross sales − revenue", "ventas brutas − ingresos";
    // docs: kpis 0.3, point 5
    know "The source has no discount column. A negative value is not a discount: amount and lines do not fit, and it is counted as data quality.", "La fuente no tiene columna de descuento. Un valor negativo no es descuento: monto y líneas no concuerdan, y se cuenta como calidad de datos.";
}

aov "Average order value", "Ticket medio" {
    terms { Readme "AOV", Warehouse "ticket_promedio", Tiendi "Ticket promedio (AOV)" }
    unit Money also [] by [Category, PaymentMethod];
    adds Never; small Dim; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "What a buyer spends in one order, on average.", "Lo que gasta un comprador en un pedido, en promedio.";
    part "revenue", "ingresos"; whole "orders", "pedidos";
    know "Averaged over orders, never over lines. A later reversal does not change it.", "Promedio por pedido, nunca por línea. Una devolución posterior no lo cambia.";
}

orders "Orders", "Pedidos" {
    terms { Readme "Transacciones Diarias; Transacciones", Scripts "contadores de transacciones", Warehouse "total_transacciones", Tiendi "Número de pedidos" }
    unit Orders also [] by [PaymentMethod];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "How many orders were paid.", "Cuántos pedidos se pagaron.";
    words "number of paid orders", "número de pedidos pagados";
    // D10
    know "Each order counts once, however often it changes; a deleted order leaves every total.", "Cada pedido cuenta una vez, por más que cambie; un pedido borrado sale de todos los totales.";
}

attempts "Attempts", "Intentos" {
    terms {}
    unit Orders also [] by [PaymentMethod];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "How many orders were placed, whatever became of them.", "Cuántos pedidos se hicieron, sin importar cómo terminaron.";
    words "number of orders of every class", "número de pedidos de todas las clases";
    know "Wider than the attempts that payment_success divides by, which are the paid and the failed ones.", "Más amplio que los intentos entre los que divide payment_success, que son los pagados y los fallidos.";
}

pending "Pending orders", "Pedidos pendientes" {
    terms {}
    unit Orders also [] by [PaymentMethod];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Lower; trust Exact;
    what "Orders that are placed but not yet paid.", "Pedidos hechos que todavía no se pagaron.";
    words "number of orders of class open, by the day they were placed", "número de pedidos de clase abierta, según el día en que se hicieron";
    know "Never part of revenue. An order that is paid leaves this number and joins orders.", "Nunca forma parte de los ingresos. Un pedido que se paga sale de aquí y pasa a pedidos.";
}

failed "Failed attempts", "Intentos fallidos" {
    terms { Readme "Transacciones Fallidas" }
    unit Orders also [] by [PaymentMethod];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Lower; trust Exact;
    what "Orders whose payment did not go through.", "Pedidos cuyo pago no se concretó.";
    words "number of orders of class failed", "número de pedidos de clase fallida";
    know "A failure stays one when the buyer tries again with success; payment_success has a second number after retries.", "Una falla sigue siéndolo aunque el comprador reintente con éxito; payment_success tiene un segundo número tras reintentos.";
}

max_order "Largest order", "Pedido más grande" {
    terms { Dashboards "Transacción Máxima" }
    unit Money also [] by [];
    adds Never; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "The largest amount paid in one order.", "El mayor monto pagado en un pedido.";
    words "largest amount of the paid orders of the window", "mayor monto de los pedidos pagados del período";
    know "Several days or stores have the largest of their values. When the largest order is deleted, the next one appears.", "Varios días o tiendas tienen el mayor de sus valores. Si se borra el pedido más grande, aparece el siguiente.";
}

min_order "Smallest order", "Pedido más pequeño" {
    terms { Dashboards "Transacción Mínima" }
    unit Money also [] by [];
    adds Never; small Any; fresh Live; kept Both; scope Both; better Neither; trust Exact;
    what "The smallest amount paid in one order.", "El menor monto pagado en un pedido.";
    words "smallest amount of the paid orders of the window", "menor monto de los pedidos pagados del período";
    know "Several days or stores have the smallest of their values.", "Varios días o tiendas tienen el menor de sus valores.";
}

growth_rate "Growth", "Crecimiento" {
    terms { Readme "Growth Rate (Tasa de crecimiento)" }
    unit Percent also [] by [Category];
    adds Never; small Dim; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "How much revenue rose or fell against the period before.", "Cuánto subieron o bajaron los ingresos frente al período anterior.";
    part "revenue of the period − revenue of the period before", "ingresos del período − ingresos del período anterior"; whole "revenue of the period before", "ingresos del período anterior";
    know "The period is 30 complete days by default; week on week and year on year work the same way. Small means few orders in the period before.", "El período son 30 días completos por defecto; semana contra semana y año contra año funcionan igual. Pequeño significa pocos pedidos en el período anterior.";
    know "Nothing sold before is shown as new, not as infinity; a period that began before the first captured day has no growth.", "Si antes no se vendió nada se muestra como nuevo, no como infinito; un período que empezó antes del primer día capturado no tiene crecimiento.";
}

gmv "Gross merchandise value", "Valor bruto de mercancía" {
    terms { Tiendi "Total de ventas (GMV); GMV total" }
    unit Money also [] by [];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "What buyers paid through the platform, before reversals.", "Lo que los compradores pagaron por la plataforma, antes de devoluciones.";
    words "sum of the totals of paid orders", "suma de los totales de los pedidos pagados";
    // D18
    know "In InstaShop it equals revenue. In Tiendi it includes the delivery fee, and the value of the goods alone stands beside it.", "En InstaShop es igual a los ingresos. En Tiendi incluye el costo de envío, y el valor de los artículos va al lado.";
}

commission "Commission earned", "Comisiones generadas" {
    terms { Tiendi "Comisiones generadas" }
    unit Money also [Percent] by [Plan];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Higher; trust Exact;
    what "What the platform earns on the sales of its stores.", "Lo que la plataforma gana con las ventas de sus tiendas.";
    words "sum of amount × rate + fixed part over paid orders, at the rate of the order day, less the commission of reversals", "suma de monto × tasa + parte fija de los pedidos pagados, con la tasa del día del pedido, menos la comisión de las devoluciones";
    // D23
    know "The rate is a setting by store or plan, 5 % by default; cents are rounded order by order. The take rate beside it is commission ÷ GMV.", "La tasa se configura por tienda o plan, 5 % por defecto; los centavos se redondean pedido a pedido. La tasa efectiva de al lado es comisión ÷ GMV.";
}

}
