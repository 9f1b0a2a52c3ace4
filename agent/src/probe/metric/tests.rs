//! Pages from a real server, and what becomes of them.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn selector(name: &str) -> Selector {
    Selector { name: name.to_owned(), labels: Vec::new() }
}

struct Server {
    listener: TcpListener,
    last: Arc<Mutex<Last>>,
    interval: Span,
}

impl Server {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, last: Arc::default(), interval: Span::ZERO }
    }

    /// Looks once while this page is served with this status line.
    async fn look(&self, metric: Metric, status: &str, page: &str) -> Seen {
        let url: reqwest::Url =
            format!("http://{}/metrics", self.listener.local_addr().unwrap()).parse().unwrap();
        let client = http::client(std::iter::once(&url)).unwrap();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{page}", page.len());
        let serve = async {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            // One that has read enough goes away.
            let _it_may_be_gone = stream.write_all(answer.as_bytes()).await;
        };
        tokio::join!(
            read(client, Box::new(Metric { url, ..metric }), (Arc::clone(&self.last), self.interval)),
            serve
        )
        .0
    }
}

fn metric(name: &str) -> Metric {
    let url = "http://127.0.0.1:1/".parse().unwrap();
    Metric { url, metric: selector(name), per: None, rate: false, combine: Combine::One }
}

#[tokio::test]
async fn one_series_is_read_and_several_need_a_word() {
    let server = Server::new().await;
    let page = "temp{s=\"a\"} 20.0125\ntemp{s=\"b\"} -5\ntemp{s=\"c\"} 7\nload 0.25\n";
    let with = |combine| Metric { combine, ..metric("temp") };
    for (metric, wanted) in [
        (metric("load"), Reading::Level(250)),
        (with(Combine::Sum), Reading::Level(22_013)),
        (with(Combine::Max), Reading::Level(20_013)),
        (with(Combine::Min), Reading::Level(-5000)),
        (with(Combine::First), Reading::Level(20_013)),
        (metric("temp"), Reading::Bad(Cause::Mismatch)),
        (metric("gone"), Reading::Bad(Cause::Absent)),
    ] {
        assert_eq!(server.look(metric.clone(), "200 OK", page).await.reading, wanted, "{metric}");
    }
    let down = server.look(metric("load"), "503 Service Unavailable", page).await;
    assert_eq!(down.reading, Reading::Bad(Cause::Status(503)));
    let large = "x 1\n".repeat(1_048_577);
    assert_eq!(server.look(metric("load"), "200 OK", &large).await.reading, Reading::Bad(Cause::Mismatch));
}

#[tokio::test]
async fn a_share_of_nothing_is_nothing_and_what_is_no_number_is_said() {
    let server = Server::new().await;
    let share = Metric { per: Some(selector("all")), ..metric("bad") };
    for (page, wanted) in [
        ("bad 3\nall 40\n", Reading::Level(75)),
        ("bad 0\nall 0\n", Reading::Level(0)),
        ("bad 1\nall 0\n", Reading::Level(i64::MAX)),
        ("bad NaN\nall 1\n", Reading::Bad(Cause::Mismatch)),
        ("bad 1\n", Reading::Bad(Cause::Absent)),
    ] {
        assert_eq!(server.look(share.clone(), "200 OK", page).await.reading, wanted, "{page}");
    }
}

#[tokio::test]
async fn a_rate_takes_two_looks_and_a_counter_may_begin_anew() {
    let server = Server::new().await;
    // Shares of growth do not depend on how long the looks are apart.
    let share = Metric { rate: true, per: Some(selector("all")), combine: Combine::Sum, ..metric("bad") };
    let first = server.look(share.clone(), "200 OK", "bad{c=\"1\"} 1000\nall 9000\n").await;
    assert_eq!(first.reading, Reading::Good);
    for (page, wanted) in [
        ("bad{c=\"1\"} 1005\nall 9010\n", 500),
        ("bad{c=\"1\"} 1005\nall 9010\n", 0),
        ("bad{c=\"1\"} 3\nall 12\n", 250),
        ("bad{c=\"1\"} 3\nbad{c=\"2\"} 1\nall 22\n", 100),
        ("bad{c=\"2\"} 1\nall 32\n", 0),
        ("bad{c=\"1\"} 4\nbad{c=\"2\"} 1\nall 42\n", 100),
    ] {
        assert_eq!(
            server.look(share.clone(), "200 OK", page).await.reading,
            Reading::Level(wanted),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_series_that_appears_large_has_not_grown_from_nothing() {
    let server = Server::new().await;
    let share = Metric { rate: true, per: Some(selector("all")), combine: Combine::Sum, ..metric("bad") };
    let look = async |page| server.look(share.clone(), "200 OK", page).await;
    look("bad{c=\"1\"} 10\nall 1000\n").await;
    let page = "bad{c=\"1\"} 15\nbad{c=\"2\"} 90000\nall 1010\n";
    assert_eq!(look(page).await.reading, Reading::Level(500));
    let page = "bad{c=\"1\"} 15\nbad{c=\"2\"} 90002\nall 1020\n";
    assert_eq!(look(page).await.reading, Reading::Level(200));
    let alone = look("bad{c=\"3\"} 70000\nall 1030\n").await;
    assert_eq!(alone, Seen::new(Reading::Good, "the first look: a rate takes two"));
    assert_eq!(look("bad{c=\"3\"} 70001\nall 1040\n").await.reading, Reading::Level(100));
}

#[tokio::test]
async fn a_look_too_soon_gets_the_rate_of_the_one_before_and_moves_nothing() {
    let mut server = Server::new().await;
    let share = Metric { rate: true, per: Some(selector("all")), ..metric("bad") };
    let hour = Span::from_secs(3600);
    for (interval, page, wanted) in [
        (hour, "bad 0\nall 10\n", Reading::Good),
        (hour, "bad 5\nall 20\n", Reading::Good),
        (Span::ZERO, "bad 5\nall 20\n", Reading::Level(500)),
        (hour, "bad 9\nall 24\n", Reading::Level(500)),
        (Span::ZERO, "bad 9\nall 40\n", Reading::Level(200)),
    ] {
        server.interval = interval;
        assert_eq!(server.look(share.clone(), "200 OK", page).await.reading, wanted, "{page}");
    }
    let refused = server.look(share, "503 Service Unavailable", "").await;
    assert_eq!(refused.reading, Reading::Bad(Cause::Status(503)), "it is asked all the same");
}
