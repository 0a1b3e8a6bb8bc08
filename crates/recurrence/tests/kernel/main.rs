//! The kernels from outside: against plain loops, against PyTorch, and against each other.

mod gradients;
mod plain_loops;
mod pytorch;
mod reference;
mod windows;
