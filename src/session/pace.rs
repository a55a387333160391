//! How fast objects are moved: no faster than the operator allows, slower where the servers have become
//! slow, and not at all while the run is held.

use std::time::{Duration, Instant};

use super::Session;
use crate::error::Halt;
use crate::event::Event;
use crate::text::count_objects;

/// How many times longer than at its quickest an object may take before less is asked of the servers, and
/// how long is waited at most.
const SLOW: f64 = 5.0;
const LONGEST: Duration = Duration::from_secs(10);

/// Over how long it is measured how long an object takes: some are in a page that is here already.
const MEASURED: Duration = Duration::from_secs(1);

/// How often is looked whether the run is still held.
const HELD: Duration = Duration::from_millis(500);

/// How many vectors may wait to be indexed, how often that is looked at, and how long is waited for them
/// where they do not become fewer.
const QUEUE: u64 = 20_000;
const BETWEEN_QUEUES: Duration = Duration::from_secs(5);
const STUCK: Duration = Duration::from_secs(60);

/// What is known of the pace.
#[derive(Debug)]
pub(super) struct Pace {
    /// What is done, and how many objects it has moved.
    doing: String,
    moved: u64,
    /// When the next objects were asked for.
    asked: Instant,
    /// How many objects were moved since it was measured last, and how long that took without waiting.
    span: (u64, Duration),
    /// Seconds that an object took when the servers were at their quickest.
    quickest: f64,
    /// When the next ones may be asked for.
    due: Instant,
    /// Whether it was told that the servers are slow, and that the run is held.
    told_slow: bool,
    told_held: bool,
    /// When the queues of vectors were looked at.
    looked: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            doing: String::new(),
            moved: 0,
            asked: now,
            span: (0, Duration::ZERO),
            quickest: f64::INFINITY,
            due: now,
            told_slow: false,
            told_held: false,
            looked: now,
        }
    }
}

impl Pace {
    /// Takes note of how many objects were moved, not more than `rate` a second. Returns how many times
    /// longer one takes than it did, where that is much.
    fn take(&mut self, doing: &str, moved: u64, rate: Option<u32>) -> Option<f64> {
        let now = Instant::now();
        if self.doing != doing || moved < self.moved {
            self.begin(doing, 0);
        }
        let objects = moved - self.moved;
        if objects == 0 {
            return None;
        }
        self.moved = moved;
        let took = now - self.asked;
        if let Some(rate) = rate {
            let whole = Duration::from_secs(objects) / rate.max(1);
            self.due = self.asked + whole;
        }
        self.span.0 += objects;
        self.span.1 += took;
        if self.span.1 < MEASURED {
            return None;
        }
        let (objects, took) = std::mem::take(&mut self.span);
        #[expect(clippy::cast_precision_loss, reason = "some thousand objects")]
        let each = took.as_secs_f64() / objects as f64;
        self.quickest = self.quickest.min(each);
        let times = each / self.quickest;
        if times < SLOW {
            self.told_slow = false;
            return None;
        }
        // Half of what was asked of them.
        self.due = self.due.max(now + took.min(LONGEST));
        Some(times)
    }

    /// Begins something of which so many objects are moved already.
    fn begin(&mut self, doing: &str, moved: u64) {
        self.doing = doing.into();
        self.moved = moved;
        self.measure_anew();
    }

    /// What follows is done in another way: how long it took before tells nothing.
    fn measure_anew(&mut self) {
        (self.span, self.quickest) = (Default::default(), f64::INFINITY);
    }
}

impl Session {
    /// Begins long work of which a run that died has done so much: that is not counted for the pace.
    pub(super) fn go_on_from(&self, doing: &str, class: &str, done: u64) {
        self.pace.borrow_mut().begin(&format!("{doing} {class}"), done);
    }

    /// Tells how far long work has come, and returns how long is to be waited before it goes on.
    pub(super) fn due(
        &self,
        doing: &str,
        class: &str,
        done: u64,
        of: Option<u64>,
    ) -> Result<Option<Duration>, Halt> {
        self.tell_progress(doing, class, "objects", (done, of))?;
        let mut pace = self.pace.borrow_mut();
        let slow = pace.take(&format!("{doing} {class}"), done, self.cluster.rate());
        if let Some(times) = slow.filter(|_| !pace.told_slow) {
            pace.told_slow = true;
            let text =
                format!("the servers take {times:.0} times as long as before: less is asked");
            self.say(&Event::Note { text })?;
        }
        let held = self.folder.hold().exists();
        if held != pace.told_held {
            pace.told_held = held;
            let run = &self.folder.run;
            let text = if held {
                format!("held; `elysia-runbook runs release {run}` lets it go on")
            } else {
                "it goes on".to_owned()
            };
            self.say(&Event::Note { text })?;
        }
        let now = Instant::now();
        if held {
            return Ok(Some(HELD));
        }
        if pace.due > now {
            return Ok(Some((pace.due - now).min(HELD)));
        }
        pace.asked = now;
        Ok(None)
    }

    /// Tells how far long work has come, and waits as long as the pace asks for.
    pub(super) fn pace(
        &self,
        doing: &str,
        class: &str,
        done: u64,
        of: Option<u64>,
    ) -> Result<(), Halt> {
        while let Some(time) = self.due(doing, class, done, of)? {
            self.wait(time)?;
        }
        Ok(())
    }

    /// What follows is done in another way: how long it took before tells nothing.
    pub(super) fn measure_anew(&self) {
        self.pace.borrow_mut().measure_anew();
    }

    /// Waits where many vectors of a class wait to be indexed.
    pub(super) fn wait_for_vectors(&self, class: &str) -> Result<(), Halt> {
        if self.pace.borrow().looked.elapsed() < BETWEEN_QUEUES {
            return Ok(());
        }
        let mut fewest = (u64::MAX, Instant::now());
        loop {
            let survey = self.look()?;
            let holdings = survey.holdings();
            let replicas = holdings.of(class).values().flat_map(|holders| holders.values());
            let queue = replicas.filter_map(|replica| replica.vector_queue_length).sum();
            if queue < fewest.0 {
                if fewest.0 == u64::MAX && queue > QUEUE {
                    let vectors = count_objects(queue);
                    let text = format!("waiting, as the vectors of {vectors} wait to be indexed");
                    self.say(&Event::Note { text })?;
                }
                fewest = (queue, Instant::now());
            }
            if queue <= QUEUE || fewest.1.elapsed() > STUCK {
                self.pace.borrow_mut().looked = Instant::now();
                return Ok(());
            }
            self.wait(HELD * 2)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves objects that took so long each.
    fn moved(pace: &mut Pace, total: u64, seconds: f64) -> Option<f64> {
        pace.asked = Instant::now().checked_sub(Duration::from_secs_f64(seconds)).expect("works");
        pace.take("importing", total, None)
    }

    #[test]
    fn less_is_asked_of_servers_that_have_become_slow() {
        let mut pace = Pace::default();
        assert_eq!(moved(&mut pace, 1000, 1.1), None);
        // What was in the page that is here already is not how quick the servers are.
        assert_eq!(moved(&mut pace, 2000, 0.001), None);
        assert_eq!(moved(&mut pace, 3000, 1.1), None);
        assert_eq!(moved(&mut pace, 4000, 2.0), None);
        assert!(pace.due <= Instant::now());
        let times = moved(&mut pace, 5000, 9.0).expect("much slower");
        assert!((8.0..20.0).contains(&times), "{times}");
        assert!(pace.due > Instant::now() + Duration::from_secs(8));
        pace.measure_anew();
        assert_eq!(moved(&mut pace, 6000, 9.0), None);
    }

    #[test]
    fn no_more_are_moved_in_a_second_than_is_allowed() {
        let mut pace = Pace { asked: Instant::now(), ..Pace::default() };
        assert_eq!(pace.take("exporting", 500, Some(100)), None);
        let wait = pace.due - Instant::now();
        assert!((4.0..5.0).contains(&wait.as_secs_f64()), "{wait:?}");
        // What a run that died had moved is not waited for.
        pace = Pace { asked: Instant::now(), ..Pace::default() };
        pace.begin("exporting", 1_000_000);
        assert_eq!(pace.take("exporting", 1_000_500, Some(100)), None);
        let wait = pace.due - Instant::now();
        assert!((4.0..5.0).contains(&wait.as_secs_f64()), "{wait:?}");
    }
}
