//! SHA-256, streaming (the `sha2` crate, which uses the CPU's SHA extensions where present).

use crate::ffi::slice;
use sha2::{Digest, Sha256};

#[no_mangle]
pub extern "C" fn cutd_sha256_new() -> *mut Sha256 {
    Box::into_raw(Box::new(Sha256::new()))
}

#[no_mangle]
pub unsafe extern "C" fn cutd_sha256_update(state: *mut Sha256, data: *const u8, size: usize) {
    (*state).update(slice(data, size));
}

/// Writes the 32 digest bytes and frees the state.
#[no_mangle]
pub unsafe extern "C" fn cutd_sha256_finish(state: *mut Sha256, digest: *mut u8) {
    let result = Box::from_raw(state).finalize();
    std::ptr::copy_nonoverlapping(result.as_ptr(), digest, 32);
}

#[no_mangle]
pub unsafe extern "C" fn cutd_sha256_free(state: *mut Sha256) {
    drop(Box::from_raw(state));
}
