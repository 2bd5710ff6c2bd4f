//! When something happened, noted by one thread and read by another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::record::now;

/// When something happened, noted by one and read by another.
#[derive(Clone, Default)]
pub struct Moment(Arc<AtomicU64>);

impl Moment {
    /// It happens now.
    pub fn is_now(&self) -> u64 {
        let now = now();
        self.0.store(now, Ordering::SeqCst);
        now
    }

    /// 0: it has not happened.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn is(&self, time: u64) {
        self.0.store(time, Ordering::SeqCst);
    }

    /// How long ago it was.
    pub fn until_now(&self) -> u64 {
        now().saturating_sub(self.get())
    }

    /// How long after `time` it was; 0 if it was before.
    pub fn since(&self, time: u64) -> u64 {
        self.get().saturating_sub(time)
    }
}
