//! The C ABI of cutd's text library. `cutd_native.h` is the contract; every entry catches panics.
//! One module per concern: `hash` (SHA-256 and SHA-512), `yaml`, `schedule` (cron), `tokenizer` with `stream_decoder`, and `chat_template`
//! with what Jinja templates expect of Python: `python_text`, `python_methods`, `python_filters`, `json_filter`.

mod chat_template;
mod ffi;
mod hash;
mod json_filter;
mod python_filters;
mod python_methods;
mod python_text;
mod schedule;
mod stream_decoder;
mod tokenizer;
mod yaml;
