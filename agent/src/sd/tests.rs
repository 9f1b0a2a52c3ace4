//! Calls while there is no connection: each is answered. Tests.

use super::*;
use tokio::time::timeout;

/// A remedy and a connection can be due in one turn of the loop: the service would wait for ever.
#[tokio::test]
async fn a_call_just_before_the_next_connection_is_answered_that_nobody_heard_it() {
    let (mut systemd, mut facts) = Systemd::new(&[], BusAddress::At("unix:path=/nowhere".to_owned()));
    systemd.names = Arc::from([Some("web.service".to_owned())]);
    systemd.obey(Order::Connect);
    systemd.passes(&Fact::Lost);
    systemd.call(0, Verb::Restart);
    systemd.obey(Order::Connect);
    loop {
        match timeout(Duration::from_secs(30), facts.recv()).await {
            Ok(Some(Told::Fact(Fact::Answered { unit, answer }))) => {
                return assert_eq!((unit, answer), (0, Answer::Unheard));
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => panic!("the call was never answered"),
        }
    }
}
