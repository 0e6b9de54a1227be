//! The rules of coming and going: who is let in, who has left, which of two copies goes on.

use sale::LaneId;

use crate::apply::{FOUNDER_NODE, Rules, refused};
use crate::store::{LANES, STORE, row};
use crate::{
    BARRED_RUNS_KEPT, Epoch, ExceptionKind, Head, InvitationId, InvitationRecord, LaneRecord, Left,
    LeftWhy, Outcome, Run, StoreRecord, StoreView, Table, TableError,
};

/// The rule that lets a machine that joins again take its own place.
const JOINED_AGAIN: &str = "joined again";

impl Rules<'_, '_> {
    pub(crate) fn admit_invited(
        &mut self,
        invitation: InvitationId,
        lane: LaneId,
        lane_name: &str,
        peer: &str,
        now_ms: u64,
    ) -> Result<Outcome, TableError> {
        let key = invitation.to_be_bytes();
        let Some(record) = row::<InvitationRecord>(self.tables, Table::Invitation, &key)? else {
            return refused("There is no such invitation. Ask for a new code.");
        };
        let known = StoreView::new(self.tables).lane(lane)?;
        let used_by = match record.used_by {
            Some(user) => StoreView::new(self.tables).lane(user)?,
            None => None,
        };
        // The answer was lost and the same machine asks again, perhaps from its beginning.
        let is_repeated = used_by.is_some_and(|user| user.peer == peer && user.is_member());
        if record.used_by.is_some() && !is_repeated {
            return refused("This invitation was used. Ask for a new code.");
        }
        if now_ms > record.expires_ms && !is_repeated {
            return refused("This invitation has run out. Ask for a new code.");
        }
        match known {
            Some(known) if known.peer != peer => return refused("This lane is a member already."),
            Some(known) if !known.is_member() => {
                return refused(
                    "This lane has left the store. Join again with an empty folder, or with --again.",
                );
            }
            // Its seat is its own, under whichever code it asks.
            Some(known) => {
                return Ok(Outcome::Admitted {
                    node: known.node,
                    number: known.number,
                });
            }
            None => {}
        }
        let used = InvitationRecord {
            used_by: Some(lane),
            ..record
        };
        self.put(Table::Invitation, &key, &used)?;
        self.replace_seats_of(peer, lane, now_ms)?;
        let node = planted::instead("node-id-reused", FOUNDER_NODE, self.index);
        self.admit(lane, lane_name, peer, node, now_ms)
    }

    /// A machine has one seat: whichever it had before is given up, be it that it never took it.
    fn replace_seats_of(&mut self, peer: &str, by: LaneId, at_ms: u64) -> Result<(), TableError> {
        let lanes = StoreView::new(self.tables).lanes()?.into_iter();
        for lane in lanes.filter(|lane| lane.peer == peer && lane.is_member()) {
            let left = Left {
                why: LeftWhy::Replaced { by },
                by: JOINED_AGAIN.to_owned(),
                at_ms,
            };
            self.leave(lane, left)?;
        }
        Ok(())
    }

    pub(crate) fn admit(
        &mut self,
        lane: LaneId,
        name: &str,
        peer: &str,
        node: u64,
        admitted_ms: u64,
    ) -> Result<Outcome, TableError> {
        let number = u32::try_from(self.count(LANES)?).unwrap_or(u32::MAX);
        let level = StoreView::new(self.tables).level()?;
        let record = LaneRecord {
            lane,
            number,
            name: name.to_owned(),
            peer: peer.to_owned(),
            node,
            head: Head::default(),
            admitted_ms,
            closed: false,
            reads: level,
            left: None,
            barred: Vec::new(),
            confirmed: Vec::new(),
        };
        self.put(Table::Lane, &lane.0, &record)?;
        Ok(Outcome::Admitted { node, number })
    }

    fn leave(&mut self, mut lane: LaneRecord, left: Left) -> Result<(), TableError> {
        lane.left = Some(left);
        self.put(Table::Lane, &lane.lane.0, &lane)
    }

    pub(crate) fn retire(
        &mut self,
        lane: LaneId,
        why: &LeftWhy,
        by: &str,
        at_ms: u64,
    ) -> Result<Outcome, TableError> {
        let lanes = StoreView::new(self.tables).lanes()?;
        let Some(record) = lanes.iter().find(|known| known.lane == lane) else {
            return refused("This store has no such lane.");
        };
        if !record.is_member() {
            return Ok(Outcome::Done);
        }
        if lanes.iter().filter(|lane| lane.is_member()).count() == 1 {
            return refused("The last lane of a store cannot leave it.");
        }
        if *why == LeftWhy::NeverCame && record.head.next_seq > Head::default().next_seq {
            return refused("This lane has begun to work.");
        }
        let left = Left {
            why: why.clone(),
            by: by.to_owned(),
            at_ms,
        };
        self.leave(record.clone(), left)?;
        self.raise_level()?;
        Ok(Outcome::Done)
    }

    pub(crate) fn recover(
        &mut self,
        epoch: Epoch,
        keeper: LaneId,
        by: &str,
        at_ms: u64,
    ) -> Result<Outcome, TableError> {
        let Some(store) = self.store()? else {
            return refused("The store has not been created yet.");
        };
        if store.epoch() == epoch {
            return Ok(Outcome::Done);
        }
        if Some(epoch.number) != store.epoch.checked_add(1) {
            return refused(format!(
                "The store is in epoch {} and cannot be recovered into epoch {epoch}.",
                store.epoch()
            ));
        }
        let record = StoreRecord {
            epoch: epoch.number,
            epoch_mark: epoch.mark,
            ..store
        };
        self.put(Table::Meta, STORE, &record)?;
        let lanes = StoreView::new(self.tables).lanes()?.into_iter();
        for lane in lanes.filter(|lane| lane.is_member() && lane.lane != keeper) {
            let message = format!(
                "Lane {} ({}) was missing when the store was recovered. Its sales are known up to \
                 entry {}. If its machine comes back, let it join again: what it sold since then \
                 is taken over.",
                lane.number,
                lane.name,
                lane.head.next_seq - 1,
            );
            self.exception_of_lane(ExceptionKind::LaneMissing, lane.lane, message)?;
            let left = Left {
                why: LeftWhy::Missing {
                    epoch: epoch.number,
                },
                by: by.to_owned(),
                at_ms,
            };
            self.leave(lane, left)?;
        }
        self.raise_level()?;
        Ok(Outcome::Done)
    }

    /// Raises the store's level to what all its members read.
    pub(crate) fn raise_level(&mut self) -> Result<(), TableError> {
        let Some(store) = self.store()? else {
            return Ok(());
        };
        let lanes = StoreView::new(self.tables).lanes()?.into_iter();
        let read_by_all = lanes.filter(LaneRecord::is_member).map(|l| l.reads).min();
        match read_by_all {
            Some(level) if level > store.level => {
                self.put(Table::Meta, STORE, &StoreRecord { level, ..store })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn bar(
        &mut self,
        lane: LaneId,
        keeps: Run,
        bars: Run,
    ) -> Result<Outcome, TableError> {
        let Some(mut record) = StoreView::new(self.tables).lane(lane)? else {
            return refused("This store has no such lane.");
        };
        if record.barred.contains(&bars) {
            return Ok(Outcome::Done);
        }
        if keeps == bars || record.barred.contains(&keeps) || record.confirmed.contains(&bars) {
            return refused("The other one was decided on before.");
        }
        remember(&mut record.barred, bars);
        if !record.confirmed.contains(&keeps) {
            remember(&mut record.confirmed, keeps);
        }
        let message = format!(
            "Two registers worked as lane {} ({}) at a time: its disk was copied. The second one \
             was stopped. What it sold is kept on it; let it join again as a new lane.",
            record.number, record.name
        );
        self.put(Table::Lane, &lane.0, &record)?;
        self.exception_of_lane(ExceptionKind::LaneCopied, lane, message)?;
        Ok(Outcome::Done)
    }
}

fn remember(runs: &mut Vec<Run>, run: Run) {
    runs.push(run);
    if runs.len() > BARRED_RUNS_KEPT {
        runs.remove(0);
    }
}
