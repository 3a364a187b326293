//! Whether a shard takes records. Pure.

/// After a failure for good nothing may be written before the program could know of it: what waits is given up,
/// and what comes has to wait until the reports have been handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Gate {
    #[default]
    Open,
    /// Until so many reports have been handed over.
    Reporting(usize),
    /// Until the program says so.
    Stopped,
}

impl Gate {
    /// A failure, of which there will be so many reports.
    pub(crate) fn fail(&mut self, reports: usize) {
        *self = match *self {
            Gate::Stopped => Gate::Stopped,
            Gate::Reporting(before) => Gate::Reporting(before + reports),
            Gate::Open if reports == 0 => Gate::Open,
            Gate::Open => Gate::Reporting(reports),
        };
    }

    /// One of the reports has been handed over.
    pub(crate) fn handed_over(&mut self) {
        *self = match *self {
            Gate::Reporting(1) => Gate::Open,
            Gate::Reporting(left) => Gate::Reporting(left - 1),
            other => other,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_when_the_last_report_has_been_handed_over() {
        let mut gate = Gate::default();
        gate.fail(2);
        gate.handed_over();
        // What was appended meanwhile, by the callback, has failed as well.
        gate.fail(1);
        gate.handed_over();
        assert_ne!(gate, Gate::Open);
        gate.handed_over();
        assert_eq!(gate, Gate::Open);
    }

    #[test]
    fn without_a_report_there_is_nothing_to_wait_for() {
        let mut gate = Gate::default();
        gate.fail(0);
        assert_eq!(gate, Gate::Open);
    }

    #[test]
    fn a_stop_outlives_reports() {
        let mut gate = Gate::Stopped;
        gate.fail(1);
        gate.handed_over();
        assert_eq!(gate, Gate::Stopped);
    }
}
