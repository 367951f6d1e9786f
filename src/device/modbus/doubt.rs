//! Could a late answer be taken for the one now awaited?
//!
//! RTU answers carry no number. Only the unit, the function and the length tell whose they are, so after a read has gone
//! unanswered an answer of the same shape proves nothing: it may be the old one. A device answers in the order it was
//! asked; once a question of *another* shape has been answered, every older answer is either behind us or was never
//! sent. Until then the bus asks such a question first. This stands beside the silence after a missing answer, and
//! holds even where a device is later than its plan admits.

use super::plan::{ReadOp, Table};

/// Shapes remembered: a unit is left alone after a few misses, so more are never unanswered at once; beyond it the
/// oldest is forgotten.
const SHAPES_MAX: usize = 8;

/// The unanswered reads of one unit, as far as an answer would show them.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    shapes: Vec<(Table, u16)>,
}

impl Doubt {
    /// Notes that a read went unanswered.
    pub fn note(&mut self, read: &ReadOp) {
        let shape = shape(read);
        if !self.shapes.contains(&shape) {
            if self.shapes.len() == SHAPES_MAX {
                self.shapes.remove(0);
            }
            self.shapes.push(shape);
        }
    }

    /// Whether an answer to this read could be an older one.
    pub fn covers(&self, read: &ReadOp) -> bool {
        self.shapes.contains(&shape(read))
    }

    /// Notes that a read was answered; what was unanswered before it is settled when its shape is another.
    pub fn settle(&mut self, read: &ReadOp) {
        if !self.covers(read) {
            self.shapes.clear();
        }
    }

    /// Returns a read whose answer cannot be mistaken: a part of the read itself, or the probe. None when the unit
    /// knows only one length; then silence is all there is.
    pub fn sounding(&self, read: &ReadOp, probe: Option<ReadOp>) -> Option<ReadOp> {
        let step = if read.table.is_bits() { 8 } else { 1 };
        let parts = (1..read.count)
            .rev()
            .step_by(step)
            .map(|count| ReadOp { count, ..*read });
        probe.into_iter().chain(parts).find(|candidate| !self.covers(candidate))
    }
}

/// What an answer shows of its question: the function and the bytes of data.
fn shape(read: &ReadOp) -> (Table, u16) {
    (
        read.table,
        if read.table.is_bits() {
            read.count.div_ceil(8)
        } else {
            read.count
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(start: u16, count: u16) -> ReadOp {
        ReadOp {
            table: Table::HoldingRegisters,
            start,
            count,
        }
    }

    #[test]
    fn an_answer_of_the_same_shape_settles_nothing() {
        let mut doubt = Doubt::default();
        doubt.note(&read(2, 4));
        assert!(
            doubt.covers(&read(700, 4)),
            "another address looks the same in the answer"
        );
        doubt.settle(&read(700, 4));
        assert!(doubt.covers(&read(2, 4)));
        doubt.settle(&read(2, 3));
        assert!(!doubt.covers(&read(2, 4)));
    }

    #[test]
    fn the_sounding_differs_from_everything_unanswered() {
        let mut doubt = Doubt::default();
        for count in [4, 3, 2] {
            doubt.note(&read(0, count));
        }
        assert_eq!(doubt.sounding(&read(0, 4), None), Some(read(0, 1)));
        assert_eq!(doubt.sounding(&read(0, 4), Some(read(90, 7))), Some(read(90, 7)));
        doubt.note(&read(0, 1));
        assert_eq!(doubt.sounding(&read(0, 4), None), None);
    }

    #[test]
    fn bits_of_the_same_byte_count_look_alike() {
        let bits = |count| ReadOp {
            table: Table::Coils,
            start: 0,
            count,
        };
        let mut doubt = Doubt::default();
        doubt.note(&bits(9));
        assert!(doubt.covers(&bits(16)));
        assert!(!doubt.covers(&bits(8)));
        assert_eq!(doubt.sounding(&bits(9), None), Some(bits(8)));
    }
}
