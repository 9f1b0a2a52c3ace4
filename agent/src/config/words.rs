//! What single words of the file mean: lengths of time, and the known word that an unknown one is nearest to.

use picket_proto::Span;

/// Parses "500ms", "10s", "5m", "1h", "14d".
pub(crate) fn parse_span(text: &str) -> Option<Span> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim_start() {
        "ms" => Some(Span::from_millis(number)),
        "s" => Some(Span::from_secs(number)),
        "m" | "min" => Some(Span::from_secs(number.checked_mul(60)?)),
        "h" => Some(Span::from_secs(number.checked_mul(3600)?)),
        "d" => Some(Span::from_secs(number.checked_mul(86_400)?)),
        _ => None,
    }
}

/// The known word that is at most two edits away from `word`.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|&one| (edits(word, one), one))
        .filter(|(edits, _)| *edits <= 2)
        .min()
        .map(|(_, one)| one)
}

/// Levenshtein's distance in bytes, one row at a time.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_need_their_unit() {
        assert_eq!(parse_span("500ms"), Some(Span::from_millis(500)));
        assert_eq!(parse_span("5m"), Some(Span::from_secs(300)));
        assert_eq!(parse_span("14d"), Some(Span::from_secs(14 * 86_400)));
        for bad in ["5", "", "s", "5x", "-1s", "1.5s"] {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_near_miss_is_guessed_and_a_far_one_is_not() {
        assert_eq!(nearest("intervall", &["interval", "timeout"]), Some("interval"));
        assert_eq!(nearest("colour", &["interval", "timeout"]), None);
    }
}
