//! A month of accounts that the bureau knows: the CSV of it, made while it is
//! read, and the ledger that it meets.

use std::io::{self, Read};

use anyhow::Context as _;
use creditgate::{
    args,
    demo::{
        INSTITUTION,
        loans::{Loan, Standing},
        person,
    },
    gateway::Gateway,
    ledger::index::{AccountName, take_many},
    platform::{
        clock::china_date,
        db::{DbError, Urgency},
        identity::Identity,
        vault::VaultError,
    },
};
use jiff::civil::Date;
use mocks::synthetic_resident_id;
use serde_json::Value;

/// The name of all borrowers.
const NAME: &str = "测试样本";

/// Accounts that one transaction makes.
const MADE: usize = 500;

/// Some loans, each of a borrower of its own.
#[derive(Clone, Copy)]
pub(crate) struct Loans {
    /// The number of the first.
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) month_end: Date,
}

impl Loans {
    /// Loans of the last month that has ended.
    pub(crate) fn new(gateway: &Gateway, first: u32, count: u32) -> anyhow::Result<Self> {
        let today = china_date(gateway.clock().now());
        Ok(Self {
            first,
            count,
            month_end: today.first_of_month().yesterday()?,
        })
    }

    fn number(self, n: u32) -> String {
        // The mock and the inquiries of the same bench use other numbers.
        synthetic_resident_id(self.first + n)
    }

    fn loan(self, n: u32) -> Loan {
        Loan {
            number: self.first + n,
            borrower: (self.number(n), NAME.to_owned()),
            month_end: self.month_end,
            standing: Standing::Normal,
        }
    }

    /// Puts the accounts into the ledger as the bureau accepted them last month.
    pub(crate) async fn opened(self, gateway: &Gateway) -> anyhow::Result<()> {
        let now = gateway.clock().now();
        let all: Vec<u32> = (0..self.count).collect();
        for some in all.chunks(MADE) {
            let mut people: Vec<Identity> = Vec::with_capacity(some.len());
            let mut names = Vec::with_capacity(some.len());
            for n in some {
                people.push(person(NAME, &self.number(*n), now).context("not synthetic")?);
                names.push(AccountName {
                    institution: INSTITUTION.into(),
                    bureau: "pboc".into(),
                    family: "210".to_owned(),
                    key: self.loan(*n).code(),
                });
            }
            let vault = gateway.vault().clone();
            let enroll = gateway.db().write(Urgency::Bulk, move |tx| {
                Box::pin(async move {
                    let all = vault.enroll_many(tx, &people).await?;
                    all.into_iter().collect::<Result<Vec<_>, VaultError>>()
                })
            });
            let subjects = enroll.await?;
            let keys = gateway.vault().keys_of(&subjects).await?;
            let vault = gateway.vault().clone();
            let make = gateway.db().write(Urgency::Bulk, move |tx| {
                Box::pin(async move {
                    let blind = vault.blind_held(tx).await?;
                    let wanted: Vec<_> = names.iter().zip(&subjects).collect();
                    take_many(tx, &blind, &wanted, &keys, now.as_microsecond()).await
                })
            });
            make.await?;
        }
        let before = self.month_end.first_of_month().yesterday()?;
        let opened = before
            .saturating_sub(jiff::Span::new().months(6))
            .to_string();
        let (day, month) = (before.to_string(), before.strftime("%Y-%m").to_string());
        let open = gateway.db().write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE accounts SET state = 'open', account_type = 'D1', \
                     opened_on = $1, reported_on = $2, month = $3, month_on = $2, \
                     clean_month = $3 WHERE state = 'new'";
                tx.execute(sql, args![opened, day, month]).await?;
                Ok::<_, DbError>(())
            })
        });
        Ok(open.await?)
    }

    /// Their records of the month as a table.
    pub(crate) fn csv(self) -> Csv {
        let (code, number) = (self.loan(0).code(), self.number(0));
        let mut header = vec!["@key".to_owned()];
        let mut row = String::new();
        if let Value::Object(segments) = &self.loan(0).update()["data"] {
            for (segment, items) in segments {
                for (tag, value) in items.as_object().into_iter().flatten() {
                    header.push(format!("{segment}/{tag}"));
                    row.push(',');
                    // No value holds a comma or a quotation mark.
                    row.push_str(value.as_str().unwrap_or_default());
                }
            }
        }
        let parts = cut(&row, &code, &number);
        Csv {
            loans: self,
            parts,
            next: 0,
            text: format!("{}\n", header.join(",")).into_bytes(),
            read: 0,
        }
    }
}

/// A part of a row.
enum Part {
    Code,
    Number,
    Text(String),
}

/// Cuts a row at the account code and at the number of the borrower.
fn cut(row: &str, code: &str, number: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (n, text) in row.split(code).enumerate() {
        if n > 0 {
            parts.push(Part::Code);
        }
        for (n, text) in text.split(number).enumerate() {
            if n > 0 {
                parts.push(Part::Number);
            }
            parts.push(Part::Text(text.to_owned()));
        }
    }
    parts
}

/// A table that is made while it is read.
pub(crate) struct Csv {
    loans: Loans,
    parts: Vec<Part>,
    next: u32,
    text: Vec<u8>,
    read: usize,
}

impl Read for Csv {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.text.len() {
            self.text.clear();
            self.read = 0;
            while self.text.len() < buffer.len() && self.next < self.loans.count {
                self.text
                    .extend_from_slice(self.next.to_string().as_bytes());
                for part in &self.parts {
                    match part {
                        Part::Code => {
                            let code = self.loans.loan(self.next).code();
                            self.text.extend_from_slice(code.as_bytes());
                        }
                        Part::Number => {
                            let number = self.loans.number(self.next);
                            self.text.extend_from_slice(number.as_bytes());
                        }
                        Part::Text(text) => self.text.extend_from_slice(text.as_bytes()),
                    }
                }
                self.text.push(b'\n');
                self.next += 1;
            }
        }
        let part = &self.text[self.read..];
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        self.read += length;
        Ok(length)
    }
}
