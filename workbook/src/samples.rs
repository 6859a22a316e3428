//! A sound example of each record type: what the templates show. All of them are invented.

/// A record of this type as the mandated form writes it; `None` where there is no example.
#[must_use]
pub fn sample(record: &str) -> Option<&'static str> {
    let found = SAMPLES.iter().find(|(code, _)| *code == record);
    found.map(|(_, line)| line.trim_ascii_end())
}

macro_rules! samples {
    ($($code:literal => $file:literal,)*) => {
        &[$(($code, include_str!(concat!("../../schemas/testdata/pboc-submit-", $file, ".xml")))),*]
    };
}

const SAMPLES: &[(&str, &str)] = samples! {
    "110" => "personal/110",
    "114" => "personal/114",
    "120" => "personal/120",
    "130" => "personal/130",
    "134" => "personal/134",
    "140" => "personal/140",
    "210" => "personal/210-c1",
    "211" => "personal/211",
    "212" => "personal/212-d",
    "213" => "personal/213",
    "214" => "personal/214",
    "215" => "personal/215",
    "220" => "personal/220",
    "221" => "personal/221",
    "222" => "personal/222-c",
    "223" => "personal/223",
    "224" => "personal/224",
    "230" => "personal/230",
    "231" => "personal/231",
    "232" => "personal/232",
    "233" => "personal/233",
    "234" => "personal/234",
    "310" => "enterprise/310_full",
    "314" => "enterprise/314_delete",
    "340" => "enterprise/340_identifier_consolidation",
    "350" => "enterprise/350_association",
    "410" => "enterprise/410_D1_factoring_with_recourse",
    "411" => "enterprise/411_identifier_change_loan",
    "412" => "enterprise/412_correct_repayment_performance",
    "413" => "enterprise/413_delete_segment_loan",
    "414" => "enterprise/414_delete_all_loan",
    "420" => "enterprise/420_factoring_line",
    "421" => "enterprise/421_identifier_change_agreement",
    "422" => "enterprise/422_correct_limit",
    "423" => "enterprise/423_delete_segment_agreement",
    "424" => "enterprise/424_delete_all_agreement",
    "440" => "enterprise/440_surety_insurance",
    "441" => "enterprise/441_identifier_change_guarantee",
    "442" => "enterprise/442_correct_liability",
    "443" => "enterprise/443_delete_segment_guarantee",
    "444" => "enterprise/444_delete_all_guarantee",
    "510" => "personal/510-pledge",
    "511" => "personal/511",
    "514" => "personal/514",
    "520" => "enterprise/520_max_guarantee",
    "521" => "enterprise/521_identifier_change_max_guarantee",
    "522" => "enterprise/522_correct_base",
    "523" => "enterprise/523_delete_segment_max_guarantee",
    "524" => "enterprise/524_delete_all_max_guarantee",
    "610" => "enterprise/610_balance_sheet_2007",
    "614" => "enterprise/614_delete_statement",
    "620" => "enterprise/620_income_statement_2007",
    "624" => "enterprise/624_delete_statement",
    "630" => "enterprise/630_cash_flows_2007",
    "634" => "enterprise/634_delete_statement",
    "640" => "enterprise/640_institution_balance_2019",
    "644" => "enterprise/644_delete_statement",
    "650" => "enterprise/650_institution_income_2019",
    "654" => "enterprise/654_delete_statement",
};
