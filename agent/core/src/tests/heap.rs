//! The heap of deadlines against a search through all of them.

use crate::timer::{Dice, Seat, Timed, first, moved, seat_all};
use picket_proto::{Mono, Span};
use std::vec::Vec;

struct One {
    due: Mono,
    seat: Seat,
}

impl Timed for One {
    fn due(&self) -> Mono {
        self.due
    }
    fn seat(&mut self) -> &mut Seat {
        &mut self.seat
    }
    fn seated(&self) -> Seat {
        self.seat
    }
}

#[test]
fn whatever_moves_the_slot_that_is_first_is_one_that_is_due_first() {
    let mut dice = Dice::new(1);
    let mut below = |limit| dice.below(Span::from_micros(limit)).micros();
    for count in 1..40 {
        let mut slots: Vec<One> =
            (0..count).map(|_| One { due: Mono::from_micros(below(100)), seat: Seat::default() }).collect();
        seat_all(&mut slots);
        for _ in 0..200 {
            let earliest = slots.iter().map(|slot| slot.due).min();
            let (slot, due) = first(&slots).expect("there are slots");
            assert_eq!((Some(due), slots[slot].due), (earliest, due), "of {count}");
            let slot = below(count) as usize;
            slots[slot].due = Mono::from_micros(below(100));
            moved(&mut slots, slot);
        }
    }
    assert!(first::<One>(&[]).is_none());
}
