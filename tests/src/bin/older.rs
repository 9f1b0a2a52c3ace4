//! `older --name NAME --agent FILE --collector FILE`: the agent and collector of another age with ours; one JSON line per life.
//! See `picket_tests::older`; `tests/older.sh` builds both and calls it.
//!
//! The exit status is 64 for a wrong word, and that of a panic if something did not come.

use picket_tests::older::{self, Older};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = picket_tests::rig::role() {
        return code;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [first, name, second, agent, third, collector] = words.as_slice() else { return usage() };
    if [first.as_str(), second, third] != ["--name", "--agent", "--collector"] {
        return usage();
    }
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    let older = Older { agent: agent.into(), collector: collector.into() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("the kernel gives a runtime").block_on(async {
        let deaths = older::hosts_first(program.as_os_str(), &older).await;
        println!("{}", serde_json::json!({ "older": name, "life": "hosts first", "deaths_told": deaths }));
        let deaths = older::collector_last(program.as_os_str(), &older).await;
        println!("{}", serde_json::json!({ "older": name, "life": "collector last", "deaths_told": deaths }));
    });
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("error: say older --name NAME --agent FILE --collector FILE");
    ExitCode::from(64)
}
