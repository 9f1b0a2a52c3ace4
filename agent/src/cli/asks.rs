//! `hold`, `try` and `check NAME`: what a person asks the running agent to do.

use super::socket::{Failure, LOOK_PATIENCE, Place};
use super::status::{Page, reading};
use super::table::{age, number, span, text};
use crate::config;
use crate::local::VERSION;
use picket_proto::Span;
use serde_json::{Value, json};

/// `hold`; errors as in [`Failure`].
pub(super) fn hold(place: &Place, service: Option<&str>, lasts: &str) -> Result<Page, Failure> {
    let span = if lasts == "off" { Some(Span::ZERO) } else { config::parse_span(lasts) };
    let Some(lasts) = span.filter(|span| lasts == "off" || span.secs() > 0) else {
        let better = "write a number and s, m or h, such as 30m, from 1m to 168h; or `off`";
        return Err(Failure::Usage(format!("`{lasts}` is no length of time; {better}")));
    };
    let request = json!({ "v": VERSION, "ask": "hold", "name": service, "seconds": lasts.secs() });
    let whole = place.connect()?.ask(&request, Some(LOOK_PATIENCE))?;
    let of = service.map_or_else(|| "anything".to_owned(), ToOwned::to_owned);
    let text = match age(&whole["hold"], "left_ms") {
        Some(left) => format!("no remedy of {of} begins for {left}; watching goes on; `hold off` ends it\n"),
        None if service.is_none() => "every hold is ended; remedies are allowed again\n".to_owned(),
        None => format!("remedies of {of} are allowed\n"),
    };
    Ok(Page { text, well: true })
}

/// `try`; errors as in [`Failure`].
pub(super) fn try_now(place: &Place, service: &str, next: bool) -> Result<Page, Failure> {
    let request = json!({ "v": VERSION, "ask": "try", "name": service, "next": next });
    let whole = place.connect()?.ask(&request, Some(LOOK_PATIENCE))?;
    let remedy = whole["remedy"].as_str().map(|remedy| format!(" ({remedy})")).unwrap_or_default();
    let text = format!(
        "{service} is being tried{remedy}; `events --follow` tells what comes of it, `status` how it stands\n"
    );
    Ok(Page { text, well: true })
}

/// What a look found. Of a check that counts what is new, and so is not looked at for asking, what its last one did.
fn looked(whole: &Value) -> String {
    let check = &whole["check"];
    let read = match (whole["looked"] == false, age(check, "read_ms")) {
        (false, _) => return format!("read {}", reading(check)),
        (true, Some(age)) => format!("read {age} ago: {}", reading(check)),
        (true, None) => "not read yet".to_owned(),
    };
    let every = span(number(check, "interval_ms"));
    format!(
        "{read}\nit counts what is new from one look to the next, every {every}: it is not looked at for asking"
    )
}

/// `check NAME`; errors as in [`Failure`].
pub(super) fn look(place: &Place, name: &str, as_json: bool) -> Result<Page, Failure> {
    let request = json!({ "v": VERSION, "ask": "look", "name": name });
    let whole = place.connect()?.ask(&request, Some(LOOK_PATIENCE))?;
    let check = &whole["check"];
    let well = matches!(text(check, "verdict"), "up" | "degraded");
    if as_json {
        return Ok(Page { text: format!("{whole}\n"), well });
    }
    let told = format!(
        "{} ({}): {}\nverdict: {}, for {}{}\n{}",
        text(check, "name"),
        text(check, "target"),
        looked(&whole),
        text(check, "verdict"),
        age(check, "since_ms").unwrap_or_default(),
        check["cause"].as_str().map(|cause| format!("; {cause}")).unwrap_or_default(),
        check["usual"].as_str().map(|usual| format!("usual: {usual}\n")).unwrap_or_default(),
    );
    Ok(Page { text: told, well })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_news_is_told_as_it_was_read_last() {
        let check =
            json!({ "reading": "2 lines", "said": "ERROR 7", "read_ms": 12_000, "interval_ms": 60_000 });
        let of = |looked| json!({ "check": check, "looked": looked });
        assert_eq!(looked(&of(true)), "read 2 lines: ERROR 7");
        let kept = looked(&of(false));
        assert!(kept.starts_with("read 12 s ago: 2 lines: ERROR 7\n"), "{kept}");
        assert!(kept.ends_with("every 1 min: it is not looked at for asking"), "{kept}");
        let never = looked(&json!({ "check": { "interval_ms": 60_000 }, "looked": false }));
        assert!(never.starts_with("not read yet\n"), "{never}");
    }
}
