//! What can go wrong when the mesh starts. Once it runs, errors are `providers::NetworkError`.

/// Why the mesh could not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeshError {
    #[error(
        "this is not a lane key: {reason}. Restore the key file from a copy; without it this lane \
         has to join the store again as a new lane"
    )]
    BadKey { reason: String },
    #[error(
        "port {port} is in use by another process: choose another with --port, or stop the \
         process that has it"
    )]
    PortInUse { port: u16 },
    #[error(
        "cannot listen on {address}: {reason}. Listen on an address of this machine, or on \
         0.0.0.0 for all of them"
    )]
    Listen { address: String, reason: String },
    #[error("no address to listen on was given: name at least one, 0.0.0.0 for all of them")]
    NoAddress,
    #[error("the secure transport could not be set up: {0}")]
    Transport(String),
}
