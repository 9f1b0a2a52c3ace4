//! `[agent] bus`: where systemd is heard.

use super::read::{Keys, Sheet};

/// The bus on which systemd is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusAddress {
    /// The system's, or the one in `DBUS_SYSTEM_BUS_ADDRESS`.
    System,
    /// The user's own, in `DBUS_SESSION_BUS_ADDRESS`.
    User,
    /// This one.
    At(String),
}

/// Reads the key.
pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> BusAddress {
    match keys.text(sheet, "bus") {
        None | Some(("system", _)) => BusAddress::System,
        Some(("user", _)) => BusAddress::User,
        Some((address, _)) if address.contains(':') => BusAddress::At(address.to_owned()),
        Some((_, place)) => {
            let better = "write \"system\", \"user\" or an address such as \"unix:path=/run/bus\"";
            sheet.wrong(&place, "is no bus", Some(better.to_owned()));
            BusAddress::System
        }
    }
}
