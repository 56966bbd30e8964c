//! SHA-256, streaming, and SHA-512 in one call (the `sha2` crate, which uses the CPU's SHA extensions where present).

use crate::ffi::slice;
use sha2::{Digest, Sha256, Sha512};

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

/// Writes the 64 digest bytes of [data, data + size).
#[no_mangle]
pub unsafe extern "C" fn cutd_sha512(data: *const u8, size: usize, digest: *mut u8) {
    let result = Sha512::digest(slice(data, size));
    std::ptr::copy_nonoverlapping(result.as_ptr(), digest, 64);
}
