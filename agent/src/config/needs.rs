//! `needs` of a service: names turned into places, once all services are read.
//!
//! A service can need at most 8 others, none of them itself, and no way may lead back: a circle would wait for itself
//! for ever. Each circle is told once, at the service of it that stands first in the file.

use super::Skipped;
use super::read::{Place, Sheet, nearest};
use super::service::Service;
use picket_agent_core::service::{NEEDS_MAX, ServiceIx};
use std::collections::BTreeSet;

/// What stands behind the key, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Named {
    pub(super) names: Vec<String>,
    pub(super) at: usize,
    pub(super) key: String,
}

impl Named {
    fn place(&self) -> Place {
        Place { at: self.at, key: self.key.clone() }
    }
}

/// Gives every service the places of those that it needs. One that is passed over on this host is not waited for.
pub(super) fn tie(services: &mut [Service], skipped: &[Skipped], sheet: &mut Sheet<'_>) {
    let is_away = |name: &str| skipped.iter().any(|it| it.what.strip_prefix("service ") == Some(name));
    let names: Vec<String> = services.iter().map(|service| service.spec.name.to_string()).collect();
    for service in services.iter_mut() {
        let (own, named) = (service.spec.name.to_string(), service.needs.clone());
        if named.names.len() > NEEDS_MAX {
            let problem = format!("names {} services, more than {NEEDS_MAX}", named.names.len());
            sheet.wrong(&named.place(), problem, None);
        }
        for name in &named.names {
            match names.iter().position(|known| known == name) {
                Some(_) if *name == own => {
                    sheet.wrong(
                        &named.place(),
                        "a service can't need itself",
                        Some("take it out".to_owned()),
                    );
                }
                Some(place) => put(service, place),
                None if is_away(name) => {}
                None => {
                    let known: Vec<&str> = names.iter().map(String::as_str).collect();
                    let better = nearest(name, &known).map(|near| format!("did you mean \"{near}\"?"));
                    sheet.wrong(&named.place(), format!("`{name}` is no service of this file"), better);
                }
            }
        }
    }
    circles(services, sheet);
}

fn put(service: &mut Service, place: usize) {
    if let Ok(place) = ServiceIx::try_from(place)
        && !service.spec.needs.contains(&place)
    {
        // One too many was told already.
        let _too_many_are_told = service.spec.needs.push(place);
    }
}

fn circles(services: &[Service], sheet: &mut Sheet<'_>) {
    let mut told = BTreeSet::new();
    for from in 0..services.len() {
        let Some(way) = way_back(services, from).filter(|way| way.iter().all(|at| !told.contains(at))) else {
            continue;
        };
        let name = |at: &usize| services[*at].spec.name.as_str();
        let round: Vec<&str> = way.iter().map(name).chain([name(&from)]).collect();
        let problem = format!("goes in a circle: {}", round.join(" needs "));
        let better = Some("take one of them out: none could ever be healed first".to_owned());
        sheet.wrong(&services[from].needs.place(), problem, better);
        told.extend(way);
    }
}

/// A way from a service to itself, that service first.
fn way_back(services: &[Service], from: usize) -> Option<Vec<usize>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![from]];
    while let Some(way) = ways.pop() {
        let last = *way.last()?;
        for next in services[last].spec.needs.iter().copied().map(usize::from) {
            if next == from {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push(way.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}
