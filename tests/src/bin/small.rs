//! `small --image FOLDER --agent FILE`: the agent in a whole small box (an emulated machine with 64 MB); one JSON line. See
//! `picket_tests::small`; `cross/box.sh` makes the image and calls it. The exit status is that of a panic if something did not come.

use picket_tests::small;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = picket_tests::rig::role() {
        return code;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["--image", image, "--agent", agent] = words.as_slice() else {
        eprintln!("error: say small --image FOLDER --agent FILE");
        return ExitCode::from(64);
    };
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let run = small::run(program.as_os_str(), Path::new(image), Path::new(agent));
    println!("{}", runtime.expect("the kernel gives a runtime").block_on(run));
    ExitCode::SUCCESS
}
