//! What engines say of containers, in the words of Docker's API reference, and what is made of it.

use super::*;

fn of(state: &str, restarts: u32) -> (Reading, String) {
    let body = format!("{{\"Id\":\"x\",\"State\":{state},\"RestartCount\":{restarts},\"Unknown\":[1]}}");
    let seen = describe(body.as_bytes());
    (seen.reading, seen.said)
}

#[test]
fn a_container_that_runs_is_good_unless_it_says_otherwise() {
    let (reading, said) = of(r#"{"Status":"running","ExitCode":0,"OOMKilled":false}"#, 0);
    assert_eq!((reading, &*said), (Reading::Good, "running"));
    let (reading, said) = of(r#"{"Status":"running","Health":{"Status":"starting","Log":null}}"#, 2);
    assert_eq!((reading, &*said), (Reading::Good, "running, starting, restarted 2 times by its engine"));
    let unhealthy = r#"{"Status":"running","Health":{"Status":"unhealthy","FailingStreak":3,
        "Log":[{"ExitCode":1,"Output":"old"},{"ExitCode":1,"Output":"curl: (7) refused\n"}]}}"#;
    let (reading, said) = of(unhealthy, 0);
    assert_eq!((reading, &*said), (Reading::Bad(Cause::Unhealthy), "unhealthy: curl: (7) refused"));
}

#[test]
fn one_that_does_not_run_says_how_it_ended() {
    let (reading, said) = of(r#"{"Status":"exited","ExitCode":137,"OOMKilled":true}"#, 0);
    assert_eq!((reading, &*said), (Reading::Bad(Cause::Ended(137)), "exited, killed for want of memory"));
    let (reading, said) = of(r#"{"Status":"restarting","ExitCode":3,"Error":""}"#, 9);
    assert_eq!(
        (reading, &*said),
        (Reading::Bad(Cause::Ended(3)), "restarting, restarted 9 times by its engine")
    );
    assert_eq!(of(r#"{"Status":"paused"}"#, 0).0, Reading::Bad(Cause::Frozen));
    assert_eq!(of(r#"{"Status":"created"}"#, 0), (Reading::Bad(Cause::Absent), "created".to_owned()));
}

#[test]
fn what_is_not_understood_says_nothing_about_the_container() {
    for nonsense in ["", "{}", "[]", r#"{"State":{}}"#, r#"{"State":"running"}"#] {
        assert_eq!(
            describe(nonsense.as_bytes()).reading,
            Reading::Bad(Cause::Local(libc::EPROTO)),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_no_verdict_about_the_container() {
    let what = Container { container: "web".to_owned(), socket: "/no/such.sock".into() };
    let seen = read(what).await;
    assert_eq!(seen.reading, Reading::Bad(Cause::Local(libc::ENOENT)));
    assert!(seen.said.starts_with("the engine does not answer: No such file"), "{}", seen.said);
}
