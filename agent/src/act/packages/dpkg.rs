//! What dpkg's database, apt's cache and apt-get's simulation say, as files and text. Nothing is run here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How the notes begin. Another number is another form, which counts as nothing.
const VERSION: &str = "1";
/// How often the database is read where a new one comes while it is.
const READINGS: u8 = 5;

/// An installed package.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// As it was asked for.
    pub(super) name: String,
    pub(super) version: String,
    pub(super) arch: String,
    /// Unpacked and configured.
    pub(super) is_whole: bool,
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        let what = |it: &Self| (it.name.clone(), it.version.clone(), it.arch.clone());
        what(self) == what(other)
    }
}

/// Whether dpkg is done with all of them.
pub(super) fn is_whole(versions: &[Version]) -> bool {
    versions.iter().all(|version| version.is_whole)
}

/// The versions of these packages that are unpacked: the database, and what a dpkg that is at work has noted beside it.
///
/// # Errors
/// There is no dpkg here, or one of them is not installed.
pub(super) fn installed(admin: &Path, names: &[String]) -> Result<Vec<Version>, String> {
    installed_with(admin, names, || ())
}

/// dpkg puts a new database in the place of the old one, then removes the notes that are in it: where that happens between
/// the two readings they are read again. A dpkg writes 250 notes from one to the next, so twice in a row is enough.
pub(super) fn installed_with(
    admin: &Path,
    names: &[String],
    mut between: impl FnMut(),
) -> Result<Vec<Version>, String> {
    let path = admin.join("status");
    let of_path = || path.metadata().map(|file| (file.ino(), file.mtime_nsec())).ok();
    let mut left = READINGS;
    loop {
        let before = of_path();
        let found = read(admin, names, &mut between);
        left -= 1;
        if left == 0 || before == of_path() {
            return found;
        }
    }
}

fn read(admin: &Path, names: &[String], between: &mut impl FnMut()) -> Result<Vec<Version>, String> {
    let mut found = BTreeMap::new();
    let no_dpkg = |error: io::Error| format!("there is no dpkg here that can be read: {error}");
    stanzas(&admin.join("status"), names, &mut found).map_err(no_dpkg)?;
    between();
    let updates = std::fs::read_dir(admin.join("updates")).into_iter().flatten().flatten();
    let mut updates: Vec<PathBuf> = updates.map(|entry| entry.path()).collect();
    updates.sort();
    for update in updates {
        // One that is gone by now is in the database that is read next.
        let _it_is_written_at_this_moment = stanzas(&update, names, &mut found);
    }
    let of = |name: &String| {
        found.remove(name).flatten().ok_or_else(|| format!("package {name} is not installed"))
    };
    names.iter().map(of).collect()
}

fn stanzas(path: &Path, names: &[String], found: &mut BTreeMap<String, Option<Version>>) -> io::Result<()> {
    let mut stanza: [String; 4] = Default::default();
    let keys = ["Package: ", "Status: ", "Version: ", "Architecture: "];
    let mut lines = BufReader::new(File::open(path)?).split(b'\n');
    loop {
        let line = lines.next().transpose()?;
        let is_last = line.is_none();
        let line = line.unwrap_or_default();
        if !line.is_empty() {
            let values = keys.iter().zip(&mut stanza);
            for (value, place) in
                values.filter_map(|(key, place)| Some((line.strip_prefix(key.as_bytes())?, place)))
            {
                *place = String::from_utf8_lossy(value).into_owned();
            }
            continue;
        }
        let [package, status, version, arch] = std::mem::take(&mut stanza);
        let is_it = |name: &&String| **name == package || **name == format!("{package}:{arch}");
        if let Some(name) = names.iter().find(is_it) {
            let state = status.rsplit(' ').next().unwrap_or_default();
            // What was cut off while it was unpacked keeps the version that was there, and must be installed again.
            let is_there = !matches!(state, "not-installed" | "config-files") && !version.is_empty();
            let is_whole = status.ends_with(" ok installed") || state.starts_with("triggers-");
            // One of another architecture that is gone says nothing of the one that is there.
            let is_other = |there: &Version| !is_there && there.arch != arch;
            if !found.get(name).and_then(Option::as_ref).is_some_and(is_other) {
                let version = Version { name: name.clone(), version, arch, is_whole };
                found.insert(name.clone(), is_there.then_some(version));
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// The file of this version in apt's cache.
///
/// # Errors
/// It is not there, or somebody else may have written it.
pub(super) fn deb(cache: &Path, it: &Version, owner: u32) -> Result<PathBuf, String> {
    let name = it.name.split(':').next().unwrap_or_default();
    // As apt names it: an epoch's colon is no character of a file's name.
    let path = cache.join(format!("{name}_{}_{}.deb", it.version.replace(':', "%3a"), it.arch));
    let is_safe = |path: &Path| {
        path.symlink_metadata()
            .map(|file| file.uid() == owner && file.mode() & 0o022 == 0 && !file.is_symlink())
    };
    match is_safe(&path) {
        Ok(true) if is_safe(cache).unwrap_or(false) => Ok(path),
        Ok(_) => Err(format!("{} may have been written by others than root", path.display())),
        Err(_) => Err(format!("there is no {}", path.display())),
    }
}

/// Whether a simulation ended well, and would install these versions and do nothing else.
///
/// # Errors
/// What it would do, or why it can't.
pub(super) fn agrees(versions: &[Version], ended_well: bool, printed: &str) -> Result<(), String> {
    let is_one = |line: &&str| ["Inst ", "Remv ", "Purg "].iter().any(|it| line.starts_with(it));
    let is_ours = |line: &&str| {
        let word = line.split(' ').nth(1).unwrap_or_default();
        line.starts_with("Inst ")
            && versions.iter().any(|it| {
                let is_named = word == it.name || it.name.split(':').next() == Some(word);
                is_named && line.contains(&format!("({} ", it.version))
            })
    };
    let other = printed.lines().filter(is_one).find(|line| !is_ours(line));
    let known = printed.lines().filter(is_one).count() == versions.len();
    match other {
        _ if !ended_well => {
            let reason =
                printed.lines().rfind(|line| line.contains(" but ")).or_else(|| printed.lines().last());
            Err(reason.unwrap_or("it could not be asked").trim().to_owned())
        }
        Some(other) => Err(format!("more would change: {other}")),
        None if known => Ok(()),
        None => Err("it would not change them".to_owned()),
    }
}

/// Why dpkg failed: its first error, which may go on in the next line, or what was printed last before its summary.
pub(super) fn reason(printed: &str) -> &str {
    let mut lines = printed.lines();
    if let Some(error) = lines.find_map(|line| line.strip_prefix("dpkg: error")) {
        let next = lines.next().filter(|_| error.ends_with(':'));
        return next.unwrap_or_else(|| error.trim_start_matches(':')).trim();
    }
    let before = printed.lines().take_while(|line| !line.starts_with("Errors were encountered"));
    before.filter(|line| !line.trim().is_empty()).last().unwrap_or_default().trim()
}

pub(super) fn text_of(versions: &[Version]) -> String {
    let mut text = format!("{VERSION}\n");
    versions.iter().for_each(|it| text += &format!("{} {} {}\n", it.name, it.arch, it.version));
    text
}

pub(super) fn of_text(text: &str) -> Option<Vec<Version>> {
    let mut lines = text.lines();
    let line = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let (name, arch, version) = (words.next()?, words.next()?, words.next()?);
        Some(Version { name, version, arch, is_whole: true })
    };
    (lines.next() == Some(VERSION)).then(|| lines.map(line).collect())?
}

/// What keeps these packages from being put back, as the host is now, with what to do.
pub(crate) fn lacks(names: &[String]) -> Vec<String> {
    let places = super::Places::default();
    let mut found = Vec::new();
    if !rustix::process::geteuid().is_root() {
        found.push("only root can install packages: run the agent as root (package.names)".to_owned());
    }
    for program in [&places.dpkg, &places.apt] {
        if !Path::new(program).exists() {
            found.push(format!("there is no {program}: no package can be put back here (package.names)"));
        }
    }
    match installed(&places.admin, names) {
        Err(why) => found.push(format!("{why} (package.names): correct the name; none can be put back until then")),
        Ok(now) => found.extend(now.iter().filter_map(|it| {
            let why = deb(&places.cache, it, places.owner).err()?;
            Some(format!(
                "{why}: after an upgrade {0} {1} can't be put back; `apt-get install --reinstall --download-only {0}` \
                 fetches it, and APT::Keep-Downloaded-Packages \"true\" keeps those to come",
                it.name, it.version
            ))
        })),
    }
    found
}
