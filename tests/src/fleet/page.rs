//! A page of instructions as somebody reads it who does what it says: its blocks for a shell, in order, and where each is to be run.
//!
//! Where that is stands in the words before a block, in the page's own names: "on `web-1`", "on the collector's host". A block
//! before which no host is named is for where the one before it was. Nothing of a page is known here but those names.

use std::collections::BTreeSet;

/// What a page calls hosts, and the words by which it sends its reader there.
const PLACES: [(&str, &[&str]); 3] = [
    ("collector", &["on the host `collector.example`", "on the collector's host"]),
    ("web-1", &["on `web-1`"]),
    ("web-2", &["on `web-2`"]),
];

/// Lines for a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The heading above it.
    pub(super) section: String,
    /// Hosts that the words before it name; none where they name none.
    pub(super) places: BTreeSet<&'static str>,
    /// The lines as they stand there.
    pub(super) text: String,
}

/// All blocks that are marked as a shell's.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let (mut found, mut section, mut words) = (Vec::new(), "", String::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            (section, words) = (heading, String::new());
        } else if let Some(kind) = line.strip_prefix("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
            if kind == "sh" {
                found.push(Block { section: section.to_owned(), places: places(&words), text });
            }
            words.clear();
        } else {
            words.push_str(line);
            words.push(' ');
        }
    }
    found
}

fn places(words: &str) -> BTreeSet<&'static str> {
    let words = words.to_lowercase();
    let named = |ways: &[&str]| ways.iter().any(|way| words.contains(way));
    PLACES.iter().filter(|(_, ways)| named(ways)).map(|(place, _)| *place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALL: &str = include_str!("../../../docs/install.md");

    #[test]
    fn a_block_is_for_the_hosts_that_the_words_before_it_name() {
        let page = "# T\nOn `web-2`:\n## One\nOn the\ncollector's host:\n```sh\na \\\n  b\n```\nAnd\n```sh\nc\n```\n\
                    ```yaml\nd\n```\n## Two\nThen on `web-1`, and the same on `web-2`:\n```sh\ne\n```\n";
        let block = |section: &str, places: &[&'static str], text: &str| Block {
            section: section.to_owned(),
            places: places.iter().copied().collect(),
            text: text.to_owned(),
        };
        let expected = [
            block("One", &["collector"], "a \\\n  b\n"),
            block("One", &[], "c\n"),
            block("Two", &["web-1", "web-2"], "e\n"),
        ];
        assert_eq!(blocks(page), expected);
    }

    #[test]
    fn the_first_block_of_each_part_of_the_page_names_its_hosts() {
        for section in ["The collector", "Two hosts", "The first incident"] {
            let first = blocks(INSTALL).into_iter().find(|block| block.section == section);
            assert!(first.is_some_and(|block| !block.places.is_empty()), "{section}");
        }
    }
}
