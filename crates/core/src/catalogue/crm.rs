//! Value, segments and contacts of buyers and stores (docs: kpis 1.2).

metrics! { Crm;

clv_historic "Lifetime value so far", "Valor de vida hasta hoy" {
    terms { Readme "Customer Lifetime Value", Tiendi "Valor de vida del cliente (LTV)" }
    unit Money also [] by [Buyer, Cohort];
    adds Never; small Dim; fresh Refresh; kept Warehouse; scope Both; better Higher; trust Exact;
    what "What a buyer has brought until now.", "Lo que un comprador ha aportado hasta ahora.";
    part "net revenue of the buyers to date", "ingreso neto de los compradores hasta la fecha"; whole "buyers with a paid order", "compradores con un pedido pagado";
    know "One buyer's value is the sum over that buyer; for a cohort the mean and the median are shown.", "El valor de un comprador es su propia suma; de una cohorte se muestran la media y la mediana.";
    know "Revenue, not margin: the source has no cost.", "Ingresos, no margen: la fuente no tiene costos.";
}

clv_12m "Expected value, next 12 months", "Valor esperado, próximos 12 meses" {
    terms { Readme "Customer Lifetime Value" }
    unit Money also [] by [Buyer];
    adds Never; small Any; fresh Daily; kept Warehouse; scope Platform; better Higher; trust Estimate;
    what "What a buyer may be expected to bring in the next year.", "Lo que se espera que un comprador aporte en el próximo año.";
    words "daily repeat rate × expected order value × 365, both drawn towards the mean of all buyers when a buyer has few orders", "tasa diaria de recompra × valor esperado del pedido × 365, ambos acercados a la media de todos si el comprador tiene pocos pedidos";
    // docs: kpis 6.5
    know "The simple method does not know that buyers leave, so it is too high for quiet ones. Its error on six held-out months is published before the number is shown.", "El método simple no sabe que los compradores se van, así que sobrestima a los inactivos. Su error en seis meses reservados se publica antes de mostrar el número.";
}

segments_crm "CRM segments", "Segmentos del CRM" {
    terms { Readme "Segmentación de Clientes", Dashboards "High Spenders, New Customers, Inactive" }
    unit Stores also [] by [Segment];
    adds Never; small Any; fresh Live; kept Both; scope Platform; better Neither; trust Exact;
    what "How many stores the CRM has put into each segment, and how many fit its written rule.", "Cuántas tiendas puso el CRM en cada segmento, y cuántas cumplen su regla escrita.";
    words "members by segment; members by the rule, recomputed; the difference", "miembros por segmento; miembros según la regla, recalculada; la diferencia";
    know "A store can be in several segments. Three rules are recomputed: over 1000 spent in a month, first order within 30 days, no order for six months; other rules are free text and only counted.", "Una tienda puede estar en varios segmentos. Se recalculan tres reglas: más de 1000 gastados en un mes, primer pedido en 30 días, sin pedidos en seis meses; las demás son texto libre y solo se cuentan.";
}

rfm "RFM segments", "Segmentos RFM" {
    terms { Readme "Segmentación; Perfiles", Tiendi "Customer Mart" }
    unit Buyers also [Money] by [Segment];
    adds Never; small Coarse(50 Buyers); fresh Daily; kept Warehouse; scope Both; better Neither; trust Exact;
    what "Buyers grouped by how recently, how often and for how much they buy.", "Compradores agrupados por cuán reciente, cuán seguido y por cuánto compran.";
    words "rank of recency, frequency and amount over 365 days, each in fifths, combined into nine named groups", "rango de recencia, frecuencia y monto en 365 días, cada uno en quintos, combinados en nueve grupos con nombre";
    know "Equal values get equal scores. With few buyers thirds take the place of fifths.", "Valores iguales reciben igual puntaje. Con pocos compradores se usan tercios en lugar de quintos.";
}

buyer_profile "Buyer profile", "Perfil del comprador" {
    terms { Warehouse "Perfil de Cliente; total_eventos, transacciones, gasto_total" }
    unit Card also [Events, Orders, Money] by [Buyer];
    adds Never; small Any; fresh Refresh; kept Warehouse; scope Both; better Neither; trust NeedsBuyer;
    what "All that is known of one buyer on one card.", "Todo lo que se sabe de un comprador en una ficha.";
    words "events, orders, net spend, first and last order, favourite category, RFM group", "eventos, pedidos, gasto neto, primer y último pedido, categoría favorita, grupo RFM";
    // D5
    know "Orders and spend are exact. Events belong to a buyer only where the event names one.", "Pedidos y gasto son exactos. Los eventos son de un comprador solo donde el evento lo nombra.";
}

crm_interactions "CRM contacts", "Contactos del CRM" {
    terms { Scripts "interaction", Architecture "Interacciones CRM" }
    unit Contacts also [Hours, Percent] by [Kind, Status];
    adds Full; small Any; fresh Live; kept Both; scope Both; better Lower; trust Exact;
    what "How often stores were in contact with support and sales, and what is still open.", "Cuántas veces las tiendas hablaron con soporte y ventas, y qué sigue abierto.";
    words "contacts by type, channel and status; age of the open ones; complaints per 100 orders beside it", "contactos por tipo, canal y estado; antigüedad de los abiertos; al lado, quejas por cada 100 pedidos";
    know "Five types that are copies of web events (such as website_visit) are left out of support. Complaints per 100 orders is also the stand-in for sentiment: the source has no text.", "Cinco tipos que son copias de eventos web (como website_visit) quedan fuera de soporte. Las quejas por cada 100 pedidos también suplen al sentimiento: la fuente no tiene texto.";
}

}
