//! `good` of a service: the files of which the last good ones are kept, and what says that they are sound.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `files` | 1 to 16 files and folders, none within another; `{here}`, `{state}` | needed |
//! | `precheck` | program and arguments; status 0 means that the files are sound | none |
//! | `after` | for how long it must have been well with them, 1 s to 24 h | 5 min |
//!
//! `package` of a service: the packages of dpkg whose good versions are noted.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `names` | 1 to 8 packages, `NAME` or `NAME:ARCH`, none that another service names | needed |
//! | `after` | for how long it must have been well with them, 1 s to 24 h | 5 min |
//!
//! A path must name something of the service's own: `/`, `/etc` and all that is as near to the root is refused, since all
//! that is there would be put back with it. What is there is looked at when the agent runs.

use super::command;
use super::read::{Keys, Place, Sheet};
use super::service::{Service, ms};
use picket_agent_core::service::files::Good;
use picket_proto::Span;
use std::path::{Component, Path};

const PATHS_MAX: usize = 16;
/// A program with its libraries and data, of one source: more is a system.
const PACKAGES_MAX: usize = 8;
/// Faults that come with a configuration show within minutes, and an edit that helps should not wait for long.
const AFTER: Span = Span::from_secs(300);

/// A service's files; `{state}` is still in the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Files and folders.
    pub paths: Vec<String>,
    /// The program that says whether they are sound.
    pub precheck: Option<Vec<String>>,
}

/// Reads the table, if it is there.
pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, here: &Path) -> Option<(Kept, Good)> {
    let mut keys = keys.table(sheet, "good")?;
    let folder = here.to_string_lossy();
    if !keys.has("files") {
        keys.missing(sheet, "files", "add files = [\"/etc/NAME\"]".to_owned());
    }
    let (named, place) = keys.texts(sheet, "files").unwrap_or_else(|| (Vec::new(), keys.place()));
    if keys.has("files") && named.is_empty() {
        sheet.wrong(&place, "names none", Some("add files = [\"/etc/NAME\"]".to_owned()));
    }
    let paths: Vec<String> =
        named.iter().map(|path| absolute(&path.replace("{here}", &folder), here)).collect();
    look(&paths, &place, sheet);
    let precheck = command::found(&mut keys, sheet, "precheck", here);
    let after = keys.span(sheet, "after", &ms(1000, 86_400_000), AFTER);
    keys.finish(sheet);
    let good = Good { after, precheck: precheck.is_some() };
    Some((Kept { paths, precheck }, good))
}

/// Reads the table of packages, if it is there.
pub(super) fn packages(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    others: &[Service],
) -> Option<(Vec<String>, Good)> {
    let mut keys = keys.table(sheet, "package")?;
    let better = || "add names = [\"NAME\"], as `dpkg -S FILE` tells it".to_owned();
    if !keys.has("names") {
        keys.missing(sheet, "names", better());
    }
    let (names, place) = keys.texts(sheet, "names").unwrap_or_else(|| (Vec::new(), keys.place()));
    if keys.has("names") && !(1..=PACKAGES_MAX).contains(&names.len()) {
        sheet.wrong(&place, format!("must name 1 to {PACKAGES_MAX} packages"), Some(better()));
    }
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.:".contains(&byte);
    for (at, name) in names.iter().enumerate() {
        let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !is_name || !name.bytes().all(allowed) || names[..at].contains(name) {
            sheet.wrong(&place, format!("`{name}` is no package, or there twice"), Some(better()));
        }
        if let Some(other) =
            others.iter().find(|it| it.packages.iter().flatten().any(|its| is_same(its, name)))
        {
            let better = "take it out of one of them: each would install another version of it";
            let other = &other.spec.name;
            sheet.wrong(
                &place,
                format!("`{name}` is named by service `{other}` too"),
                Some(better.to_owned()),
            );
        }
    }
    let after = keys.span(sheet, "after", &ms(1000, 86_400_000), AFTER);
    keys.finish(sheet);
    Some((names, Good { after, precheck: false }))
}

/// Whether both may name one package.
fn is_same(one: &str, other: &str) -> bool {
    let parts = |name: &str| {
        let (name, arch) = name.split_once(':').unwrap_or((name, ""));
        (name.to_owned(), arch.to_owned())
    };
    let ((one, its), (other, others)) = (parts(one), parts(other));
    one == other && (its == others || its.is_empty() || others.is_empty())
}

fn absolute(path: &str, here: &Path) -> String {
    if path.starts_with("{state}") {
        return path.trim_end_matches('/').to_owned();
    }
    // Joined part by part: no slash doubles, and none ends it.
    here.join(path).components().collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}

fn look(paths: &[String], place: &Place, sheet: &mut Sheet<'_>) {
    if paths.len() > PATHS_MAX {
        sheet.wrong(place, format!("names {} paths, more than {PATHS_MAX}", paths.len()), None);
    }
    for (at, path) in paths.iter().enumerate() {
        let whole = Path::new(path);
        let is_near = whole.components().count() < 3 && !path.starts_with("{state}");
        if is_near || path == "{state}" || path.contains(['\0', '\n']) {
            let better = Some("name the service's own files, such as \"/etc/nginx\"".to_owned());
            sheet.wrong(place, format!("`{path}` is not a service's own"), better);
        } else if whole.components().any(|part| part == Component::ParentDir) {
            sheet.wrong(
                place,
                format!("`{path}` has `..` in it"),
                Some("write the way without it".to_owned()),
            );
        }
        let others = paths.iter().enumerate().filter(|(other, _)| *other != at);
        let mut above = others.filter(|(_, other)| whole.starts_with(other));
        if let Some((_, other)) = above.next() {
            let better = Some("take one of them out".to_owned());
            sheet.wrong(place, format!("`{path}` is named by `{other}` already"), better);
        }
    }
}
