//! Changes that come on their own: prices, plans, addresses, assortments, and what is deleted.

use chrono::{DateTime, Utc};
use instashop_core::money::Cents;
use instashop_core::table::Table;

use super::Market;
use crate::simulate::action::{Action, COMPLETED, REFUNDED};
use crate::simulate::catalogue::{CATEGORIES, assortment, offer, other_category, price_scale, store_host};
use crate::simulate::dice::Dice;
use crate::simulate::geography::address;
use crate::simulate::habits::Edit;
use crate::simulate::people::{email, name, phone, plain};
use crate::simulate::programme::Programme;
use crate::simulate::row::{BuyerRow, CustomerRow, MembershipRow, MovementRow, ProductRow, StockRow};
use crate::simulate::shelf::{Level, WAREHOUSES};
use crate::simulate::shop::{Buyer, Product};

/// The plans a store can be on (D1).
pub(crate) const PLANS: &[&str] = &["Free", "Basic", "Premium", "Enterprise"];

/// The live phase opens no store and offers no product beyond these numbers, however long it runs.
const MOST_STORES: usize = 60;
const MOST_PRODUCTS: usize = 5000;

/// How many people who signed up and bought nothing are remembered.
const LURKERS: usize = 50;

impl Market {
    /// Carries out one change of a kind, if there is anything it can be done to.
    pub(super) fn edit(&mut self, edit: Edit, now: DateTime<Utc>) {
        match edit {
            Edit::Reprice => self.reprice(),
            Edit::Refile => self.refile(),
            Edit::Relist => self.relist(),
            Edit::Offer => self.offer(now),
            Edit::Plan => self.change_plan(),
            Edit::Open => self.open_store(),
            Edit::Move => self.move_buyer(),
            Edit::SignUp => self.lurk(),
            Edit::DeleteBuyer => {
                if let Some(buyer) = self.lurkers.pop_front() {
                    self.act(Action::DeleteBuyer(buyer));
                }
            }
            Edit::Segment => self.change_segment(),
            Edit::Forget => {
                if let Some(row) = self.cart_rows.pop_front() {
                    self.act(Action::Forget(row));
                }
            }
            Edit::ReversePast => {
                if let Some(order) = self.past_order() {
                    self.act(Action::Resolve {
                        order,
                        from: COMPLETED,
                        to: REFUNDED,
                    });
                }
            }
            Edit::DeletePast => {
                if let Some(order) = self.past_order() {
                    self.act(Action::DeleteOrder(order));
                    self.act(Action::Unship(order));
                }
            }
            Edit::Shrink => self.shrink(now),
            Edit::Incident => self.begin_incident(now),
        }
    }

    fn past_order(&mut self) -> Option<i64> {
        (!self.past_orders.is_empty()).then(|| {
            let at = self.dice.between(0, self.past_orders.len() as i64 - 1) as usize;
            self.past_orders.swap_remove(at)
        })
    }

    /// Orders of earlier days that may be paid back or deleted.
    pub(crate) fn know_past_orders(&mut self, orders: Vec<i64>) {
        self.past_orders = orders;
    }

    /// Memberships that may end.
    pub(crate) fn know_memberships(&mut self, memberships: Vec<i64>) {
        self.memberships = memberships.into();
    }

    fn draw_product_id(&mut self) -> Option<i64> {
        let store = self.shop.draw_store(&mut self.dice)?.id;
        self.shop
            .draw_product(store, &mut self.dice)
            .map(|product| product.id)
    }

    fn reprice(&mut self) {
        let Some(id) = self.draw_product_id() else { return };
        let factor = self.dice.between(88, 116);
        if let Some(product) = self.shop.product_mut(id) {
            // Ninety cents at the end, as shops write prices.
            let price: Cents = (product.price * factor / 10_000).max(1) * 100 + 90;
            product.price = price;
            self.act(Action::Reprice { product: id, price });
        }
    }

    fn refile(&mut self) {
        let Some(id) = self.draw_product_id() else { return };
        if let Some(product) = self.shop.product_mut(id) {
            let category = other_category(&product.category, &mut self.dice);
            category.clone_into(&mut product.category);
            self.act(Action::Refile {
                product: id,
                category,
            });
        }
    }

    fn relist(&mut self) {
        let off: Vec<i64> = self
            .shop
            .products()
            .iter()
            .filter(|product| !product.active)
            .map(|product| product.id)
            .collect();
        let many = off.len() * 12 > self.shop.products().len();
        let (id, status) = match self.dice.choose(&off) {
            Some(id) if many || self.dice.chance(0.5) => (Some(id), "active"),
            _ => (self.draw_product_id(), "inactive"),
        };
        let Some(id) = id else { return };
        if let Some(product) = self.shop.product_mut(id) {
            product.active = status == "active";
            self.shop.arrange();
            self.act(Action::Relist { product: id, status });
        }
    }

    fn offer(&mut self, now: DateTime<Utc>) {
        if self.shop.products().len() >= MOST_PRODUCTS {
            return;
        }
        let stores: Vec<i64> = self.shop.stores().iter().map(|store| store.id).collect();
        let Some(store) = self.dice.choose(&stores) else {
            return;
        };
        let category = match self.shop.draw_product(store, &mut self.dice) {
            Some(product) => CATEGORIES.iter().position(|known| known.name == product.category),
            None => None,
        };
        let category = category.unwrap_or_else(|| assortment(&mut self.dice)[0]);
        self.offer_product(store, category, "active", now);
    }

    /// Puts a new product on sale and into one or two warehouses.
    pub(crate) fn offer_product(
        &mut self,
        store: i64,
        category: usize,
        status: &'static str,
        now: DateTime<Utc>,
    ) {
        let scale = price_scale(&self.currency);
        let offer = offer(category, scale, &mut self.dice);
        let Some(id) = self.ids.take(Table::Product) else {
            return;
        };
        self.act(Action::OfferProduct(ProductRow {
            id,
            store,
            image_url: format!("https://img.instashop.example/{}-{id}.jpg", plain(&offer.name)),
            name: offer.name,
            description: offer.description,
            category: offer.category.to_owned(),
            price: offer.price,
            currency: self.currency.clone(),
            status,
        }));
        self.shop.add_product(Product {
            id,
            store,
            category: offer.category.to_owned(),
            price: offer.price,
            active: status == "active",
        });
        if self.tenure.is_none() {
            self.shop.arrange();
            self.stock_product(id, now);
        }
    }

    /// Gives a product its stock rows, and writes the movements that filled them.
    pub(crate) fn stock_product(&mut self, product: i64, now: DateTime<Utc>) {
        let (reorder_point, filling) = self.stocking(product);
        let main = self.dice.between(0, WAREHOUSES.len() as i64 - 1) as usize;
        let second = self.dice.chance(0.25).then_some((main + 1) % WAREHOUSES.len());
        for (warehouse, share) in std::iter::once((main, 1.0)).chain(second.map(|second| (second, 0.3))) {
            let Some(id) = self.ids.take(Table::Stock) else {
                return;
            };
            let Some(movement) = self.ids.take(Table::InventoryMovement) else {
                return;
            };
            let available = (filling as f64 * share).ceil() as i64;
            let reorder_point = (reorder_point as f64 * share).ceil() as i64;
            self.act(Action::Store(StockRow {
                id,
                product,
                available: 0,
                reorder_point,
                warehouse: WAREHOUSES[warehouse],
            }));
            self.shelf.add(Level {
                stock: id,
                product,
                available,
                reorder_point,
                on_order: false,
            });
            self.act(Action::MoveGoods {
                stock: id,
                delta: available,
                movement: MovementRow {
                    id: movement,
                    product,
                    at: now,
                    direction: "in",
                    quantity: available,
                    reason: "initial",
                },
            });
        }
    }

    fn change_plan(&mut self) {
        let ids: Vec<i64> = self.shop.stores().iter().map(|store| store.id).collect();
        let Some(id) = self.dice.choose(&ids) else {
            return;
        };
        let Some(store) = self.shop.store_mut(id) else {
            return;
        };
        let at = PLANS.iter().position(|plan| *plan == store.plan).unwrap_or(0);
        // One step up more often than one step down.
        let step_up = at == 0 || (at + 1 < PLANS.len() && self.dice.chance(0.6));
        let plan = PLANS[if step_up { at + 1 } else { at - 1 }];
        plan.clone_into(&mut store.plan);
        self.act(Action::ChangePlan { store: id, plan });
    }

    fn open_store(&mut self) {
        if self.shop.stores().len() >= MOST_STORES {
            return;
        }
        let Some(id) = self.ids.take(Table::Customer) else {
            return;
        };
        let row = store_row(id, &format!("Tienda {id}"), "Free", &mut self.dice);
        self.act(Action::OpenStore(row));
    }

    fn move_buyer(&mut self) {
        let buyers = self.shop.buyers();
        if buyers.is_empty() {
            return;
        }
        let at = self.dice.between(0, buyers.len() as i64 - 1) as usize;
        let buyer = buyers[at].id;
        let address = address(&mut self.dice).text;
        self.shop.move_buyer(buyer, &address);
        self.act(Action::Move { buyer, address });
    }

    /// A new buyer, known to the shop at once.
    pub(super) fn sign_up(&mut self) -> Option<i64> {
        let id = self.ids.take(Table::Buyer)?;
        let row = buyer_row(id, &mut self.dice);
        self.shop.add_buyer(Buyer {
            id,
            address: row.address.clone(),
        });
        self.act(Action::SignUp(row));
        Some(id)
    }

    fn lurk(&mut self) {
        let Some(id) = self.ids.take(Table::Buyer) else {
            return;
        };
        let row = buyer_row(id, &mut self.dice);
        self.act(Action::SignUp(row));
        self.lurkers.push_back(id);
        self.aside.insert(id);
        if self.lurkers.len() > LURKERS {
            self.lurkers.pop_front();
        }
    }

    /// True for somebody who is never to order: a row about to be deleted must not get one.
    pub(crate) fn is_aside(&self, buyer: i64) -> bool {
        self.aside.contains(&buyer)
    }

    fn change_segment(&mut self) {
        let stores: Vec<i64> = self.shop.stores().iter().map(|store| store.id).collect();
        let (Some(store), Some(segment)) =
            (self.dice.choose(&stores), self.dice.choose(self.shop.segments()))
        else {
            return;
        };
        if self.memberships.len() > stores.len()
            && let Some(old) = self.memberships.pop_front()
        {
            self.act(Action::Leave(old));
            return;
        }
        let Some(id) = self.ids.take(Table::CustomerSegment) else {
            return;
        };
        self.memberships.push_back(id);
        self.act(Action::Join(MembershipRow { id, store, segment }));
    }

    fn begin_incident(&mut self, now: DateTime<Utc>) {
        let entry = Programme::live_incident(&self.shop, self.incident_turn, now, &mut self.dice);
        self.incident_turn += 1;
        if let Some(entry) = entry {
            self.programme.push(entry.clone());
            self.incidents.push(entry);
        }
    }
}

/// A store's row.
pub(crate) fn store_row(id: i64, business_name: &str, plan: &'static str, dice: &mut Dice) -> CustomerRow {
    let name = name(dice);
    let host = store_host(business_name);
    CustomerRow {
        id,
        email: email(&name, id, dice),
        name,
        business_name: business_name.to_owned(),
        phone: phone(dice),
        plan,
        logo_url: format!("https://{host}/logo.png"),
        store_url: format!("https://{host}"),
    }
}

/// A buyer's row.
pub(crate) fn buyer_row(id: i64, dice: &mut Dice) -> BuyerRow {
    let name = name(dice);
    BuyerRow {
        id,
        email: email(&name, id, dice),
        name,
        phone: phone(dice),
        address: address(dice).text,
    }
}
