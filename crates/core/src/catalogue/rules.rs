//! The rules a metric obeys: what may be added, when a sample is too small, how fresh and how exact it is.

use super::{Text, Unit, text};

/// Sample under which a ratio is shown dim with its `n` (docs: kpis 0.5).
pub const MIN_SAMPLE: u32 = 30;

/// Whether values of separate periods or of different stores may be added up to the value of the whole
/// (docs: kpis 2.4). A reader that may not add has to merge the sums or sets below the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Additivity {
    /// Over periods that do not overlap, and over stores.
    Full,
    /// Over periods only: one thing can count at several stores.
    OverTime,
    /// Over stores only: a level, or a window that slides.
    OverStores,
    /// Neither: a ratio, a distinct count, a quantile, an extreme.
    Never,
}

impl Additivity {
    /// True when values of days may be added.
    pub const fn over_time(self) -> bool {
        matches!(self, Self::Full | Self::OverTime)
    }

    /// True when values of stores may be added.
    pub const fn over_stores(self) -> bool {
        matches!(self, Self::Full | Self::OverStores)
    }

    /// In a sentence.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Full => text(
                "days and stores can be added up",
                "los días y las tiendas se pueden sumar",
            ),
            Self::OverTime => text(
                "days can be added up, stores cannot",
                "los días se pueden sumar, las tiendas no",
            ),
            Self::OverStores => text(
                "stores can be added up, days cannot",
                "las tiendas se pueden sumar, los días no",
            ),
            Self::Never => text(
                "neither days nor stores can be added up",
                "ni los días ni las tiendas se pueden sumar",
            ),
        }
    }
}

/// What a reader sees when there is little to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmallSample {
    /// Shown at any size: a sum, a count or a measurement.
    Any,
    /// Dim with `n` when fewer than [`MIN_SAMPLE`] stand behind it: the denominator, or what a quantile is taken of.
    Dim,
    /// Not shown when there are fewer than this.
    Hide {
        /// The least that is shown.
        below: u32,
        /// What is counted.
        of: Unit,
    },
    /// Shown in coarser steps when there are fewer than this.
    Coarse {
        /// The least for the full detail.
        below: u32,
        /// What is counted.
        of: Unit,
    },
}

impl SmallSample {
    /// In an English sentence.
    pub fn en(self) -> String {
        match self {
            Self::Any => "shown at any size".to_owned(),
            Self::Dim => format!(
                "dim with its n when fewer than {MIN_SAMPLE} stand behind it; — when there is nothing"
            ),
            Self::Hide { below, of } => format!("not shown for fewer than {below} {}", of.name().en),
            Self::Coarse { below, of } => {
                format!("in coarser steps for fewer than {below} {}", of.name().en)
            }
        }
    }

    /// In a Spanish sentence.
    pub fn es(self) -> String {
        match self {
            Self::Any => "se muestra con cualquier tamaño".to_owned(),
            Self::Dim => {
                format!("tenue y con su n si hay menos de {MIN_SAMPLE} detrás; — si no hay nada")
            }
            Self::Hide { below, of } => format!("no se muestra con menos de {below} {}", of.name().es),
            Self::Coarse { below, of } => {
                format!("en pasos más gruesos con menos de {below} {}", of.name().es)
            }
        }
    }
}

/// How soon a metric follows the source (docs: kpis 2.5, D12, D13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// With the stream: about a second.
    Live,
    /// With the stream, final 30 minutes after the last event of the visit.
    VisitEnd,
    /// With the next refresh of the warehouse, about a minute.
    Refresh,
    /// Computed once a day, or on demand; shown with the date of its run.
    Daily,
    /// Asked from the part itself every few seconds.
    Probe,
}

impl Freshness {
    /// In a sentence.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Live => text(
                "live, about a second behind the source",
                "en vivo, cerca de un segundo tras la fuente",
            ),
            Self::VisitEnd => text(
                "live, final 30 minutes after the last event of a visit",
                "en vivo, final 30 minutos después del último evento de la visita",
            ),
            Self::Refresh => text(
                "about a minute, with the refresh of the warehouse",
                "cerca de un minuto, con la actualización del almacén de datos",
            ),
            Self::Daily => text(
                "daily or on demand, with the date of the last run",
                "diaria o a pedido, con la fecha de la última ejecución",
            ),
            Self::Probe => text("probed every few seconds", "sondeada cada pocos segundos"),
        }
    }
}

/// Which store holds a metric (docs: kpis 1, column "Path, state").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The live totals alone.
    Live,
    /// The warehouse alone.
    Warehouse,
    /// Both; the warehouse recounts what the live flow keeps.
    Both,
}

impl Kept {
    /// In a sentence.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Live => text("live totals", "totales en vivo"),
            Self::Warehouse => text("warehouse", "almacén de datos"),
            Self::Both => text("live totals and warehouse", "totales en vivo y almacén de datos"),
        }
    }
}

/// For whom a metric is computed (docs: kpis 3, vendor view and admin view).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A store alone.
    Store,
    /// The platform alone.
    Platform,
    /// A store and the platform.
    Both,
}

impl Scope {
    /// In a sentence.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Store => text("each store", "cada tienda"),
            Self::Platform => text("the platform", "la plataforma"),
            Self::Both => text("each store and the platform", "cada tienda y la plataforma"),
        }
    }
}

/// Which way is good news (docs: kpis 1.6, semantic layer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A rise is good.
    Higher,
    /// A fall is good.
    Lower,
    /// Neither: a mix, a pattern, a level that has a right size.
    Neither,
}

impl Better {
    /// In a word or two.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Higher => text("higher is better", "más es mejor"),
            Self::Lower => text("lower is better", "menos es mejor"),
            Self::Neither => text("neither way is better", "ningún sentido es mejor"),
        }
    }
}

/// How exact a metric is, and the mark a screen puts on it (docs: kpis 3, D5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Equal to a recount.
    Exact,
    /// Exact when events name their buyer; modelled (`~`) where they name only the store.
    NeedsBuyer,
    /// An estimate about the future, shown with its error.
    Estimate,
}

impl Trust {
    /// In a sentence.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Exact => text("exact: equal to a recount", "exacta: igual a un recuento"),
            Self::NeedsBuyer => text(
                "exact when events name the buyer; marked ~ (modelled) where they do not",
                "exacta si los eventos nombran al comprador; con ~ (modelada) si no",
            ),
            Self::Estimate => text(
                "an estimate, shown with its error",
                "una estimación, mostrada con su error",
            ),
        }
    }
}
