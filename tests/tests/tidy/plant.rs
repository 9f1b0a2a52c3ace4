//! Small source trees on disk, and what a rule says about them.

use picket_tests::tidy::{Finding, tree::Tree};

/// A tree with these files, read as the real one is.
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a new folder");
        std::fs::write(path, text).expect("a new file");
    }
    Tree::read(folder.path()).expect("a tree just written")
}

/// Fails unless the rule finds exactly this: path, line, and a word of the advice for each.
#[track_caller]
pub(crate) fn expect(findings: &[Finding], wanted: &[(&str, usize, &str)]) {
    let said: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(findings.len(), wanted.len(), "wanted {wanted:?}, found {said:#?}");
    for (finding, (path, line, word)) in findings.iter().zip(wanted) {
        assert_eq!((finding.path.as_str(), finding.line), (*path, *line), "{finding}");
        assert!(finding.advice.contains(word), "`{word}` is not in: {finding}");
    }
}
