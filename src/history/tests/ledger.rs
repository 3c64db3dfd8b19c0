//! What follows from what was said: each rule, each state, each verdict, in a world of four partners.

mod gaps;
mod growth;
mod hostile;
mod model;
mod motions;
mod occasions;
mod replay;
mod rules;
mod states;
mod verdicts;
mod world;
