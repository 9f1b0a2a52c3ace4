//! A state folder that can't be written when the agent starts: it heals and tells all the same, and says what it can't keep.

use super::super::host::Host;
use super::super::net;
use super::super::world::{SOON, World};
use super::{Play, Scenario};

const STATE: &str = "/var/lib/picket-agent";
/// What there is of the agent's state, in another place meanwhile.
const ASIDE: &str = "/run/state";
const OWN: &str = "\n[[service]]\nname = \"own\"\ncommand = [\"/bin/sleep\", \"1000001\"]\nhold = \"1s\"\n";
const PROCESS: &str = "/bin/sleep 1000001";

/// See the module.
pub(super) const UNUSABLE: Scenario = Scenario {
    name: "state-unusable",
    says: "agents start on a state folder that is read-only, one that is full, and one that is empty and read-only: the first two heal and \
           say what they can't keep, the third says why it can't begin, and all are well once they can write",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        for number in [2, 3, 4] {
            world.watch_too(number, OWN)?;
            world.host(number).does(&["systemctl", "stop", "picket-agent"])?;
        }
        read_only(world, 2)?;
        full(world, 3)?;
        empty(world, 4)?;
        for number in [2, 3, 4] {
            world.each_once(number)?;
        }
        Ok(())
    }),
};

/// It is there, with key and lock, and can't be written.
fn read_only(world: &mut World, number: usize) -> Result<(), String> {
    let host = world.host(number);
    host.does(&["mount", "--bind", STATE, STATE])?;
    host.does(&["mount", "-o", "remount,bind,ro", STATE])?;
    host.does(&["systemctl", "start", "picket-agent"])?;
    heals(world, number)?;
    says(world, number, "events are kept in memory only: the state folder can't be written")?;
    says(world, number, "no local socket: `status` can't be asked")?;
    says(world, number, "breakers, budgets and holds will not outlive this run")?;
    let host = world.host(number);
    if log(host).contains("the spool's disk fails") {
        return Err(format!("what is read-only is called broken: {}", log(host)));
    }
    let (status, _) = host.run(&["picket-agent", "status"]);
    let (doctor, _) = host.run(&["picket-agent", "doctor"]);
    if !status.contains("an agent runs without a socket") || !doctor.contains("is on a read-only filesystem")
    {
        return Err(format!("{status}\n{doctor}"));
    }
    host.does(&["mount", "-o", "remount,bind,rw", STATE])?;
    // Its disk is tried again once there is something to keep, a minute after the last try at the earliest.
    let before = world.count_of(number, "remedy-held", "own")?;
    net::set("h2", false);
    world.host(number).does(&["pkill", "-KILL", "-xf", PROCESS])?;
    world.wait("what waits is on the disk", SOON * 6, |world| {
        let log = log(world.host(number));
        Ok(log.rfind("code=\"spool-disk\"") > log.rfind("code=\"spool-ram\""))
    })?;
    net::set("h2", true);
    world.one_more(number, ("remedy-held", "own"), before)
}

/// It has no room for a byte.
fn full(world: &mut World, number: usize) -> Result<(), String> {
    let host = world.host(number);
    host.does(&["cp", "-a", STATE, ASIDE])?;
    host.does(&["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "state", STATE])?;
    host.does(&["cp", "-a", &format!("{ASIDE}/identity"), &format!("{ASIDE}/lock"), STATE])?;
    // It ends where no room is left.
    let (_, _) = host.run(&["sh", "-c", &format!("cat /dev/zero >{STATE}/fill")]);
    host.does(&["systemctl", "start", "picket-agent"])?;
    heals(world, number)?;
    says(world, number, "No space left on device")?;
    let (doctor, _) = world.host(number).run(&["picket-agent", "doctor"]);
    if !doctor.contains("0 MiB free: events of an outage find no room") {
        return Err(doctor);
    }
    world.host(number).does(&["rm", &format!("{STATE}/fill")])?;
    heals(world, number)?;
    world.connected(number, SOON)
}

/// There is no lock, and none can be made: two agents would start every service twice.
fn empty(world: &mut World, number: usize) -> Result<(), String> {
    let host = world.host(number);
    host.does(&["mount", "-t", "tmpfs", "-o", "ro,mode=700", "state", STATE])?;
    let (_, starts) = host.run(&["systemctl", "start", "picket-agent"]);
    if starts {
        return Err("an agent starts without a lock".to_owned());
    }
    says(world, number, "picket-agent/lock can't be used: Read-only file system")?;
    world.host(number).does(&["umount", STATE])?;
    world.connected(number, SOON)?;
    heals(world, number)
}

/// Its own service dies and is brought back, and the collector has it.
fn heals(world: &mut World, number: usize) -> Result<(), String> {
    world.wait(&format!("the service of h{number} runs"), SOON, |world| {
        Ok(world.host(number).run(&["pgrep", "-xf", PROCESS]).1)
    })?;
    world.connected(number, SOON)?;
    let before = world.count_of(number, "remedy-held", "own")?;
    world.host(number).does(&["pkill", "-KILL", "-xf", PROCESS])?;
    world.one_more(number, ("remedy-held", "own"), before)
}

fn says(world: &mut World, number: usize, words: &str) -> Result<(), String> {
    world.wait(&format!("h{number} says: {words}"), SOON, |world| {
        let log = log(world.host(number));
        if log.contains(words) { Ok(true) } else { Err(log) }
    })
}

fn log(host: &Host) -> String {
    host.run(&["journalctl", "-b", "-u", "picket-agent", "--no-pager", "-o", "cat"]).0
}
