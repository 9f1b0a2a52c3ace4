//! `[metrics]`: where the agent's own figures can be read in Prometheus' text format. Off without the table.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `listen` | `address:port`, a loopback address only: nothing there asks who reads | none: off |

use super::read::{Keys, Sheet};
use std::net::SocketAddr;

/// Reads the table.
pub(super) fn read(table: Option<Keys<'_>>, sheet: &mut Sheet<'_>) -> Option<SocketAddr> {
    let mut keys = table?;
    let example = || Some("write e.g. \"127.0.0.1:9441\"".to_owned());
    let listen = keys.needed(sheet, "listen").and_then(|(text, place)| match text.parse::<SocketAddr>() {
        Ok(listen) if listen.ip().is_loopback() => Some(listen),
        Ok(_) => {
            sheet.wrong(&place, "is no loopback address: everyone in the network could read it", example());
            None
        }
        Err(_) => {
            sheet.wrong(&place, "is not address:port", example());
            None
        }
    });
    keys.finish(sheet);
    listen
}
