//! One thing: what was seen of it, whether it should be there, and whether it is.

use super::Source;
use picket_proto::event::{Gone, Lost, ThingKind};
use picket_proto::{Mono, Name, Now, Span, Wall};

/// What a unit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// A daemon that runs, a timer that waits, a socket that listens. Not a oneshot that is done.
    Yes,
    /// It is starting or stopping.
    Changing,
    /// It does not, or it has done its work.
    No,
}

/// What its file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// enabled, enabled-runtime.
    Enabled,
    /// generated: of a script that the init system starts at boot.
    Generated,
    /// disabled, static, indirect, transient, and all others.
    Disabled,
    /// masked, masked-runtime.
    Masked,
    /// There is none, or none that can be read.
    Missing,
}

/// Whether a mount lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It stands in fstab, or a file system of a disk or a network is mounted at a place of the host's own.
    Lasting,
    /// Pseudo file systems, removable media, containers' and sessions' mounts.
    Passing,
}

/// What was seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// A unit.
    Unit {
        /// Whether it runs.
        runs: Runs,
        /// What its file says.
        file: File,
    },
    /// Somebody listens on a port.
    Listens {
        /// Whether the kernel may have chosen its number: another one at each start.
        passing: bool,
    },
    /// It is mounted.
    Mounted(Place),
}

/// A thing as it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What it is.
    pub kind: ThingKind,
    /// Its name.
    pub name: Name,
    /// Of a port the unit that listens; of a unit the service of the configuration that it is.
    pub of: Option<Name>,
    /// What was seen of it.
    pub sight: Sight,
}

impl Sighting {
    pub(super) const fn source(&self) -> Source {
        source_of(self.kind)
    }

    /// Whether it is such that it could be part of the baseline.
    pub const fn is_lasting(&self) -> bool {
        match self.sight {
            Sight::Unit { runs, file } => {
                matches!(runs, Runs::Yes) && matches!(file, File::Enabled | File::Generated)
            }
            Sight::Listens { passing } => !passing,
            Sight::Mounted(place) => matches!(place, Place::Lasting),
        }
    }

    /// Of a port the unit that listens.
    pub(super) const fn of_port(&self) -> Option<Option<&Name>> {
        match self.kind {
            ThingKind::Port => Some(self.of.as_ref()),
            ThingKind::Service | ThingKind::Timer | ThingKind::Socket | ThingKind::Mount => None,
        }
    }
}

const fn source_of(kind: ThingKind) -> Source {
    match kind {
        ThingKind::Service | ThingKind::Timer | ThingKind::Socket => Source::Units,
        ThingKind::Port => Source::Ports,
        ThingKind::Mount => Source::Mounts,
    }
}

/// How a thing of the baseline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Here,
    /// It does not run although it should: a stop or a death, which are others' to tell.
    Resting,
    /// It is gone.
    Gone {
        /// How.
        gone: Gone,
        /// Since when.
        since: Mono,
        /// By which loss it was told.
        told: Option<u32>,
    },
}

/// A place for a thing.
#[derive(Debug, Clone, Default)]
pub struct Thing {
    /// Its name; none where the place is free.
    pub name: Option<Name>,
    /// What it is.
    pub(super) kind: Option<ThingKind>,
    /// As in [`Sighting::of`].
    pub of: Option<Name>,
    /// Since when it should be there; none while it is only known.
    pub since: Option<Wall>,
    /// When it was first seen.
    pub(super) first: Mono,
    pub(super) standing: Option<Standing>,
    /// What the listing at hand said of it.
    seen: Option<Sight>,
    runs: bool,
}

impl Thing {
    pub(super) fn new(now: Now, sighting: &Sighting) -> Self {
        Self {
            name: Some(sighting.name.clone()),
            kind: Some(sighting.kind),
            of: sighting.of.clone(),
            since: None,
            first: now.mono,
            standing: Some(Standing::Here),
            seen: Some(sighting.sight),
            runs: true,
        }
    }

    /// One of an earlier run.
    pub(super) fn known((kind, name, of): (ThingKind, Name, Option<Name>), since: Wall) -> Self {
        let standing = Some(Standing::Resting);
        Self { name: Some(name), kind: Some(kind), of, since: Some(since), standing, ..Self::default() }
    }

    /// What it is; a service where the place is free.
    pub fn kind(&self) -> ThingKind {
        self.kind.unwrap_or(ThingKind::Service)
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing.unwrap_or(Standing::Resting)
    }

    pub(super) fn source(&self) -> Option<Source> {
        self.kind.map(source_of)
    }

    pub(super) fn is(&self, sighting: &Sighting) -> bool {
        self.kind == Some(sighting.kind) && self.name.as_ref() == Some(&sighting.name)
    }

    pub(super) fn is_unit(&self, name: &Name) -> bool {
        self.source() == Some(Source::Units) && self.name.as_ref() == Some(name)
    }

    pub(super) const fn runs(&self) -> bool {
        self.runs
    }

    pub(super) const fn is_new(&self) -> bool {
        self.name.is_some() && self.since.is_none()
    }

    pub(super) fn unseen(&mut self) {
        self.seen = None;
    }

    /// It is in the listing at hand.
    pub(super) fn sighted(&mut self, sighting: &Sighting) {
        self.seen = Some(sighting.sight);
        if self.of != sighting.of && sighting.of.is_some() {
            self.of.clone_from(&sighting.of);
        }
    }

    /// The listing is through; `owner` is how the unit of a port stands. Whether it stands otherwise than before; what
    /// was only known and is gone is forgotten.
    pub(super) fn turn(&mut self, now: Mono, owner: Option<Standing>) -> bool {
        let is = self.judged(owner);
        if self.since.is_none() && is != Standing::Here {
            *self = Self::default();
            return true;
        }
        self.runs = is == Standing::Here;
        let was = self.standing();
        let (next, changed) = match (was, is) {
            (Standing::Gone { gone: old, since, told }, Standing::Gone { gone, told: owners, .. }) => {
                (Standing::Gone { gone, since, told: told.or(owners) }, old != gone)
            }
            (Standing::Here | Standing::Resting, Standing::Gone { gone, told, .. }) => {
                (Standing::Gone { gone, since: now, told }, true)
            }
            (_, Standing::Here | Standing::Resting) => (is, was != is),
        };
        self.standing = Some(next);
        changed
    }

    /// What the listing says of it, whatever was before.
    fn judged(&self, owner: Option<Standing>) -> Standing {
        let gone = |gone| Standing::Gone { gone, since: Mono::default(), told: None };
        match (self.kind(), self.seen) {
            (ThingKind::Service | ThingKind::Timer | ThingKind::Socket, None) => gone(Gone::NoFile),
            (ThingKind::Port, None) => super::judge::closed(owner),
            (ThingKind::Mount, None) => gone(Gone::Unmounted),
            (_, Some(Sight::Listens { .. } | Sight::Mounted(_))) => Standing::Here,
            (_, Some(Sight::Unit { file: File::Masked, .. })) => gone(Gone::Masked),
            (_, Some(Sight::Unit { file: File::Missing, .. })) => gone(Gone::NoFile),
            (_, Some(Sight::Unit { runs: Runs::Yes, .. })) => Standing::Here,
            (_, Some(Sight::Unit { runs: Runs::Changing, .. })) => Standing::Resting,
            (_, Some(Sight::Unit { runs: Runs::No, file: File::Disabled })) => gone(Gone::Disabled),
            (ThingKind::Timer | ThingKind::Socket, Some(Sight::Unit { .. })) => gone(Gone::Idle),
            (ThingKind::Service | ThingKind::Port | ThingKind::Mount, Some(Sight::Unit { .. })) => {
                Standing::Resting
            }
        }
    }

    pub(super) fn is_ripe(&self, now: Mono, learn: Span) -> bool {
        self.is_new() && now.since(self.first) >= learn
    }

    pub(super) const fn learned(&mut self, wall: Wall) {
        self.since = Some(wall);
    }

    /// It is gone, and nobody was told.
    pub(super) fn is_untold(&self) -> bool {
        matches!(self.standing, Some(Standing::Gone { told: None, .. }))
    }

    /// Whether the wait for it is so long that looks at rest are enough.
    pub(super) fn may_wait(&self) -> bool {
        matches!(self.standing, Some(Standing::Gone { gone: Gone::Idle, .. }))
    }

    /// By which loss it was told.
    pub(super) fn told(&self) -> Option<u32> {
        match self.standing {
            Some(Standing::Gone { told, .. }) => told,
            Some(Standing::Here | Standing::Resting) | None => None,
        }
    }

    pub(super) fn tell(&mut self, number: u32) {
        if let Some(Standing::Gone { told, .. }) = &mut self.standing {
            *told = Some(number);
        }
    }

    /// It as an event names it.
    pub(super) fn lost(&self) -> Option<Lost> {
        let Some(Standing::Gone { gone, .. }) = self.standing else { return None };
        let owner = self.of.clone().filter(|_| self.kind == Some(ThingKind::Port));
        Some(Lost { kind: self.kind?, name: self.name.clone()?, owner, gone })
    }

    /// The service of the configuration that it is.
    pub(super) fn service(&self) -> Option<&Name> {
        self.of.as_ref().filter(|_| self.source() == Some(Source::Units))
    }
}
