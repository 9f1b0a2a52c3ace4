//! Lines of the kernel's table of mounts and of `/etc/fstab`, field by field, as they stand there. What they mean is their
//! readers' business: checks and the baseline ask for different things.

/// A line of `/proc/self/mountinfo`: `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda rw,errors=continue`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'l> {
    /// Which folder of the filesystem is mounted.
    pub(crate) root: &'l str,
    /// Where.
    pub(crate) point: &'l str,
    /// The filesystem's type.
    pub(crate) kind: &'l str,
    /// The mount's options, and the filesystem's.
    options: [&'l str; 2],
}

impl<'l> Line<'l> {
    /// Fields stand between single spaces: those of paths are escaped.
    fn parse(line: &'l str) -> Option<Self> {
        let (first, second) = line.split_once(" - ")?;
        let mut fields = first.split(' ').skip(3);
        let (root, point, of_mount) = (fields.next()?, fields.next()?, fields.next()?);
        let mut fields = second.split(' ');
        let (kind, of_filesystem) = (fields.next()?, fields.nth(1).unwrap_or_default());
        Some(Self { root, point, kind, options: [of_mount, of_filesystem] })
    }

    /// Whether neither the mount nor the filesystem can only be read.
    pub(super) fn is_writable(&self) -> bool {
        !self.options.iter().any(|options| options.split(',').any(|option| option == "ro"))
    }
}

/// The lines of the table; what is none is left out.
pub(crate) fn lines(table: &str) -> impl Iterator<Item = Line<'_>> {
    table.lines().filter_map(Line::parse)
}

/// A line of `/etc/fstab`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'l> {
    /// Where.
    pub(crate) point: &'l str,
    /// The filesystem's type.
    pub(crate) kind: &'l str,
    options: &'l str,
}

impl<'l> Wanted<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let (point, kind) = (fields.nth(1)?, fields.next()?);
        Some(Self { point, kind, options: fields.next().unwrap_or_default() })
    }

    /// Its options, in their order.
    pub(crate) fn options(&self) -> impl DoubleEndedIterator<Item = &'l str> {
        self.options.split(',')
    }

    /// Whether it is not mounted at boot, but by hand or when it is used.
    pub(crate) fn waits(&self) -> bool {
        self.options().any(|option| matches!(option, "noauto" | "x-systemd.automount"))
    }
}

/// What fstab wants mounted at a place of the tree; swap has none.
pub(crate) fn wanted(fstab: &str) -> impl Iterator<Item = Wanted<'_>> {
    let lines = fstab.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.filter_map(Wanted::parse).filter(|line| line.point.starts_with('/'))
}

/// Blanks and backslashes of a path stand as three octal digits.
pub(crate) fn unescaped(path: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(path.to_owned(), |path, (escape, char)| path.replace(escape, char))
}
