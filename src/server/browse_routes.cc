#include "server/browse_routes.h"

#include "round/run_summary.h"
#include "server/browse_views.h"
#include "server/page_arguments.h"
#include "server/views.h"
#include "store/evaluations.h"
#include "store/round_figures.h"
#include "store/rounds.h"
#include "store/spend_figures.h"
#include "store/statistics.h"

namespace cutd {
namespace {

[[noreturn]] void not_found(const char* what, std::int64_t id) {
  throw Error(ErrorCode::kNotFound, std::string("there is no ") + what + " " + std::to_string(id));
}

std::string id_cursor(std::int64_t id) { return std::to_string(id); }

Reply list_responses(const ReadContext& context, const Request& request) {
  const BrowseFilter filter = query_filter(request);
  const PageQuery page = query_page(request);
  auto rows = read_from(context, [&](Reader& reader) { return browse_responses(reader, filter, page); });
  const Json next = next_of(rows, page, [](const BrowsedResponse& row) { return id_cursor(row.id.value); });
  Json list = Json::array();
  for (const BrowsedResponse& row : rows) list.push_back(response_view(row));
  return json_reply({{"responses", std::move(list)}, {"next", next}});
}

Reply list_judgments_page(const ReadContext& context, const Request& request) {
  const BrowseFilter filter = query_filter(request);
  const PageQuery page = query_page(request);
  auto rows = read_from(context, [&](Reader& reader) { return browse_judgments(reader, filter, page); });
  const Json next = next_of(rows, page, [](const BrowsedJudgmentRow& row) {
    return id_cursor(row.judgment.judgment.response.value) + "." + id_cursor(row.judgment.judgment.id.value);
  });
  Json list = Json::array();
  for (const BrowsedJudgmentRow& row : rows) list.push_back(judgment_view(row));
  return json_reply({{"judgments", std::move(list)}, {"next", next}});
}

Reply list_rounds_page(const ReadContext& context, const Request& request) {
  const PageQuery page = query_page(request);
  const auto run = query_id<RunId>(request, "run");
  const auto phase = query_name<Phase>(request, "phase");
  auto rows = read_from(context, [&](Reader& reader) { return browse_rounds(reader, run, phase, page); });
  const Json next = next_of(rows, page, [](const Round& row) { return id_cursor(row.id.value); });
  Json list = Json::array();
  for (const Round& row : rows) list.push_back(round_view(row));
  return json_reply({{"rounds", std::move(list)}, {"next", next}});
}

Reply list_instructions_page(const ReadContext& context, const Request& request) {
  const PageQuery page = query_page(request);
  const auto split = query_name<Split>(request, "split");
  const std::string search = query_search(request);
  Json counts;
  auto rows = read_from(context, [&](Reader& reader) {
    counts = instruction_counts_view(reader);
    return browse_instructions(reader, split, search, page);
  });
  const Json next = next_of(rows, page, [](const Instruction& row) { return id_cursor(row.id.value); });
  Json list = Json::array();
  for (const Instruction& row : rows) list.push_back(instruction_view(row));
  return json_reply({{"counts", std::move(counts)}, {"instructions", std::move(list)}, {"next", next}});
}

Reply list_evaluations_page(const ReadContext& context, const Request& request) {
  const PageQuery page = query_page(request);
  const auto split = query_name<Split>(request, "split");
  const auto state = query_name<EvaluationState>(request, "state");
  Json list = Json::array();
  const Json next = read_from(context, [&](Reader& reader) {
    auto rows = browse_evaluations(reader, split, state, page);
    Json cursor = next_of(rows, page, [](const Evaluation& row) { return id_cursor(row.id.value); });
    for (const Evaluation& row : rows) list.push_back(evaluation_view(reader, row));
    return cursor;
  });
  return json_reply({{"evaluations", std::move(list)}, {"next", next}});
}

Json annotator_list(Reader& reader, std::optional<RunId> run) {
  const auto requests = read_request_figures(reader);
  Json list = Json::array();
  for (const CountedAnnotator& row : list_annotators(reader, run)) {
    const auto found = requests.find(row.annotator.id);
    list.push_back(annotator_view(row, found == requests.end() ? nullptr : &found->second));
  }
  return list;
}

Json one_annotator(Reader& reader, AnnotatorId id) {
  const auto requests = read_request_figures(reader);
  const auto found = requests.find(id);
  for (const CountedAnnotator& row : list_annotators(reader, std::nullopt)) {
    if (row.annotator.id == id) return annotator_view(row, found == requests.end() ? nullptr : &found->second);
  }
  not_found("annotator", id.value);
}

Json round_details(Reader& reader, RoundId id, const ReadContext& context) {
  const auto round = find_round(reader, id);
  if (!round) not_found("round", id.value);
  const Json summary = round_summary_json(summarize_round(reader, id, context.data_dir, context.summaries.get()));
  const RoundFigures figures = read_round_figures(reader, id);
  const auto parent = find_round(reader, round->run, round->number - 1);
  const Json parent_words = parent ? bins_view(read_round_figures(reader, parent->id).words) : Json::array();
  return {{"round", round_view(*round)},
          {"summary", summary},
          {"funnel",
           {{"instructions", figures.instructions},
            {"planned", figures.planned},
            {"generated", figures.generated},
            {"judged", figures.judged},
            {"failed", figures.failed},
            {"positives", figures.positives},
            {"negatives", figures.negatives},
            {"trained", figures.trained}}},
          {"finish_reasons", {{"stop", figures.stopped}, {"length", figures.cut_off}}},
          {"words", bins_view(figures.words)},
          {"parent_words", parent_words}};
}

Json step_list(Reader& reader, RoundId id) {
  if (!find_round(reader, id)) not_found("round", id.value);
  Json list = Json::array();
  for (const TrainingStep& step : list_training_steps(reader, id)) {
    list.push_back({{"step", step.step}, {"metrics", step.metrics}});
  }
  return list;
}

void add_response_routes(Router& router, const ReadContext& context) {
  router.add("GET", "/api/v1/responses", Access::kViewer,
             [context](const Request& request) { return list_responses(context, request); });
  router.add("GET", "/api/v1/responses/{id}", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<ResponseId>(request);
    const auto response = read_from(context, [&](Reader& reader) { return find_browsed_response(reader, id); });
    if (!response) not_found("response", id.value);
    return json_reply(response_view(*response));
  });
  router.add("GET", "/api/v1/judgments", Access::kViewer,
             [context](const Request& request) { return list_judgments_page(context, request); });
  router.add("GET", "/api/v1/judgments/{id}", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<JudgmentId>(request);
    const auto judgment = read_from(context, [&](Reader& reader) { return find_browsed_judgment(reader, id); });
    if (!judgment) not_found("judgment", id.value);
    return json_reply(judgment_details_view(*judgment));
  });
  router.add("GET", "/api/v1/annotators", Access::kViewer, [context](const Request& request) {
    const auto run = query_id<RunId>(request, "run");
    return json_reply(
        {{"annotators", read_from(context, [&](Reader& reader) { return annotator_list(reader, run); })}});
  });
  router.add("GET", "/api/v1/annotators/{id}", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<AnnotatorId>(request);
    return json_reply(read_from(context, [&](Reader& reader) { return one_annotator(reader, id); }));
  });
}

void add_figure_routes(Router& router, const ReadContext& context) {
  router.add("GET", "/api/v1/rounds/{id}/summary", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<RoundId>(request);
    return json_reply(read_from(context, [&](Reader& reader) { return round_details(reader, id, context); }));
  });
  router.add("GET", "/api/v1/rounds/{id}/steps", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<RoundId>(request);
    return json_reply({{"steps", read_from(context, [&](Reader& reader) { return step_list(reader, id); })}});
  });
  router.add("GET", "/api/v1/evaluations", Access::kViewer,
             [context](const Request& request) { return list_evaluations_page(context, request); });
  router.add("GET", "/api/v1/evaluations/{id}", Access::kViewer, [context](const Request& request) {
    const auto id = path_id<EvaluationId>(request);
    return json_reply(read_from(context, [&](Reader& reader) {
      const auto evaluation = find_evaluation(reader, id);
      if (!evaluation) not_found("evaluation", id.value);
      return evaluation_view(reader, *evaluation);
    }));
  });
}

}  // namespace

void add_browse_routes(Router& router, const ReadContext& context) {
  add_response_routes(router, context);
  add_figure_routes(router, context);
  router.add("GET", "/api/v1/rounds", Access::kViewer,
             [context](const Request& request) { return list_rounds_page(context, request); });
  router.add("GET", "/api/v1/instructions", Access::kViewer,
             [context](const Request& request) { return list_instructions_page(context, request); });
}

}  // namespace cutd
