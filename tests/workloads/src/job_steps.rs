// What jobs and smol_jobs, which include it, have in common.

/// The time of each sleep and computation.
const STEP: Duration = Duration::from_millis(4);

/// Keeps a CPU busy until the thread has used so much of it.
fn burn(time: Duration) {
    let end = truth::thread_cpu() + time.as_nanos() as u64;
    while truth::thread_cpu() < end {}
}
