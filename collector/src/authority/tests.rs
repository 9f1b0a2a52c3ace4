//! What the CA signs, and what it refuses.

use super::*;
use crate::peer::Peer;
use std::os::unix::fs::PermissionsExt;

fn made() -> (tempfile::TempDir, Authority) {
    let data = tempfile::tempdir().unwrap();
    let authority = Authority::create(data.path(), &["localhost".into(), "127.0.0.1".into()]).unwrap();
    (data, authority)
}

#[test]
fn an_agents_certificate_names_the_tokens_host_whatever_its_request_says() {
    let (_data, authority) = made();
    let mut params = CertificateParams::new(vec!["evil.example".into()]).unwrap();
    params.subject_alt_names.push(SanType::URI("picket://operator/root".try_into().unwrap()));
    let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let request = Request::parse(request.der()).unwrap();
    let chain = authority.agent(&"web-1".parse().unwrap(), &request).unwrap();
    let leaf = CertificateDer::from(chain[0].clone());
    assert_eq!(Peer::of(Some(&[leaf]), clock::wall()), Peer::Agent("web-1".parse().unwrap()));
    assert_eq!(chain[1], authority.certificate().to_vec());
}

#[test]
fn a_request_that_its_own_key_did_not_sign_is_refused() {
    let request = CertificateParams::default().serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let mut bytes = request.der().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(Request::parse(&bytes).is_err());
    assert!(Request::parse(&[0; CSR_MAX + 1]).is_err());
}

#[test]
fn keys_are_the_owners_alone_and_a_second_ca_is_refused() {
    let (data, authority) = made();
    for file in ["ca/key.pem", "operator/key.pem", "operator/cert.pem", "operator/ca.pem"] {
        let mode = fs::metadata(data.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let again = Authority::create(data.path(), &["localhost".into()]);
    assert!(matches!(again, Err(Failure::AlreadyMade(_))));
    assert_eq!(Authority::open(data.path()).unwrap().fingerprint(), authority.fingerprint());
}

#[test]
fn the_operators_ca_file_holds_the_ca_that_the_server_shows() {
    let (data, authority) = made();
    let ca = fs::read(data.path().join("operator/ca.pem")).unwrap();
    assert_eq!(&CertificateDer::from_pem_slice(&ca).unwrap(), authority.certificate());
    let operator = CertificateDer::from_pem_file(data.path().join("operator/cert.pem")).unwrap();
    assert_eq!(Peer::of(Some(&[operator]), clock::wall()), Peer::Operator("admin".parse().unwrap()));
}

#[test]
fn names_that_are_no_names_are_refused_before_anything_is_written() {
    let data = tempfile::tempdir().unwrap();
    for bad in ["", "*.example", "a b", "https://x"] {
        assert!(matches!(Authority::create(data.path(), &[bad.into()]), Err(Failure::BadName(_))), "{bad:?}");
    }
    assert!(!Authority::exists(data.path()));
}
