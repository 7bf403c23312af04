//! Matching as a whole: tables of what people send, and properties.

mod compose;
mod matching;
mod properties;
mod samples;
