//! What is remembered of one unit between two readings: its life, the call that is out, the jobs that ended.
//!
//! While a call of ours is not answered, nothing is judged: its job may be among those that ended, since JobRemoved
//! can come before the answer.

use super::classify::{Before, Life, Ours, Sight, Stop, classify, is_stop};
use super::{Answer, Done, Dones, File, JobEnd, JobKind, Load, Seen, Turn, Wake};
use heapless::Deque;
use picket_proto::Span;
use picket_proto::event::Exit;

/// How long somebody else's job is given before ours is tried again.
const BUSY: Span = Span::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    None,
    /// Not answered yet.
    Out,
    Job(u32),
    /// Its job has ended; what came of it is not judged yet.
    Ended,
}

/// One unit.
#[derive(Debug)]
pub(crate) struct Memory {
    life: Life,
    call: Call,
    seen: Option<Seen>,
    /// The last reading is from before the bus was lost: nothing is judged by it.
    stale: bool,
    ended: Deque<Done, { super::DONE_MAX }>,
    /// How the last job ended since something was made of a reading.
    fate: Option<JobEnd>,
    /// The last job that was seen to be no stop: that it is done stopped nothing.
    harmless: Option<u32>,
    /// The last job of another's that was seen to be a stop.
    stop: Option<u32>,
    sight: Sight,
    /// The life that ended last; zeros where none had begun.
    ended_life: [u8; 16],
    /// Whether a comparison of all waits for its reading.
    awaited: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            life: Life::New,
            call: Call::None,
            seen: None,
            stale: false,
            ended: Deque::new(),
            fate: None,
            harmless: None,
            stop: None,
            sight: Sight::Whole,
            ended_life: [0; 16],
            awaited: false,
        }
    }
}

/// What a reading was good for besides its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compared {
    /// A comparison of all waited for it.
    pub(crate) was_awaited: bool,
    /// It differs, and no signal had told.
    pub(crate) differs: bool,
}

impl Memory {
    /// It was read.
    pub(crate) fn read(&mut self, wake: Wake, seen: Seen, done: Dones) -> (Turn, Compared) {
        for done in done.into_iter().flatten() {
            if self.ended.is_full() {
                self.ended.pop_front();
            }
            let _there_is_room_now = self.ended.push_back(done);
        }
        if let Some(job) = seen.job.filter(|job| job.kind == JobKind::Other) {
            self.harmless = Some(job.id);
        }
        let changed = self.seen.is_some_and(|before| !is_alike(&before, &seen));
        let differs = changed && (wake == Wake::Look || self.sight == Sight::Blind);
        (self.seen, self.stale) = (Some(seen), false);
        let was_awaited = core::mem::replace(&mut self.awaited, false);
        (self.judge(), Compared { was_awaited, differs })
    }

    /// The life that the last turn was the end of; zeros where it was a start that began none.
    pub(crate) const fn ended_life(&self) -> [u8; 16] {
        self.ended_life
    }

    /// The life that ended last; where none is known to have ended, the one that was seen last.
    pub(crate) fn last_life(&self) -> [u8; 16] {
        if self.ended_life == [0; 16] { self.seen_life() } else { self.ended_life }
    }

    /// The life that was seen last; zeros where none was.
    pub(crate) fn seen_life(&self) -> [u8; 16] {
        self.seen.map_or([0; 16], |seen| seen.invocation)
    }

    /// Its file says that it should run.
    pub(crate) fn is_wanted(&self) -> bool {
        self.seen.is_some_and(|seen| seen.file == File::Wanted && seen.load == Load::Loaded)
    }

    /// That it does not run is no decision: what comes of a call is judged again.
    pub(crate) fn is_down(&mut self) {
        let invocation = self.seen.map_or([0; 16], |seen| seen.invocation);
        self.life = Life::Down { invocation };
    }

    /// A call goes out.
    pub(crate) fn called(&mut self) {
        self.call = Call::Out;
    }

    /// The call was answered.
    pub(crate) fn answered(&mut self, answer: Answer) -> Turn {
        if self.call != Call::Out {
            return Turn::Nothing;
        }
        self.call = match answer {
            Answer::Job(id) => Call::Job(id),
            Answer::Busy | Answer::Unheard | Answer::Refused(_) => Call::None,
        };
        match (self.judge(), answer) {
            (Turn::Nothing, Answer::Busy | Answer::Unheard) => Turn::Later { within: BUSY },
            (Turn::Nothing, Answer::Refused(errno)) => {
                self.ended_life = [0; 16];
                Turn::Died { pid: 0, exit: Exit::NotStarted(errno) }
            }
            (turn, _) => turn,
        }
    }

    /// The bus is gone: what happens from now on is not seen. A call that is out may have been heard or not.
    pub(crate) fn lost(&mut self) -> Turn {
        (self.sight, self.stale) = (Sight::Blind, true);
        let was_out = core::mem::replace(&mut self.call, Call::None);
        match was_out {
            Call::None => Turn::Nothing,
            Call::Out | Call::Job(_) | Call::Ended => Turn::Later { within: BUSY },
        }
    }

    /// All are to be compared.
    pub(crate) fn await_look(&mut self) {
        self.awaited = true;
    }

    fn judge(&mut self) -> Turn {
        let Some(seen) = self.seen else { return Turn::Nothing };
        if self.call == Call::Out || self.stale {
            return Turn::Nothing;
        }
        let own = match self.call {
            Call::Job(id) => Some(id),
            Call::None | Call::Out | Call::Ended => None,
        };
        if self.ended.iter().any(|done| Some(done.id) == own) {
            self.call = Call::Ended;
        }
        let known = [own, self.harmless];
        let others_done =
            self.ended.iter().any(|done| !known.contains(&Some(done.id)) && done.end == JobEnd::Done);
        // Behind a stop may stand another's start: then what ended is a life that began since.
        let done = |done: &&Done| done.end == JobEnd::Done && Some(done.id) != own;
        let last = self.ended.iter().filter(done).map(|done| done.id).max();
        let stop_done = last.is_some() && last == self.stop;
        self.fate = self.ended.back().map(|done| done.end).or(self.fate);
        self.ended.clear();
        let stop = if is_stop(&seen, own) {
            self.stop = seen.job.map(|job| job.id);
            Stop::Runs
        } else if stop_done {
            Stop::Seen
        } else if others_done {
            Stop::Done
        } else {
            Stop::Unseen
        };
        let ours = match self.call {
            Call::None => Ours::None,
            Call::Out | Call::Job(_) => Ours::Pending,
            Call::Ended => Ours::Ended,
        };
        let turn =
            classify(&Before { life: self.life, ours, stop, sight: self.sight, fate: self.fate }, &seen);
        self.sight = Sight::Whole;
        self.live_on(turn, &seen);
        turn
    }

    fn live_on(&mut self, turn: Turn, seen: &Seen) {
        let invocation = seen.invocation;
        self.ended_life = match (turn, self.life) {
            (Turn::Replaced { .. }, Life::Up { invocation, .. }) => invocation,
            (Turn::Died { .. }, Life::Restarting { invocation: told } | Life::Down { invocation: told })
                if told == invocation =>
            {
                [0; 16]
            }
            _ => invocation,
        };
        let life = match turn {
            Turn::Nothing | Turn::Later { .. } => return,
            Turn::Found { pid } | Turn::Up { pid } | Turn::Still { pid } | Turn::Replaced { pid, .. } => {
                Life::Up { invocation, pid, restarts: seen.restarts }
            }
            Turn::Died { .. } => Life::Down { invocation },
            Turn::Restarting { .. } => Life::Restarting { invocation },
            Turn::Left { .. } => Life::Left,
        };
        (self.life, self.fate) = (life, None);
        if self.call == Call::Ended {
            self.call = Call::None;
        }
    }
}

/// Whether two readings tell the same: what moves by itself is left out.
fn is_alike(one: &Seen, other: &Seen) -> bool {
    let told = |seen: &Seen| (seen.active, seen.sub, seen.load, seen.invocation, seen.pid, seen.changed);
    told(one) == told(other)
}
