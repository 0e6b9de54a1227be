//! SQLite's file system on a [`Mount`]: the one unsafe module of the simulator.
//!
//! A VFS named [`VFS`] is registered with SQLite once. It finds the mount of a path in a thread-local
//! table, because a simulation has one thread; a path whose mount is gone cannot be opened.
//!
//! What the unsafe code relies on: SQLite calls a method only between a successful `xOpen` and
//! `xClose` of that file, one at a time, and gives buffers of the length it says. A [`SimFile`] holds
//! one pointer, made by `Box::into_raw` in `xOpen` and freed in `xClose`. Everything else is behind
//! the safe methods of [`Mount`] and [`Handle`].
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::{Arc, Once, Weak};

use rusqlite::ffi;

use super::mount::{Handle, LockLevel, Mount, REGION_BYTES};

/// The VFS's name.
pub const VFS: &str = "simulated";
const VFS_C: &CStr = c"simulated";
/// The longest path, in bytes.
const PATH_BYTES_MAX: c_int = 255;
/// The Julian day of the Unix epoch, in milliseconds: SQLite's clock. SQL of ours asks for no time.
const EPOCH_JULIAN_MS: i64 = 210_866_760_000_000;

thread_local! {
    static MOUNTS: RefCell<BTreeMap<String, Weak<Mount>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Makes a mount known to this thread's SQLite.
pub fn register(mount: &Arc<Mount>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(register_vfs);
    MOUNTS.with_borrow_mut(|mounts| {
        mounts.retain(|_, mount| mount.strong_count() > 0);
        mounts.insert(mount.path().to_owned(), Arc::downgrade(mount));
    });
}

/// The mount of a path, and the file's name in it.
fn find(path: &str) -> Option<(Arc<Mount>, String)> {
    let (folder, file) = path.rsplit_once('/')?;
    let mount = MOUNTS.with_borrow(|mounts| mounts.get(folder).and_then(Weak::upgrade))?;
    Some((mount, file.to_owned()))
}

fn register_vfs() {
    let vfs = ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<SimFile>() as c_int,
        mxPathname: PATH_BYTES_MAX,
        pNext: ptr::null_mut(),
        zName: VFS_C.as_ptr(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: None,
        xGetLastError: None,
        xCurrentTimeInt64: Some(current_time),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the structure is never freed or moved, as SQLite wants, and every function in it keeps
    // to SQLite's documented contract of its slot.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite takes a VFS");
}

/// What SQLite allocates for an open file.
#[repr(C)]
struct SimFile {
    base: ffi::sqlite3_file,
    /// From `Box::into_raw`, until `close`.
    handle: *mut Handle,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The text of a path from SQLite.
///
/// # Safety
/// `path` is null or a C string.
unsafe fn text(path: *const c_char) -> Option<String> {
    if path.is_null() {
        return None;
    }
    // SAFETY: see above.
    let path = unsafe { CStr::from_ptr(path) };
    path.to_str().ok().map(str::to_owned)
}

/// The open file behind SQLite's pointer.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed; SQLite calls one method of a file at a time.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: see above; `open` stored a pointer from `Box::into_raw`.
    unsafe { &mut *(*file.cast::<SimFile>()).handle }
}

fn code(done: Result<(), c_int>) -> c_int {
    done.err().unwrap_or(ffi::SQLITE_OK)
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let file = file.cast::<SimFile>();
    // SAFETY: SQLite gives `szOsFile` bytes; without methods it never closes the file.
    unsafe { (*file).base.pMethods = ptr::null() };
    // SAFETY: SQLite gives a C string, or null for a temporary file, of which ours makes none: its
    // connections keep temporary things in memory.
    let Some((mount, name)) = (unsafe { text(path) }).and_then(|path| find(&path)) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let has = |flag: c_int| flags & flag != 0;
    let opened = Handle::open(
        mount,
        name,
        has(ffi::SQLITE_OPEN_CREATE),
        has(ffi::SQLITE_OPEN_EXCLUSIVE),
        has(ffi::SQLITE_OPEN_DELETEONCLOSE),
    );
    match opened {
        Ok(handle) => {
            // SAFETY: as above; `out_flags` is null or SQLite's own.
            unsafe {
                (*file).handle = Box::into_raw(Box::new(handle));
                (*file).base.pMethods = &METHODS;
                if !out_flags.is_null() {
                    *out_flags = flags;
                }
            }
            ffi::SQLITE_OK
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes an open file once; the pointer is from `Box::into_raw`.
    let handle = unsafe { Box::from_raw((*file.cast::<SimFile>()).handle) };
    drop(handle);
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    len: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open, and SQLite gives a buffer of `len` bytes.
    let (handle, into) = unsafe {
        (
            handle(file),
            slice::from_raw_parts_mut(into.cast::<u8>(), len as usize),
        )
    };
    match handle.read(offset as usize, into) {
        Ok(read) if read == into.len() => ffi::SQLITE_OK,
        Ok(read) => {
            into[read..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(code) => code,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    len: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open, and SQLite gives `len` bytes.
    let (handle, bytes) = unsafe {
        (
            handle(file),
            slice::from_raw_parts(from.cast::<u8>(), len as usize),
        )
    };
    code(handle.write(offset as usize, bytes))
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    code(unsafe { handle(file) }.truncate(len as usize))
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is open.
    code(unsafe { handle(file) }.sync())
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open, and `size` is SQLite's own.
    unsafe {
        match handle(file).size() {
            Ok(len) => {
                *size = len as ffi::sqlite3_int64;
                ffi::SQLITE_OK
            }
            Err(code) => code,
        }
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    code(unsafe { handle(file) }.lock(LockLevel(level)))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    unsafe { handle(file) }.unlock(LockLevel(level));
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(
    file: *mut ffi::sqlite3_file,
    reserved: *mut c_int,
) -> c_int {
    // SAFETY: the file is open, and `reserved` is SQLite's own.
    unsafe { *reserved = c_int::from(handle(file).is_reserved()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut ffi::sqlite3_file,
    _op: c_int,
    _arg: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    // As SQLite assumes of unix: a write that is torn leaves what lies beside it alone.
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    at: *mut *mut c_void,
) -> c_int {
    debug_assert_eq!(size as usize, REGION_BYTES);
    // SAFETY: the file is open, and `at` is SQLite's own. The region lives, and stays where it is,
    // until the last file that mapped it is unmapped.
    unsafe {
        match handle(file).shm_map(region as usize, extend != 0) {
            Ok(region) => {
                *at = region.map_or(ptr::null_mut(), ptr::NonNull::as_ptr).cast();
                ffi::SQLITE_OK
            }
            Err(code) => code,
        }
    }
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    n: c_int,
    flags: c_int,
) -> c_int {
    let slots = offset as usize..(offset + n) as usize;
    let shared = flags & ffi::SQLITE_SHM_SHARED != 0;
    // SAFETY: the file is open.
    let handle = unsafe { handle(file) };
    match flags & ffi::SQLITE_SHM_LOCK != 0 {
        true => code(handle.shm_lock(slots, shared)),
        false => {
            handle.shm_unlock(slots);
            ffi::SQLITE_OK
        }
    }
}

unsafe extern "C" fn shm_barrier(_file: *mut ffi::sqlite3_file) {}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: the file is open.
    unsafe { handle(file) }.shm_unmap();
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: SQLite gives a C string.
    match unsafe { text(path) }.and_then(|path| find(&path)) {
        Some((mount, file)) => code(mount.delete(&file, sync_folder != 0)),
        None => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _flags: c_int,
    there: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a C string and its own `there`. An empty file does not count, as on unix.
    unsafe {
        let found = text(path).and_then(|path| find(&path));
        let is_there = found.is_some_and(|(mount, file)| mount.has_content(&file));
        *there = c_int::from(is_there);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    len: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a C string and a buffer of `len` bytes; ours are full paths already.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > len as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(
    _vfs: *mut ffi::sqlite3_vfs,
    len: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a buffer of `len` bytes. It asks its default VFS and not this one.
    unsafe { ptr::write_bytes(out, 0, len as usize) };
    len
}

/// Virtual time cannot pass inside SQLite: who waits for a lock tries again at once, and gives up.
unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, us: c_int) -> c_int {
    us
}

unsafe extern "C" fn current_time(
    _vfs: *mut ffi::sqlite3_vfs,
    now: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: `now` is SQLite's own.
    unsafe { *now = EPOCH_JULIAN_MS };
    ffi::SQLITE_OK
}
