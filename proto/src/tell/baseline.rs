//! What vanished, how, and what changed just before, in words.

use crate::event::{Change, ChangeKind, Ended, Gone, Lost, Returned, ThingKind, Vanished};
use core::fmt::{Display, Formatter, Result};

impl Display for ThingKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.pad(match self {
            Self::Service => "service",
            Self::Timer => "timer",
            Self::Socket => "socket",
            Self::Mount => "mount",
            Self::Port => "port",
        })
    }
}

impl Display for Gone {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::NoFile => "its unit has no file any more",
            Self::Disabled => "disabled and stopped",
            Self::Masked => "masked",
            Self::Idle => "stopped, so nothing starts it",
            Self::Closed => "nobody listens, though its unit runs",
            Self::WithItsUnit => "nobody listens",
            Self::Unmounted => "not mounted",
        })
    }
}

impl Display for Lost {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match (self.kind, &self.owner) {
            (ThingKind::Port, Some(owner)) => write!(f, "port {} of {owner}", self.name)?,
            (ThingKind::Port, None) => write!(f, "port {}", self.name)?,
            (ThingKind::Mount, _) => write!(f, "mount {}", self.name)?,
            (ThingKind::Service | ThingKind::Timer | ThingKind::Socket, _) => write!(f, "{}", self.name)?,
        }
        write!(f, " ({})", self.gone)
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let name = &self.name;
        match self.kind {
            ChangeKind::Installed => write!(f, "package {name} was installed")?,
            ChangeKind::Upgraded => write!(f, "package {name} was upgraded")?,
            ChangeKind::Removed => write!(f, "package {name} was removed")?,
            ChangeKind::Packages => f.write_str("the package manager was at work")?,
            ChangeKind::UnitFile | ChangeKind::Config => write!(f, "{name} changed")?,
        }
        match self.before.secs() {
            0 => Ok(()),
            _ => write!(f, ", {} before", self.before),
        }
    }
}

impl Vanished {
    /// The thing that is named first, and how many more there are: for a title.
    pub fn head(&self) -> (&str, usize) {
        let more = self.things.len().saturating_sub(1) + usize::from(self.more);
        (self.things.first().map_or("something", |lost| lost.name.as_str()), more)
    }
}

impl Display for Vanished {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(if self.again { "still gone: " } else { "vanished: " })?;
        for (at, lost) in self.things.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{lost}")?;
        }
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        match &self.change {
            Some(change) => write!(f, "; just before, {change}"),
            None => f.write_str("; unattributed: nothing is known to have changed before"),
        }
    }
}

impl Display for Returned {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.ended {
            Ended::Back => write!(f, "{} is there again, after {}", self.name, self.after),
            Ended::Accepted => write!(f, "{} is not missed any more: accepted by {}", self.name, self.by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;
    use crate::time::Span;
    use std::string::ToString;

    #[test]
    fn a_loss_says_what_how_and_what_changed_and_else_that_nothing_is_known() {
        let lost = |kind, name: &str, owner: Option<&str>, gone| Lost {
            kind,
            name: name.parse().unwrap(),
            owner: owner.map(|owner| owner.parse().unwrap()),
            gone,
        };
        let things = [
            lost(ThingKind::Mount, "/srv", None, Gone::Unmounted),
            lost(ThingKind::Port, "tcp/80", Some("web.service"), Gone::Closed),
        ];
        let mut fact = Vanished {
            number: 1,
            again: true,
            things: things.into_iter().collect(),
            more: 2,
            service: None,
            change: None,
            since: Span::ZERO,
        };
        assert_eq!(
            fact.to_string(),
            "still gone: mount /srv (not mounted), port tcp/80 of web.service (nobody listens, though its unit runs) and \
             2 more; unattributed: nothing is known to have changed before"
        );
        assert_eq!(fact.head(), ("/srv", 3));
        let name = Text::new("/etc/web/x.conf");
        fact.change = Some(Change { kind: ChangeKind::Config, name, before: Span::from_secs(7) });
        assert!(fact.to_string().ends_with("2 more; just before, /etc/web/x.conf changed, 7 s before"));
    }
}
