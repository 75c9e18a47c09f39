//! An order before and after it is placed: what is in the basket, how it is paid, what becomes of it.

use chrono::{DateTime, Utc};
use instashop_core::money::Cents;
use serde::Serialize;

use super::dice::Dice;
use super::programme::Programme;
use super::shelf::Shelf;
use super::shop::Shop;

/// How an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    CreditCard,
    DebitCard,
    MercadoPago,
    PayPal,
    WireTransfer,
}

impl Method {
    const ALL: [(Self, f64); 5] = [
        (Self::CreditCard, 0.38),
        (Self::MercadoPago, 0.27),
        (Self::DebitCard, 0.18),
        (Self::WireTransfer, 0.10),
        (Self::PayPal, 0.07),
    ];

    /// Draws a method by how common it is.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut at = dice.unit();
        for (method, share) in Self::ALL {
            if at < share {
                return method;
            }
            at -= share;
        }
        Self::CreditCard
    }

    /// Name as the column `payment_method` holds it. The wire transfer has two spellings (D2).
    pub(crate) fn column(self, dice: &mut Dice) -> &'static str {
        match self {
            Self::CreditCard => "Credit Card",
            Self::DebitCard => "Debit Card",
            Self::MercadoPago => "Mercado Pago",
            Self::PayPal => "PayPal",
            Self::WireTransfer if dice.chance(0.1) => "Wire",
            Self::WireTransfer => "Wire Transfer",
        }
    }

    /// How often a payment fails on an ordinary day.
    pub(crate) const fn failure_rate(self) -> f64 {
        match self {
            Self::CreditCard => 0.055,
            Self::DebitCard => 0.045,
            Self::MercadoPago => 0.03,
            Self::PayPal => 0.035,
            Self::WireTransfer => 0.02,
        }
    }
}

/// A line before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) product: i64,
    pub(crate) quantity: i32,
    pub(crate) price: Cents,
}

/// What a buyer wants to pay for in one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Basket {
    pub(crate) items: Vec<Item>,
    /// Discount on the whole order, in percent.
    pub(crate) discount: i64,
}

/// How many lines an order has: the share of orders with at least this many more.
const ANOTHER_LINE: f64 = 0.46;

/// Most lines of an order.
const MOST_LINES: usize = 6;

/// How often the partner of a bundled product is taken along.
const BUNDLE_RATE: f64 = 0.42;

/// How often an order outside a promotion has a discount; with the promotions about 15 % of all orders have one.
const DISCOUNT_RATE: f64 = 0.12;

/// How often an order in a promotion makes use of it.
const PROMOTION_RATE: f64 = 0.75;

/// What the rules of the moment do to a basket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) shelf: &'a Shelf,
    pub(crate) programme: &'a Programme,
    pub(crate) now: DateTime<Utc>,
}

impl Moment<'_> {
    /// Fills a basket in a store with what is on its shelf; nothing when nothing drawn is in stock.
    pub(crate) fn basket(&self, store: i64, dice: &mut Dice) -> Option<Basket> {
        let mut items: Vec<Item> = Vec::new();
        loop {
            if let Some(product) = self.shop.draw_product(store, dice).map(|product| product.id) {
                self.put(product, store, &mut items, dice);
            }
            if items.len() >= MOST_LINES || !dice.chance(ANOTHER_LINE) {
                break;
            }
        }
        let discount = self.discount(store, dice);
        (!items.is_empty()).then_some(Basket { items, discount })
    }

    /// Makes a basket of products a visitor has put into the cart, as far as they are still there.
    pub(crate) fn checkout(&self, store: i64, products: &[i64], dice: &mut Dice) -> Option<Basket> {
        let mut items = Vec::new();
        for product in products {
            self.put(*product, store, &mut items, dice);
        }
        let discount = self.discount(store, dice);
        (!items.is_empty()).then_some(Basket { items, discount })
    }

    /// Puts a product into the basket and, often, what it is bundled with.
    fn put(&self, product: i64, store: i64, items: &mut Vec<Item>, dice: &mut Dice) {
        self.put_one(product, store, items, dice);
        if let Some(partner) = self.shop.partner(store, product).map(|partner| partner.id)
            && items.iter().any(|item| item.product == product)
            && dice.chance(BUNDLE_RATE)
        {
            self.put_one(partner, store, items, dice);
        }
    }

    fn put_one(&self, product: i64, store: i64, items: &mut Vec<Item>, dice: &mut Dice) {
        let Some(product) = self.shop.product(product) else {
            return;
        };
        if items.len() >= MOST_LINES || items.iter().any(|item| item.product == product.id) {
            return;
        }
        let few = match dice.unit() {
            x if x < 0.78 => 1,
            x if x < 0.94 => 2,
            _ => 3,
        };
        let wanted = few * self.programme.quantity(store, self.now);
        let quantity = wanted.min(self.shelf.free(product.id));
        if quantity > 0 && product.active {
            items.push(Item {
                product: product.id,
                quantity: quantity as i32,
                price: product.price,
            });
        }
    }

    fn discount(&self, store: i64, dice: &mut Dice) -> i64 {
        match self.programme.promotion(store, self.now) {
            Some(percent) if dice.chance(PROMOTION_RATE) => percent,
            _ if dice.chance(DISCOUNT_RATE) => dice.between(5, 25),
            _ => 0,
        }
    }
}

/// Sum of the lines, before any discount.
pub(crate) fn gross(items: &[Item]) -> Cents {
    items
        .iter()
        .map(|item| item.price * Cents::from(item.quantity))
        .sum()
}

/// What is to pay: the sum of the lines less the discount, which is rounded half up to the cent.
pub(crate) fn total(items: &[Item], discount_percent: i64) -> Cents {
    let gross = gross(items);
    gross - (gross * discount_percent + 50) / 100
}

/// What becomes of an order, drawn when it is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is paid.
    Paid,
    /// The payment fails.
    Declined,
    /// The buyer calls it off before it is paid.
    CalledOff,
    /// It stays open for long and is called off at last.
    Abandoned,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::nature::Nature;
    use crate::simulate::shelf::Level;
    use crate::simulate::shop::{Bundling, Contents, Product, Store};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_total_is_the_lines_less_the_discount_and_never_more(
            lines in proptest::collection::vec((1_i32..9, 1_i64..5_000_000), 1..7),
            percent in 0_i64..=30,
        ) {
            let items: Vec<Item> = lines
                .into_iter()
                .map(|(quantity, price)| Item { product: 1, quantity, price })
                .collect();
            let total = total(&items, percent);
            prop_assert!(total <= gross(&items));
            prop_assert!(total > 0);
            let discount = gross(&items) - total;
            prop_assert!((discount * 100 - gross(&items) * percent).abs() <= 50);
        }
    }

    fn shop(bundling: Bundling) -> Shop {
        let contents = Contents {
            stores: vec![Store {
                id: 1,
                plan: "Free".into(),
            }],
            products: (1..=24)
                .map(|id| Product {
                    id,
                    store: 1,
                    category: "Hogar".into(),
                    price: 100 * id,
                    active: true,
                })
                .collect(),
            ..Contents::default()
        };
        Shop::new(Nature::new(11), bundling, contents)
    }

    fn together(shop: &Shop, pair: (i64, i64)) -> (usize, usize) {
        let (shelf, programme) = (Shelf::default(), Programme::default());
        let moment = Moment {
            shop,
            shelf: &shelf,
            programme: &programme,
            now: "2025-07-01T12:00:00Z".parse().unwrap(),
        };
        let mut dice = Dice::new(2, "baskets");
        let mut counts = (0, 0);
        for _ in 0..5000 {
            let basket = moment.basket(1, &mut dice).unwrap();
            let has = |product| basket.items.iter().any(|item| item.product == product);
            counts.0 += usize::from(has(pair.0));
            counts.1 += usize::from(has(pair.0) && has(pair.1));
        }
        counts
    }

    #[test]
    fn bundled_products_are_bought_together_and_not_so_without_bundles() {
        let pair = shop(Bundling::Pairs).bundles()[0];
        let (alone, both) = together(&shop(Bundling::Pairs), pair);
        assert!(both * 3 > alone, "{both} of {alone}");
        let (alone, both) = together(&shop(Bundling::None), pair);
        assert!(both * 3 < alone, "{both} of {alone}");
    }

    #[test]
    fn what_is_not_in_stock_is_not_sold() {
        let shop = shop(Bundling::Pairs);
        let mut shelf = Shelf::default();
        for product in 1..=24 {
            shelf.add(Level {
                stock: product,
                product,
                available: i64::from(product == 5) * 2,
                reorder_point: 1,
                on_order: false,
            });
        }
        let programme = Programme::default();
        let moment = Moment {
            shop: &shop,
            shelf: &shelf,
            programme: &programme,
            now: "2025-07-01T12:00:00Z".parse().unwrap(),
        };
        let mut dice = Dice::new(2, "baskets");
        for _ in 0..500 {
            if let Some(basket) = moment.basket(1, &mut dice) {
                assert_eq!(basket.items.len(), 1);
                assert_eq!(basket.items[0].product, 5);
                assert!(basket.items[0].quantity <= 2);
            }
        }
    }

    #[test]
    fn methods_come_in_their_shares() {
        let mut dice = Dice::new(2, "methods");
        let cards = (0..10_000)
            .filter(|_| Method::draw(&mut dice) == Method::CreditCard)
            .count();
        assert!((3500..4100).contains(&cards), "{cards}");
    }
}
