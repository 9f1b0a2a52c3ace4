//! The whole core on virtual time: scripted processes, probes and a collector around one agent.

mod recovery;
mod sameness;
mod session;
mod world;
