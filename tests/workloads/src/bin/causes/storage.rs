//! Storage that takes its time: a FUSE file system of this program.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen,
    Request,
};
use truth::Moment;

use crate::STEP;

const PAGE: usize = 4096;
const SIZE: u64 = 1 << 24;

/// The file system, mounted where only this program sees it.
pub struct Slow {
    directory: PathBuf,
    session: Option<BackgroundSession>,
    pub times: Times,
}

/// When the last read was answered.
#[derive(Clone, Default)]
pub struct Times {
    pub answered: Moment,
}

/// Two files: of one nothing is kept in memory, of the other what was read.
const DIRECT: (&str, INodeNo) = ("direct", INodeNo(2));
const CACHED: (&str, INodeNo) = ("cached", INodeNo(3));

impl Slow {
    /// None: this system has no FUSE. Call it before there is another thread.
    pub fn mount() -> Option<Self> {
        if File::open("/dev/fuse").is_err() {
            return None;
        }
        // SAFETY: no memory is involved but the constants.
        unsafe {
            assert_eq!(libc::unshare(libc::CLONE_NEWNS), 0, "the right to mount");
            let private = libc::MS_REC | libc::MS_PRIVATE;
            let null = std::ptr::null();
            assert_eq!(libc::mount(null, c"/".as_ptr(), null, private, null.cast()), 0);
        }
        let directory = std::env::temp_dir().join(format!("causes-{}", std::process::id()));
        std::fs::create_dir(&directory).expect("a directory");
        let times = Times::default();
        let mut slow = Self { directory, session: None, times: times.clone() };
        let session = fuser::spawn_mount(Server { times }, &slow.directory, &Config::default());
        slow.session = Some(session.expect("FUSE"));
        Some(slow)
    }

    pub fn direct(&self) -> PathBuf {
        self.directory.join(DIRECT.0)
    }

    pub fn cached(&self) -> PathBuf {
        self.directory.join(CACHED.0)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.umount_and_join().ok();
        }
        std::fs::remove_dir(&self.directory).ok();
    }
}

struct Server {
    times: Times,
}

const KEPT: Duration = Duration::from_secs(1000);

fn attributes(ino: INodeNo) -> FileAttr {
    let directory = ino == INodeNo::ROOT;
    FileAttr {
        ino,
        size: if directory { 0 } else { SIZE },
        blocks: 0,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind: if directory { FileType::Directory } else { FileType::RegularFile },
        perm: 0o755,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        flags: 0,
        blksize: PAGE as u32,
    }
}

impl Filesystem for Server {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match [DIRECT, CACHED].iter().find(|file| file.0 == name) {
            Some(file) => reply.entry(&KEPT, &attributes(file.1), Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&KEPT, &attributes(ino));
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let direct =
            if ino == DIRECT.1 { FopenFlags::FOPEN_DIRECT_IO } else { FopenFlags::empty() };
        reply.opened(FileHandle(0), direct);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        thread::sleep(STEP);
        let zeros = vec![0; size as usize];
        self.times.answered.is_now();
        reply.data(&zeros);
    }
}

/// A file in memory, of which no page is there before it is touched.
pub struct Map(*const u8);

// SAFETY: nobody writes to it.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Map {
    pub fn new(file: &File) -> Self {
        let (null, size) = (std::ptr::null_mut(), SIZE as usize);
        // SAFETY: the kernel chooses a place that is free; the file is at least as long.
        unsafe {
            let fd = file.as_raw_fd();
            let start = libc::mmap(null, size, libc::PROT_READ, libc::MAP_SHARED, fd, 0);
            assert_ne!(start, libc::MAP_FAILED);
            assert_eq!(libc::madvise(start, size, libc::MADV_RANDOM), 0);
            Self(start.cast())
        }
    }

    pub fn touch(&self, page: usize) {
        assert!(page < SIZE as usize / PAGE);
        // SAFETY: within the mapping.
        assert_eq!(unsafe { self.0.add(page * PAGE).read_volatile() }, 0);
    }
}
