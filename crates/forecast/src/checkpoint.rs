//! The checkpoint of a yardstick: one header line, then its state, as JSON unless it holds other checkpoints.
//!
//! `tidegate-yardstick 1 <name> <checksum>\n<state>`: the format's version, the forecaster's name, and the FNV-1a hash (64
//! bits, hexadecimal) of the state's bytes. JSON's shortest decimal form gives every finite number its bits back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ForecastError;

const FORMAT: &str = "tidegate-yardstick 1";

/// Writes a state.
pub(crate) fn write(name: &str, state: &impl Serialize) -> Result<Vec<u8>, ForecastError> {
    let state = serde_json::to_vec(state).map_err(|error| ForecastError::Model(error.to_string()))?;
    Ok(write_bytes(name, &state))
}

/// Writes a state that is not JSON.
pub(crate) fn write_bytes(name: &str, state: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, state).into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(state);
    bytes
}

/// Reads a state back.
///
/// # Errors
/// [`ForecastError::Checkpoint`] for bytes that [`write()`] did not write for this name.
pub(crate) fn read<S: DeserializeOwned>(name: &str, checkpoint: &[u8]) -> Result<S, ForecastError> {
    serde_json::from_slice(read_bytes(name, checkpoint)?)
        .map_err(|found| ForecastError::Checkpoint { reason: format!("its state must be that of `{name}`: {found}") })
}

/// Reads back a state that is not JSON.
///
/// # Errors
/// [`ForecastError::Checkpoint`] for bytes that were not written for this name.
pub(crate) fn read_bytes<'a>(name: &str, checkpoint: &'a [u8]) -> Result<&'a [u8], ForecastError> {
    let error = |reason: String| ForecastError::Checkpoint { reason };
    let end = checkpoint.iter().position(|&byte| byte == b'\n');
    let (found, state) = end.map_or((checkpoint, &[] as &[u8]), |end| (&checkpoint[..end], &checkpoint[end + 1..]));
    let found = String::from_utf8_lossy(found);
    if !found.starts_with(FORMAT) {
        let start: String = found.chars().take(FORMAT.len()).collect();
        return Err(error(format!("it must start with `{FORMAT}`, starts with `{}`", start.escape_debug())));
    }
    let owner = found.split(' ').nth(2).unwrap_or_default();
    if owner != name {
        return Err(error(format!("it must be of forecaster `{name}`, was of `{owner}`")));
    }
    let expected = header(name, state);
    if found != expected {
        return Err(error(format!("its bytes are damaged or cut short: header must be `{expected}`, was `{found}`")));
    }
    Ok(state)
}

fn header(name: &str, state: &[u8]) -> String {
    format!("{FORMAT} {name} {:016x}", fnv1a(state))
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo). Any change of a single byte changes it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: [f64; 5] = [0.1, -0.0, 5e-324, f64::MAX, 1.0 / 3.0];

    fn check(checkpoint: &[u8], message: &str) {
        let error = read::<Vec<f64>>("ridge", checkpoint).expect_err(message).to_string();
        assert!(error.starts_with("checkpoint cannot be read: ") && error.contains(message), "{error}");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // The published test vectors for "" and "foobar".
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn every_bit_comes_back() {
        let bytes = write("ridge", &STATE).expect("plain numbers");
        let state: Vec<f64> = read("ridge", &bytes).expect("its own bytes");
        assert_eq!(state.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), STATE.map(f64::to_bits));
    }

    #[test]
    fn damage_is_named() {
        let bytes = write("ridge", &STATE).expect("plain numbers");
        check(&bytes[..bytes.len() - 1], "damaged or cut short");
        check(&bytes[..30], "damaged or cut short");
        check(b"", "must start with `tidegate-yardstick 1`, starts with ``");
        check(b"\x89PNG\r\n", "must start with");
        check(&write("zero", &STATE).expect("plain numbers"), "must be of forecaster `ridge`, was of `zero`");
        check(&write("ridge", &"text").expect("plain text"), "its state must be that of `ridge`");
    }

    #[test]
    fn no_single_damaged_byte_goes_unseen() {
        let bytes = write("ridge", &STATE).expect("plain numbers");
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << bit;
                assert!(read::<Vec<f64>>("ridge", &damaged).is_err(), "byte {place}, bit {bit}");
            }
        }
    }
}
