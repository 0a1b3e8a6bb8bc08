//! The weights of one layer, laid out for the kernels.

use pulp::{Simd, WithSimd};

use crate::element::{Eighths, Element, Whole};
use crate::lines::{LINE, Lines, padded};

/// One layer. A panel is a line of neighboring hidden values; what they need at one `k` lies together. Padding is zero.
#[derive(Debug, Clone)]
pub struct Panels<E: Element> {
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
    /// A row's length, `H` with its padding.
    pub(crate) width: usize,
    gates: usize,
    /// `[panel][k][gate][LINE]`: transposed input weights for the words of `k` in `0..I`, then recurrent ones for `0..H`.
    words: Lines<E::Word>,
    /// `[panel][slot][LINE]`, four slots: what sums start with, or what is added to them.
    pub(crate) biases: Lines,
    /// `[panel][input, state][gate][LINE]`; empty where sums need no scale.
    pub(crate) scales: Lines,
}

/// Slots of biases: a cell has at most four sums per hidden value.
pub(crate) const SLOTS: usize = 4;

/// The weights of one hidden value's vector.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a, V> {
    /// `[k][gate][parts]`.
    pub(crate) of_input: &'a [V],
    pub(crate) of_state: &'a [V],
}

/// Which weights, among those of one layer.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Whether the weight is multiplied with the state, not the input.
    pub(crate) of_state: bool,
    pub(crate) gate: usize,
    pub(crate) unit: usize,
    /// The word of the `k` that the weight is multiplied with.
    pub(crate) word: usize,
}

impl<E: Element> Panels<E> {
    pub(crate) fn zeros(inputs: usize, hidden: usize, gates: usize) -> Self {
        let width = padded(hidden);
        let words = inputs.div_ceil(E::PER_WORD) + hidden.div_ceil(E::PER_WORD);
        let scales = if E::SCALED { 2 * gates * width } else { 0 };
        let mut words = Lines::zeros(gates * words * width);
        words.fill(E::ZERO);
        Self { inputs, hidden, width, gates, words, biases: Lines::zeros(SLOTS * width), scales: Lines::zeros(scales) }
    }

    const fn input_words(&self) -> usize {
        self.inputs.div_ceil(E::PER_WORD)
    }

    const fn panel_len(&self) -> usize {
        self.gates * (self.input_words() + self.hidden.div_ceil(E::PER_WORD)) * LINE
    }

    /// Returns the size of what one line of hidden values needs.
    pub(crate) const fn panel_bytes(&self) -> usize {
        self.panel_len() * size_of::<E::Word>()
    }

    pub(crate) fn set_word(&mut self, place: Place, word: E::Word) {
        let (panel, lane) = (place.unit / LINE, place.unit % LINE);
        let k = place.word + if place.of_state { self.input_words() } else { 0 };
        let index = panel * self.panel_len() + (k * self.gates + place.gate) * LINE + lane;
        self.words[index] = word;
    }

    pub(crate) fn set_bias(&mut self, unit: usize, slot: usize, bias: f32) {
        self.biases[(unit / LINE * SLOTS + slot) * LINE + unit % LINE] = bias;
    }

    pub(crate) fn set_scale(&mut self, of_state: bool, gate: usize, unit: usize, scale: f32) {
        let row = (unit / LINE * 2 + usize::from(of_state)) * self.gates + gate;
        self.scales[row * LINE + unit % LINE] = scale;
    }

    /// Returns a panel's weights as vectors.
    #[inline(always)]
    pub(crate) fn column<S: Simd>(&self, panel: usize) -> Column<'_, E::Vector<S>> {
        let parts = LINE / S::F32_LANES;
        let words = E::vectors::<S>(&self.words[panel * self.panel_len()..][..self.panel_len()]);
        let (of_input, of_state) = words.split_at(self.gates * self.input_words() * parts);
        Column { of_input, of_state }
    }
}

/// Takes the whole numbers of a layer out of their words.
pub(crate) struct Unpacking<'a> {
    pub(crate) from: &'a Panels<Eighths>,
    pub(crate) to: &'a mut Panels<Whole>,
}

impl WithSimd for Unpacking<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { from, to } = self;
        to.biases.copy_from_slice(&from.biases);
        to.scales.copy_from_slice(&from.scales);
        let row = from.gates * LINE / S::F32_LANES;
        let panel_len = to.panel_len();
        for (panel, whole) in to.words.chunks_exact_mut(panel_len).enumerate() {
            let Column { of_input, of_state } = from.column::<S>(panel);
            let (inputs, states) = S::as_mut_simd_f32s(whole).0.split_at_mut(from.inputs * row);
            for (words, whole) in [(of_input, inputs), (of_state, states)] {
                for (words, rows) in words.chunks_exact(row).zip(whole.chunks_mut(Eighths::PER_WORD * row)) {
                    for (place, row) in rows.chunks_exact_mut(row).enumerate() {
                        for (word, whole) in words.iter().zip(row) {
                            *whole = Eighths::weights(simd, *word, place);
                        }
                    }
                }
            }
        }
    }
}
