//! With which certificates do we speak to a broker?
//!
//! The files are read and a new configuration is built for **every** connection. A configuration that is kept across
//! connections resumes old sessions, and a resumed session keeps the old identity however often the file was exchanged:
//! measured against mosquitto, which went on logging the old name.

use super::expiry::{CertificateDates, certificate_dates};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where Debian's `ca-certificates` puts whom the system trusts.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The PEM files of a link: whom we trust, and optionally who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authorities that may have signed the broker's certificate.
    pub authorities: PathBuf,
    /// Our own certificate chain and its private key, for brokers that demand one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// What is wrong with the files of a link, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{}: cannot be read ({error}); check the path and that the daemon's user may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}: holds no {wanted}; write it as PEM, beginning with -----BEGIN", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: &'static str,
    },
    /// A PEM block that cannot be understood.
    #[error("{}: is damaged ({detail}); copy the file again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A certificate and a key that do not belong together, or a key of an unknown kind.
    #[error("{} and {}: cannot be used together ({detail}); take the key the certificate was made for",
        certificate.display(), key.display())]
    Unusable {
        /// The certificate chain.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
        /// What the library says.
        detail: String,
    },
}

impl TlsFiles {
    /// Trusts whom the system trusts, and shows nothing of our own.
    pub fn of_the_system() -> Self {
        Self {
            authorities: SYSTEM_AUTHORITIES.into(),
            identity: None,
        }
    }

    /// Reads the files and builds a configuration for one connection.
    ///
    /// # Errors
    /// Says which file is wrong and what to do.
    pub fn configuration(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring offers the cipher suites of TLS 1.2 and 1.3")
            .with_root_certificates(self.trusted()?);
        let configuration = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                builder
                    .with_client_auth_cert(chain, private_key(key)?)
                    .map_err(|e| TlsError::Unusable {
                        certificate: certificate.clone(),
                        key: key.clone(),
                        detail: e.to_string(),
                    })?
            }
        };
        Ok(Arc::new(configuration))
    }

    /// Reads the dates of our own certificate; none when the link has no identity.
    ///
    /// # Errors
    /// Says which file is wrong.
    pub fn identity_dates(&self) -> Result<Option<CertificateDates>, TlsError> {
        let Some((path, _)) = &self.identity else {
            return Ok(None);
        };
        let chain = certificates(path)?;
        let damaged = |e: super::NotACertificate| TlsError::Damaged {
            path: path.clone(),
            detail: e.to_string(),
        };
        certificate_dates(&chain[0]).map(Some).map_err(damaged)
    }

    fn trusted(&self) -> Result<RootCertStore, TlsError> {
        let mut trusted = RootCertStore::empty();
        for certificate in certificates(&self.authorities)? {
            let damaged = |e: rustls::Error| TlsError::Damaged {
                path: self.authorities.clone(),
                detail: e.to_string(),
            };
            trusted.add(certificate).map_err(damaged)?;
        }
        Ok(trusted)
    }
}

/// Reads a chain of at least one certificate.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|e| TlsError::Damaged {
        path: path.to_owned(),
        detail: e.to_string(),
    })?;
    if chain.is_empty() {
        return Err(TlsError::Missing {
            path: path.to_owned(),
            wanted: "certificate",
        });
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = zeroize::Zeroizing::new(read(path)?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|e| match e {
        pem::Error::NoItemsFound => TlsError::Missing {
            path: path.to_owned(),
            wanted: "private key",
        },
        e => TlsError::Damaged {
            path: path.to_owned(),
            detail: e.to_string(),
        },
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made {
        folder: tempfile::TempDir,
        files: TlsFiles,
    }

    fn made() -> Made {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let pair = rcgen::generate_simple_self_signed(vec!["gateway.test".into()]).unwrap();
        let certificate = write("client.pem", pair.cert.pem());
        let key = write("client.key", pair.signing_key.serialize_pem());
        let files = TlsFiles {
            authorities: certificate.clone(),
            identity: Some((certificate, key)),
        };
        Made { folder, files }
    }

    #[test]
    fn good_files_make_a_configuration_and_tell_their_dates() {
        let made = made();
        made.files.configuration().unwrap();
        assert!(made.files.identity_dates().unwrap().is_some());
    }

    #[test]
    fn an_error_names_the_file_and_what_to_do() {
        let made = made();
        let absent = TlsFiles {
            authorities: made.folder.path().join("absent.pem"),
            identity: None,
        };
        let text = absent.configuration().unwrap_err().to_string();
        assert!(text.contains("absent.pem") && text.contains("check the path"), "{text}");

        let (_, key) = made.files.identity.clone().unwrap();
        let swapped = TlsFiles {
            authorities: key,
            identity: None,
        };
        let text = swapped.configuration().unwrap_err().to_string();
        assert!(text.contains("client.key: holds no certificate"), "{text}");
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_with_both_names() {
        let made = made();
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let (certificate, key) = made.files.identity.clone().unwrap();
        std::fs::write(&key, other).unwrap();
        let files = TlsFiles {
            identity: Some((certificate, key)),
            ..made.files
        };
        let text = files.configuration().unwrap_err().to_string();
        assert!(text.contains("client.pem") && text.contains("client.key"), "{text}");
    }
}
