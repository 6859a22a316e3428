//! What must be free before an exchange may begin: turn, place, a line that
//! answers. All of it is in memory; nothing here holds a lock while it waits.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout_at},
};

use super::{
    breaker::{Admission, Breaker, Health},
    quota::Scope,
    rate::Rate,
};
use crate::platform::config::bureau::BureauConfig;

/// The gate of one line.
pub(super) struct Gate {
    bureau: String,
    breaker: Mutex<Breaker>,
    /// Rings whenever the breaker has taken in news.
    news: Notify,
    places: Arc<Semaphore>,
    concurrency: u16,
    rates: [(Scope, Rate); 3],
}

/// Why the gate lets nobody in before the deadline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shut {
    /// All places are taken.
    Busy,
    /// The breaker is open, for so long at least.
    Failing(Duration),
    /// Asked too fast; there is a turn after so long.
    TooFast(Scope, Duration),
}

/// A place on the line, given back when dropped, together with what was learnt
/// about the line.
pub(super) struct Place {
    gate: Arc<Gate>,
    probe: bool,
    health: Health,
    _place: OwnedSemaphorePermit,
}

impl Gate {
    pub(super) fn new(config: &BureauConfig) -> Self {
        let limits = &config.limits;
        Self {
            bureau: config.id.clone(),
            breaker: Mutex::new(Breaker::new(config.breaker)),
            news: Notify::new(),
            places: Arc::new(Semaphore::new(limits.concurrency.into())),
            concurrency: limits.concurrency,
            rates: [
                (Scope::Operator, Rate::new(limits.operator)),
                (Scope::Institution, Rate::new(limits.institution)),
                (Scope::Bureau, Rate::new(limits.bureau)),
            ],
        }
    }

    /// Waits for turn, place and breaker, until the deadline at most. `holders`
    /// are operator, institution and bureau. May be dropped at any time.
    pub(super) async fn enter(
        self: &Arc<Self>,
        holders: &[String; 3],
        deadline: Instant,
    ) -> Result<Place, Shut> {
        let [operator, institution, bureau] = &self.rates;
        // Own turns first: who waits for them holds no place that others want.
        turn(operator, &holders[0], deadline).await?;
        turn(institution, &holders[1], deadline).await?;
        let places = Arc::clone(&self.places);
        let place = match timeout_at(deadline, places.acquire_owned()).await {
            Ok(Ok(place)) => place,
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => return Err(Shut::Busy),
        };
        turn(bureau, &holders[2], deadline).await?;
        let probe = self.pass_breaker(deadline).await?;
        self.in_flight_gauge().increment(1.0);
        Ok(Place {
            gate: Arc::clone(self),
            probe,
            health: Health::Untried,
            _place: place,
        })
    }

    /// Exchanges on the line now.
    pub(super) fn in_flight(&self) -> usize {
        usize::from(self.concurrency).saturating_sub(self.places.available_permits())
    }

    /// The breaker's state, by name.
    pub(super) fn breaker_name(&self) -> &'static str {
        self.breaker().name(Instant::now())
    }

    fn in_flight_gauge(&self) -> metrics::Gauge {
        metrics::gauge!("bureau_in_flight", "bureau" => self.bureau.clone())
    }

    async fn pass_breaker(&self, deadline: Instant) -> Result<bool, Shut> {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // News between the question and the wait must not be missed.
            news.as_mut().enable();
            let now = Instant::now();
            let admission = self.breaker().admit(now);
            match admission {
                Admission::Go { probe } => return Ok(probe),
                Admission::NotBefore(at) if at >= deadline => {
                    return Err(Shut::Failing(at - now));
                }
                Admission::NotBefore(at) => {
                    // Either way, ask again.
                    let _ = timeout_at(at, news).await;
                }
                Admission::AfterProbe => {
                    if timeout_at(deadline, news).await.is_err() {
                        return Err(Shut::Failing(Duration::ZERO));
                    }
                }
            }
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Takes note of how the exchange went.
    pub(super) fn learn(&mut self, health: Health) {
        self.health = health;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let gate = &self.gate;
        let closed = {
            let (mut breaker, now) = (gate.breaker(), Instant::now());
            breaker.report(self.probe, self.health, now);
            breaker.name(now) == "closed"
        };
        gate.news.notify_waiters();
        gate.in_flight_gauge().decrement(1.0);
        metrics::gauge!("bureau_breaker_open", "bureau" => gate.bureau.clone()).set(if closed {
            0.0
        } else {
            1.0
        });
    }
}

async fn turn(
    (scope, rate): &(Scope, Rate),
    holder: &String,
    deadline: Instant,
) -> Result<(), Shut> {
    while let Err(wait) = rate.take(holder) {
        if Instant::now() + wait > deadline {
            return Err(Shut::TooFast(*scope, wait));
        }
        sleep(wait).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::bureau::tests::plain;

    fn gate(limits: &str) -> Arc<Gate> {
        let mut config = plain();
        config.limits = toml::from_str(limits).unwrap();
        config.breaker.failures_in_a_row = 1;
        config.breaker.open_seconds = 30;
        Arc::new(Gate::new(&config))
    }

    fn holders(operator: &str) -> [String; 3] {
        [operator, "demo-bank", "pboc"].map(str::to_owned)
    }

    fn within(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_too_fast_waits_or_hears_how_long_it_would_be() {
        let gate = gate("operator.per_minute = 2");
        let one = holders("one");
        let started = Instant::now();
        drop(gate.enter(&one, within(0)).await.ok().unwrap());
        let shut = gate.enter(&one, within(29)).await.err();
        assert_eq!(
            shut,
            Some(Shut::TooFast(Scope::Operator, Duration::from_secs(30)))
        );
        assert!(gate.enter(&holders("two"), within(0)).await.is_ok());
        assert!(gate.enter(&one, within(31)).await.is_ok());
        assert_eq!(started.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_given_back_also_by_who_stops_waiting() {
        let gate = gate("concurrency = 1");
        let one = holders("one");
        let place = gate.enter(&one, within(1)).await.ok().unwrap();
        assert_eq!(gate.in_flight(), 1);
        assert_eq!(gate.enter(&one, within(1)).await.err(), Some(Shut::Busy));
        let waiting = tokio::spawn({
            let (gate, one) = (Arc::clone(&gate), one.clone());
            async move { gate.enter(&one, within(3600)).await.is_ok() }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        drop(place);
        assert_eq!(gate.in_flight(), 0);
        assert!(gate.enter(&one, within(0)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_line_is_probed_once_and_opens_for_all_when_it_answers() {
        let gate = gate("concurrency = 8");
        let one = holders("one");
        let mut place = gate.enter(&one, within(1)).await.ok().unwrap();
        place.learn(Health::Fails);
        drop(place);
        assert_eq!(gate.breaker_name(), "open");
        let shut = gate.enter(&one, within(5)).await.err();
        assert_eq!(shut, Some(Shut::Failing(Duration::from_secs(30))));
        let mut probe = gate.enter(&one, within(60)).await.ok().unwrap();
        assert_eq!(gate.breaker_name(), "half_open");
        assert_eq!(
            gate.enter(&one, within(5)).await.err(),
            Some(Shut::Failing(Duration::ZERO))
        );
        let waiting = tokio::spawn({
            let (gate, one) = (Arc::clone(&gate), one.clone());
            async move { gate.enter(&one, within(60)).await.is_ok() }
        });
        tokio::task::yield_now().await;
        probe.learn(Health::Answers);
        drop(probe);
        assert!(waiting.await.unwrap());
        assert_eq!(gate.breaker_name(), "closed");
    }
}
