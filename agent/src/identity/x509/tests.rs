//! Real certificates, each read by the tree's full parser too; and bytes that are none.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair};

/// A certificate for `subject` by `issuer`, from the first of January of one year to that of another.
fn certificate(issuer: &str, subject: &str, (from, to): (i32, i32)) -> Vec<u8> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name = name(issuer);
    let ca = Issuer::new(ca, KeyPair::generate().unwrap());
    let mut params = CertificateParams::default();
    params.distinguished_name = name(subject);
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    params.signed_by(&KeyPair::generate().unwrap(), &ca).unwrap().der().to_vec()
}

/// A name with something before the common name, as real CAs have it.
fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "An organisation");
    if !common.is_empty() {
        name.push(DnType::CommonName, common);
    }
    name
}

fn as_the_full_parser_reads(der: &[u8]) {
    let (_, full) = x509_parser::parse_x509_certificate(der).unwrap();
    let said = read(der).unwrap();
    assert_eq!(said.from, full.validity().not_before.timestamp());
    assert_eq!(said.to, full.validity().not_after.timestamp());
    assert_eq!(said.issuer, full.issuer().iter_common_name().next().map(|name| name.as_str().unwrap()));
    assert_eq!(said.subject, full.subject().iter_common_name().next().map(|name| name.as_str().unwrap()));
}

#[test]
fn the_fields_are_what_the_full_parser_reads_in_every_century_and_length() {
    // Two digits of a year end with 2049; lengths take one byte up to 127 and three above 255.
    for years in [(1950, 1999), (1970, 2000), (2024, 2049), (2025, 2050), (2050, 9999)] {
        for subject in ["h", &"n".repeat(130), &"é".repeat(200), ""] {
            as_the_full_parser_reads(&certificate("Picket CA", subject, years));
        }
    }
}

#[test]
fn a_name_in_another_alphabet_of_asn1_counts_as_none() {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let wide = rcgen::string::BmpString::try_from("Wide").unwrap();
    params.distinguished_name.push(DnType::CommonName, DnValue::BmpString(wide));
    let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let said = read(&der).unwrap();
    assert_eq!((said.issuer, said.subject), (None, None));
    assert!(said.from < said.to);
}

#[test]
fn what_is_cut_off_is_no_certificate_and_no_byte_of_a_stranger_breaks_the_reader() {
    let whole = certificate("Picket CA", "host", (2020, 2030));
    for length in 0..whole.len() {
        assert_eq!(read(&whole[..length]), None, "{length} bytes");
    }
    let mut refused = 0;
    for at in 0..whole.len() {
        for value in [0x00, 0x30, 0x7f, 0x80, 0x83, 0x84, 0xff] {
            let mut changed = whole.clone();
            changed[at] = value;
            refused += usize::from(read(&changed).is_none());
        }
    }
    assert!(refused > 100, "only {refused} were refused");
}

#[test]
fn days_and_hours_that_do_not_exist_are_no_moment() {
    assert_eq!(moment((UTC_TIME, b"700101000001Z")), Some(1));
    assert_eq!(moment((GENERALIZED_TIME, b"19700101000001Z")), Some(1));
    for bad in [
        &b"700230000000Z"[..],
        b"700101250000Z",
        b"7001010000Z",
        b"700101000000",
        b"70010100000aZ",
        b"Z",
        b"",
    ] {
        assert_eq!(moment((UTC_TIME, bad)), None, "{bad:?}");
    }
    assert_eq!(moment((SEQUENCE, b"700101000001Z")), None);
}
