//! Orders of one day, from a seed: the same day is the same whenever it is asked for.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

use crate::snapshot::today::midnight;

/// Name, category, price in cents, weight. The category of one is not known.
pub(super) static CATALOGUE: [(&str, &str, i64, u64); 24] = [
    ("Wireless headset", "Electronics", 7_990, 9),
    ("4K monitor", "Electronics", 21_900, 1),
    ("USB-C dock", "Electronics", 5_490, 5),
    ("Power bank 20k", "Electronics", 2_990, 8),
    ("Air purifier", "Home", 13_900, 1),
    ("Espresso machine", "Home", 14_900, 1),
    ("Cotton sheets", "Home", 3_450, 8),
    ("LED desk lamp", "Home", 2_490, 9),
    ("Running shoes 42", "Fashion", 7_450, 4),
    ("Linen shirt", "Fashion", 2_990, 8),
    ("Denim jacket", "Fashion", 5_200, 3),
    ("Wool socks", "Fashion", 890, 9),
    ("Face serum 30ml", "Beauty", 1_890, 10),
    ("Sun cream SPF 50", "Beauty", 1_350, 10),
    ("Hair dryer", "Beauty", 3_990, 3),
    ("Yoga mat", "Sports", 2_290, 5),
    ("Dumbbell 8kg", "Sports", 2_850, 3),
    ("Trail backpack", "Sports", 5_450, 2),
    ("Building blocks", "Toys", 2_490, 4),
    ("Board game", "Toys", 2_990, 3),
    ("Mate de calabaza", "Home", 1_650, 5),
    ("Libro Cien años", "Books", 1_490, 4),
    ("Cuaderno A5", "Books", 650, 5),
    ("Gift card", "unclassified", 2_000, 1),
];

/// Payment methods and their weight.
pub(super) static METHODS: [(&str, u64); 5] = [
    ("credit_card", 42),
    ("debit_card", 24),
    ("wallet", 18),
    ("paypal", 10),
    ("wire_transfer", 6),
];

/// Stores.
pub(super) static STORES: [&str; 9] = [
    "Acme Retail",
    "Nord Home",
    "Casa Viva",
    "TecnoSur",
    "Belleza Pura",
    "DeporteYa",
    "Luz & Co",
    "Mundo Toy",
    "Peñalosa Hnos.",
];

/// Orders an hour of an average day, in tenths of a percent of the day.
const HOURS: [u64; 24] = [
    14, 9, 6, 5, 6, 9, 16, 26, 38, 49, 56, 60, 58, 54, 52, 53, 55, 59, 66, 74, 79, 70, 49, 37,
];

/// Orders of a weekday, in percent, Monday first.
const WEEKDAYS: [u64; 7] = [90, 92, 95, 99, 116, 112, 96];

/// Orders of an average day.
const ORDERS: u64 = 18_600;

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Paid,
    Reversed,
    Open,
    Failed,
    Cancelled,
}

impl Class {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Paid => "recognised",
            Self::Reversed => "reversed",
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) at: DateTime<Utc>,
    /// Index into the catalogue; `None` for an order without lines.
    pub(super) product: Option<usize>,
    pub(super) units: i64,
    pub(super) amount_cents: i64,
    pub(super) class: Class,
    pub(super) method: usize,
    pub(super) store: usize,
    pub(super) buyer: u64,
}

impl Order {
    pub(super) const fn is_sale(&self) -> bool {
        matches!(self.class, Class::Paid | Class::Reversed)
    }

    pub(super) fn category(&self) -> &'static str {
        self.product.map_or("unattributed", |index| CATALOGUE[index].1)
    }
}

/// A number without pattern from three (splitmix64).
pub(super) const fn hash(seed: u64, a: u64, b: u64) -> u64 {
    let mut x = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(a.wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .wrapping_add(b.wrapping_mul(0x94d0_49bb_1331_11eb));
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 27;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn weighted(weights: impl Iterator<Item = u64> + Clone, chance: u64) -> usize {
    let mut left = chance % weights.clone().sum::<u64>().max(1);
    for (index, weight) in weights.enumerate() {
        if left < weight {
            return index;
        }
        left -= weight;
    }
    0
}

/// Orders of a day, oldest first. `number` counts the days since the shop opened: it grows a little every day.
pub(super) fn orders(seed: u64, day: NaiveDate, number: i64, zone: Tz) -> Vec<Order> {
    let start = midnight(day, zone);
    let end = midnight(day.succ_opt().unwrap_or(day), zone);
    let weekday = WEEKDAYS[day.weekday().num_days_from_monday() as usize];
    let mood = 94 + hash(seed, number as u64, 1) % 13;
    let growth = 1000 + number.max(0) as u64;
    // Thousandths of an order a day.
    let daily = ORDERS * weekday * mood * growth / 10_000;
    let mut orders = Vec::new();
    let mut carried = 0_u64;
    let minutes = (end - start).num_minutes();
    for minute in 0..minutes {
        let at = start + TimeDelta::minutes(minute);
        let local = at.with_timezone(&zone);
        let (hour, part) = (local.hour() as usize, u64::from(local.minute()));
        let share = HOURS[hour] * (60 - part) + HOURS[(hour + 1) % 24] * part;
        // Three waves and some noise, so that the curve has hills and not teeth alone.
        let chance = hash(seed, number as u64, 1000 + minute as u64);
        let wave = 100
            + hash(seed, number as u64, 20_000 + minute as u64 / 17) % 26
            + hash(seed, number as u64, 30_000 + minute as u64 / 7) % 18;
        let noise = 70 + chance % 31 + (chance >> 20) % 31;
        carried += daily * share / 3_600_000 * wave / 121 * noise / 100;
        let count = carried / 1000;
        carried %= 1000;
        for place in 0..count {
            orders.push(order(seed, at, number as u64, minute as u64, place, count));
        }
    }
    orders.sort_by_key(|order| order.at);
    let first = 100_000 + number * 1_000;
    for (order, id) in orders.iter_mut().zip(first..) {
        order.id = id;
    }
    orders
}

fn order(seed: u64, minute_start: DateTime<Utc>, day: u64, minute: u64, place: u64, count: u64) -> Order {
    let chance = hash(seed, day * 1440 + minute, 40_000 + place);
    let pick = |salt: u64| hash(chance, salt, 3);
    let product = weighted(CATALOGUE.iter().map(|product| product.3), pick(1));
    let units = [1, 1, 1, 1, 2, 2, 3][(pick(2) % 7) as usize];
    let discount = if pick(3).is_multiple_of(7) {
        75 + (pick(4) % 20) as i64
    } else {
        100
    };
    let method = weighted(METHODS.iter().map(|method| method.1), pick(5));
    // Wallet fails more often than the others.
    let failing = if METHODS[method].0 == "wallet" { 128 } else { 38 };
    let class = match pick(6) % 1000 {
        fate if fate < failing => Class::Failed,
        fate if fate < failing + 22 => Class::Open,
        fate if fate < failing + 30 => Class::Cancelled,
        fate if fate < failing + 41 => Class::Reversed,
        _ => Class::Paid,
    };
    let without_lines = pick(7).is_multiple_of(2500);
    let spread = 60_000 / count.max(1);
    let millis = (place * spread + pick(8) % spread.max(1)).min(59_999);
    Order {
        id: 0,
        at: minute_start + TimeDelta::milliseconds(millis as i64),
        product: (!without_lines).then_some(product),
        units,
        amount_cents: CATALOGUE[product].2 * units * discount / 100,
        class,
        method,
        store: (pick(9) % STORES.len() as u64) as usize,
        buyer: pick(10) % 52_000,
    }
}
