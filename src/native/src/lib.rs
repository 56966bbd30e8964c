//! The C ABI of cutd's text library. `cutd_native.h` is the contract; every entry catches panics.
//! One module per concern: `hash` (SHA-256), `yaml`, `tokenizer`, `chat_template`.

mod ffi;
mod hash;
mod yaml;
