//! What all kinds of packed weights have in common.

use crate::weights::StackShape;

/// Weights that [`Stream`](crate::Stream) and [`Inference`](crate::Inference) run: of GRU or LSTM layers, in single precision
/// or quantized.
pub trait Recurrent: sealed::Packed {
    /// Returns the sizes.
    fn shape(&self) -> StackShape;
}

pub(crate) mod sealed {
    use crate::cell::LayerStep;
    use crate::element::{Element, Whole};
    use crate::kind::Kind;
    use crate::panels::Panels;
    use crate::stream::StreamStep;
    use crate::window::WindowRun;

    /// What the kernels need; no type outside this crate has it.
    ///
    /// Each kind of weights has its kernels as methods of its own, so that they are compiled in this crate once, not in every
    /// crate that runs them.
    pub trait Packed {
        /// GRU or LSTM.
        type Kind: Kind;
        /// How weights are stored.
        type Element: Element;

        /// Returns a layer's weights.
        fn panels(&self, layer: usize) -> &Panels<Self::Element>;

        /// Lays weights out for windows, which read them many times, if these need another form than the stored one.
        fn unpack(&self, _unpacked: &mut Vec<Panels<Whole>>) {}

        /// Takes one step of one layer, with what [`Packed::unpack`] has laid out.
        fn step_layer(&self, layer: usize, step: LayerStep<'_>, unpacked: &[Panels<Whole>]);

        /// Takes all steps of one layer for a single row, with what [`Packed::unpack`] has laid out.
        fn run_window(&self, layer: usize, run: WindowRun<'_>, unpacked: &[Panels<Whole>]);

        /// Takes one step of all layers for a single row.
        fn step_stream(&self, step: StreamStep<'_>);
    }
}
