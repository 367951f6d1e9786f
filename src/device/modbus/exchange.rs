//! What is the question on the wire, and is this the answer to it?
//!
//! Every answer is held against its question: the variant, the number of words, and for a write the echoed address with
//! its value or count. The client library compares only unit and function; its typed helpers do not check lengths.

use super::event::FailReason;
use super::plan::{ReadOp, Table, WriteOp};
use std::borrow::Cow;
use tokio_modbus::{Error, ProtocolError, Request, Response};

/// A question to a unit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question<'a> {
    /// Read.
    Read(&'a ReadOp),
    /// Write.
    Write(&'a WriteOp),
}

impl<'a> Question<'a> {
    /// The request as the client library takes it.
    pub fn request(self) -> Request<'a> {
        match self {
            Question::Read(&ReadOp { table, start, count }) => match table {
                Table::Coils => Request::ReadCoils(start, count),
                Table::DiscreteInputs => Request::ReadDiscreteInputs(start, count),
                Table::InputRegisters => Request::ReadInputRegisters(start, count),
                Table::HoldingRegisters => Request::ReadHoldingRegisters(start, count),
            },
            Question::Write(op) => match op {
                WriteOp::Coil { address, on } => Request::WriteSingleCoil(*address, *on),
                WriteOp::Register { address, value } => Request::WriteSingleRegister(*address, *value),
                WriteOp::Coils { start, states } => Request::WriteMultipleCoils(*start, Cow::Borrowed(states)),
                WriteOp::Registers { start, values } => Request::WriteMultipleRegisters(*start, Cow::Borrowed(values)),
                WriteOp::Masked { address, and, or } => Request::MaskWriteRegister(*address, *and, *or),
            },
        }
    }

    /// Bytes of the RTU frames of question and answer together.
    pub fn frame_bytes(self) -> usize {
        let (question, answer) = match self {
            Question::Read(read) => read.frame_bytes(),
            Question::Write(op) => op.frame_bytes(),
        };
        question + answer
    }

    /// Returns the words of the answer (none for a write), or why it is no answer to this question.
    pub fn judge(self, response: Response) -> Result<Vec<u16>, FailReason> {
        match self {
            Question::Read(read) => judge_read(read, response),
            Question::Write(op) => judge_echo(op, &response).map(|()| Vec::new()),
        }
    }
}

fn judge_read(read: &ReadOp, response: Response) -> Result<Vec<u16>, FailReason> {
    match (read.table, response) {
        (Table::HoldingRegisters, Response::ReadHoldingRegisters(words))
        | (Table::InputRegisters, Response::ReadInputRegisters(words)) => {
            if words.len() == usize::from(read.count) {
                Ok(words)
            } else {
                Err(FailReason::WrongLength)
            }
        }
        (Table::Coils, Response::ReadCoils(bits)) | (Table::DiscreteInputs, Response::ReadDiscreteInputs(bits)) => {
            // Bits come in whole bytes; those beyond the count are padding.
            if bits.len() == usize::from(read.count).next_multiple_of(8) {
                Ok(bits.into_iter().take(read.count.into()).map(u16::from).collect())
            } else {
                Err(FailReason::WrongLength)
            }
        }
        _ => Err(FailReason::WrongFunction),
    }
}

fn judge_echo(op: &WriteOp, response: &Response) -> Result<(), FailReason> {
    let is_echo = match (op, response) {
        (WriteOp::Coil { address, on }, Response::WriteSingleCoil(a, v)) => a == address && v == on,
        (WriteOp::Register { address, value }, Response::WriteSingleRegister(a, v)) => a == address && v == value,
        (WriteOp::Coils { start, states }, Response::WriteMultipleCoils(a, n)) => {
            a == start && usize::from(*n) == states.len()
        }
        (WriteOp::Registers { start, values }, Response::WriteMultipleRegisters(a, n)) => {
            a == start && usize::from(*n) == values.len()
        }
        (WriteOp::Masked { address, and, or }, Response::MaskWriteRegister(a, x, o)) => {
            a == address && x == and && o == or
        }
        _ => return Err(FailReason::WrongFunction),
    };
    if is_echo { Ok(()) } else { Err(FailReason::WrongEcho) }
}

/// Returns what a failed call means. Of I/O errors only broken data is told apart: at the end of a stream the library
/// reports whatever error number was left over.
pub(super) fn fault(error: &Error) -> FailReason {
    match error {
        Error::Protocol(ProtocolError::HeaderMismatch { .. }) => FailReason::Foreign,
        Error::Protocol(ProtocolError::FunctionCodeMismatch { .. }) => FailReason::WrongFunction,
        Error::Transport(e) if e.kind() == std::io::ErrorKind::InvalidData => FailReason::BrokenFrame,
        Error::Transport(_) => FailReason::LinkLost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: ReadOp = ReadOp {
        table: Table::HoldingRegisters,
        start: 7,
        count: 3,
    };

    #[test]
    fn a_short_a_long_and_another_answer_are_no_values() {
        let judge = |response| Question::Read(&THREE).judge(response);
        assert_eq!(judge(Response::ReadHoldingRegisters(vec![1, 2, 3])), Ok(vec![1, 2, 3]));
        assert_eq!(
            judge(Response::ReadHoldingRegisters(vec![1, 2])),
            Err(FailReason::WrongLength)
        );
        assert_eq!(
            judge(Response::ReadHoldingRegisters(vec![1, 2, 3, 4])),
            Err(FailReason::WrongLength)
        );
        assert_eq!(
            judge(Response::ReadInputRegisters(vec![1, 2, 3])),
            Err(FailReason::WrongFunction)
        );
    }

    #[test]
    fn bits_are_cut_to_the_count_and_only_whole_bytes_pass() {
        let read = ReadOp {
            table: Table::Coils,
            start: 0,
            count: 3,
        };
        let judge = |bits: usize| Question::Read(&read).judge(Response::ReadCoils(vec![true; bits]));
        assert_eq!(judge(8), Ok(vec![1, 1, 1]));
        assert_eq!(judge(16), Err(FailReason::WrongLength));
        assert_eq!(judge(0), Err(FailReason::WrongLength));
    }

    #[test]
    fn the_echo_of_another_write_is_no_acknowledgement() {
        let op = WriteOp::Register { address: 8, value: 80 };
        let judge = |response| Question::Write(&op).judge(response);
        assert_eq!(judge(Response::WriteSingleRegister(8, 80)), Ok(vec![]));
        assert_eq!(judge(Response::WriteSingleRegister(7, 70)), Err(FailReason::WrongEcho));
        assert_eq!(judge(Response::WriteSingleRegister(8, 81)), Err(FailReason::WrongEcho));
        let block = WriteOp::Registers {
            start: 4,
            values: vec![1, 2],
        };
        let judge = |response| Question::Write(&block).judge(response);
        assert_eq!(judge(Response::WriteMultipleRegisters(4, 2)), Ok(vec![]));
        assert_eq!(
            judge(Response::WriteMultipleRegisters(4, 1)),
            Err(FailReason::WrongEcho)
        );
        assert_eq!(
            judge(Response::WriteSingleRegister(4, 2)),
            Err(FailReason::WrongFunction)
        );
    }
}
