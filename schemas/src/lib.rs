//! Mandated formats as data, and the engine that reads them.
