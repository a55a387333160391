//! How nodes are reached: key, certificates, timeouts.
//!
//! The only place that holds a secret. It cannot be printed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use memchr::memmem::Finder;
use reqwest::{Certificate, Identity};

use crate::error::Error;

/// A secret that neither `Debug` nor `Display` shows.
#[derive(Clone)]
pub struct Secret {
    secret: String,
    /// What it may look like in an answer.
    disguises: Vec<Finder<'static>>,
}

/// A shorter secret is looked for only as it is: in another encoding it could be anything.
const LONG: usize = 8;

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        let mut looks = vec![secret.clone().into_bytes()];
        if secret.len() >= LONG {
            looks.push(secret.bytes().rev().collect());
            looks.push(HEXLOWER.encode(secret.as_bytes()).into_bytes());
            looks.push(HEXUPPER.encode(secret.as_bytes()).into_bytes());
            // Within a longer text its bits fall in three ways; what its neighbours share is left out.
            for before in 0..3 {
                let mut text = vec![0; before];
                text.extend(secret.bytes());
                let (from, to) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
                for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
                    looks.push(encoding.encode(&text).as_bytes()[from..to].to_vec());
                }
            }
        }
        looks.retain(|look| !look.is_empty());
        let disguises = looks.iter().map(|look| Finder::new(look).into_owned()).collect();
        Self { secret, disguises }
    }

    /// Tells whether an answer repeats it: as it is, backwards, or in hex or base64.
    pub(super) fn is_in(&self, body: &[u8]) -> bool {
        self.disguises.iter().any(|look| look.find(body).is_some())
    }

    /// Returns it for the one header that needs it.
    pub(super) fn expose(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What is needed to talk to the nodes of one cluster.
#[derive(Debug, Clone)]
pub struct Access {
    /// The API key, sent as a bearer token.
    pub api_key: Option<Secret>,
    /// PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM file with the client's certificate.
    pub client_certificate: Option<PathBuf>,
    /// PEM file with the key of `client_certificate`.
    pub client_key: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long an answer to a read may take.
    pub answer_timeout: Duration,
    /// How long a server may go on trying a write that it could not make.
    pub drain: Duration,
    /// How many objects may be moved in a second; `None`: as many as can be.
    pub rate: Option<u32>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            api_key: None,
            ca_file: None,
            client_certificate: None,
            client_key: None,
            connect_timeout: Duration::from_secs(3),
            answer_timeout: Duration::from_secs(10),
            // Nine times, after 0.1 s and half as much longer each time, give or take a half.
            drain: Duration::from_secs(12),
            rate: None,
        }
    }
}

impl Access {
    /// Returns what `curl` needs to do the same, without the key itself.
    #[must_use]
    pub fn curl_options(&self) -> String {
        let mut options = String::new();
        if self.api_key.is_some() {
            options.push_str(" -H \"Authorization: Bearer $WEAVIATE_API_KEY\"");
        }
        for (option, file) in [
            (" --cacert ", &self.ca_file),
            (" --cert ", &self.client_certificate),
            (" --key ", &self.client_key),
        ] {
            if let Some(file) = file {
                options.push_str(option);
                options.push_str(&shell_word(&file.display().to_string()));
            }
        }
        options
    }

    pub(super) fn ca_certificates(&self) -> Result<Option<Vec<Certificate>>, Error> {
        let Some(path) = &self.ca_file else { return Ok(None) };
        let pem = read(path, "ca_file")?;
        let roots =
            Certificate::from_pem_bundle(&pem).ok().filter(|roots| !roots.is_empty()).ok_or_else(
                || Error::usage(format!("`ca_file` {} holds no PEM certificate", path.display())),
            )?;
        Ok(Some(roots))
    }

    pub(super) fn client_identity(&self) -> Result<Option<Identity>, Error> {
        let (certificate, key) = match (&self.client_certificate, &self.client_key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => {
                return Err(Error::usage(
                    "`client_certificate` and `client_key` belong together; one is missing",
                ));
            }
        };
        let mut pem = read(certificate, "client_certificate")?;
        pem.push(b'\n');
        pem.extend(read(key, "client_key")?);
        Identity::from_pem(&pem).map(Some).map_err(|_| {
            Error::usage(format!(
                "`client_certificate` {} and `client_key` {} are no PEM pair",
                certificate.display(),
                key.display()
            ))
        })
    }
}

fn read(path: &PathBuf, what: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|e| {
        Error::usage(format!("`{what}` {} could not be read", path.display())).cause(e)
    })
}

/// Returns a text as one word of a shell.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
