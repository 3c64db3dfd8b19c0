//! Other people's known answers.
