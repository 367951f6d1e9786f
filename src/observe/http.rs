//! Is it alive, is it ready, what has it counted? `/livez`, `/readyz`, `/metrics`, on loopback.

use super::metrics::Metrics;
use super::pulse::Pulses;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;

/// What is told of the daemon's health.
#[derive(Clone)]
pub struct Health {
    /// The counters.
    pub metrics: Metrics,
    /// The loops.
    pub pulses: Pulses,
    /// Whether the start is over.
    pub ready: Arc<AtomicBool>,
}

/// Serves until the runtime ends.
pub async fn serve(listener: TcpListener, health: Health) {
    let router = Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health);
    if let Err(fault) = axum::serve(listener, router).await {
        tracing::error!(%fault, "health and metrics are no longer served");
    }
}

async fn live(State(health): State<Health>) -> (StatusCode, String) {
    let stuck = health.pulses.stuck();
    if stuck.is_empty() {
        (StatusCode::OK, "alive\n".into())
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("stuck: {}\n", stuck.join(", ")),
        )
    }
}

async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting\n")
    }
}

async fn metrics(State(health): State<Health>) -> String {
    health.metrics.text()
}
