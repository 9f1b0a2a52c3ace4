//! A service's check is not delayed by others that hang.

use super::*;
use picket_agent_core::check::{CheckIx, Probe, Reading};
use std::net::TcpListener;

/// A file with one service's check and far more checks of another host than may be out at once.
fn file_with_130_others(service: u16, other: u16) -> String {
    let other = |n: u32| {
        format!(
            "[[check]]\nname = \"other-{n}\"\nkind = \"tcp\"\naddress = \"127.0.0.1:{other}\"\nexpect = \"never said\"\n\
             timeout = \"30s\"\ninterval = \"60s\"\n"
        )
    };
    let others: String = (0..130).map(other).collect();
    format!(
        "[host]\nenabled = false\n[[service]]\nname = \"it\"\ncommand = [\"/bin/true\"]\n\
         [[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:{service}\"\n{others}"
    )
}

#[tokio::test]
async fn checks_of_others_that_hang_do_not_delay_a_services_check() {
    // Nobody accepts: the kernel takes the first connections and no probe of them ever hears a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let healthy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let text = file_with_130_others(port(&healthy), port(&silent));
    let config = crate::config::parse(Path::new("picket.toml"), &text).unwrap();
    let checks: Arc<[Check]> = config.checks().into();
    let nowhere = (Path::new("/nonexistent").into(), BusAddress::System);
    let (mut probes, mut answers, _ends) = Probes::new(Arc::clone(&checks), nowhere).unwrap();
    let (of_service, of_others): (Vec<CheckIx>, Vec<CheckIx>) =
        (0..).take(checks.len()).partition(|ix| checks[usize::from(*ix)].spec.service.is_some());
    for check in of_others.iter().chain(&of_service) {
        probes.begin(Probe { check: *check, explain: false }, |_, _| Some(Reading::Good.into()));
    }
    let tcp = of_service.into_iter().find(|ix| matches!(checks[usize::from(*ix)].target, Target::Tcp { .. }));
    let ready: Vec<Answer> = std::iter::from_fn(|| probes.ready()).collect();
    assert!(ready.contains(&Answer { check: tcp.unwrap(), seen: Reading::Good.into() }), "{ready:?}");
    assert!(answers.try_recv().is_err(), "the others hang");
}
