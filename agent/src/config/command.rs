//! A service that other programs start and stop: what they are, written out or by the init system's name.
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `init` | `openrc`, `runit`, `sysv` or `busybox`: fills the four below from the service's name | this, or the first three |
//! | `start`, `stop` | program and arguments; each ends, with status 0 when it has done it | none |
//! | `status` | program and arguments; status 0 means that the service runs | none |
//! | `reload` | program and arguments that have it read its configuration anew | none |
//! | `pidfile` | the file with its process id: its death is then seen at once | none: seen by `status` |
//!
//! What is written out wins over `init`. `runit` asks `sv status` for "run:", since `sv` calls a service well that is
//! down as it should be. `busybox` is for its `init` with scripts such as `/etc/init.d/S50NAME` that know no status: the
//! process is asked for by `/var/run/NAME.pid`. It looks at nothing: a program that is missing is told as a failed start.

use super::read::{Keys, Sheet, nearest};
use super::service::find;
use std::path::{Path, PathBuf};

/// Known init systems.
const INITS: [&str; 4] = ["openrc", "runit", "sysv", "busybox"];

/// The programs of one service; each at least a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// Starts it.
    pub start: Vec<String>,
    /// Stops it.
    pub stop: Vec<String>,
    /// Status 0: it runs.
    pub status: Vec<String>,
    /// Has it read its configuration anew, where that can be.
    pub reload: Option<Vec<String>>,
    /// The file with its process id.
    pub pidfile: Option<PathBuf>,
}

/// Reads a program with its arguments, if it is there; `{here}` in them is the file's folder.
pub(super) fn program(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    key: &'static str,
    here: &Path,
) -> Option<Vec<String>> {
    let (parts, place) = keys.texts(sheet, key)?;
    if parts.first().is_none_or(String::is_empty) || parts.iter().any(|part| part.contains('\0')) {
        let better = format!("write {key} = [\"program\", \"argument\"]");
        sheet.wrong(&place, "is no program with its arguments", Some(better));
    }
    let folder = here.to_string_lossy();
    Some(parts.iter().map(|part| part.replace("{here}", &folder)).collect())
}

/// The same, with the program by its path where it is found.
pub(super) fn found(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    key: &'static str,
    here: &Path,
) -> Option<Vec<String>> {
    let mut parts = program(keys, sheet, key, here)?;
    if let Some(program) = parts.first_mut() {
        *program = find(program, here);
    }
    Some(parts)
}

/// Reads the keys, if any of them is there.
pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, here: &Path, name: &str) -> Option<Commands> {
    let init = init(keys, sheet, name);
    let mut list = |key| program(keys, sheet, key, here);
    let (start, stop, status, reload) = (list("start"), list("stop"), list("status"), list("reload"));
    let pidfile = keys.text(sheet, "pidfile").map(|(path, _)| here.join(path));
    let is_there = init.is_some() || start.is_some() || stop.is_some() || status.is_some();
    if !is_there && reload.is_none() && pidfile.is_none() {
        return None;
    }
    let filled = init.map(|all| all.map(|part| part.into_iter().collect::<Vec<String>>()));
    let [by_start, by_stop, by_status, by_reload] = filled.map_or([const { None }; 4], |all| all.map(Some));
    let place = keys.place();
    let mut needed = |own: Option<Vec<String>>, preset: Option<Vec<String>>, key: &str| {
        let whole = own.or(preset).unwrap_or_else(|| {
            let better = format!("add {key} = [\"program\", \"argument\"], or init = \"sysv\"");
            sheet.wrong(&place, format!("{key} is missing"), Some(better));
            Vec::new()
        });
        let mut parts = whole.into_iter();
        let program = parts.next().map(|program| find(&program, here));
        program.into_iter().chain(parts).collect::<Vec<String>>()
    };
    let start = needed(start, by_start, "start");
    let stop = needed(stop, by_stop, "stop");
    let status = needed(status, by_status, "status");
    let reload = reload.or(by_reload).map(|reload| needed(Some(reload), None, "reload"));
    Some(Commands { start, stop, status, reload, pidfile })
}

/// Start, stop, status and reload as the init system does them.
fn init(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, name: &str) -> Option<[Vec<String>; 4]> {
    let (init, place) = keys.text(sheet, "init")?;
    let whole = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    let shell = |script: &str| whole(&["/bin/sh", "-c", script, "sh", name]);
    let script = format!("/etc/init.d/{name}");
    Some(match init {
        "openrc" => ["start", "stop", "status", "reload"].map(|verb| whole(&["rc-service", name, verb])),
        "runit" => [
            whole(&["sv", "start", name]),
            whole(&["sv", "force-stop", name]),
            shell("sv status \"$1\" | grep -q ^run:"),
            whole(&["sv", "hup", name]),
        ],
        "sysv" => ["start", "stop", "status", "reload"].map(|verb| whole(&[&script, verb])),
        "busybox" => [
            shell("exec /etc/init.d/S[0-9][0-9]\"$1\" start"),
            shell("exec /etc/init.d/S[0-9][0-9]\"$1\" stop"),
            shell("kill -0 \"$(cat /var/run/\"$1\".pid)\""),
            shell("kill -HUP \"$(cat /var/run/\"$1\".pid)\""),
        ],
        other => {
            let better = nearest(other, &INITS).map(|near| format!("did you mean \"{near}\"?"));
            let known = || Some(format!("known: {}", INITS.join(", ")));
            sheet.wrong(&place, format!("`{other}` is no init system"), better.or_else(known));
            return None;
        }
    })
}
