//! The mechanism DIGEST-MD5 (RFC 2831), both sides, as Java's `com.sun.security.sasl.digest` speaks it
//! without properties: one realm, quality of protection `auth`, algorithm `md5-sess`, UTF-8.
//!
//! Tokens come from anybody who can connect: they have a length, and nothing in them is trusted.

use super::{Credentials, Users, shown};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use std::{collections::BTreeMap, sync::Arc};

/// The longest token that is read (RFC 2831 2.1.2 gives 4096 for a response, 2048 for a challenge).
pub const LONGEST: usize = 4096;
/// Java's nonces are as long.
const NONCE_BYTES: usize = 30;
/// Each challenge is used once.
const NONCE_COUNT: &[u8] = b"00000001";

/// What is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The first half of the digest-uri.
    pub protocol: &'static str,
    /// Its second half, and the realm.
    pub name: &'static str,
}

impl Service {
    fn uri(self) -> String {
        format!("{}/{}", self.protocol, self.name)
    }
}

/// Why an exchange failed. It is for the log; the other side only hears that it failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A token has no form.
    #[error("a DIGEST-MD5 token can't be read: {0}")]
    Form(&'static str),
    /// A directive is not there.
    #[error("a DIGEST-MD5 token lacks {0}")]
    Missing(&'static str),
    /// A directive says something else than it has to.
    #[error("the {0} of a DIGEST-MD5 token is not the one expected")]
    Other(&'static str),
    /// No such user, or not its password: which of the two is nobody's business.
    #[error("user {0} is unknown or has another password")]
    Password(String),
    /// The other side does not know our password.
    #[error("the other side does not prove that it knows the password")]
    NotMutual,
    /// It is over.
    #[error("a DIGEST-MD5 exchange has one response")]
    Over,
    /// The system has no random numbers.
    #[error("no random number for a nonce: {0}")]
    Random(String),
}

/// What the accepting side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The challenge.
    Challenge(Vec<u8>),
    /// The user has proved itself.
    Complete {
        /// The proof of our side.
        token: Vec<u8>,
        /// Who.
        user: String,
        /// Who it wants to be; itself if it does not say.
        authorised: String,
    },
}

#[derive(Debug)]
enum Step {
    Fresh,
    Challenged { nonce: String },
    Over,
}

/// The accepting side of one exchange.
#[derive(Debug)]
pub struct Acceptor {
    service: Service,
    users: Arc<Users>,
    step: Step,
}

impl Acceptor {
    /// Waits for its first token.
    #[must_use]
    pub fn new(service: Service, users: Arc<Users>) -> Acceptor {
        Acceptor {
            service,
            users,
            step: Step::Fresh,
        }
    }

    /// Takes a token. The first one is answered with a challenge, whatever it says, the second one
    /// with a proof; there is no third.
    ///
    /// # Errors
    /// Whatever is wrong with it; then the exchange is over.
    pub fn evaluate(&mut self, token: &[u8]) -> Result<Answer, Refused> {
        match std::mem::replace(&mut self.step, Step::Over) {
            Step::Fresh => {
                let nonce = nonce()?;
                let challenge = challenge(self.service, &nonce);
                self.step = Step::Challenged { nonce };
                Ok(Answer::Challenge(challenge))
            }
            Step::Challenged { nonce } => self.verify(&nonce, token),
            Step::Over => Err(Refused::Over),
        }
    }

    fn verify(&self, nonce: &str, token: &[u8]) -> Result<Answer, Refused> {
        let said = Directives::read(token)?;
        let utf8 = match said.get("charset") {
            None => false,
            Some(b"utf-8") => true,
            Some(_) => return Err(Refused::Other("charset")),
        };
        let user = text(said.need("username")?, utf8).ok_or(Refused::Other("username"))?;
        if user.is_empty() {
            return Err(Refused::Missing("username"));
        }
        // Without one it would be the empty realm, which is not ours either.
        if said.get("realm").unwrap_or_default() != self.service.name.as_bytes() {
            return Err(Refused::Other("realm"));
        }
        if said.need("nonce")? != nonce.as_bytes() {
            return Err(Refused::Other("nonce"));
        }
        if said.need("nc")? != NONCE_COUNT {
            return Err(Refused::Other("nc"));
        }
        if said.get("qop").is_some_and(|qop| qop != b"auth") {
            return Err(Refused::Other("qop"));
        }
        let uri = said.need("digest-uri")?;
        if !uri.eq_ignore_ascii_case(self.service.uri().as_bytes()) {
            return Err(Refused::Other("digest-uri"));
        }
        let authzid = said.get("authzid");
        let known = self.users.password(&user);
        let proof = Proof {
            user: &user,
            realm: self.service.name,
            // Nobody's password takes as long as somebody's.
            password: known.unwrap_or_default(),
            nonce: nonce.as_bytes(),
            cnonce: said.need("cnonce")?,
            uri,
            authzid,
        };
        let same = same(&proof.response("AUTHENTICATE"), said.need("response")?);
        if known.is_none() || !same {
            return Err(Refused::Password(shown(&user)));
        }
        let authorised = match authzid {
            None | Some(b"") => user.clone(),
            Some(id) => String::from_utf8(id.to_vec()).map_err(|_| Refused::Other("authzid"))?,
        };
        let mut token = b"rspauth=".to_vec();
        token.extend_from_slice(&proof.response(""));
        Ok(Answer::Complete {
            token,
            user,
            authorised,
        })
    }
}

/// The connecting side of one exchange.
#[derive(Debug)]
pub struct Initiator {
    service: Service,
    own: Credentials,
    /// What the acceptor has to answer, once we have responded.
    expected: Option<Vec<u8>>,
}

impl Initiator {
    /// Waits for the challenge: this mechanism begins with an empty token.
    #[must_use]
    pub fn new(service: Service, own: Credentials) -> Initiator {
        Initiator {
            service,
            own,
            expected: None,
        }
    }

    /// The response to a challenge.
    ///
    /// # Errors
    /// It is no challenge of this mechanism that could be answered.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Refused> {
        let said = Directives::read(challenge)?;
        if said.need("algorithm")? != b"md5-sess" {
            return Err(Refused::Other("algorithm"));
        }
        if let Some(offered) = said.get("qop")
            && !offered
                .split(|b| *b == b',')
                .any(|qop| qop.trim_ascii() == b"auth")
        {
            return Err(Refused::Other("qop"));
        }
        if said.get("charset").is_some_and(|c| c != b"utf-8") {
            return Err(Refused::Other("charset"));
        }
        let realm = said.get("realm").unwrap_or(self.service.name.as_bytes());
        let realm = std::str::from_utf8(realm).map_err(|_| Refused::Other("realm"))?;
        let nonce = said.need("nonce")?;
        let cnonce = self::nonce()?;
        let uri = self.service.uri();
        let proof = Proof {
            user: &self.own.name,
            realm,
            password: &self.own.password,
            nonce,
            cnonce: cnonce.as_bytes(),
            uri: uri.as_bytes(),
            authzid: None,
        };
        let mut out = b"charset=utf-8,username=".to_vec();
        quote(self.own.name.as_bytes(), &mut out);
        out.extend_from_slice(b",realm=");
        quote(realm.as_bytes(), &mut out);
        out.extend_from_slice(b",nonce=");
        quote(nonce, &mut out);
        out.extend_from_slice(b",nc=");
        out.extend_from_slice(NONCE_COUNT);
        out.extend_from_slice(b",cnonce=");
        quote(cnonce.as_bytes(), &mut out);
        out.extend_from_slice(b",digest-uri=");
        quote(uri.as_bytes(), &mut out);
        out.extend_from_slice(b",maxbuf=65536,response=");
        out.extend_from_slice(&proof.response("AUTHENTICATE"));
        out.extend_from_slice(b",qop=auth");
        self.expected = Some(proof.response("").to_vec());
        Ok(out)
    }

    /// Looks whether the acceptor knows the password too.
    ///
    /// # Errors
    /// It does not.
    pub fn verify(&self, token: &[u8]) -> Result<(), Refused> {
        let said = Directives::read(token)?;
        let expected = self.expected.as_deref().ok_or(Refused::Over)?;
        if same(expected, said.need("rspauth")?) {
            Ok(())
        } else {
            Err(Refused::NotMutual)
        }
    }
}

/// What a response is computed of.
struct Proof<'a> {
    user: &'a str,
    realm: &'a str,
    password: &'a str,
    nonce: &'a [u8],
    cnonce: &'a [u8],
    uri: &'a [u8],
    authzid: Option<&'a [u8]>,
}

impl Proof<'_> {
    /// RFC 2831 2.1.2.1; `method` is AUTHENTICATE, and nothing for the acceptor's proof.
    fn response(&self, method: &str) -> [u8; 32] {
        let mut secret = Md5::new();
        secret.update(hashed(self.user));
        secret.update(b":");
        secret.update(hashed(self.realm));
        secret.update(b":");
        secret.update(hashed(self.password));
        let mut a1 = Md5::new();
        a1.update(secret.finalize());
        for part in [Some(self.nonce), Some(self.cnonce), self.authzid] {
            let Some(part) = part else { continue };
            a1.update(b":");
            a1.update(part);
        }
        let mut a2 = Md5::new();
        a2.update(method.as_bytes());
        a2.update(b":");
        a2.update(self.uri);
        let mut all = Md5::new();
        all.update(hex(&a1.finalize()));
        for part in [self.nonce, NONCE_COUNT, self.cnonce, b"auth"] {
            all.update(b":");
            all.update(part);
        }
        all.update(b":");
        all.update(hex(&a2.finalize()));
        hex(&all.finalize())
    }
}

fn hex(hash: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (pair, byte) in out.chunks_exact_mut(2).zip(hash) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    out
}

/// Names and passwords are hashed in ISO 8859-1 where that can write them (RFC 2831 2.1.2.1).
fn hashed(text: &str) -> Vec<u8> {
    let latin: Result<Vec<u8>, _> = text.chars().map(|c| u8::try_from(u32::from(c))).collect();
    latin.unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// A name as it came; `None` if it is not in the character set that was said.
fn text(bytes: &[u8], utf8: bool) -> Option<String> {
    if utf8 {
        String::from_utf8(bytes.to_vec()).ok()
    } else {
        Some(bytes.iter().map(|b| char::from(*b)).collect())
    }
}

/// Takes as long whatever differs.
fn same(expected: &[u8], given: &[u8]) -> bool {
    expected.len() == given.len()
        && expected
            .iter()
            .zip(given)
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}

fn nonce() -> Result<String, Refused> {
    let mut bytes = [0; NONCE_BYTES];
    getrandom::fill(&mut bytes).map_err(|e| Refused::Random(e.to_string()))?;
    Ok(STANDARD.encode(bytes))
}

fn challenge(service: Service, nonce: &str) -> Vec<u8> {
    let mut out = b"realm=".to_vec();
    quote(service.name.as_bytes(), &mut out);
    out.extend_from_slice(b",nonce=");
    quote(nonce.as_bytes(), &mut out);
    out.extend_from_slice(b",charset=utf-8,algorithm=md5-sess");
    out
}

fn quote(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// `name=value` by commas, names in lower case, values without their quotes.
struct Directives(BTreeMap<String, Vec<u8>>);

impl Directives {
    fn read(token: &[u8]) -> Result<Directives, Refused> {
        if token.len() > LONGEST {
            return Err(Refused::Form("it is longer than 4096 bytes"));
        }
        let mut all = BTreeMap::new();
        let mut rest = token.trim_ascii();
        while !rest.is_empty() {
            let Some(at) = rest.iter().position(|b| matches!(b, b'=' | b',')) else {
                return Err(Refused::Form("a directive has no value"));
            };
            if rest[at] == b',' {
                // Empty elements are allowed (RFC 2831 7.1).
                if !rest[..at].trim_ascii().is_empty() {
                    return Err(Refused::Form("a directive has no value"));
                }
                rest = rest[at + 1..].trim_ascii_start();
                continue;
            }
            let name = std::str::from_utf8(rest[..at].trim_ascii())
                .map_err(|_| Refused::Form("a directive's name is not ASCII"))?
                .to_ascii_lowercase();
            let (value, after) = value(rest[at + 1..].trim_ascii_start())?;
            rest = match after.trim_ascii_start() {
                [] => &[],
                [b',', next @ ..] => next.trim_ascii_start(),
                _ => return Err(Refused::Form("a comma is missing between directives")),
            };
            // Only one realm and one qop are ever offered; more than one of anything is an attempt to
            // say two things at once.
            if all.insert(name, value).is_some() {
                return Err(Refused::Form("a directive is there twice"));
            }
        }
        Ok(Directives(all))
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    fn need(&self, name: &'static str) -> Result<&[u8], Refused> {
        self.get(name).ok_or(Refused::Missing(name))
    }
}

/// A value and what follows it.
fn value(from: &[u8]) -> Result<(Vec<u8>, &[u8]), Refused> {
    let Some(quoted) = from.strip_prefix(b"\"") else {
        let end = from.iter().position(|b| *b == b',').unwrap_or(from.len());
        return Ok((from[..end].trim_ascii_end().to_vec(), &from[end..]));
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Ok((value, &quoted[at + 1..])),
            b'\\' => match bytes.next() {
                Some((_, escaped)) => value.push(*escaped),
                None => break,
            },
            other => value.push(*other),
        }
    }
    Err(Refused::Form("a quote is not closed"))
}

#[cfg(test)]
mod tests;
