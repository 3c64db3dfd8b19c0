//! What follows from what was said: each rule, each state, each verdict, in a world of four partners.

mod rules;
mod world;
