//! The last run of a systemd service, alone or started by a timer: what systemd knows of it since the boot, as runs.

use super::Runs;

/// As a run ends of which there is no status.
const NO_STATUS: i32 = -1;

/// What systemd knows of a service. Times are seconds before now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Service {
    /// For how long its main process has been running, if it is.
    pub running: Option<i64>,
    /// Since its main process last ended, if one did since the boot.
    pub ended: Option<i64>,
    /// Whether its last run or attempt is a success, so far.
    pub is_well: bool,
    /// How its main process ended, as a shell tells it; nothing where none did.
    pub status: Option<i32>,
    /// Whether it is being started, or waits for that.
    pub starts: bool,
}

/// What systemd knows of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    /// Since it last triggered; a persistent one knows that from before the boot.
    pub triggered: Option<i64>,
    /// Whether it waits for its next time.
    pub is_active: bool,
    /// Seconds since the boot.
    pub up: i64,
}

impl Service {
    /// Its runs.
    pub fn runs(self, timer: Option<Timer>) -> Runs {
        if self.running.is_some() {
            return Runs { running: self.running, ..Runs::default() };
        }
        // A step before the main process can fail too, and then none ever ended.
        if !self.is_well {
            return Runs { failed: Some(self.status.unwrap_or(NO_STATUS)), ..Runs::default() };
        }
        match (self.ended, timer) {
            (Some(_), _) => Runs { well: self.ended, ..Runs::default() },
            (None, Some(timer)) => timer.runs(self.starts),
            (None, None) => Runs::default(),
        }
    }
}

impl Timer {
    /// The runs of a service of which nothing ran since the boot.
    fn runs(self, starts: bool) -> Runs {
        match self.triggered {
            Some(ago) if ago <= self.up && starts => Runs { running: Some(ago), ..Runs::default() },
            // A condition or something that it needs kept it from running.
            Some(ago) if ago <= self.up => Runs { failed: Some(NO_STATUS), ..Runs::default() },
            Some(ago) => Runs { well: Some(ago), ..Runs::default() },
            // What ran before the boot is forgotten; the first run after it gets its time.
            None if self.is_active => Runs { well: Some(self.up), ..Runs::default() },
            None => Runs::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Service = Service { running: None, ended: None, is_well: true, status: None, starts: false };
    const TIMER: Timer = Timer { triggered: None, is_active: true, up: 1_000 };

    #[test]
    fn a_failed_step_before_the_main_process_is_a_failure() {
        let failed = Service { is_well: false, ..IDLE };
        assert_eq!(failed.runs(Some(TIMER)).failed, Some(-1));
        let ended = Service { ended: Some(9), status: Some(7), ..failed };
        assert_eq!(ended.runs(None).failed, Some(7));
    }

    #[test]
    fn a_timer_that_triggered_since_the_boot_and_ran_nothing_has_failed() {
        let timer = Some(Timer { triggered: Some(60), ..TIMER });
        assert_eq!(IDLE.runs(timer).failed, Some(-1));
        assert_eq!(Service { starts: true, ..IDLE }.runs(timer).running, Some(60));
        assert_eq!(Service { ended: Some(50), ..IDLE }.runs(timer).well, Some(50));
    }

    #[test]
    fn after_a_boot_the_age_is_that_of_the_last_trigger_or_of_the_boot() {
        assert_eq!(IDLE.runs(Some(Timer { triggered: Some(5_000), ..TIMER })).well, Some(5_000));
        assert_eq!(IDLE.runs(Some(TIMER)).well, Some(1_000));
        assert_eq!(IDLE.runs(Some(Timer { is_active: false, ..TIMER })), Runs::default());
        assert_eq!(IDLE.runs(None), Runs::default());
    }
}
