//! The name of a certificate's owner as the scheme x509 writes it: RFC 2253, with the details of Java's
//! `X500Principal.getName()`, because ACLs compare the text.

use rustls::pki_types::CertificateDer;
use std::fmt::Write as _;
use x509_parser::{
    asn1_rs::{Any, Tag},
    prelude::{FromDer, X509Certificate},
};

/// The attribute types that are written as a word; all others are numbers, and their values hexadecimal.
const WORDS: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// The subject of a certificate; `None` if it is none that can be read.
#[must_use]
pub fn of(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let mut parts = Vec::new();
    for several in parsed.subject().iter_rdn() {
        let mut one = Vec::new();
        for attribute in several.iter() {
            one.push(text(
                &attribute.attr_type().to_id_string(),
                attribute.attr_value(),
            )?);
        }
        parts.push(one.join("+"));
    }
    parts.reverse();
    Some(parts.join(","))
}

fn text(kind: &str, value: &Any<'_>) -> Option<String> {
    let word = WORDS.iter().find(|(number, _)| *number == kind);
    match word {
        Some((_, word)) if is_text(value.tag()) => Some(format!(
            "{word}={}",
            escaped(&String::from_utf8_lossy(value.data))
        )),
        Some((_, word)) => Some(format!("{word}=#{}", hexadecimal(value)?)),
        None => Some(format!("{kind}=#{}", hexadecimal(value)?)),
    }
}

fn is_text(tag: Tag) -> bool {
    [
        Tag::PrintableString,
        Tag::Utf8String,
        Tag::T61String,
        Tag::Ia5String,
        Tag::GeneralString,
        Tag::BmpString,
        Tag::UniversalString,
    ]
    .contains(&tag)
}

/// The value with its tag and length, as it stands in the certificate.
fn hexadecimal(value: &Any<'_>) -> Option<String> {
    let length = value.data.len();
    let mut bytes = vec![u8::try_from(value.tag().0).ok()?];
    match u8::try_from(length) {
        Ok(short @ 0..=127) => bytes.push(short),
        _ => {
            let long: Vec<u8> = length
                .to_be_bytes()
                .into_iter()
                .skip_while(|b| *b == 0)
                .collect();
            bytes.push(0x80 | u8::try_from(long.len()).ok()?);
            bytes.extend(long);
        }
    }
    bytes.extend_from_slice(value.data);
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    Some(out)
}

fn escaped(value: &str) -> String {
    let is_blank = |c: char| c == ' ' || c == '\r';
    let begin = value.len() - value.trim_start_matches(is_blank).len();
    let end = value.trim_end_matches(is_blank).len();
    let mut out = String::with_capacity(value.len() + 2);
    for (at, c) in value.char_indices() {
        match c {
            '\0' => out.push_str("\\00"),
            ',' | '=' | '+' | '<' | '>' | '#' | ';' | '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            _ if at < begin || at >= end => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
