//! A bureau of sockets under mutual TLS.
