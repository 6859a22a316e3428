//! The ledger (台账): what each bureau last accepted of each account.

pub mod clocks;
