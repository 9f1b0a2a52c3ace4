//! How units stand, asked for once over a connection of its own: for a first look at a host, before any is watched.
//!
//! Two calls per unit that is asked for, [`ASKED_MAX`] at most: those that fail, are enabled and do not run, or listen.

use super::bus::connect;
use super::list::{self, Units};
use super::read::{Properties, get_all, is_unmet, path_of, text, value};
use crate::config::BusAddress;
use std::collections::BTreeMap;
use zbus::Connection;

/// More that fail or listen are a host that needs another look than a first one.
pub(crate) const ASKED_MAX: usize = 64;

/// A connection to systemd.
pub(crate) struct Survey(Connection);

/// How a service stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) unit: String,
    pub(crate) failed: bool,
    /// systemd's word for how it ended.
    pub(crate) result: String,
    /// Whether it is one that is to run on: no oneshot, nothing that its conditions keep from running, and, unless it failed,
    /// nothing that waits for a socket, a timer or the bus to start it.
    pub(crate) is_daemon: bool,
    /// After which ends systemd itself starts it again.
    pub(crate) restart: String,
}

impl Life {
    /// Whether systemd starts it again after a failure.
    pub(crate) fn is_restarted(&self) -> bool {
        !matches!(self.restart.as_str(), "no" | "on-success" | "")
    }
}

impl Survey {
    /// Connects.
    ///
    /// # Errors
    /// The bus does not answer.
    pub(crate) async fn open(bus: &BusAddress) -> zbus::Result<Self> {
        connect(bus).await.map(Self)
    }

    /// All units.
    ///
    /// # Errors
    /// systemd does not answer.
    pub(crate) async fn units(&self) -> zbus::Result<Units> {
        list::units(&self.0, &BTreeMap::new()).await
    }

    /// How a service stands.
    ///
    /// # Errors
    /// As [`Self::units`].
    pub(crate) async fn life(&self, name: &str) -> zbus::Result<Life> {
        let path = path_of(name);
        let unit = get_all(&self.0, &path, "org.freedesktop.systemd1.Unit").await?;
        let service = get_all(&self.0, &path, "org.freedesktop.systemd1.Service").await?;
        Ok(life(name, &unit, &service))
    }

    /// systemd's version, as it says it.
    ///
    /// # Errors
    /// As [`Self::units`].
    pub(crate) async fn version(&self) -> zbus::Result<String> {
        let said = list::said_of_itself(&self.0, "Version").await?;
        Ok(said.try_into().unwrap_or_default())
    }
}

fn life(name: &str, unit: &Properties, service: &Properties) -> Life {
    let (state, kind) = (text(unit, "ActiveState"), text(service, "Type"));
    let by_others = value::<Vec<String>>(unit, "TriggeredBy").is_some_and(|by| !by.is_empty());
    let is_triggered = by_others || (kind == "dbus" && state != "active");
    let is_unmet = ["Condition", "Assert"].into_iter().any(|which| is_unmet(unit, which));
    let failed = state == "failed";
    Life {
        unit: name.to_owned(),
        failed,
        result: text(service, "Result"),
        is_daemon: kind != "oneshot" && !is_unmet && (failed || !is_triggered),
        restart: text(service, "Restart"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::OwnedVariant;

    fn properties(all: &[(&str, &str)]) -> Properties {
        let owned =
            |(key, value): &(&str, &str)| ((*key).to_owned(), OwnedVariant::from(zbus::Str::from(*value)));
        all.iter().map(owned).collect()
    }

    #[test]
    fn what_waits_to_be_started_is_no_daemon_until_it_failed() {
        let of = |state: &str, kind: &str, restart: &str| {
            life(
                "a.service",
                &properties(&[("ActiveState", state)]),
                &properties(&[("Type", kind), ("Restart", restart)]),
            )
        };
        for (state, kind, is_daemon) in [
            ("inactive", "simple", true),
            ("inactive", "dbus", false),
            ("active", "dbus", true),
            ("failed", "dbus", true),
            ("failed", "oneshot", false),
        ] {
            assert_eq!(of(state, kind, "no").is_daemon, is_daemon, "{state} {kind}");
        }
        for (restart, is_restarted) in
            [("no", false), ("on-success", false), ("on-failure", true), ("always", true)]
        {
            assert_eq!(of("active", "simple", restart).is_restarted(), is_restarted, "{restart}");
        }
    }
}
