// What operators write, and what is pasted into it: YAML of runs, schedules, annotators and judging prompts; cron
// expressions. The first byte chooses.
#include "core/cron.h"
#include "core/error.h"
#include "core/yaml.h"
#include "fuzz/driver.h"
#include "judge_client/annotator.h"
#include "judge_client/judging_prompt.h"
#include "round/run_config.h"
#include "round/schedule.h"

using namespace cutd;

namespace {

constexpr std::int64_t kNow = 1'764'000'000;

void read(char kind, std::string_view text) {
  if (kind == 'c') {
    const std::size_t line = text.find('\n');
    const std::string zone(line == std::string_view::npos ? "Europe/Berlin" : text.substr(line + 1));
    if (next_occurrence(std::string(text.substr(0, line)), zone, kNow).at <= kNow)
      fuzz::violated("a time that is over");
    return;
  }
  const Json value = parse_yaml(text, "x.yaml");
  if (kind == 'r') {
    const RunConfig config = parse_run_config(value, "x.yaml");
    const Json frozen = run_config_json(config);
    if (run_config_json(parse_run_config(frozen, "frozen")) != frozen) fuzz::violated("a frozen configuration changes");
  } else if (kind == 's') {
    parse_schedules(value, "x.yaml", "/nowhere");
  } else if (kind == 'a') {
    annotator_version(parse_annotator(value, "x.yaml"));
  } else {
    judging_prompt_version(parse_judging_prompt(value, "x", "x.yaml"));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    read(static_cast<char>(data[0]), fuzz::text_of(data + 1, size - 1));
  } catch (const Error&) {
  }
  return 0;
}
