//! Orders and their lines, in any order of coming, and what is kept of those of sealed days.

use super::{Fate, Records};
use crate::change::{Change, Op, Row};
use crate::config::OrderClass;
use crate::live::past::Past;
use crate::live::state::{BrokenState, StateId};
use crate::live::tape::{self, is_news};
use crate::live::work::open;
use crate::order::{Header, Holder, Kept, Line};
use crate::position::{Position, Verdict};
use crate::table::Table;

impl Records<'_> {
    pub(super) fn order(
        &mut self,
        id: StateId,
        change: &Change,
        image: Option<&Row>,
    ) -> Result<Fate, BrokenState> {
        if self.is_past(change.key, image)? {
            return Ok(Fate::Late);
        }
        let slot = open(&mut self.work.orders, self.read, id)?;
        let stored = slot.new.header.as_ref();
        if Position::judge(stored.map(|kept| kept.position), change.position) == Verdict::Older {
            return Ok(Fate::Older);
        }
        let old = slot.new.live_header().cloned();
        let new = image.map(|row| {
            let mut new = Header::of(row, self.meaning);
            let was = old.as_ref();
            new.reversed_at = was.and_then(|old| old.reversed_at).or_else(|| {
                // Seen as it happened, or an order of unknown history: that one counts on its own day.
                let is_seen = !change.snapshot && change.op != Op::Read;
                let turned = new.class == OrderClass::Reversed
                    && was.is_none_or(|old| old.class != OrderClass::Reversed);
                (is_seen && turned).then(|| change.committed_at.timestamp_micros())
            });
            new
        });
        let is_late = |header: &Header| self.gate.keep.is_past(header.at);
        let headers = || [&old, &new].into_iter().flatten();
        let fate = if old == new {
            Fate::Unchanged
        } else if headers().all(is_late) {
            Fate::Late
        } else {
            self.gate.crossings += u64::from(headers().any(is_late));
            Fate::Applied
        };
        if matches!(fate, Fate::Applied) && is_news(change) {
            self.tape.extend(
                new.as_ref()
                    .or(old.as_ref())
                    .map(|header| tape::order(change, header)),
            );
        }
        slot.new.header = Some(Kept {
            position: change.position,
            row: new,
        });
        Ok(fate)
    }

    /// True for a change of an order that has left. The header of an order of a sealed day that has not left is kept like any
    /// other, so that its buyer remembers the right days, until all states of sealed days leave; the lines that came before
    /// it go at once.
    ///
    /// An order that comes back from a sealed day is kept again, without the lines that have left: its money is right, its
    /// products are not, and `verify` shows it.
    fn is_past(&mut self, order: i64, image: Option<&Row>) -> Result<bool, BrokenState> {
        let Records { work, read, gate, .. } = self;
        let slot = open(&mut work.orders, read, StateId::Order(order))?;
        if !gate.keep.is_sealing() || slot.new.header.is_some() {
            return Ok(false);
        }
        let past = open(&mut work.pasts, read, Past::holder(order))?;
        past.touched = true;
        let at = image.map(|row| row.micros(Table::Transaction, "transaction_date"));
        let Some(at) = at else {
            return Ok(past.new.contains(order));
        };
        if !gate.keep.is_past(at) {
            gate.crossings += u64::from(past.new.contains(order));
            past.new.remove(order);
            return Ok(false);
        }
        for line in std::mem::take(&mut slot.new.lines).into_keys() {
            open(&mut work.lines, read, StateId::Line(line))?.new = None;
        }
        Ok(past.new.contains(order))
    }

    /// True for an order whose lines are not kept: it has left, or will.
    fn is_leaving(&mut self, order: i64) -> Result<bool, BrokenState> {
        let Records { work, read, gate, .. } = self;
        if !gate.keep.is_sealing() {
            return Ok(false);
        }
        let held = &open(&mut work.orders, read, StateId::Order(order))?.new;
        if let Some(header) = held.live_header() {
            return Ok(gate.keep.is_past(header.at));
        }
        let past = open(&mut work.pasts, read, Past::holder(order))?;
        past.touched = true;
        Ok(past.new.contains(order))
    }

    pub(super) fn line(
        &mut self,
        line: i64,
        change: &Change,
        image: Option<&Row>,
    ) -> Result<Fate, BrokenState> {
        let id = StateId::Line(line);
        let slot = open(&mut self.work.lines, self.read, id)?;
        let stored = slot.new.as_ref().map(|kept| kept.position);
        if Position::judge(stored, change.position) == Verdict::Older {
            return Ok(Fate::Older);
        }
        let is_known = slot.new.is_some();
        let new = image.map(|row| Holder {
            order: row.int(Table::TransactionDetail, "transaction_id"),
        });
        let content = image.map(Line::of);
        let left = match new.and_then(|holder| holder.order) {
            Some(order) => self.is_leaving(order)?,
            // A deleted line that nobody knows is one of an order that has left.
            None => image.is_none() && self.gate.keep.is_sealing() && !is_known,
        };
        if !left {
            return self.place(line, change.position, new, content);
        }
        if is_known {
            self.place(line, change.position, None, None)?;
        }
        open(&mut self.work.lines, self.read, id)?.new = None;
        Ok(Fate::Late)
    }

    /// Takes a line out of the order that holds it and puts it into the one it names now.
    pub(super) fn place(
        &mut self,
        line: i64,
        position: Position,
        holder: Option<Holder>,
        content: Option<Line>,
    ) -> Result<Fate, BrokenState> {
        let slot = open(&mut self.work.lines, self.read, StateId::Line(line))?;
        let old = slot.new.as_ref().and_then(|kept| kept.row);
        slot.new = Some(Kept {
            position,
            row: holder,
        });
        let mut removed = None;
        if let Some(order) = old.and_then(|holder| holder.order) {
            let from = open(&mut self.work.orders, self.read, StateId::Order(order))?;
            removed = from.new.lines.remove(&line);
            if removed.is_none() {
                return Err(BrokenState::LostLine { line, order });
            }
        }
        let mut placed = None;
        if let (Some(order), Some(content)) = (holder.and_then(|holder| holder.order), content) {
            let into = open(&mut self.work.orders, self.read, StateId::Order(order))?;
            into.new.lines.insert(line, content);
            placed = Some(content);
        }
        Ok(if old == holder && removed == placed {
            Fate::Unchanged
        } else {
            Fate::Applied
        })
    }
}
