//! How a node of the group behaves in time and space.

use std::time::Duration;

use openraft::{Config, SnapshotPolicy};

use crate::{ConsensusError, Member, NodeId};

/// What a node needs to know besides its disk.
#[derive(Clone, Debug)]
pub struct ConsensusConfig {
    /// The group's identity (the store id). Messages of another group are refused.
    pub group: String,
    pub me: NodeId,
    pub timing: Timing,
    pub limits: LogLimits,
    /// Begin a new group that goes on with this node's log, and has this node alone. The old group
    /// must never agree on anything again under this `group`; whether nodes of it still run, nobody
    /// here can know.
    pub alone: Option<Member>,
    /// Follow and vote, and do not stand for election before [`crate::Consensus::stand_for_election`].
    pub waits_to_stand: bool,
}

/// How long the log grows before a snapshot takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// A snapshot is built after this many further entries.
    pub snapshot_after_entries: u64,
    /// Entries kept in the log behind a snapshot, for lanes that were away for a moment.
    pub entries_kept: u64,
}

impl Default for LogLimits {
    /// Those of a store.
    fn default() -> LogLimits {
        LogLimits {
            snapshot_after_entries: 20_000,
            entries_kept: 10_000,
        }
    }
}

impl ConsensusConfig {
    /// The settings of a store.
    pub fn new(group: String, me: NodeId) -> ConsensusConfig {
        ConsensusConfig {
            group,
            me,
            timing: Timing::default(),
            limits: LogLimits::default(),
            alone: None,
            waits_to_stand: false,
        }
    }

    pub(crate) fn to_openraft(&self) -> Result<Config, ConsensusError> {
        let ms = |duration: Duration| duration.as_millis() as u64;
        let timing = &self.timing;
        if timing.rpc_limit >= timing.election_min {
            let reason = "an RPC may take longer than an election timeout".to_owned();
            return Err(ConsensusError::Config { reason });
        }
        let config = Config {
            cluster_name: self.group.clone(),
            heartbeat_interval: ms(timing.heartbeat),
            election_timeout_min: ms(timing.election_min),
            election_timeout_max: ms(timing.election_max),
            install_snapshot_timeout: ms(timing.snapshot_step_limit),
            max_payload_entries: 512,
            max_append_entries: Some(4096),
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.limits.snapshot_after_entries),
            max_in_snapshot_log_to_keep: self.limits.entries_kept,
            api_channel_size: Some(4096),
            notification_channel_size: Some(16_384),
            state_machine_channel_size: Some(256),
            backoff: "50ms 100ms 200ms ...500ms".to_owned(),
            // A leader that has lost its quorum falls silent, so that lanes that can form one do,
            // even if it still reaches them and only their answers are lost. An election starts up
            // to two of the longest election timeouts into the silence; the third leaves it time.
            quorum_loss_probe_interval: Some(3 * ms(timing.election_max)),
            enable_elect: !self.waits_to_stand,
            enable_pre_vote: Some(true),
            allow_log_reversion: Some(false),
            // A leader that restarts is elected like any other: it may have lost what only the
            // state knew about the commit.
            enable_leader_restore: Some(false),
            ..Config::default()
        };
        config.validate().map_err(|error| ConsensusError::Config {
            reason: error.to_string(),
        })
    }
}

/// When a node does what. A follower starts an election once it has heard nothing for
/// `election_max` and then for a random time between `election_min` and `election_max`.
#[derive(Clone, Debug)]
pub struct Timing {
    pub heartbeat: Duration,
    pub election_min: Duration,
    pub election_max: Duration,
    /// The longest a vote or a heartbeat may take; below `election_min`.
    pub rpc_limit: Duration,
    /// The longest an append of entries may take. It says nothing about who is alive, so it may be
    /// long: a slow link needs its time for a full batch, and giving up only to send the same
    /// again would fill the link with copies of it.
    pub append_limit: Duration,
    /// The longest one chunk of a snapshot may take.
    pub snapshot_step_limit: Duration,
    /// The longest installing a received snapshot may take.
    pub snapshot_install_limit: Duration,
    /// The longest a proposal waits for its commit.
    pub propose_limit: Duration,
    /// How long a lane must have been caught up and heard from to become a voter.
    pub stable_for: Duration,
    /// How long a voter must have been silent to be replaced.
    pub dead_after: Duration,
    /// How often the leader looks whether the group should change.
    pub autopilot_every: Duration,
}

impl Default for Timing {
    /// A new leader is elected within 0.7 s of the last sign of the old one, and nobody stands before
    /// three heartbeats in a row have come to nothing. More of them on the same stream would not be
    /// any safer, since what is late holds up all behind it; and they, with openraft's ticks, which are
    /// a fifth of their interval apart, are most of what a lane at rest does.
    fn default() -> Timing {
        Timing {
            heartbeat: Duration::from_millis(150),
            election_min: Duration::from_millis(180),
            election_max: Duration::from_millis(330),
            rpc_limit: Duration::from_millis(170),
            append_limit: Duration::from_secs(10),
            snapshot_step_limit: Duration::from_secs(5),
            snapshot_install_limit: Duration::from_secs(60),
            propose_limit: Duration::from_secs(5),
            stable_for: Duration::from_secs(2),
            dead_after: Duration::from_secs(30),
            autopilot_every: Duration::from_millis(500),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_a_store_are_valid_and_wrong_ones_are_refused() {
        ConsensusConfig::new("store".into(), 1)
            .to_openraft()
            .unwrap();
        let check = |change: fn(&mut Timing)| {
            let mut config = ConsensusConfig::new("store".into(), 1);
            change(&mut config.timing);
            assert!(matches!(
                config.to_openraft(),
                Err(ConsensusError::Config { .. })
            ));
        };
        check(|timing| timing.rpc_limit = timing.election_min);
        check(|timing| timing.election_min = timing.election_max);
        check(|timing| timing.heartbeat = timing.election_max);
    }
}
