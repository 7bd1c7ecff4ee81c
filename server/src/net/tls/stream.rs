//! A connection, encrypted or not.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use tokio_rustls::TlsStream;

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// As it is.
    Plain(TcpStream),
    /// With TLS, after the handshake.
    Secure(Box<Secure>),
}

/// The reading half.
#[derive(Debug)]
pub enum Reader {
    /// Of a plain connection.
    Plain(OwnedReadHalf),
    /// Of one with TLS.
    Secure(ReadHalf<Secure>),
}

/// The writing half.
#[derive(Debug)]
pub enum Writer {
    /// Of a plain connection.
    Plain(OwnedWriteHalf),
    /// Of one with TLS.
    Secure(WriteHalf<Secure>),
}

/// TLS as a socket behaves: what was written is with the system, not waiting here for a flush that
/// nobody who writes to sockets thinks of.
#[derive(Debug)]
pub struct Secure {
    inner: TlsStream<TcpStream>,
    /// So much was taken of a write that is not finished.
    taken: Option<usize>,
}

impl Stream {
    /// TLS after its handshake.
    #[must_use]
    pub fn secure(inner: TlsStream<TcpStream>) -> Stream {
        Stream::Secure(Box::new(Secure { inner, taken: None }))
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        matches!(self, Stream::Secure(_))
    }

    /// Without it packets wait for others.
    ///
    /// # Errors
    /// The system's.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.socket().set_nodelay(on)
    }

    /// What is below it, for its options.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        match self {
            Stream::Plain(stream) => stream,
            Stream::Secure(secure) => secure.inner.get_ref().0,
        }
    }

    /// Both halves, for two who do not wait for each other.
    #[must_use]
    pub fn into_split(self) -> (Reader, Writer) {
        match self {
            Stream::Plain(stream) => {
                let (read, write) = stream.into_split();
                (Reader::Plain(read), Writer::Plain(write))
            }
            Stream::Secure(secure) => {
                let (read, write) = tokio::io::split(*secure);
                (Reader::Secure(read), Writer::Secure(write))
            }
        }
    }
}

impl AsyncRead for Secure {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Secure {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = match self.taken {
            Some(taken) => taken,
            None => ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?,
        };
        self.taken = Some(taken);
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.taken = None;
        Poll::Ready(Ok(taken.min(buf.len())))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

macro_rules! both {
    (read $kind:ident) => {
        impl AsyncRead for $kind {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    $kind::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
                    $kind::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
                }
            }
        }
    };
    (write $kind:ident) => {
        impl AsyncWrite for $kind {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    $kind::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
                    $kind::Secure(stream) => Pin::new(stream).poll_write(cx, buf),
                }
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    $kind::Plain(stream) => Pin::new(stream).poll_flush(cx),
                    $kind::Secure(stream) => Pin::new(stream).poll_flush(cx),
                }
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() {
                    $kind::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
                    $kind::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
                }
            }
        }
    };
}

both!(read Stream);
both!(write Stream);
both!(read Reader);
both!(write Writer);
