//! A store that goes on with one lane after the majority was lost, and lanes that join again on what
//! is left of them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ledger::LaneId;
use node::lane::{PinCheck, Survey, confirm, survey};
use sale::Pin;

use super::{Process, Slot, Store};
use crate::checks::{Copied, Gone};
use crate::goods;

/// How long a recovery looks for the other lanes.
const SURVEY_FOR: Duration = Duration::from_secs(2);

impl Store {
    /// A manager has the store go on with this lane alone, whose process does not run. Answers what
    /// the manager was shown.
    pub async fn recover(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<Survey, String> {
        let world = self.begin(slot);
        let providers = world.providers.clone();
        let told = async move {
            let found = survey(&providers, SURVEY_FOR).await?;
            let pin = Pin(goods::PIN.to_owned());
            let check: PinCheck = Arc::new(|employee, pin| employee.pin_hash == pin.0);
            confirm(&providers, &check, Some((goods::MANAGER, &pin)))?;
            Ok::<_, node::lane::RecoverError>(found)
        };
        let told = self.executor.call(world.id, told).await;
        self.end(slot, "is told to go on alone");
        if matches!(told, Some(Ok(_))) {
            self.miss_all_but(slot);
        }
        match told {
            Some(told) => told.map_err(|error| error.to_string()),
            None => Err("its process ended".to_owned()),
        }
    }

    /// From now on the store goes on without every lane but this one.
    fn miss_all_but(&self, keeper: &Arc<Slot>) {
        let mut others = self.slots();
        others.retain(|slot| !Arc::ptr_eq(slot, keeper));
        let lanes = others.iter().filter_map(|slot| slot.state().lane);
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.extend(lanes);
    }

    /// A machine that works with a copy of a lane's disk is to become a lane of its own: what was sold
    /// there must be with all lanes in the end.
    pub fn adopt(&self, copy: &Arc<Slot>, lane: LaneId) {
        self.copies_lock().retain(|other| !Arc::ptr_eq(other, copy));
        self.adopted_lock().extend(Copied::of(copy));
        self.take_receipts_of_copy(lane);
    }

    /// A machine that worked as a lane, in the place of the one that had been, is put away: the
    /// journal that the store has of that lane ends here.
    pub async fn put_away(self: &Arc<Self>, spare: &Arc<Slot>, first: &Slot, lane: LaneId) {
        first.apart.send_replace(true);
        self.close(spare).await;
        spare.gone.send_replace(true);
        self.copies_lock()
            .retain(|other| !Arc::ptr_eq(other, spare));
        self.take_receipts_of_copy(lane);
        self.gone_lock().push(Gone::parted(&first.name, lane));
    }

    /// A machine whose lane `lane` is out of the store and closed joins again as a new lane, with the
    /// journal that it has. `None` where it did not get in: the machine may be tried with again.
    pub async fn join_again(
        self: &Arc<Self>,
        machine: &Arc<Slot>,
        lane: LaneId,
        inviter: &(Arc<Slot>, Process),
    ) -> Option<Arc<Slot>> {
        machine.gone.send_replace(true);
        let code = inviter.1.invite().await.ok()?;
        let slot = self.new_slot_on(Some(machine));
        let slot = self.join_as(slot, inviter, code).await?;
        // Of a copied disk somebody else has the lane's journal.
        let is_known = machine.is_copy() || self.gone().iter().any(|gone| gone.lane == lane);
        let gone = slot.process().filter(|_| !is_known);
        let gone = gone.and_then(|process| Gone::moved(machine, lane, &slot, &process));
        self.slots_lock()
            .retain(|other| !Arc::ptr_eq(other, machine));
        self.gone_lock().extend(gone);
        Some(slot)
    }
}
