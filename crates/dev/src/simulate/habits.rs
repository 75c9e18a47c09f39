//! How fast things follow one another: in days for the history, in seconds for the live phase, where everything that
//! can happen to an order must be seen within minutes.

use chrono::TimeDelta;

use super::dice::Dice;
use super::order::Method;

/// A waiting time between two bounds in seconds; short ones come more often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span(f64, f64);

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

impl Span {
    /// Draws a waiting time.
    pub(crate) fn draw(self, dice: &mut Dice) -> TimeDelta {
        TimeDelta::microseconds((dice.skewed(self.0, self.1) * 1e6) as i64)
    }
}

/// What changes besides orders and visits: each kind happens on its own, at random times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edit {
    /// A product gets another price.
    Reprice,
    /// A product is filed under another category.
    Refile,
    /// A product is taken off sale, or put back.
    Relist,
    /// A product goes on sale.
    Offer,
    /// A store changes its subscription.
    Plan,
    /// A store opens.
    Open,
    /// A buyer moves.
    Move,
    /// Somebody signs up and buys nothing.
    SignUp,
    /// A buyer without orders is deleted.
    DeleteBuyer,
    /// A store joins or leaves a segment.
    Segment,
    /// A line in a cart is taken back: its behaviour row is deleted.
    Forget,
    /// An order of an earlier day is refunded.
    ReversePast,
    /// An order of an earlier day is deleted.
    DeletePast,
    /// Goods are found broken or lost.
    Shrink,
    /// A planted incident begins.
    Incident,
}

/// All rates and waiting times of one phase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Habits {
    settle_card: Span,
    settle_wire: Span,
    call_off: Span,
    abandon: Span,
    pub(crate) retry: Span,
    pub(crate) refund: Span,
    pub(crate) chargeback: Span,
    pub(crate) give_back: Span,
    pub(crate) dispatch: Span,
    /// How long a parcel travels; nothing when it follows its promise.
    pub(crate) transit: Option<Span>,
    pub(crate) supply: Span,
    pub(crate) slow_supply_rate: f64,
    pub(crate) lines_later: Span,
    pub(crate) delete: Span,
    pub(crate) answer: Span,
    pub(crate) contact: Span,
    pub(crate) called_off_rate: f64,
    pub(crate) abandoned_rate: f64,
    pub(crate) retry_rate: f64,
    pub(crate) refund_rate: f64,
    pub(crate) chargeback_rate: f64,
    pub(crate) lines_later_rate: f64,
    pub(crate) line_change_rate: f64,
    pub(crate) delete_rate: f64,
    pub(crate) redate_rate: f64,
    pub(crate) complaint_rate: f64,
    pub(crate) contact_rate: f64,
    /// Share of the orders placed by somebody who was not a buyer before.
    pub(crate) sign_up_rate: f64,
    /// Seconds of demand that a delivery of the supplier covers.
    pub(crate) cover: f64,
    /// Seconds of demand that the reorder point covers.
    pub(crate) reorder_at: f64,
    /// Shortest time between two orders of one buyer, as far as there are others.
    pub(crate) buyer_rest: TimeDelta,
    /// Mean seconds between two edits of a kind.
    pub(crate) edits: &'static [(Edit, f64)],
}

/// Whether planted things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planting {
    /// They do.
    Planted,
    /// They do not: the negative control.
    None,
}

/// In the history only what its orders remember: prices.
const HISTORY_EDITS: &[(Edit, f64)] = &[(Edit::Reprice, 0.6 * DAY), (Edit::Shrink, 1.5 * DAY)];

/// Every kind is seen within a few minutes.
const LIVE_EDITS: &[(Edit, f64)] = &[
    (Edit::Reprice, 12.0),
    (Edit::Refile, 45.0),
    (Edit::Relist, 50.0),
    (Edit::Offer, 80.0),
    (Edit::Plan, 60.0),
    (Edit::Open, 1800.0),
    (Edit::Move, 15.0),
    (Edit::SignUp, 40.0),
    (Edit::DeleteBuyer, 70.0),
    (Edit::Segment, 60.0),
    (Edit::Forget, 25.0),
    (Edit::ReversePast, 60.0),
    (Edit::DeletePast, 90.0),
    (Edit::Shrink, 45.0),
    (Edit::Incident, 420.0),
];

const LIVE_EDITS_WITHOUT_INCIDENTS: &[(Edit, f64)] = LIVE_EDITS.split_at(LIVE_EDITS.len() - 1).0;

const fn slow_supply_rate(planting: Planting) -> f64 {
    match planting {
        Planting::Planted => 0.08,
        Planting::None => 0.0,
    }
}

impl Habits {
    /// The history: what follows an order takes hours and days.
    pub(crate) fn history(planting: Planting) -> Self {
        Self {
            settle_card: Span(3.0, 90.0),
            settle_wire: Span(2.0 * HOUR, 40.0 * HOUR),
            call_off: Span(5.0 * MINUTE, 20.0 * HOUR),
            abandon: Span(2.0 * DAY, 9.0 * DAY),
            retry: Span(40.0, 12.0 * MINUTE),
            refund: Span(1.0 * DAY, 20.0 * DAY),
            chargeback: Span(10.0 * DAY, 45.0 * DAY),
            give_back: Span(1.0 * DAY, 6.0 * DAY),
            dispatch: Span(3.0 * HOUR, 30.0 * HOUR),
            transit: None,
            supply: match planting {
                Planting::Planted => Span(1.5 * DAY, 5.0 * DAY),
                // Whoever wants no stock-outs needs suppliers who come at once.
                Planting::None => Span(0.1 * DAY, 0.4 * DAY),
            },
            slow_supply_rate: slow_supply_rate(planting),
            lines_later: Span(1.0, 2.0),
            delete: Span(1.0, 2.0),
            answer: Span(2.0 * HOUR, 4.0 * DAY),
            contact: Span(2.0 * HOUR, 6.0 * DAY),
            called_off_rate: 0.028,
            abandoned_rate: 0.008,
            retry_rate: 0.55,
            refund_rate: 0.022,
            chargeback_rate: 0.0015,
            lines_later_rate: 0.0,
            line_change_rate: 0.0,
            delete_rate: 0.0,
            redate_rate: 0.0,
            complaint_rate: 0.014,
            contact_rate: 0.025,
            sign_up_rate: 0.0,
            cover: 16.0 * DAY,
            reorder_at: 4.0 * DAY,
            buyer_rest: TimeDelta::minutes(20),
            edits: match planting {
                Planting::Planted => HISTORY_EDITS,
                Planting::None => &[],
            },
        }
    }

    /// The live phase: the same life in minutes.
    pub(crate) fn live(planting: Planting) -> Self {
        Self {
            settle_card: Span(2.0, 12.0),
            settle_wire: Span(25.0, 120.0),
            call_off: Span(6.0, 60.0),
            abandon: Span(150.0, 600.0),
            retry: Span(5.0, 45.0),
            refund: Span(25.0, 200.0),
            chargeback: Span(40.0, 300.0),
            give_back: Span(10.0, 60.0),
            dispatch: Span(15.0, 90.0),
            transit: Some(Span(45.0, 400.0)),
            supply: Span(15.0, 80.0),
            slow_supply_rate: slow_supply_rate(planting),
            lines_later: Span(0.2, 1.5),
            delete: Span(20.0, 150.0),
            answer: Span(20.0, 240.0),
            contact: Span(10.0, 120.0),
            called_off_rate: 0.03,
            abandoned_rate: 0.008,
            retry_rate: 0.55,
            refund_rate: 0.025,
            chargeback_rate: 0.003,
            lines_later_rate: 0.04,
            line_change_rate: 0.04,
            delete_rate: 0.004,
            redate_rate: 0.02,
            complaint_rate: 0.014,
            contact_rate: 0.025,
            sign_up_rate: 0.015,
            cover: 25.0 * MINUTE,
            reorder_at: 110.0,
            buyer_rest: TimeDelta::seconds(150),
            edits: match planting {
                Planting::Planted => LIVE_EDITS,
                Planting::None => LIVE_EDITS_WITHOUT_INCIDENTS,
            },
        }
    }

    /// How long a payment takes.
    pub(crate) fn settle(&self, method: Method, dice: &mut Dice) -> TimeDelta {
        match method {
            Method::WireTransfer => self.settle_wire.draw(dice),
            _ => self.settle_card.draw(dice),
        }
    }

    /// How long until an unpaid order is called off.
    pub(crate) fn call_off(&self, dice: &mut Dice) -> TimeDelta {
        self.call_off.draw(dice)
    }

    /// How long an abandoned order stays open.
    pub(crate) fn abandon(&self, dice: &mut Dice) -> TimeDelta {
        self.abandon.draw(dice)
    }
}
