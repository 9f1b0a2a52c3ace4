//! The collector as a program, over its real doors. One program for all, since each costs a build.

mod common;
mod crash;
mod full;
mod guard;
mod identity;
mod metrics;
mod operator;
mod owner;
mod process;
mod restart;
mod session;
