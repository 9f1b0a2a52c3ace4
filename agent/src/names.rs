//! Names of users and groups, as the system's tables have them: other sources would need the resolver, which may hang.
//!
//! A table is read anew for each question. Left out: the groups of a user and his home, which only a program that
//! becomes him needs (`program`).

use crate::open;
use std::io;

/// The table of users.
pub(crate) const USERS: &str = "/etc/passwd";
/// The table of groups.
pub(crate) const GROUPS: &str = "/etc/group";

/// The number of a name in a table, whose third field it is; nothing where it has none. A number is its own.
///
/// # Errors
/// The table can't be read.
pub(crate) fn number(name: &str, table: &str) -> io::Result<Option<u32>> {
    if let Ok(number) = name.parse() {
        return Ok(Some(number));
    }
    let text = open::text(table)?;
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    Ok(line.and_then(|line| line.split(':').nth(2)?.parse().ok()))
}

/// The name of a number in a table, if it has one.
pub(crate) fn of(number: u32, table: &str) -> Option<String> {
    let text = open::text(table).unwrap_or_default();
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    })
}

/// The name of a user; `uid N` where the table has none.
pub(crate) fn of_user(uid: u32) -> String {
    of(uid, USERS).unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_name() {
        assert_eq!(number("root", "/etc/passwd").unwrap(), Some(0));
        assert_eq!(number("root", "/etc/group").unwrap(), Some(0));
        assert_eq!(number("no such name", "/etc/passwd").unwrap(), None);
    }

    #[test]
    fn a_table_with_an_odd_byte_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("passwd");
        std::fs::write(&table, b"k\xf6nig:x:7:7\nmon:x:120:130\n").unwrap();
        assert_eq!(number("mon", table.to_str().unwrap()).unwrap(), Some(120));
    }
}
