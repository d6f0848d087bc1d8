//! Messages in a stream of bytes: "Length-Prefixed-Message → Compressed-Flag Message-Length Message".
//!
//! "Compressed-Flag → 0 / 1, encoded as 1 byte unsigned integer; Message-Length → 4 byte unsigned integer (big
//! endian)." Source: PROTOCOL-HTTP2.md, Requests. What is refused and how: statuscodes.md and compression.md of the
//! grpc project.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::limits;
use crate::status::{Code, Refusal};

/// Bytes before each message.
pub(crate) const PREFIX_BYTES: usize = 5;

/// What `grpc-encoding` says of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    #[default]
    Identity,
    Gzip,
}

impl Encoding {
    /// None = one that we do not speak.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"identity" => Some(Self::Identity),
            b"gzip" => Some(Self::Gzip),
            _ => None,
        }
    }
}

/// Cuts a stream's bytes into messages.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    bytes_max: usize,
    encoding: Encoding,
    prefix: [u8; PREFIX_BYTES],
    prefix_length: usize,
    /// Of the message under way; grows as its bytes come, never by what the prefix claims.
    body: Vec<u8>,
}

impl Assembler {
    pub(crate) fn new(bytes_max: usize, encoding: Encoding) -> Self {
        Self { bytes_max, encoding, ..Self::default() }
    }

    /// Memory that the unfinished message holds.
    pub(crate) fn bytes_held(&self) -> usize {
        self.body.capacity()
    }

    /// Nothing of an unfinished message is here.
    pub(crate) fn at_boundary(&self) -> bool {
        self.prefix_length == 0
    }

    /// Takes from the front of `input`; Some = a whole message, and there may be another one behind it.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        if self.prefix_length < PREFIX_BYTES {
            let take = input.len().min(PREFIX_BYTES - self.prefix_length);
            let (taken, rest) = input.split_at(take);
            self.prefix[self.prefix_length..self.prefix_length + take].copy_from_slice(taken);
            self.prefix_length += take;
            *input = rest;
            if self.prefix_length < PREFIX_BYTES {
                return Ok(None);
            }
            self.check_prefix()?;
        }
        let wanted = self.length();
        let take = input.len().min(wanted - self.body.len());
        let (taken, rest) = input.split_at(take);
        self.grow(take, wanted);
        self.body.extend_from_slice(taken);
        *input = rest;
        if self.body.len() < wanted {
            return Ok(None);
        }
        self.prefix_length = 0;
        let body = std::mem::take(&mut self.body);
        if self.prefix[0] == 0 { Ok(Some(body)) } else { inflated(&body, self.bytes_max).map(Some) }
    }

    fn length(&self) -> usize {
        let [_, a, b, c, d] = self.prefix;
        u32::from_be_bytes([a, b, c, d]) as usize
    }

    fn check_prefix(&self) -> Result<(), Refusal> {
        let length = self.length();
        if length > self.bytes_max {
            return Err(too_large(&format!("{length} bytes"), self.bytes_max));
        }
        match (self.prefix[0], self.encoding) {
            (0, _) | (1, Encoding::Gzip) => Ok(()),
            (1, Encoding::Identity) => Err(Refusal::new(
                Code::Internal,
                "message refused: its compressed flag is set and no grpc-encoding was named",
            )),
            (flag, _) => Err(Refusal::new(
                Code::Internal,
                format!("message refused: its compressed flag is {flag}, wanted 0 or 1"),
            )),
        }
    }

    fn grow(&mut self, more: usize, wanted: usize) {
        let needed = self.body.len() + more;
        if needed > self.body.capacity() {
            let target = needed.max(self.body.capacity() * 2).max(limits::BODY_FIRST_BYTES).min(wanted);
            self.body.reserve_exact(target - self.body.len());
        }
    }
}

fn too_large(got: &str, bytes_max: usize) -> Refusal {
    Refusal::new(Code::ResourceExhausted, format!("message refused: it has {got}, wanted {bytes_max} at most"))
}

/// Decompresses no more than a message may have: a bomb costs what an honest message of the largest size costs.
fn inflated(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let read = GzDecoder::new(body).take(limit).read_to_end(&mut out);
    if out.len() > bytes_max {
        return Err(too_large("more when decompressed", bytes_max));
    }
    match read {
        Ok(_) => Ok(out),
        Err(error) => Err(Refusal::new(Code::Internal, format!("message refused: it is no gzip: {error}"))),
    }
}

/// The prefix of a message that is sent as it is; None when it is too long for one, 4 GiB.
pub(crate) fn prefix(message: &[u8]) -> Option<[u8; PREFIX_BYTES]> {
    let [a, b, c, d] = u32::try_from(message.len()).ok()?.to_be_bytes();
    Some([0, a, b, c, d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn memory_grows_with_what_came_and_not_with_what_was_announced() {
        let mut assembler = Assembler::new(16 << 20, Encoding::Identity);
        let mut input = [0, 0, 0xff, 0xff, 0xff, 1, 2, 3].as_slice();
        assert_eq!(assembler.next(&mut input), Ok(None));
        assert_eq!(assembler.bytes_held(), limits::BODY_FIRST_BYTES);
        assert!(!assembler.at_boundary());
    }

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
            chunk in 1usize..400,
        ) {
            let framed = |message: &Vec<u8>| [prefix(message).expect("short").as_slice(), message].concat();
            let bytes: Vec<u8> = messages.iter().flat_map(framed).collect();
            let mut assembler = Assembler::new(300, Encoding::Identity);
            let mut heard = Vec::new();
            for mut input in bytes.chunks(chunk) {
                while !input.is_empty() {
                    heard.extend(assembler.next(&mut input).expect("within the limit"));
                }
            }
            prop_assert_eq!(heard, messages);
            prop_assert!(assembler.at_boundary());
        }
    }
}
