//! The events of a delivery as bytes: runs of (lane, how many, sequences), each sequence as its distance from the one
//! before. A batch of one lane in order takes a byte an event; no other form is needed, since a batch is only ever
//! read whole.

use super::{EventKey, StoreError};

pub(super) fn encode(events: &[EventKey]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(events.len() + 8);
    for run in events.chunk_by(|a, b| a.lane == b.lane) {
        let Some(first) = run.first() else { continue };
        number(&mut bytes, zigzag(first.lane));
        number(&mut bytes, run.len() as u64);
        let mut last = 0;
        for key in run {
            number(&mut bytes, zigzag(key.sequence.wrapping_sub(last)));
            last = key.sequence;
        }
    }
    bytes
}

pub(super) fn decode(mut bytes: &[u8]) -> Result<Vec<EventKey>, StoreError> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let lane = unzigzag(read(&mut bytes)?);
        let count = read(&mut bytes)?;
        let mut sequence = 0_i64;
        for _ in 0..count {
            sequence = sequence.wrapping_add(unzigzag(read(&mut bytes)?));
            events.push(EventKey { lane, sequence });
        }
    }
    Ok(events)
}

/// Seven bits a byte, the low ones first.
fn number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read(bytes: &mut &[u8]) -> Result<u64, StoreError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let Some((byte, rest)) = bytes.split_first() else { break };
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(StoreError::Corrupt("the events of a delivery cannot be read".into()))
}

/// Small numbers of either sign become small numbers.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(i64, i64)]) -> Vec<EventKey> {
        pairs.iter().map(|&(lane, sequence)| EventKey { lane, sequence }).collect()
    }

    #[test]
    fn comes_back_in_order() {
        for case in [
            keys(&[]),
            keys(&[(1, 1)]),
            keys(&[(7, 1_000_000), (7, 1_000_001), (7, 3), (2, 5), (7, 9)]),
            keys(&[(i64::MAX, i64::MAX), (i64::MIN, i64::MIN), (0, 0)]),
        ] {
            assert_eq!(decode(&encode(&case)).unwrap(), case);
        }
    }

    #[test]
    fn a_batch_in_order_takes_a_byte_an_event() {
        let batch: Vec<_> = (0..100).map(|n| EventKey { lane: 3, sequence: 5_000_000 + n }).collect();
        assert!(encode(&batch).len() < 107);
    }

    #[test]
    fn damage_is_an_error() {
        for bytes in [&[0x80][..], &[2, 5, 1], &[0xff; 11]] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
