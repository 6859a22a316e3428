//! What a subject allows: purposes of inquiries, and categories of information.

use schemas::text::Label;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Makes an enum with stored names and labels in both languages.
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident:
        $($variant:ident $text:literal $zh:literal $en:literal,)+
    ) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
            ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $en] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stored and published name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The one of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }

            /// What people call it.
            #[must_use]
            pub fn label(self) -> Label<'static> {
                match self {
                    $(Self::$variant => Label { zh: $zh, en: $en },)+
                }
            }
        }
    };
}

words! {
    /// Why a report is pulled (查询用途). Rules and authorizations speak only of
    /// these; each bureau's tables map them to its reason codes.
    Purpose:
    LoanApproval "loan_approval" "贷款审批" "Loan approval",
    CardApproval "card_approval" "信用卡审批" "Card approval",
    PostLoan "post_loan" "贷后管理" "Post-loan management",
    GuaranteeApproval "guarantee_approval" "保前审查" "Review before guaranteeing or insuring",
    InGuarantee "in_guarantee" "保后管理" "Management while guaranteeing or insuring",
    GuarantorCheck "guarantor_check" "担保资格审查" "Review of a guarantor",
    OfficerCheck "officer_check" "法人代表、负责人、高管等资信审查" "Review of legal representative, head or executives",
    MerchantCheck "merchant_check" "特约商户实名审查" "Merchant real-name review",
    FinancingApproval "financing_approval" "融资审批" "Financing approval",
    LimitApproval "limit_approval" "额度审批" "Limit approval",
    CreditStanding "credit_standing" "资信审查" "Credit standing review",
    CustomerAdmission "customer_admission" "客户准入资格审查" "Customer admission review",
    Judicial "judicial" "司法调查" "Judicial investigation",
}

words! {
    /// What information an authorization speaks of (信息类别), as the credit
    /// clause of a platform's privacy policy names it. From `income` on: what
    /// needs a written consent of its own, after the harm was told
    /// (《征信业管理条例》 Art 14(2)).
    Category:
    EnterpriseBasics "enterprise_basics" "企业基本信息" "Basic information of an enterprise",
    PersonBasics "person_basics" "个人基本信息" "Basic information of a person",
    Credit "credit" "信贷信息" "Credit information",
    Negative "negative" "不良信息" "Negative information",
    Other "other" "其他信息" "Other information",
    Income "income" "收入" "Income",
    Deposits "deposits" "存款" "Deposits",
    Securities "securities" "有价证券" "Securities",
    Insurance "insurance" "商业保险" "Commercial insurance",
    RealEstate "real_estate" "不动产" "Real estate",
    Tax "tax" "纳税数额" "Tax paid",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_spelled_one_way_and_found_by_it() {
        for &purpose in Purpose::ALL {
            assert_eq!(Purpose::named(purpose.name()), Some(purpose));
            let json = serde_json::to_string(&purpose).unwrap();
            assert_eq!(json, format!("\"{}\"", purpose.name()));
        }
        for &category in Category::ALL {
            assert_eq!(Category::named(category.name()), Some(category));
            let json = serde_json::to_string(&category).unwrap();
            assert_eq!(json, format!("\"{}\"", category.name()));
        }
        assert_eq!(Purpose::named("02"), None, "reason codes are the bureau's");
    }
}
