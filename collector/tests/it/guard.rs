//! What strangers can do to a collector: hold connections open, and no more than that. And a full disk at the start.

use crate::common::{Collector, SOON, code};
use picket_rpc::v1;
use picket_rpc::v1::agents_client::AgentsClient;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

async fn an_operator_is_answered(collector: &Collector) {
    let call = async {
        let mut operator = collector.operator().await;
        operator.list_hosts(v1::ListHostsRequest::default()).await.expect("hosts are listed");
    };
    timeout(Duration::from_secs(1), call).await.expect("within 1 s");
}

#[tokio::test]
async fn silent_connections_lock_nobody_out() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(TcpStream::connect(&collector.address).await.unwrap());
    }
    an_operator_is_answered(&collector).await;
    // The first has made room for later ones: its end closes without a word.
    let mut byte = [0];
    let read = timeout(SOON, silent[0].read(&mut byte)).await.expect("it is closed soon");
    assert!(!matches!(read, Ok(1..)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_come_at_once_from_one_address_all_get_in() {
    let data = tempfile::tempdir().unwrap();
    let collector = Arc::new(Collector::start(data.path()));
    let mut callers = JoinSet::new();
    for _ in 0..300 {
        let collector = Arc::clone(&collector);
        callers.spawn(async move { collector.try_channel(Some(&collector.admin())).await.is_ok() });
    }
    let came_in = callers.join_all().await;
    assert_eq!(came_in.iter().filter(|came_in| **came_in).count(), 300);
}

#[tokio::test]
async fn connections_that_say_half_a_hello_lock_nobody_out() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let mut slow = Vec::new();
    for _ in 0..600 {
        let mut socket = TcpStream::connect(&collector.address).await.unwrap();
        // The start of a TLS record that never ends; a socket that had to make room already may refuse it.
        let _closed_already = socket.write_all(&[22, 3, 1, 2, 0, 1]).await;
        slow.push(socket);
    }
    an_operator_is_answered(&collector).await;
}

#[tokio::test]
async fn connections_without_a_certificate_are_64_at_most_and_cost_others_nothing() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let mut strangers = Vec::new();
    for _ in 0..64 {
        strangers.push(collector.channel(None).await);
    }
    an_operator_is_answered(&collector).await;
    // The 65th is closed; whether the client sees that in its handshake or at its first call is a race.
    if let Ok(channel) = collector.try_channel(None).await {
        let request = v1::EnrolRequest { host: "web-1".into(), secret: vec![1; 32], csr: vec![] };
        let refused = timeout(SOON, AgentsClient::new(channel).enrol(request)).await.unwrap().unwrap_err();
        assert_ne!(code(&refused), "bad-input", "nobody answers there: {refused}");
    }
    let request = v1::EnrolRequest { host: "web-1".into(), secret: vec![1; 32], csr: vec![] };
    let kept = strangers.pop().unwrap();
    let answered = timeout(SOON, AgentsClient::new(kept).enrol(request)).await.unwrap().unwrap_err();
    assert_eq!(code(&answered), "bad-input", "those that are there are served");
    an_operator_is_answered(&collector).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_written_does_not_keep_it_from_serving() {
    let data = tempfile::tempdir().unwrap();
    let (_status, _snapshot) = stop(Collector::start(data.path())).await;
    // A folder in the file's place refuses the write as a full disk does, for any user.
    std::fs::create_dir(data.path().join("collector.addr")).unwrap();
    std::fs::write(data.path().join("collector.addr/in-the-way"), "").unwrap();
    let collector = Collector::start(data.path());
    an_operator_is_answered(&collector).await;
    let (status, _snapshot) = stop(collector).await;
    assert_eq!(status.code(), Some(0));
}

async fn stop(collector: Collector) -> (std::process::ExitStatus, String) {
    tokio::task::spawn_blocking(move || collector.stop()).await.expect("it stops in order")
}
