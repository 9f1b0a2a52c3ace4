//! A value of a Prometheus text page (version 0.0.4, and OpenMetrics as far as it is the same): thousandths.
//!
//! The page is read line by line as it comes, at most 4 MiB. A status that is not 200 is a failure, a redirect too. Of
//! the series that are wanted 10,000 at most are kept. Timestamps and exemplars are passed over: what the page shows
//! is what is.
//!
//! A rate is the growth of each series since the look before, per second. Counters begin at 0: one that has shrunk
//! began anew and one that is new has grown from there, so a first error counts; beyond 100 a new one counts from the
//! next look on. Of the first look there is nothing to tell, and one that follows within half an `interval` gets the
//! rate of the look before. NaN is no value; what is beyond an i64 of thousandths, the infinities too, is its end.

mod page;
mod rate;

use super::{Seen, http};
use crate::config::{Combine, Metric, Selector};
use page::Page;
use picket_agent_core::check::Reading;
use picket_proto::Span;
use picket_proto::event::Cause;
pub(super) use rate::Last;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Looks once. `last` is the look before, for rates, and from one to the next it is an `interval`.
pub(super) async fn read(
    client: reqwest::Client,
    metric: Box<Metric>,
    (last, interval): (Arc<Mutex<Last>>, Span),
) -> Seen {
    let found = match scrape(&client, &metric).await {
        Ok(page) => page.found,
        Err(seen) => return seen,
    };
    if !metric.rate {
        return judged(&metric, &found);
    }
    // One look at a time is out, so nobody else has it.
    let mut last = last.lock().await;
    if let Some(given) = last.given(interval) {
        return given;
    }
    let seen = match last.growth(found) {
        Some(growth) => judged(&metric, &growth),
        None => Seen::new(Reading::Good, "the first look: a rate takes two"),
    };
    last.give(&seen);
    seen
}

fn judged(metric: &Metric, found: &[page::Series; 2]) -> Seen {
    match combined(metric, found) {
        Ok(value) if value.is_nan() => {
            Seen::new(Reading::Bad(Cause::Mismatch), "its value is no number (NaN)")
        }
        Ok(value) => Reading::Level(thousandths(value)).into(),
        Err(seen) => seen,
    }
}

async fn scrape(client: &reqwest::Client, metric: &Metric) -> Result<Page, Seen> {
    let failed = |error: reqwest::Error| Seen::from(Reading::Bad(http::cause(&error)));
    let wanted = [Some(&metric.metric), metric.per.as_ref()];
    let mut page = Page::of(wanted.map(|selector| selector.cloned()));
    let mut answer = client.get(metric.url.clone()).send().await.map_err(failed)?;
    if answer.status() != ::http::StatusCode::OK {
        return Err(Reading::Bad(Cause::Status(answer.status().as_u16())).into());
    }
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        page.take(&part).map_err(|words| Seen::new(Reading::Bad(Cause::Mismatch), words))?;
    }
    page.end().map_err(|words| Seen::new(Reading::Bad(Cause::Mismatch), words))?;
    Ok(page)
}

/// The value, or its share of the other one.
fn combined(metric: &Metric, found: &[page::Series; 2]) -> Result<f64, Seen> {
    let value = one(&metric.metric, metric.combine, &found[0])?;
    let Some(per) = &metric.per else { return Ok(value) };
    let whole = one(per, metric.combine, &found[1])?;
    // Nothing of nothing: no errors among no requests.
    Ok(if value == 0.0 && whole == 0.0 { 0.0 } else { value / whole })
}

fn one(selector: &Selector, combine: Combine, found: &page::Series) -> Result<f64, Seen> {
    let mut values = found.iter().map(|(_, value)| *value);
    let value = match combine {
        Combine::One if found.len() > 1 => {
            let words = format!("{} series are {selector}: `combine` says what to make of them", found.len());
            return Err(Seen::new(Reading::Bad(Cause::Mismatch), words));
        }
        Combine::One | Combine::First => values.next(),
        Combine::Sum => values.reduce(|sum, value| sum + value),
        Combine::Max => values.reduce(f64::max),
        Combine::Min => values.reduce(f64::min),
    };
    value.ok_or_else(|| Seen::new(Reading::Bad(Cause::Absent), selector.to_string()))
}

/// Rounded; an `as` of floats ends at the ends of the range.
fn thousandths(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}

#[cfg(test)]
mod tests;
