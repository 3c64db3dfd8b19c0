//! OpenSSH key files.
