//! The API key: from the environment, a file, or a command.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::Error;
use crate::weaviate::Secret;

/// Returns the key of `WEAVIATE_API_KEY`, where there is one.
pub(super) fn usual() -> Option<Secret> {
    secret(&std::env::var("WEAVIATE_API_KEY").ok()?)
}

/// Returns the key in an environment variable.
pub(super) fn variable(name: &str) -> Result<Option<Secret>, Error> {
    let key = std::env::var(name).map_err(|_| {
        Error::usage(format!("the environment variable `{name}` of `api_key_env` is not set"))
    })?;
    Ok(secret(&key))
}

/// Returns the key in a file that nobody else can read.
pub(super) fn file(path: &Path) -> Result<Option<Secret>, Error> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Error::usage(format!("`api_key_file` {} can't be used", path.display())).cause(why)
    };
    let mode = std::fs::metadata(path).map_err(|e| unreadable(&e))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(unreadable(&"others may read it").hint(format!("chmod 600 {}", path.display())));
    }
    let key = std::fs::read_to_string(path).map_err(|e| unreadable(&e))?;
    Ok(secret(&key))
}

/// Returns the key that a command prints.
pub(super) fn command(command: &str) -> Result<Option<Secret>, Error> {
    let output = std::process::Command::new("sh")
        .args(["-c", command])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|e| Error::usage("`api_key_command` can't be run").cause(e))?;
    if !output.status.success() {
        return Err(Error::usage(format!("`api_key_command` failed: {}", output.status)));
    }
    let key = String::from_utf8(output.stdout)
        .map_err(|_| Error::usage("`api_key_command` printed no text"))?;
    Ok(secret(&key))
}

fn secret(key: &str) -> Option<Secret> {
    let key = key.trim();
    (!key.is_empty()).then(|| Secret::new(key.to_owned()))
}
