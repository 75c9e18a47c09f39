//! The panels of the tabs over the marts: where each belongs, its title, the metric it explains.

use crate::app::Tab;

macro_rules! pieces {
    ($($(#[$doc:meta])* $name:ident $tab:ident $kpi:literal $en:literal $es:literal;)*) => {
        /// A panel.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Piece {
            $(#[doc = $en] $name,)*
        }

        impl Piece {
            /// All panels.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The tab it belongs to.
            pub const fn tab(self) -> Tab {
                match self { $(Self::$name => Tab::$tab,)* }
            }

            /// Id of the metric that is explained for it.
            pub const fn kpi(self) -> &'static str {
                match self { $(Self::$name => $kpi,)* }
            }

            /// Title in English and Spanish.
            pub const fn title(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($en, $es),)* }
            }

            /// Name in JSON and in file names.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

pieces! {
    PayFigures Payments "payment_success" "Payments" "Pagos";
    PayMethods Payments "payment_success" "Methods" "Métodos";
    PayHours Payments "payment_success" "Success rate, 24 h" "Tasa de éxito, 24 h";
    PayPending Payments "pending" "Pending by age" "Pendientes por antigüedad";
    PayShare Payments "payment_mix" "Share of paid" "Reparto de lo pagado";
    PayRisk Payments "revenue_at_risk" "At risk by method" "En riesgo por método";
    PayHeat Payments "payment_success" "Success by method and hour, 24 h" "Éxito por método y hora, 24 h";
    PayLadder Payments "revenue_at_risk" "After a failure" "Después de un fallo";
    PayList Payments "pending" "Pending orders, oldest first" "Pedidos pendientes, el más viejo primero";
    PayStores Payments "payment_success" "Stores by success" "Tiendas por éxito";
    BuyFigures Buyers "active_buyers" "Buyers" "Compradores";
    BuyDays Buyers "new_buyers" "New and returning buyers / day" "Nuevos y recurrentes / día";
    BuySegments Buyers "rfm" "RFM segments" "Segmentos RFM";
    BuyCohorts Buyers "cohorts" "Retention by first-order month" "Retención por mes del primer pedido";
    BuyTop Buyers "top_buyers" "Top buyers, all time" "Mejores compradores, desde siempre";
    BuyValues Buyers "clv_historic" "Lifetime value so far" "Valor de vida hasta hoy";
    BuyGrid Buyers "rfm" "RFM grid: recency by frequency and money" "Mapa RFM: recencia por frecuencia y dinero";
    ProFigures Products "top_products" "Products" "Productos";
    ProRanking Products "top_products" "Ranking" "Clasificación";
    ProPairs Products "product_performance" "Bought with" "Comprado con";
    ProAbc Products "abc" "ABC by revenue, 90 d" "ABC por ingresos, 90 d";
    ProUnbought Products "product_views" "Viewed but not bought" "Visto pero no comprado";
    ProSteps Products "product_conversion" "From view to order" "De la vista al pedido";
    ProMovers Products "product_performance" "Movers" "Los que más cambian";
    ProFields Products "product_conversion" "Views against conversion" "Vistas frente a conversión";
    InvFigures Inventory "stock_status" "Inventory" "Inventario";
    InvStates Inventory "stock_status" "Stock rows by state" "Filas de stock por estado";
    InvPlaces Inventory "warehouses" "Warehouses" "Almacenes";
    InvRows Inventory "days_of_stock" "Runs out first" "Se acaba primero";
    InvForecast Inventory "demand_forecast" "Forecast" "Pronóstico";
    InvDead Inventory "dead_stock" "Slow and dead stock" "Stock lento y parado";
    InvMoves Inventory "movements" "Movements today" "Movimientos de hoy";
    InvHistogram Inventory "days_of_stock" "Rows by days of stock" "Filas por días de stock";
    InvMap Inventory "stock_status" "Critical share by category and warehouse" "Parte crítica por categoría y almacén";
    BehFunnel Behaviour "funnel" "Funnel, closed, by visit" "Embudo cerrado, por visita";
    BehOutcomes Behaviour "outcomes" "Visit outcomes" "Resultados de las visitas";
    BehSearch Behaviour "search" "Searches" "Búsquedas";
    BehPaths Behaviour "journey" "Top paths, first 5 steps" "Recorridos, 5 primeros pasos";
    BehEvents Behaviour "events_by_type" "Events by type" "Eventos por tipo";
    BehCarts Behaviour "cart_abandonment" "Carts" "Carritos";
    BehStores Behaviour "store_funnel" "Funnel by store" "Embudo por tienda";
    BehExits Behaviour "journey" "Last page before leaving" "Última página antes de salir";
    BehHours Behaviour "visits" "Visits by weekday and hour" "Visitas por día y hora";
    BehLeft Behaviour "cart_abandonment" "Carts left by weekday and hour" "Carritos dejados por día y hora";
    LogFigures Logistics "on_time_rate" "Logistics" "Logística";
    LogMethods Logistics "shipments" "Shipments by method" "Envíos por método";
    LogDays Logistics "on_time_rate" "On time by due day" "A tiempo por día previsto";
    LogTransit Logistics "transit_time" "Transit hours, p10 to p90" "Horas en camino, p10 a p90";
    LogOverdue Logistics "shipments" "Overdue now" "Atrasados ahora";
    LogHistogram Logistics "transit_time" "Deliveries by hours in transit" "Entregas por horas en camino";
    LogCalendar Logistics "on_time_rate" "On time by week and weekday" "A tiempo por semana y día";
    StoFigures Stores "gmv" "Stores" "Tiendas";
    StoScore Stores "top_stores" "Scorecard, 30 full days" "Cuadro, 30 días completos";
    StoPlans Stores "plan_mix" "Plan mix" "Planes";
    StoMrr Stores "mrr_movements" "MRR this month" "MRR de este mes";
    StoChurn Stores "churn_stores" "Churn" "Bajas";
    StoShare Stores "gmv_concentration" "GMV share" "Parte del GMV";
    StoMovers Stores "gmv" "Stores by change of GMV" "Tiendas por cambio del GMV";
    AleCounts Alerts "service_state" "Counts" "Recuento";
    AleTable Alerts "service_state" "Alerts" "Alertas";
    AleDetail Alerts "service_state" "Selected" "Seleccionada";
    AleRules Alerts "service_state" "Rules" "Reglas";
    AleSeen Alerts "service_state" "Seen since this dashboard started" "Vistas desde que empezó este panel";
}

impl Piece {
    /// True for how things are now, not for what happened in a span of time: of an earlier moment it cannot be told.
    pub const fn is_state(self) -> bool {
        matches!(
            self,
            Self::PayPending
                | Self::PayList
                | Self::BuySegments
                | Self::BuyCohorts
                | Self::BuyTop
                | Self::BuyValues
                | Self::BuyGrid
                | Self::ProAbc
                | Self::ProPairs
                | Self::LogMethods
                | Self::LogOverdue
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use instashop_core::catalogue::Metric;

    #[test]
    fn every_panel_explains_a_metric_of_the_catalogue() {
        for piece in Piece::ALL {
            let id = piece.kpi();
            assert!(Metric::by_id(id).is_some(), "{piece:?}: {id}");
        }
    }
}
