//! A log's public part as it lies on disk: `checkpoint`, `charter.toml`, tiles and bundles (c2sp.org/tlog-tiles).
//!
//! ```text
//! GET /checkpoint               text/plain; charset=utf-8     Cache-Control: no-cache
//! GET /tile/0/x001/234/067      application/octet-stream      Cache-Control: public, max-age=31536000, immutable
//! GET /tile/entries/000.p/44    the same, and packed where that is accepted and helps
//! ```
//!
//! Ranges of bytes and conditions on entity tags are answered (RFC 9110, sections 13 and 14); several ranges at once are
//! answered as none. What lies on disk is read as the store reads it: regular files alone. An object that is long is given
//! out piece by piece, so that a slow reader costs a connection and a piece.

use super::problem::{FAILED, NO_OBJECT, Problem};
use crate::hash::sha256;
use crate::merkle::tile::{Level, TilePath};
use crate::store::StoreError;
use crate::store::dir::PublicDir;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tokio::io::AsyncReadExt as _;
use tokio::task::spawn_blocking;
use tokio_util::io::ReaderStream;

/// The longest object that is held in memory to be given out, in bytes; bundles of pledges have half of it.
const MAX_WHOLE: u64 = 256 << 10;

/// The pieces of a longer one, in bytes.
const PIECE: usize = 64 << 10;

/// The shortest bundle that is packed, in bytes.
const MIN_PACKED: usize = 1 << 10;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";
const ALWAYS_ASK: &str = "no-cache";
const AN_HOUR: &str = "public, max-age=3600";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The objects of a log's public part.
pub fn routes(folder: PublicDir) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/charter.toml", get(charter))
        .route("/tile/{*path}", get(tile))
        .with_state(Arc::new(folder))
}

type Folder = State<Arc<PublicDir>>;

/// The newest signed checkpoint.
#[utoipa::path(get, path = "/checkpoint", tag = "log", responses(
    (status = 200, description = "a signed note, c2sp.org/tlog-checkpoint", content_type = "text/plain"),
    (status = 304, description = "it has the entity tag that was named"),
    (status = 404, description = "nothing is published yet", content_type = "application/problem+json"),
))]
pub(super) async fn checkpoint(State(folder): Folder, headers: HeaderMap) -> Response {
    text(folder, "checkpoint".to_owned(), headers).await
}

/// A text that changes, by its name below `public/`.
pub(super) async fn text(folder: Arc<PublicDir>, name: String, headers: HeaderMap) -> Response {
    Object { name, media: TEXT, cache: ALWAYS_ASK, packs: false }.answer(folder, headers).await
}

/// The charter as its founders wrote it.
#[utoipa::path(get, path = "/charter.toml", tag = "log", responses(
    (status = 200, description = "the text whose digest statement 0 carries", content_type = "text/plain"),
    (status = 404, description = "there is none", content_type = "application/problem+json"),
))]
pub(super) async fn charter(State(folder): Folder, headers: HeaderMap) -> Response {
    let object = Object { name: "charter.toml".to_owned(), media: TEXT, cache: AN_HOUR, packs: true };
    object.answer(folder, headers).await
}

/// A tile of hashes, or a bundle of entries.
#[utoipa::path(get, path = "/tile/{path}", tag = "log", params(
    ("path" = String, Path, description = "level or `entries`, index, and width where it is partial: `0/x001/234.p/7`"),
), responses(
    (status = 200, description = "a tile or bundle, c2sp.org/tlog-tiles", content_type = "application/octet-stream"),
    (status = 206, description = "the range of bytes that was asked for"),
    (status = 304, description = "it has the entity tag that was named"),
    (status = 404, description = "no such tile, or not in this width", content_type = "application/problem+json"),
    (status = 416, description = "it has no such range"),
))]
pub(super) async fn tile(State(folder): Folder, uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().trim_start_matches('/').to_owned();
    // In its one form, as it is asked and not as it may be meant.
    let Ok(path) = name.parse::<TilePath>() else {
        return Problem::new(&NO_OBJECT).detail("not the path of a tile or an entry bundle").into_response();
    };
    let packs = path.level == Level::Entries;
    Object { name, media: BYTES, cache: FOR_EVER, packs }.answer(folder, headers).await
}

/// An object as it is asked for.
struct Object {
    /// Its name below `public/`.
    name: String,
    media: &'static str,
    cache: &'static str,
    /// Whether packing makes it smaller.
    packs: bool,
}

impl Object {
    async fn answer(self, folder: Arc<PublicDir>, headers: HeaderMap) -> Response {
        let name = self.name.clone();
        match spawn_blocking(move || self.read(&folder, &headers)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "could not read an object");
                Problem::new(&FAILED).detail(name).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "reading an object broke off");
                Problem::new(&FAILED).detail(name).into_response()
            }
        }
    }

    fn read(self, folder: &PublicDir, asked: &HeaderMap) -> Result<Response, StoreError> {
        let name = format!("public/{}", self.name);
        let Some((mut file, size)) = folder.file(&name)? else {
            return Ok(Problem::new(&NO_OBJECT).detail(self.name).into_response());
        };
        let failed =
            |source| StoreError::Io { attempt: crate::store::Attempt::Read, name: name.clone(), source };
        let modified = modified_ns(&file).map_err(failed)?;
        let dated = || format!("{size:x}-{modified:x}");
        if size > MAX_WHOLE {
            return self.long(file, size, &dated(), asked).map_err(failed);
        }
        // One byte more, so that it need not grow to find the end.
        let mut bytes = Vec::with_capacity(usize::try_from(size).expect("within the limit") + 1);
        (&mut file).take(MAX_WHOLE).read_to_end(&mut bytes).map_err(failed)?;
        // What changes may change twice between two ticks of the file system's clock.
        let tag = if self.cache == FOR_EVER { dated() } else { hex::encode(&sha256(&bytes).0[..16]) };
        self.short(bytes, &tag, asked).map_err(failed)
    }

    /// Gives out what is held in memory.
    fn short(&self, bytes: Vec<u8>, tag: &str, asked: &HeaderMap) -> io::Result<Response> {
        let packed = self.packs && bytes.len() >= MIN_PACKED && accepts_packed(asked);
        let tag = if packed { format!("\"{tag}-gz\"") } else { format!("\"{tag}\"") };
        if is_known(asked, &tag) {
            return Ok(self.response(StatusCode::NOT_MODIFIED, &tag, &[], Body::empty()));
        }
        if packed {
            let mut packer = GzEncoder::new(Vec::with_capacity(bytes.len()), Compression::fast());
            packer.write_all(&bytes)?;
            let more = [(header::CONTENT_ENCODING, "gzip".to_owned())];
            return Ok(self.response(StatusCode::OK, &tag, &more, Body::from(packer.finish()?)));
        }
        let size = u64::try_from(bytes.len()).expect("fits");
        let bytes = Bytes::from(bytes);
        self.part(asked, size, &tag, |range| {
            let at = |n| usize::try_from(n).expect("within the bytes");
            Ok(Body::from(bytes.slice(at(range.start)..at(range.end))))
        })
    }

    /// Gives out a file piece by piece.
    fn long(&self, mut file: File, size: u64, tag: &str, asked: &HeaderMap) -> io::Result<Response> {
        let tag = format!("\"{tag}\"");
        if is_known(asked, &tag) {
            return Ok(self.response(StatusCode::NOT_MODIFIED, &tag, &[], Body::empty()));
        }
        self.part(asked, size, &tag, |range| {
            file.seek(SeekFrom::Start(range.start))?;
            let file = tokio::fs::File::from_std(file).take(range.end - range.start);
            Ok(Body::from_stream(ReaderStream::with_capacity(file, PIECE)))
        })
    }

    /// The range that is asked for, or all.
    fn part(
        &self,
        asked: &HeaderMap,
        size: u64,
        tag: &str,
        body: impl FnOnce(Range<u64>) -> io::Result<Body>,
    ) -> io::Result<Response> {
        let (status, range) = match wanted(asked, size, tag) {
            Wanted::All => (StatusCode::OK, 0..size),
            Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
            Wanted::Nothing => {
                let more = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                return Ok(self.response(StatusCode::RANGE_NOT_SATISFIABLE, tag, &more, Body::empty()));
            }
        };
        let mut more = vec![(header::CONTENT_LENGTH, (range.end - range.start).to_string())];
        if status == StatusCode::PARTIAL_CONTENT {
            more.push((header::CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1)));
        }
        Ok(self.response(status, tag, &more, body(range)?))
    }

    fn response(&self, status: StatusCode, tag: &str, more: &[(HeaderName, String)], body: Body) -> Response {
        let vary = if self.packs { "Accept-Encoding" } else { "Origin" };
        let mut response = Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, self.media)
            .header(header::CACHE_CONTROL, self.cache)
            .header(header::ETAG, tag)
            .header(header::ACCEPT_RANGES, "bytes")
            .header(header::VARY, vary);
        for (name, value) in more {
            response = response.header(name, value);
        }
        response.body(body).expect("names and values are those of headers")
    }
}

/// When a file was changed last, in nanoseconds.
fn modified_ns(file: &File) -> io::Result<u128> {
    let modified = file.metadata()?.modified()?;
    Ok(modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()))
}

/// Whether what is asked for may come packed.
fn accepts_packed(asked: &HeaderMap) -> bool {
    let accepted = asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let gzip = |part: &str| {
        let (name, quality) = part.split_once(';').unwrap_or((part, ""));
        let refused =
            quality.trim().strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    };
    !asked.contains_key(header::RANGE) && accepted.split(',').any(gzip)
}

/// Whether the entity tag is one that the asker has.
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|list| list.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

/// What of an object is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<u64>),
    /// A range that the object does not have.
    Nothing,
}

/// The range that is asked for, if it is one, and of the object with this entity tag.
fn wanted(asked: &HeaderMap, size: u64, tag: &str) -> Wanted {
    let text = |name| asked.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let Some(range) = text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Wanted::All;
    };
    if text(header::IF_RANGE).is_some_and(|have| have != tag) {
        return Wanted::All;
    }
    let number = |digits: &str| {
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten()
    };
    let range = match range.trim().split_once('-') {
        Some(("", last)) => number(last).map(|last| size.saturating_sub(last)..size),
        Some((first, "")) => number(first).map(|first| first..size),
        Some((first, last)) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => Some(first..last.saturating_add(1).min(size)),
            _ => None,
        },
        None => None,
    };
    match range {
        None => Wanted::All,
        Some(range) if range.start < range.end => Wanted::Part(range),
        Some(_) => Wanted::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const TAG: &str = "\"tag\"";

    fn headers(all: &[(HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn ranges_are_those_of_the_rfc() {
        let part = Wanted::Part;
        for (range, want) in [
            ("bytes=0-0", part(0..1)),
            ("bytes=2-5", part(2..6)),
            ("bytes=2-", part(2..10)),
            ("bytes=-3", part(7..10)),
            ("bytes=-30", part(0..10)),
            ("bytes=9-99", part(9..10)),
            ("bytes=0-18446744073709551615", part(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-12", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=", Wanted::All),
            ("bytes=-", Wanted::All),
            ("items=0-1", Wanted::All),
            ("bytes=0-99999999999999999999", Wanted::All),
        ] {
            assert_eq!(wanted(&headers(&[(header::RANGE, range)]), 10, TAG), want, "{range}");
        }
        let with = |tag| headers(&[(header::RANGE, "bytes=2-5"), (header::IF_RANGE, tag)]);
        assert_eq!(wanted(&with(TAG), 10, TAG), part(2..6));
        assert_eq!(wanted(&with("\"other\""), 10, TAG), Wanted::All);
        assert_eq!(wanted(&headers(&[(header::RANGE, "bytes=0-")]), 0, TAG), Wanted::Nothing);
    }

    #[test]
    fn entity_tags_are_compared_weakly_and_in_lists() {
        for (known, want) in [
            (TAG, true),
            ("W/\"tag\"", true),
            ("\"a\", \"tag\"", true),
            ("*", true),
            ("\"a\"", false),
            ("tag", false),
        ] {
            assert_eq!(is_known(&headers(&[(header::IF_NONE_MATCH, known)]), TAG), want, "{known}");
        }
        assert!(!is_known(&HeaderMap::new(), TAG));
    }

    #[test]
    fn packing_must_be_asked_for() {
        for (accepted, want) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
            ("x-gzip", false),
            ("identity", false),
        ] {
            assert_eq!(accepts_packed(&headers(&[(header::ACCEPT_ENCODING, accepted)])), want, "{accepted}");
        }
        let ranged = headers(&[(header::ACCEPT_ENCODING, "gzip"), (header::RANGE, "bytes=0-1")]);
        assert!(!accepts_packed(&ranged), "a range is one of the bytes as they are");
    }
}
