//! Waiting for what wakes too often.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Between two looks; the shortest that the timer knows.
const ROUND: Duration = Duration::from_millis(1);

/// Awaits a future without being woken by it: it is looked at once a round.
///
/// The rows of a query come from SQLite's thread one by one, each waking the
/// task that collects them. To be woken costs more than to read a row: two
/// threads that do so for hundreds of rows do little else.
pub(super) async fn in_rounds<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let looked = {
            let mut unwoken = Context::from_waker(Waker::noop());
            future.as_mut().poll(&mut unwoken)
        };
        if let Poll::Ready(output) = looked {
            return output;
        }
        tokio::time::sleep(ROUND).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ends_when_the_future_does() {
        assert_eq!(in_rounds(async { 1 }).await, 1);
        let (to, from) = tokio::sync::oneshot::channel();
        let (sent, got) = tokio::join!(async { to.send(2) }, in_rounds(from));
        assert_eq!((sent, got), (Ok(()), Ok(2)));
    }
}
