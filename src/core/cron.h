// When a cron expression comes next, in the local time of a zone (the rules and zone data live in the text library).
#pragma once

#include <cstdint>
#include <string>

namespace cutd {

struct Occurrence {
  std::int64_t at = 0;  // seconds since the Unix epoch
  std::string local;    // "2026-11-27 02:00:00 CET"
};

// The first one after `after` (seconds since the Unix epoch). `cron`: five fields, "30 2 * * 1-5"; `zone`: an IANA
// name, "Europe/Berlin" or "UTC". A fixed time that a change to summer time skips comes at the first instant after the
// gap, one that the change back repeats comes once. Error(kUsage) saying what is wrong with either.
Occurrence next_occurrence(const std::string& cron, const std::string& zone, std::int64_t after);

// "02:30" as a cron expression of every day; Error(kUsage) for anything but HH:MM.
std::string daily_cron(const std::string& time_of_day);

}  // namespace cutd
