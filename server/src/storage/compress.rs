//! Compressed snapshots: gzip, and the format of snappy-java's streams.
//!
//! The latter is its own: eight magic bytes, two versions, then blocks, each a big-endian length and a
//! raw snappy block of at most 32 KiB when written.

use super::{
    dirs::Compression,
    files::{Input, Stream},
};
use flate2::{read::MultiGzDecoder, write::GzEncoder};
use std::io::{self, BufReader, Read, SeekFrom, Write};
use zabscope_core::wire::snapshot::LAST_BYTES;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const SNAPPY_MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
const SNAPPY_HEADER: usize = 16;
const SNAPPY_VERSION: u32 = 1;
const SNAPPY_BLOCK: usize = 32 * 1024;
/// The largest block that is read. Java's default is 32 KiB; this is far beyond what one would set.
const MAX_BLOCK: usize = 64 << 20;
/// The shortest file that can be a snapshot.
const SHORTEST: u64 = 10;

/// The quick test before loading (4.4): whether a file looks whole.
pub(super) fn looks_whole(input: &mut dyn Input, compression: Compression) -> io::Result<bool> {
    let whole = match compression {
        Compression::Checked => {
            if input.seek(SeekFrom::End(0))? <= SHORTEST {
                return Ok(false);
            }
            input.seek(SeekFrom::End(-5))?;
            begins_with(input, &LAST_BYTES)?
        }
        Compression::Gzip => begins_with(input, &GZIP_MAGIC)?,
        Compression::Snappy => begins_with(input, &SNAPPY_MAGIC)?,
    };
    input.seek(SeekFrom::Start(0))?;
    Ok(whole)
}

fn begins_with<const N: usize>(input: &mut dyn Input, magic: &[u8; N]) -> io::Result<bool> {
    let mut bytes = [0; N];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes == *magic),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads what was compressed.
pub(super) fn reader(input: Box<dyn Input>, compression: Compression) -> io::Result<Box<dyn Read>> {
    Ok(match compression {
        Compression::Checked => Box::new(input),
        Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(input))),
        Compression::Snappy => Box::new(SnappyReader::new(BufReader::new(input))?),
    })
}

/// Reads a file of which only its bytes tell how it was compressed.
pub(super) fn open(mut input: Box<dyn Input>) -> io::Result<Box<dyn Read>> {
    let gzip = begins_with(&mut *input, &GZIP_MAGIC)?;
    input.seek(SeekFrom::Start(0))?;
    let snappy = begins_with(&mut *input, &SNAPPY_MAGIC)?;
    input.seek(SeekFrom::Start(0))?;
    let compression = match (gzip, snappy) {
        (true, _) => Compression::Gzip,
        (_, true) => Compression::Snappy,
        (false, false) => Compression::Checked,
    };
    reader(input, compression)
}

/// Writes compressed.
pub(super) enum Sink {
    Checked(Stream),
    Gzip(Box<GzEncoder<Stream>>),
    Snappy(SnappyWriter<Stream>),
}

impl Sink {
    pub(super) fn new(stream: Stream, compression: Compression) -> io::Result<Sink> {
        Ok(match compression {
            Compression::Checked => Sink::Checked(stream),
            Compression::Gzip => Sink::Gzip(Box::new(GzEncoder::new(
                stream,
                flate2::Compression::default(),
            ))),
            Compression::Snappy => Sink::Snappy(SnappyWriter::new(stream)?),
        })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Checked(stream) => stream.write_all(bytes),
            Sink::Gzip(encoder) => encoder.write_all(bytes),
            Sink::Snappy(writer) => writer.write_all(bytes),
        }
    }

    /// Writes what is still held back.
    pub(super) fn finish(self) -> io::Result<Stream> {
        match self {
            Sink::Checked(stream) => Ok(stream),
            Sink::Gzip(encoder) => encoder.finish(),
            Sink::Snappy(writer) => writer.finish(),
        }
    }
}

/// Writes a stream of snappy-java.
pub(super) struct SnappyWriter<W> {
    out: W,
    block: Vec<u8>,
}

impl<W: Write> SnappyWriter<W> {
    pub(super) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&SNAPPY_MAGIC)?;
        // Version, and the oldest version that can read it.
        out.write_all(&SNAPPY_VERSION.to_be_bytes())?;
        out.write_all(&SNAPPY_VERSION.to_be_bytes())?;
        Ok(SnappyWriter {
            out,
            block: Vec::with_capacity(SNAPPY_BLOCK),
        })
    }

    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let n = bytes.len().min(SNAPPY_BLOCK - self.block.len());
            self.block.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            if self.block.len() == SNAPPY_BLOCK {
                self.write_block()?;
            }
        }
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = snap::raw::Encoder::new()
            .compress_vec(&self.block)
            .map_err(io::Error::other)?;
        let length = u32::try_from(packed.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&packed)?;
        self.block.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.write_block()?;
        Ok(self.out)
    }
}

/// Reads a stream of snappy-java.
struct SnappyReader<R> {
    input: R,
    block: Vec<u8>,
    used: usize,
}

impl<R: Read> SnappyReader<R> {
    fn new(mut input: R) -> io::Result<Self> {
        let mut header = [0; SNAPPY_HEADER];
        input.read_exact(&mut header)?;
        if !header.starts_with(&SNAPPY_MAGIC) {
            return Err(bad("it does not begin with \"\\x82SNAPPY\""));
        }
        Ok(SnappyReader {
            input,
            block: Vec::new(),
            used: 0,
        })
    }

    /// The next block; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut length = [0; 4];
        // The end may only come between blocks.
        let mut have = 0;
        while have < length.len() {
            match self.input.read(&mut length[have..]) {
                Ok(0) if have == 0 => return Ok(false),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => have += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if length == SNAPPY_MAGIC[..4] {
            // Streams may be put one behind the other; here is the header of the next.
            let mut rest = [0; SNAPPY_HEADER - 4];
            self.input.read_exact(&mut rest)?;
            self.block.clear();
            self.used = 0;
            return Ok(true);
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_BLOCK {
            return Err(bad("a block is too long"));
        }
        let mut packed = Vec::new();
        let read = (&mut self.input)
            .take(length as u64)
            .read_to_end(&mut packed)?;
        if read != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if snap::raw::decompress_len(&packed).map_err(io::Error::other)? > MAX_BLOCK {
            return Err(bad("a block is too long"));
        }
        self.block = snap::raw::Decoder::new()
            .decompress_vec(&packed)
            .map_err(io::Error::other)?;
        self.used = 0;
        Ok(true)
    }
}

impl<R: Read> Read for SnappyReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.used == self.block.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        let n = out.len().min(self.block.len() - self.used);
        out[..n].copy_from_slice(&self.block[self.used..self.used + n]);
        self.used += n;
        Ok(n)
    }
}

fn bad(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn snappy(bytes: &[u8]) -> Vec<u8> {
        let mut writer = SnappyWriter::new(Vec::new()).expect("a vector takes all");
        writer.write_all(bytes).expect("a vector takes all");
        writer.finish().expect("a vector takes all")
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let input: Box<dyn Input> = Box::new(Cursor::new(bytes.to_vec()));
        reader(input, Compression::Snappy)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn a_stream_of_snappy_java_is_read() {
        // "foobar\n" as snappy-java writes it.
        let mut bytes = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
        bytes.extend_from_slice(b"\0\0\0\x09\x07\x18foobar\n");
        assert_eq!(read(&bytes).expect("a stream"), b"foobar\n");
        assert_eq!(snappy(b"foobar\n"), bytes);
    }

    #[test]
    fn streams_come_back_and_may_follow_one_another() {
        let long: Vec<u8> = (0..100_000u32)
            .flat_map(|n| (n / 7).to_be_bytes())
            .collect();
        let mut bytes = snappy(&long);
        assert!(bytes.len() < long.len());
        assert_eq!(read(&bytes).expect("a stream"), long);
        bytes.extend_from_slice(&snappy(b"and more"));
        let both = read(&bytes).expect("two streams");
        assert!(both.starts_with(&long) && both.ends_with(b"and more"));
    }

    #[test]
    fn a_cut_stream_is_an_error_and_no_shorter_one() {
        let bytes = snappy(b"some text");
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]).is_err(), cut != SNAPPY_HEADER, "{cut}");
        }
    }

    #[test]
    fn a_block_that_lies_about_its_length_costs_nothing() {
        let mut bytes = snappy(b"");
        bytes.extend_from_slice(&u32::MAX.to_be_bytes());
        assert!(read(&bytes).is_err());
        let mut bytes = snappy(b"");
        bytes.extend_from_slice(&[0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert!(read(&bytes).is_err());
    }
}
