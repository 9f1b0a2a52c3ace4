//! `baseline show` and `baseline accept`: what should be on this host, what of it is missing, and taking it as it is.
//!
//! `show` ends with 1 where something is missing, so that a script can ask.

use super::socket::{Failure, Place};
use super::status::Page;
use super::table::{Table, age, alarming, coloured, number, text};
use clap::Subcommand;
use serde_json::{Value, json};

/// What is to be done.
#[derive(Subcommand)]
pub(super) enum What {
    /// List what should be here, since when, and what of it is missing; status 1 where something is
    Show {
        #[command(flatten)]
        place: Place,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Take the host as it is now for what should be: what is missing is not missed any more
    Accept {
        #[command(flatten)]
        place: Place,
    },
}

/// Does it.
///
/// # Errors
/// As in [`Failure`].
pub(super) fn page(what: &What) -> Result<Page, Failure> {
    match what {
        What::Show { place, json } => show(place, *json),
        What::Accept { place } => {
            let answer = place.connect()?.simple("accept")?;
            let (missing, things) =
                (number(&answer["accepted"], "missing"), number(&answer["accepted"], "things"));
            let text = format!("{missing} things are not missed any more; {things} should be here\n");
            Ok(Page { text, well: true })
        }
    }
}

fn show(place: &Place, as_json: bool) -> Result<Page, Failure> {
    let mut socket = place.connect()?;
    let mut whole = socket.simple("baseline")?;
    let things = socket.pages("baseline")?;
    let well = !things.iter().any(is_gone);
    let text = if as_json {
        whole["baseline"] = Value::Array(things);
        whole["next"] = json!(null);
        format!("{whole}\n")
    } else {
        tell(&whole, &things, coloured())
    };
    Ok(Page { text, well })
}

fn is_gone(thing: &Value) -> bool {
    text(thing, "state") == "GONE"
}

/// What is missing first.
fn tell(whole: &Value, things: &[Value], colour: bool) -> String {
    let missing = things.iter().filter(|thing| is_gone(thing)).count();
    let learned = things.iter().filter(|thing| thing["since"].is_string()).count();
    let mut out = format!(
        "{learned} things should be here, {missing} of them are missing; {} more may be learned\n",
        things.len() - learned
    );
    if number(whole, "left_out") > 0 {
        out += &format!("{} things found no place and are not watched\n", number(whole, "left_out"));
    }
    for loss in whole["losses"].as_array().into_iter().flatten() {
        let change = loss["change"].as_str().unwrap_or("unattributed");
        let ago = age(loss, "ago_ms").unwrap_or_default();
        out += &format!("loss {}: {ago} ago; just before: {change}\n", number(loss, "number"));
    }
    let mut table = Table::new(&["KIND", "NAME", "OF", "SINCE", "STATE"]);
    let mut alarms = vec![false];
    let ordered = things.iter().filter(|it| is_gone(it)).chain(things.iter().filter(|it| !is_gone(it)));
    for thing in ordered {
        alarms.push(is_gone(thing));
        let how = thing["gone"].as_str().map(|how| format!(": {how}")).unwrap_or_default();
        let ago = age(thing, "gone_ms").map(|ago| format!(", for {ago}")).unwrap_or_default();
        let since = thing["since"].as_str().and_then(|since| since.get(..16)).unwrap_or("-");
        table.row(vec![
            text(thing, "kind").to_owned(),
            text(thing, "name").to_owned(),
            text(thing, "of").to_owned(),
            since.replace('T', " "),
            format!("{}{how}{ago}", text(thing, "state")),
        ]);
    }
    out.push('\n');
    for (at, line) in table.lines().iter().enumerate() {
        out += &alarming(line, colour && alarms.get(at).copied().unwrap_or(false));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_stands_first_with_how_and_what_changed() {
        let whole = json!({ "left_out": 0, "losses": [{ "number": 3, "ago_ms": 5_000, "change": "package web was removed" }] });
        let here = json!({ "kind": "mount", "name": "/srv", "since": "2026-11-29T18:40:01.000000Z", "state": "here" });
        let gone = json!({ "kind": "service", "name": "web.service", "of": "web", "since": "2026-11-28T18:40:01.000000Z",
            "state": "GONE", "gone": "masked", "gone_ms": 6_000 });
        let said = tell(&whole, &[here, gone], false);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("2 things should be here, 1 of them are missing"), "{said}");
        assert_eq!(lines[1], "loss 3: 5 s ago; just before: package web was removed");
        assert!(lines[4].contains("web.service") && lines[4].ends_with("GONE: masked, for 6 s"), "{said}");
        assert!(lines[5].contains("/srv") && lines[5].ends_with("here"), "{said}");
    }
}
