//! Labels as Prometheus writes them: `code="500",path="a\"b"`, with `\\`, `\"` and `\n` in values.

/// A label and its value.
pub(crate) type Label = (String, String);

/// Reads labels behind an opening brace: all of them, and what stands behind the closing one. `None` if they are none.
pub(crate) fn labels(text: &str) -> Option<(Vec<Label>, &str)> {
    let mut labels = Vec::new();
    let mut left = text.trim_start();
    loop {
        if let Some(rest) = left.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = left.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
        {
            return None;
        }
        let (value, rest) = value(rest.trim_start().strip_prefix('"')?)?;
        labels.push((name.to_owned(), value));
        left = rest.trim_start();
        match left.strip_prefix(',') {
            Some(more) => left = more.trim_start(),
            None if left.starts_with('}') => {}
            None => return None,
        }
    }
}

/// The value up to its closing quote, and what stands behind.
fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            plain => value.push(plain),
        }
    }
}
