//! Tests of application events: lines, bodies, keys, tokens, configuration, and the server over real sockets.

mod keys;
mod lines;
mod serving;
mod settings;
