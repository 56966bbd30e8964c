#include "dataset/example.h"

#include <algorithm>

#include "core/error.h"

namespace cutd {

const char* example_kind_name(ExampleKind kind) { return kind == ExampleKind::kAlignP ? "align_p" : "align_n"; }

ExampleKind example_kind_from_name(const std::string& name) {
  if (name == "align_p") return ExampleKind::kAlignP;
  if (name == "align_n") return ExampleKind::kAlignN;
  throw Error(ErrorCode::kBadInput, "unknown kind \"" + name + "\" (align_p or align_n)");
}

std::vector<std::int64_t> make_labels(const std::vector<std::int64_t>& ids, std::size_t prompt_length) {
  std::vector<std::int64_t> labels = ids;
  std::fill_n(labels.begin(), std::min(prompt_length, labels.size()), kIgnoredLabel);
  return labels;
}

}  // namespace cutd
