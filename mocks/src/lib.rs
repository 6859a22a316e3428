//! Bureau servers with fault switches.
