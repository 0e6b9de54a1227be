//! `lanemesh recover`: goes on with one lane after the majority was lost for good.

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use sale::Pin;
use serde_json::json;

use crate::cli::{Exit, RecoverArgs, Report};
use crate::lane::{PinCheck, Survey, Surveyed, confirm, survey};
use crate::pins;
use crate::production::Site;

pub fn run(args: &RecoverArgs, json: bool) -> anyhow::Result<Report> {
    super::runtime()?.block_on(recover(args, json))
}

async fn recover(args: &RecoverArgs, json: bool) -> anyhow::Result<Report> {
    let site = Site::open(&args.dir, args.moved.into(), &args.network.options())
        .await
        .context("`lanemesh recover` works in the folder of a lane that does not run")?;
    let found = survey(&site.providers, Duration::from_secs(args.wait)).await;
    site.mesh.shutdown().await;
    let found = found?;
    let shown = describe(&found);
    let can_ask = !json && std::io::stdin().is_terminal();
    if !args.yes {
        eprintln!("{shown}");
        if !can_ask {
            return Ok(Report {
                text: "Nothing was changed. Add --yes to go on.".to_owned(),
                json: json!({ "ok": false, "confirmed": false, "survey": found }),
                exit: Exit::Failed,
            });
        }
        if ask("Go on with this lane alone? Type yes: ")? != "yes" {
            bail!("nothing was changed");
        }
    }
    let by = match (&args.manager, found.needs_manager) {
        (Some(manager), _) => Some(manager.clone()),
        (None, true) if can_ask => Some(ask("Manager's number: ")?),
        (None, _) => None,
    };
    let pin = match &by {
        Some(_) => super::pin::read(args.pin.pin_file.as_deref())?,
        None => Pin(String::new()),
    };
    let pin_check: PinCheck = Arc::new(pins::matches);
    let by = by.as_deref().map(|number| (number, &pin));
    let identity = confirm(&site.providers, &pin_check, by)?;
    let text = format!(
        "The store goes on with this lane, in epoch {}. Start it: lanemesh lane {}",
        identity.epoch.number,
        args.dir.display()
    );
    let json = json!({
        "ok": true,
        "confirmed": true,
        "epoch": identity.epoch.number,
        "survey": found,
    });
    Ok(Report::done(text, json))
}

fn ask(question: &str) -> anyhow::Result<String> {
    eprint!("{question}");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn describe(survey: &Survey) -> String {
    let mut text = format!(
        "{}: recovering on lane {} ({}).\n\n",
        survey.store_name, survey.lane_number, survey.lane_name
    );
    for lane in &survey.others {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}", describe_lane(lane));
    }
    text.push_str(
        "\nWhat this means:\n\
         - This lane goes on as the whole store. The lanes above are out of it until they join again.\n\
         - Every sale that this lane or its journal's copies hold is kept and counted once.\n\
         - What a missing lane sold last is on its own disk. When its machine comes back, let it join\n  \
           again (`lanemesh join DIR --again --code CODE`): its sales are then taken over.\n\
         - Until then, whatever a missing lane was allowed to give out counts as given out.\n\
         - Do this only when the missing lanes cannot be brought back. If their machines or the network\n  \
           can be mended today, do that instead: every lane goes on selling meanwhile.\n",
    );
    if let Some(better) = survey.others.iter().find(|lane| lane.knows_more) {
        let _ = writeln!(
            text,
            "\nLane {} ({}) knows more of the store than this lane: recover there instead, or the \
             prices and people that changed last have to be entered again.",
            better.number, better.name
        );
    }
    text
}

fn describe_lane(lane: &Surveyed) -> String {
    let state = match lane.reachable {
        true => "runs and can be reached; it has to join again",
        false => "missing",
    };
    format!(
        "lane {} ({}): {state}; its journal is known up to entry {}",
        lane.number, lane.name, lane.known_up_to
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::{Epoch, LaneId};

    #[test]
    fn a_shop_owner_is_told_what_is_missing_and_what_it_means() {
        let lane = |number, reachable, knows_more| Surveyed {
            lane: LaneId([number as u8; 16]),
            number,
            name: format!("Till {number}"),
            reachable,
            voter: true,
            known_up_to: 120,
            knows_more,
        };
        let mut survey = Survey {
            store_name: "Corner Shop".to_owned(),
            lane_number: 2,
            lane_name: "Till 2".to_owned(),
            epoch: Epoch::FIRST,
            others: vec![lane(1, false, false), lane(3, true, false)],
            needs_manager: true,
        };
        let text = describe(&survey);
        for expected in [
            "lane 1 (Till 1): missing; its journal is known up to entry 120",
            "lane 3 (Till 3): runs and can be reached; it has to join again",
            "kept and counted once",
        ] {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains("recover there instead"), "{text}");
        survey.others[1].knows_more = true;
        assert!(describe(&survey).contains("Lane 3 (Till 3) knows more"));
    }
}
