//! The desk on the real binary, over HTTP.
