//! The client's side of SASL: tokens with opcode 102 after the handshake and before anything else
//! (ZooKeeper.md 1.15).

use crate::sasl::{CLIENTS, Credentials, digest_md5::Initiator};
use std::io;
use zabscope_core::{
    members::shown,
    request::{ErrorCode, Request, Response, SaslOutcome},
};

/// Proves who this client is. `ask` sends a request and gives its answer.
///
/// # Errors
/// The connection's. The inner one: the server does not accept it, or can't be trusted itself; trying
/// again would be in vain.
pub fn prove(
    own: &Credentials,
    mut ask: impl FnMut(Request) -> io::Result<Result<Response, ErrorCode>>,
) -> io::Result<Result<(), String>> {
    let mut ask = |token: Vec<u8>| {
        ask(Request::Sasl {
            token: Some(token.into()),
            outcome: SaslOutcome::NotConfigured,
        })
    };
    let user = shown(&own.name);
    let mut initiator = Initiator::new(CLIENTS, own.clone());
    let challenge = match ask(Vec::new())? {
        Ok(Response::Sasl(Some(challenge))) => challenge,
        Ok(_) => {
            return Ok(Err(
                "this server has no SASL: give it a JAAS file with a section Server, or switch SASL \
                 off here with zookeeper.sasl.client=false"
                    .to_owned(),
            ));
        }
        Err(code) => return Ok(Err(refused(&user, code))),
    };
    let response = match initiator.respond(&challenge) {
        Ok(response) => response,
        Err(why) => return Ok(Err(format!("its challenge can't be answered: {why}"))),
    };
    Ok(match ask(response)? {
        Ok(Response::Sasl(Some(token))) => initiator.verify(&token).map_err(|why| {
            format!("it may not be the server that it should be (DIGEST-MD5): {why}")
        }),
        // Who fails may stay there (allowSaslFailedClients), but it would be nobody.
        Ok(_) => Err(refused(&user, ErrorCode::AuthFailed)),
        Err(code) => Err(refused(&user, code)),
    })
}

fn refused(user: &str, code: ErrorCode) -> String {
    match code {
        ErrorCode::AuthFailed | ErrorCode::SessionClosedRequireSaslAuth => format!(
            "this server does not know the user {user} with this password (SASL DIGEST-MD5): compare \
             the section in the JAAS file with the server's"
        ),
        other => format!("SASL is refused: {}", other.name()),
    }
}
