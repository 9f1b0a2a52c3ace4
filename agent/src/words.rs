//! Last words: of what a program printed, the few lines that tell a person why it ended; and moments, for people.
//!
//! Three lines, since a last line is often the tail of an error whose name stands before it; joined by ` | `. Escape
//! sequences and other control characters are taken out: the words are shown in terminals. What
//! is too long for a frame loses its earlier lines; a single one is cut by [`picket_proto::Text`].

use picket_proto::text::TEXT_MAX;

/// How many lines.
const LINES: usize = 3;
/// How many whoever asks for them gets.
pub(crate) const ASKED_LINES: usize = 40;

const BETWEEN: &str = " | ";

/// A moment for people: `2026-12-05 10:00:00 UTC`; seconds after 1970.
pub(crate) fn date(seconds: i64) -> String {
    let moment = jiff::Timestamp::from_second(seconds).map(|at| at.to_string());
    moment.map_or_else(|_| format!("{seconds} s after 1970"), |at| at.replace('T', " ").replace('Z', " UTC"))
}

/// The last lines of what journalctl printed in reverse, as many as a frame's text holds; empty if there are none.
pub(crate) fn last(reversed: &[u8]) -> String {
    let text = String::from_utf8_lossy(reversed);
    let newest = text.lines().map(plain).filter(|line| !line.is_empty()).take(LINES);
    newest.fold(String::new(), |later, line| match later.len() {
        0 => line,
        len => match end_of(&line, TEXT_MAX.saturating_sub(len + BETWEEN.len())) {
            Some(line) => line + BETWEEN + &later,
            None => later,
        },
    })
}

/// A line in so many bytes: of a longer one the end, which names the file and the line. `None` where too little would
/// be left.
fn end_of(line: &str, room: usize) -> Option<String> {
    const CUT: &str = "..";
    const LEAST: usize = 24;
    if line.len() <= room {
        return Some(line.to_owned());
    }
    let kept = room.checked_sub(CUT.len()).filter(|kept| *kept >= LEAST)?;
    Some(format!("{CUT}{}", &line[line.ceil_char_boundary(line.len() - kept)..]))
}

/// A line without escape sequences, control characters and surrounding space.
pub(crate) fn plain(line: &str) -> String {
    clean(line).trim().to_owned()
}

/// What was printed last for whoever asks for it: of lines that come newest first at most 40, in the order in which they were
/// printed; empty ones are left out, and what stands before a line's first word is kept.
pub(crate) fn lines<'l>(reversed: impl Iterator<Item = &'l str>) -> String {
    let newest = reversed.map(clean).filter(|line| !line.trim().is_empty()).take(ASKED_LINES);
    let newest: Vec<String> = newest.collect();
    newest.iter().rev().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// A line without escape sequences and control characters.
fn clean(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            skip_sequence(&mut chars);
        } else if char == '\t' {
            plain.push(' ');
        } else if !char.is_control() {
            plain.push(char);
        }
    }
    plain
}

/// Passes over the rest of an escape sequence (ECMA-35, ECMA-48): a control sequence ends with a character from `@`
/// to `~`, a command string with a control character, one with intermediates with what is none; any other is one character.
fn skip_sequence(chars: &mut std::str::Chars<'_>) {
    let begin = chars.next();
    let mut skip = |goes_on: fn(char) -> bool| while chars.next().is_some_and(goes_on) {};
    match begin {
        Some('[') => skip(|char| !('@'..='~').contains(&char)),
        Some(']' | 'P' | 'X' | '^' | '_') => skip(|char| !char.is_control()),
        Some(' '..='/') => skip(|char| (' '..='/').contains(&char)),
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_three_lines_stand_in_the_order_in_which_they_were_printed() {
        assert_eq!(last(b"fifth\n\nfourth\n  \nthird\nsecond\n"), "third | fourth | fifth");
        assert_eq!(last(b"only\n"), "only");
        assert_eq!(last(b"\n\n"), "");
        let long = "x".repeat(TEXT_MAX);
        let cut = last(format!("newest\n{long}the end\n").as_bytes());
        assert!(cut.starts_with("..xx") && cut.ends_with("xthe end | newest"), "{cut}");
        assert_eq!(cut.len(), TEXT_MAX);
        let full = "y".repeat(TEXT_MAX - 20);
        assert_eq!(last(format!("{full}\n{long}\n").as_bytes()), full, "the newest goes before the earlier");
    }

    #[test]
    fn a_moment_is_told_in_utc() {
        assert_eq!(date(1_796_292_000), "2026-12-03 10:00:00 UTC");
        assert_eq!(date(i64::MAX), "9223372036854775807 s after 1970");
    }

    #[test]
    fn colours_and_control_characters_are_taken_out_and_bytes_that_are_no_text_are_marked() {
        assert_eq!(last(b"\x1b[1;31mERROR\x1b[0m:\tbind\x07 failed\x1b(B\r\n"), "ERROR: bind failed");
        assert_eq!(last(b"caf\xe9\n"), "caf\u{fffd}");
    }
}
