//! The initial stock of accounts.

use super::*;
use crate::demo::loans::Standing;

fn september(number: u32) -> Loan {
    at_month_end(&loan(number), "2026-09-30")
}

#[tokio::test]
async fn a_stock_is_the_accepted_state_of_its_accounts() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let mut closed = september(2);
        closed.standing = Standing::Closed;
        let mut overdue = september(3);
        overdue.standing = Standing::Overdue;
        let records = [september(1).update(), closed.update(), overdue.update()];
        let wanted = Wanted {
            stock: vec![earlier.stock(&records)],
            ..Wanted::default()
        };
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), [""; 0], "{}", site.name);
        assert_eq!(got.report.inputs[0].kind, "stock");
        let standings: Vec<String> = (earlier.accounts().await.into_iter())
            .map(|account| account.0)
            .collect();
        assert_eq!(standings, ["open", "closed", "open"]);
        let origin = "SELECT COUNT(*) FROM submissions WHERE format = 'stock'";
        assert_eq!(earlier.count(origin).await, 1);
        let run = "SELECT COUNT(*) FROM accounts WHERE negative_run IS NOT NULL";
        assert_eq!(
            earlier.count(run).await,
            1,
            "its run goes on, and needs no notice"
        );

        // Without an authorization, and without a notice of what goes on.
        let mut still = at_month_end(&loan(3), "2026-10-31");
        still.standing = Standing::Overdue;
        let next = at_month_end(&loan(1), "2026-10-31");
        let after_closing = at_month_end(&loan(2), "2026-10-31");
        let of = site
            .submit(
                "k1",
                &[next.update(), still.update(), after_closing.update()],
            )
            .await;
        assert_eq!(
            site.states(&of).await,
            ["ready", "ready", "set_aside"],
            "{} {:?}",
            site.name,
            site.records(&of).await
        );
        let again = earlier.import(&wanted).await;
        assert!(again.report.inputs[0].before);
    }
}

#[tokio::test]
async fn what_is_no_state_or_stands_twice_is_found() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let mut wrong = september(4).record();
        wrong["data"]["AcctBsInfSgmt"]["Cy"] = "XXX".into();
        let records = [
            september(1).update(),
            september(1).update(),
            september(2).correction(),
            wrong,
        ];
        let wanted = Wanted {
            stock: vec![earlier.stock(&records)],
            ..Wanted::default()
        };
        let got = earlier.import(&wanted).await;
        let mut found = codes(&got);
        found.sort_unstable();
        assert!(found.contains(&"stock_twice"), "{}: {found:?}", site.name);
        assert!(found.contains(&"stock_not_a_state"), "{found:?}");
        assert!(
            found.contains(&"ABE001"),
            "the bureau's own code: {found:?}"
        );
        assert_eq!(earlier.accounts().await, []);
    }
}

#[tokio::test]
async fn stock_and_files_meet_in_the_order_of_time() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let july = at_month_end(&loan(1), "2026-07-31").record();
        let before = earlier.file("2026-08-03", 1, "31", &[july]);
        let october = at_month_end(&loan(1), "2026-10-31").update();
        let after = earlier.file("2026-11-02", 1, "30", &[october]);
        let answers = [earlier.answer(&before, &[]), earlier.answer(&after, &[])];
        let mut wanted = with_feedback(&[after, before], &answers);
        wanted.stock = vec![earlier.stock(&[september(1).update(), september(2).update()])];
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), [""; 0], "{}", site.name);
        let kinds: Vec<&str> = got.report.inputs.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, ["earlier", "stock", "earlier"]);
        let days: Vec<_> = (earlier.accounts().await.into_iter())
            .map(|account| account.1.unwrap())
            .collect();
        assert_eq!(days, ["2026-10-31", "2026-09-30"]);
        // Another stock of the same day knows nothing new; an older one is told.
        let mut another = Wanted {
            stock: vec![earlier.stock(&[september(2).update()])],
            ..Wanted::default()
        };
        let got = earlier.import(&another).await;
        assert_eq!((codes(&got).len(), got.report.inputs[0].known), (0, 1));
        let old = at_month_end(&loan(1), "2026-08-31").update();
        another.stock = vec![earlier.stock(&[old])];
        let got = earlier.import(&another).await;
        assert_eq!(codes(&got), ["ledger_is_later"]);
    }
}

#[tokio::test]
async fn a_stock_may_be_a_table_and_its_head_is_looked_at() {
    for site in sites().await {
        let earlier = Earlier::of(&site);
        let record = september(1).update();
        let mut head = Vec::new();
        let mut values = Vec::new();
        for segment in ["AcctBsSgmt", "AcctMthlyBlgInfSgmt"] {
            for (tag, value) in record["data"][segment].as_object().unwrap() {
                head.push(format!("{segment}/{tag}"));
                values.push(value.as_str().unwrap().to_owned());
            }
        }
        let main = earlier.folder.path().join("stock.csv");
        let write = |head: &[String]| {
            let text = format!("{}\n{}\n", head.join(","), values.join(","));
            fs::write(&main, text).unwrap();
        };
        let mut wrong = head.clone();
        wrong[0] = "NoSuchTag".to_owned();
        write(&wrong);
        let stock = StockFiles {
            main: main.clone(),
            record: Some("210".to_owned()),
            children: Vec::new(),
        };
        let wanted = Wanted {
            stock: vec![stock],
            ..Wanted::default()
        };
        let got = earlier.import(&wanted).await;
        assert!(
            got.report.findings > 0 && !got.report.written,
            "{}",
            site.name
        );
        assert_eq!(earlier.accounts().await, []);
        write(&head);
        let got = earlier.import(&wanted).await;
        assert_eq!(codes(&got), [""; 0], "{}", site.name);
        assert_eq!(earlier.accounts().await[0].0, "open");
    }
}
