//! Threads for what may block: so many at once, so many waiting, then 503.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::model::problem::{Code, Problem};

/// A bounded pool. The threads are the runtime's own for blocking work.
#[derive(Debug)]
pub struct Pool {
    room: Arc<Semaphore>,
    waits: AtomicUsize,
    most: usize,
}

/// Counts one that waits, as long as it does.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pool {
    /// With room for so many at once and so many waiting.
    pub fn new(threads: usize, most: usize) -> Pool {
        Pool { room: Arc::new(Semaphore::new(threads)), waits: AtomicUsize::new(0), most }
    }

    /// A place; given back when it is dropped.
    ///
    /// # Errors
    /// As many wait as may.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, Box<Problem>> {
        if let Ok(place) = Arc::clone(&self.room).try_acquire_owned() {
            return Ok(place);
        }
        let before = self.waits.fetch_add(1, Ordering::SeqCst);
        let _waits = Waits(&self.waits);
        if before >= self.most {
            return Err(busy());
        }
        Arc::clone(&self.room).acquire_owned().await.map_err(|_| busy())
    }

    /// Runs a job on a thread.
    ///
    /// # Errors
    /// As many wait as may, or the job panicked.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Box<Problem>> {
        let place = self.enter().await?;
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            job()
        });
        done.await.map_err(|_| {
            Problem::boxed(
                Code::Failed,
                "The program failed at this request.",
                "Try again; if it fails again, report it with the program's version.",
            )
        })
    }
}

fn busy() -> Box<Problem> {
    let busy = Problem::new(Code::Unavailable, "Too many requests are under way.", "Try again in a few seconds.");
    Box::new(busy.retry(2))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn one_more_than_may_wait_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let pool = Pool::new(1, 1);
            let (go, wait) = mpsc::channel::<()>();
            let under_way = pool.run(move || wait.recv());
            tokio::pin!(under_way);
            let first = async { under_way.as_mut().await };
            let second = pool.run(|| 2);
            let third = async {
                let refused = pool.run(|| 3).await.unwrap_err();
                assert_eq!((refused.status, refused.retry_after), (503, Some(2)));
                go.send(()).unwrap();
            };
            // Polled in this order: the first takes the thread, the second waits, the third is one too many.
            let (first, second, ()) = futures_join(first, second, third).await;
            assert!(first.unwrap().is_ok());
            assert_eq!(second.unwrap(), 2);
        });
    }

    async fn futures_join<A, B, C>(a: impl Future<Output = A>, b: impl Future<Output = B>, c: impl Future<Output = C>) -> (A, B, C) {
        let (mut a, mut b, mut c) = (Box::pin(a), Box::pin(b), Box::pin(c));
        let (mut x, mut y, mut z) = (None, None, None);
        std::future::poll_fn(move |cx| {
            use std::task::Poll;
            if x.is_none()
                && let Poll::Ready(v) = a.as_mut().poll(cx)
            {
                x = Some(v);
            }
            if y.is_none()
                && let Poll::Ready(v) = b.as_mut().poll(cx)
            {
                y = Some(v);
            }
            if z.is_none()
                && let Poll::Ready(v) = c.as_mut().poll(cx)
            {
                z = Some(v);
            }
            if x.is_some() && y.is_some() && z.is_some() {
                return Poll::Ready((x.take().unwrap(), y.take().unwrap(), z.take().unwrap()));
            }
            Poll::Pending
        })
        .await
    }

    #[test]
    fn a_panic_is_one_requests_alone() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let pool = Pool::new(1, 0);
            assert_eq!(pool.run(|| -> u8 { panic!("boom") }).await.unwrap_err().status, 500);
            assert_eq!(pool.run(|| 1).await.unwrap(), 1);
        });
    }
}
