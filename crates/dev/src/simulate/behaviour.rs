//! A visit to a store's web page, from the first page to the purchase or, mostly, to somewhere before it.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::catalogue::{FRUITLESS_SEARCHES, search_term};
use super::dice::Dice;
use super::shop::Shop;

/// Share of the visits that end with an order placed, measured; the arrivals of the history count with it.
pub(crate) const CONVERSION: f64 = 0.077;

/// Share of the visits that leave after one page.
const BOUNCE: f64 = 0.38;
/// Share of the others that search.
const SEARCHES: f64 = 0.35;
/// Share of the searches that find nothing.
const FRUITLESS: f64 = 0.09;
/// Share of the product views that put the product into the cart.
const ADDS: f64 = 0.15;
/// Share of the carts that lose a product again.
const REMOVES: f64 = 0.14;
/// Share of the filled carts that come to the checkout.
const CHECKS_OUT: f64 = 0.56;
/// Share of the checkouts that place an order.
const ORDERS: f64 = 0.78;

/// One step of a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    PageView(&'static str),
    ProductView(i64),
    Search {
        term: String,
        results: i64,
    },
    AddToCart(i64),
    RemoveFromCart(i64),
    BeginCheckout,
    /// The order is placed. Not a behaviour row: the order itself is the event.
    Order,
    /// The page that thanks for the order.
    Purchase {
        order: i64,
    },
}

impl Step {
    /// The event type of the behaviour row, in the vocabulary of docs/kpis 1.3a; nothing for the order itself.
    pub(crate) const fn event(&self) -> Option<&'static str> {
        match self {
            Self::PageView(_) => Some("page_view"),
            Self::ProductView(_) => Some("product_view"),
            Self::Search { .. } => Some("search"),
            Self::AddToCart(_) => Some("add_to_cart"),
            Self::RemoveFromCart(_) => Some("remove_from_cart"),
            Self::BeginCheckout => Some("begin_checkout"),
            Self::Order => None,
            Self::Purchase { .. } => Some("purchase"),
        }
    }

    /// The product the step is about.
    pub(crate) const fn product(&self) -> Option<i64> {
        match self {
            Self::ProductView(product) | Self::AddToCart(product) | Self::RemoveFromCart(product) => {
                Some(*product)
            }
            _ => None,
        }
    }
}

/// A visit under way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Visit {
    pub(crate) buyer: i64,
    pub(crate) store: i64,
    pub(crate) session: String,
    device: &'static str,
    region: &'static str,
    /// Steps to come, each with the seconds since the step before it.
    pub(crate) steps: VecDeque<(f64, Step)>,
    /// What is in the cart now.
    pub(crate) cart: Vec<i64>,
}

impl Visit {
    /// Plans a visit of a buyer to a store. It has at least one step, and the first is a page view.
    pub(crate) fn plan(shop: &Shop, buyer: i64, store: i64, region: &'static str, dice: &mut Dice) -> Self {
        let device = match dice.unit() {
            x if x < 0.68 => "mobile",
            x if x < 0.94 => "desktop",
            _ => "tablet",
        };
        let mut steps = VecDeque::from([(0.0, Step::PageView("home"))]);
        if !dice.chance(BOUNCE) {
            browse(shop, store, &mut steps, dice);
        }
        Self {
            buyer,
            store,
            session: format!("sess_{:016x}", dice.bits()),
            device,
            region,
            steps,
            cart: Vec::new(),
        }
    }

    /// Keeps the cart up to date with a step that was taken.
    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::AddToCart(product) if !self.cart.contains(product) => self.cart.push(*product),
            Step::RemoveFromCart(product) => self.cart.retain(|held| held != product),
            _ => {}
        }
    }

    /// The JSON of the column `metadata`: who, with what, from where, and what the step adds (D5).
    pub(crate) fn metadata(&self, step: &Step) -> String {
        let mut map = Map::new();
        map.insert("buyer_id".into(), self.buyer.into());
        map.insert("device_type".into(), self.device.into());
        map.insert("region".into(), self.region.into());
        match step {
            Step::PageView(page) => {
                map.insert("page".into(), (*page).into());
            }
            Step::Search { term, results } => {
                map.insert("search_term".into(), term.as_str().into());
                map.insert("results_count".into(), (*results).into());
            }
            Step::Purchase { order } => {
                map.insert("order_id".into(), (*order).into());
            }
            _ => {}
        }
        Value::Object(map).to_string()
    }
}

/// Seconds a visitor spends before the next step.
fn pause(dice: &mut Dice) -> f64 {
    dice.exponential(24.0).clamp(2.0, 420.0)
}

fn browse(shop: &Shop, store: i64, steps: &mut VecDeque<(f64, Step)>, dice: &mut Dice) {
    if dice.chance(0.4) {
        steps.push_back((
            pause(dice),
            Step::PageView(dice.pick(&["category", "offers", "about"])),
        ));
    }
    if dice.chance(SEARCHES) {
        steps.push_back((pause(dice), search(shop, store, dice)));
    }
    let mut cart: Vec<i64> = Vec::new();
    loop {
        if let Some(product) = shop.draw_product(store, dice).map(|product| product.id) {
            steps.push_back((pause(dice), Step::ProductView(product)));
            if dice.chance(ADDS) && !cart.contains(&product) {
                steps.push_back((pause(dice), Step::AddToCart(product)));
                cart.push(product);
            }
        }
        if !dice.chance(0.58) {
            break;
        }
    }
    if !cart.is_empty() && dice.chance(REMOVES) {
        let product = dice.pick(&cart);
        steps.push_back((pause(dice), Step::RemoveFromCart(product)));
        cart.retain(|held| *held != product);
    }
    if !cart.is_empty() && dice.chance(CHECKS_OUT) {
        steps.push_back((pause(dice), Step::BeginCheckout));
        if dice.chance(ORDERS) {
            steps.push_back((pause(dice), Step::Order));
        }
    }
}

fn search(shop: &Shop, store: i64, dice: &mut Dice) -> Step {
    let category = shop
        .draw_product(store, dice)
        .map(|product| product.category.clone());
    match category {
        Some(category) if !dice.chance(FRUITLESS) => {
            let found = shop.found(store, &category) as i64;
            Step::Search {
                term: search_term(&category, dice).to_owned(),
                results: dice.between(1, found.max(1)),
            }
        }
        _ => Step::Search {
            term: (dice.pick(FRUITLESS_SEARCHES)).to_owned(),
            results: 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::nature::Nature;
    use crate::simulate::shop::{Bundling, Contents, Product, Store};

    fn shop() -> Shop {
        let contents = Contents {
            stores: vec![Store {
                id: 1,
                plan: "Free".into(),
            }],
            products: (1..=30)
                .map(|id| Product {
                    id,
                    store: 1,
                    category: "Libros".into(),
                    price: 1000,
                    active: true,
                })
                .collect(),
            ..Contents::default()
        };
        Shop::new(Nature::new(11), Bundling::Pairs, contents)
    }

    fn visits() -> Vec<Visit> {
        let shop = shop();
        let mut dice = Dice::new(4, "visits");
        (0..20_000)
            .map(|_| Visit::plan(&shop, 7, 1, "Chaco", &mut dice))
            .collect()
    }

    #[test]
    fn the_funnel_is_monotone_in_every_visit() {
        for visit in visits() {
            let steps: Vec<&Step> = visit.steps.iter().map(|(_, step)| step).collect();
            assert!(matches!(steps[0], Step::PageView(_)));
            let first = |wanted: fn(&Step) -> bool| steps.iter().position(|step| wanted(step));
            let viewed = first(|step| matches!(step, Step::ProductView(_)));
            let added = first(|step| matches!(step, Step::AddToCart(_)));
            let checked = first(|step| matches!(step, Step::BeginCheckout));
            let ordered = first(|step| matches!(step, Step::Order));
            for (earlier, later) in [(viewed, added), (added, checked), (checked, ordered)] {
                assert!(
                    later.is_none_or(|later| earlier.is_some_and(|earlier| earlier < later)),
                    "{steps:?}"
                );
            }
            for (at, step) in steps.iter().enumerate() {
                if let Step::RemoveFromCart(product) = step {
                    assert!(steps[..at].contains(&&Step::AddToCart(*product)));
                }
            }
            assert!(visit.steps.iter().all(|(gap, _)| (0.0..=420.0).contains(gap)));
        }
    }

    /// Mean number of steps of a visit, the order among them.
    const STEPS_PER_VISIT: f64 = 3.3;

    #[test]
    fn measured_rates_are_the_stated_ones() {
        let visits = visits();
        let n = visits.len() as f64;
        let with = |wanted: fn(&Step) -> bool| {
            visits
                .iter()
                .filter(|visit| visit.steps.iter().any(|(_, step)| wanted(step)))
                .count() as f64
                / n
        };
        let conversion = with(|step| *step == Step::Order);
        assert!((conversion - CONVERSION).abs() < 0.01, "conversion {conversion}");
        let rows: usize = visits.iter().map(|visit| visit.steps.len()).sum();
        let per_visit = rows as f64 / n;
        assert!((per_visit - STEPS_PER_VISIT).abs() < 0.3, "rows {per_visit}");
        let bounced = visits.iter().filter(|visit| visit.steps.len() == 1).count() as f64 / n;
        assert!((0.3..0.45).contains(&bounced), "bounce {bounced}");
    }

    #[test]
    fn metadata_says_who_and_what() {
        let mut visit = visits().swap_remove(0);
        visit.buyer = 7;
        visit.device = "mobile";
        let search = Step::Search {
            term: "\"ñandú\"".into(),
            results: 0,
        };
        let cases = [
            (
                Step::PageView("home"),
                r#"{"buyer_id":7,"device_type":"mobile","page":"home","region":"Chaco"}"#,
            ),
            (
                search,
                r#"{"buyer_id":7,"device_type":"mobile","region":"Chaco","results_count":0,"search_term":"\"ñandú\""}"#,
            ),
            (
                Step::Purchase { order: 99 },
                r#"{"buyer_id":7,"device_type":"mobile","order_id":99,"region":"Chaco"}"#,
            ),
        ];
        for (step, expected) in cases {
            assert_eq!(visit.metadata(&step), expected);
        }
    }
}
