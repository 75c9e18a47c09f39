//! Where each panel stands, by tab and size. The layout is data: rows with a smallest and a wanted height and a rank;
//! the lowest rank leaves until the rest has its smallest height, so no panel is ever drawn under its minimum.
//!
//! - `boards`: the tabs over the marts

mod boards;

use ratatui::layout::Rect;

use crate::app::Tab;
use crate::board::Piece;
use crate::metrics::Metric;

/// A panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Panel {
    /// Live: the big numbers.
    Tiles,
    /// Live: revenue by minute, 60 minutes.
    Minutes,
    /// Live: revenue by hour, today.
    Hours,
    /// Live: payment outcomes by method.
    Payments,
    /// Live: events by type.
    Behaviour,
    /// Live: what visitors do right now, and when each method was last paid with.
    Doing,
    /// Live: alerts that fire, worst first.
    Firing,
    /// Live: last changes.
    Tape,
    /// Live: categories of today.
    Categories,
    /// Live: best products of today.
    Products,
    /// Live, large: the pipeline in three rows.
    Pipeline,
    /// Sales: the figures of the range.
    Figures,
    /// Sales: revenue by day.
    Trend,
    /// Sales: categories of the range.
    Ranking,
    /// Sales: regions of the range.
    Regions,
    /// Sales: hour by weekday.
    Heat,
    /// Sales: latest orders.
    Latest,
    /// System: each part of the pipeline with its own probe.
    Flow,
    /// System: messages behind.
    Lag,
    /// System: commit to Redis.
    Latency,
    /// System: commit to the warehouse.
    WarehouseLatency,
    /// System: the last proof, table by table.
    Proof,
    /// System: rows that broke a rule.
    Quality,
    /// System: lag of each partition.
    Partitions,
    /// System: sources and connectors.
    Connectors,
    /// System: worker processes.
    Workers,
    /// A panel over the marts.
    Of(Piece),
}

impl Panel {
    /// The tab it belongs to; on another tab it shows the way there.
    pub const fn home(self) -> Tab {
        match self {
            Self::Tiles
            | Self::Minutes
            | Self::Hours
            | Self::Payments
            | Self::Behaviour
            | Self::Doing
            | Self::Tape
            | Self::Categories
            | Self::Products => Tab::Live,
            Self::Figures | Self::Trend | Self::Ranking | Self::Regions | Self::Heat | Self::Latest => {
                Tab::Sales
            }
            Self::Firing => Tab::Alerts,
            Self::Of(piece) => piece.tab(),
            _ => Tab::System,
        }
    }

    /// Columns it can be sorted by.
    pub const fn sorts(self) -> usize {
        match self {
            Self::Ranking => 4,
            Self::Categories | Self::Products => 3,
            Self::Partitions => 2,
            _ => 0,
        }
    }

    /// True for lists.
    pub const fn scrolls(self) -> bool {
        matches!(
            self,
            Self::Tape
                | Self::Categories
                | Self::Products
                | Self::Payments
                | Self::Behaviour
                | Self::Ranking
                | Self::Regions
                | Self::Latest
                | Self::Proof
                | Self::Partitions
                | Self::Connectors
                | Self::Workers
        )
    }

    /// True for lists of which rows can be found by a text.
    pub const fn filters(self) -> bool {
        matches!(self, Self::Ranking | Self::Regions | Self::Latest)
    }

    /// The metric that is explained for it.
    pub const fn metric(self) -> Metric {
        match self {
            Self::Tiles => Metric::RevenueToday,
            Self::Minutes | Self::Hours | Self::Trend => Metric::SalesTrend,
            Self::Payments => Metric::PaymentMix,
            Self::Behaviour => Metric::EventsByType,
            Self::Doing => Metric::VisitorsNow,
            Self::Categories | Self::Ranking | Self::Regions => Metric::SalesByCategory,
            Self::Products => Metric::TopProducts,
            Self::Figures => Metric::RevenueRange,
            Self::Heat => Metric::TemporalPattern,
            Self::Latest => Metric::Orders,
            Self::Tape
            | Self::Firing
            | Self::Flow
            | Self::Pipeline
            | Self::Connectors
            | Self::Workers
            | Self::Of(_) => Metric::Throughput,
            Self::Lag | Self::Partitions => Metric::Lag,
            Self::Latency | Self::WarehouseLatency => Metric::Latency,
            Self::Proof => Metric::Drift,
            Self::Quality => Metric::DataQuality,
        }
    }
}

/// Small, medium, large; width and height are judged apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// 60 columns, 24 rows.
    Small,
    /// 100 columns, 40 rows.
    Medium,
    /// 160 columns, 60 rows.
    Large,
}

/// What a window can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A notice.
    TooSmall,
    /// One list.
    Compact,
    /// Header, tabs, panels, foot.
    Full,
}

/// Kind of a window.
pub const fn kind(size: (u16, u16)) -> Kind {
    match size {
        (0..40, _) | (_, 0..10) => Kind::TooSmall,
        (40..60, _) | (_, 10..16) => Kind::Compact,
        _ => Kind::Full,
    }
}

/// Class of a width.
pub const fn width_class(columns: u16) -> Class {
    match columns {
        0..100 => Class::Small,
        100..160 => Class::Medium,
        _ => Class::Large,
    }
}

/// Class of a height.
pub const fn height_class(rows: u16) -> Class {
    match rows {
        0..40 => Class::Small,
        40..60 => Class::Medium,
        _ => Class::Large,
    }
}

/// The area between the tab bar and the foot.
pub fn body(size: (u16, u16)) -> Rect {
    Rect::new(0, 2, size.0, size.1.saturating_sub(3))
}

/// One row of a stack.
pub(super) struct Slot {
    what: What,
    least: u16,
    wanted: u16,
    grow: u16,
    /// 0 stays; the highest leaves first.
    rank: u8,
}

pub(super) enum What {
    One(Panel),
    /// Stacks side by side, with their shares of the width.
    Side(Vec<(u16, Vec<Slot>)>),
}

const fn slot(what: What, least: u16, wanted: u16, grow: u16, rank: u8) -> Slot {
    Slot {
        what,
        least,
        wanted,
        grow,
        rank,
    }
}

const fn one(panel: Panel, least: u16, wanted: u16, grow: u16, rank: u8) -> Slot {
    slot(What::One(panel), least, wanted, grow, rank)
}

/// A stack of one panel that takes what it gets.
fn whole(panel: Panel) -> Vec<Slot> {
    vec![one(panel, 1, 1, 1, 0)]
}

fn side(stacks: Vec<(u16, Vec<Slot>)>, least: u16, wanted: u16, grow: u16, rank: u8) -> Slot {
    slot(What::Side(stacks), least, wanted, grow, rank)
}

fn live(width: u16, height: u16) -> Vec<Slot> {
    use Panel::{
        Behaviour, Categories, Doing, Firing, Heat, Hours, Minutes, Payments, Pipeline, Products, Tape,
        Tiles, Trend,
    };
    let pair = |a, b, left| vec![(left, whole(a)), (100 - left, whole(b))];
    match width_class(width) {
        Class::Small if width < 80 => vec![
            one(Tiles, 4, 6, 0, 0),
            one(Minutes, 5, 7, 2, 1),
            one(Doing, 2, 2, 0, 2),
            one(Tape, 3, 5, 3, 3),
            one(Firing, 1, 1, 0, 1),
            one(Categories, 4, 7, 0, 4),
            one(Payments, 4, 6, 0, 5),
        ],
        Class::Small => vec![
            one(Tiles, 5, 5, 0, 0),
            side(pair(Minutes, Categories, 62), 5, 7, 2, 1),
            one(Doing, 2, 3, 0, 2),
            side(pair(Tape, Products, 62), 4, 5, 3, 3),
            one(Firing, 1, 1, 0, 0),
        ],
        Class::Medium => {
            let tiles = if height >= 34 { 8 } else { 5 };
            let left = vec![one(Payments, 3, 6, 0, 1), one(Tape, 4, 10, 1, 0)];
            let right = vec![
                one(Categories, 4, 7, 0, 0),
                one(Products, 3, 5, 1, 2),
                one(Firing, 3, 4, 0, 1),
            ];
            vec![
                one(Tiles, tiles, tiles, 0, 0),
                side(pair(Minutes, Hours, 51), 6, 10, 2, 1),
                one(Doing, 2, 3, 0, 3),
                side(vec![(56, left), (44, right)], 5, 16, 3, 2),
            ]
        }
        Class::Large => {
            let roomy = height >= 52;
            let left = vec![
                one(Doing, 2, 3, 0, 0),
                side(pair(Categories, Products, 50), 5, 9, 0, 1),
                one(Tape, 4, 12, 1, 2),
            ];
            let right = vec![
                one(Firing, 3, 5, 0, 0),
                side(pair(Payments, Behaviour, 50), 4, 8, 0, 0),
                one(Pipeline, 4, 4, 0, 1),
                one(Trend, 6, 9, 1, 2),
                one(Heat, 9, 11, 0, 3),
            ];
            vec![
                one(Tiles, if roomy { 8 } else { 6 }, if roomy { 8 } else { 6 }, 0, 0),
                side(pair(Minutes, Hours, 50), 6, if roomy { 14 } else { 9 }, 1, 1),
                side(
                    vec![(50, left), (50, right)],
                    5,
                    if roomy { 35 } else { 23 },
                    2,
                    2,
                ),
            ]
        }
    }
}

fn sales(width: u16, height: u16) -> Vec<Slot> {
    use Panel::{Figures, Heat, Latest, Ranking, Regions, Trend};
    match width_class(width) {
        Class::Small if width < 80 => vec![
            one(Figures, 1, 2, 0, 0),
            one(Trend, 5, 7, 2, 1),
            one(Ranking, 4, 7, 0, 2),
            one(Latest, 3, 5, 3, 3),
            one(Regions, 4, 6, 0, 4),
        ],
        Class::Small => vec![
            one(Figures, 1, 1, 0, 0),
            one(Trend, 5, 7, 2, 1),
            side(vec![(60, whole(Ranking)), (40, whole(Regions))], 4, 7, 0, 2),
            side(vec![(38, whole(Heat)), (62, whole(Latest))], 5, 6, 1, 3),
        ],
        Class::Medium => vec![
            one(
                Figures,
                if height >= 36 { 6 } else { 1 },
                if height >= 36 { 6 } else { 1 },
                0,
                0,
            ),
            one(Trend, 6, 12, 2, 1),
            side(vec![(58, whole(Ranking)), (42, whole(Regions))], 5, 9, 0, 2),
            side(vec![(50, whole(Heat)), (50, whole(Latest))], 5, 10, 2, 3),
        ],
        Class::Large => vec![
            one(
                Figures,
                if height >= 52 { 8 } else { 6 },
                if height >= 52 { 8 } else { 6 },
                0,
                0,
            ),
            one(Trend, 6, 18, 2, 1),
            side(
                vec![(38, whole(Ranking)), (22, whole(Regions)), (40, whole(Heat))],
                5,
                11,
                0,
                2,
            ),
            one(Latest, 3, 19, 2, 3),
        ],
    }
}

fn system(width: u16) -> Vec<Slot> {
    use Panel::{Connectors, Flow, Lag, Latency, Partitions, Proof, Quality, WarehouseLatency, Workers};
    match width_class(width) {
        Class::Small if width < 80 => vec![
            one(Flow, 6, 8, 0, 0),
            one(Proof, 4, 6, 2, 1),
            one(Quality, 3, 4, 0, 2),
            one(Lag, 4, 5, 1, 3),
            one(Latency, 4, 5, 1, 4),
        ],
        Class::Small => vec![
            one(Flow, 7, 7, 0, 0),
            side(vec![(49, whole(Lag)), (51, whole(Latency))], 4, 5, 1, 2),
            one(Proof, 4, 5, 2, 1),
            one(Quality, 3, 4, 0, 3),
        ],
        Class::Medium => vec![
            one(Flow, 7, 7, 0, 0),
            side(
                vec![
                    (33, whole(Lag)),
                    (34, whole(Latency)),
                    (33, whole(WarehouseLatency)),
                ],
                5,
                8,
                1,
                2,
            ),
            side(vec![(56, whole(Proof)), (44, whole(Partitions))], 5, 18, 3, 1),
            one(Quality, 4, 4, 0, 3),
        ],
        Class::Large => vec![
            one(Flow, 7, 8, 0, 0),
            side(
                vec![
                    (33, whole(Lag)),
                    (34, whole(Latency)),
                    (33, whole(WarehouseLatency)),
                ],
                6,
                13,
                1,
                2,
            ),
            side(
                vec![
                    (50, vec![one(Proof, 5, 19, 1, 0), one(Connectors, 5, 7, 0, 1)]),
                    (50, vec![one(Partitions, 5, 19, 1, 0), one(Workers, 4, 7, 0, 1)]),
                ],
                6,
                28,
                3,
                1,
            ),
            one(Quality, 4, 4, 0, 3),
        ],
    }
}

/// Heights of a stack: the lowest rank leaves until the smallest heights fit, then each gets what it wants by rank,
/// then the rest goes to those that grow.
fn heights(slots: &[Slot], rows: u16) -> Vec<u16> {
    let mut shown: Vec<bool> = vec![true; slots.len()];
    let least = |shown: &[bool]| -> u16 {
        slots
            .iter()
            .zip(shown)
            .filter(|(_, shown)| **shown)
            .map(|(slot, _)| slot.least)
            .sum()
    };
    while least(&shown) > rows {
        let worst = (0..slots.len())
            .filter(|index| shown[*index])
            .max_by_key(|index| (slots[*index].rank, *index));
        match worst {
            Some(worst) if shown.iter().filter(|shown| **shown).count() > 1 => shown[worst] = false,
            _ => break,
        }
    }
    let mut heights: Vec<u16> = slots
        .iter()
        .zip(&shown)
        .map(|(slot, shown)| if *shown { slot.least } else { 0 })
        .collect();
    let mut spare = rows.saturating_sub(heights.iter().sum());
    let mut ranked: Vec<usize> = (0..slots.len()).filter(|index| shown[*index]).collect();
    ranked.sort_by_key(|index| slots[*index].rank);
    for index in &ranked {
        let more = slots[*index]
            .wanted
            .saturating_sub(slots[*index].least)
            .min(spare);
        heights[*index] += more;
        spare -= more;
    }
    let growing: Vec<usize> = ranked
        .into_iter()
        .filter(|index| slots[*index].grow > 0)
        .collect();
    let mut shares: u16 = growing.iter().map(|index| slots[*index].grow).sum();
    for index in growing {
        let more = (u32::from(spare) * u32::from(slots[index].grow) / u32::from(shares.max(1))) as u16;
        heights[index] += more;
        spare -= more;
        shares -= slots[index].grow;
    }
    heights
}

fn place(slots: &[Slot], area: Rect, out: &mut Vec<(Panel, Rect)>) {
    let mut y = area.y;
    for (slot, height) in slots.iter().zip(heights(slots, area.height)) {
        let height = height.min(area.bottom().saturating_sub(y));
        if height == 0 {
            continue;
        }
        let row = Rect::new(area.x, y, area.width, height);
        y += height;
        match &slot.what {
            What::One(panel) => out.push((*panel, row)),
            What::Side(stacks) => {
                let gaps = stacks.len().saturating_sub(1) as u16;
                let room = row.width.saturating_sub(gaps);
                let mut x = row.x;
                for (index, (share, stack)) in stacks.iter().enumerate() {
                    let last = index + 1 == stacks.len();
                    let wide = if last {
                        row.right() - x
                    } else {
                        (u32::from(room) * u32::from(*share) / 100) as u16
                    };
                    place(
                        stack,
                        Rect {
                            x,
                            width: wide,
                            ..row
                        },
                        out,
                    );
                    x += wide + 1;
                }
            }
        }
    }
}

/// The visible panels of a tab with their areas, in reading order.
pub fn panels(tab: Tab, size: (u16, u16)) -> Vec<(Panel, Rect)> {
    let mut out = Vec::new();
    if kind(size) == Kind::Full {
        let (width, height) = size;
        let slots = match tab {
            Tab::Live => live(width, height),
            Tab::Sales => sales(width, height),
            Tab::System => system(width),
            tab => boards::slots(tab, width, height),
        };
        place(&slots, body(size), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_never_overlap_and_stay_inside() {
        for tab in Tab::ALL {
            for width in (40..220).step_by(3) {
                for height in 10..80 {
                    let panels = panels(tab, (width, height));
                    assert_eq!(
                        panels.is_empty(),
                        kind((width, height)) != Kind::Full,
                        "{tab:?} {width}x{height}"
                    );
                    for (index, (panel, area)) in panels.iter().enumerate() {
                        let inside = body((width, height));
                        assert_eq!(area.intersection(inside), *area, "{panel:?} {width}x{height}");
                        for (other, area_of_other) in &panels[index + 1..] {
                            assert!(
                                !area.intersects(*area_of_other),
                                "{panel:?} {other:?} {width}x{height}"
                            );
                            assert_ne!(panel, other);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_three_designed_sizes_are_filled() {
        for tab in Tab::ALL {
            for size in [(80, 24), (120, 40), (200, 60)] {
                let covered: u32 = panels(tab, size).iter().map(|(_, area)| area.area()).sum();
                let all = body(size).area();
                assert!(covered * 100 >= all * 98, "{tab:?} {size:?}: {covered} of {all}");
            }
        }
    }
}
