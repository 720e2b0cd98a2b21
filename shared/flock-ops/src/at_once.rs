//! Many pieces of one work.

use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};

use crate::Result;

/// Pieces that are under way at once: enough that a far table is not waited for by each, and few for a table.
pub(crate) const AT_ONCE: usize = 16;

/// Does all pieces, until one fails. What is under way by then is finished: nothing is cut off in the middle. The error is that of the
/// piece that failed first.
pub(crate) async fn all(pieces: Vec<BoxFuture<'_, Result<()>>>) -> Result<()> {
    let mut pieces = pieces.into_iter();
    let mut under_way: FuturesUnordered<_> = pieces.by_ref().take(AT_ONCE).collect();
    let mut result = Ok(());
    while let Some(done) = under_way.next().await {
        result = result.and(done);
        if result.is_ok() {
            under_way.extend(pieces.next());
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures_util::FutureExt as _;

    use super::*;
    use crate::Error;

    #[test]
    fn what_has_begun_is_finished_and_nothing_begins_after_an_error() {
        let (begun, finished) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
        let pieces = (0..100).map(|number| -> BoxFuture<'_, _> {
            Box::pin(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                if number == 3 {
                    return Err(Error::refused("the fourth".to_owned()));
                }
                go_last().await;
                finished.fetch_add(1, Ordering::Relaxed);
                if number == 4 { Err(Error::refused("the fifth".to_owned())) } else { Ok(()) }
            })
        });
        let mut work = pin!(all(pieces.collect()));
        let result = (0..100).find_map(|_| work.as_mut().now_or_never()).expect("it ends");
        assert_eq!(result.unwrap_err().to_string(), "the fourth");
        assert_eq!((begun.load(Ordering::Relaxed), finished.load(Ordering::Relaxed)), (16, 15));
    }

    #[test]
    fn no_more_are_under_way_than_may_be() {
        let begun = &AtomicUsize::new(0);
        let pieces = (0..100).map(|number| -> BoxFuture<'_, _> {
            Box::pin(async move {
                begun.fetch_add(1, Ordering::Relaxed);
                if number == 0 { Ok(()) } else { pending().await }
            })
        });
        assert!(all(pieces.collect()).now_or_never().is_none());
        assert_eq!(begun.load(Ordering::Relaxed), AT_ONCE + 1);
    }

    /// Lets the others go first, once.
    async fn go_last() {
        let mut yielded = false;
        std::future::poll_fn(|context| {
            if yielded {
                return std::task::Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }
}
