//! Patience with whoever does not read: a write that gets nowhere for some time ends the connection.
//!
//! Reading is not limited here: heads and bodies have times of their own, and a listener to events says nothing for hours.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A connection whose other end must read.
pub struct Patient<I> {
    io: I,
    patience: Duration,
    /// Running while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<I> Patient<I> {
    /// Waits so long for each write.
    pub fn new(io: I, patience: Duration) -> Self {
        Self { io, patience, waiting: None }
    }

    /// Gives what a write came to; while it waits, the time runs.
    fn wait<T>(&mut self, cx: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.waiting = None;
            return write;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(cx));
        // Whoever writes on all the same is refused at once again.
        waiting.as_mut().reset(Instant::now());
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Patient<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(cx, into)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Patient<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.wait(cx, write)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let write = Pin::new(&mut this.io).poll_write_vectored(cx, parts);
        this.wait(cx, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flush = Pin::new(&mut this.io).poll_flush(cx);
        this.wait(cx, flush)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shutdown = Pin::new(&mut this.io).poll_shutdown(cx);
        this.wait(cx, shutdown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn whoever_does_not_read_is_left_after_a_while() {
        run(async {
            let (near, mut far) = duplex(8);
            let mut patient = Patient::new(near, Duration::from_millis(50));
            patient.write_all(b"12345678").await.unwrap();
            for _ in 0..2 {
                let error = patient.write_all(b"9").await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TimedOut);
            }
            let mut read = [0; 8];
            far.read_exact(&mut read).await.unwrap();
            patient.write_all(b"9").await.unwrap();
        });
    }

    #[test]
    fn whoever_reads_slowly_but_reads_is_served() {
        run(async {
            let (near, mut far) = duplex(1);
            let mut patient = Patient::new(near, Duration::from_millis(200));
            let reading = async {
                let mut all = Vec::new();
                for _ in 0..8 {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    all.push(far.read_u8().await.unwrap());
                }
                all
            };
            let (written, read) = tokio::join!(patient.write_all(b"12345678"), reading);
            written.unwrap();
            assert_eq!(read, b"12345678");
        });
    }
}
