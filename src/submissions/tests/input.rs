//! The input: what is wrong with it, and how it goes on.

use super::*;

#[tokio::test]
async fn bad_records_are_set_aside_with_all_findings_and_good_ones_go_on() {
    for site in sites().await {
        let loans = [loan(1), loan(2)];
        for loan in &loans {
            site.authorize(loan).await;
        }
        let mut bad = loans[0].record();
        bad["data"]["AcctBsInfSgmt"]["Cy"] = "XXX".into();
        bad["data"]["Unknown"] = "1".into();
        let of = site
            .submit(
                "k1",
                &[bad, serde_json::json!({"record": "999"}), loans[1].record()],
            )
            .await;
        let records = site.records(&of).await;
        assert_eq!(
            site.states(&of).await,
            ["set_aside", "set_aside", "ready"],
            "{}: {:?}",
            site.name,
            records[2].findings
        );
        assert!(records[0].findings.len() >= 2, "{:?}", records[0].findings);
        assert!(
            records[0]
                .findings
                .iter()
                .all(|f| !f.zh.is_empty() && !f.en.is_empty())
        );
        assert!(!format!("{records:?}").contains(&loans[0].borrower.0));
    }
}

#[tokio::test]
async fn a_cut_input_goes_on_where_it_was_cut() {
    for site in sites().await {
        let loans: Vec<Loan> = (1..=600).map(loan).collect();
        let lines: Vec<Value> = loans.iter().map(Loan::record).collect();
        let mut text: Vec<u8> = Vec::new();
        for line in &lines {
            text.extend_from_slice(format!("{line}\n").as_bytes());
        }
        struct Cut(std::io::Cursor<Vec<u8>>, usize);
        impl std::io::Read for Cut {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                if self.0.position() as usize >= self.1 {
                    return Err(std::io::ErrorKind::ConnectionReset.into());
                }
                self.0.read(into)
            }
        }
        let most = text.len() * 9 / 10;
        let cut = Form::JsonLines(Box::new(Cut(std::io::Cursor::new(text), most)));
        let pboc = BureauId::from("pboc");
        let broken = site
            .submissions
            .submit(&site.caller, &pboc, "k1", cut)
            .await;
        assert!(matches!(broken, Err(SubmitError::Input(_))));
        let page = site
            .submissions
            .page(&site.caller.institution, None, 10)
            .await
            .unwrap();
        assert_eq!(page.len(), 1);
        assert_eq!(
            (page[0].state(), page[0].taken),
            (SubmissionState::Receiving, 500)
        );

        // Other content under the same key is refused.
        let other: Vec<Value> = (2..=601).map(|n| loan(n).record()).collect();
        let differs = site.try_submit("k1", &other).await;
        assert!(
            matches!(differs, Err(SubmitError::ContentDiffers)),
            "{}",
            site.name
        );

        let of = site.submit("k1", &lines).await;
        assert_eq!((of.state(), of.taken), (SubmissionState::Taken, 600));
        assert_eq!(of.id, page[0].id);
        let again = site.submit("k1", &lines).await;
        assert_eq!(
            (again.id, again.taken),
            (of.id, 600),
            "the same is the same"
        );
        let shorter = site.try_submit("k1", &lines[..10]).await;
        assert!(matches!(shorter, Err(SubmitError::ContentDiffers)));
    }
}
