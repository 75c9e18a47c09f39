//! From a paid order to the buyer's door: shipping methods, promises and how long it really takes.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::dice::Dice;
use super::geography::distance_days;
use super::shape::local_hour;

/// How an order is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shipping {
    Standard,
    Express,
    SameDay,
    Pickup,
}

/// Share of the parcels that miss their day, with an ordinary carrier and with the slow one.
pub(crate) const LATE: (f64, f64) = (0.04, 0.24);

/// Hour of the promised day at which a promise ends, local time.
const PROMISE_HOUR: i64 = 20;

impl Shipping {
    /// Draws a method. Only addresses near the capital get a delivery on the same day.
    pub(crate) fn draw(address: &str, dice: &mut Dice) -> Self {
        match dice.unit() {
            x if x < 0.60 => Self::Standard,
            x if x < 0.82 => Self::Express,
            x if x < 0.91 && distance_days(address) == 0 => Self::SameDay,
            x if x < 0.91 => Self::Standard,
            _ => Self::Pickup,
        }
    }

    /// Name as the column `shipping_method` holds it.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::Express => "Express",
            Self::SameDay => "Same Day",
            Self::Pickup => "Pickup",
        }
    }

    /// True when a carrier brings it.
    pub(crate) const fn has_carrier(self) -> bool {
        !matches!(self, Self::Pickup)
    }

    fn promised_days(self, address: &str) -> i64 {
        match self {
            Self::Standard => 3 + distance_days(address),
            Self::Express => 1 + distance_days(address) / 2,
            Self::SameDay => 0,
            Self::Pickup => 1,
        }
    }

    /// Until when it is promised: the evening of a local day.
    pub(crate) fn promise(self, address: &str, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let evening = local_hour(now, self.promised_days(address), PROMISE_HOUR, zone);
        if evening > now {
            evening
        } else {
            local_hour(now, self.promised_days(address) + 1, PROMISE_HOUR, zone)
        }
    }

    /// When it arrives: in time mostly, and otherwise up to three days after the promise.
    pub(crate) fn arrival(
        now: DateTime<Utc>,
        promise: DateTime<Utc>,
        late: bool,
        dice: &mut Dice,
    ) -> DateTime<Utc> {
        let promised_seconds = (promise - now).num_seconds().max(3600) as f64;
        let seconds = if late {
            promised_seconds + dice.real(9.0, 72.0) * 3600.0
        } else {
            promised_seconds * dice.real(0.45, 0.99)
        };
        now + chrono::TimeDelta::seconds(seconds as i64)
    }
}

/// The carriers of a new shop.
pub(crate) const CARRIERS: &[(&str, &str)] = &[
    ("Correo del Plata", "CDP"),
    ("Andes Cargo", "AND"),
    ("Pampa Express", "PEX"),
    ("Ruta 40 Logística", "R40"),
    ("Río Envíos", "RIO"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_lie_ahead_and_arrivals_keep_them_unless_late() {
        let zone = chrono_tz::America::Argentina::Buenos_Aires;
        let mut dice = Dice::new(1, "parcels");
        let far = "Calle Perú 1, Ushuaia, Tierra del Fuego, Argentina";
        let near = "Calle Perú 1, La Plata, Buenos Aires, Argentina";
        for hour in 0..48 {
            let now: DateTime<Utc> = "2025-07-01T00:30:00Z".parse().unwrap();
            let now = now + chrono::TimeDelta::hours(hour);
            for address in [far, near] {
                for method in [
                    Shipping::Standard,
                    Shipping::Express,
                    Shipping::SameDay,
                    Shipping::Pickup,
                ] {
                    let promise = method.promise(address, now, zone);
                    assert!(promise > now);
                    assert!(Shipping::arrival(now, promise, true, &mut dice) > promise);
                    if promise - now > chrono::TimeDelta::hours(1) {
                        assert!(Shipping::arrival(now, promise, false, &mut dice) <= promise);
                    }
                }
            }
            assert_ne!(Shipping::draw(far, &mut dice), Shipping::SameDay);
        }
    }
}
