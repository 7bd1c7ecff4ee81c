//! Jute, ZooKeeper's encoding: big-endian numbers, strings and buffers with a length of four bytes of
//! which -1 means null. Written from the specification and not taken from the core, because the
//! core's is what is tested.

use anyhow::{Context, Result, ensure};

/// Writes a record.
#[derive(Clone, Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// One byte, 0 or 1.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.0.push(u8::from(value));
        self
    }

    /// Four bytes.
    pub fn int(&mut self, value: i32) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// Eight bytes.
    pub fn long(&mut self, value: i64) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// A length, or -1 for null, and the bytes.
    pub fn buffer(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            None => self.int(-1),
            Some(bytes) => {
                self.count(bytes.len());
                self.0.extend(bytes);
                self
            }
        }
    }

    /// As a buffer, of UTF-8.
    pub fn string(&mut self, value: Option<&str>) -> &mut Self {
        self.buffer(value.map(str::as_bytes))
    }

    /// The number of elements that follow.
    pub fn count(&mut self, count: usize) -> &mut Self {
        // Nothing here is longer than a frame.
        self.int(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// A vector of strings.
    pub fn strings(&mut self, values: &[String]) -> &mut Self {
        self.count(values.len());
        for value in values {
            self.string(Some(value));
        }
        self
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }
}

/// Reads a record; knows what is left.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .with_context(|| format!("{length} bytes are wanted and {} are left", self.0.len()))?;
        self.0 = rest;
        Ok(taken)
    }

    /// One byte.
    pub fn bool(&mut self) -> Result<bool> {
        Ok(self.take(1)?[0] != 0)
    }

    /// Four bytes.
    pub fn int(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.take(4)?.try_into()?))
    }

    /// Eight bytes.
    pub fn long(&mut self) -> Result<i64> {
        Ok(i64::from_be_bytes(self.take(8)?.try_into()?))
    }

    /// A buffer, or null.
    pub fn buffer(&mut self) -> Result<Option<&'a [u8]>> {
        let length = self.int()?;
        if length == -1 {
            return Ok(None);
        }
        Ok(Some(
            self.take(usize::try_from(length).context("a length")?)?,
        ))
    }

    /// A string, or null.
    pub fn string(&mut self) -> Result<Option<String>> {
        Ok(self
            .buffer()?
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }

    /// The number of elements that follow; null counts as none.
    pub fn count(&mut self) -> Result<usize> {
        let count = self.int()?;
        if count == -1 {
            return Ok(0);
        }
        let count = usize::try_from(count).context("a count")?;
        ensure!(
            count <= self.0.len(),
            "{count} elements in {} bytes",
            self.0.len()
        );
        Ok(count)
    }

    /// A vector of strings.
    pub fn strings(&mut self) -> Result<Vec<String>> {
        let count = self.count()?;
        (0..count)
            .map(|_| Ok(self.string()?.unwrap_or_default()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_cut_is_an_error() {
        let mut writer = Writer::new();
        writer
            .int(-7)
            .long(1 << 40)
            .bool(true)
            .string(Some("é"))
            .buffer(None)
            .strings(&["a".to_owned(), "b".to_owned()]);
        let bytes = writer.finish();
        let read = |bytes: &[u8]| -> Result<_> {
            let mut reader = Reader::new(bytes);
            Ok((
                reader.int()?,
                reader.long()?,
                reader.bool()?,
                reader.string()?,
                reader.buffer()?.map(<[u8]>::to_vec),
                reader.strings()?,
            ))
        };
        let expected = (
            -7,
            1 << 40,
            true,
            Some("é".to_owned()),
            None,
            vec!["a".to_owned(), "b".to_owned()],
        );
        assert_eq!(read(&bytes).expect("whole"), expected);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "cut at {length}");
        }
    }
}
