//! The small languages inside of gRPC's header fields: timeouts, status messages, base64.
//!
//! Source: "gRPC over HTTP2" (PROTOCOL-HTTP2.md of the grpc project), sections Requests and Responses; RFC 4648.

const SECONDS: [(u8, f64); 6] = [(b'H', 3600.0), (b'M', 60.0), (b'S', 1.0), (b'm', 1e-3), (b'u', 1e-6), (b'n', 1e-9)];

/// `grpc-timeout` in seconds; None when malformed.
///
/// "Timeout → `grpc-timeout` Value Unit; Value → positive integer as ASCII string of at most 8 digits."
pub(crate) fn timeout_s(value: &[u8]) -> Option<f64> {
    let (&unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (_, seconds) = SECONDS.iter().find(|(name, _)| *name == unit)?;
    let count = digits.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    // Why a division for units below one second: 250 × 1e-3 is not 0.25 in every case, 250 / 1e3 is.
    Some(if *seconds < 1.0 { f64::from(count) / (1.0 / seconds).round() } else { f64::from(count) * seconds })
}

/// The other way: the finest unit that fits into eight digits, rounded up, so that a deadline is never sooner than
/// asked for. A time that has passed is `0n`: the spec wants a positive number, and every server takes this one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be at most eight digits")]
pub(crate) fn timeout_text(seconds: f64) -> String {
    if seconds.is_nan() || seconds <= 0.0 {
        return "0n".to_owned();
    }
    for (unit, length) in SECONDS.iter().rev() {
        let count = if *length < 1.0 { seconds * (1.0 / length).round() } else { seconds / length }.ceil();
        if count <= 99_999_999.0 {
            return format!("{}{}", count as u32, char::from(*unit));
        }
    }
    "99999999H".to_owned()
}

/// `grpc-message` as it is sent: UTF-8, with `%XX` for what is not %x20-%x24 or %x26-%x7E.
pub(crate) fn percent_encoded(text: &str) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x20..=0x7e).contains(&byte) && byte != b'%' {
            out.push(byte);
        } else {
            out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    out
}

/// … and as it is read. "Receivers MUST NOT error out for a wrong encoding": what is no `%XX` stays as it is.
pub(crate) fn percent_decoded(value: &[u8]) -> String {
    let nibble = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        if byte == b'%'
            && let (Some(high), Some(low)) = (nibble(value.get(at + 1)), nibble(value.get(at + 2)))
        {
            out.push(u8::try_from(high * 16 + low).expect("two nibbles"));
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 without padding. "Implementations MUST accept padded and un-padded values and should emit un-padded values."
pub(crate) fn base64_encoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        for place in 0..=group.len() {
            out.push(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]);
        }
    }
    out
}

/// Base64 with or without padding; None when it is neither.
pub(crate) fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let unpadded = match text {
        [rest @ .., b'=', b'='] | [rest @ .., b'='] if text.len().is_multiple_of(4) => rest,
        _ => text,
    };
    if unpadded.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(unpadded.len() / 4 * 3 + 2);
    for group in unpadded.chunks(4) {
        let mut bits = 0u32;
        for (place, character) in group.iter().enumerate() {
            bits |= u32::from(sextet(*character)?) << (18 - 6 * place);
        }
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

fn sextet(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_timeout_is_at_most_eight_digits_and_a_unit() {
        let good: [(&str, f64); 8] = [
            ("1H", 3600.0),
            ("2M", 120.0),
            ("3S", 3.0),
            ("250m", 0.25),
            ("5u", 5e-6),
            ("7n", 7e-9),
            ("0n", 0.0),
            ("99999999H", 359_999_996_400.0),
        ];
        for (text, seconds) in good {
            assert_eq!(timeout_s(text.as_bytes()), Some(seconds), "{text}");
        }
        for text in ["", "S", "5", "5s", "123456789S", "1.5S", "-1S", "+1S", " 1S", "1 S", "1S "] {
            assert_eq!(timeout_s(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_timeout_that_has_passed_or_is_no_number_is_nothing() {
        for seconds in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(timeout_text(seconds), "0n");
        }
        assert_eq!((timeout_text(0.25), timeout_text(f64::INFINITY)), ("250000u".to_owned(), "99999999H".to_owned()));
    }

    #[test]
    fn a_status_message_is_read_leniently() {
        assert_eq!(percent_decoded(b"a%20b%C3%BC"), "a b\u{fc}");
        assert_eq!(percent_decoded(b"100%, %zz, %a, %"), "100%, %zz, %a, %");
        assert_eq!(percent_decoded(b"%FF"), "\u{fffd}");
    }

    #[test]
    fn base64_may_be_padded_or_not() {
        assert_eq!(base64_encoded(b"\0\x01\x02\xff"), b"AAEC/w");
        for text in ["AAEC/w", "AAEC/w=="] {
            assert_eq!(base64_decoded(text.as_bytes()).as_deref(), Some(b"\0\x01\x02\xff".as_slice()));
        }
        for text in ["A", "AAEC/", "A A=", "AA=A", "====", "AAEC/w=", "AAE_"] {
            assert_eq!(base64_decoded(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_timeout_is_never_sent_shorter_than_asked_for(seconds in 1e-9..3e8f64) {
            let read = timeout_s(timeout_text(seconds).as_bytes()).expect("well formed");
            prop_assert!(read >= seconds * (1.0 - 1e-12) && read <= seconds * 1.001 + 1e-9, "{} for {}", read, seconds);
        }

        #[test]
        fn what_is_encoded_is_decoded(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let encoded = percent_encoded(&text);
            prop_assert!(encoded.iter().all(|byte| (0x20..=0x7e).contains(byte)));
            prop_assert_eq!(percent_decoded(&encoded), text);
            prop_assert_eq!(base64_decoded(&base64_encoded(&bytes)), Some(bytes));
        }

        #[test]
        fn nothing_that_comes_makes_them_fail(bytes in any::<Vec<u8>>()) {
            timeout_s(&bytes);
            percent_decoded(&bytes);
            base64_decoded(&bytes);
        }
    }
}
