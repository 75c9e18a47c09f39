//! What becomes of each key when a day is sealed: the other half of the lives in [`super`].

use chrono::NaiveDate;

use super::{EVENTS, LINES, REVENUE, UNITS, parse_day};

/// What a key loses when the days before a boundary are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    /// Nothing.
    Stays,
    /// Everything.
    Goes,
    /// The fields that [`Passing::is_past`] names.
    Fields(Fields),
    /// The fields of days before the last sealed one, which are added up there.
    Folds,
}

/// How fields name what goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fields {
    /// They begin with a day.
    ByDay,
    /// They are texts in brackets, the first a day.
    ByDue,
    /// All but those that sealed days keep.
    Sealed,
}

/// Keys by day that go with their day.
const BY_DAY: [&str; 11] = [
    "stores",
    "hours",
    "sellers",
    "product",
    "search",
    "seen",
    "sessions",
    "actors",
    "movements",
    "contacts",
    "commission",
];

/// What fields of a sealed day's categories and events begin with.
const SEALED_KINDS: [&str; 4] = [REVENUE, UNITS, LINES, EVENTS];

impl Passing {
    /// Of a key, by its name without the generation's prefix.
    pub(crate) fn of(name: &str, boundary: NaiveDate) -> Self {
        let (kind, rest) = name.split_once(':').unwrap_or((name, ""));
        let (day, store) = rest.split_once(':').unwrap_or((rest, ""));
        let is_past = parse_day(day).is_some_and(|day| day < boundary);
        match kind {
            "measures" | "days" | "deliveries" => Self::Fields(Fields::ByDay),
            "shipments" => Self::Fields(Fields::ByDue),
            "active" => Self::Folds,
            "visitors" if is_past => Self::Goes,
            "sum" | "category" if is_past && !store.is_empty() => Self::Goes,
            "sum" | "category" if is_past => Self::Fields(Fields::Sealed),
            _ if is_past && BY_DAY.contains(&kind) => Self::Goes,
            _ => Self::Stays,
        }
    }
}

impl Fields {
    /// True for a field that goes.
    pub(crate) fn is_past(self, field: &str, boundary: NaiveDate) -> bool {
        let is_before = |day: &str| parse_day(day).is_some_and(|day| day < boundary);
        match self {
            // The day may be followed by a separator of either kind.
            Self::ByDay => field.get(..8).is_some_and(is_before),
            Self::ByDue => field.get(2..10).is_some_and(is_before),
            Self::Sealed => {
                let kind = field.split_once('|').map_or(field, |(kind, _)| kind);
                !SEALED_KINDS.contains(&kind)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_sealed_day_goes_but_for_what_readers_add_up() {
        use Fields::{ByDay, ByDue, Sealed};
        use Passing::{Fields as Some, Folds, Goes, Stays};
        let boundary = "2026-08-21".parse().unwrap();
        for (name, expected) in [
            ("daily", Stays),
            ("measures", Some(ByDay)),
            ("stores:20260820", Goes),
            ("stores:20260821", Stays),
            ("hours:20260820:3", Goes),
            ("product:20260820", Goes),
            ("product:20260820:3", Goes),
            ("category:20260820", Some(Sealed)),
            ("category:20260820:3", Goes),
            ("category:20260821", Stays),
            ("sum:20260820", Some(Sealed)),
            ("sum:20260820:20260822", Goes),
            ("visitors:20260820", Goes),
            ("visitors:20260820:3", Goes),
            ("days:20260820", Some(ByDay)),
            ("active", Folds),
            ("active:3", Folds),
            ("shipments", Some(ByDue)),
            ("categories", Stays),
            ("stock", Stays),
            ("misc", Stays),
            ("now:visiting", Stays),
        ] {
            assert_eq!(Passing::of(name, boundary), expected, "{name}");
        }
        for (fields, field, expected) in [
            (ByDay, "20260820|visits", true),
            (ByDay, "20260820:3", true),
            (ByDay, "20260821|visits", false),
            (ByDay, "other", false),
            (ByDue, r#"["20260820","express","delivered"]"#, true),
            (ByDue, r#"["20260821","express","delivered"]"#, false),
            (ByDue, r#"[null,"express","delivered"]"#, false),
            (Sealed, "rev|Home|x", false),
            (Sealed, "events|search", false),
            (Sealed, "products|Home", true),
            (Sealed, "pay|paid|cash", true),
        ] {
            assert_eq!(fields.is_past(field, boundary), expected, "{field}");
        }
    }
}
