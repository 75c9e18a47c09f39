//! Buyers and behaviour of the generated shop.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use instashop_core::view::{
    Ask, BehaviourView, BuyerDay, BuyersView, Cohort, Outcome, Pair, Path, RfmSegment, SearchTerm,
    StoreFunnel, TopBuyer, VALUE_LIMITS_CENTS, Window,
};

use super::super::Shop;
use super::super::shop::STORES;
use super::pick;

/// Segments with their share of the buyers in thousandths and what one of them spent in a year, cents.
const SEGMENTS: [(&str, i64, i64); 8] = [
    ("active", 247, 37_800),
    ("loyal", 153, 100_500),
    ("promising", 141, 22_100),
    ("at_risk", 118, 15_400),
    ("dormant", 105, 9_200),
    ("new", 98, 6_800),
    ("champions", 75, 224_000),
    ("almost_lost", 63, 7_400),
];

/// Terms with their share of the searches and of those without a result, in thousandths.
const TERMS: [(&str, i64, i64); 10] = [
    ("headset", 162, 0),
    ("monitor 4k", 121, 4),
    ("zapatillas", 117, 880),
    ("serum", 80, 2),
    ("cafetera", 75, 410),
    ("usb-c dock", 60, 0),
    ("silla", 53, 1000),
    ("yoga mat", 41, 0),
    ("lampara", 33, 240),
    ("mate", 29, 0),
];

/// Paths with their share of the visits in thousandths.
const PATHS: [(&str, i64); 8] = [
    ("page_view > product_view", 142),
    ("search > product_view", 98),
    ("page_view > search > product_view", 71),
    ("page_view > product_view > add_to_cart", 44),
    ("page_view", 41),
    (
        "search > product_view > add_to_cart > begin_checkout > purchase",
        20,
    ),
    ("product_view > add_to_cart > begin_checkout", 17),
    ("page_view > search", 15),
];

impl Shop {
    /// Visits of a span of days, the running one in part.
    fn visits_of(&mut self, since: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
        let sum = self.span(since, until);
        let orders: i64 = sum.stores.iter().map(|store| store[0]).sum();
        orders * 1000 / 31
    }

    pub(super) fn buyers(&mut self, ask: Ask, window: Window, now: DateTime<Utc>) -> BuyersView {
        let seed = self.seed;
        let days: Vec<NaiveDate> = window
            .first
            .iter_days()
            .take_while(|day| *day <= window.last)
            .collect();
        let rows: Vec<BuyerDay> = days
            .iter()
            .map(|day| {
                let orders = self.book(*day).totals.orders;
                let number = day.num_days_from_ce() as u64;
                let new = orders * pick(seed, number, 51, 120, 150) / 1000;
                BuyerDay {
                    day: *day,
                    new,
                    returning: orders * pick(seed, number, 52, 430, 470) / 1000,
                }
            })
            .collect();
        let new: i64 = rows.iter().map(|day| day.new).sum();
        let active = new * 3 + new / 9;
        let before = |now: i64, mille: i64| Pair {
            now,
            before: now * 1000 / mille,
        };
        let mut view = BuyersView {
            active: before(active, 1039),
            new: before(new, 1120),
            returning: before(active * 679 / 1000, 1022),
            days: rows,
            ..BuyersView::default()
        };
        if ask.store.is_some() {
            return view;
        }
        view.retained = (19_860, 7_190);
        view.retained_before = (19_110, 6_994);
        view.median_cents = Some(18_600);
        let buyers = 51_510_i64;
        view.quiet = (buyers, buyers * 31 / 100, buyers * 14 / 100);
        view.segments = SEGMENTS
            .iter()
            .map(|(segment, share, cents)| RfmSegment {
                segment: (*segment).into(),
                buyers: buyers * share / 1000,
                cents: buyers * share / 1000 * cents,
            })
            .collect();
        view.grid = (0..5)
            .map(|r| {
                std::array::from_fn(|fm| {
                    400 + pick(seed, r, fm as u64, 0, 700) + (4 - r.abs_diff(fm as u64) as i64) * 620
                })
            })
            .collect();
        let today = self.today(now);
        let month = today.with_day(1).unwrap_or(today);
        view.cohorts = (0..12_u32)
            .rev()
            .filter_map(|back| {
                month
                    .checked_sub_months(Months::new(back))
                    .map(|month| (back, month))
            })
            .filter(|(_, month)| *month >= super::opened().with_day(1).unwrap_or(super::opened()))
            .map(|(back, month)| {
                let size = pick(seed, u64::from(back), 61, 5_900, 7_300);
                let months = (0..=back).map(|since| {
                    if since == 0 {
                        return Some(size);
                    }
                    let share = 480 - 85 * i64::from(since.min(2)) - 22 * i64::from(since.saturating_sub(2));
                    let share = share + pick(seed, u64::from(back), u64::from(since) + 70, -12, 12);
                    (since < back).then_some(size * share.max(120) / 1000)
                });
                Cohort {
                    month,
                    size,
                    months: months.collect(),
                }
            })
            .collect();
        let shares = [90, 130, 180, 210, 170, 120, 70, 30];
        view.values = shares
            .iter()
            .enumerate()
            .map(|(index, share)| (VALUE_LIMITS_CENTS.get(index).copied(), buyers * share / 1000))
            .collect();
        view.top = (0..40_u64)
            .map(|place| {
                let cents = 1_290_400 / (10 + place as i64) * 10 + pick(seed, place, 81, 0, 999);
                TopBuyer {
                    buyer_id: pick(seed, place, 82, 1_000, 51_999),
                    initials: (87..89)
                        .map(|salt| format!("{}.", (b'A' + pick(seed, place, salt, 0, 21) as u8) as char))
                        .collect::<Vec<_>>()
                        .join(" "),
                    orders: 8 + pick(seed, place, 83, 0, 33),
                    cents,
                    next_cents: cents * pick(seed, place, 84, 6, 14) / 10,
                    last_day: today.checked_sub_days(Days::new(pick(seed, place, 85, 0, 40) as u64)),
                    segment: if place < 18 { "champions" } else { "loyal" }.into(),
                    weeks: (0..12)
                        .map(|week| pick(seed, place * 12 + week, 86, 0, 3))
                        .collect(),
                }
            })
            .collect();
        view
    }

    pub(super) fn visits(&mut self, window: Window) -> BehaviourView {
        let seed = self.seed;
        let all = Pair {
            now: self.visits_of(window.since, window.until),
            before: self.visits_of(window.base_since, window.base_until),
        };
        // Shares of all visits in hundredths of a per cent, now and before.
        let part = |now: i64, before: i64| Pair {
            now: all.now * now / 10_000,
            before: all.before * before / 10_000,
        };
        let funnel = [
            all,
            part(9_500, 9_490),
            part(5_747, 5_702),
            part(1_367, 1_368),
            part(561, 548),
            part(308, 309),
        ];
        let outcome = |name: &str, visits: Pair| Outcome {
            outcome: name.into(),
            visits,
        };
        let searches = all.now * 13 / 100;
        let ended = part(9_620, 9_620);
        let with_cart = part(1_367, 1_368);
        let orders = funnel[5];
        let events = [
            ("page_view", 31_400, 30_900),
            ("product_view", 18_200, 18_100),
            ("search", 1_300, 1_310),
            ("add_to_cart", 1_900, 1_880),
            ("remove_from_cart", 410, 400),
            ("begin_checkout", 590, 570),
            ("purchase", 308, 309),
        ];
        BehaviourView {
            funnel,
            has_checkout: true,
            outcomes: vec![
                outcome("conversion", part(308, 309)),
                outcome("cart_abandonment", part(980, 965)),
                outcome("browse", part(5_212, 5_226)),
                outcome("bounce", part(3_120, 3_120)),
                outcome("in_progress", part(380, 380)),
            ],
            median_ms: [Some(192_000), Some(188_000)],
            ended,
            single: part(2_150, 2_160),
            with_cart,
            abandoned: part(980, 965),
            orders: Pair {
                now: orders.now * 1000 / 974,
                before: orders.before * 1000 / 974,
            },
            tracked: orders,
            open_carts: all.now / 900 + 3,
            searches: (searches, searches * 61 / 1000),
            terms: TERMS
                .iter()
                .map(|(term, share, zero)| SearchTerm {
                    term: (*term).into(),
                    searches: searches * share / 1000,
                    without_result: searches * share / 1000 * zero / 1000,
                })
                .collect(),
            paths: PATHS
                .iter()
                .map(|(path, share)| Path {
                    path: (*path).into(),
                    visits: all.now * share / 1000,
                })
                .collect(),
            exits: [
                ("product_view", 610),
                ("page_view", 240),
                ("search", 90),
                ("add_to_cart", 60),
            ]
            .iter()
            .map(|(page, share)| ((*page).into(), all.now * share / 1000))
            .collect(),
            events: events
                .iter()
                .map(|(kind, now, before)| ((*kind).into(), part(*now, *before)))
                .collect(),
            stores: STORES
                .iter()
                .enumerate()
                .map(|(index, name)| {
                    let visits = all.now / STORES.len() as i64 * pick(seed, index as u64, 95, 60, 140) / 100;
                    let share = |mille: i64| visits * mille / 1000;
                    let bought = pick(seed, index as u64, 96, 22, 48);
                    StoreFunnel {
                        store: (*name).into(),
                        steps: [
                            visits,
                            share(950),
                            share(575),
                            share(137),
                            share(56),
                            share(bought),
                        ],
                    }
                })
                .collect(),
            hours: (0..7)
                .map(|weekday| {
                    std::array::from_fn(|hour| {
                        let busy = [
                            2, 1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 11, 10, 9, 9, 9, 10, 11, 12, 13, 14, 12, 8, 5,
                        ][hour];
                        let visits = all.now * busy / 1250 + pick(seed, weekday, hour as u64, 0, 9);
                        (visits, visits / 10)
                    })
                })
                .collect(),
        }
    }
}
