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
