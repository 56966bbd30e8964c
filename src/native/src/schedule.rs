//! When a cron expression comes next in a time zone (`croner` with the IANA data of `chrono-tz`). A fixed time that a
//! change to summer time skips comes at the first instant after the gap; one that a change back repeats comes once.

use crate::ffi::{guard, text, Buffer};
use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use croner::parser::CronParser;

/// {"at": seconds since the epoch, "local": "2026-11-27 02:00:00 CET"} of the first occurrence after `after` seconds.
#[no_mangle]
pub unsafe extern "C" fn cutd_next_occurrence(
    cron: *const u8,
    cron_size: usize,
    zone: *const u8,
    zone_size: usize,
    after: i64,
    out: *mut Buffer,
) -> i32 {
    guard(out, || {
        let expression = text(cron, cron_size)?;
        let name = text(zone, zone_size)?;
        let zone: Tz = name.parse().map_err(|_| format!("there is no time zone \"{name}\""))?;
        let cron = CronParser::new()
            .parse(expression)
            .map_err(|error| format!("\"{expression}\" is no cron expression: {error}"))?;
        let after: DateTime<Tz> =
            zone.timestamp_opt(after, 0).single().ok_or_else(|| format!("{after} is no time"))?;
        let next = cron
            .find_next_occurrence(&after, false)
            .map_err(|error| format!("\"{expression}\" never comes: {error}"))?;
        let local = next.format("%Y-%m-%d %H:%M:%S %Z").to_string();
        Ok(serde_json::json!({"at": next.timestamp(), "local": local}).to_string().into_bytes())
    })
}
