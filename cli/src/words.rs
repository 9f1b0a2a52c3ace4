//! The words and inks of the wire's enums and times: one spelling for tables and JSON.
//!
//! Names are lower case, joined by `-`; an unknown number (a newer collector) is `unknown-N`, never an error. Text
//! from the collector may hold what a service printed or a person typed, so [`plain`] takes its control characters
//! away before it meets a terminal.

use crate::screen::Ink;
use jiff::Timestamp;
use picket_rpc::v1::{CheckKind, HostState, IncidentState, Intent, JournalState, Severity, Verdict};

/// What `incident-verifying` says in `up` and `watch`: it comes as soon as a service is restarted, which proves
/// nothing yet.
pub(crate) const VERIFYING: &str = "restarted or back; it must prove that it holds";

/// The text without what a terminal would obey: control characters, and those without a shape that turn the direction of
/// what follows, end a line or hide between letters.
pub(crate) fn plain(text: &str) -> String {
    let is_obeyed = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|letter| if is_obeyed(letter) { ' ' } else { letter }).collect()
}

/// The time in a message; `None` where it is not set or is none that exists.
pub(crate) fn time(at: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
}

/// A number that no name is known for.
fn unnamed(number: i32) -> String {
    format!("unknown-{number}")
}

macro_rules! names {
    ($(#[$doc:meta])* $function:ident, $type:ident { $($variant:ident => $name:literal, $ink:ident;)* }) => {
        $(#[$doc])*
        pub(crate) fn $function(number: i32) -> (String, Ink) {
            match $type::try_from(number) {
                $(Ok($type::$variant) => ($name.to_owned(), Ink::$ink),)*
                Err(_) => (unnamed(number), Ink::Plain),
            }
        }
    };
}

names! {
    /// Where a host stands.
    host_state, HostState {
        Unspecified => "unspecified", Plain;
        Connected => "connected", Good;
        Away => "away", Warning;
        Silent => "silent", Bad;
        Stopped => "stopped", Faint;
        Quarantined => "quarantined", Bad;
        Expected => "expected", Faint;
        Retired => "retired", Faint;
    }
}

names! {
    /// What should be of a service.
    intent_word, Intent {
        Unspecified => "unspecified", Plain;
        Run => "run", Plain;
        Stopped => "stopped", Faint;
        Masked => "masked", Faint;
        Unknown => "unknown", Warning;
    }
}

/// What should be of a service, for programs; empty where an older collector does not say.
pub(crate) fn intent(number: i32) -> String {
    if number == 0 { String::new() } else { intent_word(number).0 }
}

/// Why a service is left alone; empty while it is not.
pub(crate) fn left_alone(number: i32) -> &'static str {
    match Intent::try_from(number) {
        Ok(Intent::Stopped) => "stopped by an operator",
        Ok(Intent::Masked) => "masked",
        Ok(Intent::Unknown) => "not running, nobody saw why",
        Ok(Intent::Unspecified | Intent::Run) | Err(_) => "",
    }
}

names! {
    /// What a check's history says.
    verdict, Verdict {
        Unspecified => "unspecified", Plain;
        Unknown => "unknown", Faint;
        Up => "up", Good;
        Degraded => "degraded", Warning;
        Flapping => "flapping", Warning;
        Down => "down", Bad;
    }
}

names! {
    /// What is watched.
    kind, CheckKind {
        Unspecified => "unspecified", Plain;
        Process => "process", Plain;
        Tcp => "tcp", Plain;
        Http => "http", Plain;
        Cpu => "cpu", Plain;
        Memory => "memory", Plain;
        Load => "load", Plain;
        Space => "space", Plain;
        Exec => "exec", Plain;
        Tls => "tls", Plain;
        Expires => "expires", Plain;
        File => "file", Plain;
        Log => "log", Plain;
        Metric => "metric", Plain;
        Pressure => "pressure", Plain;
        Swap => "swap", Plain;
        Inodes => "inodes", Plain;
        Mount => "mount", Plain;
        Net => "net", Plain;
        Temperature => "temperature", Plain;
        Job => "job", Plain;
        Backup => "backup", Plain;
        Container => "container", Plain;
    }
}

names! {
    /// How bad an incident is.
    severity, Severity {
        Unspecified => "unspecified", Plain;
        P0 => "p0", Bad;
        P1 => "p1", Bad;
        P2 => "p2", Warning;
        P3 => "p3", Plain;
    }
}

names! {
    /// Whether the collector's journal can be written.
    journal_state, JournalState {
        Unspecified => "unspecified", Plain;
        Writing => "writing", Good;
        Full => "full", Bad;
        Failing => "failing", Bad;
    }
}

names! {
    /// Where an incident stands.
    incident_state, IncidentState {
        Unspecified => "unspecified", Plain;
        Open => "open", Bad;
        Acknowledged => "acknowledged", Warning;
        Verifying => "verifying", Warning;
        Resolved => "resolved", Good;
    }
}

/// The sign and ink of a code: `!` something fails, `>` something is done about it, `+` it is good again, `#` an
/// incident, `-` the rest. ASCII, so that every console shows it.
pub(crate) fn sign(code: &str) -> (char, Ink) {
    match code {
        "check-down" | "service-died" | "remedy-not-held" | "remedy-worse" | "breaker-open"
        | "host-starved" | "gap" | "host-silent" | "duplicate-identity" => ('!', Ink::Bad),
        "check-degraded" | "check-flapping" | "check-unknown" | "check-blind" | "agent-overstay" => {
            ('!', Ink::Warning)
        }
        "remedy-begun" | "breaker-half-open" => ('>', Ink::Warning),
        "check-up" | "remedy-held" | "breaker-closed" | "host-back" | "service-adopted" => ('+', Ink::Good),
        "service-started" => ('+', Ink::Plain),
        "incident-resolved" => ('#', Ink::Good),
        _ if code.starts_with("incident-") => ('#', Ink::Strong),
        _ => ('-', Ink::Faint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::code;

    #[test]
    fn what_a_terminal_would_obey_is_no_text() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\u{200b}d\u{2028}é𝄞"), "a [2Jb c d é𝄞");
    }

    #[test]
    fn a_newer_collectors_number_is_shown_and_not_refused() {
        assert_eq!(verdict(99).0, "unknown-99");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(plain("a\x1b[31mb\r\nc"), "a [31mb  c");
    }

    #[test]
    fn signs_name_codes_that_exist() {
        for known in
            ["check-down", "service-died", "remedy-not-held", "breaker-open", "host-silent", "host-back"]
        {
            assert!(code::find(known).is_some(), "{known}");
            assert_ne!(sign(known).0, '-');
        }
    }
}
