//! What to do about a failed attempt. Pure: chance comes in from outside.

use std::time::Duration;

use crate::error::{Error, ErrorKind, status};
use crate::proto::ErrorCode;

/// Waits between attempts: twice as long each time up to a cap, with jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) cap: Duration,
}

impl Backoff {
    /// The wait after the `attempt`-th attempt (from 1): between half and all of the full one.
    /// `chance` is from 0 to 1.
    pub(crate) fn delay(&self, attempt: u32, chance: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.cap);
        full.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }
}

/// How an attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing left this process: no connection.
    NotSent(Error),
    /// The connection broke, or time was up: applied or not, nobody knows.
    Unknown(Error),
    /// The server answered.
    Refused(Error),
}

impl Failure {
    pub(crate) fn error(&self) -> &Error {
        match self {
            Failure::NotSent(error) | Failure::Unknown(error) | Failure::Refused(error) => error,
        }
    }

    pub(crate) fn into_error(self) -> Error {
        match self {
            Failure::NotSent(error) | Failure::Unknown(error) | Failure::Refused(error) => error,
        }
    }
}

/// What a call does to the server, which decides what may be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
    /// What the server has answered it does not answer again, whether that arrived or not.
    Takes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait a little and try again, with another node if there is one.
    Retry,
    /// Ask who owns it, and try again there.
    LookUpAgain,
    GiveUp,
}

/// The table of errors. `send_twice`: a write of which nobody knows whether it was applied may go again.
/// `welcome`: calls with these credentials have been answered before, so it isn't them that the server cancels.
pub(crate) fn judge(failure: &Failure, effect: Effect, send_twice: bool, welcome: bool) -> Verdict {
    let may_go_again = effect == Effect::Reads || send_twice;
    match failure {
        // The next attempt would meet the same certificates.
        Failure::NotSent(error) if error.kind() == ErrorKind::Tls => Verdict::GiveUp,
        Failure::NotSent(_) => Verdict::Retry,
        Failure::Unknown(_) if may_go_again => Verdict::Retry,
        Failure::Unknown(_) => Verdict::GiveUp,
        Failure::Refused(error) if error.has_code(ErrorCode::WrongServer) => Verdict::LookUpAgain,
        Failure::Refused(error) => {
            match error.server().map_or(status::UNKNOWN, |server| server.grpc_status()) {
                // It may have been taken before that.
                status::UNAVAILABLE if effect == Effect::Takes => Verdict::GiveUp,
                status::UNAVAILABLE => Verdict::Retry,
                status::DEADLINE_EXCEEDED if may_go_again => Verdict::Retry,
                status::CANCELLED if may_go_again && welcome => Verdict::Retry,
                status::INTERNAL | status::UNKNOWN if effect == Effect::Reads => Verdict::Retry,
                _ => Verdict::GiveUp,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: i32, code: i32) -> Failure {
        let text = format!(r#"{{"error":{code},"message":"x","extra":null}}"#);
        Failure::Refused(Error::from_server(status, &text))
    }

    fn lost() -> Failure {
        Failure::Unknown(Error::new(ErrorKind::Unavailable, "reset"))
    }

    #[test]
    fn the_table_of_errors() {
        let not_sent = Failure::NotSent(Error::new(ErrorKind::Unavailable, "refused"));
        let tls = Failure::NotSent(Error::new(ErrorKind::Tls, "expired"));
        for (failure, reads, writes, twice) in [
            (not_sent, Verdict::Retry, Verdict::Retry, Verdict::Retry),
            (tls, Verdict::GiveUp, Verdict::GiveUp, Verdict::GiveUp),
            (lost(), Verdict::Retry, Verdict::GiveUp, Verdict::Retry),
            (refused(status::UNAVAILABLE, 0), Verdict::Retry, Verdict::Retry, Verdict::Retry),
            (
                refused(status::FAILED_PRECONDITION, 800),
                Verdict::LookUpAgain,
                Verdict::LookUpAgain,
                Verdict::LookUpAgain,
            ),
            (refused(status::FAILED_PRECONDITION, 202), Verdict::GiveUp, Verdict::GiveUp, Verdict::GiveUp),
            (refused(status::NOT_FOUND, 200), Verdict::GiveUp, Verdict::GiveUp, Verdict::GiveUp),
            (refused(status::INVALID_ARGUMENT, 207), Verdict::GiveUp, Verdict::GiveUp, Verdict::GiveUp),
            (refused(status::INTERNAL, 0), Verdict::Retry, Verdict::GiveUp, Verdict::GiveUp),
            (refused(status::DEADLINE_EXCEEDED, 0), Verdict::Retry, Verdict::GiveUp, Verdict::Retry),
            (refused(status::UNIMPLEMENTED, 0), Verdict::GiveUp, Verdict::GiveUp, Verdict::GiveUp),
        ] {
            for welcome in [false, true] {
                assert_eq!(judge(&failure, Effect::Reads, false, welcome), reads, "{failure:?}");
                assert_eq!(judge(&failure, Effect::Writes, false, welcome), writes, "{failure:?}");
                assert_eq!(judge(&failure, Effect::Writes, true, welcome), twice, "{failure:?}");
            }
        }
    }

    #[test]
    fn what_takes_goes_again_only_when_it_was_not_sent_or_not_to_the_owner() {
        let not_sent = Failure::NotSent(Error::new(ErrorKind::Unavailable, "refused"));
        for (failure, verdict) in [
            (not_sent, Verdict::Retry),
            (refused(status::FAILED_PRECONDITION, 800), Verdict::LookUpAgain),
            (lost(), Verdict::GiveUp),
            (refused(status::UNAVAILABLE, 0), Verdict::GiveUp),
            (refused(status::DEADLINE_EXCEEDED, 0), Verdict::GiveUp),
            (refused(status::CANCELLED, 0), Verdict::GiveUp),
            (refused(status::INTERNAL, 0), Verdict::GiveUp),
        ] {
            assert_eq!(judge(&failure, Effect::Takes, false, true), verdict, "{failure:?}");
        }
    }

    #[test]
    fn cancelled_is_how_credentials_are_refused_unless_they_were_good_before() {
        let cancelled = refused(status::CANCELLED, 0);
        for (effect, twice, welcome, verdict) in [
            (Effect::Reads, false, false, Verdict::GiveUp),
            (Effect::Writes, true, false, Verdict::GiveUp),
            (Effect::Reads, false, true, Verdict::Retry),
            (Effect::Writes, true, true, Verdict::Retry),
            (Effect::Writes, false, true, Verdict::GiveUp),
        ] {
            assert_eq!(judge(&cancelled, effect, twice, welcome), verdict, "{effect:?} {twice} {welcome}");
        }
    }

    #[test]
    fn waits_double_up_to_the_cap_and_jitter_shortens_them_by_half_at_most() {
        let backoff = Backoff { first: Duration::from_millis(100), cap: Duration::from_secs(5) };
        let full: Vec<_> = (1..=8).map(|attempt| backoff.delay(attempt, 1.0).as_millis()).collect();
        assert_eq!(full, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.delay(1, 0.0).as_millis(), 50);
        assert_eq!(backoff.delay(u32::MAX, 1.0), backoff.cap);
    }
}
