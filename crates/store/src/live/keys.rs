//! Every key of Redis: its name, its type, its fields and its life. Nothing else builds a key.
//!
//! `<gen>` is the live generation, `<day>` a business day as `20260821`, `<hour>` a UTC hour as `2026082117`, `<id>`
//! a source key. A free text stands last in a field, so that a field can be taken apart again. "Recent" keys live
//! until one day after the end of their day; all others live on, because an expired total would look like a zero.
//!
//! | key | type | fields | life |
//! |---|---|---|---|
//! | `live:meta` | hash | `gen`, `ver`, `rates`, `boundary`, `left`, `late`, `sealed_ms`, `created_ms`, `asof_ms`, `commits`, per partition `epoch:<topic>/<n>`, `at:<topic>/<n>` | |
//! | `live:<gen>:st:<kind>:<id / 100>` | hash | `<id>`: state (digest and JSON array) | |
//! | `live:<gen>:daily` | hash | `<day>\|<headline>`, `<day>\|events`, `<day>\|buyers` of the platform, of every day | |
//! | `live:<gen>:measures` | hash | `<day>\|<total>`: its sums that are kept by day alone, `<day>\|visitors`, and `<day>\|rows\|<table>` | live days |
//! | `live:<gen>:stores:<day>` | hash | `<store>\|<headline>`, `<store>\|<total>`, `<store>\|visitors`: those of each store | |
//! | `live:<gen>:hours:<day>[:<store>]` | hash | `<nn>\|<headline>`, `<nn>\|events\|<type>` by hour since local midnight | 35 days |
//! | `live:<gen>:minutes:<hour>[:<store>]` | hash | `<nn>\|<headline>`, `<nn>\|events\|<type>`, `<nn>\|paid\|<method>` by minute of the hour | 48 hours |
//! | `live:<gen>:halves:<hour>[:<store>]` | hash | `<nnn>\|<headline>` by half minute of the hour | 2 hours |
//! | `live:<gen>:active[:<store>]` | hash | `<day>`: change of the number of active buyers, added up to a day it is the number | |
//! | `live:<gen>:sellers:<day>` | hash | store: sales (references) | |
//! | `live:<gen>:sum:<day>[:<store>]` | hash | `pay\|<measure>\|<method>`, `events\|<type>`; of the platform also `sessions\|<type>`, `actors\|<type>` | |
//! | `live:<gen>:product:<day>[:<store>]` | hash | `<product>\|rev`, `\|units`, `\|lines` | |
//! | `live:<gen>:days:<product>` | hash | `<day>[:<store>]`: lines, where a product has sums | |
//! | `live:<gen>:categories` | hash | product: its category now | |
//! | `live:<gen>:category:<day>[:<store>]` | hash | `rev\|<category>`, `units\|`, `lines\|`, `products\|` | |
//! | `live:<gen>:search:<day>[:<store>]` | hash | `all\|<term>`, `in_vain\|<term>` | |
//! | `live:<gen>:seen:<day>` | hash | product: views | |
//! | `live:<gen>:sessions:<day>`, `:actors:<day>` | hash | `<length of type>\|<type>\|<member>`: events (references) | |
//! | `live:<gen>:visitors:<day>[:<store>]` | hash | actor: visits (references) | |
//! | `live:<gen>:open` | sorted set | `<store>\|<start>\|<end>\|<outcome>\|<has cart>\|<actor>` by end: visits without an order | a day |
//! | `live:<gen>:now:<doing>` | sorted set | `<store>\|<at>\|<is order>\|<id>\|<actor>` by time | a day |
//! | `live:<gen>:movements:<day>` | hash | `in\|<product>\|<reason>`, `out\|..`: units | |
//! | `live:<gen>:contacts:<day>` | hash | `[store, type, channel, status]`: contacts | |
//! | `live:<gen>:commission:<day>` | hash | `earned\|<store>\|<tier>`, `returned\|..`: cents if the store's plan is of that tier, none for all others | |
//! | `live:<gen>:repricing` | hash | product: how often its currency was found to be another; its orders are computed again | |
//! | `live:<gen>:stock`, `:places`, `:critical` | hash | `<store>\|<state>`; `<measure>\|<store>\|<location>`; `<store>\|<product>` | |
//! | `live:<gen>:plans`, `:memberships` | hash | tier: stores; `<segment>\|<store>` (references) | |
//! | `live:<gen>:shipments`, `:deliveries` | hash | `[due day, method, status]`; `<due day>\|<how>\|<method>` | |
//! | `live:<gen>:misc` | hash | `rows\|<table>` of rows without a day, `undated`, `foreign_currency_products`, `mrr` | |
//! | `live:<gen>:tape` | list | the last 50 changes, newest first | |
//! | `live:<gen>:bought:<day>:<product>` | hash | buyer: lines (references) | recent |
//! | `live:<gen>:members:<day>` | hash | `<buyer>\|<category>`: lines (references) | recent |
//! | `live:<gen>:unique:<day>` | hash | category: distinct buyers | recent |
//! | `live:<gen>:amounts:<day>[:<store>]` | hash | cents: sales of that amount | recent |
//! | `live:<gen>:extremes:<day>[:<store>]` | sorted set | amounts that occur | recent |
//! | `live:<gen>:top:<day>[:<store>]` | sorted set | product (20 digits) by revenue, negated | recent |
//! | `live:health:workers`, `:sources`, `:rebuild` | hash | what workers say of themselves, as JSON | |
//! | `live:health:flow` | hash | `published_ms`, `brokers_up`, `brokers_known` | |
//! | `cdc_spark_metrics:*`, `metrics:*` | string | projections for readers that already exist, as JSON | |
//!
//! Days before the boundary are sealed: of them only `daily`, and categories and event types of the platform stay (`passing`
//! lists what goes). A life of "live days" ends there.
//!
//! `<headline>` is one of `rev`, `orders`, `open`, `failed`, `cancelled`, `reversed`, `unmapped`; `<total>` a sum that is kept
//! by day alone (`day_measure` in `keys/place.rs`); `<product>` an id, `none` (a line whose product is
//! NULL) or `bare` (a sale without lines).

mod passing;
mod place;
mod read;

pub(crate) use passing::Passing;
pub(crate) use place::Place;
pub(crate) use read::{Shelf, just_done, open_visit};

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use instashop_core::checkpoint::Partition;
use instashop_core::contribution::{Doing, Measure, PaymentMeasure, ProductKey, Scope};
use instashop_core::live::StateId;
use instashop_core::table::Table;

/// Generation, version, epochs and checkpoints.
pub(crate) const META: &str = "live:meta";
/// Pattern of everything the live flow owns.
pub(crate) const ALL_LIVE: &str = "live:*";
/// Workers by name.
pub(crate) const WORKERS: &str = "live:health:workers";
/// Sources by name.
pub(crate) const SOURCES: &str = "live:health:sources";
/// Rebuild progress by worker.
pub(crate) const REBUILD: &str = "live:health:rebuild";
/// Publishing itself.
pub(crate) const FLOW: &str = "live:health:flow";
/// Field of [`FLOW`]: when a worker last published, milliseconds.
pub(crate) const PUBLISHED: &str = "published_ms";
/// Field of [`FLOW`]: brokers that answered.
pub(crate) const BROKERS_UP: &str = "brokers_up";
/// Field of [`FLOW`]: brokers known.
pub(crate) const BROKERS_KNOWN: &str = "brokers_known";
/// Patterns a live worker may use.
pub(crate) const WORKER_PATTERNS: [&str; 3] = ["live:*", "cdc_spark_metrics:*", "metrics:*"];
/// Patterns the dashboard may read.
pub(crate) const READER_PATTERNS: [&str; 2] = ["live:*", "sealed:*"];
/// Patterns a live worker may read besides its own.
pub(crate) const WORKER_READS: &str = "sealed:*";

/// Compatible projection: headline totals.
pub(crate) const SPARK_TRANSACTIONS: &str = "cdc_spark_metrics:transactions";
/// Compatible projection: categories.
pub(crate) const SPARK_PRODUCTS: &str = "cdc_spark_metrics:products";
/// Compatible projection: headline totals under the other name.
pub(crate) const METRICS_TRANSACTIONS: &str = "metrics:transactions";
/// Compatible projection: one object for a dashboard.
pub(crate) const METRICS_DASHBOARD: &str = "metrics:dashboard";

/// Compatible projection of one category.
pub(crate) fn metrics_category(category: &str) -> String {
    format!("metrics:products:{category}")
}

/// Compatible projection of one event type.
pub(crate) fn metrics_behaviour(kind: &str) -> String {
    format!("metrics:behavior:{kind}")
}

/// States of one hash: so few that Redis keeps them in its compact encoding.
const STATES_PER_HASH: i64 = 100;
/// Hashes that states found by a digest are spread over.
const DIGEST_HASHES: i64 = 16_384;

/// Fields of `live:meta`.
pub(crate) mod meta {
    /// Live generation.
    pub(crate) const GENERATION: &str = "gen";
    /// Contribution version.
    pub(crate) const VERSION: &str = "ver";
    /// A day and the digest of the rates up to it, as the generation was built with.
    pub(crate) const RATES: &str = "rates";
    /// First business day that is live; absent when no day is sealed.
    pub(crate) const BOUNDARY: &str = "boundary";
    /// The boundary up to which states and totals have left.
    pub(crate) const LEFT: &str = "left";
    /// Changes of rows of sealed days since their totals were written.
    pub(crate) const LATE: &str = "late";
    /// When the totals of sealed days were last written, milliseconds.
    pub(crate) const SEALED: &str = "sealed_ms";
    /// Creation time of the generation, milliseconds.
    pub(crate) const CREATED: &str = "created_ms";
    /// Newest commit time contained, milliseconds.
    pub(crate) const AS_OF: &str = "asof_ms";
    /// Prefix of a partition's checkpoint.
    pub(crate) const AT: &str = "at:";
}

/// Name of a partition in `live:meta`.
pub(crate) fn partition(partition: &Partition) -> String {
    partition.to_string()
}

/// Reads a partition's name back.
pub(crate) fn parse_partition(text: &str) -> Option<Partition> {
    let (topic, number) = text.rsplit_once('/')?;
    Some(Partition {
        topic: topic.to_owned(),
        number: number.parse().ok()?,
    })
}

/// A business day as keys and fields carry it.
pub(crate) fn day(day: NaiveDate) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

/// Reads a business day back.
pub(crate) fn parse_day(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    NaiveDate::from_ymd_opt(
        text[..4].parse().ok()?,
        text[4..6].parse().ok()?,
        text[6..].parse().ok()?,
    )
}

/// Field name of a headline sum.
pub(crate) const fn total(measure: Measure) -> &'static str {
    match measure {
        Measure::Revenue => "rev",
        Measure::Orders => "orders",
        Measure::Open => "open",
        Measure::Failed => "failed",
        Measure::Cancelled => "cancelled",
        Measure::Reversed => "reversed",
        Measure::Unmapped => "unmapped",
        Measure::Events => EVENTS,
    }
}

/// Field name of distinct buyers, beside the headline sums of a day.
pub(crate) const BUYERS: &str = "buyers";
/// Field prefix of payment sums.
pub(crate) const PAY: &str = "pay";
/// Field prefix of behaviour events by type, and name of their sum over all types.
pub(crate) const EVENTS: &str = "events";
/// Field prefix of distinct sessions.
pub(crate) const SESSIONS: &str = "sessions";
/// Field prefix of distinct actors.
pub(crate) const ACTORS: &str = "actors";
/// Field prefix of row counts.
pub(crate) const ROWS: &str = "rows";
/// Name of paid orders of a minute.
pub(crate) const PAID: &str = "paid";
/// Name of distinct actors.
pub(crate) const VISITORS: &str = "visitors";
/// Field of what all plans cost a month.
pub(crate) const MRR: &str = "mrr";
/// Field of orders and events without a day.
pub(crate) const UNDATED: &str = "undated";
/// Field of products in another currency.
pub(crate) const FOREIGN_CURRENCY: &str = "foreign_currency_products";
/// Field suffix or prefix of allocated cents.
pub(crate) const REVENUE: &str = "rev";
/// Field suffix or prefix of units.
pub(crate) const UNITS: &str = "units";
/// Field suffix or prefix of lines.
pub(crate) const LINES: &str = "lines";
/// Field prefix of distinct products of a category.
pub(crate) const PRODUCTS: &str = "products";
/// Name of the product of a sale without lines.
pub(crate) const BARE: &str = "bare";
/// Name of a product that is NULL.
pub(crate) const NO_PRODUCT: &str = "none";

/// Field name of a payment sum.
pub(crate) const fn payment(measure: PaymentMeasure) -> &'static str {
    match measure {
        PaymentMeasure::Paid => "paid",
        PaymentMeasure::Failed => "failed",
        PaymentMeasure::Open => "open",
        PaymentMeasure::Revenue => "rev",
    }
}

/// Name of a product.
pub(crate) fn product(key: ProductKey) -> String {
    match key {
        ProductKey::Id(id) => id.to_string(),
        ProductKey::Unknown => NO_PRODUCT.to_owned(),
        ProductKey::Bare => BARE.to_owned(),
    }
}

/// Member of the ranking: digits of one length, so that equal revenue is ordered by id.
pub(crate) fn parse_ranked(member: &str) -> Option<i64> {
    let digits = member.trim_start_matches('0');
    if digits.is_empty() {
        Some(0)
    } else {
        digits.parse().ok()
    }
}

/// What the key of a store's totals ends with; nothing for the platform's.
pub(crate) fn of_store(scope: Scope) -> String {
    scope
        .store()
        .map_or_else(String::new, |store| format!(":{store}"))
}

/// Keys of one live generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys of a generation.
    pub(crate) fn new(generation: &str) -> Self {
        Self {
            prefix: format!("live:{generation}:"),
        }
    }

    /// What all keys of the generation begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Hash and field of a state.
    pub(crate) fn state(&self, id: StateId) -> (String, String) {
        let (kind, number) = id.parts();
        let hash = if id.is_digest() {
            number.rem_euclid(DIGEST_HASHES)
        } else {
            number.div_euclid(STATES_PER_HASH)
        };
        (format!("{}st:{kind}:{hash}", self.prefix), number.to_string())
    }

    /// Headline sums of every day.
    pub(crate) fn daily(&self) -> String {
        format!("{}daily", self.prefix)
    }

    /// Sums of the platform that are kept by day alone, of every day.
    pub(crate) fn measures(&self) -> String {
        format!("{}measures", self.prefix)
    }

    /// Hours of a day.
    pub(crate) fn hours(&self, of: NaiveDate) -> String {
        format!("{}hours:{}", self.prefix, day(of))
    }

    /// Minutes of the UTC hour that holds a moment.
    pub(crate) fn minutes(&self, at: DateTime<Utc>) -> String {
        format!("{}minutes:{}{:02}", self.prefix, day(at.date_naive()), at.hour())
    }

    /// Half minutes of the UTC hour that holds a moment.
    pub(crate) fn halves(&self, at: DateTime<Utc>) -> String {
        format!("{}halves:{}{:02}", self.prefix, day(at.date_naive()), at.hour())
    }

    /// Sums of the stores of a day.
    pub(crate) fn stores(&self, of: NaiveDate) -> String {
        format!("{}stores:{}", self.prefix, day(of))
    }

    /// Changes of the number of active buyers.
    pub(crate) fn active(&self, scope: Scope) -> String {
        format!("{}active{}", self.prefix, of_store(scope))
    }

    /// Stores that sold on a day.
    pub(crate) fn sellers(&self, of: NaiveDate) -> String {
        format!("{}sellers:{}", self.prefix, day(of))
    }

    /// Searches of a day.
    pub(crate) fn searches(&self, scope: Scope, of: NaiveDate) -> String {
        format!("{}search:{}{}", self.prefix, day(of), of_store(scope))
    }

    /// Visits without an order.
    pub(crate) fn open_visits(&self) -> String {
        format!("{}open", self.prefix)
    }

    /// What somebody just did.
    pub(crate) fn now(&self, what: Doing) -> String {
        format!("{}now:{}", self.prefix, place::doing(what))
    }

    /// Payments and behaviour of a day.
    pub(crate) fn sums(&self, scope: Scope, of: NaiveDate) -> String {
        format!("{}sum:{}{}", self.prefix, day(of), of_store(scope))
    }

    /// Products of a day.
    pub(crate) fn products(&self, of: NaiveDate) -> String {
        format!("{}product:{}", self.prefix, day(of))
    }

    /// Days a product has sums on.
    pub(crate) fn product_days(&self, product: &str) -> String {
        format!("{}days:{product}", self.prefix)
    }

    /// Categories of products.
    pub(crate) fn categories(&self) -> String {
        format!("{}categories", self.prefix)
    }

    /// Category sums of a day.
    pub(crate) fn category(&self, of: NaiveDate) -> String {
        format!("{}category:{}", self.prefix, day(of))
    }

    /// Sessions of a day.
    pub(crate) fn sessions(&self, of: NaiveDate) -> String {
        format!("{}sessions:{}", self.prefix, day(of))
    }

    /// Actors of a day.
    pub(crate) fn actors(&self, of: NaiveDate) -> String {
        format!("{}actors:{}", self.prefix, day(of))
    }

    /// Actors with a visit that began on a day.
    pub(crate) fn visitors(&self, scope: Scope, of: NaiveDate) -> String {
        format!("{}{VISITORS}:{}{}", self.prefix, day(of), of_store(scope))
    }

    /// Products whose orders are computed again.
    pub(crate) fn repricing(&self) -> String {
        format!("{}repricing", self.prefix)
    }

    /// Row counts.
    pub(crate) fn misc(&self) -> String {
        format!("{}misc", self.prefix)
    }

    /// The tape.
    pub(crate) fn tape(&self) -> String {
        format!("{}tape", self.prefix)
    }

    /// Distinct buyers by category.
    pub(crate) fn unique(&self, of: NaiveDate) -> String {
        format!("{}unique:{}", self.prefix, day(of))
    }

    /// How often each amount occurs.
    pub(crate) fn amounts(&self, scope: Scope, of: NaiveDate) -> String {
        format!("{}amounts:{}{}", self.prefix, day(of), of_store(scope))
    }

    /// Amounts that occur, in order.
    pub(crate) fn extremes(&self, scope: Scope, of: NaiveDate) -> String {
        format!("{}extremes:{}{}", self.prefix, day(of), of_store(scope))
    }

    /// Products of a day by revenue.
    pub(crate) fn top(&self, of: NaiveDate) -> String {
        format!("{}top:{}", self.prefix, day(of))
    }
}

/// Field of a table's row count.
pub(crate) fn rows_field(table: Table) -> String {
    format!("{ROWS}|{}", table.name())
}

#[cfg(test)]
mod tests {
    use instashop_core::contribution::{Calendar, Cell};

    use super::*;

    #[test]
    fn keys_are_as_documented() {
        let keys = Keys::new("7");
        let calendar = Calendar::new("America/Argentina/Buenos_Aires".parse().unwrap());
        let at = "2026-08-21T02:07:45Z".parse::<DateTime<Utc>>().unwrap();
        let cases: Vec<_> = calendar
            .buckets(at.timestamp_micros())
            .unwrap()
            .into_iter()
            .map(|bucket| {
                let cell = Cell::Total {
                    scope: Scope::Platform,
                    bucket,
                    measure: Measure::Orders,
                };
                match keys.place(&cell, calendar) {
                    Place::Sum { key, field, .. } => format!("{key} {field}"),
                    other => format!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(
            cases,
            [
                "live:7:daily 20260820|orders",
                "live:7:hours:20260820 23|orders",
                "live:7:minutes:2026082102 07|orders",
                "live:7:halves:2026082102 015|orders",
            ]
        );
        assert_eq!(
            keys.state(StateId::Order(12_345)),
            ("live:7:st:order:123".into(), "12345".into())
        );
        let of_store = Cell::Total {
            scope: Scope::Store(3),
            bucket: calendar.buckets(at.timestamp_micros()).unwrap()[1],
            measure: Measure::Orders,
        };
        assert!(matches!(
            keys.place(&of_store, calendar),
            Place::Sum { key, .. } if key == "live:7:hours:20260820:3"
        ));
        assert_eq!(
            keys.state(StateId::Timelines(-1)),
            ("live:7:st:timelines:16383".into(), "-1".into())
        );
        assert_eq!(
            keys.state(StateId::Line(-1)),
            ("live:7:st:line:-1".into(), "-1".into())
        );
    }

    #[test]
    fn names_can_be_read_back() {
        let day_of = NaiveDate::from_ymd_opt(9, 8, 7).unwrap();
        assert_eq!(parse_day(&day(day_of)), Some(day_of));
        assert_eq!(parse_day("2026082x"), None);
        assert_eq!(parse_day("ñ026082"), None);
        let named = Partition {
            topic: "a/b".into(),
            number: 3,
        };
        assert_eq!(parse_partition(&partition(&named)), Some(named));
        assert_eq!(parse_ranked("00000000000000000042"), Some(42));
        assert_eq!(parse_ranked("00000000000000000000"), Some(0));
    }
}
