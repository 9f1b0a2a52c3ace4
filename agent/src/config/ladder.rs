//! `ladder` of a service: its rungs by name, each once at most, `reboot` and `isolate` at its end; and `observe`, which has none begun.

use super::read::{Keys, Place, Sheet, nearest};
use picket_agent_core::service::{Driver, Ladder};
use picket_proto::event::Remedy;

const RUNGS: [(&str, Remedy); 7] = [
    ("reload", Remedy::Reload),
    ("restart", Remedy::Restart),
    ("dependents", Remedy::Dependents),
    ("rollback", Remedy::Rollback),
    ("package", Remedy::Package),
    ("reboot", Remedy::Reboot),
    ("isolate", Remedy::Isolate),
];

/// The word for a remedy.
pub(crate) fn rung(remedy: Remedy) -> &'static str {
    RUNGS.iter().find(|(_, rung)| *rung == remedy).map_or("", |(word, _)| word)
}

/// Rungs that need something else in the file, and whether that is there.
#[derive(Clone, Copy)]
pub(super) struct Can {
    pub(super) reload: bool,
    pub(super) rollback: bool,
    pub(super) package: bool,
    pub(super) reboot: bool,
}

/// Reads the ladder; one of restarts where none is written.
pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, can: Can) -> Ladder {
    let Some((named, place)) = keys.texts(sheet, "ladder") else {
        return [Remedy::Restart].into_iter().collect();
    };
    let mut ladder = Ladder::new();
    for name in &named {
        let Some((_, rung)) = RUNGS.iter().find(|(known, _)| known == name) else {
            let known = RUNGS.map(|(known, _)| known);
            let near = nearest(name, &known).map(|near| format!("did you mean \"{near}\"?"));
            let better = near.unwrap_or_else(|| format!("known: {}", known.join(", ")));
            sheet.wrong(&place, format!("`{name}` is no rung"), Some(better));
            continue;
        };
        let is_behind = match ladder.last() {
            Some(Remedy::Isolate) => true,
            Some(Remedy::Reboot) => *rung != Remedy::Isolate,
            Some(
                Remedy::Restart | Remedy::Reload | Remedy::Dependents | Remedy::Rollback | Remedy::Package,
            )
            | None => false,
        };
        if ladder.contains(rung) || is_behind {
            let better = "name each rung once, then reboot, and isolate last".to_owned();
            sheet.wrong(&place, format!("`{name}` can't stand there"), Some(better));
            continue;
        }
        let _there_is_a_place_for_each = ladder.push(*rung);
    }
    look(&ladder, can, &place, sheet);
    ladder
}

/// Whether it is only observed. One that the agent itself starts can't be: nobody else would start it.
pub(super) fn observes(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    (name, driver): (&str, Driver),
    usual: bool,
) -> bool {
    let place = keys.place();
    let observes = keys.flag(sheet, "observe", usual);
    if observes && driver == Driver::Spawn {
        let better = "set observe = false for it, or have systemd start it: unit = \"..\"".to_owned();
        let problem = format!("`{name}` is only to be observed, and nobody but the agent starts it");
        sheet.wrong(&place, problem, Some(better));
    }
    observes
}

fn look(ladder: &Ladder, can: Can, place: &Place, sheet: &mut Sheet<'_>) {
    let Can { reload, rollback, package, reboot } = can;
    let has = |remedy| ladder.contains(&remedy);
    for (is_wrong, problem, better) in [
        (!has(Remedy::Restart), "has no `restart`", "a dead service can't be healed without"),
        (has(Remedy::Reload) && !reload, "names `reload`, and no program does it", "add reload = [\"..\"]"),
        (
            has(Remedy::Rollback) && !rollback,
            "names `rollback`, and no files are kept",
            "add good = { files = [\"/etc/NAME\"] }",
        ),
        (
            has(Remedy::Package) && !package,
            "names `package`, and no package is named",
            "add package = { names = [\"NAME\"] }",
        ),
        (
            has(Remedy::Reboot) && !reboot,
            "names `reboot`, and [agent] does not allow it",
            "add reboot = { max = 1, per = \"24h\" } to [agent]",
        ),
    ] {
        if is_wrong {
            sheet.wrong(place, problem, Some(better.to_owned()));
        }
    }
}
