//! The collector's own certificate authority: who may call themselves an agent, an operator or the collector.
//!
//! ECDSA P-256 by ring. The CA's key lies in DATA/ca/ with mode 0600 and leaves it never; it may not sign other CAs
//! (path length 0). Agents' certificates last 90 days (they renew at two thirds), operators' 365 days, the server's
//! two years (it is made anew at each start, so its key is never on disk), the CA's ten years. All start an hour
//! early for clocks that are behind. A request's subject and names are ignored: the name comes from the token.
//! Revocation is not here yet.

mod folder;
mod token;

use crate::clock;
use crate::error::Failure;
use crate::peer::{AGENT_URI, OPERATOR_URI};
use picket_proto::{HostId, Wall};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

pub(crate) use folder::{make_private, write_private};
pub(crate) use token::{Secret, hash};

const DAY: Duration = Duration::from_secs(86_400);
const SKEW: Duration = Duration::from_secs(3_600);
const AGENT_DAYS: u32 = 90;
const OPERATOR_DAYS: u32 = 365;
const SERVER_DAYS: u32 = 730;
const CA_DAYS: u32 = 3_650;
/// Longest certificate request in bytes: an RSA-4096 request with its names has about 2,000.
pub(crate) const CSR_MAX: usize = 4_096;

/// A certificate request that cannot be signed: not DER, not signed by its own key, or of an unknown key type.
#[derive(Debug)]
pub(crate) struct BadRequest;

/// A request whose signature holds: it can be signed without any further question.
pub(crate) struct Request(CertificateSigningRequestParams);

impl Request {
    /// Checks a DER request.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, BadRequest> {
        if der.len() > CSR_MAX {
            return Err(BadRequest);
        }
        let der = CertificateSigningRequestDer::from(der);
        CertificateSigningRequestParams::from_der(&der).map(Self).map_err(|_| BadRequest)
    }

    /// The public key that it wants a certificate for.
    pub(crate) fn public_key(&self) -> &[u8] {
        self.0.public_key.der_bytes()
    }
}

/// The CA with its key.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    /// Makes CA and first operator in `data`, and writes down the server's names.
    ///
    /// # Errors
    /// [`Failure::AlreadyMade`] if there is a CA; nothing is changed.
    pub(crate) fn create(data: &Path, names: &[String]) -> Result<Self, Failure> {
        let at = data.join("ca");
        if at.join("key.pem").exists() {
            return Err(Failure::AlreadyMade(data.to_owned()));
        }
        names.iter().try_for_each(|name| san(name).map(|_| ()))?;
        make_private(&at)?;
        let key = KeyPair::generate()?;
        let mut params = base("Picket CA", CA_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        write_private(&at.join("names"), names.join("\n").as_bytes())?;
        write_private(&at.join("cert.pem"), certificate.pem().as_bytes())?;
        // The key comes last: with it the CA counts as made, and everything else stands by then.
        write_private(&at.join("key.pem"), key.serialize_pem().as_bytes())?;
        let made = Self::open(data)?;
        made.operator("admin", &data.join("operator"))?;
        Ok(made)
    }

    /// Whether `data` has a CA.
    pub(crate) fn exists(data: &Path) -> bool {
        data.join("ca/key.pem").exists()
    }

    /// Reads the CA of `data`.
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        let read = |name: &str| {
            let path = data.join("ca").join(name);
            fs::read_to_string(&path).map_err(Failure::io("read", &path))
        };
        let key = KeyPair::from_pem(&read("key.pem")?)?;
        let pem = read("cert.pem")?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate, pem })
    }

    /// The CA's certificate.
    pub(crate) const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// SHA-256 of the CA's certificate: what a token pins.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.certificate).into()
    }

    /// Signs an agent's request for `host`: the host's certificate, then the CA's.
    pub(crate) fn agent(&self, host: &HostId, request: &Request) -> Result<Vec<Vec<u8>>, Failure> {
        let uri = format!("{AGENT_URI}{host}");
        let leaf = self.client(host.as_str(), uri, AGENT_DAYS, &request.0.public_key)?;
        Ok(vec![leaf.der().to_vec(), self.certificate.to_vec()])
    }

    /// Makes an operator's key and certificate in `out`: cert.pem, key.pem, ca.pem.
    pub(crate) fn operator(&self, name: &str, out: &Path) -> Result<(), Failure> {
        // Operators' names obey the rules of host ids, so that they need no quoting anywhere.
        let name: HostId = name.parse().map_err(|_| Failure::BadName(name.to_owned()))?;
        let key = KeyPair::generate()?;
        let leaf = self.client(name.as_str(), format!("{OPERATOR_URI}{name}"), OPERATOR_DAYS, &key)?;
        make_private(out)?;
        write_private(&out.join("key.pem"), key.serialize_pem().as_bytes())?;
        write_private(&out.join("cert.pem"), leaf.pem().as_bytes())?;
        write_private(&out.join("ca.pem"), self.pem.as_bytes())
    }

    /// Makes the server's key and chain (its own certificate, then the CA's) for the names that `data` was made with.
    pub(crate) fn server(&self, data: &Path) -> Result<ServerIdentity, Failure> {
        let path = data.join("ca/names");
        let names = fs::read_to_string(&path).map_err(Failure::io("read", &path))?;
        let mut params = base("Picket collector", SERVER_DAYS)?;
        params.subject_alt_names = names.lines().map(san).collect::<Result<_, _>>()?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((vec![leaf.der().clone(), self.certificate.clone()], key))
    }

    fn client(
        &self,
        name: &str,
        uri: String,
        days: u32,
        key: &impl PublicKeyData,
    ) -> Result<rcgen::Certificate, Failure> {
        let mut params = base(name, days)?;
        params.subject_alt_names = vec![SanType::URI(uri.try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        Ok(params.signed_by(key, &self.issuer)?)
    }
}

/// A chain and its key.
pub(crate) type ServerIdentity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What all certificates share: subject, dates, a random serial number.
fn base(subject: &str, days: u32) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject);
    let since_1970 = Duration::from_micros(u64::try_from(clock::wall().micros()).unwrap_or(0));
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_1970;
    params.not_before = now - SKEW;
    params.not_after = now + DAY * days;
    params.use_authority_key_identifier_extension = true;
    let mut serial: [u8; 16] = clock::entropy()?;
    serial[0] &= 0x7f; // A serial number is positive: RFC 5280, 4.1.2.2.
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn san(name: &str) -> Result<SanType, Failure> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let literal = !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if !literal {
        return Err(Failure::BadName(name.to_owned()));
    }
    let name = name.to_owned().try_into().map_err(|_| Failure::BadName(name.to_owned()))?;
    Ok(SanType::DnsName(name))
}

/// When a certificate was made that holds from `since` on.
pub(crate) const fn made(since: Wall) -> Wall {
    Wall::from_micros(since.micros().saturating_add(SKEW.as_secs().cast_signed() * 1_000_000))
}

/// When a token made at `now` ends: the core's own hour.
pub(crate) const fn token_expiry(now: Wall) -> Wall {
    Wall::from_micros(now.micros().saturating_add(3_600 * 1_000_000))
}

#[cfg(test)]
mod tests;
