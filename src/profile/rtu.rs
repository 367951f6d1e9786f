//! Which bytes travel on a serial line for a request?
//!
//! The daemon's Modbus client makes its own frames; these are for golden examples and for an engineer who holds a line
//! monitor beside the profile.

use super::format::Table;
use super::modbus::Write;

/// Returns the request that reads registers or bits, with its checksum.
pub fn read_frame(unit: u8, table: Table, start: u16, count: u16) -> Vec<u8> {
    let function = match table {
        Table::Coil => 1,
        Table::Discrete => 2,
        Table::Holding => 3,
        Table::Input => 4,
    };
    sealed(unit, function, [start.to_be_bytes(), count.to_be_bytes()].concat())
}

/// Returns the request that writes registers or bits, with its checksum.
pub fn write_frame(unit: u8, write: &Write) -> Vec<u8> {
    let addr = write.addr.to_be_bytes();
    let count = (write.words.len() as u16).to_be_bytes();
    let first = write.words.first().copied().unwrap_or(0);
    let body = match write.function {
        5 => [addr, [if first == 0 { 0 } else { 0xFF }, 0]].concat(),
        6 => [addr, first.to_be_bytes()].concat(),
        15 => {
            let bytes = packed(&write.words);
            [&addr[..], &count, &[bytes.len() as u8], &bytes].concat()
        }
        _ => {
            let bytes: Vec<u8> = write.words.iter().flat_map(|word| word.to_be_bytes()).collect();
            [&addr[..], &count, &[bytes.len() as u8], &bytes].concat()
        }
    };
    sealed(unit, write.function, body)
}

fn packed(bits: &[u16]) -> Vec<u8> {
    let byte = |chunk: &[u16]| {
        chunk
            .iter()
            .enumerate()
            .fold(0_u8, |byte, (n, bit)| byte | u8::from(*bit != 0) << n)
    };
    bits.chunks(8).map(byte).collect()
}

fn sealed(unit: u8, function: u8, body: Vec<u8>) -> Vec<u8> {
    let mut frame = vec![unit, function];
    frame.extend(body);
    let sum = crc(&frame);
    frame.extend(sum.to_le_bytes());
    frame
}

/// Returns the checksum of a serial frame (CRC-16, polynomial 0xA001, start 0xFFFF), sent low byte first.
pub fn crc(bytes: &[u8]) -> u16 {
    let step = |crc: u16| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 };
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| step(crc))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_request_is_the_one_of_the_standard() {
        let frame = read_frame(0x11, Table::Holding, 0x006B, 3);
        assert_eq!(frame, [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87]);
    }

    #[test]
    fn coils_are_packed_eight_to_a_byte() {
        let write = Write {
            table: Table::Coil,
            addr: 0x13,
            words: vec![1, 0, 1, 1, 0, 0, 1, 1, 1, 0],
            function: 15,
        };
        assert_eq!(
            write_frame(0x11, &write),
            [0x11, 0x0F, 0, 0x13, 0, 0x0A, 2, 0xCD, 1, 0xBF, 0x0B]
        );
    }
}
