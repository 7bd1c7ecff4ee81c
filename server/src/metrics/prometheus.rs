//! The metrics over HTTP for Prometheus.

use crate::{
    http::{Request, Response, Service, Upload},
    inspect::Inspector,
};
use std::{net::SocketAddr, sync::Arc};

/// Answers `GET /metrics`.
pub struct Prometheus(Arc<Inspector>);

impl Prometheus {
    /// Of this server.
    #[must_use]
    pub fn new(inspector: Arc<Inspector>) -> Prometheus {
        Prometheus(inspector)
    }
}

impl Service for Prometheus {
    async fn answer(
        &self,
        request: Request,
        _body: &mut Upload<'_>,
        _from: SocketAddr,
    ) -> Response {
        if request.path != "/metrics" {
            return Response::text(404, "metrics are at /metrics\n");
        }
        match self.0.report().await {
            Some(report) => Response {
                content_type: "text/plain; version=0.0.4; charset=utf-8",
                ..Response::text(200, report.prometheus())
            },
            None => Response::text(503, "this server does not answer\n"),
        }
    }
}
