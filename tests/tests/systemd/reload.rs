//! Units that come and go with the configuration of a running agent.

use crate::host::{Host, Restart};
use rustix::process::Signal;

/// Purpose: a place of a unit that is gone must not be read, healed or taken for another's, and one that comes back is
/// looked at like any other, on the connection that stands.
#[test]
fn a_unit_that_is_gone_is_let_alone_and_healed_again_once_it_is_back() {
    let test = "a_unit_that_is_gone_is_let_alone_and_healed_again_once_it_is_back";
    let Some(mut host) = Host::begin(test, &[Restart::No, Restart::No]) else { return };
    host.drop_in(Some("[[service]]\nname = \"web-1\"\nenabled = false\n"));
    host.agent.line_with("services gone: web-1");
    let gone = host.pid(1);
    host.signal(1, Signal::KILL);
    // The other one dies behind it and is healed: by then the agent would have healed the first as well.
    host.signal(0, Signal::KILL);
    host.starts_are(0, 2);
    host.told(0, "remedy-held");
    host.starts_are(1, 1);
    host.drop_in(None);
    host.agent.line_with("services new: web-1");
    // It is found failed, which nobody wanted.
    host.starts_are(1, 2);
    host.alive_again(1, gone);
    host.told(1, "remedy-held");
    let again = host.pid(1);
    host.signal(1, Signal::KILL);
    host.starts_are(1, 3);
    host.alive_again(1, again);
    host.starts_are(0, 2);
}
