//! Picket's gRPC: the `picket.v1` services and messages, and [`convert`], the only place where they meet
//! `picket-proto`. Transport-free: the shells bring their own TLS, listeners and channels. Beside it [`metrics`], the other
//! thing that both shells answer alike.

#![forbid(unsafe_code)]

pub mod convert;
pub mod metrics;

/// `picket.v1`, generated from `proto/picket/v1/*.proto`, where the documentation stands.
#[allow(
    missing_docs,
    unused_qualifications,
    unnameable_types,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("picket.v1");
}

/// The compiled descriptors of `picket.v1` and what it imports, for the reflection service.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/picket.v1.bin"));

/// Longest `frames` of a [`v1::Batch`] in bytes: 64 frames of the longest kind, and one journal row.
pub const BATCH_MAX: usize = 64 * 1024;
/// The bit of [`v1::Hello`]`::orders` of an agent that gives evidence when asked.
pub const ORDER_EVIDENCE: u32 = 1;
/// Most items in a page or a [`v1::Standing`]: none may hold a core for 1 ms.
pub const PAGE_MAX: usize = 500;
