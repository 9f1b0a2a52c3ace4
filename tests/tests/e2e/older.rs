//! Kernels that lack what the agent likes best, as far as refused system calls can stand for one.

use super::story::program;
use picket_tests::foreign;
use picket_tests::rig::cannot_run_here;
use std::process::Command;

/// The words that have strace refuse the calls, as a kernel before Linux 5.1 does. It is no parent of the agent (-D), so that
/// a signal for the agent reaches that.
const WITHOUT_PIDFDS: [&str; 9] = [
    "strace",
    "-D",
    "-f",
    "-qq",
    "-o/dev/null",
    "-e",
    "trace=pidfd_open,pidfd_send_signal",
    "-e",
    "inject=pidfd_open,pidfd_send_signal:error=ENOSYS",
];

/// Purpose: gateways run old kernels; services live and are healed there too, also those of the agent's run before.
#[tokio::test]
async fn without_pidfds_a_service_is_healed_and_adopted() {
    let name = "without_pidfds_a_service_is_healed_and_adopted";
    let tried = Command::new("strace").args(&WITHOUT_PIDFDS[2..]).arg("true").output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        cannot_run_here(name, "strace is not installed or may not trace");
        return;
    }
    let seen = foreign::run(program(), &WITHOUT_PIDFDS.map(String::from), None).await;
    assert!(seen.outcome.contains("recovered, verified"), "{seen:?}");
}
