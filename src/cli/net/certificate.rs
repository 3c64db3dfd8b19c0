//! The certificate that a server shows: read at its start, and again on each SIGHUP.

use crate::cli::files;
use crate::cli::problem::Hint as _;
use anyhow::Result;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// The longest file of certificates, or of a key, in bytes.
const MAX_PEM: u64 = 1 << 20;

/// A certificate and its key, in files that may be replaced.
pub struct Certificate {
    file: PathBuf,
    key: PathBuf,
    shown: Arc<Shown>,
}

/// What is shown to those who connect now.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().expect("nothing panics while it holds this")))
    }
}

impl Certificate {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    /// When they are not there, or do not belong together.
    pub fn read(file: &Path, key: &Path) -> Result<Self> {
        let shown = Arc::new(Shown(RwLock::new(Arc::new(read(file, key)?))));
        Ok(Self { file: file.to_owned(), key: key.to_owned(), shown })
    }

    /// How connections are made secure with it, and with each that takes its place.
    ///
    /// # Errors
    /// When the library can do nothing that is asked here.
    pub fn config(&self) -> Result<Arc<ServerConfig>> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Shown>::clone(&self.shown));
        Ok(Arc::new(config))
    }

    /// Reads both files again, for those who connect from now on, and says in the server's log what came of it. What cannot be
    /// used changes nothing.
    pub fn renew(&self) {
        let file = self.file.display().to_string();
        match read(&self.file, &self.key) {
            Ok(new) => {
                let mut shown = self.shown.0.write().expect("nothing panics while it holds this");
                let is_another = shown.cert != new.cert;
                *shown = Arc::new(new);
                drop(shown);
                tracing::info!(file, is_another, "the certificate was read again");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(file, error, "the certificate stays as it was");
            }
        }
    }
}

fn read(file: &Path, key: &Path) -> Result<CertifiedKey> {
    let cannot = |path: &Path| format!("{} cannot be used", path.display());
    let pem =
        || "want PEM: the certificate first, then those that lead to it; and its private key".to_owned();
    let bytes = files::read(file, MAX_PEM).or_hint(|| cannot(file), pem)?;
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let chain = chain.or_hint(|| cannot(file), pem)?;
    let bytes = files::read(key, MAX_PEM).or_hint(|| cannot(key), pem)?;
    let secret = PrivateKeyDer::from_pem_slice(&bytes).or_hint(|| cannot(key), pem)?;
    CertifiedKey::from_der(chain, secret, &ring::default_provider())
        .or_hint(|| cannot(file), || "does the key belong to the certificate?".to_owned())
}
