//! What the simulator is told: where the sources are, and what kind of shop is wanted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use instashop_core::config::Config;
use instashop_core::table::Table;

/// A shop with its history.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) now: DateTime<Utc>,
    pub(crate) days: u32,
    pub(crate) stores: u32,
    pub(crate) buyers: u32,
    pub(crate) products: u32,
    pub(crate) orders_per_day: u32,
    pub(crate) flat: bool,
    pub(crate) zone: Tz,
    pub(crate) currency: String,
    /// First primary key of each table; 1 where nothing is said.
    pub(crate) first_ids: BTreeMap<Table, i64>,
}

/// Visits for one order. With the conversion of a visit about a tenth of the orders belongs to a visit; the others come
/// by chat.
const VISITS_PER_ORDER: f64 = 1.4;

impl Plan {
    /// Visits a day.
    pub(crate) fn visits_per_day(&self) -> f64 {
        f64::from(self.orders_per_day) * VISITS_PER_ORDER
    }
}

/// Prefix of environment variables that set a key; `__` stands between the parts.
const PREFIX: &str = "INSTASHOP__";

/// The configuration, as the product reads it: the given file, else `instashop.toml` in the working folder if there is
/// one, else the defaults; then the variables `INSTASHOP__...` of the environment.
pub(crate) fn configuration(
    given: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config> {
    let usual = PathBuf::from("instashop.toml");
    let text = match given
        .map(Path::to_owned)
        .or_else(|| usual.exists().then_some(usual))
    {
        Some(path) => {
            let text = std::fs::read_to_string(&path).wrap_err_with(|| {
                format!(
                    "cannot read the configuration {}; name it with --config or INSTASHOP_CONFIG",
                    path.display()
                )
            })?;
            // The loader's own error would show the line, and with it, maybe, a password.
            if let Err(error) = toml::from_str::<toml::Table>(&text) {
                bail!(
                    "the configuration {} is not TOML: {}",
                    path.display(),
                    error.message()
                );
            }
            text
        }
        None => String::new(),
    };
    parse(&text, environment)
}

fn parse(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config> {
    let variables: config::Map<String, String> = environment
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let mut config: Config = config::Config::builder()
        .add_source(config::File::from_str(text, config::FileFormat::Toml))
        .add_source(
            config::Environment::with_prefix("INSTASHOP")
                .prefix_separator("__")
                .separator("__")
                .source(Some(variables)),
        )
        .build()
        .and_then(config::Config::try_deserialize)
        .wrap_err("the configuration cannot be used")?;
    config.sources.complete();
    if let Err(faults) = config.validate() {
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        bail!("{}", all.join("; "));
    }
    Ok(config)
}

/// Reads an instant: RFC 3339, or a date, which means its midnight in UTC.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    text.parse::<chrono::NaiveDate>()
        .ok()
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .map(|at| at.and_utc())
        .ok_or_else(|| "give an instant such as 2025-07-01T12:00:00Z or a date such as 2025-07-01".to_owned())
}

/// Reads a duration: a number with s, m or h, or seconds without a unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|letter: char| !letter.is_ascii_digit() && letter != '.') {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(hint()),
    };
    let seconds: f64 = number.parse().map_err(|_| hint())?;
    Duration::try_from_secs_f64(seconds * factor).map_err(|_| hint())
}

fn hint() -> String {
    "give a duration such as 90s, 5m or 2h".to_owned()
}

/// Reads a rate in events a second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text
        .parse()
        .map_err(|_| "give a number of events a second".to_owned())?;
    if (0.001..=50_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("give a rate between 0.001 and 50000 events a second".to_owned())
    }
}

/// Refuses a plan that cannot be carried out.
pub(crate) fn check(plan: &Plan) -> Result<()> {
    if plan.products < plan.stores {
        return Err(eyre!(
            "{} products are too few for {} stores: give every store at least one (--products)",
            plan.products,
            plan.stores
        ));
    }
    let orders = u64::from(plan.orders_per_day) * u64::from(plan.days);
    if orders > 3_000_000 {
        return Err(eyre!(
            "{orders} orders are more than the history is made for (3,000,000); lower --days or --orders-per-day"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_instants() {
        for (text, seconds) in [("90", 90.0), ("90s", 90.0), ("1.5m", 90.0), ("2h", 7200.0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "x", "5d", "1m30s", "-5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(instant("2025-07-01"), instant("2025-07-01T00:00:00Z"));
        assert_eq!(instant("2025-06-30T21:00:00-03:00"), instant("2025-07-01"));
        assert!(instant("yesterday").is_err());
        assert!(rate("0").is_err() && rate("10").is_ok() && rate("fast").is_err());
    }

    #[test]
    fn a_partial_configuration_is_completed() {
        let environment = [("INSTASHOP__SOURCES__ERP_DB__PORT".to_owned(), "25434".to_owned())];
        let config = parse(
            "[sources.crm_db]\nport = 25433\n[meaning]\ncurrency = \"ARS\"\n",
            environment,
        )
        .unwrap();
        assert_eq!(config.sources.erp_db.port, 25434);
        assert_eq!(config.sources.crm_db.port, 25433);
        assert_eq!(config.sources.crm_db.database, "crm_db");
        assert_eq!(config.meaning.currency, "ARS");
        assert!(parse("[meaning]\nzone = \"Mars/Olympus\"", []).is_err());
        assert!(parse("[nonsense]\n", []).is_err());
    }
}
