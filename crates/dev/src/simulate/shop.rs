//! Who there is and what is on sale: the stores, products, buyers and carriers that can be chosen from.
//!
//! The history makes them up; the live phase takes them from the source databases as they are at the moment, whoever
//! filled them. Choices follow `nature`, so both phases prefer the same stores, products and pairs.

use std::collections::HashMap;

use instashop_core::money::Cents;

use super::dice::{Dice, Weighted};
use super::nature::Nature;

/// A store as far as the shop's life needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Store {
    pub(crate) id: i64,
    pub(crate) plan: String,
}

/// A product as far as the shop's life needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) store: i64,
    pub(crate) category: String,
    pub(crate) price: Cents,
    pub(crate) active: bool,
}

/// A buyer as far as the shop's life needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buyer {
    pub(crate) id: i64,
    pub(crate) address: String,
}

/// How buyers reach a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// By the web page: the visit is seen, and its order belongs to it.
    Web,
    /// By chat or telephone: there is only the order.
    Chat,
}

/// Everything that can be chosen from.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    nature: Nature,
    bundling: Bundling,
    stores: Vec<Store>,
    store_at: HashMap<i64, usize>,
    store_draw: Weighted,
    products: Vec<Product>,
    product_at: HashMap<i64, usize>,
    shelves: Vec<StoreShelf>,
    buyers: Vec<Buyer>,
    buyer_at: HashMap<i64, usize>,
    carriers: Vec<i64>,
    slow_carrier: Option<i64>,
    segments: Vec<i64>,
}

/// Whether some pairs of products are bought together more often than chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bundling {
    /// Pairs exist.
    Pairs,
    /// No pairs: the negative control.
    None,
}

/// The products one store offers now.
#[derive(Debug, Clone, Default)]
struct StoreShelf {
    products: Vec<usize>,
    draw: Weighted,
    partners: HashMap<i64, i64>,
}

/// The plain lists a shop is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) stores: Vec<Store>,
    pub(crate) products: Vec<Product>,
    pub(crate) buyers: Vec<Buyer>,
    pub(crate) carriers: Vec<i64>,
    pub(crate) segments: Vec<i64>,
}

/// One pair of products in a store is a bundle for every so many products it offers.
const PRODUCTS_PER_BUNDLE: usize = 12;

/// How many candidates are looked at for one buyer.
const BUYER_TRIES: usize = 80;

impl Shop {
    /// Builds the shop from its contents; the order of the lists does not matter.
    pub(crate) fn new(nature: Nature, bundling: Bundling, mut contents: Contents) -> Self {
        contents.stores.sort_by_key(|store| store.id);
        contents.products.sort_by_key(|product| product.id);
        contents.buyers.sort_by_key(|buyer| buyer.id);
        contents.carriers.sort_unstable();
        contents.segments.sort_unstable();
        let product_at = contents
            .products
            .iter()
            .enumerate()
            .map(|(at, product)| (product.id, at))
            .collect();
        let buyer_at = contents
            .buyers
            .iter()
            .enumerate()
            .map(|(at, buyer)| (buyer.id, at))
            .collect();
        let slow_carrier = contents
            .carriers
            .iter()
            .copied()
            .min_by_key(|id| nature.lateness(*id));
        let mut shop = Self {
            nature,
            bundling,
            store_at: contents
                .stores
                .iter()
                .enumerate()
                .map(|(at, store)| (store.id, at))
                .collect(),
            stores: contents.stores,
            store_draw: Weighted::default(),
            products: contents.products,
            product_at,
            shelves: Vec::new(),
            buyers: contents.buyers,
            buyer_at,
            carriers: contents.carriers,
            slow_carrier,
            segments: contents.segments,
        };
        shop.arrange();
        shop
    }

    /// Arranges the shelves anew, after products came, went or changed their status.
    pub(crate) fn arrange(&mut self) {
        let mut shelves: Vec<StoreShelf> = vec![StoreShelf::default(); self.stores.len()];
        for (at, product) in self.products.iter().enumerate() {
            if let Some(store) = self
                .store_at
                .get(&product.store)
                .filter(|_| product.active && product.price > 0)
            {
                shelves[*store].products.push(at);
            }
        }
        for shelf in &mut shelves {
            let ids: Vec<i64> = shelf.products.iter().map(|at| self.products[*at].id).collect();
            shelf.draw = Weighted::new(ids.iter().map(|id| self.nature.product_weight(*id)));
            if self.bundling == Bundling::Pairs {
                shelf.partners = bundle(self.nature, ids);
            }
        }
        self.store_draw = Weighted::new(self.stores.iter().zip(&shelves).map(|(store, shelf)| {
            if shelf.products.is_empty() {
                0.0
            } else {
                self.nature.store_weight(store.id)
            }
        }));
        self.shelves = shelves;
    }

    /// The nature all choices follow.
    pub(crate) const fn nature(&self) -> Nature {
        self.nature
    }

    /// All stores by id.
    pub(crate) fn stores(&self) -> &[Store] {
        &self.stores
    }

    /// All products by id.
    pub(crate) fn products(&self) -> &[Product] {
        &self.products
    }

    /// All buyers by id.
    pub(crate) fn buyers(&self) -> &[Buyer] {
        &self.buyers
    }

    /// All segments.
    pub(crate) fn segments(&self) -> &[i64] {
        &self.segments
    }

    /// The carrier that is late more often than the others.
    pub(crate) const fn slow_carrier(&self) -> Option<i64> {
        self.slow_carrier
    }

    /// True when an order can be placed.
    pub(crate) fn is_open(&self) -> bool {
        self.store_draw.total() > 0.0 && !self.buyers.is_empty()
    }

    /// A product by id.
    pub(crate) fn product(&self, id: i64) -> Option<&Product> {
        self.product_at.get(&id).map(|at| &self.products[*at])
    }

    /// A product by id, to change it.
    pub(crate) fn product_mut(&mut self, id: i64) -> Option<&mut Product> {
        self.product_at.get(&id).map(|at| &mut self.products[*at])
    }

    /// A store by id, to change it.
    pub(crate) fn store_mut(&mut self, id: i64) -> Option<&mut Store> {
        self.store_at.get(&id).map(|at| &mut self.stores[*at])
    }

    /// A buyer by id.
    pub(crate) fn buyer(&self, id: i64) -> Option<&Buyer> {
        self.buyer_at.get(&id).map(|at| &self.buyers[*at])
    }

    /// Adds a buyer.
    pub(crate) fn add_buyer(&mut self, buyer: Buyer) {
        self.buyer_at.insert(buyer.id, self.buyers.len());
        self.buyers.push(buyer);
    }

    /// Changes where a buyer lives.
    pub(crate) fn move_buyer(&mut self, id: i64, address: &str) {
        if let Some(at) = self.buyer_at.get(&id) {
            address.clone_into(&mut self.buyers[*at].address);
        }
    }

    /// Adds a product; `arrange` puts it on its shelf.
    pub(crate) fn add_product(&mut self, product: Product) {
        self.product_at.insert(product.id, self.products.len());
        self.products.push(product);
    }

    /// Share of the demand that goes to a store, by its place in `stores`.
    pub(crate) fn store_share(&self, at: usize) -> f64 {
        self.store_draw.share(at)
    }

    /// Share of the platform's demand that goes to a product, roughly.
    pub(crate) fn product_share(&self, id: i64) -> f64 {
        let Some(product) = self.product(id) else {
            return 0.0;
        };
        let Some(store) = self.store_at.get(&product.store).copied() else {
            return 0.0;
        };
        let shelf = &self.shelves[store];
        let on_shelf = shelf.products.iter().position(|at| self.products[*at].id == id);
        on_shelf.map_or(0.0, |at| self.store_share(store) * shelf.draw.share(at))
    }

    /// A store with something on its shelf, busy ones more often.
    pub(crate) fn draw_store(&self, dice: &mut Dice) -> Option<&Store> {
        self.store_draw.draw(dice).map(|at| &self.stores[at])
    }

    /// A product of a store, popular ones more often.
    pub(crate) fn draw_product(&self, store: i64, dice: &mut Dice) -> Option<&Product> {
        let shelf = self.shelf(store)?;
        let at = shelf.draw.draw(dice)?;
        Some(&self.products[shelf.products[at]])
    }

    /// What is often bought together with a product.
    pub(crate) fn partner(&self, store: i64, product: i64) -> Option<&Product> {
        let partner = self.shelf(store)?.partners.get(&product)?;
        self.product(*partner)
    }

    /// All planted bundles, smaller id first.
    pub(crate) fn bundles(&self) -> Vec<(i64, i64)> {
        let mut pairs: Vec<(i64, i64)> = self
            .shelves
            .iter()
            .flat_map(|shelf| shelf.partners.iter())
            .filter(|(a, b)| a < b)
            .map(|(a, b)| (*a, *b))
            .collect();
        pairs.sort_unstable();
        pairs
    }

    /// How many products of a store a search for goods of a category finds.
    pub(crate) fn found(&self, store: i64, category: &str) -> usize {
        self.shelf(store).map_or(0, |shelf| {
            shelf
                .products
                .iter()
                .filter(|at| self.products[**at].category == category)
                .count()
        })
    }

    /// The products that are asked for most, the first first.
    pub(crate) fn best_sellers(&self, wanted: usize) -> Vec<i64> {
        let mut all: Vec<(f64, i64)> = self
            .shelves
            .iter()
            .enumerate()
            .flat_map(|(store, shelf)| {
                let share = self.store_share(store);
                shelf
                    .products
                    .iter()
                    .enumerate()
                    .map(move |(at, product)| (share * shelf.draw.share(at), self.products[*product].id))
            })
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.into_iter().take(wanted).map(|(_, id)| id).collect()
    }

    /// A buyer for a store: one who reaches it by this channel, likes it, and is accepted by the caller. Only the
    /// first `among` buyers are looked at. Nothing when nobody was found after a good many tries.
    pub(crate) fn draw_buyer(
        &self,
        store: i64,
        channel: Channel,
        among: usize,
        dice: &mut Dice,
        mut accept: impl FnMut(usize, &Buyer) -> bool,
    ) -> Option<&Buyer> {
        let among = among.min(self.buyers.len());
        if among == 0 {
            return None;
        }
        (0..BUYER_TRIES).find_map(|_| {
            let at = dice.between(0, among as i64 - 1) as usize;
            let buyer = &self.buyers[at];
            let web = self.nature.buys_online(buyer.id, store);
            let willing = self.nature.buyer_weight(buyer.id) * self.nature.affinity(buyer.id, store);
            let chosen = web == (channel == Channel::Web) && dice.chance(willing * 3.0) && accept(at, buyer);
            chosen.then_some(buyer)
        })
    }

    /// A carrier, if there is one.
    pub(crate) fn draw_carrier(&self, dice: &mut Dice) -> Option<i64> {
        dice.choose(&self.carriers)
    }

    fn shelf(&self, store: i64) -> Option<&StoreShelf> {
        self.shelves.get(*self.store_at.get(&store)?)
    }
}

/// Pairs products of one store that are asked for often enough for the pair to be found again in the data.
fn bundle(nature: Nature, mut ids: Vec<i64>) -> HashMap<i64, i64> {
    let wanted = (ids.len() / PRODUCTS_PER_BUNDLE).max(usize::from(ids.len() >= 4));
    ids.sort_by(|a, b| {
        nature
            .product_weight(*b)
            .total_cmp(&nature.product_weight(*a))
            .then(a.cmp(b))
    });
    ids.truncate((ids.len() / 2).max(wanted * 2));
    ids.sort_by_key(|id| nature.bundle_order(*id));
    ids.chunks_exact(2)
        .take(wanted)
        .flat_map(|pair| [(pair[0], pair[1]), (pair[1], pair[0])])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn contents(stores: i64, products: i64, buyers: i64) -> Contents {
        Contents {
            stores: (1..=stores)
                .map(|id| Store {
                    id,
                    plan: "Free".into(),
                })
                .collect(),
            products: (1..=products)
                .map(|id| Product {
                    id,
                    store: id % stores + 1,
                    category: "Moda".into(),
                    price: 1000 + id,
                    active: id % 10 != 0,
                })
                .collect(),
            buyers: (1..=buyers)
                .map(|id| Buyer {
                    id,
                    address: String::new(),
                })
                .collect(),
            carriers: vec![1, 2, 3],
            segments: vec![1],
        }
    }

    fn shop() -> Shop {
        Shop::new(Nature::new(1), Bundling::Pairs, contents(4, 120, 500))
    }

    #[test]
    fn products_are_drawn_from_their_store_and_only_active_ones() {
        let shop = shop();
        let mut dice = Dice::new(1, "test");
        for _ in 0..500 {
            let store = shop.draw_store(&mut dice).unwrap().id;
            let product = shop.draw_product(store, &mut dice).unwrap();
            assert_eq!(product.store, store);
            assert!(product.active);
        }
    }

    #[test]
    fn bundles_are_mutual_and_within_one_store() {
        let shop = shop();
        let bundles = shop.bundles();
        assert_eq!(bundles.len(), 4 * 2);
        for (a, b) in bundles {
            let store = shop.product(a).unwrap().store;
            assert_eq!(shop.product(b).unwrap().store, store);
            assert_eq!(shop.partner(store, a).unwrap().id, b);
            assert_eq!(shop.partner(store, b).unwrap().id, a);
        }
        let flat = Shop::new(Nature::new(1), Bundling::None, contents(4, 120, 500));
        assert!(flat.bundles().is_empty());
    }

    #[test]
    fn buyers_of_the_two_channels_never_meet() {
        let shop = shop();
        let mut dice = Dice::new(1, "test");
        let mut draw = |channel| {
            (0..400)
                .filter_map(|_| {
                    shop.draw_buyer(1, channel, 500, &mut dice, |_, _| true)
                        .map(|buyer| buyer.id)
                })
                .collect::<std::collections::BTreeSet<_>>()
        };
        let web = draw(Channel::Web);
        let chat = draw(Channel::Chat);
        assert!(!web.is_empty() && !chat.is_empty());
        assert!(web.is_disjoint(&chat));
    }

    #[test]
    fn an_empty_shop_is_closed() {
        let shop = Shop::new(Nature::new(1), Bundling::Pairs, Contents::default());
        assert!(!shop.is_open());
        assert!(shop.draw_store(&mut Dice::new(1, "test")).is_none());
        let no_products = Shop::new(Nature::new(1), Bundling::Pairs, contents(2, 0, 10));
        assert!(!no_products.is_open());
    }
}
