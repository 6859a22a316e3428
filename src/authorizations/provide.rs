//! What subjects allow to be provided to bureaus; of many subjects at once.
//!
//! An authorization to provide holds as one to inquire does (QR-02, 03, 05, 07
//! to 09), but for the purpose, which it has none of, and but for its original,
//! which must be stored and is not opened: a batch names a million subjects.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    AuthorizationError, Authorizations, Category, Kind, Purpose,
    model::{Evidence, Facts, Membership, Question},
    rules::{Defect, to_provide},
    store::{MembershipRow, Row, SELECT},
};
use crate::platform::{
    clock::from_micros,
    db::{Arg, Args, Db, DbError, Kind as Engine, Row as AnyRow, Tx},
    identity::Identity,
    ids::{BureauId, InstitutionId, SubjectId},
    vault::SubjectKeys,
};

/// How many subjects one statement asks for.
const ASKED: usize = 1000;

/// What one subject allows one institution to provide.
#[derive(Clone, Debug)]
pub struct Provided {
    institution: InstitutionId,
    subject: SubjectId,
    identity: Identity,
    facts: Facts,
}

/// What is covered, and where something is amiss, what.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Covered {
    /// The categories that authorizations in force name, together.
    pub categories: BTreeSet<Category>,
    /// What keeps the others from holding, by code.
    pub defects: BTreeSet<&'static str>,
}

/// Where the facts are read.
enum Source<'s, 't> {
    Db(&'s Db),
    /// They are held as they are until the transaction ends.
    Tx(&'s mut Tx<'t>),
}

impl Provided {
    /// What may be provided to that bureau at that moment. Not as if before
    /// something that is known to have happened.
    #[must_use]
    pub fn covers(&self, bureau: &BureauId, at: Timestamp) -> Covered {
        let question = Question {
            institution: self.institution.clone(),
            subject: Some(self.subject.clone()),
            identity: self.identity.clone(),
            bureau: bureau.clone(),
            // No rule that is asked here looks at it.
            purpose: Purpose::LoanApproval,
            at: self.facts.as_of.map_or(at, |seen| seen.max(at)),
        };
        let mut covered = Covered::default();
        let papers = self.facts.authorizations.iter();
        for it in papers.filter(|it| it.kind == Kind::Provide && it.subject == self.subject) {
            match to_provide(&question, &self.facts, it) {
                None => covered.categories.extend(&it.categories),
                Some(Defect { code, .. }) => {
                    covered.defects.insert(code);
                }
            }
        }
        covered
    }
}

impl Authorizations {
    /// What these subjects allow the institution to provide. Those that were
    /// erased, or never were, are absent: they allow nothing.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn provided(
        &self,
        institution: &InstitutionId,
        subjects: impl IntoIterator<Item = &SubjectId>,
    ) -> Result<HashMap<SubjectId, Provided>, AuthorizationError> {
        self.provided_in(&mut Source::Db(&self.db), institution, subjects)
            .await
    }

    /// As [`Authorizations::provided`], and authorizations and memberships stay
    /// as they are until the transaction ends: a withdrawal comes before and is
    /// seen, or waits.
    ///
    /// # Errors
    ///
    /// See [`AuthorizationError`].
    pub async fn provided_locked(
        &self,
        tx: &mut Tx<'_>,
        institution: &InstitutionId,
        subjects: impl IntoIterator<Item = &SubjectId>,
    ) -> Result<HashMap<SubjectId, Provided>, AuthorizationError> {
        self.provided_in(&mut Source::Tx(tx), institution, subjects)
            .await
    }

    async fn provided_in(
        &self,
        source: &mut Source<'_, '_>,
        institution: &InstitutionId,
        subjects: impl IntoIterator<Item = &SubjectId>,
    ) -> Result<HashMap<SubjectId, Provided>, AuthorizationError> {
        let mut subjects: Vec<&SubjectId> = subjects.into_iter().collect();
        subjects.sort();
        subjects.dedup();
        let mut all = HashMap::with_capacity(subjects.len());
        for some in subjects.chunks(ASKED) {
            let known = self.vault.identities_of(some.iter().copied()).await?;
            read(source, institution, some, known, &mut all).await?;
        }
        Ok(all)
    }
}

type Known = HashMap<SubjectId, (SubjectKeys, Identity)>;

/// Reads what some subjects signed, and when they were members.
async fn read(
    source: &mut Source<'_, '_>,
    institution: &InstitutionId,
    subjects: &[&SubjectId],
    known: Known,
    all: &mut HashMap<SubjectId, Provided>,
) -> Result<(), AuthorizationError> {
    let holes: Vec<String> = (2..2 + subjects.len()).map(|n| format!("${n}")).collect();
    let holes = holes.join(", ");
    let mut args = Args(vec![Arg::from(institution)]);
    args.0.extend(subjects.iter().map(|id| Arg::from(*id)));
    let provide = format!("a.kind = 'provide' AND a.subject IN ({holes})");
    let papers: Vec<Row> = source
        .shared(
            format!("{SELECT}{provide} ORDER BY a.id"),
            "a",
            args.clone(),
        )
        .await?;
    let members: Vec<Member> = source
        .shared(
            format!(
                "SELECT m.subject, m.starts, m.ends, m.ended_at FROM memberships m \
                 WHERE m.institution = $1 AND m.subject IN ({holes}) ORDER BY m.id"
            ),
            "m",
            args.clone(),
        )
        .await?;
    // Originals never change, so nothing needs to hold them.
    let stored: HashMap<String, i64> = source
        .all(
            format!(
                "SELECT e.id, e.stored_at FROM evidence e \
                 JOIN authorizations a ON a.evidence = e.id \
                 WHERE a.institution = $1 AND {provide}"
            ),
            args,
        )
        .await?
        .into_iter()
        .collect();
    let mut facts: HashMap<SubjectId, Facts> = HashMap::with_capacity(known.len());
    for row in papers {
        let Some((keys, _)) = known.get(&row.subject) else {
            continue;
        };
        let stored_at = row.evidence.as_ref().and_then(|id| stored.get(id));
        let evidence = stored_at.map_or(Evidence::Missing, |at| Evidence::Intact {
            stored_at: from_micros(*at),
        });
        let of = facts.entry(row.subject.clone()).or_default();
        of.as_of = of.as_of.max(row.withdrawn_at.map(from_micros));
        of.authorizations.push(row.read(Some(keys), evidence)?);
    }
    for Member { subject, row } in members {
        let of = facts.entry(subject).or_default();
        of.as_of = of.as_of.max(row.ended_at.map(from_micros));
        of.memberships.push(Membership::from(row));
    }
    all.extend(known.into_iter().map(|(subject, (_, identity))| {
        let provided = Provided {
            institution: institution.clone(),
            facts: facts.remove(&subject).unwrap_or_default(),
            subject: subject.clone(),
            identity,
        };
        (subject, provided)
    }));
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Member {
    subject: SubjectId,
    #[sqlx(flatten)]
    row: MembershipRow,
}

impl Source<'_, '_> {
    async fn all<T: AnyRow>(&mut self, sql: String, args: Args) -> Result<Vec<T>, DbError> {
        let sql = sqlx::AssertSqlSafe(sql);
        match self {
            Self::Db(db) => db.all(sql, args).await,
            Self::Tx(tx) => tx.all(sql, args).await,
        }
    }

    /// In a transaction, held unchanged until it ends.
    async fn shared<T: AnyRow>(
        &mut self,
        sql: String,
        table: &str,
        args: Args,
    ) -> Result<Vec<T>, DbError> {
        let hold = matches!(self, Self::Tx(tx) if tx.kind() == Engine::Postgres);
        let sql = if hold {
            format!("{sql} FOR SHARE OF {table}")
        } else {
            sql
        };
        self.all(sql, args).await
    }
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::date};

    use super::*;
    use crate::authorizations::{
        Authorization, Validity,
        sample::{NOON, good, me, paper, person},
    };

    /// What a change of good papers leaves covered at the bureau.
    fn covered(change: impl FnOnce(&mut Facts)) -> Covered {
        let (question, mut facts) = good();
        let it = paper(&mut facts);
        it.kind = Kind::Provide;
        it.purposes.clear();
        it.categories = [Category::Credit, Category::Negative].into();
        change(&mut facts);
        let provided = Provided {
            institution: question.institution,
            subject: "subject".into(),
            identity: me(),
            facts,
        };
        provided.covers(&"pboc".into(), NOON)
    }

    #[test]
    fn an_authorization_to_provide_covers_what_it_names_without_a_purpose() {
        let all = covered(|_| ());
        let named = [Category::Credit, Category::Negative];
        assert_eq!(all.categories, named.into());
        assert!(all.defects.is_empty());
    }

    #[test]
    fn several_cover_together() {
        let all = covered(|facts| {
            let mut second = facts.authorizations[0].clone();
            second.categories = [Category::Income].into();
            facts.authorizations.push(second);
        });
        assert_eq!(all.categories.len(), 3);
    }

    #[test]
    fn whatever_is_amiss_with_it_covers_nothing() {
        type Change = fn(&mut Authorization);
        let cases: [(&str, Change); 14] = [
            ("other_institution", |it| it.institution = "other".into()),
            ("bureau_not_authorized", |it| {
                it.bureaus = ["baihang".into()].into();
            }),
            ("signed_later", |it| it.signed_at = Some(NOON + 1.second())),
            ("stored_later", |it| {
                it.evidence = Evidence::Intact {
                    stored_at: NOON + 1.second(),
                };
            }),
            ("withdrawn", |it| it.withdrawn_at = Some(NOON)),
            ("not_yet_valid", |it| {
                it.validity = Validity::Days {
                    from: date(2026, 3, 3),
                    until: date(2026, 3, 4),
                };
            }),
            ("expired", |it| {
                it.validity = Validity::Days {
                    from: date(2026, 2, 1),
                    until: date(2026, 3, 1),
                };
            }),
            ("document_differs", |it| {
                it.signer = Some(person("999999199001010024", "测试甲"));
            }),
            ("name_differs", |it| {
                it.signer = Some(person("999999199001010016", "测试乙"));
            }),
            ("original_missing", |it| it.evidence = Evidence::Missing),
            ("form_without_date", |it| it.signed_at = None),
            ("form_without_signer", |it| it.signer = None),
            ("form_of_several", |it| it.subjects_on_form = 2),
            ("form_text_unknown", |it| it.policy_first_day = None),
        ];
        for (code, change) in cases {
            let all = covered(|facts| change(paper(facts)));
            assert_eq!(all.defects, [code].into(), "{code}");
            assert!(all.categories.is_empty(), "{code}");
        }
    }

    #[test]
    fn one_while_a_member_ends_with_the_membership() {
        let all = covered(|facts| facts.memberships.clear());
        assert_eq!(all.defects, ["membership_ended"].into());
        let all = covered(|facts| facts.memberships[0].until = Some(NOON));
        assert_eq!(all.defects, ["membership_ended"].into());
        let all = covered(|facts| facts.memberships[0].until = Some(NOON + 1.second()));
        assert!(all.defects.is_empty());
    }

    #[test]
    fn nothing_is_covered_as_if_before_what_is_known_to_have_happened() {
        let all = covered(|facts| {
            paper(facts).withdrawn_at = Some(NOON + 1.hour());
            facts.as_of = Some(NOON + 1.hour());
        });
        assert_eq!(all.defects, ["withdrawn"].into());
    }

    #[test]
    fn one_to_inquire_covers_nothing() {
        let all = covered(|facts| paper(facts).kind = Kind::Inquire);
        assert_eq!(all, Covered::default());
    }
}
