//! The catalogue of metrics: what every number is called, means and obeys, in one place (docs: kpis 1).
//!
//! Screens, API, reports and documents look a metric up by its id and take name, unit and rules from here; none keeps
//! a definition of its own. The catalogue says what a number must be. How it is kept is the business of the flows and
//! marts, and a metric may stand here before a screen shows it.

#[macro_use]
mod table;

mod behaviour;
mod buyers;
mod crm;
mod inventory;
mod logistics;
mod money;
mod page;
mod platform;
mod rules;
mod sales;
mod sum;
mod unit;

pub use page::page;
pub use rules::{Additivity, Better, Freshness, Kept, MIN_SAMPLE, Scope, SmallSample, Trust};
pub use sum::{NotAdditive, Over, merged_ratio};
pub use unit::{Dimension, Unit};

/// A text in the two languages of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Spanish.
    pub es: &'static str,
}

/// A document the product was ordered with, and whose words its readers look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// `000`, the README of InstaShop.
    Readme,
    /// `001`, the README of its scripts.
    Scripts,
    /// `002`, its architecture.
    Architecture,
    /// `003`, the entities of its warehouse.
    Warehouse,
    /// `004`, the analytics of Tiendi.
    Tiendi,
    /// The dashboards before this product: the only place that names a few numbers.
    Dashboards,
}

impl Document {
    /// What readers call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Readme => "InstaShop README",
            Self::Scripts => "InstaShop scripts",
            Self::Architecture => "InstaShop architecture",
            Self::Warehouse => "InstaShop warehouse",
            Self::Tiendi => "Tiendi analytics",
            Self::Dashboards => "earlier dashboards",
        }
    }
}

/// What a source document calls a metric, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The document.
    pub document: Document,
    /// Its words, untranslated.
    pub words: &'static str,
}

/// How a metric is computed, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// A sum, a count, a level or a method.
    Words(Text),
    /// A ratio or mean. Both parts are kept and divided when read, so that days and stores can be merged; nothing
    /// below the line gives no value, never 0 or 100 % (docs: kpis 0.5).
    Ratio {
        /// Above the line.
        numerator: Text,
        /// Below the line; its size is the `n` of the small-sample rule.
        denominator: Text,
    },
}

impl Formula {
    /// In English, `a ÷ b` for a ratio.
    pub fn en(&self) -> String {
        self.written(|text| text.en)
    }

    /// In Spanish, `a ÷ b` for a ratio.
    pub fn es(&self) -> String {
        self.written(|text| text.es)
    }

    /// True for ratios and means.
    pub const fn is_ratio(&self) -> bool {
        matches!(self, Self::Ratio { .. })
    }

    fn written(&self, language: impl Fn(&Text) -> &'static str) -> String {
        match self {
            Self::Words(text) => language(text).to_owned(),
            Self::Ratio {
                numerator,
                denominator,
            } => format!("{} ÷ {}", language(numerator), language(denominator)),
        }
    }
}

/// A part of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Sales and money.
    Sales,
    /// Buyers, stores and subscriptions.
    Buyers,
    /// Behaviour and conversion.
    Behaviour,
    /// Inventory.
    Inventory,
    /// Logistics.
    Logistics,
    /// CRM: value, segments and contacts of buyers and stores.
    Crm,
    /// The platform and its pipeline.
    Platform,
}

impl Group {
    /// All groups, in the order they are shown.
    pub const ALL: [Self; 7] = [
        Self::Sales,
        Self::Buyers,
        Self::Behaviour,
        Self::Inventory,
        Self::Logistics,
        Self::Crm,
        Self::Platform,
    ];

    /// Its name.
    pub const fn name(self) -> Text {
        match self {
            Self::Sales => text("Sales and money", "Ventas y dinero"),
            Self::Buyers => text("Buyers and stores", "Compradores y tiendas"),
            Self::Behaviour => text("Behaviour and conversion", "Comportamiento y conversión"),
            Self::Inventory => text("Inventory", "Inventario"),
            Self::Logistics => text("Logistics", "Logística"),
            Self::Crm => text(
                "CRM: value, segments and contacts",
                "CRM: valor, segmentos y contactos",
            ),
            Self::Platform => text("Platform", "Plataforma"),
        }
    }

    /// Its metrics, in the order they are shown.
    pub fn metrics(self) -> impl Iterator<Item = &'static Metric> {
        Metric::all().filter(move |metric| metric.group == self)
    }
}

const fn text(en: &'static str, es: &'static str) -> Text {
    Text { en, es }
}

/// A metric: names, meaning and rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Key in every place that shows or asks for it: lower case, digits and `_` (docs: kpis 1).
    pub id: &'static str,
    /// Where it stands in the catalogue.
    pub group: Group,
    /// Short name.
    pub name: Text,
    /// What the source documents call it; empty when none names it.
    pub terms: &'static [Term],
    /// What it says, in one sentence.
    pub what: Text,
    /// How it is computed.
    pub formula: Formula,
    /// What a reader has to know, one sentence or two each.
    pub notes: &'static [Text],
    /// Unit of its main number.
    pub unit: Unit,
    /// Units of the numbers shown beside it.
    pub also: &'static [Unit],
    /// What it can be broken down by, besides time and store.
    pub by: &'static [Dimension],
    /// Whether values may be added up.
    pub adds: Additivity,
    /// What happens when there is little to count.
    pub small: SmallSample,
    /// How soon it follows the source.
    pub fresh: Freshness,
    /// Which store holds it.
    pub kept: Kept,
    /// For whom it is computed.
    pub scope: Scope,
    /// Which way is good news.
    pub better: Better,
    /// How exact it is.
    pub trust: Trust,
}

impl Metric {
    /// All metrics, group by group.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        let parts: [&'static [Self]; 8] = [
            money::METRICS,
            sales::METRICS,
            buyers::METRICS,
            behaviour::METRICS,
            inventory::METRICS,
            logistics::METRICS,
            crm::METRICS,
            platform::METRICS,
        ];
        parts.into_iter().flatten()
    }

    /// The metric with this id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        Self::all().find(|metric| metric.id == id)
    }
}

#[cfg(test)]
mod tests;
