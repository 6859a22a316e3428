//! `/v1/submissions`, from the input to the bureau's answer.

mod desk;
mod forms;
mod sealed;
mod site;
mod wire;

mod answers;
mod command;
mod disputes;
mod events;
mod files;
mod folder;
mod held;
mod intake;
mod notices;
mod order;
mod papers;
mod people;
mod readme;
mod workbook;
mod wrong;
