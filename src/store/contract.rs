//! The storage contract as tests, held against every store (to be written).
