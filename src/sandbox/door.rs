//! The port of one node: opened, closed like a killed process closes it, and
//! opened again on the same number.
//!
//! Knows HTTP, and nothing of what the answers mean.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::call::{Call, Payload};

/// The connection is to be closed without an answer.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection cut")
    }
}

impl std::error::Error for Cut {}

/// An answer on its way out.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Payload>,
    pub(super) pace: Pace,
}

/// How the body of an answer comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once.
    #[default]
    Whole,
    /// Byte by byte.
    Trickling,
    /// To its middle; then the connection breaks.
    Broken,
    /// Again and again.
    Endless,
}

/// The port of one node.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    listener: Mutex<Option<TcpListener>>,
    /// Told each time the door closes: every connection then ends at once.
    closings: watch::Sender<()>,
}

impl Door {
    /// Takes a port, any free one for 0. Connections wait until `serve`.
    pub(super) fn bind(port: u16) -> io::Result<Door> {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        Ok(Door {
            address: listener.local_addr()?,
            listener: Mutex::new(Some(listener)),
            closings: watch::Sender::new(()),
        })
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes the port again after `close`.
    pub(super) fn open(&self) -> io::Result<()> {
        *held(&self.listener) = Some(listen(self.address)?);
        Ok(())
    }

    /// Gives the port back and cuts every connection. From here on, connecting is refused.
    pub(super) fn close(&self) {
        drop(held(&self.listener).take());
        self.closings.send_replace(());
    }

    /// Answers requests until the door closes.
    pub(super) fn serve<A, F>(self: &Arc<Self>, answer: A) -> impl Future<Output = ()> + use<A, F>
    where
        A: Fn(Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Cut>> + Send + 'static,
    {
        let door = Arc::clone(self);
        let mut closed = door.closings.subscribe();
        async move {
            loop {
                let stream = tokio::select! {
                    _ = closed.changed() => return,
                    stream = door.accept() => stream,
                };
                let Ok(stream) = stream else { return };
                let (answer, mut closed) = (answer.clone(), door.closings.subscribe());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = closed.changed() => {}
                        () = converse(stream, answer) => {}
                    }
                });
            }
        }
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = std::future::poll_fn(|context| match &*held(&self.listener) {
            Some(listener) => listener.poll_accept(context),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        })
        .await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Answers the requests of one connection.
async fn converse<A, F>(stream: TcpStream, answer: A)
where
    A: Fn(Call) -> F,
    F: Future<Output = Result<Answer, Cut>>,
{
    let service = service_fn(|request: Request<Incoming>| {
        let answer = &answer;
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
            let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
            let own = head.headers.get("consistency").is_some_and(|value| value == "false");
            let call = Call::new(head.method.as_str(), target, own, body);
            response(answer(call).await?)
        }
    });
    // An error here is a connection that broke, which is what was wanted or the client's doing.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// How long is waited after each byte of a body that trickles.
const DRIP: Duration = Duration::from_millis(5);

fn response(answer: Answer) -> Result<Response<Body>, Cut> {
    let mut response = Response::builder().status(answer.status);
    let bytes = match answer.body {
        None => Bytes::new(),
        Some(Payload::Json(text)) => {
            response = response.header("content-type", "application/json");
            text.into()
        }
        Some(Payload::Message(message)) => {
            response = response.header("content-type", "application/proto");
            message.into()
        }
    };
    let frame = |bytes| Ok::<_, Cut>(Frame::data(bytes));
    let body: Body = match answer.pace {
        Pace::Whole => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
        Pace::Trickling => StreamBody::new(stream::iter(bytes).then(move |byte| async move {
            tokio::time::sleep(DRIP).await;
            frame(Bytes::copy_from_slice(&[byte]))
        }))
        .boxed_unsync(),
        Pace::Broken => {
            let half = bytes.slice(..bytes.len() / 2);
            StreamBody::new(stream::iter([frame(half), Err(Cut)])).boxed_unsync()
        }
        Pace::Endless => {
            let again = bytes.repeat(1 + (1 << 16) / bytes.len().max(1));
            let again = Bytes::from(again);
            StreamBody::new(stream::repeat_with(move || frame(again.clone()))).boxed_unsync()
        }
    };
    response.body(body).map_err(|_| Cut)
}

type Body = UnsyncBoxBody<Bytes, Cut>;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Locks; a panic elsewhere while it was held does not matter to what is stored here.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
