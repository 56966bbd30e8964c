#include "store/browse.h"

#include <algorithm>

#include "store/rows.h"

namespace cutd {
namespace {

using store_rows::named;
using store_rows::optional_id;

// Every page query takes the same parameters, whichever index leads it:
// ?1 before, ?2 limit, ?3 split, ?4 label, ?5 state, ?6 annotator, ?7 round, ?8 evaluation, ?9 instruction, ?10 search,
// ?11 before_judgment.
constexpr const char* kFilter =
    "(?3 IS NULL OR response.split = ?3) AND (?7 IS NULL OR unit.round_id = ?7) "
    "AND (?8 IS NULL OR unit.evaluation_id = ?8) AND (?9 IS NULL OR sample.instruction_id = ?9) ";

constexpr const char* kResponseFilter =
    "AND response.id < ?1 AND ((?4 IS NULL AND ?5 IS NULL AND ?6 IS NULL) OR EXISTS (SELECT 1 FROM judgment AS judged "
    "WHERE judged.response_id = response.id AND (?4 IS NULL OR judged.label = ?4) "
    "AND (?5 IS NULL OR judged.state = ?5) AND (?6 IS NULL OR judged.annotator_id = ?6))) AND ?11 IS NOT NULL ";

constexpr const char* kJudgmentFilter =
    "AND (?4 IS NULL OR judgment.label = ?4) AND (?5 IS NULL OR judgment.state = ?5) "
    "AND (?6 IS NULL OR judgment.annotator_id = ?6) AND ?1 IS NOT NULL ";

// The table and index that a page is read by. CROSS JOIN keeps SQLite to that order.
struct Lead {
  const char* table = "";
  const char* condition = "";
  enum class Kind { kResponse, kUnit, kSample, kJudgment, kSearch } kind = Kind::kResponse;
};

Lead lead_of(const BrowseFilter& filter) {
  using Kind = Lead::Kind;
  if (filter.instruction)
    return {"sample INDEXED BY sample_by_instruction ", "sample.instruction_id = ?9 AND ", Kind::kSample};
  if (!filter.search.empty()) return {"", "", Kind::kSearch};
  if (filter.round) return {"unit ", "unit.round_id = ?7 AND ", Kind::kUnit};
  if (filter.evaluation) return {"unit ", "unit.evaluation_id = ?8 AND ", Kind::kUnit};
  if (filter.state && *filter.state != JudgmentState::kDone) {
    return {"judgment INDEXED BY judgment_unsettled ",
            "judgment.state = ?5 AND judgment.state <> 'done' AND judgment.response_id <= ?1 AND ", Kind::kJudgment};
  }
  if (filter.annotator) {
    return {"judgment INDEXED BY judgment_by_annotator ",
            "judgment.annotator_id = ?6 AND judgment.response_id <= ?1 AND ", Kind::kJudgment};
  }
  if (filter.label) {
    return {"judgment INDEXED BY judgment_by_label ",
            "judgment.label = ?4 AND judgment.label IS NOT NULL AND judgment.response_id <= ?1 AND ", Kind::kJudgment};
  }
  return {"response ", "", Kind::kResponse};
}

constexpr const char* kUnitOfResponse =
    "CROSS JOIN sample ON sample.id = response.sample_id CROSS JOIN unit ON unit.id = sample.unit_id ";

// From the lead to response, sample and unit.
std::string joined(const Lead& lead) {
  switch (lead.kind) {
    case Lead::Kind::kUnit:
      return std::string(lead.table) +
             "CROSS JOIN sample ON sample.unit_id = unit.id CROSS JOIN response ON response.sample_id = sample.id ";
    case Lead::Kind::kSample:
      return std::string(lead.table) +
             "CROSS JOIN unit ON unit.id = sample.unit_id CROSS JOIN response ON response.sample_id = sample.id ";
    case Lead::Kind::kJudgment:
      return std::string(lead.table) + "CROSS JOIN response ON response.id = judgment.response_id " + kUnitOfResponse;
    case Lead::Kind::kResponse:
    case Lead::Kind::kSearch: break;
  }
  return std::string(lead.table) + kUnitOfResponse;
}

// The words of a search lead, from the newest row back until the page is full. Rows of a round or an evaluation follow
// one another, so the index need not be read from its end to find them.
std::string within_owner(const BrowseFilter& filter, const char* rowid, const char* id, const char* judgment) {
  if (!filter.round && !filter.evaluation) return "";
  // SQL of fragments
  const std::string of_owner = std::string(
                                   " FROM unit JOIN sample ON sample.unit_id = unit.id JOIN response ON "
                                   "response.sample_id = sample.id ") +
                               judgment +
                               (filter.round ? "WHERE unit.round_id = ?7) " : "WHERE unit.evaluation_id = ?8) ");
  // SQL of fragments
  return std::string(rowid) + " >= (SELECT min(" + id + ")" + of_owner + "AND " + rowid + " <= (SELECT max(" + id +
         ")" + of_owner + "AND ";
}

std::string searched_responses_sql(const BrowseFilter& filter) {
  // SQL of fragments
  return std::string(
             "SELECT response.id FROM response_search CROSS JOIN response ON response.id = "
             "response_search.rowid ") +
         kUnitOfResponse + "WHERE response_search.response_search MATCH ?10 AND response_search.rowid < ?1 AND " +
         within_owner(filter, "response_search.rowid", "response.id", "") + kFilter + kResponseFilter +
         "ORDER BY response_search.rowid DESC LIMIT ?2";
}

// By judgment, newest first: sorting all that was found by response would read every one.
std::string searched_judgments_sql(const BrowseFilter& filter) {
  // SQL of fragments
  return std::string(
             "SELECT judgment.id FROM judgment_search CROSS JOIN judgment ON judgment.id = "
             "judgment_search.rowid CROSS JOIN response ON response.id = judgment.response_id ") +
         kUnitOfResponse + "WHERE judgment_search.judgment_search MATCH ?10 AND judgment_search.rowid < ?11 AND " +
         within_owner(filter, "judgment_search.rowid", "judgment.id",
                      "JOIN judgment ON judgment.response_id = response.id ") +
         kFilter + kJudgmentFilter + "ORDER BY judgment_search.rowid DESC LIMIT ?2";
}

// Named as the lead has it: only then does SQLite see that the rows already come in this order.
const char* response_of(const Lead& lead) {
  return lead.kind == Lead::Kind::kJudgment ? "judgment.response_id" : "response.id";
}

std::string responses_sql(const BrowseFilter& filter) {
  const Lead lead = lead_of(filter);
  if (lead.kind == Lead::Kind::kSearch) return searched_responses_sql(filter);
  const std::string id = response_of(lead);
  // SQL of fragments
  return "SELECT response.id FROM " + joined(lead) + "WHERE " + lead.condition + kFilter + kResponseFilter +
         "AND (?10 IS NULL OR response.id IN (SELECT rowid FROM response_search WHERE response_search MATCH ?10)) "
         "GROUP BY " +
         id + " ORDER BY " + id + " DESC LIMIT ?2";
}

std::string judgments_sql(const BrowseFilter& filter) {
  const Lead lead = lead_of(filter);
  if (lead.kind == Lead::Kind::kSearch) return searched_judgments_sql(filter);
  const bool led = lead.kind == Lead::Kind::kJudgment;
  // SQL of fragments
  return "SELECT judgment.id FROM " + joined(lead) +
         (led ? "" : "CROSS JOIN judgment ON judgment.response_id = response.id ") + "WHERE " + lead.condition +
         kFilter + kJudgmentFilter +
         "AND response.id <= ?1 AND (judgment.response_id < ?1 OR judgment.id < ?11) "
         "AND (?10 IS NULL OR judgment.id IN (SELECT rowid FROM judgment_search WHERE judgment_search MATCH ?10)) "
         "ORDER BY " +
         response_of(lead) + " DESC, judgment.id DESC LIMIT ?2";
}

template <typename Enum>
std::optional<std::string> name_or_null(const std::optional<Enum>& value) {
  return value ? std::optional<std::string>(name_of(*value)) : std::nullopt;
}

// The tokenizer may cut what we took for one word (a dash of another script): a phrase, which the index cannot tell.
template <typename Query>
auto searched(const std::optional<std::string>& search, const Query& query) {
  try {
    return query();
  } catch (const SqliteError& error) {
    if (!search || error.fatal()) throw;
    throw Error(ErrorCode::kBadInput, "search: separate the words by spaces");
  }
}

template <typename AnyId>
std::vector<AnyId> page_of(Reader& reader, const std::string& sql, const BrowseFilter& filter, const PageQuery& page) {
  const auto search = search_query(filter.search);
  if (!filter.search.empty() && !search) return {};  // it has no word in it
  return searched(search, [&] {
    return reader.database().all(
        sql, [](Statement& row) { return AnyId{row.integer(0)}; }, page.before, page.limit, name_or_null(filter.split),
        name_or_null(filter.label), name_or_null(filter.state), filter.annotator, filter.round, filter.evaluation,
        filter.instruction, search, page.before_judgment);
  });
}

// A run's rounds follow one another, so their responses do: newest round first until the page is full.
template <typename AnyId>
std::vector<AnyId> page_of_run(Reader& reader, std::string (*sql)(const BrowseFilter&), const BrowseFilter& filter,
                               const PageQuery& page) {
  if (!filter.run || filter.round) return page_of<AnyId>(reader, sql(filter), filter, page);
  const std::vector<std::int64_t> rounds = reader.database().all(
      "SELECT id FROM round WHERE run_id = ?1 AND id <= coalesce((SELECT unit.round_id FROM response "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id WHERE response.id = ?2 "
      "AND unit.round_id IN (SELECT id FROM round WHERE run_id = ?1)), 9223372036854775807) ORDER BY id DESC",
      [](Statement& row) { return row.integer(0); }, *filter.run, page.before);
  std::vector<AnyId> ids;
  BrowseFilter of_round = filter;
  PageQuery rest = page;
  for (const std::int64_t round : rounds) {
    of_round.round = RoundId{round};
    const std::vector<AnyId> more = page_of<AnyId>(reader, sql(of_round), of_round, rest);
    ids.insert(ids.end(), more.begin(), more.end());
    rest.limit = page.limit - static_cast<std::int64_t>(ids.size());
    if (rest.limit <= 0) break;
  }
  return ids;
}

Belongs belongs_of(Statement& row, int first) {
  return {optional_id<RunId>(row, first), optional_id<RoundId>(row, first + 1), row.optional_integer(first + 2),
          optional_id<EvaluationId>(row, first + 3)};
}

BrowsedJudgment browsed_judgment_of(Statement& row) {
  BrowsedJudgment found;
  found.judgment.id = JudgmentId{row.integer(0)};
  found.judgment.response = ResponseId{row.integer(1)};
  found.judgment.annotator = AnnotatorId{row.integer(2)};
  found.judgment.split = named<Split>(row, 3);
  found.judgment.state = named<JudgmentState>(row, 4);
  if (!row.is_null(5)) found.judgment.label = named<JudgmentLabel>(row, 5);
  found.judgment.hash = row.text(6);
  found.judgment.text = row.text(7);
  found.judgment.validated = row.integer(8) != 0;
  found.judgment.failure = row.text(9);
  found.judgment.attempts = row.integer(10);
  found.annotator_name = row.text(11);
  found.created_at = row.integer(12);
  found.settled_at = row.optional_integer(13);
  return found;
}

constexpr const char* kJudgmentColumns =
    "SELECT judgment.id, judgment.response_id, judgment.annotator_id, judgment.split, judgment.state, judgment.label, "
    "judgment.hash, judgment.text, judgment.validated, judgment.failure, judgment.attempts, annotator.name, "
    "judgment.created_at, judgment.settled_at";

Round listed_round(Statement& row) {
  Round round;
  round.id = RoundId{row.integer(0)};
  round.run = RunId{row.integer(1)};
  round.number = row.integer(2);
  round.phase = named<Phase>(row, 3);
  if (!row.is_null(4)) round.outcome = named<Outcome>(row, 4);
  round.reason = row.text(5);
  round.retries = row.integer(6);
  round.parent = optional_id<AdapterId>(row, 7);
  round.created_at = row.integer(8);
  round.updated_at = row.integer(9);
  return round;
}

bool is_word_byte(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         static_cast<unsigned char>(byte) >= 0x80;
}

}  // namespace

std::optional<std::string> search_query(const std::string& text) {
  std::string query;
  for (std::size_t at = 0; at < text.size();) {
    const auto begin = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_word_byte);
    const auto end = std::find_if_not(begin, text.end(), is_word_byte);
    if (begin != end) query += (query.empty() ? "\"" : " \"") + std::string(begin, end) + "\"";
    at = static_cast<std::size_t>(end - text.begin());
  }
  if (query.empty()) return std::nullopt;
  if (is_word_byte(text.back())) query += "*";
  return query;
}

std::vector<BrowsedResponse> browse_responses(Reader& reader, const BrowseFilter& filter, const PageQuery& page) {
  std::vector<BrowsedResponse> responses;
  for (const ResponseId id : page_of_run<ResponseId>(reader, responses_sql, filter, page)) {
    responses.push_back(*find_browsed_response(reader, id));
  }
  return responses;
}

std::optional<BrowsedResponse> find_browsed_response(Reader& reader, ResponseId id) {
  auto response = reader.database().first(
      "SELECT instruction.id, instruction.hash, instruction.text, instruction.input, instruction.split, "
      "instruction.source, response.id, response.split, response.text, response.finish_reason, response.model_hash, "
      "round.run_id, unit.round_id, round.number, unit.evaluation_id FROM response "
      "JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id "
      "JOIN instruction ON instruction.id = sample.instruction_id LEFT JOIN round ON round.id = unit.round_id "
      "WHERE response.id = ?",
      [](Statement& row) {
        BrowsedResponse found;
        found.instruction = store_rows::instruction_of(row);
        found.id = ResponseId{row.integer(6)};
        found.split = named<Split>(row, 7);
        found.text = row.text(8);
        found.finish_reason = row.text(9);
        found.model_hash = row.text(10);
        found.belongs = belongs_of(row, 11);
        return found;
      },
      id);
  if (!response) return std::nullopt;
  response->judgments = reader.database().all(std::string(kJudgmentColumns) +
                                                  " FROM judgment JOIN annotator ON annotator.id = "
                                                  "judgment.annotator_id WHERE response_id = ? ORDER BY judgment.id",
                                              browsed_judgment_of, id);
  return response;
}

std::vector<BrowsedJudgmentRow> browse_judgments(Reader& reader, const BrowseFilter& filter, const PageQuery& page) {
  std::vector<BrowsedJudgmentRow> judgments;
  for (const JudgmentId id : page_of_run<JudgmentId>(reader, judgments_sql, filter, page)) {
    judgments.push_back(*find_browsed_judgment(reader, id));
  }
  return judgments;
}

std::optional<BrowsedJudgmentRow> find_browsed_judgment(Reader& reader, JudgmentId id) {
  return reader.database().first(
      std::string(kJudgmentColumns) +
          ", judgment.raw, response.text, round.run_id, unit.round_id, round.number, unit.evaluation_id, "
          "instruction.id, instruction.hash, instruction.text, instruction.input, instruction.split, "
          "instruction.source FROM judgment JOIN annotator ON annotator.id = judgment.annotator_id "
          "JOIN response ON response.id = judgment.response_id JOIN sample ON sample.id = response.sample_id "
          "JOIN unit ON unit.id = sample.unit_id JOIN instruction ON instruction.id = sample.instruction_id "
          "LEFT JOIN round ON round.id = unit.round_id WHERE judgment.id = ?",
      [](Statement& row) {
        BrowsedJudgmentRow found;
        found.judgment = browsed_judgment_of(row);
        found.judgment.judgment.raw = row.text(14);
        found.response_text = row.text(15);
        found.belongs = belongs_of(row, 16);
        found.instruction = store_rows::instruction_of(row, 20);
        return found;
      },
      id);
}

std::vector<Round> browse_rounds(Reader& reader, std::optional<RunId> run, std::optional<Phase> phase,
                                 const PageQuery& page) {
  const char* sql =
      run ? "SELECT id, run_id, number, phase, outcome, reason, retries, parent_adapter_id, created_at, updated_at "
            "FROM round WHERE run_id = ?1 AND id < ?2 AND (?3 IS NULL OR phase = ?3) ORDER BY id DESC LIMIT ?4"
          : "SELECT id, run_id, number, phase, outcome, reason, retries, parent_adapter_id, created_at, updated_at "
            "FROM round WHERE ?1 IS NULL AND id < ?2 AND (?3 IS NULL OR phase = ?3) ORDER BY id DESC LIMIT ?4";
  return reader.database().all(sql, listed_round, run, page.before, name_or_null(phase), page.limit);
}

std::vector<Instruction> browse_instructions(Reader& reader, std::optional<Split> split, const std::string& search,
                                             const PageQuery& page) {
  const auto query = search_query(search);
  if (!search.empty() && !query) return {};
  const char* sql = query ? "SELECT id, hash, text, instruction.input, split, source FROM instruction_search "
                            "CROSS JOIN instruction ON instruction.id = instruction_search.rowid "
                            "WHERE instruction_search.instruction_search MATCH ?1 AND instruction_search.rowid < ?2 "
                            "AND (?3 IS NULL OR split = ?3) ORDER BY instruction_search.rowid DESC LIMIT ?4"
                          : "SELECT id, hash, text, input, split, source FROM instruction WHERE ?1 IS NULL AND id < ?2 "
                            "AND (?3 IS NULL OR split = ?3) ORDER BY id DESC LIMIT ?4";
  return searched(query, [&] {
    return reader.database().all(
        sql, [](Statement& row) { return store_rows::instruction_of(row); }, query, page.before, name_or_null(split),
        page.limit);
  });
}

std::vector<Evaluation> browse_evaluations(Reader& reader, std::optional<Split> split,
                                           std::optional<EvaluationState> state, const PageQuery& page) {
  return reader.database().all(
      "SELECT id, model_hash, set_hash, annotator_id, decoding_hash, split, state, summary, created_at FROM evaluation "
      "WHERE id < ?1 AND (?2 IS NULL OR split = ?2) AND (?3 IS NULL OR state = ?3) ORDER BY id DESC LIMIT ?4",
      store_rows::evaluation_of, page.before, name_or_null(split), name_or_null(state), page.limit);
}

std::vector<RoundEvent> events_after(Reader& reader, std::optional<RoundId> round, std::int64_t after,
                                     std::int64_t limit) {
  return reader.database().all(
      "SELECT id, round_id, from_phase, to_phase, why, epoch, at FROM round_event WHERE id > ?1 "
      "AND (?2 IS NULL OR round_id = ?2) ORDER BY id LIMIT ?3",
      [](Statement& row) {
        RoundEvent event;
        event.id = row.integer(0);
        event.round = RoundId{row.integer(1)};
        if (!row.text(2).empty()) event.from = named<Phase>(row, 2);
        event.to = named<Phase>(row, 3);
        event.why = row.text(4);
        event.epoch = row.integer(5);
        event.at = row.integer(6);
        return event;
      },
      after, round, limit);
}

std::int64_t newest_event(Reader& reader) {
  return reader.database().integer("SELECT coalesce(max(id), 0) FROM round_event");
}

}  // namespace cutd
