//! Every request goes wrong in each way.

use elysia_runbook::sandbox::Fault;

use crate::draw::{draw, each, random};
use crate::job::{Job, Place, class};

/// In which ways a request goes wrong: without effect, with effect, slow, and answers that are none.
const FAULTS: [&str; 21] = [
    "refuse",
    "cut-after",
    "hang",
    "delay 400ms",
    "delay 3s",
    "500 no",
    "done 500 leader not found",
    "400 no",
    "done 400 leader not found",
    "422 no",
    "done 422 timeout",
    "malformed",
    r#"200 {"errors":[{"message":"no"}]}"#,
    "200 []",
    "class-reappears",
    "trickle",
    "cut-body",
    "endless",
    "hang-after",
    "leader-lost 2s",
    "write",
];

struct Case {
    job: Job,
    place: Place,
    fault: &'static str,
}

#[test]
fn nothing_is_lost_whatever_the_cluster_answers() {
    let (mut must, mut may) = (vec![], vec![]);
    for job in Job::all() {
        for place in job.places() {
            for fault in FAULTS {
                let case = Case { job, place: place.clone(), fault };
                let is_change = matches!(place.1.as_str(), "DELETE" | "PUT")
                    || place.2 == "/v1/schema" && place.1 == "POST";
                // The changes of the main job go wrong in each way, each time.
                if is_change && job == Job::Repair { &mut must } else { &mut may }.push(case);
            }
        }
    }
    must.extend(draw(&mut random(), may, 60));
    each(&must, judge);
}

fn judge(case: &Case) -> String {
    let stage = case.job.stage();
    let before = class(&stage);
    let (node, method, path, nth) = &case.place;
    let spec = format!("{node}:{method}:{path}:{nth}={}", case.fault);
    stage.sandbox.inject(spec.parse::<Fault>().unwrap());
    let ended = stage.run(case.job.words());
    let said = format!("{:?}, {spec}:\n{}", case.job, ended.transcript());
    if case.fault == "write" && matches!(case.job, Job::Lag | Job::Force) {
        // What somebody else wrote is there, and is theirs.
        assert_eq!(class(&stage), before, "{said}");
    } else {
        case.job.judge(&stage, before.as_ref(), &ended, &said);
    }
    ended.code.map_or("killed".into(), |code| format!("exit {code}"))
}
