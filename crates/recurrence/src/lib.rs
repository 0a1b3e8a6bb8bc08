//! Stacks of GRU and LSTM layers on the processor: states forward, gradients back, and nothing else.
//!
//! No heads, losses, optimizers, devices or random numbers: weights and windows go in as slices, states and gradients come out.
//! With the gates of a GRU packed reset, update, new along the rows of the weights, as libtorch packs them:
//!
//! ```text
//! r  = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
//! z  = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
//! n  = tanh(W_in x + b_in + r * (W_hn h + b_hn))
//! h' = (1 - z) * n + z * h
//! ```
//!
//! libtorch computes a step as about a dozen operations on tensors, which at these sizes cost more than their arithmetic. Here
//! a step is one kernel, which holds the sums of a few rows in registers from the products to the new state.
//!
//! | to run | there is | with |
//! |---|---|---|
//! | one step after another, as bars arrive | [`Stream`] | [`Weights`], [`QuantizedWeights`], [`LstmWeights`] |
//! | windows, alone or in batches | [`Inference`], [`last_states`], [`all_states`] | likewise |
//! | a training | [`Workspace`] | [`Weights`] |
//!
//! Windows of different lengths are padded at the front and say where they start; steps of padding cost nothing. A stack that
//! reads in both directions is built of stacks of one layer, run in a [`Direction`] each, whose states the caller joins.
//!
//! Invariants:
//! - the same numbers give the same bits: every sum runs in an order of its own that depends neither on the batch around a
//!   sample nor on its padding, nor on threads (there are none), nor on whether steps come one by one, nor on the width of the
//!   processor's vectors, which is found at run time; products are fused with their sums on every processor;
//! - padding is zero and stays so;
//! - what is not a number stays so on its way to the output;
//! - a step of a [`Stream`] allocates nothing;
//! - no `unsafe` code: vectors come from `pulp`.

// Code that is not inlined into the kernel's entry point would not be compiled for the processor found at run time.
#![allow(clippy::inline_always)]

mod lines;

mod batch;
mod element;
mod kind;
mod panels;
mod recurrent;

mod lstm;
mod quantized;
mod weights;

mod cell;
mod cell_gradient;
mod gates;
mod products;
mod weight_gradient;

mod inference;
mod stream;
mod window;

mod backward;
mod schedule;
mod training;

pub use backward::{Downstream, Upstream};
pub use batch::{Batch, Direction};
pub use inference::{Inference, Outputs, States, all_states, last_states};
pub use lstm::LstmWeights;
pub use quantized::{QuantizedRows, QuantizedWeights};
pub use recurrent::Recurrent;
pub use stream::Stream;
pub use training::Workspace;
pub use weights::{StackShape, Weights};
