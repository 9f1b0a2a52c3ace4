//! Real certificates against the verifier at fixed times, and what a person is told of each refusal.

use super::*;
use crate::link::why::Step;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::time::Duration;

struct Ca {
    name: &'static str,
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
}

impl Ca {
    fn new(name: &'static str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { name, issuer: Issuer::new(params, key), der }
    }

    /// A server's certificate for `collector.example`, from the year 2020 to the end of 2029.
    fn server(&self) -> CertificateDer<'static> {
        let mut params = params("a server");
        params.subject_alt_names = vec![rcgen::SanType::DnsName("collector.example".try_into().unwrap())];
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().der().clone()
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    params
}

/// A moment of a year.
fn year(year: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_557_600))
}

/// What a host that believes `trust` is told of a server's chain; nothing where it is accepted.
fn told(
    trust: Trust,
    chain: &[CertificateDer<'static>],
    name: &str,
    now: UnixTime,
) -> (&'static str, String) {
    told_since((trust, 0), chain, name, now)
}

/// The same on a host that knows that this much time, seconds after 1970, is over.
fn told_since(
    (trust, since): (Trust, i64),
    chain: &[CertificateDer<'static>],
    name: &str,
    now: UnixTime,
) -> (&'static str, String) {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let dates = Arc::new(Dates::since(i64::MIN));
    let verifier = Verifier { trust, since, dates, algorithms, provider };
    let (server, above) = chain.split_first().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    match verifier.verify_server_cert(server, above, &name, &[], now) {
        Ok(_) => ("", String::new()),
        Err(error) => {
            let why = why(Step::Tls, &error);
            (why.code, why.detail)
        }
    }
}

#[test]
fn the_believed_cas_certificate_holds_with_the_ca_or_its_pin() {
    let ca = Ca::new("Picket CA");
    let chain = [ca.server(), ca.der.clone()];
    let pin = Sha256::digest(&ca.der).into();
    for trust in [Trust::Cas(vec![ca.der.clone()]), Trust::Pin(pin)] {
        assert_eq!(told(trust, &chain, "collector.example", year(2026)).0, "");
    }
}

/// A CA that holds from 2015 on, whose servers' certificates begin in 2020.
fn older_ca() -> Ca {
    let mut params = params("Picket CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(2015, 1, 1);
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    Ca { name: "Picket CA", issuer: Issuer::new(params, key), der }
}

fn trusts(ca: &Ca) -> [Trust; 2] {
    [Trust::Cas(vec![ca.der.clone()]), Trust::Pin(Sha256::digest(&ca.der).into())]
}

#[test]
fn a_clock_that_was_never_set_keeps_no_host_away() {
    let ca = older_ca();
    for trust in trusts(&ca) {
        let chain = [ca.server(), ca.der.clone()];
        assert_eq!(told(trust, &chain, "collector.example", year(1970)).0, "", "also before the enrolment");
    }
    for trust in trusts(&ca) {
        let chain = [ca.server(), ca.der.clone()];
        assert_eq!(told(trust, &chain, "other.example", year(1970)).0, "link-name", "all else must hold");
    }
    let (own, other) = (older_ca(), Ca::new("Corp"));
    let strange = told(Trust::Cas(vec![own.der]), &[other.server()], "collector.example", year(1970));
    assert_eq!(strange.0, "link-intercepted");
}

#[test]
fn a_clock_that_was_never_set_is_no_way_for_what_had_ended_by_then() {
    let ca = older_ca();
    let since = i64::try_from(year(2031).as_secs()).unwrap();
    for trust in trusts(&ca) {
        let chain = [ca.server(), ca.der.clone()];
        let told = told_since((trust, since), &chain, "collector.example", year(1970));
        assert_eq!(told.0, "link-expired", "this host's own certificate is from after its end");
    }
}

#[test]
fn a_clock_that_may_be_right_is_believed_and_told_to_be_set() {
    let ca = older_ca();
    for trust in trusts(&ca) {
        let chain = [ca.server(), ca.der.clone()];
        let (code, detail) = told(trust, &chain, "collector.example", year(2017));
        assert_eq!(code, "link-clock");
        assert!(detail.contains("2020-01-01") && detail.contains("clock says 2016-12-31"), "{detail}");
        assert!(detail.contains("set the clock"), "{detail}");
    }
}

#[test]
fn a_certificate_that_has_run_out_says_both_times() {
    let ca = Ca::new("Picket CA");
    let (code, detail) =
        told(Trust::Cas(vec![ca.der.clone()]), &[ca.server()], "collector.example", year(2031));
    assert_eq!(code, "link-expired");
    assert!(detail.contains("until 2030-01-01") && detail.contains("clock says 203"), "{detail}");
}

#[test]
fn another_name_is_told_with_the_names_that_there_are() {
    let ca = Ca::new("Picket CA");
    let (code, detail) = told(Trust::Cas(vec![ca.der.clone()]), &[ca.server()], "other.example", year(2026));
    assert_eq!(code, "link-name");
    assert_eq!(detail, "the certificate is for collector.example, not for other.example");
}

#[test]
fn a_device_that_opens_tls_is_named_by_its_own_ca() {
    let (own, corp) = (Ca::new("Picket CA"), Ca::new("Corp TLS Inspection"));
    let pin = Trust::Pin(Sha256::digest(&own.der).into());
    for trust in [Trust::Cas(vec![own.der.clone()]), pin] {
        let chain = [corp.server(), corp.der.clone()];
        let (code, detail) = told(trust, &chain, "collector.example", year(2026));
        assert_eq!(code, "link-intercepted");
        assert!(detail.contains(&format!("issued by CN={}, not by", corp.name)), "{detail}");
        assert!(detail.contains("something on the way opens TLS"), "{detail}");
    }
}

#[test]
fn another_collector_is_not_taken_for_such_a_device() {
    let (own, other) = (Ca::new("Picket CA"), Ca::new("Picket CA"));
    let pin = Trust::Pin(Sha256::digest(&own.der).into());
    for trust in [Trust::Cas(vec![own.der.clone()]), pin] {
        let chain = [other.server(), other.der.clone()];
        let (code, detail) = told(trust, &chain, "collector.example", year(2026));
        assert_eq!(code, "link-ca", "{detail}");
        assert!(detail.contains("another CN=Picket CA"), "{detail}");
    }
}

#[test]
fn what_the_collector_says_against_a_certificate_is_told() {
    use rustls::AlertDescription as Alert;
    let of = |alert| why(Step::Session, &Error::AlertReceived(alert)).code;
    assert_eq!(of(Alert::CertificateExpired), "link-own-expired");
    assert_eq!(of(Alert::CertificateRevoked), "link-revoked");
    assert_eq!(of(Alert::UnknownCA), "link-revoked");
    assert_eq!(of(Alert::NoApplicationProtocol), "link-not-picket");
    assert_eq!(of(Alert::InternalError), "link-tls");
    let plain = Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
    assert_eq!(why(Step::Tls, &plain).code, "link-not-tls");
}
