//! Where a stand-in runs: one thread with its own runtime, so that stopping it ends every connection.
//!
//! A task that serves would not do: axum's connections outlive it, and a client's kept-alive connection
//! would still be answered by a server that is meant to be gone.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{Router, serve::ListenerExt as _};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

/// A running HTTP/1.1 server, stopped on drop.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    // Held for its `Drop`.
    _worker: Worker,
}

/// The runtime of a server; an `Option`, because ending it takes it by value.
#[derive(Debug)]
struct Worker(Option<Runtime>);

impl Server {
    /// Serves `router` on a free loopback port.
    pub(crate) async fn start(router: Router) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("stand-in")
            .enable_all()
            .build()
            .expect("a thread for a stand-in can be started");
        let handle = runtime.handle().clone();
        let worker = Worker(Some(runtime));
        let listener = handle
            .spawn(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .await
            .expect("binding does not panic")
            .expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        // Small answers must not wait for the client's delayed acknowledgement: starts are measured.
        let listener = listener.tap_io(|stream| {
            stream.set_nodelay(true).expect("a TCP socket takes TCP_NODELAY");
        });
        handle.spawn(async move { axum::serve(listener, router).await });
        Self { address, _worker: worker }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Sends a request to which no answer comes, though it is `done`: waited for as long as that takes, and then for a moment
/// more.
#[cfg(test)]
pub(crate) async fn unanswered(request: reqwest::RequestBuilder, done: impl Future<Output = ()>) {
    let mut sending = tokio::spawn(request.send());
    done.await;
    let answer = tokio::time::timeout(std::time::Duration::from_millis(100), &mut sending).await;
    assert!(answer.is_err(), "{answer:?}");
    sending.abort();
}

/// Until something is so.
#[cfg(test)]
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Not waiting for it: a test drops its servers inside a runtime, which must not block.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
