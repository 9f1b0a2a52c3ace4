//! `kind = "http"`: a URL that gives the status that is wanted.

use super::{Read, Target};
use crate::config::read::{Keys, Sheet};

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let status = u16::try_from(keys.number(sheet, "status", 100..=599, 200)).expect("at most 599");
    let url = url(keys, sheet)?;
    let name = url.to_string();
    Some(Read { target: Target::Http { url, status }, limits: None, name })
}

/// The web address under `url`.
pub(super) fn url(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<reqwest::Url> {
    let (text, place) = keys.needed(sheet, "url")?;
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        Ok(_) | Err(_) => {
            let better = if text.is_ascii() {
                "write e.g. \"http://127.0.0.1:8080/\""
            } else {
                "write the host in ASCII (`xn--..`, as `idn` prints it), the rest in percent signs"
            };
            sheet.wrong(&place, "is no web address", Some(better.to_owned()));
            None
        }
    }
}
