//! A disk that takes no more: the lane says so and what to do, loses nothing that it acknowledged,
//! and goes on by itself once there is room.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use api::{Mode, Problem};

use crate::common::{Lane, Store, plain_items, runtime, scan, text};

/// More commands than fit into the space that the databases have already.
const COMMANDS_MAX: usize = 5_000;

/// A way to take a lane its room, and give it back.
enum Room {
    /// A disk of its own, filled with a file. Needs root.
    Disk { mount: PathBuf },
    /// The system lets the process make no file larger than a byte.
    FileSize,
}

impl Room {
    /// Moves a closed lane's folder to a small disk, where this user may.
    fn disk_for(folder: &Path) -> Option<Room> {
        let away = folder.with_extension("away");
        std::fs::rename(folder, &away).expect("a folder");
        std::fs::create_dir(folder).expect("a folder");
        let mounted = done(
            "mount",
            &["-t", "tmpfs", "-o", "size=64m", "tmpfs", text(folder)],
        );
        let from = format!("{}/.", text(&away));
        assert!(done("cp", &["-a", &from, text(folder)]));
        mounted.then(|| Room::Disk {
            mount: folder.to_owned(),
        })
    }

    fn fill(&self, lane: &Lane) {
        match self {
            Room::Disk { mount } => {
                let mut file = File::create(mount.join("filler")).expect("a file");
                for block in [&[0; 65536][..], &[0; 512], &[0; 1]] {
                    while file.write_all(block).is_ok() {}
                }
            }
            Room::FileSize => limit_files(lane, "1:"),
        }
    }

    fn give_back(&self, lane: &Lane) {
        match self {
            Room::Disk { mount } => {
                let file = OpenOptions::new().write(true).open(mount.join("filler"));
                file.expect("a file").set_len(0).expect("room");
            }
            Room::FileSize => limit_files(lane, "unlimited:"),
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Room::Disk { mount } = self {
            done("umount", &["-l", text(mount)]);
        }
    }
}

fn done(program: &str, arguments: &[&str]) -> bool {
    let ran = Command::new(program).args(arguments).output();
    ran.is_ok_and(|output| output.status.success())
}

fn limit_files(lane: &Lane, limit: &str) {
    let pid = lane.process.pid().to_string();
    let limit = format!("--fsize={limit}");
    assert!(done("prlimit", &["--pid", &pid, &limit]), "{limit}");
}

/// Rings up on lane `full` until it stops; sells on another one meanwhile; and sees that everything
/// acknowledged is there when there is room again.
async fn check(store: &Store, full: usize, other: usize, room: &Room) {
    let item = plain_items(1)[0].clone();
    let lane = &store.lanes[full];
    for lane in [lane, &store.lanes[other]] {
        lane.sign_in().await;
        lane.sell(&item).await;
    }
    room.fill(lane);
    let (mut receipts, mut lines) = (2, 0);
    let mut stopped = None;
    for _ in 0..COMMANDS_MAX {
        let command = match lines {
            0 => scan(&item),
            _ => sale::Command::TenderCash { amount: None },
        };
        match lane.try_do(command).await {
            Ok(_) => (receipts, lines) = (receipts + lines, 1 - lines),
            Err(Problem::Stopped { message }) => {
                stopped = Some(message);
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    let message = stopped.expect("the disk is full");
    assert!(message.contains("free space on"), "{message}");
    assert!(message.contains(text(&lane.folder)), "{message}");
    assert!(
        message.contains("nothing acknowledged was lost"),
        "{message}"
    );
    let what = "the lane says what keeps it from selling";
    lane.wait(
        what,
        |status| matches!(&status.mode, Mode::Stop { reason } if reason.contains("free space on")),
    )
    .await;
    store.lanes[other].sell(&item).await;

    room.give_back(lane);
    let what = "the lane may sell again without being asked";
    lane.wait(what, |status| !matches!(status.mode, Mode::Stop { .. }))
        .await;
    let view = lane.client.view().await.expect("a view");
    let kept = view.register.cart.map_or(0, |cart| cart.lines.len());
    assert_eq!(
        kept, lines,
        "every acknowledged scan is there, and no other"
    );
    if lines == 0 {
        lane.scan(&item).await;
    }
    lane.pay().await;
    store.wait_together().await;
    store.wait_complete().await;
    store.assert_verified();
    assert_eq!(store.receipts().await, receipts as u64 + 2);
}

#[test]
fn a_lane_with_a_full_disk_stops_and_goes_on_when_there_is_room() {
    runtime().block_on(async {
        let mut store = Store::start(3, true).await;
        store.lanes[2].stop();
        let folder = store.lane_folder(3);
        let room = Room::disk_for(&folder);
        // A copied folder is refused unless a person says that it was moved.
        let moved = ["--moved"];
        store.lanes[2] = Lane::start_where_files_may_be_limited(&folder, &moved).await;
        store.wait_together().await;
        let room = room.unwrap_or_else(|| {
            eprintln!("no disk can be mounted here: the size of files is limited instead");
            Room::FileSize
        });
        check(&store, 2, 0, &room).await;
        store.lanes[2].stop();
    });
}

/// The one voter of two lanes: while it has no room, nothing is agreed on.
#[test]
fn a_leader_without_room_takes_its_part_again_when_there_is_some() {
    runtime().block_on(async {
        let mut store = Store::start(2, false).await;
        store.lanes[0].stop();
        let folder = store.lane_folder(1);
        store.lanes[0] = Lane::start_where_files_may_be_limited(&folder, &[]).await;
        store.wait_together().await;
        assert_eq!(store.leader().await, 0);
        check(&store, 0, 1, &Room::FileSize).await;
    });
}
