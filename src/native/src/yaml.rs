//! YAML 1.1/1.2 (one document) to JSON text. Duplicate keys are refused with their position.

use crate::ffi::{guard, text, Buffer};

#[no_mangle]
pub unsafe extern "C" fn cutd_yaml_to_json(data: *const u8, size: usize, out: *mut Buffer) -> i32 {
    guard(out, || {
        let yaml = text(data, size)?;
        let value: serde_json::Value =
            serde_norway::from_str::<serde_norway::Value>(yaml).map_err(|error| error.to_string()).and_then(|value| {
                serde_json::to_value(value).map_err(|error| format!("not representable as JSON: {error}"))
            })?;
        Ok(serde_json::to_vec(&value).map_err(|error| error.to_string())?)
    })
}
