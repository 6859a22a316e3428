//! Where the gateway listens, and for whom.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use serde::Deserialize;

/// The three listeners.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenersConfig {
    /// For machine clients; a client certificate is required.
    pub machines: MachinesConfig,
    /// For people; no client certificate is asked for.
    pub people: PeopleConfig,
    /// For health and metrics, in clear.
    #[serde(default)]
    pub operations: OperationsConfig,
}

/// The listener for machines.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachinesConfig {
    /// `host:port` by number.
    pub address: SocketAddr,
    /// PEM file of the certificate and those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file of its private key, mode 0600.
    pub key: PathBuf,
    /// PEM file of the authorities of client certificates.
    pub client_ca: PathBuf,
}

/// The listener for people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleConfig {
    /// `host:port` by number.
    pub address: SocketAddr,
    /// PEM file of the certificate and those between it and its authority.
    pub certificate: PathBuf,
    /// PEM file of its private key, mode 0600.
    pub key: PathBuf,
}

/// The listener for operations.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperationsConfig {
    /// `host:port` by number; a production profile wants loopback.
    pub address: SocketAddr,
}

impl Default for OperationsConfig {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 9470).into(),
        }
    }
}
