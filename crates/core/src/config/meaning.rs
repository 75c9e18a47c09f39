//! The maps that turn source values into meaning: order classes, payment methods, plans, zone, currencies, commission,
//! regions.
//!
//! `instashop setup` writes them to `ref.*`, `instashop live` reads them from here; their digest is part of the
//! contribution version, so a changed map is a new live generation (docs: architecture 5, reliability C3).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::region::{default_countries, default_regions};
use super::{CommissionRule, FxRates};

/// What an order's status counts as (docs: kpis 0.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderClass {
    /// Revenue and an order.
    Recognised,
    /// Booked: shown apart, never in revenue.
    Open,
    /// An attempt only.
    Failed,
    /// Nothing; feeds the cancel rate.
    Cancelled,
    /// A sale on the order day and a negative row on the day of the reversal.
    Reversed,
    /// Any other status: excluded, counted on the data-quality tile.
    Unmapped,
}

impl OrderClass {
    /// All classes, in the order they are shown.
    pub const ALL: [Self; 6] = [
        Self::Recognised,
        Self::Open,
        Self::Failed,
        Self::Cancelled,
        Self::Reversed,
        Self::Unmapped,
    ];

    /// Name as in `ref.order_status` and in Redis fields.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recognised => "recognised",
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Reversed => "reversed",
            Self::Unmapped => "unmapped",
        }
    }

    /// Finds a class by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// True when a sale took place: the set R of docs/kpis section 1.
    pub const fn is_sale(self) -> bool {
        matches!(self, Self::Recognised | Self::Reversed)
    }
}

/// A subscription plan of a store (D1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Tier it counts as.
    pub tier: String,
    /// Price a month, in cents of the reporting currency.
    pub monthly_cents: i64,
}

/// The maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Meaning {
    /// Zone in which days, weeks and months are cut, as an IANA name (docs: kpis 0.4).
    pub zone: String,
    /// Reporting currency, ISO 4217.
    pub currency: String,
    /// Inactivity that ends a visit, in minutes (D6).
    pub session_gap_minutes: u32,
    /// Behaviour rows carry `buyer_id` in their metadata (D5).
    pub buyer_identity: bool,
    /// Order status, lower case and trimmed, to class.
    pub order_status: BTreeMap<String, OrderClass>,
    /// Payment method, lower case and trimmed, to its canonical name (D2).
    pub payment_alias: BTreeMap<String, String>,
    /// Subscription plan, lower case and trimmed, to tier and price.
    pub plans: BTreeMap<String, Plan>,
    /// Commission of the platform, by store, by tier and for all others.
    pub commission: Vec<CommissionRule>,
    /// Exchange rates to the reporting currency.
    pub fx_rates: FxRates,
    /// Names of places, as [`super::place`] writes them, to the region that is shown.
    pub regions: BTreeMap<String, String>,
    /// Names of countries, as [`super::place`] writes them: what may stand last in an address without being its region.
    pub countries: BTreeSet<String>,
}

impl Default for Meaning {
    fn default() -> Self {
        let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let status = |pairs: &[(&str, OrderClass)]| pairs.iter().map(|(k, v)| ((*k).into(), *v)).collect();
        let plans = [
            ("free", "free", 0),
            ("basic", "basic", 1500),
            ("pro", "pro", 4900),
            ("premium", "pro", 4900),
            ("enterprise", "enterprise", 29900),
        ];
        Self {
            zone: "America/Argentina/Buenos_Aires".into(),
            currency: "USD".into(),
            session_gap_minutes: 30,
            buyer_identity: true,
            order_status: status(&[
                ("completed", OrderClass::Recognised),
                ("pending", OrderClass::Open),
                ("failed", OrderClass::Failed),
                ("cancelled", OrderClass::Cancelled),
                ("refunded", OrderClass::Reversed),
                ("chargeback", OrderClass::Reversed),
                ("entregado", OrderClass::Recognised),
                ("pendiente", OrderClass::Open),
                ("cancelado", OrderClass::Cancelled),
            ]),
            payment_alias: text(&[
                ("credit card", "credit_card"),
                ("debit card", "debit_card"),
                ("paypal", "paypal"),
                ("wire", "wire_transfer"),
                ("wire transfer", "wire_transfer"),
                ("wallet", "wallet"),
                ("mercado pago", "wallet"),
            ]),
            plans: plans
                .into_iter()
                .map(|(raw, tier, monthly_cents)| {
                    (
                        raw.into(),
                        Plan {
                            tier: tier.into(),
                            monthly_cents,
                        },
                    )
                })
                .collect(),
            commission: vec![CommissionRule::five_percent()],
            fx_rates: FxRates::new(),
            regions: default_regions(),
            countries: default_countries(),
        }
    }
}

/// Digest of a value, as 16 hexadecimal characters.
pub(super) fn digest_of(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
}

/// True for three capital letters.
pub(super) fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Text as the maps compare it: PostgreSQL's `lower(btrim(text))`.
pub(crate) fn folded(text: &str) -> String {
    text.trim_matches(' ').to_lowercase()
}

impl Meaning {
    /// Class of an order status; NULL and unknown texts are unmapped.
    pub fn class(&self, status: Option<&str>) -> OrderClass {
        status
            .and_then(|status| self.order_status.get(&folded(status)))
            .copied()
            .unwrap_or(OrderClass::Unmapped)
    }

    /// Canonical payment method; NULL and unknown texts are `unknown` (D2).
    pub fn payment_method(&self, raw: Option<&str>) -> &str {
        raw.and_then(|raw| self.payment_alias.get(&folded(raw)))
            .map_or("unknown", String::as_str)
    }

    /// The reporting zone; UTC when the name is not known (validation refuses such a name).
    pub fn tz(&self) -> chrono_tz::Tz {
        self.zone.parse().unwrap_or(chrono_tz::UTC)
    }

    /// Digest of all maps but the exchange rates, as 16 hexadecimal characters; those have [`Meaning::rates_digest`].
    pub fn digest(&self) -> String {
        digest_of(&Self {
            fx_rates: FxRates::new(),
            ..self.clone()
        })
    }

    /// Adds the faults of the maps.
    pub(crate) fn validate(&self, fault: &mut impl FnMut(&str, String)) {
        if self.zone.parse::<chrono_tz::Tz>().is_err() {
            fault(
                "meaning.zone",
                format!(
                    "is {:?}; give an IANA name such as America/Argentina/Buenos_Aires",
                    self.zone
                ),
            );
        }
        if !is_currency(&self.currency) {
            fault(
                "meaning.currency",
                format!("is {:?}; give three capital letters such as USD", self.currency),
            );
        }
        if self
            .order_status
            .values()
            .any(|class| *class == OrderClass::Unmapped)
        {
            fault(
                "meaning.order_status",
                "maps a status to unmapped; leave that status out instead".into(),
            );
        }
        let keys = self
            .order_status
            .keys()
            .chain(self.payment_alias.keys())
            .chain(self.plans.keys());
        for key in keys.filter(|key| **key != folded(key)) {
            fault(
                "meaning",
                format!("has the key {key:?}; keys are lower case without blanks at the ends"),
            );
        }
        // Names become parts of Redis fields and of JSON keys.
        for name in self
            .payment_alias
            .values()
            .chain(self.plans.values().map(|plan| &plan.tier))
        {
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                fault(
                    "meaning",
                    format!("has the name {name:?}; names are letters, digits and underscores"),
                );
            }
        }
        if self.session_gap_minutes == 0 {
            fault(
                "meaning.session_gap_minutes",
                "is 0; it must be at least 1".into(),
            );
        }
        self.validate_commission(fault);
        self.validate_rates(fault);
        self.validate_regions(fault);
    }
}
