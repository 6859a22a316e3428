//! How long write transactions last: what the gateway tells of each, all of
//! them, not a summary.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// Transactions should not last longer.
const LIMIT: Duration = Duration::from_millis(20);

/// What was seen since it was reset, in nanoseconds.
#[derive(Default)]
pub(crate) struct Seen {
    count: AtomicU64,
    longest: AtomicU64,
    over: AtomicU64,
}

impl HistogramFn for Seen {
    fn record(&self, seconds: f64) {
        let time = Duration::from_secs_f64(seconds);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.over
            .fetch_add(u64::from(time > LIMIT), Ordering::Relaxed);
        self.longest
            .fetch_max(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

impl Seen {
    /// Takes in the metrics of this process.
    pub(crate) fn install() -> anyhow::Result<Arc<Self>> {
        let seen = Arc::new(Self::default());
        metrics::set_global_recorder(Only(Arc::clone(&seen)))
            .ok()
            .context("another recorder is installed")?;
        Ok(seen)
    }

    pub(crate) fn reset(&self) {
        for number in [&self.count, &self.longest, &self.over] {
            number.store(0, Ordering::Relaxed);
        }
    }

    /// The longest, and how many lasted over the limit.
    pub(crate) fn tell(&self) -> [String; 2] {
        let longest = Duration::from_nanos(self.longest.load(Ordering::Relaxed));
        let (count, over) = (
            self.count.load(Ordering::Relaxed),
            self.over.load(Ordering::Relaxed),
        );
        if count == 0 {
            return ["?".to_owned(), "?".to_owned()];
        }
        [
            format!("{:.1} ms", longest.as_secs_f64() * 1000.0),
            format!("{over} of {count}"),
        ]
    }
}

/// Records write transactions only.
struct Only(Arc<Seen>);

impl Recorder for Only {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        if key.name() == "database_write_seconds" {
            Histogram::from_arc(Arc::clone(&self.0))
        } else {
            Histogram::noop()
        }
    }
}
