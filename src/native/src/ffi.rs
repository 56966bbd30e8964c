//! Shared pieces of the C ABI: owned byte buffers, error reporting, panic fences.

use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Once;

/// Bytes owned by Rust; freed by `cutd_buffer_free`.
#[repr(C)]
pub struct Buffer {
    pub data: *mut u8,
    pub size: usize,
    pub capacity: usize,
}

impl Buffer {
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        let mut bytes = std::mem::ManuallyDrop::new(bytes);
        Buffer { data: bytes.as_mut_ptr(), size: bytes.len(), capacity: bytes.capacity() }
    }
}

#[no_mangle]
pub unsafe extern "C" fn cutd_buffer_free(buffer: Buffer) {
    if !buffer.data.is_null() {
        drop(Vec::from_raw_parts(buffer.data, buffer.size, buffer.capacity));
    }
}

pub const OK: i32 = 0;
pub const FAILED: i32 = 1;
pub const PANICKED: i32 = 2;
pub const NOT_FOUND: i32 = 3;

/// Panics become error texts; printing them, too, would spoil the terminal's progress display.
static QUIET_PANICS: Once = Once::new();

/// Runs `body`; on success writes its bytes to `out` and returns OK, otherwise writes the error text
/// and returns FAILED or PANICKED. `out` is always set.
pub unsafe fn guard(out: *mut Buffer, body: impl FnOnce() -> Result<Vec<u8>, String>) -> i32 {
    QUIET_PANICS.call_once(|| set_hook(Box::new(|_| {})));
    let (code, bytes) = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(bytes)) => (OK, bytes),
        Ok(Err(message)) => (FAILED, message.into_bytes()),
        Err(panic) => (PANICKED, panic_text(&*panic).into_bytes()),
    };
    out.write(Buffer::from_vec(bytes));
    code
}

pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        format!("internal error in the text library: {text}")
    } else if let Some(text) = panic.downcast_ref::<String>() {
        format!("internal error in the text library: {text}")
    } else {
        "internal error in the text library".to_string()
    }
}

/// The bytes [data, data + size) as UTF-8.
pub unsafe fn text<'a>(data: *const u8, size: usize) -> Result<&'a str, String> {
    std::str::from_utf8(slice(data, size)).map_err(|error| format!("not UTF-8: {error}"))
}

pub unsafe fn slice<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(data, size)
    }
}
