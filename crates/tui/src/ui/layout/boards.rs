//! Where the panels of the tabs over the marts stand.

use super::{Class, Panel, Slot, height_class, one, side, whole, width_class};
use crate::app::Tab;
use crate::board::Piece;

fn panel(piece: Piece) -> Panel {
    Panel::Of(piece)
}

/// One panel over the whole width.
fn row(piece: Piece, least: u16, wanted: u16, grow: u16, rank: u8) -> Slot {
    one(panel(piece), least, wanted, grow, rank)
}

/// Two panels side by side; `left` is the share of the first.
fn pair(left: u16, a: Piece, b: Piece, least: u16, wanted: u16, grow: u16, rank: u8) -> Slot {
    let stacks = vec![(left, whole(panel(a))), (100 - left, whole(panel(b)))];
    side(stacks, least, wanted, grow, rank)
}

/// Three panels side by side.
fn three(pieces: [Piece; 3], least: u16, wanted: u16, grow: u16, rank: u8) -> Slot {
    let [a, b, c] = pieces;
    let stacks = vec![
        (34, whole(panel(a))),
        (33, whole(panel(b))),
        (33, whole(panel(c))),
    ];
    side(stacks, least, wanted, grow, rank)
}

/// Rows of the figures of a class.
const fn figures(class: Class) -> u16 {
    match class {
        Class::Small => 3,
        Class::Medium => 6,
        Class::Large => 7,
    }
}

/// The smaller of the classes of width and height: what the design was made for.
fn class(width: u16, height: u16) -> Class {
    match (width_class(width), height_class(height)) {
        (Class::Small, _) => Class::Small,
        (class, Class::Small) if height < 34 => class.min(Class::Small),
        (class, _) => class.min(if height >= 52 { Class::Large } else { Class::Medium }),
    }
}

/// The rows of a tab.
pub(super) fn slots(tab: Tab, width: u16, height: u16) -> Vec<Slot> {
    let narrow = width < 80;
    let size = class(width, height);
    // Five figures are too narrow for big digits at the middle size.
    let five = matches!(tab, Tab::Buyers | Tab::Inventory | Tab::Logistics | Tab::Alerts);
    let rows = if five && size == Class::Medium {
        5
    } else {
        figures(size)
    };
    let head = |piece| row(piece, if narrow { 2 } else { rows.min(3) }, rows, 0, 0);
    let mut slots = match tab {
        Tab::Payments => payments(size, head(Piece::PayFigures)),
        Tab::Buyers => buyers(size, head(Piece::BuyFigures)),
        Tab::Products => products(size, head(Piece::ProFigures)),
        Tab::Inventory => inventory(size, head(Piece::InvFigures)),
        Tab::Behaviour => behaviour(size),
        Tab::Logistics => logistics(size, head(Piece::LogFigures)),
        Tab::Stores => stores(size, head(Piece::StoFigures)),
        _ => alerts(size, head(Piece::AleCounts)),
    };
    if narrow {
        slots = slots.into_iter().flat_map(one_column).collect();
    }
    slots
}

/// Panels that stood side by side, one below the other; those at the right leave first.
fn one_column(slot: Slot) -> Vec<Slot> {
    let (least, wanted, grow, rank) = (slot.least, slot.wanted, slot.grow, slot.rank);
    match slot.what {
        super::What::One(_) => vec![slot],
        super::What::Side(stacks) => stacks
            .into_iter()
            .zip(0_u8..)
            .flat_map(|((_, stack), place)| {
                stack.into_iter().map(move |inner| Slot {
                    least: least.min(4),
                    wanted: wanted.min(8),
                    grow,
                    rank: rank + 10 * place + u8::from(place > 0),
                    ..inner
                })
            })
            .collect(),
    }
}

fn payments(size: Class, head: Slot) -> Vec<Slot> {
    use Piece::{
        PayHeat, PayHours, PayLadder, PayList, PayMethods, PayPending, PayRisk, PayShare, PayStores,
    };
    match size {
        Class::Small => vec![
            head,
            row(PayMethods, 4, 7, 1, 0),
            pair(51, PayHours, PayPending, 5, 7, 2, 1),
            pair(51, PayShare, PayRisk, 3, 4, 0, 2),
        ],
        Class::Medium => vec![
            head,
            row(PayMethods, 5, 8, 0, 0),
            pair(55, PayHours, PayPending, 6, 9, 2, 1),
            pair(50, PayShare, PayRisk, 5, 7, 0, 2),
            row(PayHeat, 4, 7, 0, 3),
        ],
        Class::Large => vec![
            head,
            row(PayMethods, 6, 9, 0, 0),
            three([PayHours, PayPending, PayRisk], 6, 13, 1, 1),
            three([PayShare, PayLadder, PayStores], 6, 10, 0, 2),
            row(PayHeat, 5, 8, 0, 3),
            row(PayList, 4, 10, 2, 4),
        ],
    }
}

fn buyers(size: Class, head: Slot) -> Vec<Slot> {
    use Piece::{BuyCohorts, BuyDays, BuyGrid, BuySegments, BuyTop, BuyValues};
    match size {
        Class::Small => vec![
            head,
            pair(50, BuyDays, BuySegments, 5, 6, 1, 1),
            row(BuyCohorts, 4, 8, 1, 0),
            row(BuyTop, 3, 4, 1, 2),
        ],
        Class::Medium => vec![
            head,
            pair(55, BuyDays, BuySegments, 6, 10, 1, 1),
            row(BuyCohorts, 5, 11, 0, 0),
            row(BuyTop, 4, 10, 2, 2),
        ],
        Class::Large => vec![
            head,
            pair(55, BuyDays, BuySegments, 6, 13, 1, 1),
            row(BuyCohorts, 6, 14, 0, 0),
            pair(45, BuyValues, BuyGrid, 7, 10, 0, 2),
            row(BuyTop, 5, 14, 2, 3),
        ],
    }
}

fn products(size: Class, head: Slot) -> Vec<Slot> {
    use Piece::{ProAbc, ProFields, ProMovers, ProPairs, ProRanking, ProSteps, ProUnbought};
    match size {
        Class::Small => vec![
            head,
            row(ProRanking, 5, 9, 2, 0),
            pair(58, ProPairs, ProAbc, 4, 6, 0, 1),
            row(ProUnbought, 3, 4, 0, 2),
        ],
        Class::Medium => vec![
            head,
            row(ProRanking, 6, 14, 2, 0),
            three([ProPairs, ProSteps, ProAbc], 5, 7, 0, 1),
            row(ProUnbought, 4, 7, 0, 2),
        ],
        Class::Large => vec![
            head,
            row(ProRanking, 8, 24, 2, 0),
            three([ProPairs, ProSteps, ProAbc], 5, 9, 0, 1),
            pair(50, ProUnbought, ProMovers, 5, 11, 1, 2),
            row(ProFields, 5, 6, 0, 3),
        ],
    }
}

fn inventory(size: Class, head: Slot) -> Vec<Slot> {
    use Piece::{InvDead, InvForecast, InvHistogram, InvMap, InvMoves, InvPlaces, InvRows, InvStates};
    match size {
        Class::Small => vec![
            head,
            row(InvStates, 2, 2, 0, 2),
            row(InvPlaces, 3, 5, 0, 3),
            row(InvRows, 4, 7, 2, 0),
            pair(60, InvForecast, InvDead, 4, 5, 1, 1),
        ],
        Class::Medium => vec![
            head,
            row(InvStates, 2, 3, 0, 2),
            pair(62, InvPlaces, InvMoves, 5, 6, 0, 3),
            row(InvRows, 5, 11, 2, 0),
            three([InvForecast, InvHistogram, InvDead], 6, 9, 1, 1),
        ],
        Class::Large => vec![
            head,
            row(InvStates, 2, 3, 0, 2),
            pair(62, InvPlaces, InvMoves, 5, 8, 0, 3),
            row(InvRows, 6, 18, 2, 0),
            three([InvForecast, InvHistogram, InvDead], 7, 12, 1, 1),
            row(InvMap, 5, 11, 0, 4),
        ],
    }
}

fn behaviour(size: Class) -> Vec<Slot> {
    use Piece::{
        BehCarts, BehEvents, BehExits, BehFunnel, BehHours, BehLeft, BehOutcomes, BehPaths, BehSearch,
        BehStores,
    };
    match size {
        Class::Small => vec![
            pair(58, BehFunnel, BehOutcomes, 7, 11, 0, 0),
            pair(50, BehSearch, BehPaths, 4, 8, 2, 1),
        ],
        Class::Medium => vec![
            pair(60, BehFunnel, BehOutcomes, 8, 12, 0, 0),
            pair(50, BehSearch, BehPaths, 5, 10, 2, 1),
            three([BehEvents, BehCarts, BehExits], 5, 8, 1, 2),
            row(BehStores, 4, 6, 1, 3),
        ],
        Class::Large => vec![
            pair(60, BehFunnel, BehOutcomes, 8, 13, 0, 0),
            pair(50, BehSearch, BehPaths, 6, 14, 2, 1),
            three([BehEvents, BehCarts, BehExits], 5, 9, 0, 2),
            row(BehStores, 5, 10, 1, 3),
            pair(50, BehHours, BehLeft, 9, 9, 0, 4),
        ],
    }
}

fn logistics(size: Class, head: Slot) -> Vec<Slot> {
    use Piece::{LogCalendar, LogDays, LogHistogram, LogMethods, LogOverdue, LogTransit};
    match size {
        Class::Small => vec![
            head,
            row(LogMethods, 4, 6, 0, 0),
            pair(50, LogDays, LogTransit, 5, 7, 1, 1),
            row(LogOverdue, 3, 5, 2, 2),
        ],
        Class::Medium => vec![
            head,
            row(LogMethods, 5, 7, 0, 0),
            three([LogDays, LogTransit, LogHistogram], 6, 10, 1, 1),
            row(LogOverdue, 4, 12, 2, 2),
        ],
        Class::Large => vec![
            head,
            row(LogMethods, 5, 8, 0, 0),
            three([LogDays, LogTransit, LogHistogram], 6, 14, 1, 1),
            pair(50, LogOverdue, LogCalendar, 8, 18, 2, 2),
        ],
    }
}

fn stores(size: Class, head: Slot) -> Vec<Slot> {
    use Piece::{StoChurn, StoMovers, StoMrr, StoPlans, StoScore, StoShare};
    match size {
        Class::Small => vec![
            head,
            row(StoScore, 5, 9, 2, 0),
            pair(50, StoPlans, StoMrr, 4, 6, 0, 1),
            pair(50, StoChurn, StoShare, 3, 5, 0, 2),
        ],
        Class::Medium => vec![
            head,
            row(StoScore, 6, 14, 2, 0),
            pair(50, StoPlans, StoMrr, 5, 7, 0, 1),
            pair(50, StoChurn, StoShare, 4, 6, 0, 2),
        ],
        Class::Large => vec![
            head,
            row(StoScore, 8, 24, 2, 0),
            three([StoPlans, StoMrr, StoChurn], 5, 8, 0, 1),
            pair(50, StoShare, StoMovers, 5, 10, 1, 2),
        ],
    }
}

fn alerts(size: Class, head: Slot) -> Vec<Slot> {
    use Piece::{AleDetail, AleRules, AleSeen, AleTable};
    match size {
        Class::Small => vec![
            head,
            row(AleTable, 4, 8, 2, 0),
            row(AleDetail, 4, 6, 0, 1),
            row(AleRules, 3, 4, 1, 2),
        ],
        Class::Medium | Class::Large => vec![
            head,
            row(AleTable, 5, 12, 1, 0),
            side(
                vec![
                    (40, whole(panel(AleRules))),
                    (
                        60,
                        vec![one(panel(AleDetail), 6, 9, 0, 0), one(panel(AleSeen), 3, 6, 1, 1)],
                    ),
                ],
                8,
                19,
                1,
                1,
            ),
        ],
    }
}
