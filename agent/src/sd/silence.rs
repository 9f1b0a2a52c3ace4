//! Why systemd is not heard over D-Bus, for the log and for who asks.
//!
//! It is tried every 5 s for as long as the host runs, so the log has each reason once, four at most until systemd is heard
//! again: a bus that goes away has two, one that never was has one.

/// Reasons that the log gets of one silence.
const TOLD_MAX: usize = 4;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Silence(Vec<String>);

impl Silence {
    /// It is not heard, for this reason; whether that is news.
    pub(super) fn goes_on(&mut self, why: String) -> bool {
        let is_news = is_news(&mut self.0, TOLD_MAX, &why);
        if is_news {
            tracing::warn!(
                error = why,
                "systemd is not heard over D-Bus: until it is, units are neither seen nor restarted"
            );
        }
        is_news
    }

    /// It is heard.
    pub(super) fn ends(&mut self) {
        if !std::mem::take(&mut self.0).is_empty() {
            tracing::info!("systemd is heard over D-Bus");
        }
    }

    /// The last reason that was news.
    pub(super) fn why(&self) -> Option<&String> {
        self.0.last()
    }
}

/// Notes a reason among those that were told, `most` at most; whether it is to be told.
pub(super) fn is_news(told: &mut Vec<String>, most: usize, why: &str) -> bool {
    let is_news = told.len() < most && told.iter().all(|other| other != why);
    if is_news {
        told.push(why.to_owned());
    }
    is_news
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_of_a_silence_is_news_once_and_a_flood_of_them_is_none() {
        let mut silence = Silence::default();
        assert_eq!(silence.why(), None);
        let news = ["gone", "no socket", "gone", "no socket", "a", "b", "c"]
            .map(|why| silence.goes_on(why.to_owned()));
        assert_eq!(news, [true, true, false, false, true, true, false]);
        assert_eq!(silence.why().map(String::as_str), Some("b"));
        silence.ends();
        assert_eq!(silence.why(), None);
        assert!(silence.goes_on("gone".to_owned()), "the next silence is another");
    }
}
