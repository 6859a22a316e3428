//! How the commands of people find a running gateway.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The gateway that commands ask, as configuration names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// `host:port` of its listener for people; the host is a name in its
    /// certificate.
    pub address: String,
    /// PEM file of the only authorities trusted for it.
    pub ca: PathBuf,
}

/// A file has no section `client` that can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the configuration has no section [client] with address and ca")]
pub struct NoClientConfig;

impl ClientConfig {
    /// Reads the section of a file's text, whatever else the file holds:
    /// whoever only asks a gateway needs no more of it. Its relative paths
    /// begin at `folder`.
    ///
    /// # Errors
    ///
    /// [`NoClientConfig`].
    pub fn read(text: &str, folder: &Path) -> Result<Self, NoClientConfig> {
        #[derive(Deserialize)]
        struct File {
            client: ClientConfig,
        }
        // What the parser says could repeat a value.
        let File { mut client } = toml::from_str(text).map_err(|_| NoClientConfig)?;
        client.ca = folder.join(client.ca);
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_enough_and_needed() {
        let section = "[client]\naddress = \"gateway.test:8443\"\nca = \"ca.pem\"\n";
        let cases = [
            (section.to_owned(), true),
            (format!("[other]\nx = 1\n{section}"), true),
            (format!("{section}extra = 1\n"), false),
            ("[other]\nx = 1\n".to_owned(), false),
            ("[client".to_owned(), false),
        ];
        for (text, good) in cases {
            let client = ClientConfig::read(&text, Path::new("etc"));
            assert_eq!(client.is_ok(), good, "{text}");
            if let Ok(client) = client {
                assert_eq!(client.ca, Path::new("etc/ca.pem"));
            }
        }
    }
}
