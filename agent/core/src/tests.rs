//! The whole core on virtual time: scripted processes, probes and a collector around one agent.

mod first_start;
mod hold;
mod keep;
mod pause;
mod power;
mod recovery;
pub(crate) mod replay;
mod sameness;
mod session;
mod sim;
mod standing;
mod welcome;
mod world;
