//! Trained networks made smaller: weights of eight bits, fewer hidden values, a student of a larger network.
//!
//! Everything works on checkpoints, bytes to bytes, and nothing claims to be smaller or as good: [`footprint`] measures a network
//! before and after.

mod distill;
mod footprint;
mod prune;
mod quantize;

pub use distill::{distill, with_hidden_size};
pub use footprint::{Footprint, KernelSpeed, footprint, kernel_speed};
pub use prune::{fine_tune, prune};
pub use quantize::{WeightBytes, dequantize, quantize, weight_bytes};
