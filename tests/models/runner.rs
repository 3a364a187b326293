//! Runs models: some interleavings by chance, and as many by priorities that change a few times.

use std::str::FromStr;

use libtest_mimic::{Arguments, Trial};
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

/// How often priorities change.
const DEPTH: usize = 4;

/// A name, how many interleavings, and what is run in each.
pub(crate) type Model = (&'static str, usize, fn());

pub(crate) fn run(models: Vec<Model>) {
    let trials = models.into_iter().map(|(name, times, model)| {
        Trial::test(name, move || {
            explore(times, model);
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit()
}

fn explore(times: usize, model: fn()) {
    if let Ok(schedule) = std::env::var("MODEL_REPLAY") {
        return run_with(ReplayScheduler::new_from_encoded(&schedule), model);
    }
    let seed = number("MODEL_SEED").unwrap_or(1);
    let times = times * number::<usize>("MODEL_TIMES").unwrap_or(1) / 2;
    run_with(RandomScheduler::new_from_seed(seed, times), model);
    run_with(PctScheduler::new_from_seed(seed, DEPTH, times), model);
}

fn run_with(scheduler: impl Scheduler + 'static, model: fn()) {
    let mut config = Config::new();
    config.stack_size = 256 << 10;
    config.max_steps = MaxSteps::FailAfter(100_000);
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(model);
}

fn number<N: FromStr>(variable: &str) -> Option<N> {
    std::env::var(variable).ok()?.parse().ok()
}
