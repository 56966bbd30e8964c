// Pages of responses, judgments, rounds, evaluations and instructions, filtered and searched, newest first. Every page
// is found by an index and reads about as many rows as it shows, however many there are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"

namespace cutd {

// What a page shows: rows with ids below `before`, at most `limit`.
struct PageQuery {
  std::int64_t before = INT64_MAX;
  std::int64_t before_judgment = INT64_MAX;  // judgments alone: among those of response `before`
  std::int64_t limit = 50;
};

struct BrowseFilter {
  std::optional<RunId> run;
  std::optional<RoundId> round;
  std::optional<EvaluationId> evaluation;
  std::optional<InstructionId> instruction;
  std::optional<AnnotatorId> annotator;
  std::optional<Split> split;
  std::optional<JudgmentState> state;
  std::optional<JudgmentLabel> label;
  std::string search;  // words that must all occur; the last may be a beginning
};

// Where a response belongs.
struct Belongs {
  std::optional<RunId> run;
  std::optional<RoundId> round;
  std::optional<std::int64_t> round_number;
  std::optional<EvaluationId> evaluation;
};

struct BrowsedJudgment {
  Judgment judgment;
  std::string annotator_name;
  std::int64_t created_at = 0;
  std::optional<std::int64_t> settled_at;
};

struct BrowsedResponse {
  ResponseId id;
  Split split = Split::kTrain;
  std::string text;
  std::string finish_reason;
  std::string model_hash;
  Instruction instruction;
  Belongs belongs;
  std::vector<BrowsedJudgment> judgments;  // by id; without raw replies
};

std::vector<BrowsedResponse> browse_responses(Reader& reader, const BrowseFilter& filter, const PageQuery& page);
std::optional<BrowsedResponse> find_browsed_response(Reader& reader, ResponseId id);

struct BrowsedJudgmentRow {
  BrowsedJudgment judgment;
  Instruction instruction;
  std::string response_text;
  Belongs belongs;
};

// By response, newest first, and within one by id; the page goes on before (response, judgment).
std::vector<BrowsedJudgmentRow> browse_judgments(Reader& reader, const BrowseFilter& filter, const PageQuery& page);
std::optional<BrowsedJudgmentRow> find_browsed_judgment(Reader& reader, JudgmentId id);  // with its raw reply

std::vector<Round> browse_rounds(Reader& reader, std::optional<RunId> run, std::optional<Phase> phase,
                                 const PageQuery& page);
std::vector<Instruction> browse_instructions(Reader& reader, std::optional<Split> split, const std::string& search,
                                             const PageQuery& page);
std::vector<Evaluation> browse_evaluations(Reader& reader, std::optional<Split> split,
                                           std::optional<EvaluationState> state, const PageQuery& page);

// Events of all rounds or of one, after event `after`, oldest first; and the newest one's id (0: none yet).
std::vector<RoundEvent> events_after(Reader& reader, std::optional<RoundId> round, std::int64_t after,
                                     std::int64_t limit);
std::int64_t newest_event(Reader& reader);

// `text` as a full-text query: each word quoted, so that nothing in it is an operator; none when it has no word.
std::optional<std::string> search_query(const std::string& text);

}  // namespace cutd
