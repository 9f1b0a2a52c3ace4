//! What is not done: its sentences and codes.

use super::sentences::{says, secs, web};
use crate::event::{Because, Exit, Fact, Remedy, Shadow, ShadowStep, Trigger};

#[test]
fn what_would_be_done_is_told_as_not_done() {
    let exit = || Trigger::Exit(Exit::Signal(9));
    let budget = Because::Budget { allowed: 5, window: secs(600) };
    for (step, code, sentence) in [
        (
            ShadowStep::Would { remedy: Remedy::Restart, trigger: exit() },
            "shadow-remedy",
            "web is only observed, so nothing is done: it would be restarted; it was killed by SIGKILL",
        ),
        (
            ShadowStep::WouldRest { because: budget, last: exit() },
            "shadow-rest",
            "web is only observed, so nothing is done: its budget of 5 remedies in 10 min would be used up; it was killed by SIGKILL",
        ),
        (
            ShadowStep::Rests { left: secs(1740) },
            "remedy-rests",
            "web is not healed for 29 min: a person has its remedies rest",
        ),
        (
            ShadowStep::Back { after: secs(12), held_for: secs(5) },
            "shadow-back",
            "web is only observed: it came back without the agent, passed 12 s after the failure and held for 5 s",
        ),
    ] {
        says(&Fact::Shadow(Shadow { service: web(), step }), code, Some("web"), sentence);
    }
}
