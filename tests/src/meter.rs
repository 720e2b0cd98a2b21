//! A meter before one server: every byte of both directions passes, and is counted.
//!
//! It knows of HTTP only how a request begins, so what it counts is what went over the wire, without TLS.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A meter that runs until it is dropped.
#[derive(Debug)]
pub struct Meter {
    address: SocketAddr,
    count: Arc<Mutex<Metered>>,
    task: JoinHandle<()>,
}

/// What passed a meter.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Metered {
    /// Method and target of each request, without its query, such as `POST /xrpc/...`.
    pub requests: Vec<String>,
    /// Bytes of requests.
    pub sent: usize,
    /// Bytes of answers.
    pub received: usize,
}

impl Meter {
    /// Starts a meter at `address` (port 0: a free one) before `upstream`, `127.0.0.1:PORT`.
    pub async fn start(address: SocketAddr, upstream: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let count = Arc::new(Mutex::new(Metered::default()));
        let counting = Arc::clone(&count);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream, Arc::clone(&counting)));
            }
        });
        Ok(Self { address, count, task })
    }

    /// Its address, to use in place of the server's.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What passed since the last time this was asked.
    pub fn take(&self) -> Metered {
        std::mem::take(&mut *lock(&self.count))
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(count: &Mutex<Metered>) -> MutexGuard<'_, Metered> {
    count.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(client: TcpStream, upstream: SocketAddr, count: Arc<Mutex<Metered>>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    // Small requests must not wait for one another's acknowledgements.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (split(client), split(server));
    let mut begun = String::new();
    let asked = copy(from_client, to_server, |bytes| {
        let mut count = lock(&count);
        count.sent += bytes.len();
        count.requests.extend(request_lines(&mut begun, bytes));
    });
    let answered = copy(from_server, to_client, |bytes| lock(&count).received += bytes.len());
    tokio::join!(asked, answered);
}

async fn copy(
    mut from: ReadHalf<TcpStream>,
    mut to: WriteHalf<TcpStream>,
    mut count: impl FnMut(&[u8]),
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        count(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// The request lines that end in `bytes`; `begun` is what came before of the line it is in.
fn request_lines(begun: &mut String, bytes: &[u8]) -> Vec<String> {
    /// Longer than any line that begins a request of ours.
    const LONGEST: usize = 4_096;
    begun.push_str(&String::from_utf8_lossy(bytes));
    let mut found = Vec::new();
    while let Some((line, rest)) = begun.split_once('\n') {
        // A body does not end in a line feed, so what follows one stands in the same line as its end.
        if let Some(request) = line.trim_end().strip_suffix(" HTTP/1.1") {
            let space = request.rfind(" /").unwrap_or_default();
            let method = request[..space].bytes().rev().take_while(u8::is_ascii_uppercase);
            let target = &request[space - method.count()..];
            found.push(target.split('?').next().unwrap_or_default().to_owned());
        }
        *begun = rest.to_owned();
    }
    if LONGEST < begun.len() {
        let mut cut = begun.len() - LONGEST;
        while !begun.is_char_boundary(cut) {
            cut += 1;
        }
        begun.drain(..cut);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_known_by_their_first_line() {
        let mut begun = String::new();
        let mut seen = Vec::new();
        let wire = "POST /a?b=c HTTP/1.1\r\nhost: x\r\n\r\n{\"a\": 1}GET /d HTTP/1.1\r\n\r\n";
        for byte in wire.as_bytes() {
            seen.extend(request_lines(&mut begun, &[*byte]));
        }
        // A picture, and a request after it.
        seen.extend(request_lines(&mut begun, b"\x89PNG\n\xff\xfeGET /e HTTP/1.1\r\n"));
        assert_eq!(seen, ["POST /a", "GET /d", "GET /e"]);
    }

    #[tokio::test]
    async fn what_passes_is_counted() {
        let x = crate::X::start("ck").await;
        let upstream = x.url().trim_start_matches("http://").parse().unwrap();
        let meter = Meter::start("127.0.0.1:0".parse().unwrap(), upstream).await.unwrap();
        let status = reqwest::get(format!("{}/2/users/1/tweets?a=b", meter.url())).await;
        assert_eq!(status.unwrap().status(), 401);
        let metered = meter.take();
        assert_eq!(metered.requests, ["GET /2/users/1/tweets"]);
        assert!(40 < metered.sent && 100 < metered.received, "{metered:?}");
        assert_eq!(meter.take(), Metered::default());
    }
}
