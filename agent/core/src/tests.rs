//! The whole core on virtual time: scripted processes, probes and a collector around one agent.

mod files;
mod first_start;
mod heap;
mod held;
mod hold;
mod keep;
mod ladder;
mod link;
mod metered;
mod packages;
mod pause;
mod power;
mod reboot;
mod recovery;
mod reload;
pub(crate) mod replay;
mod roots;
mod sameness;
mod session;
mod sim;
mod standing;
mod starved;
mod tells;
mod units;
mod views;
mod welcome;
mod world;
