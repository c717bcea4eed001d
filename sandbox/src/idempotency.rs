//! What a proxy does with a repeated `Idempotency-Key`: the call takes effect once, its answer is given again.
//!
//! Browsers repeat even a POST by themselves when a kept connection dies before the answer. Only the
//! server can tell that the copy isn't meant.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex};

use partway_models::wire::Response;
use tokio::sync::OnceCell;

/// Older keys are forgotten beyond this.
const KEPT: usize = 10_000;

/// The answers of calls that took effect.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calls: HashMap<String, Arc<Call>>,
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Call {
    /// Method, vendor and path: a key belongs to one call.
    what: String,
    answer: OnceCell<Response>,
}

/// What came of a call with a key.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It ran.
    Ran(Response),
    /// It was a copy: this is the first one's answer.
    Copy(Response),
    /// The key was another call's.
    Misused {
        /// Whose it was.
        before: String,
    },
}

impl Answers {
    /// Runs the call `what`, unless one with this key took effect; a copy waits for one that still runs.
    /// A call that was refused (status 400 and above) had no effect, and runs again.
    ///
    /// The call goes on to its end even where the client leaves.
    pub(crate) async fn once<F>(&self, key: &str, what: &str, run: F) -> Outcome
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let call = self.call(key, what);
        if call.what != what {
            return Outcome::Misused { before: call.what.clone() };
        }
        let running = tokio::spawn(async move {
            let mut run = Some(run);
            let answer = call
                .answer
                .get_or_try_init(|| async {
                    let response = match run.take() {
                        Some(run) => run.await,
                        None => return Err(Response::empty(500)),
                    };
                    if response.status < 400 { Ok(response) } else { Err(response) }
                })
                .await
                .cloned();
            match (answer, run) {
                (Ok(answer), Some(_)) => Outcome::Copy(answer),
                (Ok(answer), None) | (Err(answer), _) => Outcome::Ran(answer),
            }
        });
        running.await.unwrap_or_else(|_| Outcome::Ran(Response::empty(500)))
    }

    /// Forgets all keys.
    pub(crate) fn clear(&self) {
        *self.inner.lock().expect("answers") = Inner::default();
    }

    fn call(&self, key: &str, what: &str) -> Arc<Call> {
        let mut inner = self.inner.lock().expect("answers");
        if let Some(call) = inner.calls.get(key) {
            return call.clone();
        }
        let call = Arc::new(Call { what: what.to_owned(), answer: OnceCell::new() });
        inner.calls.insert(key.to_owned(), call.clone());
        inner.order.push_back(key.to_owned());
        if inner.order.len() > KEPT
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.calls.remove(&oldest);
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    fn answer(status: u16, n: u64) -> Response {
        Response::json(status, &serde_json::json!({ "n": n }))
    }

    #[tokio::test]
    async fn copies_get_the_first_answer_and_wait_for_it() {
        let (answers, ran) = (Arc::new(Answers::default()), Arc::new(AtomicU64::new(0)));
        let call = || {
            let (answers, ran) = (answers.clone(), ran.clone());
            tokio::spawn(async move {
                let run = async move {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    answer(200, ran.fetch_add(1, Ordering::Relaxed))
                };
                answers.once("k", "POST ofauth /init", run).await
            })
        };
        let (one, two) = (call(), call());
        let outcomes = [one.await.unwrap(), two.await.unwrap()];
        assert_eq!(ran.load(Ordering::Relaxed), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Copy(answer(200, 0))).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Ran(answer(200, 0))).count(), 1);
    }

    #[tokio::test]
    async fn a_refusal_is_not_kept_and_a_key_is_of_one_call() {
        let answers = Answers::default();
        assert_eq!(answers.once("k", "a", async { answer(429, 1) }).await, Outcome::Ran(answer(429, 1)));
        assert_eq!(answers.once("k", "a", async { answer(200, 2) }).await, Outcome::Ran(answer(200, 2)));
        assert_eq!(answers.once("k", "a", async { answer(200, 3) }).await, Outcome::Copy(answer(200, 2)));
        assert_eq!(answers.once("k", "b", async { answer(200, 4) }).await, Outcome::Misused { before: "a".into() });
    }

    #[tokio::test]
    async fn a_call_whose_client_left_still_counts() {
        let answers = Answers::default();
        let slow = answers.once("k", "a", async {
            tokio::time::sleep(Duration::from_millis(40)).await;
            answer(200, 1)
        });
        assert!(tokio::time::timeout(Duration::from_millis(5), slow).await.is_err());
        assert_eq!(answers.once("k", "a", async { answer(200, 2) }).await, Outcome::Copy(answer(200, 1)));
    }
}
