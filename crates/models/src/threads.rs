//! One libtorch thread per fit.
//!
//! A small recurrent network gains nothing from a second thread, and a sum split between threads is another sum: folds and
//! ensemble members run in parallel instead, each on a thread of its own.

use std::sync::Once;

/// Keeps libtorch to the calling thread, here and for everything that the calling thread computes later.
///
/// The number of threads inside an operation belongs to the calling thread, so every fit and forecast sets its own; the
/// number of threads between operations belongs to the process and may be set once.
pub(crate) fn use_one_thread() {
    static BETWEEN_OPERATIONS: Once = Once::new();
    BETWEEN_OPERATIONS.call_once(|| tch::set_num_interop_threads(1));
    tch::set_num_threads(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_that_asks_has_one_libtorch_thread() {
        let counts: Vec<i32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        use_one_thread();
                        tch::get_num_threads()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
        });
        assert_eq!(counts, [1, 1]);
        assert_eq!(tch::get_num_interop_threads(), 1);
    }
}
