#include "server/page_arguments.h"

namespace cutd {
namespace {

constexpr std::int64_t kMostRows = 200;
constexpr std::size_t kMostSearchBytes = 800;  // 200 characters

std::int64_t number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) {
    throw Error(ErrorCode::kBadInput, "query parameter \"cursor\" is not one that this list gave");
  }
  return value;
}

}  // namespace

PageQuery query_page(const Request& request) {
  PageQuery page;
  page.limit = query_integer(request, "limit", 50, 1, kMostRows) + 1;
  const auto cursor = request.query.find("cursor");
  if (cursor == request.query.end()) return page;
  const std::string_view text = cursor->second;
  const std::size_t point = text.find('.');
  page.before = number_of(text.substr(0, point));
  if (point != std::string_view::npos) page.before_judgment = number_of(text.substr(point + 1));
  return page;
}

std::string query_search(const Request& request) {
  const auto found = request.query.find("search");
  if (found == request.query.end()) return "";
  if (found->second.size() > kMostSearchBytes) {
    throw Error(ErrorCode::kBadInput, "query parameter \"search\" has at most 200 characters");
  }
  return found->second;
}

BrowseFilter query_filter(const Request& request) {
  BrowseFilter filter;
  filter.run = query_id<RunId>(request, "run");
  filter.round = query_id<RoundId>(request, "round");
  filter.evaluation = query_id<EvaluationId>(request, "evaluation");
  filter.instruction = query_id<InstructionId>(request, "instruction");
  filter.annotator = query_id<AnnotatorId>(request, "annotator");
  filter.split = query_name<Split>(request, "split");
  filter.state = query_name<JudgmentState>(request, "state");
  filter.label = query_name<JudgmentLabel>(request, "label");
  filter.search = query_search(request);
  return filter;
}

}  // namespace cutd
