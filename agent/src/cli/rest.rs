//! Lines of `status` about services with which not all is as usual: only observed, with files or packages that differ from the
//! good ones. What is as usual has none.

use super::table::text;
use serde_json::Value;

/// The services about which nothing is done.
pub(super) fn observed(services: &[Value]) -> String {
    let named: Vec<_> =
        services.iter().filter(|it| it["observed"] == true).map(|it| text(it, "name")).collect();
    match named.len() {
        0 => String::new(),
        of if of == services.len() => {
            "observe: no service is healed (`observe`), what would be done is told\n".to_owned()
        }
        _ => format!("observe: not healed (`observe`), what would be done is told: {}\n", named.join(", ")),
    }
}

/// The files of services that are not as they were when they were last good.
pub(super) fn files(services: &[Value]) -> String {
    let told = services.iter().filter_map(|service| {
        let name = text(service, "name");
        Some(match text(service, "files") {
            "none good yet" => format!("files:  none of {name} are known to be good yet: no rollback is possible\n"),
            "changed" => {
                format!("files:  {} of {name} differs from the good one\n", text(service, "changed_file"))
            }
            "rolled back" => {
                format!(
                    "files:  {name} was given its last good ones; the newer are in the newest good/{name}/aside-N of the agent's state\n"
                )
            }
            "can't be kept" => {
                format!("files:  those of {name} can't be kept as good ones, the agent's log says why: no rollback is possible\n")
            }
            _ => return None,
        })
    });
    told.collect()
}

/// The packages of services that are not as they were when they were last good, or could not be put back.
pub(super) fn packages(services: &[Value]) -> String {
    let told = services.iter().filter_map(|service| {
        let name = text(service, "name");
        let what = match text(service, "packages") {
            "none good yet" => "none are known to be good yet: none can be put back".to_owned(),
            "good, not in the cache" => {
                "the good ones are not in apt's cache: after an upgrade they can't be put back".to_owned()
            }
            "changed" => format!("{} is not the good one", text(service, "changed_package")),
            "rolled back" => "the last good ones were put back; `apt-mark hold` keeps them".to_owned(),
            "can't be kept" => "they can't be looked at, the agent's log says why".to_owned(),
            _ => return None,
        };
        Some(format!("package: of {name}: {what}\n"))
    });
    told.collect()
}
