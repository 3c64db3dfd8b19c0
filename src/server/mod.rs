//! A log over HTTP: listening within limits, routes, and what refusals look like. The one asynchronous part.
//!
//! ```text
//! connection -> listen (how many, TLS, time) -> front (who asks how often, the time it takes, a line for the log, CORS)
//!            -> public     objects as they are published: checkpoint, tiles, bundles (c2sp.org/tlog-tiles)
//!               health     healthz, readyz, metrics
//!               problem    what refusals mean (RFC 9457)
//!               api        the document that describes all this (OpenAPI)
//! ```
//!
//! Each of these gives a [`Router`](axum::Router); whoever runs a server merges those it needs, puts [`front::Front`] before
//! them, and calls [`listen::serve`]. Nothing here judges what a log says: that is the core's, on threads of their own.
//!
//! HTTP/1.1 alone is spoken: it has fewer ways to be abused than its successor, which whatever stands in front may speak.
//!
//! | part | trusted with |
//! | --- | --- |
//! | whoever asks | nothing |
//! | this module | being there; who asks how often |
//! | the folder that is served | nothing: readers verify |

pub mod api;
pub mod body;
pub mod front;
pub mod health;
pub mod listen;
pub mod metrics;
pub mod patience;
pub mod problem;
pub mod public;
pub mod rates;
