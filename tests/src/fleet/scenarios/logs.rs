//! A unit's journal: lines that count, whoever reads them and whenever the agent runs.

use super::super::world::{SOON, World};
use super::{Play, Scenario};

/// Prints what it is given, and is over.
const APP: &str = "[Service]\nType=oneshot\nExecStart=/bin/cat /root/line\n";
const CHECK: &str = "\n[[check]]\nname = \"app-errors\"\nkind = \"log\"\nunit = \"app.service\"\nmatch = 'ERROR'\nignore = ['harmless']\ninterval = \"1s\"\n";

/// What an application says is told once.
pub(super) const JOURNAL: Scenario = Scenario {
    name: "journal-lines",
    says: "a unit's journal is watched: a line that counts is told with its words, one that is to be ignored is not, and one that came \
           while the agent was away is told by its next run, once",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        world.host(3).write("/etc/systemd/system/app.service", APP)?;
        world.host(3).does(&["systemctl", "daemon-reload"])?;
        prints(world, "ERROR from before")?;
        world.watch_too(3, CHECK)?;
        prints(world, "ERROR that is harmless")?;
        prints(world, "ERROR 7 of the disk")?;
        world.wait("its line is told", SOON, |world| tells(world, "ERROR 7 of the disk", 1))?;
        world.connected(3, SOON)?;
        world.host(3).does(&["systemctl", "stop", "picket-agent"])?;
        prints(world, "ERROR while nobody looked")?;
        world.host(3).does(&["systemctl", "start", "picket-agent"])?;
        world.wait("the line from meanwhile is told", SOON, |world| {
            tells(world, "ERROR while nobody looked", 1)
        })?;
        world.connected(3, SOON)?;
        for (words, times) in
            [("from before", 0), ("harmless", 0), ("ERROR 7 of the disk", 1), ("while nobody looked", 1)]
        {
            if !tells(world, words, times)? {
                return Err(format!("{words:?} is not told {times} times"));
            }
        }
        Ok(())
    }),
};

/// Has the unit print a line.
fn prints(world: &World, line: &str) -> Result<(), String> {
    world.host(3).write("/root/line", &format!("{line}\n"))?;
    world.host(3).does(&["systemctl", "start", "app"]).map(|_| ())
}

/// Whether so many events of the check say that.
fn tells(world: &mut World, words: &str, times: usize) -> Result<bool, String> {
    let events = world.events("h3")?;
    let own =
        events.iter().filter(|event| event.text.contains("app-errors is down") && event.text.contains(words));
    Ok(own.count() == times)
}
