//! How long a computation on the calling thread takes.

#[cfg(target_os = "linux")]
mod clock {
    use nix::time::{ClockId, clock_gettime};

    pub(crate) const NAME: &str = "processor time";

    /// Reads how long this thread has been on a processor, in seconds: other programs hardly disturb it.
    pub(crate) fn stopwatch() -> impl FnMut() -> f64 {
        || {
            let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has this clock");
            time.tv_sec() as f64 + time.tv_nsec() as f64 * 1e-9
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod clock {
    use std::time::Instant;

    pub(crate) const NAME: &str = "time on the clock";

    /// Reads the seconds since it was made.
    pub(crate) fn stopwatch() -> impl FnMut() -> f64 {
        let start = Instant::now();
        move || start.elapsed().as_secs_f64()
    }
}

pub(crate) use clock::{NAME, stopwatch};

#[cfg(test)]
mod tests {
    #[test]
    fn work_takes_time() {
        let mut seconds = super::stopwatch();
        let start = seconds();
        let sum = (0..1_000_000_u64).fold(0, |sum, number| std::hint::black_box(sum ^ number));
        std::hint::black_box(sum);
        assert!(seconds() > start);
    }
}
