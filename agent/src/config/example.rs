//! The table of keys as a file to begin with: a few lines that count, and every key behind a `#`.
//!
//! No part of the program: packages lay it beside the configuration, and are built with a tool that asks for it
//! (`cli/examples/papers.rs`).

use super::keys::{Key, TABLES, Usual};
use super::schema;
use std::fmt::Write;

/// The file.
pub fn example() -> String {
    let mut text = String::from(HEAD);
    for table in TABLES {
        text.push('\n');
        comment(&mut text, "", table.about);
        // A table inside another one is written as that one's key.
        let head = if table.head.starts_with('[') {
            table.head.to_owned()
        } else {
            format!("{} = {{ .. }}", table.head)
        };
        let _text_takes_all = writeln!(text, "#{head}");
        for key in table.keys {
            text.push_str(&entry(key));
        }
    }
    text
}

fn entry(key: &Key) -> String {
    let range = schema::range(key).replace('`', "");
    let of = if key.kinds.is_empty() { String::new() } else { format!(" (kind {})", key.kinds.join(", ")) };
    let range = if range.is_empty() { range } else { format!(": {range}") };
    let usual = match key.usual {
        Usual::Needed => "must be written".to_owned(),
        Usual::Value(value) => format!("default {value}"),
        Usual::Said(said) => format!("default {}", said.replace('`', "")),
    };
    let mut text = String::new();
    comment(&mut text, "  ", &format!("{}{of}{range}; {usual}", key.about.replace('`', "")));
    let _text_takes_all =
        writeln!(text, "#{} = {}", key.name, if key.example.is_empty() { ".." } else { key.example });
    text
}

/// Wraps at 110 characters.
fn comment(text: &mut String, indent: &str, words: &str) {
    let mut line = String::new();
    for word in words.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() > 105 {
            let _text_takes_all = writeln!(text, "# {indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _text_takes_all = writeln!(text, "# {indent}{line}");
}

const HEAD: &str = "\
# The configuration of picket-agent: an example with every key, laid here anew by each version of the package.
# Yours is /etc/picket/agent.toml, for root alone (chmod 600), and /etc/picket/agent.toml.d/*.toml over it; no package touches
# those. picket-agent check --config FILE says what a file would watch, and all of its mistakes; picket-agent explain what counts.

# These lines are enough to begin with. The host itself (CPU, memory, load, disks, network) is watched without being named.
[collector]
address = \"collector.example:7440\"
token_file = \"token\"                # what picket token HOST printed; chmod 600; used up at the first start

[agent]
state = \"/var/lib/picket-agent\"
observe = true                       # nothing is done about services until this is false: what would be done is told

# A unit of systemd that is watched, and how it proves that it works.
#[[service]]
#name = \"nginx\"
#unit = \"nginx.service\"
#
#[[service.check]]
#kind = \"http\"
#url = \"http://127.0.0.1/\"

# Every key. Lengths of time are texts such as \"500ms\", \"10s\", \"5m\", \"1h\", \"14d\".
";
