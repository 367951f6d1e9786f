//! Where does the master key come from?
//!
//! From systemd where it holds one (`LoadCredentialEncrypted=innkeeper.key`, bound to the machine's TPM if there is
//! one), otherwise from a file that only its owner can read. The text is 64 hexadecimal digits; 32 raw bytes do too.

use super::fault::StoreFault;
use super::files;
use super::seal::SecretKey;
use data_encoding::HEXLOWER_PERMISSIVE;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The name under which systemd hands the key over.
pub const CREDENTIAL: &str = "innkeeper.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// Neither a credential nor a file.
    #[error("{}: there is no key; make one with `innkeeper init`, or hand one over as systemd credential \"innkeeper.key\"", path.display())]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("{}: others may read this key (mode {mode:03o}); run `chmod 600 {}`", path.display(), path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is something, but no key.
    #[error("{}: {bytes} bytes are no key; write 64 hexadecimal digits", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// There is one already, and what it sealed could not be read without it.
    #[error("{}: there is a key already; what it sealed could not be read without it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The key could not be made or made durable.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Loads the master key: from the credentials directory if it holds one, otherwise from the file.
///
/// # Errors
/// When there is none, when others may read the file, or when it holds no key.
pub fn load(credentials: Option<&Path>, file: &Path) -> Result<SecretKey, KeyFault> {
    let handed_over = credentials.map(|dir| dir.join(CREDENTIAL)).filter(|path| path.exists());
    if let Some(path) = handed_over {
        return read(&path);
    }
    let mode = match fs::metadata(file) {
        Ok(meta) => meta.permissions().mode() & 0o777,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(KeyFault::Missing { path: file.into() }),
        Err(source) => {
            return Err(KeyFault::Io {
                path: file.into(),
                source,
            });
        }
    };
    if mode & 0o077 != 0 {
        return Err(KeyFault::TooOpen {
            path: file.into(),
            mode,
        });
    }
    read(file)
}

/// Makes a key file that only its owner can read, durable before it returns.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub fn create(file: &Path) -> Result<SecretKey, KeyFault> {
    let key = SecretKey::random()?;
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in key.bytes() {
        text.push(char::from_digit(u32::from(byte >> 4), 16).expect("a half byte is one digit"));
        text.push(char::from_digit(u32::from(byte & 15), 16).expect("a half byte is one digit"));
    }
    text.push('\n');
    let fault = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFault::Exists { path: file.into() },
        _ => KeyFault::Io {
            path: file.into(),
            source,
        },
    };
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(fault)?;
    to.write_all(text.as_bytes())
        .and_then(|()| to.sync_all())
        .map_err(fault)?;
    file.parent().map_or(Ok(()), files::sync_dir)?;
    Ok(key)
}

fn read(path: &Path) -> Result<SecretKey, KeyFault> {
    let bytes = Zeroizing::new(fs::read(path).map_err(|source| KeyFault::Io {
        path: path.into(),
        source,
    })?);
    parse(&bytes).ok_or_else(|| KeyFault::NotAKey {
        path: path.into(),
        bytes: bytes.len(),
    })
}

fn parse(bytes: &[u8]) -> Option<SecretKey> {
    if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
        return Some(SecretKey::new(raw));
    }
    let digits = bytes.trim_ascii();
    if digits.len() != 64 {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    HEXLOWER_PERMISSIVE.decode_mut(digits, key.as_mut()).ok()?;
    Some(SecretKey::new(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_private_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("innkeeper.key");
        assert!(matches!(load(None, &file), Err(KeyFault::Missing { .. })));
        let made = create(&file).unwrap();
        assert_eq!(load(None, &file).unwrap().bytes(), made.bytes());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(create(&file), Err(KeyFault::Exists { .. })));
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_command_that_helps() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("innkeeper.key");
        create(&file).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o777] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let said = load(None, &file).unwrap_err().to_string();
            assert!(said.contains("chmod 600"), "{said}");
        }
    }

    #[test]
    fn a_credential_of_systemd_goes_before_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("elsewhere");
        create(&file).unwrap();
        fs::write(dir.path().join(CREDENTIAL), [7; 32]).unwrap();
        assert_eq!(load(Some(dir.path()), &file).unwrap().bytes(), &[7; 32]);
        fs::write(dir.path().join(CREDENTIAL), "short").unwrap();
        assert!(matches!(load(Some(dir.path()), &file), Err(KeyFault::NotAKey { .. })));
    }
}
