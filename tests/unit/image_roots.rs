// SPDX-License-Identifier: GPL-2.0
//! Roots that say where they lie: what looks like pollster's block_on, by its crate's name,
//! polls futures of several kinds, and each poll prints the future's own address.
use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

struct Signal;

impl Signal {
    #[inline(never)]
    fn wait(&self) {
        std::thread::yield_now();
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {}
}

pub fn block_on<F: Future>(fut: F) -> F::Output {
    let mut fut = pin!(fut);
    let signal = Arc::new(Signal);
    let waker = Waker::from(Arc::clone(&signal));
    let mut context = Context::from_waker(&waker);
    loop {
        match fut.as_mut().poll(&mut context) {
            Poll::Pending => signal.wait(),
            Poll::Ready(item) => break item,
        }
    }
}

fn shown<T>(kind: &str, at: &T, left: &mut u64) -> Poll<u64> {
    println!("{kind} {:#x}", at as *const T as usize);
    *left -= 1;
    if *left == 0 { Poll::Ready(7) } else { Poll::Pending }
}

macro_rules! root {
    ($name:ident, $inline:ident, $($align:meta)?) => {
        $(#[$align])?
        struct $name([u64; 5], u64);

        impl Future for $name {
            type Output = u64;

            #[inline($inline)]
            fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
                let mut left = self.1;
                let result = shown(stringify!($name), &*self, &mut left);
                self.1 = left;
                self.0[(left % 5) as usize] += 1;
                result.map(|n| n + self.0[0])
            }
        }
    };
}

root!(Inlined, always,);
root!(Called, never,);
root!(Aligned, always, repr(align(64)));
root!(AlignedCalled, never, repr(align(128)));

#[inline(never)]
fn deep(n: u64) -> u64 {
    // something of its own in the frame, on both sides of the call
    let before = std::hint::black_box([n; 9]);
    let done = block_on(Inlined([n; 5], n));
    before[(done % 9) as usize] + done
}

fn main() {
    let n = std::env::args().count() as u64;
    let mut sum = block_on(Inlined([n; 5], n + 2));
    sum += block_on(Called([n; 5], n + 1));
    sum += deep(n + 1);
    sum += block_on(Aligned([n; 5], n + 1));
    sum += block_on(AlignedCalled([n; 5], n + 2));
    std::process::exit((sum == 0) as i32);
}
