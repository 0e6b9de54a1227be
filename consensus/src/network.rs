//! openraft's way to the other nodes, over [`Transport`].
//!
//! Votes and heartbeats travel apart from appends, and snapshots apart from both, so that bulk never
//! delays a sign of life.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use openraft::errors::{
    NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable,
};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::type_config::alias::SnapshotOf;
use openraft::{OptionalSend, RPCTypes};
use providers::StreamClass;
use storage::SnapshotFile;

use crate::codec::{decode, encode};
use crate::liveness::Liveness;
use crate::rpc::{Answer, Ask, Request};
use crate::snapshots::{Progress, SnapshotDesk};
use crate::types::{Types, Vote};
use crate::{Member, NodeId, Timing, Transport, TransportError};

/// How often one chunk of a snapshot is tried before the transfer is left to openraft's back-off.
/// What was received is kept, so the next transfer goes on from there.
const CHUNK_TRIES_MAX: u32 = 3;

/// Makes connections, one per node and use.
#[derive(Clone)]
pub struct Connections {
    pub group: String,
    pub me: NodeId,
    pub timing: Timing,
    pub transport: Arc<dyn Transport>,
    pub liveness: Arc<Liveness>,
    pub desk: SnapshotDesk,
}

impl RaftNetworkFactory<Types> for Connections {
    type Network = Connection;

    async fn new_client(&mut self, target: NodeId, node: &Member) -> Connection {
        Connection {
            shared: self.clone(),
            target,
            member: node.clone(),
            append_class: StreamClass::Append,
        }
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, node: &Member) -> Connection {
        let mut connection = self.new_client(target, node).await;
        connection.append_class = StreamClass::Control;
        connection
    }
}

/// The way to one node.
pub struct Connection {
    shared: Connections,
    target: NodeId,
    member: Member,
    append_class: StreamClass,
}

type RpcResult<T> = Result<T, RPCError<Types>>;

impl Connection {
    async fn ask(
        &self,
        class: StreamClass,
        kind: RPCTypes,
        limit: Duration,
        ask: Ask,
    ) -> RpcResult<Answer> {
        let shared = &self.shared;
        let request = Request {
            group: shared.group.clone(),
            from: shared.me,
            to: self.target,
            leads_quorum: shared.liveness.leads_quorum(),
            ask,
        };
        let bytes = Bytes::from(encode(&request));
        let answer = shared.transport.call(&self.member, class, bytes, limit);
        match answer.await {
            Ok(bytes) => match decode(&bytes) {
                Ok(Answer::Refused(reason)) => Err(unreachable(reason)),
                Ok(answer) => Ok(answer),
                Err(error) => Err(unreachable(error)),
            },
            Err(TransportError::Timeout) => Err(RPCError::Timeout(Timeout {
                action: kind,
                id: shared.me,
                target: self.target,
                timeout: limit,
            })),
            // Asking again at once would not help: openraft backs off from the unreachable.
            Err(error) => Err(unreachable(error)),
        }
    }

    async fn control(&self, kind: RPCTypes, ask: Ask) -> RpcResult<Answer> {
        let limit = self.shared.timing.rpc_limit;
        self.ask(StreamClass::Control, kind, limit, ask).await
    }

    async fn snapshot_step(&self, limit: Duration, ask: Ask) -> RpcResult<Answer> {
        self.ask(StreamClass::Snapshot, RPCTypes::InstallSnapshot, limit, ask)
            .await
    }

    async fn progress(&self, ask: Ask) -> RpcResult<Progress> {
        let limit = self.shared.timing.snapshot_step_limit;
        match self.snapshot_step(limit, ask).await? {
            Answer::SnapshotProgress(progress) => Ok(progress),
            other => Err(unexpected(&other)),
        }
    }

    /// Sends the rows the other side does not have yet, and has it install them.
    async fn send_snapshot(
        &self,
        vote: Vote,
        file: SnapshotFile,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let seal = file.seal();
        let mut progress = self.progress(Ask::SnapshotBegin(seal)).await?;
        let mut failures = 0;
        while !progress.complete {
            let chunk = self.shared.desk.chunk(file.clone(), progress.last.clone());
            let chunk = chunk.await.map_err(|error| NetworkError::new(&error))?;
            if chunk.last.is_none() {
                break;
            }
            let rows = Ask::SnapshotRows {
                seal,
                after: progress.last.clone(),
                rows: Bytes::from(chunk.bytes),
            };
            match self.progress(rows).await {
                Ok(further) => {
                    progress = further;
                    failures = 0;
                }
                Err(error) if failures + 1 == CHUNK_TRIES_MAX => return Err(error.into()),
                Err(_) => failures += 1,
            }
        }
        let limit = self.shared.timing.snapshot_install_limit;
        let end = Ask::SnapshotEnd { seal, vote };
        match self.snapshot_step(limit, end).await? {
            Answer::SnapshotInstalled(response) => Ok(response),
            other => Err(unexpected(&other).into()),
        }
    }
}

fn unreachable(reason: impl ToString) -> RPCError<Types> {
    RPCError::Unreachable(Unreachable::from_string(reason))
}

fn unexpected(answer: &Answer) -> RPCError<Types> {
    unreachable(format!("it answered something else: {answer:?}"))
}

impl RaftNetworkV2<Types> for Connection {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> RpcResult<AppendEntriesResponse<Types>> {
        // openraft's own limit is one heartbeat, which a slow disk may exceed: ours are longer.
        let timing = &self.shared.timing;
        let limit = match self.append_class {
            StreamClass::Append => timing.append_limit,
            _ => timing.rpc_limit,
        };
        let ask = Ask::Append(request);
        let answer = self.ask(self.append_class, RPCTypes::AppendEntries, limit, ask);
        match answer.await? {
            Answer::Append(response) => Ok(response),
            other => Err(unexpected(&other)),
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<Types>,
        _option: RPCOption,
    ) -> RpcResult<VoteResponse<Types>> {
        match self.control(RPCTypes::Vote, Ask::Vote(request)).await? {
            Answer::Vote(response) => Ok(response),
            other => Err(unexpected(&other)),
        }
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<Types>,
        _option: RPCOption,
    ) -> RpcResult<VoteResponse<Types>> {
        match self.control(RPCTypes::Vote, Ask::PreVote(request)).await? {
            Answer::Vote(response) => Ok(response),
            other => Err(unexpected(&other)),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Types>,
        _option: RPCOption,
    ) -> RpcResult<TransferLeaderResponse<Types>> {
        let ask = Ask::TransferLeader(request);
        match self.control(RPCTypes::TransferLeader, ask).await? {
            Answer::TransferLeader(response) => Ok(response),
            other => Err(unexpected(&other)),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: SnapshotOf<Types, SnapshotFile>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let sent = Box::pin(self.send_snapshot(vote, snapshot.snapshot));
        match select(sent, Box::pin(cancel)).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right((closed, _)) => Err(closed.into()),
        }
    }
}
