//! Text keys of logs and witnesses.
