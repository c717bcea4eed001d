//! Repeated `Idempotency-Key`s at a proxy: the call takes effect once, and its response is replayed.
//!
//! Browsers repeat even a POST by themselves when a reused connection dies before the response. Only the server
//! can recognise the repetition.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex};

use partway_models::wire::Response;
use tokio::sync::OnceCell;

/// How many keys are kept; the oldest are dropped first. (A choice: far more than a test makes.)
const CAPACITY: usize = 10_000;

/// The responses of calls that took effect, by key.
#[derive(Debug, Default)]
pub(crate) struct IdempotencyStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    calls: HashMap<String, Arc<Call>>,
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Call {
    /// Method, service and path: a key belongs to one call.
    name: String,
    response: OnceCell<Response>,
}

/// The result of a call with a key.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The call was executed.
    Executed(Response),
    /// The call was a repetition: this is the response of the first one.
    Replayed(Response),
    /// The key was sent with another call before.
    KeyReused {
        /// The other call.
        first: String,
    },
}

impl IdempotencyStore {
    /// Runs the call `name`, unless a call with this key took effect; a repetition waits for one that is running.
    /// A call that was refused (status 400 and above) had no effect, so a repetition runs again.
    ///
    /// The call runs to its end even if the client disconnects.
    pub(crate) async fn once<F>(&self, key: &str, name: &str, run: F) -> Outcome
    where
        F: Future<Output = Response> + Send + 'static,
    {
        let call = self.call(key, name);
        if call.name != name {
            return Outcome::KeyReused { first: call.name.clone() };
        }
        let running = tokio::spawn(async move {
            let mut run = Some(run);
            let response = call
                .response
                .get_or_try_init(|| async {
                    let response = match run.take() {
                        Some(run) => run.await,
                        None => return Err(Response::empty(500)),
                    };
                    if response.status < 400 { Ok(response) } else { Err(response) }
                })
                .await
                .cloned();
            match (response, run) {
                (Ok(response), Some(_)) => Outcome::Replayed(response),
                (Ok(response), None) | (Err(response), _) => Outcome::Executed(response),
            }
        });
        running.await.unwrap_or_else(|_| Outcome::Executed(Response::empty(500)))
    }

    /// Removes all keys.
    pub(crate) fn clear(&self) {
        *self.inner.lock().expect("idempotency keys") = Inner::default();
    }

    fn call(&self, key: &str, name: &str) -> Arc<Call> {
        let mut inner = self.inner.lock().expect("idempotency keys");
        if let Some(call) = inner.calls.get(key) {
            return call.clone();
        }
        let call = Arc::new(Call { name: name.to_owned(), response: OnceCell::new() });
        inner.calls.insert(key.to_owned(), call.clone());
        inner.order.push_back(key.to_owned());
        if inner.order.len() > CAPACITY
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

    fn response(status: u16, n: u64) -> Response {
        Response::json(status, &serde_json::json!({ "n": n }))
    }

    #[tokio::test(start_paused = true)]
    async fn repetitions_wait_for_the_first_response_and_get_it() {
        let (store, runs) = (Arc::new(IdempotencyStore::default()), Arc::new(AtomicU64::new(0)));
        let call = || {
            let (store, runs) = (store.clone(), runs.clone());
            tokio::spawn(async move {
                let run = async move {
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    response(200, runs.fetch_add(1, Ordering::Relaxed))
                };
                store.once("k", "POST ofauth /init", run).await
            })
        };
        let (one, two) = (call(), call());
        let outcomes = [one.await.unwrap(), two.await.unwrap()];
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Replayed(response(200, 0))).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Executed(response(200, 0))).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_replayed_and_a_key_belongs_to_one_call() {
        let store = IdempotencyStore::default();
        assert_eq!(store.once("k", "a", async { response(429, 1) }).await, Outcome::Executed(response(429, 1)));
        assert_eq!(store.once("k", "a", async { response(200, 2) }).await, Outcome::Executed(response(200, 2)));
        assert_eq!(store.once("k", "a", async { response(200, 3) }).await, Outcome::Replayed(response(200, 2)));
        assert_eq!(store.once("k", "b", async { response(200, 4) }).await, Outcome::KeyReused { first: "a".into() });
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_client_disconnected_is_replayed() {
        let store = IdempotencyStore::default();
        let slow = store.once("k", "a", async {
            tokio::time::sleep(Duration::from_millis(40)).await;
            response(200, 1)
        });
        assert!(tokio::time::timeout(Duration::from_millis(5), slow).await.is_err());
        assert_eq!(store.once("k", "a", async { response(200, 2) }).await, Outcome::Replayed(response(200, 1)));
    }
}
