//! The live store in memory: what the commit script does, in plain Rust.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use instashop_core::checkpoint::{Answer, Owned, Partition, Step};
use instashop_core::contribution::{Cell, ProductKey, ProductMeasure, Scope};
use instashop_core::live::{Figure, Leave, StateId, Stored, UNATTRIBUTED, UNCLASSIFIED, Writes, figures_of};
use instashop_core::order::Order;

/// A sum of a category on a day.
pub type CategoryCell = (Scope, NaiveDate, String, &'static str);

/// The store; a clone is an older copy to go back to.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub generation: u64,
    partitions: BTreeMap<Partition, Owned>,
    states: BTreeMap<StateId, Stored>,
    /// First day that is live; earlier ones are sealed.
    pub boundary: Option<NaiveDate>,
    pub cells: BTreeMap<Cell, i64>,
    categories: BTreeMap<i64, String>,
    pub by_category: BTreeMap<CategoryCell, i64>,
    pub buyers: BTreeMap<(NaiveDate, String, i64), i64>,
    /// Plants a bug: states are not compared.
    pub forgets_to_compare: bool,
}

/// What a commit said.
#[derive(Debug, PartialEq)]
pub enum Said {
    Done,
    Refused(Vec<(Partition, Answer)>),
    Conflict,
    /// It was computed for another boundary.
    Boundary,
}

impl Model {
    /// Takes over partitions.
    pub fn recover(&mut self, partitions: &[Partition]) -> Vec<Owned> {
        partitions
            .iter()
            .map(|partition| {
                let owned = self.partitions.entry(partition.clone()).or_insert(Owned {
                    epoch: 0,
                    checkpoint: 0,
                });
                owned.epoch += 1;
                *owned
            })
            .collect()
    }

    /// Everything is lost; a new generation begins.
    pub fn flush(&mut self) {
        let generation = self.generation + 1;
        *self = Self {
            generation,
            boundary: self.boundary,
            forgets_to_compare: self.forgets_to_compare,
            ..Self::default()
        };
    }

    /// A stored state.
    pub fn read(&self, id: StateId) -> Stored {
        self.states.get(&id).cloned().unwrap_or_default()
    }

    /// States that may leave.
    pub fn passing(&self) -> Vec<StateId> {
        let ids = self.states.keys().copied();
        ids.filter(|id| Leave::concerns(*id)).collect()
    }

    /// Products whose orders are to be computed again, and how often each was marked.
    pub fn repricing(&self) -> BTreeMap<i64, i64> {
        let marked = self.cells.iter().filter_map(|(cell, times)| match cell {
            Cell::Repricing { product } => Some((*product, *times)),
            _ => None,
        });
        marked.collect()
    }

    /// Orders with a line of a product.
    pub fn orders_with(&self, is_one: impl Fn(i64) -> bool) -> Vec<i64> {
        let orders = self.states.iter().filter_map(|(id, stored)| match id {
            StateId::Order(key) => {
                let order: Order = stored.read(*id).unwrap()?;
                let mut products = order.lines.values().filter_map(|line| line.product);
                products.any(&is_one).then_some(*key)
            }
            _ => None,
        });
        orders.collect()
    }

    /// Applies everything or nothing.
    pub fn commit(
        &mut self,
        generation: u64,
        boundary: Option<NaiveDate>,
        steps: &[Step],
        writes: &Writes,
    ) -> Said {
        let refused: Vec<_> = steps
            .iter()
            .filter_map(|step| {
                let stored = self.partitions.get(&step.partition).copied();
                let stored = stored.filter(|_| generation == self.generation);
                let answer = Answer::of(stored, step);
                (answer != Answer::Clean).then(|| (step.partition.clone(), answer))
            })
            .collect();
        if !refused.is_empty() {
            return Said::Refused(refused);
        }
        if boundary != self.boundary {
            return Said::Boundary;
        }
        let changed =
            |write: &&instashop_core::live::StateWrite| self.read(write.id).digest() != write.expected;
        if !self.forgets_to_compare && writes.states.iter().any(|write| changed(&write)) {
            return Said::Conflict;
        }
        for write in &writes.states {
            if write.new.text().is_empty() {
                self.states.remove(&write.id);
            } else {
                self.states.insert(write.id, write.new.clone());
            }
        }
        for (product, category) in &writes.categories {
            self.move_product(*product, category);
        }
        for (cell, delta) in &writes.deltas {
            let value = self.cells.entry(cell.clone()).or_default();
            *value += delta;
            let value = *value;
            if cell.is_count() && !self.forgets_to_compare {
                assert!(value >= 0, "{cell:?} is {value}");
            }
            if value == 0 {
                self.cells.remove(cell);
            }
            self.book(cell, *delta);
        }
        for step in steps {
            self.partitions.insert(
                step.partition.clone(),
                Owned {
                    epoch: step.epoch,
                    checkpoint: step.next,
                },
            );
        }
        Said::Done
    }

    fn category(&self, product: ProductKey) -> String {
        match product {
            ProductKey::Bare => UNATTRIBUTED.to_owned(),
            ProductKey::Unknown => UNCLASSIFIED.to_owned(),
            ProductKey::Id(id) => self
                .categories
                .get(&id)
                .cloned()
                .unwrap_or_else(|| UNCLASSIFIED.to_owned()),
        }
    }

    /// Books a product's change under its category too.
    fn book(&mut self, cell: &Cell, delta: i64) {
        match cell {
            Cell::Product {
                scope,
                day,
                product,
                measure,
            } => {
                let category = self.category(*product);
                bump(
                    &mut self.by_category,
                    (*scope, *day, category, field(*measure)),
                    delta,
                );
            }
            Cell::ProductBuyer { day, product, buyer } => {
                let category = self.category(*product);
                bump(&mut self.buyers, (*day, category, *buyer), delta);
            }
            _ => {}
        }
    }

    fn move_product(&mut self, product: i64, category: &str) {
        let key = ProductKey::Id(product);
        if self.category(key) == category {
            return;
        }
        let own: Vec<_> = self
            .cells
            .iter()
            .filter(|(cell, _)| match cell {
                Cell::Product { product, .. } | Cell::ProductBuyer { product, .. } => *product == key,
                _ => false,
            })
            .map(|(cell, value)| (cell.clone(), *value))
            .collect();
        for (cell, value) in &own {
            self.book(cell, -value);
        }
        self.categories.insert(product, category.to_owned());
        for (cell, value) in &own {
            self.book(cell, *value);
        }
    }

    /// All numbers, as the recount names them, with those totals that are live.
    pub fn figures(&self, live: &BTreeMap<Cell, i64>) -> BTreeMap<Figure, i64> {
        let mut figures = figures_of(live);
        for ((scope, day, category, name), value) in &self.by_category {
            if *scope == Scope::Platform && self.boundary.is_none_or(|boundary| *day >= boundary) {
                let figure = Figure {
                    day: Some(*day),
                    name,
                    dimension: category.clone(),
                };
                figures.insert(figure, *value);
            }
        }
        figures
    }

    /// Sums by category of one store's sales.
    pub fn categories_of_stores(&self) -> BTreeMap<CategoryCell, i64> {
        let of_stores = self
            .by_category
            .iter()
            .filter(|(cell, _)| cell.0 != Scope::Platform)
            .filter(|(cell, _)| self.boundary.is_none_or(|boundary| cell.1 >= boundary));
        of_stores.map(|(cell, value)| (cell.clone(), *value)).collect()
    }
}

fn bump<K: Ord>(sums: &mut BTreeMap<K, i64>, key: K, delta: i64) {
    let value = sums.remove(&key).unwrap_or(0) + delta;
    if value != 0 {
        sums.insert(key, value);
    }
}

const fn field(measure: ProductMeasure) -> &'static str {
    match measure {
        ProductMeasure::Revenue => "category.revenue_cents",
        ProductMeasure::Units => "category.units",
        ProductMeasure::Lines => "category.lines",
    }
}
