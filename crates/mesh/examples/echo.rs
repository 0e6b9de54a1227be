//! How long a 200-byte frame takes to another lane and back, over QUIC and over TCP, beside plain
//! TCP without encryption on the same runtime. All three take turns, so that a busy machine does
//! not favour one.
//!
//! Run it with `cargo run --release -p mesh --example echo`.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mesh::{LaneKey, ListenOn, Mesh, MeshConfig, Transports};
use providers::{FrameStream, Network, Random, StreamClass};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const FRAME_BYTES: usize = 200;
const TURNS: usize = 20;
const ROUNDS_PER_TURN: usize = 1_000;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Keys for a measurement, not for a shop.
struct Seed(u8);

impl Random for Seed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

async fn lane(number: u8, transports: Transports) -> Outcome<Arc<Mesh>> {
    let config = MeshConfig {
        listen: ListenOn::loopback(0),
        transports,
    };
    Ok(Mesh::start(LaneKey::generate(&Seed(number)), config).await?)
}

async fn echo_frames(mut stream: FrameStream) -> Outcome<()> {
    while let Some(frame) = stream.source.recv().await? {
        stream.sink.send(frame).await?;
    }
    Ok(())
}

/// Two lanes, one of which sends everything back. The lanes are returned to keep them alive.
async fn mesh_echo(transports: Transports) -> Outcome<(FrameStream, [Arc<Mesh>; 2])> {
    let (one, two) = (lane(1, transports).await?, lane(2, transports).await?);
    one.set_members([two.local_peer()].into());
    two.set_members([one.local_peer()].into());
    for address in two.local_addresses() {
        one.add_address(&two.local_peer(), &address);
    }
    let stream = one.open(&two.local_peer(), StreamClass::Control).await?;
    let incoming = two.accept().await.ok_or("the mesh ended")?;
    tokio::spawn(echo_frames(incoming.stream));
    Ok((stream, [one, two]))
}

async fn plain_echo() -> Outcome<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let (mut far, _) = listener.accept().await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    tokio::spawn(async move {
        let mut frame = [0; FRAME_BYTES];
        while far.read_exact(&mut frame).await.is_ok() {
            if far.write_all(&frame).await.is_err() {
                return;
            }
        }
    });
    Ok(near)
}

async fn turn_of_mesh(stream: &mut FrameStream, times: &mut Vec<Duration>) -> Outcome<()> {
    let frame = Bytes::from_static(&[7; FRAME_BYTES]);
    for _ in 0..ROUNDS_PER_TURN {
        let start = Instant::now();
        stream.sink.send(frame.clone()).await?;
        stream.source.recv().await?.ok_or("the stream ended")?;
        times.push(start.elapsed());
    }
    Ok(())
}

async fn turn_of_plain(stream: &mut TcpStream, times: &mut Vec<Duration>) -> Outcome<()> {
    let mut frame = [7; FRAME_BYTES];
    for _ in 0..ROUNDS_PER_TURN {
        let start = Instant::now();
        stream.write_all(&frame).await?;
        stream.read_exact(&mut frame).await?;
        times.push(start.elapsed());
    }
    Ok(())
}

fn report(what: &str, times: &mut [Duration], baseline: Option<Duration>) -> Duration {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let ratio = micros(at(50)) / micros(baseline.unwrap_or(at(50)));
    println!(
        "{what:<10} n {:>6}  p50 {:>7.1} us  p99 {:>7.1} us  {ratio:>5.2} x plain TCP",
        times.len(),
        micros(at(50)),
        micros(at(99)),
    );
    at(50)
}

// The kind of runtime a lane has.
#[tokio::main(worker_threads = 2)]
async fn main() -> Outcome<()> {
    let mut plain = plain_echo().await?;
    let (mut quic, _quic_lanes) = mesh_echo(Transports::QuicOnly).await?;
    let (mut tcp, _tcp_lanes) = mesh_echo(Transports::TcpOnly).await?;
    let [mut of_plain, mut of_quic, mut of_tcp] = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        turn_of_plain(&mut plain, &mut of_plain).await?;
        turn_of_mesh(&mut quic, &mut of_quic).await?;
        turn_of_mesh(&mut tcp, &mut of_tcp).await?;
    }
    let baseline = report("plain TCP", &mut of_plain, None);
    report("mesh QUIC", &mut of_quic, Some(baseline));
    report("mesh TCP", &mut of_tcp, Some(baseline));
    Ok(())
}
