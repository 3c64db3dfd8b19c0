//! Bodies of requests: read whole, within a length and a time.

use super::problem::{NO_BODY, Problem, TOO_LONG};
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use std::time::Duration;
use tokio::time::timeout;

/// How long a body may take to come.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`TOO_LONG`]; [`NO_BODY`] where it does not come whole, or not within [`PATIENCE`].
pub async fn whole(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_long = || Problem::new(&TOO_LONG).detail(format!("at most {limit} bytes are read"));
    // What is announced as too long is not read at all.
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_long());
    }
    match timeout(PATIENCE, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // The only other error is that the connection broke, and then nobody reads this.
        Ok(Err(_)) => Err(too_long()),
        Err(_) => Err(Problem::new(&NO_BODY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;
    use futures_util::stream;

    fn read(body: Body, limit: usize) -> Result<Bytes, u16> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(whole(body, limit)).map_err(|problem| problem.into_response().status().as_u16())
    }

    #[test]
    fn a_body_is_read_up_to_its_limit() {
        let parts = || {
            stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"123")), Ok(Bytes::from_static(b"45"))])
        };
        assert_eq!(read(Body::from("12345"), 5).unwrap(), "12345");
        assert_eq!(read(Body::from("12345"), 4), Err(413));
        assert_eq!(read(Body::from_stream(parts()), 5).unwrap(), "12345");
        assert_eq!(read(Body::from_stream(parts()), 4), Err(413));
    }

    #[test]
    fn a_body_that_does_not_come_is_not_waited_for() {
        let never = stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(read(Body::from_stream(never), 5), Err(408));
    }
}
