//! `explain`: what counts and where it was written, without a secret.

use super::super::explain::parts;
use super::super::files::Texts;
use std::path::{Path, PathBuf};

fn explained(texts: &[(&str, &str)]) -> Vec<String> {
    let texts = Texts::new(texts.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())));
    let told = parts(&texts, Path::new("/etc/picket")).into_iter().flat_map(|part| {
        let what = part.what;
        part.rows.into_iter().map(move |row| format!("{what} {} = {} [{}]", row.key, row.value, row.from))
    });
    told.collect()
}

#[test]
fn each_key_is_told_with_where_it_was_written_or_as_the_default() {
    let told = explained(&[
        (
            "a.toml",
            "[host]\ncpu = { degraded = 80 }\n[[service]]\nname = \"web\"\nunit = \"web.service\"\nbudget = 3\n\
             [[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:80\"\n",
        ),
        ("a.toml.d/b.toml", "\n[[service]]\nname = \"web\"\nbudget = 9\nwhen = { unit = \"web.service\" }\n"),
    ]);
    for line in [
        "host cpu.degraded = 80 [a.toml:2]",
        "host cpu.down = 98 [default]",
        "host memory = { degraded = 90, down = 98 } [default]",
        "service web unit = \"web.service\" [a.toml:5]",
        "service web budget = 9 [a.toml.d/b.toml:4]",
        "service web when.unit = \"web.service\" [a.toml.d/b.toml:5]",
        "service web hold = \"5s\" [default]",
        "check web:tcp address = \"127.0.0.1:80\" [a.toml:9]",
        "check web:tcp interval = \"5s\" [default]",
    ] {
        assert!(told.iter().any(|it| it == line), "{line} in {told:#?}");
    }
    assert!(!told.iter().any(|it| it.contains(" cwd ") || it.contains(" url ")), "{told:#?}");
}

#[test]
fn no_secret_is_ever_shown() {
    let told = explained(&[(
        "a.toml",
        "[collector]\naddress = \"c:1\"\ntoken = \"hush-1\"\nproxy = \"http://me:hush-2@p:1\"\n\
         [[service]]\nname = \"a\"\ncommand = [\"x\"]\nenv = { PASSWORD = \"hush-3\" }\n\
         [[check]]\nname = \"r\"\nkind = \"tcp\"\naddress = \"a:1\"\nsend = \"AUTH hush-4\"\n\
         [[check]]\nname = \"h\"\nkind = \"http\"\nurl = \"http://me:hush-5@h/\"\n",
    )]);
    assert!(!told.iter().any(|it| it.contains("hush")), "{told:#?}");
    for line in [
        "collector token = (a secret, not shown)",
        "service a env = { PASSWORD = .. }",
        "check r send = (11 bytes",
    ] {
        assert!(told.iter().any(|it| it.starts_with(line)), "{line} in {told:#?}");
    }
}
