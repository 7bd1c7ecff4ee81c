//! The body of a request, piece by piece as it comes: never as a whole in memory.

use super::Bad;
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// About how large the pieces are.
const PIECE: usize = 64 * 1024;
/// The longest line between two chunks, and the longest trailer as a whole.
const LINE: usize = 4096;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// It has so many bytes.
    Length(u64),
    /// It comes in chunks.
    Chunks,
}

impl Default for Framing {
    fn default() -> Framing {
        Framing::Length(0)
    }
}

/// A connection to read from and to say "continue" on.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Why a body did not come as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The connection ended, or was silent for too long.
    #[error("the upload ended in the middle, after {0} bytes")]
    Ended(u64),
    /// The chunks are not well formed.
    #[error("the chunks of the upload are not well formed, after {0} bytes")]
    Malformed(u64),
}

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// So many bytes, and then the end.
    Bytes(u64),
    /// A chunk's length.
    ChunkLength,
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The end of its line.
    ChunkEnd,
    /// Lines after the last chunk, of which so many bytes have come.
    Trailer(usize),
    /// Nothing.
    End,
}

/// The body of one request.
pub struct Upload<'a> {
    wire: &'a mut dyn Wire,
    /// Came and was not used: `buffer[at..]`.
    buffer: Vec<u8>,
    at: usize,
    next: Next,
    /// The client sends it when it is told to.
    awaits_continue: bool,
    taken: u64,
    idle: Duration,
}

impl<'a> Upload<'a> {
    /// What follows a head; `begun` came together with it.
    #[must_use]
    pub fn new(
        wire: &'a mut dyn Wire,
        begun: Vec<u8>,
        framing: Framing,
        awaits_continue: bool,
        idle: Duration,
    ) -> Upload<'a> {
        Upload {
            wire,
            buffer: begun,
            at: 0,
            next: match framing {
                Framing::Length(0) => Next::End,
                Framing::Length(n) => Next::Bytes(n),
                Framing::Chunks => Next::ChunkLength,
            },
            awaits_continue,
            taken: 0,
            idle,
        }
    }

    /// How long it says that it is; `None` for one in chunks.
    #[must_use]
    pub fn announced(&self) -> Option<u64> {
        match self.next {
            Next::Bytes(left) => Some(self.taken + left),
            Next::End => Some(self.taken),
            Next::ChunkLength | Next::Chunk(_) | Next::ChunkEnd | Next::Trailer(_) => None,
        }
    }

    /// The next bytes; `None` at its end.
    ///
    /// # Errors
    /// [`Cut`]; nothing more can be read.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Cut> {
        loop {
            match self.next {
                Next::End => return Ok(None),
                Next::Bytes(left) => {
                    let piece = self.some(left).await?;
                    let left = left - piece.len() as u64;
                    self.next = match left {
                        0 => Next::End,
                        left => Next::Bytes(left),
                    };
                    return Ok(Some(piece));
                }
                Next::Chunk(left) => {
                    let piece = self.some(left).await?;
                    let left = left - piece.len() as u64;
                    self.next = match left {
                        0 => Next::ChunkEnd,
                        left => Next::Chunk(left),
                    };
                    return Ok(Some(piece));
                }
                Next::ChunkLength => {
                    let line = self.line().await?;
                    let digits = line.split(|b| *b == b';').next().unwrap_or_default();
                    let length = std::str::from_utf8(digits.trim_ascii())
                        .ok()
                        .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))
                        .and_then(|d| u64::from_str_radix(d, 16).ok());
                    self.next = match length {
                        None => return Err(Cut::Malformed(self.taken)),
                        Some(0) => Next::Trailer(0),
                        Some(n) => Next::Chunk(n),
                    };
                }
                Next::ChunkEnd => {
                    if !self.line().await?.is_empty() {
                        return Err(Cut::Malformed(self.taken));
                    }
                    self.next = Next::ChunkLength;
                }
                Next::Trailer(before) => {
                    let line = self.line().await?;
                    let came = before + line.len() + 1;
                    self.next = match line.is_empty() {
                        true => Next::End,
                        false if came > LINE => return Err(Cut::Malformed(self.taken)),
                        false => Next::Trailer(came),
                    };
                }
            }
        }
    }

    /// At least one byte, and at most so many.
    async fn some(&mut self, most: u64) -> Result<Vec<u8>, Cut> {
        if self.at == self.buffer.len() {
            self.fill().await?;
        }
        let here = self.buffer.len() - self.at;
        let n = usize::try_from(most).map_or(here, |most| here.min(most));
        let piece = self.buffer[self.at..self.at + n].to_vec();
        self.at += n;
        self.taken += n as u64;
        Ok(piece)
    }

    /// A line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Cut> {
        let mut line = Vec::new();
        loop {
            if self.at == self.buffer.len() {
                self.fill().await?;
            }
            let byte = self.buffer[self.at];
            self.at += 1;
            match byte {
                b'\n' => {
                    if line.last() == Some(&b'\r') {
                        line.pop();
                    }
                    return Ok(line);
                }
                _ if line.len() >= LINE => return Err(Cut::Malformed(self.taken)),
                byte => line.push(byte),
            }
        }
    }

    /// Reads more into the empty buffer.
    async fn fill(&mut self) -> Result<(), Cut> {
        let ended = Cut::Ended(self.taken);
        if std::mem::take(&mut self.awaits_continue) {
            let told = self.wire.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
            timeout(self.idle, told)
                .await
                .map_err(|_| ended)?
                .map_err(|_| ended)?;
        }
        self.at = 0;
        self.buffer.resize(PIECE, 0);
        let read = timeout(self.idle, self.wire.read(&mut self.buffer)).await;
        match read {
            Ok(Ok(n)) if n > 0 => {
                self.buffer.truncate(n);
                Ok(())
            }
            Ok(_) | Err(_) => {
                self.buffer.clear();
                Err(ended)
            }
        }
    }
}

/// How the body of a request is delimited, as its headers say.
///
/// # Errors
/// They contradict each other or say nothing that is understood.
pub(super) fn framing(length: Option<&str>, encoding: Option<&str>) -> Result<Framing, Bad> {
    match (length, encoding) {
        (None, None) => Ok(Framing::Length(0)),
        (Some(length), None) => {
            let digits = length.trim();
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let length = digits.parse().ok().filter(|_| plain);
            length.map(Framing::Length).ok_or(Bad::Request(
                400,
                "the Content-Length of this request is no number",
            ))
        }
        (None, Some(encoding)) if encoding.trim().eq_ignore_ascii_case("chunked") => {
            Ok(Framing::Chunks)
        }
        (None, Some(_)) => Err(Bad::Request(
            501,
            "the only Transfer-Encoding that is understood is chunked",
        )),
        (Some(_), Some(_)) => Err(Bad::Request(
            400,
            "this request has a Content-Length and a Transfer-Encoding",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOON: Duration = Duration::from_secs(5);

    fn whole(begun: &[u8], later: &[u8], framing: Framing) -> Result<Vec<u8>, Cut> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (mut client, mut server) = tokio::io::duplex(1 << 20);
            client.write_all(later).await.expect("there is room");
            drop(client);
            let mut upload = Upload::new(&mut server, begun.to_vec(), framing, false, SOON);
            let mut all = Vec::new();
            while let Some(piece) = upload.piece().await? {
                assert!(!piece.is_empty() && piece.len() <= PIECE);
                all.extend(piece);
            }
            Ok(all)
        })
    }

    #[test]
    fn a_body_of_a_known_length_ends_there() {
        let body = whole(b"ab", b"cdeNEXT", Framing::Length(5));
        assert_eq!(body.as_deref(), Ok(&b"abcde"[..]));
        assert_eq!(whole(b"", b"", Framing::Length(0)), Ok(Vec::new()));
        assert_eq!(whole(b"ab", b"c", Framing::Length(5)), Err(Cut::Ended(3)));
    }

    #[test]
    fn chunks_become_one_body() {
        let chunks = b"5;name=x\r\nhello\r\nB\r\n, my world \r\n0\r\nA: b\r\n\r\n";
        for cut in 0..chunks.len() {
            let body = whole(&chunks[..cut], &chunks[cut..], Framing::Chunks);
            assert_eq!(body.as_deref(), Ok(&b"hello, my world "[..]), "{cut}");
            let short = whole(b"", &chunks[..cut], Framing::Chunks);
            assert!(matches!(short, Err(Cut::Ended(_))), "{cut}: {short:?}");
        }
    }

    #[test]
    fn chunks_that_are_not_well_formed_are_refused() {
        for chunks in [
            &b"x\r\n"[..],
            b"\r\n",
            b"-1\r\n",
            b"+1\r\na\r\n",
            b"1\r\nab\r\n0\r\n\r\n",
            b"fffffffffffffffff\r\n",
        ] {
            let refused = whole(b"", chunks, Framing::Chunks);
            assert!(matches!(refused, Err(Cut::Malformed(_))), "{refused:?}");
        }
        let trailer = [&b"0\r\n"[..], &b"a: b\r\n".repeat(LINE)].concat();
        let refused = whole(b"", &trailer, Framing::Chunks);
        assert_eq!(refused, Err(Cut::Malformed(0)));
        let endless = [b'1'; LINE + 2];
        let refused = whole(b"", &endless, Framing::Chunks);
        assert_eq!(refused, Err(Cut::Malformed(0)));
    }

    #[test]
    fn contradicting_headers_are_refused() {
        assert_eq!(framing(None, None), Ok(Framing::Length(0)));
        assert_eq!(framing(Some(" 12 "), None), Ok(Framing::Length(12)));
        assert_eq!(framing(None, Some("Chunked")), Ok(Framing::Chunks));
        for (length, encoding, status) in [
            (Some("+1"), None, 400),
            (Some("99999999999999999999"), None, 400),
            (Some("1"), Some("chunked"), 400),
            (None, Some("gzip, chunked"), 501),
        ] {
            let refused = framing(length, encoding);
            let is = matches!(refused, Err(Bad::Request(found, _)) if found == status);
            assert!(is, "{refused:?}");
        }
    }

    proptest! {
        #[test]
        fn any_chunks_are_taken_or_refused(bytes: Vec<u8>) {
            let _ = whole(b"", &bytes, Framing::Chunks);
        }
    }
}
