//! Who this host is: its key, its certificate and the collector's CA, in `STATE/identity/`.
//!
//! The key is an ECDSA P-256 one, made here and never sent; certificate requests carry only its public half. Files
//! are written whole (new file, fsync, rename) with mode 0600, the folder has 0700. When a certificate
//! is renewed `link/date.rs` knows. Nothing here talks to the collector: `link/enrol.rs` does.

pub(crate) mod x509;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folder with the identity.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// What is needed to speak as this host.
pub(crate) struct Identity {
    /// The host's certificate, then what stands above it.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub(crate) key: PrivateKeyDer<'static>,
    /// Whom it believes.
    pub(crate) ca: Vec<CertificateDer<'static>>,
}

impl Folder {
    /// The identity's folder below `state`; made when something is to be kept in it.
    pub(crate) fn below(state: &Path) -> Self {
        Self(state.join("identity"))
    }

    /// Whether there is a certificate, so that no token is needed. Where this user may not look there may be one.
    pub(crate) fn is_enrolled(&self) -> bool {
        match std::fs::metadata(self.0.join("cert.pem")) {
            Ok(found) => found.is_file(),
            Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
        }
    }

    /// Reads the identity; `None` if the host is not enrolled.
    ///
    /// # Errors
    /// A file is there but can't be read or is damaged.
    pub(crate) fn load(&self) -> io::Result<Option<Identity>> {
        if !self.is_enrolled() {
            return Ok(None);
        }
        // The readers of PEM hide why a file can't be opened.
        File::open(self.0.join("key.pem"))?;
        let key = PrivateKeyDer::from_pem_file(self.0.join("key.pem")).map_err(io::Error::other)?;
        let chain = certificates(&self.0.join("cert.pem"))?;
        let ca = certificates(&self.0.join("ca.pem"))?;
        Ok(Some(Identity { chain, key, ca }))
    }

    /// Whose certificate it is, as it says itself; nothing without one that can be read.
    pub(crate) fn named(&self) -> Option<String> {
        let chain = certificates(&self.0.join("cert.pem")).ok()?;
        x509::read(chain.first()?)?.subject.map(str::to_owned)
    }

    /// The host's key, made now if there is none.
    ///
    /// # Errors
    /// The file is damaged, or can't be written.
    pub(crate) fn key(&self) -> io::Result<KeyPair> {
        let path = self.0.join("key.pem");
        match std::fs::read_to_string(&path) {
            Ok(pem) => KeyPair::from_pem(&pem).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(io::Error::other)?;
                write(&path, key.serialize_pem().as_bytes())?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    /// A request for a certificate, DER. What it names is ignored by the collector.
    ///
    /// # Errors
    /// As [`Self::key`].
    pub(crate) fn request(&self) -> io::Result<Vec<u8>> {
        let params = CertificateParams::default();
        let request = params.serialize_request(&self.key()?).map_err(io::Error::other)?;
        Ok(request.der().to_vec())
    }

    /// Keeps what the collector issued: the host's certificate and then the CA's. The certificate comes last, since
    /// it alone makes the host enrolled.
    ///
    /// # Errors
    /// The chain is not two certificates or more, or can't be written; what was there before still holds.
    pub(crate) fn save(&self, chain: &[Vec<u8>]) -> io::Result<()> {
        let [certificate, .., ca] = chain else { return Err(io::ErrorKind::InvalidData.into()) };
        validity(certificate).ok_or(io::ErrorKind::InvalidData)?;
        write(&self.0.join("ca.pem"), to_pem(ca).as_bytes())?;
        write(&self.0.join("cert.pem"), to_pem(certificate).as_bytes())
    }
}

fn to_pem(der: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", der))
}

/// The certificates of a PEM file.
///
/// # Errors
/// It can't be read, or holds none.
pub(crate) fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
    let all: Vec<_> = all.collect::<Result<_, _>>().map_err(io::Error::other)?;
    if all.is_empty() { Err(io::ErrorKind::InvalidData.into()) } else { Ok(all) }
}

/// From when to when a certificate holds, seconds after 1970.
pub(crate) fn validity(certificate: &[u8]) -> Option<(i64, i64)> {
    x509::read(certificate).map(|said| (said.from, said.to))
}

/// Makes a folder, and those above it, that only its owner may enter.
///
/// # Errors
/// It can't be made, or something else stands there.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), make_private_folder)?;
    crate::whole::replace(path, bytes)?;
    // The rename itself is durable only with its folder.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_can_read_it() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::below(state.path());
        let first = folder.key().unwrap().serialize_pem();
        assert_eq!(folder.key().unwrap().serialize_pem(), first);
        let mode = std::fs::metadata(state.path().join("identity/key.pem")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!folder.is_enrolled());
        assert!(folder.load().unwrap().is_none());
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::below(state.path());
        let key = folder.key().unwrap();
        let own = CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
        assert!(folder.save(std::slice::from_ref(&own)).is_err(), "a chain without a CA");
        folder.save(&[own.clone(), own.clone()]).unwrap();
        let loaded = folder.load().unwrap().unwrap();
        assert_eq!(loaded.chain[0].as_ref(), own.as_slice());
        assert_eq!(loaded.ca[0].as_ref(), own.as_slice());
    }
}
