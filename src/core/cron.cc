#include "core/cron.h"

#include <cctype>

#include "core/error.h"
#include "core/json.h"
#include "native/cutd_native.h"

namespace cutd {

Occurrence next_occurrence(const std::string& cron, const std::string& zone, std::int64_t after) {
  CutdBuffer buffer{};
  const int code =
      cutd_next_occurrence(reinterpret_cast<const std::uint8_t*>(cron.data()), cron.size(),
                           reinterpret_cast<const std::uint8_t*>(zone.data()), zone.size(), after, &buffer);
  const std::string result(reinterpret_cast<const char*>(buffer.data), buffer.size);
  cutd_buffer_free(buffer);
  if (code != CUTD_NATIVE_OK) throw Error(ErrorCode::kUsage, result);
  const Json json = parse_json(result, "cron");
  return {json_get<std::int64_t>(json, "at", "cron"), json_get<std::string>(json, "local", "cron")};
}

std::string daily_cron(const std::string& time_of_day) {
  const auto digit = [&](std::size_t at) { return std::isdigit(static_cast<unsigned char>(time_of_day[at])) != 0; };
  const bool shaped = time_of_day.size() == 5 && digit(0) && digit(1) && time_of_day[2] == ':' && digit(3) && digit(4);
  const int hour = shaped ? std::stoi(time_of_day.substr(0, 2)) : 99;
  const int minute = shaped ? std::stoi(time_of_day.substr(3)) : 99;
  if (hour > 23 || minute > 59)
    throw Error(ErrorCode::kUsage, "\"" + time_of_day + "\" is no time of day: write HH:MM, such as 02:30");
  return std::to_string(minute) + " " + std::to_string(hour) + " * * *";
}

}  // namespace cutd
