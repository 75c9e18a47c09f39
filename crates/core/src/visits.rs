//! Store visits: a timeline of events and orders of one actor at one store, cut where nothing happened for a while
//! (docs: kpis 1.3, D6 to D8).

use serde::{Deserialize, Serialize};

/// What happened at a stop, as far as visits tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StopKind {
    /// A page was seen.
    #[serde(rename = "v")]
    PageView,
    /// A product was seen.
    #[serde(rename = "p")]
    ProductView,
    /// A search.
    #[serde(rename = "s")]
    Search,
    /// Something was put into the cart.
    #[serde(rename = "a")]
    AddToCart,
    /// Something was taken out of the cart.
    #[serde(rename = "r")]
    RemoveFromCart,
    /// The checkout began.
    #[serde(rename = "c")]
    BeginCheckout,
    /// Any other behaviour event, also `purchase`: money comes from the order, the event only links it (docs: kpis 1.3a).
    #[serde(rename = "x")]
    Other,
    /// A placed order that did not fail. It sorts behind events of the same moment.
    #[serde(rename = "o")]
    Order,
}

impl StopKind {
    /// Kind of a behaviour event.
    pub fn of_event(event_type: &str) -> Self {
        match event_type {
            "page_view" => Self::PageView,
            "product_view" => Self::ProductView,
            "search" => Self::Search,
            "add_to_cart" => Self::AddToCart,
            "remove_from_cart" => Self::RemoveFromCart,
            "begin_checkout" => Self::BeginCheckout,
            _ => Self::Other,
        }
    }
}

/// One event or order on a timeline. Sorted by time, events before orders, then by source key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stop {
    /// Business time, microseconds since the epoch, UTC.
    pub at: i64,
    /// True for an order.
    pub is_order: bool,
    /// `behavior_id` or `transaction_id`.
    pub id: i64,
    /// What happened.
    pub kind: StopKind,
    /// Product of a behaviour event.
    pub product: Option<i64>,
}

/// How a visit ends, exclusive and exhaustive (D7). A visit that may still go on is told apart by its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VisitOutcome {
    /// An order that did not fail.
    Conversion,
    /// Something was left in the cart.
    CartAbandonment,
    /// Under two views, under ten seconds, and no step towards an order.
    Bounce,
    /// Anything else.
    Browse,
}

impl VisitOutcome {
    /// All outcomes.
    pub const ALL: [Self; 4] = [
        Self::Conversion,
        Self::CartAbandonment,
        Self::Bounce,
        Self::Browse,
    ];

    /// Name in the marts and in Redis.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversion => "conversion",
            Self::CartAbandonment => "cart_abandonment",
            Self::Bounce => "bounce",
            Self::Browse => "browse",
        }
    }

    /// Finds an outcome by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// Seconds below which a visit with fewer than two views bounced.
const BOUNCE_MICROS: i64 = 10_000_000;

/// A visit, as far as it was followed: enough to go on with it at its next stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visit {
    /// When it began, microseconds since the epoch, UTC.
    pub start: i64,
    /// When its last stop was.
    pub end: i64,
    /// Behaviour events; orders alone make no visit.
    pub events: i64,
    /// Views of pages and products.
    pub views: i64,
    /// Additions to the cart.
    pub adds: i64,
    /// Removals from the cart.
    pub removes: i64,
    /// Checkouts that began.
    pub checkouts: i64,
    /// Orders.
    pub purchases: i64,
    /// Last step of the closed funnel that was reached, 0 to 5: visit, viewed, product viewed, added to cart, checkout,
    /// purchase; each counts only at or after the one before it (docs: kpis M8).
    pub reached: u8,
}

impl Visit {
    /// Follows the visit over more stops, in order: all of those of a moment at once, for the funnel takes them in any order.
    fn follow(mut self, stops: &[Stop]) -> Self {
        let count =
            |kinds: &[StopKind]| stops.iter().filter(|stop| kinds.contains(&stop.kind)).count() as i64;
        if let Some(last) = stops.last() {
            self.end = last.at;
        }
        self.events += stops.iter().filter(|stop| !stop.is_order).count() as i64;
        self.views += count(&[StopKind::PageView, StopKind::ProductView]);
        self.adds += count(&[StopKind::AddToCart]);
        self.removes += count(&[StopKind::RemoveFromCart]);
        self.checkouts += count(&[StopKind::BeginCheckout]);
        self.purchases += count(&[StopKind::Order]);
        self.reached = reached(self.reached, stops);
        self
    }

    /// False while there are only orders.
    pub const fn is_visit(&self) -> bool {
        self.events > 0
    }

    /// From the first stop to the last, in microseconds (D8).
    pub const fn micros(&self) -> i64 {
        self.end - self.start
    }

    /// How it ends if nothing more happens.
    pub const fn outcome(&self) -> VisitOutcome {
        if self.purchases > 0 {
            VisitOutcome::Conversion
        } else if self.adds > self.removes {
            VisitOutcome::CartAbandonment
        } else if self.micros() < BOUNCE_MICROS && self.views < 2 && self.adds == 0 && self.checkouts == 0 {
            VisitOutcome::Bounce
        } else {
            VisitOutcome::Browse
        }
    }

    /// True when a stop at this moment still belongs to it: no more than `gap` microseconds after its last.
    pub const fn reaches(&self, at: i64, gap: i64) -> bool {
        at.saturating_sub(self.end) <= gap
    }
}

/// The closed funnel, step by step from those reached before: the earliest moment of each step that is not before the step
/// before it.
fn reached(before: u8, stops: &[Stop]) -> u8 {
    const STEPS: [&[StopKind]; 5] = [
        &[StopKind::PageView, StopKind::ProductView, StopKind::Search],
        &[StopKind::ProductView],
        &[StopKind::AddToCart],
        &[StopKind::BeginCheckout, StopKind::Order],
        &[StopKind::Order],
    ];
    let mut since = i64::MIN;
    let mut reached = before;
    for kinds in STEPS.iter().skip(usize::from(before)) {
        let first = stops
            .iter()
            .find(|stop| stop.at >= since && kinds.contains(&stop.kind));
        let Some(first) = first else { break };
        since = first.at;
        reached += 1;
    }
    reached
}

/// Cuts a sorted piece of a timeline into visits, orders alone included: more than `gap` microseconds without a stop end
/// one. The first goes on with the visit that is `carried` over from the piece before, if there is one.
pub fn visits(carried: Option<Visit>, stops: &[Stop], gap: i64) -> impl Iterator<Item = Visit> {
    let mut carried = carried;
    stops
        .chunk_by(move |before, after| after.at.saturating_sub(before.at) <= gap)
        .map(move |stops| {
            let begun = carried.take().unwrap_or(Visit {
                start: stops[0].at,
                ..Visit::default()
            });
            begun.follow(stops)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const GAP: i64 = 30 * MINUTE;

    /// `12p` is a product view at minute 12; letters as in the stored form.
    fn timeline(text: &str) -> Vec<Stop> {
        let stops = text.split_whitespace().zip(1..).map(|(stop, id)| {
            let (at, kind) = stop.split_at(stop.len() - 1);
            let kind: StopKind = serde_json::from_str(&format!("\"{kind}\"")).unwrap();
            Stop {
                at: (at.parse::<f64>().unwrap() * MINUTE as f64) as i64,
                is_order: kind == StopKind::Order,
                id,
                kind,
                product: None,
            }
        });
        let mut stops: Vec<_> = stops.collect();
        stops.sort_unstable();
        stops
    }

    #[test]
    fn visits_outcomes_and_funnel() {
        use VisitOutcome::{Bounce, Browse, CartAbandonment, Conversion};
        let cases: &[(&str, &[(VisitOutcome, u8)])] = &[
            ("", &[]),
            ("0v", &[(Bounce, 1)]),
            ("0x", &[(Bounce, 0)]),
            ("0v 0.1v", &[(Browse, 1)]),
            ("0v 0.2x", &[(Browse, 1)]),
            ("0v 30p", &[(Browse, 2)]),
            ("0v 30.01p", &[(Bounce, 1), (Bounce, 2)]),
            ("0o", &[]),
            ("0v 5o", &[(Conversion, 1)]),
            ("0v 5o 36v", &[(Conversion, 1), (Bounce, 1)]),
            ("0p 1a 2c 3o", &[(Conversion, 5)]),
            ("0p 1a 3o", &[(Conversion, 5)]),
            ("0p 1c 2a 3o", &[(Conversion, 5)]),
            ("0a 1p 2o", &[(Conversion, 2)]),
            ("0p 1a", &[(CartAbandonment, 3)]),
            ("0p 1a 2r", &[(Browse, 3)]),
            ("0p 1a 2r 3a", &[(CartAbandonment, 3)]),
            ("0c", &[(Browse, 0)]),
            ("0p 0a 0c 0o", &[(Conversion, 5)]),
            ("0o 20v", &[(Conversion, 1)]),
        ];
        for (text, expected) in cases {
            let stops = timeline(text);
            let found = |visits: &mut dyn Iterator<Item = Visit>| -> Vec<_> {
                visits
                    .filter(Visit::is_visit)
                    .map(|visit| (visit.outcome(), visit.reached))
                    .collect()
            };
            assert_eq!(found(&mut visits(None, &stops, GAP)), *expected, "{text}");
            // The same in two pieces, wherever time is cut.
            for cut in stops.iter().map(|stop| stop.at) {
                let (before, after) = stops.split_at(stops.partition_point(|stop| stop.at < cut));
                let mut visits_before: Vec<_> = visits(None, before, GAP).collect();
                let carried = visits_before.pop_if(|visit| visit.reaches(cut, GAP));
                let all = visits_before.into_iter().chain(visits(carried, after, GAP));
                assert_eq!(found(&mut { all }), *expected, "{text} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_visit_lasts_from_its_first_event_to_its_last() {
        let stops = timeline("10v 12p 20o");
        let visit = visits(None, &stops, GAP).next().unwrap();
        assert_eq!(
            (visit.start, visit.end, visit.micros()),
            (10 * MINUTE, 20 * MINUTE, 10 * MINUTE)
        );
        assert_eq!((visit.views, visit.purchases), (2, 1));
    }

    #[test]
    fn outcomes_are_found_by_name() {
        for outcome in VisitOutcome::ALL {
            assert_eq!(VisitOutcome::from_name(outcome.name()), Some(outcome));
        }
        assert_eq!(VisitOutcome::from_name("in_progress"), None);
    }
}
