//! Listener and connections.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};
use tracing::debug;

use crate::{
    bureau::Bureau,
    faults::Fault,
    http::{self, Incoming},
    tls::FaultKey,
};

/// An open bureau that still has to be run.
pub(crate) struct Doors {
    pub(crate) address: SocketAddr,
    /// Whether it listens at the moment.
    pub(crate) listening: watch::Receiver<bool>,
    pub(crate) task: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Takes the port and listens.
pub(crate) fn open(bureau: Arc<Bureau>) -> io::Result<Doors> {
    // Bound and never listening: while the listener is away nobody else gets the
    // port, and whoever connects to it is refused.
    let reserve = bound(bureau.config.listen)?;
    let address = reserve.local_addr()?;
    let listener = bound(address)?.listen(BACKLOG)?;
    let (says, listening) = watch::channel(true);
    let task = Box::pin(run(bureau, reserve, listener, says));
    Ok(Doors {
        address,
        listening,
        task,
    })
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn run(
    bureau: Arc<Bureau>,
    reserve: TcpSocket,
    listener: TcpListener,
    says: watch::Sender<bool>,
) {
    let Ok(address) = reserve.local_addr() else {
        return;
    };
    let mut door = bureau.switchboard.door();
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let open = door.borrow_and_update().open;
        if open != listener.is_some() {
            listener = open
                .then(|| {
                    bound(address)
                        .and_then(|socket| socket.listen(BACKLOG))
                        .ok()
                })
                .flatten();
            says.send_replace(listener.is_some());
        }
        let Some(listening) = &listener else {
            if door.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            _ = door.changed() => {}
            Some(_) = connections.join_next() => {}
            accepted = listening.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(connection(bureau.clone(), stream)); }
                Err(error) => debug!(%error, "cannot accept"),
            },
        }
    }
}

async fn connection(bureau: Arc<Bureau>, stream: TcpStream) {
    // Before the fault is drawn: one that is set in between then ends us.
    let mut door = bureau.switchboard.door();
    let (generation, idle) = {
        let door = door.borrow_and_update();
        (door.generation, door.idle.downgrade())
    };
    let changed = async move {
        // An error means that the bureau is gone, and this task with it.
        let _ = door.wait_for(|door| door.generation != generation).await;
    };
    let fault = bureau.switchboard.at_connection();
    // A delayed small packet would be measured as the bureau's slowness.
    let _ = stream.set_nodelay(true);
    if fault == Some(Fault::ResetConnection) {
        let _ = stream.set_zero_linger();
        return;
    }
    let Some(acceptors) = &bureau.acceptors else {
        return converse(&bureau, stream, changed, idle).await;
    };
    let Some(acceptor) = acceptors.get(&fault.and_then(FaultKey::of)) else {
        return;
    };
    match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => converse(&bureau, stream, changed, idle).await,
        Err((error, stream)) => {
            debug!(%error, "handshake failed");
            linger(stream).await;
        }
    }
}

/// Requests and replies until one side ends it; between two of them, `changed` does.
async fn converse(
    bureau: &Bureau,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    changed: impl Future<Output = ()>,
    idle: mpsc::WeakSender<Infallible>,
) {
    let mut changed = pin!(changed);
    let mut buffer = Vec::new();
    let mut resting = None;
    loop {
        if buffer.is_empty() {
            // Held through the break, until the peer has closed too.
            resting = idle.upgrade();
            tokio::select! {
                biased;
                () = &mut changed => break,
                first = stream.read_buf(&mut buffer) => match first {
                    Ok(read) if read > 0 => {}
                    _ => return,
                },
            }
            resting = None;
        }
        let cut = || bureau.switchboard.at_upload();
        let mut request = match http::read(&mut stream, &mut buffer, cut).await {
            Incoming::Closed => return,
            Incoming::Partial(seen) => return bureau.remember_partial(&seen),
            Incoming::Whole(request) => request,
        };
        let Some(reply) = bureau.answer(&mut request) else {
            return;
        };
        if reply.send(&mut stream).await.is_err() || !reply.goodbye {
            return;
        }
        if !request.keep_alive || reply.claimed_length.is_some() {
            break;
        }
    }
    linger(stream).await;
    drop(resting);
}

/// Reads what is still under way, so that closing does not reset the
/// connection before the peer has read our last words.
async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = stream.shutdown().await;
    let mut sink = [0; 1024];
    let drain = async { while matches!(stream.read(&mut sink).await, Ok(read) if read > 0) {} };
    let _ = timeout(LINGER, drain).await;
}

const BACKLOG: u32 = 1024;
pub(crate) const LINGER: Duration = Duration::from_secs(2);
