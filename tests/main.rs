//! One test binary; each module is a chapter of the specification.

mod support;
/// Other people's known answers, good and bad, with their source.
mod vectors;
