// SPDX-License-Identifier: GPL-2.0
// A program that looks like one on tokio: the crate's name, and the paths of what dwell looks for, are
// tokio's. It has what a model of a real one has (tasks, coroutines, boxes, trait objects, a hand-written
// future, a PollFn that polls two), but neither std nor dependencies: it is built in a moment, is small,
// and can be damaged a thousand times in a few seconds. It runs, too: exit status 0.
#![no_std]
#![no_main]
#![crate_name = "tokio"]

extern crate alloc;

use alloc::boxed::Box;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::future::{poll_fn, Future};
use core::marker::PhantomData;
use core::pin::{pin, Pin};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};

use runtime::task::{core::*, raw};

pub mod runtime {
    pub mod scheduler {
        pub struct Handle(pub u64);
    }
    pub mod task {
        pub mod core {
            use core::{cell::UnsafeCell, future::Future, sync::atomic::AtomicUsize, task::Waker};
            #[repr(C)]
            pub struct Header {
                pub state: AtomicUsize,
                pub vtable: &'static super::raw::Vtable,
                pub owner_id: u64,
            }
            pub enum Stage<T: Future> {
                Running(T),
                Finished(T::Output),
                Consumed,
            }
            pub struct CoreStage<T: Future> {
                pub stage: UnsafeCell<Stage<T>>,
            }
            pub struct Core<T: Future, S> {
                pub scheduler: S,
                pub task_id: u64,
                pub stage: CoreStage<T>,
            }
            pub struct Trailer {
                pub waker: UnsafeCell<Option<Waker>>,
            }
            #[repr(C)]
            pub struct Cell<T: Future, S> {
                pub header: Header,
                pub core: Core<T, S>,
                pub trailer: Trailer,
            }
        }
        pub mod raw {
            use super::core::{Cell, Header, Stage};
            use core::{future::Future, pin::Pin, ptr::NonNull, task::Context};
            pub struct Vtable {
                pub poll: unsafe fn(NonNull<Header>),
                pub dealloc: unsafe fn(NonNull<Header>),
            }
            pub unsafe fn poll<T: Future, S>(ptr: NonNull<Header>) {
                let cell = &mut *ptr.cast::<Cell<T, S>>().as_ptr();
                let waker = super::waker::waker(ptr);
                if let Stage::Running(f) = cell.core.stage.stage.get_mut() {
                    let mut cx = Context::from_waker(&waker);
                    if Pin::new_unchecked(f).poll(&mut cx).is_ready() {
                        *cell.core.stage.stage.get_mut() = Stage::Consumed;
                        super::harness::Harness::complete(ptr);
                    }
                }
            }
            pub unsafe fn dealloc<T: Future, S>(ptr: NonNull<Header>) {
                core::ptr::drop_in_place(ptr.cast::<Cell<T, S>>().as_ptr());
            }
        }
        pub mod harness {
            use core::{ptr::NonNull, sync::atomic::Ordering};
            pub struct Harness;
            impl Harness {
                #[inline(never)]
                pub fn complete(ptr: NonNull<super::core::Header>) {
                    unsafe { ptr.as_ref() }.state.fetch_or(2, Ordering::AcqRel);
                }
            }
        }
        pub mod waker {
            use super::core::Header;
            use core::{ptr::NonNull, sync::atomic::Ordering, task::*};
            static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake_by_val, wake_by_ref, drop);
            pub fn waker(p: NonNull<Header>) -> Waker {
                unsafe { Waker::from_raw(clone(p.as_ptr() as *const ())) }
            }
            unsafe fn clone(p: *const ()) -> RawWaker {
                RawWaker::new(p, &VTABLE)
            }
            unsafe fn drop(_: *const ()) {}
            unsafe fn wake_by_val(p: *const ()) {
                (*(p as *const Header)).state.fetch_or(4, Ordering::AcqRel);
            }
            unsafe fn wake_by_ref(p: *const ()) {
                let state = &(*(p as *const Header)).state;
                let mut now = state.load(Ordering::Acquire);
                while let Err(is) =
                    state.compare_exchange(now, now.wrapping_mul(2) | 4, Ordering::AcqRel, Ordering::Acquire)
                {
                    now = is;
                }
                state.fetch_and(2, Ordering::AcqRel);
            }
        }
    }
}

pub mod time {
    pub mod sleep {
        use core::{future::Future, pin::Pin, task::*};
        pub struct Instant {
            pub secs: i64,
            pub nanos: u32,
        }
        pub struct Sleep {
            pub deadline: Instant,
            pub polled: u8,
        }
        impl Future for Sleep {
            type Output = ();
            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                self.polled += 1;
                cx.waker().wake_by_ref();
                if self.polled > 3 {
                    return Poll::Ready(());
                }
                Poll::Pending
            }
        }
    }
    pub fn sleep(secs: i64) -> sleep::Sleep {
        sleep::Sleep { deadline: sleep::Instant { secs, nanos: 7 }, polled: 0 }
    }
}

pub mod app {
    use super::*;

    pub enum Either<A, B> {
        Left(A),
        Right(B),
        Neither,
    }

    impl<A: Future<Output = u32> + Unpin, B: Future<Output = u32> + Unpin> Future for Either<A, B> {
        type Output = u32;
        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
            match &mut *self {
                Either::Left(a) => Pin::new(a).poll(cx),
                Either::Right(b) => Pin::new(b).poll(cx),
                Either::Neither => Poll::Ready(0),
            }
        }
    }

    pub struct Conn {
        pub id: u32,
    }

    impl Conn {
        pub async fn serve<T: Into<u32> + Copy>(&mut self, x: T) -> u32 {
            crate::time::sleep(x.into() as i64).await;
            self.id += leaf(x.into()).await;
            self.id
        }
    }

    pub async fn leaf(n: u32) -> u32 {
        crate::time::sleep(n as i64).await;
        n + 1
    }

    pub fn boxed(n: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(async move {
            if n == 0 {
                leaf(0).await
            } else {
                boxed(n - 1).await
            }
        })
    }

    pub async fn race(n: u32) -> u32 {
        let mut a = pin!(leaf(n));
        let mut b = pin!(boxed(n));
        poll_fn(|cx| match a.as_mut().poll(cx) {
            Poll::Ready(x) => Poll::Ready(x),
            Poll::Pending => b.as_mut().poll(cx),
        })
        .await
    }

    pub async fn main_task(n: u32) {
        let mut c = Conn { id: n };
        let x = c.serve(n).await + c.serve(3u16).await;
        let y = race(x).await;
        let e = if n > 1 { Either::Left(boxed(n)) } else { Either::Right(Box::pin(leaf(1))) };
        let any: Pin<Box<dyn Future<Output = u32>>> = Box::pin(leaf(2));
        let z = e.await + any.await;
        SINK.store((x + y + z) as usize, Ordering::Relaxed);
    }
}

static SINK: AtomicUsize = AtomicUsize::new(0);

struct VtableOf<T, S>(PhantomData<(T, S)>);

impl<T: Future, S> VtableOf<T, S> {
    const IT: raw::Vtable = raw::Vtable { poll: raw::poll::<T, S>, dealloc: raw::dealloc::<T, S> };
}

#[inline(never)]
fn spawn<T: Future + 'static>(future: T) -> NonNull<Header> {
    let vtable = &VtableOf::<T, runtime::scheduler::Handle>::IT;
    let stage = CoreStage { stage: UnsafeCell::new(Stage::Running(future)) };
    NonNull::from(Box::leak(Box::new(Cell {
        header: Header { state: AtomicUsize::new(0), vtable, owner_id: 1 },
        core: Core { scheduler: runtime::scheduler::Handle(1), task_id: 2, stage },
        trailer: Trailer { waker: UnsafeCell::new(None) },
    })))
    .cast()
}

#[no_mangle]
pub extern "C" fn main(argc: i32, _: *const *const u8) -> i32 {
    let n = argc as u32;
    let mut ended = 0;
    let tasks = [
        spawn(app::main_task(n)),
        spawn(app::race(n)),
        spawn(time::sleep(3)),
        spawn(async {
            app::leaf(1).await;
            app::boxed(2).await;
        }),
    ];
    for task in tasks {
        for _ in 0..100 {
            let header = unsafe { task.as_ref() };
            unsafe { (header.vtable.poll)(task) };
            if header.state.load(Ordering::Acquire) & 2 != 0 {
                ended += 1;
                break;
            }
        }
        unsafe { (task.as_ref().vtable.dealloc)(task) };
    }
    (ended != tasks.len()) as i32
}

struct Bump;

#[repr(align(16))]
struct Heap(UnsafeCell<[u64; 8192]>);

unsafe impl Sync for Heap {}

static HEAP: Heap = Heap(UnsafeCell::new([0; 8192]));
static USED: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let words = layout.size().div_ceil(16) * 2;
        let at = USED.fetch_add(words, Ordering::Relaxed);
        if at + words > 8192 {
            return core::ptr::null_mut();
        }
        (HEAP.0.get() as *mut u64).add(at) as *mut u8
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static BUMP: Bump = Bump;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

// What the prebuilt core and alloc ask for, though nothing unwinds.
#[no_mangle]
pub extern "C" fn rust_eh_personality() {}

#[no_mangle]
pub extern "C" fn _Unwind_Resume() {}
