//! Reads plain messages of protobuf: those whose fields are texts, lists of texts, maps of scalar values, and instants.
//!
//! It knows no message: whoever makes a [`Shape`] says which number holds what, and how much. A message is *plain* when
//! it has these fields only, each as protobuf's own writers put it: no unknown field, no nested value, no field twice
//! that is there once, nothing past a bound, valid UTF-8. Of a plain message [`Shape::read`] gives exactly what a full
//! parser would; of any other nothing, and the full parser is asked, which also says what is wrong with it.
//!
//! Source: <https://protobuf.dev/programming-guides/encoding>.

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One text.
    Text,
    /// Texts, one after the other.
    Texts,
    /// A map of texts to `sidecar.v1.Value`.
    Values,
    /// A `google.protobuf.Timestamp`.
    Instant,
}

/// One field: what it holds, and how much. `most` is of a text its bytes, of texts and values their number.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its number, 1 to 63.
    pub number: u32,
    /// What it holds.
    pub kind: Kind,
    /// The bound.
    pub most: usize,
}

/// A scalar of `sidecar.v1.Value`; a double is finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// Null, or a value without a kind.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// A text.
    Text(&'a str),
}

impl Scalar<'_> {
    /// The scalar, unless it is NaN or infinite: what has no part in a decision is told, and so is not plain.
    fn finite(self) -> Option<Self> {
        match self {
            Self::Double(number) if !number.is_finite() => None,
            finite => Some(finite),
        }
    }
}

/// What was found in a field, in the order of the message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// A text; of a field that holds one, the last counts.
    Text(&'a str),
    /// An entry of a map; of two with one key, the last counts.
    Value(&'a str, Scalar<'a>),
    /// An instant, in milliseconds since 1970.
    Instant(i64),
}

/// The fields that a message may have to be plain.
#[derive(Debug)]
pub struct Shape {
    places: [u8; NUMBERS],
    fields: Vec<Field>,
    key_bytes_max: usize,
    value_bytes_max: usize,
}

const NUMBERS: usize = 64;
const NOWHERE: u8 = u8::MAX;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;

/// Seconds of the years 1 to 9999: the range of `google.protobuf.Timestamp`.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS: std::ops::Range<i64> = 0..1_000_000_000;

impl Shape {
    /// A shape of these fields. None when a number is out of range or there twice.
    #[must_use]
    pub fn new(fields: Vec<Field>, key_bytes_max: usize, value_bytes_max: usize) -> Option<Self> {
        let mut places = [NOWHERE; NUMBERS];
        for (place, field) in fields.iter().enumerate() {
            let slot = places.get_mut(usize::try_from(field.number).ok()?)?;
            if field.number == 0 || *slot != NOWHERE {
                return None;
            }
            *slot = u8::try_from(place).ok()?;
        }
        Some(Self { places, fields, key_bytes_max, value_bytes_max })
    }

    /// The fields, in the order they were given.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Hand over what a plain message holds, each with the place of its field in [`Shape::fields`].
    ///
    /// None when it is not plain: what was handed over until then means nothing.
    pub fn read<'a>(&self, message: &'a [u8], mut found: impl FnMut(usize, Found<'a>)) -> Option<()> {
        let mut counts = [0_usize; NUMBERS];
        let mut input = Input(message);
        while !input.0.is_empty() {
            let (number, wire_type) = input.tag()?;
            let place = usize::from(*self.places.get(number)?);
            let field = self.fields.get(place)?;
            if wire_type != LENGTH_DELIMITED {
                return None;
            }
            let body = input.body()?;
            let count = &mut counts[number];
            *count += 1;
            match field.kind {
                Kind::Text if body.len() <= field.most => found(place, Found::Text(text(body)?)),
                Kind::Texts if *count <= field.most => found(place, Found::Text(text(body)?)),
                Kind::Values if *count <= field.most => {
                    let (key, value) = self.entry(body)?;
                    found(place, Found::Value(key, value));
                }
                Kind::Instant if *count == 1 => found(place, Found::Instant(instant(body)?)),
                _ => return None,
            }
        }
        Some(())
    }

    fn entry<'a>(&self, body: &'a [u8]) -> Option<(&'a str, Scalar<'a>)> {
        let mut input = Input(body);
        let (mut key, mut value) = (None, None);
        while !input.0.is_empty() {
            match input.tag()? {
                (1, LENGTH_DELIMITED) if key.is_none() => key = Some(text(input.body()?)?),
                (2, LENGTH_DELIMITED) if value.is_none() => value = Some(self.scalar(input.body()?)?),
                _ => return None,
            }
        }
        let key = key.unwrap_or_default();
        (key.len() <= self.key_bytes_max).then_some((key, value.unwrap_or(Scalar::Null)))
    }

    fn scalar<'a>(&self, body: &'a [u8]) -> Option<Scalar<'a>> {
        if body.is_empty() {
            return Some(Scalar::Null);
        }
        let mut input = Input(body);
        let scalar = match input.tag()? {
            (1, VARINT) => {
                input.varint()?;
                Scalar::Null
            }
            (2, VARINT) => Scalar::Bool(input.varint()? != 0),
            (3, VARINT) => Scalar::Int(input.varint()?.cast_signed()),
            (4, FIXED64) => Scalar::Double(input.double()?).finite()?,
            (5, LENGTH_DELIMITED) => {
                let said = text(input.body()?)?;
                if said.len() > self.value_bytes_max {
                    return None;
                }
                Scalar::Text(said)
            }
            _ => return None,
        };
        input.0.is_empty().then_some(scalar)
    }
}

fn text(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok()
}

fn instant(body: &[u8]) -> Option<i64> {
    let mut input = Input(body);
    let (mut seconds, mut nanos) = (None, None);
    while !input.0.is_empty() {
        match input.tag()? {
            (1, VARINT) if seconds.is_none() => seconds = Some(input.varint()?.cast_signed()),
            (2, VARINT) if nanos.is_none() => nanos = Some(input.varint()?.cast_signed()),
            _ => return None,
        }
    }
    let (seconds, nanos) = (seconds.unwrap_or(0), nanos.unwrap_or(0));
    (SECONDS.contains(&seconds) && NANOS.contains(&nanos)).then(|| seconds * 1000 + nanos / 1_000_000)
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn tag(&mut self) -> Option<(usize, u64)> {
        let tag = self.varint()?;
        // A number of more than five bits is no field of ours; what is beyond a byte is left to the full parser.
        (tag < 0x200).then(|| (usize::try_from(tag >> 3).unwrap_or(usize::MAX), tag & 7))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for (at, byte) in self.0.iter().enumerate().take(10) {
            if at == 9 && *byte > 1 {
                return None;
            }
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.0 = &self.0[at + 1..];
                return Some(number);
            }
        }
        None
    }

    fn body(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (body, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(body)
    }

    fn double(&mut self) -> Option<f64> {
        let (bits, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(f64::from_le_bytes(*bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        let field = |number, kind, most| Field { number, kind, most };
        let fields = vec![
            field(1, Kind::Text, 5),
            field(2, Kind::Values, 2),
            field(3, Kind::Texts, 2),
            field(9, Kind::Instant, 1),
        ];
        Shape::new(fields, 3, 4).expect("numbers are in range")
    }

    fn read(message: &[u8]) -> Option<Vec<(usize, Found<'_>)>> {
        let mut all = Vec::new();
        shape().read(message, |place, found| all.push((place, found)))?;
        Some(all)
    }

    #[test]
    fn a_plain_message_gives_its_fields_in_order() {
        let message = b"\x0a\x02ab\x1a\x01x\x12\x07\x0a\x01k\x12\x02\x18\x01\x1a\x00\x4a\x02\x08\x02";
        let wanted = vec![
            (0, Found::Text("ab")),
            (2, Found::Text("x")),
            (1, Found::Value("k", Scalar::Int(1))),
            (2, Found::Text("")),
            (3, Found::Instant(2000)),
        ];
        assert_eq!(read(message), Some(wanted));
    }

    #[test]
    fn every_scalar_is_read() {
        for (value, wanted) in [
            (&b""[..], Scalar::Null),
            (b"\x08\x00", Scalar::Null),
            (b"\x10\x01", Scalar::Bool(true)),
            (b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Scalar::Int(-1)),
            (b"\x21\x00\x00\x00\x00\x00\x00\xe0\x3f", Scalar::Double(0.5)),
            (b"\x2a\x02hi", Scalar::Text("hi")),
        ] {
            let entry = [b"\x12", &[u8::try_from(value.len()).unwrap()][..], value].concat();
            let message = [b"\x12", &[u8::try_from(entry.len()).unwrap()][..], &entry].concat();
            assert_eq!(read(&message), Some(vec![(1, Found::Value("", wanted))]), "{value:?}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_full_parser() {
        for message in [
            &b"\x0a\x06abcdef"[..],                                  // a text past its bound
            b"\x0a\x01\xff",                                         // no UTF-8
            b"\x0a\x05ab",                                           // cut short
            b"\x22\x00",                                             // an unknown field
            b"\x08\x01",                                             // another wire type
            b"\x1a\x00\x1a\x00\x1a\x00",                             // too many texts
            b"\x12\x06\x0a\x04abcd",                                 // a key past its bound
            b"\x12\x04\x12\x02\x32\x00",                             // a list
            b"\x12\x06\x12\x04\x10\x01\x18\x01",                     // two kinds in one value
            b"\x12\x04\x12\x00\x12\x00",                             // a value twice
            b"\x4a\x02\x08\x02\x4a\x02\x08\x02",                     // an instant twice
            b"\x4a\x03\x10\xff\x7f\x0a",                             // cut inside
            b"\x4a\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // negative nanoseconds
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",             // no end
        ] {
            assert_eq!(read(message), None, "{message:?}");
        }
    }
}
