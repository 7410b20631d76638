//! `weir verify` on real data folders: good ones, folders of a running program, folders with a commit half done, and every way to tamper with
//! each file. Each tampering is found and named, or stands in a list here of what is harmless by design.

mod commits;
mod folders;
mod rig;
mod tampering;
