//! Draws cases from all that there are, and tries them at the same time.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The random numbers of one test, from `MATRIX_SEED` or a new seed, which is printed.
pub(crate) fn random() -> fastrand::Rng {
    let given = std::env::var("MATRIX_SEED").ok();
    let seed =
        given.map_or_else(|| fastrand::u64(..), |it| it.parse().expect("MATRIX_SEED is a number"));
    eprintln!("MATRIX_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// Draws as many of the cases as `MATRIX_CASES` says, else `usual`.
pub(crate) fn draw<T>(random: &mut fastrand::Rng, mut cases: Vec<T>, usual: usize) -> Vec<T> {
    let all = cases.len();
    random.shuffle(&mut cases);
    match std::env::var("MATRIX_CASES").ok().as_deref() {
        None => cases.truncate(usual),
        Some("all") => {}
        Some(wanted) => cases.truncate(wanted.parse().expect("MATRIX_CASES is a number, or all")),
    }
    eprintln!("{} of {all} cases", cases.len());
    cases
}

/// After so many failures the rest is not tried.
const ENOUGH: usize = 20;

/// Tries every case, four at a time, and prints how often each end was met.
pub(crate) fn each<T: Sync>(cases: &[T], judge: impl Fn(&T) -> String + Sync) {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ends = Mutex::new(BTreeMap::<String, usize>::new());
    let judge = |case: &T| {
        // A failure has told itself by then.
        match catch_unwind(AssertUnwindSafe(|| judge(case))) {
            Ok(end) => *ends.lock().unwrap().entry(end).or_default() += 1,
            Err(_) => drop(failed.fetch_add(1, Ordering::Relaxed)),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed))
                    && failed.load(Ordering::Relaxed) < ENOUGH
                {
                    judge(case);
                }
            });
        }
    });
    eprintln!("{} cases ended: {:?}", cases.len(), ends.lock().unwrap());
    let failed = failed.into_inner();
    assert_eq!(failed, 0, "{failed} cases failed");
}
