//! Which port speaks TLS, and with which keys.

use crate::{
    config::{ClientAuth, Mode, ServerConfig, Tls},
    net::tls::{Context, Dialer, Door, Sides, TlsError},
};
use std::sync::Arc;

/// The keys and trust of all ports, read before anything listens.
pub struct Secure {
    clients: Option<Arc<Context>>,
    peers: Option<Arc<Context>>,
    admin: Option<Arc<Context>>,
    metrics: Option<Arc<Context>>,
}

impl Secure {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// The first store that is missing, can't be read or does not fit.
    pub fn load(config: &ServerConfig) -> Result<Secure, TlsError> {
        let accepts = Sides {
            server: true,
            client: false,
        };
        let (clients, peers) = (&config.clients, &config.peers);
        let for_clients = clients.secure.is_some() || clients.port_unification;
        let for_peers = config.mode == Mode::Quorum && (peers.tls || peers.port_unification);
        let dials = Sides {
            client: peers.tls,
            ..accepts
        };
        let admin = config.admin.as_ref();
        let admin = admin.filter(|admin| admin.force_https || admin.port_unification);
        let metrics = config.metrics.as_ref().and_then(|m| m.https.as_ref());
        let context = |settings: &Tls, prefix, sides| Context::load(settings, prefix, sides);
        Ok(Secure {
            clients: for_clients
                .then(|| context(&config.tls, "ssl.", accepts))
                .transpose()?,
            peers: for_peers
                .then(|| context(&config.quorum_tls, "ssl.quorum.", dials))
                .transpose()?,
            // As in Apache, the keys of the members.
            admin: admin
                .map(|admin| {
                    let settings = Tls {
                        client_auth: if admin.need_client_auth {
                            ClientAuth::Need
                        } else {
                            ClientAuth::None
                        },
                        client_hostname_verification: false,
                        ..config.quorum_tls.clone()
                    };
                    context(&settings, "ssl.quorum.", accepts)
                })
                .transpose()?,
            metrics: metrics
                .map(|(_, settings)| context(settings, "metricsProvider.ssl.", accepts))
                .transpose()?,
        })
    }

    /// Reads stores again when they change, if the configuration says so; called on the runtime.
    pub fn keep_up(&self) {
        for context in [&self.clients, &self.peers, &self.admin, &self.metrics]
            .into_iter()
            .flatten()
        {
            context.keep_up();
        }
    }

    /// Of clientPort.
    pub fn clients(&self, config: &ServerConfig) -> Door {
        match &self.clients {
            Some(context) if config.clients.port_unification => Door::unified(Arc::clone(context)),
            _ => Door::plain(
                "let it connect to secureClientPort, or set client.portUnification=true for both on one \
                 port",
            ),
        }
    }

    /// Of secureClientPort; plain only where there is no such port.
    pub fn secure_clients(&self) -> Door {
        let advice = "let it connect to clientPort, or with zookeeper.client.secure=true";
        match &self.clients {
            Some(context) => Door::secure(Arc::clone(context), advice),
            None => Door::plain(advice),
        }
    }

    /// Of the quorum and election ports, and the way to those of others.
    pub fn peers(&self, config: &ServerConfig) -> (Dialer, Door) {
        let Some(context) = &self.peers else {
            let advice =
                "if it is a member: set sslQuorum alike on all, or portUnification=true meanwhile";
            return (Dialer::plain(), Door::plain(advice));
        };
        let dialer = match config.peers.tls {
            true => Dialer::secure(Arc::clone(context)),
            false => Dialer::plain(),
        };
        let door = match config.peers.port_unification {
            true => Door::unified(Arc::clone(context)),
            false => Door::secure(
                Arc::clone(context),
                "if it is a member: set sslQuorum=true there, or portUnification=true here meanwhile",
            ),
        };
        (dialer, door)
    }

    /// Of the port for Prometheus with TLS.
    pub fn metrics(&self) -> Door {
        match &self.metrics {
            Some(context) => Door::secure(Arc::clone(context), "use https://"),
            None => Door::plain("use http://"),
        }
    }

    /// Of the admin port.
    pub fn admin(&self, config: &ServerConfig) -> Door {
        let both = config
            .admin
            .as_ref()
            .is_some_and(|admin| !admin.force_https);
        match &self.admin {
            Some(context) if both => Door::unified(Arc::clone(context)),
            Some(context) => Door::secure(Arc::clone(context), "use https://"),
            None => Door::plain("use http://, or set admin.portUnification=true"),
        }
    }
}
