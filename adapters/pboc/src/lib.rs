//! The dialect of the PBOC financial credit database.
