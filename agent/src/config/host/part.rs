//! What a check of the host looks at, beside its levels.

use std::fmt;
use std::path::PathBuf;

/// A part of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Time in which something waited.
    Pressure(Resource),
    /// Swap in use.
    Swap,
    /// Inodes in use below a mount point.
    Inodes {
        /// Which.
        mount: String,
    },
    /// A mount.
    Mount {
        /// Where.
        mount: String,
        /// Whether it should be writable.
        writable: bool,
    },
    /// A network interface.
    Net {
        /// Its name.
        interface: String,
    },
    /// A chip with sensors, or a zone.
    Temperature(Sensor),
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// A core.
    Cpu,
    /// Memory.
    Memory,
    /// A disk.
    Io,
}

/// Where temperatures are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sensor {
    /// The chip's name or the zone's type.
    pub name: String,
    /// Its folder; empty where there is none.
    pub folder: PathBuf,
}

impl Resource {
    /// Its word, also the kernel's.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Io => "io",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pressure(resource) => write!(f, "time lost waiting for {}", resource.word()),
            Self::Swap => f.write_str("swap in use"),
            Self::Inodes { mount } => write!(f, "inodes in use on {mount}"),
            Self::Mount { mount, writable: true } => write!(f, "{mount} is mounted and writable"),
            Self::Mount { mount, writable: false } => write!(f, "{mount} is mounted"),
            Self::Net { interface } => write!(f, "{interface} has a link; its errors and drops"),
            Self::Temperature(sensor) => write!(f, "temperature of {}", sensor.name),
        }
    }
}
