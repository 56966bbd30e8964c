#include "cutd/instruction_upload.h"

#include <fmt/format.h>

#include "core/signals.h"

namespace cutd {
namespace {

// Under the daemon's limit of 256 KiB a request, escapes included.
constexpr std::size_t kBytesPerRequest = 100'000;

}  // namespace

Json upload_instructions(ApiClient& api, const std::vector<Instruction>& rows, const std::string& split,
                         const std::string& source, const std::stop_token& stop) {
  Json total = Json::object();
  Json batch = Json::array();
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (batch.empty()) return;
    throw_if_stopped(stop, "storing instructions");
    const Json counts =
        api.post("/api/v1/instructions", {{"split", split}, {"source", source}, {"instructions", batch}});
    for (const auto& [key, value] : counts.items())
      total[key] = total.value(key, std::int64_t{0}) + value.get<std::int64_t>();
    batch = Json::array();
    bytes = 0;
  };
  for (const Instruction& row : rows) {
    Json item = {{"instruction", row.text}, {"input", row.input}};
    if (!row.reference.empty()) item["reference"] = row.reference;
    const std::size_t size = to_json_text(item).size();
    if (bytes + size > kBytesPerRequest) flush();
    bytes += size;
    batch.push_back(std::move(item));
  }
  flush();
  return total;
}

std::string upload_text(const Json& counts, std::size_t read) {
  std::string text =
      fmt::format("{} read, {} new, {} known\n", read, counts.value("added", 0), counts.value("known", 0));
  if (counts.value("held_out", 0) > 0)
    text += fmt::format("{} were training instructions and are held out now\n", counts.value("held_out", 0));
  if (counts.value("kept_held_out", 0) > 0) text += fmt::format("{} stay held out\n", counts.value("kept_held_out", 0));
  if (counts.value("already_trained", 0) > 0)
    text += fmt::format("{} were trained on already and cannot be held out\n", counts.value("already_trained", 0));
  return text;
}

}  // namespace cutd
