#include "round/quorum.h"

#include <functional>
#include <map>

#include "core/error.h"
#include "core/hash.h"
#include "round/frozen_run.h"
#include "store/evaluations.h"
#include "store/rounds.h"
#include "store/runs.h"

namespace cutd {
namespace {

constexpr const char* kQuorum = "quorum";

NewAnnotator new_annotator(const AnnotatorConfig& config) {
  return {config.name, annotator_version(config), config.kind, annotator_json(config)};
}

Json policy_json(const QuorumPolicy& policy) {
  return Json{{"rule", policy.rule}, {"agreement", policy.agreement}, {"min_votes", policy.min_votes}};
}

using Votes = std::map<ResponseId, Judgment>;

std::vector<Votes> read_votes(Reader& reader, UnitOwner owner, const Quorum& quorum) {
  std::vector<Votes> votes;
  for (const AnnotatorId member : quorum.members) {
    Votes& own = votes.emplace_back();
    for (Judgment& judgment : list_judgments(reader, owner, member))
      own.emplace(judgment.response, std::move(judgment));
  }
  return votes;
}

Vote vote_of(const Votes& votes, ResponseId response) {
  const auto found = votes.find(response);
  if (found == votes.end()) return Vote::kNotAsked;
  const Judgment& judgment = found->second;
  if (judgment.state == JudgmentState::kPending) return Vote::kPending;
  if (judgment.state == JudgmentState::kFailed || !judgment.validated) return Vote::kFailed;
  return judgment.label == JudgmentLabel::kPositive ? Vote::kPerfect : Vote::kCriticised;
}

const char* vote_name(Vote vote) {
  switch (vote) {
    case Vote::kNotAsked: return "not_asked";
    case Vote::kPending: return "pending";
    case Vote::kPerfect: return "positive";
    case Vote::kCriticised: return "negative";
    case Vote::kFailed: return "failed";
  }
  return "failed";
}

using Move = std::function<void(Writer&)>;

// What the quorum's judgment keeps as its raw reply: whose word it is, and what the others said.
std::string lineage(const Quorum& quorum, const std::vector<Vote>& votes, const Judgment& standing) {
  Json said = Json::array();
  for (std::size_t i = 0; i < votes.size(); ++i)
    said.push_back({{"annotator", quorum.names[i]}, {"vote", vote_name(votes[i])}});
  return to_json_text(Json{{"judgment", standing.id.value}, {"votes", said}});
}

std::optional<Move> next_move(const Quorum& quorum, const std::vector<Votes>& members, const Judgment& waiting) {
  std::vector<Vote> votes;
  votes.reserve(members.size());
  for (const Votes& member : members) votes.push_back(vote_of(member, waiting.response));
  const Resolution resolution = resolve(votes, quorum.policy);
  switch (resolution.kind) {
    case Resolution::Kind::kWait: return std::nullopt;
    case Resolution::Kind::kAsk: {
      std::vector<AnnotatorId> asked;
      for (const std::size_t member : resolution.ask) asked.push_back(quorum.members[member]);
      return [asked, response = waiting.response](Writer& writer) {
        for (const AnnotatorId annotator : asked) request_judgment(writer, response, annotator);
      };
    }
    case Resolution::Kind::kPeople:
      return [id = waiting.id, reason = "people: " + resolution.reason](Writer& writer) {
        fail_judgment(writer, id, reason);
      };
    case Resolution::Kind::kLabel: break;
  }
  const Judgment& standing = members[resolution.member].at(waiting.response);
  const JudgmentLabel label = resolution.perfect ? JudgmentLabel::kPositive : JudgmentLabel::kNegative;
  const JudgmentResult result{label, standing.text, lineage(quorum, votes, standing), true};
  return [id = waiting.id, result](Writer& writer) { settle_judgment(writer, id, result); };
}

std::vector<Move> moves_of(Reader& reader, UnitOwner owner, AnnotatorId annotator) {
  std::vector<Move> moves;
  const std::optional<Quorum> quorum = find_quorum(reader, annotator);
  if (!quorum || count_judgments(reader, owner, annotator).pending == 0) return moves;
  const std::vector<Votes> votes = read_votes(reader, owner, *quorum);
  for (const Judgment& judgment : list_judgments(reader, owner, annotator)) {
    if (judgment.state != JudgmentState::kPending) continue;
    if (auto move = next_move(*quorum, votes, judgment)) moves.push_back(std::move(*move));
  }
  return moves;
}

std::vector<Move> all_moves(Reader& reader) {
  std::vector<std::pair<UnitOwner, AnnotatorId>> owners;
  for (const Round& round : list_open_rounds(reader)) {
    const std::optional<Run> run = is_active(round.phase) ? find_run(reader, round.run) : std::nullopt;
    if (run) owners.emplace_back(round.id, frozen_annotator(*run));
  }
  for (const Evaluation& evaluation : list_evaluations(reader)) {
    if (evaluation.state == EvaluationState::kOpen) owners.emplace_back(evaluation.id, evaluation.key.annotator);
  }
  std::vector<Move> moves;
  for (const auto& [owner, annotator] : owners) {
    for (Move& move : moves_of(reader, owner, annotator)) moves.push_back(std::move(move));
  }
  return moves;
}

}  // namespace

AnnotatorId ensure_annotators(Writer& writer, const RunConfig& config) {
  if (config.annotators.size() == 1) return ensure_annotator(writer, new_annotator(config.annotator()));
  Json identity = policy_json(config.quorum);
  Json stored = identity;
  for (std::size_t i = 0; i < config.annotators.size(); ++i) {
    const NewAnnotator member = new_annotator(config.annotators[i]);
    Json row{{"name", member.name},
             {"version", member.version},
             {"weight", config.quorum.members[i].weight},
             {"referee", config.quorum.members[i].referee}};
    identity["members"].push_back(row);
    row["annotator"] = ensure_annotator(writer, member).value;
    stored["members"].push_back(std::move(row));
  }
  const std::string version = std::string(kQuorum) + "/" + sha256_hex(to_json_text(identity)).substr(0, 16);
  return ensure_annotator(writer, {kQuorum, version, kQuorum, stored});
}

std::optional<Quorum> find_quorum(Reader& reader, AnnotatorId id) {
  const std::optional<Annotator> annotator = find_annotator(reader, id);
  if (!annotator || annotator->kind != kQuorum) return std::nullopt;
  const std::string origin = "annotator " + std::to_string(id.value);
  const Json config = annotator->config.parse();
  Quorum quorum;
  quorum.policy.rule = json_get<std::string>(config, "rule", origin);
  quorum.policy.agreement = json_get<double>(config, "agreement", origin);
  quorum.policy.min_votes = json_get<std::int64_t>(config, "min_votes", origin);
  for (const Json& row : json_get<Json>(config, "members", origin)) {
    quorum.policy.members.push_back({json_get<double>(row, "weight", origin), json_get<bool>(row, "referee", origin)});
    quorum.members.push_back(AnnotatorId{json_get<std::int64_t>(row, "annotator", origin)});
    quorum.names.push_back(json_get<std::string>(row, "name", origin));
  }
  return quorum;
}

std::vector<AnnotatorId> working_annotators(Reader& reader, AnnotatorId annotator) {
  const std::optional<Quorum> quorum = find_quorum(reader, annotator);
  return quorum ? quorum->members : std::vector<AnnotatorId>{annotator};
}

std::int64_t resolve_quorums(Store& store) {
  const std::vector<Move> moves = store.read([](Reader& reader) { return all_moves(reader); });
  if (moves.empty()) return 0;
  store.write([&](Writer& writer) {
    for (const Move& move : moves) move(writer);
  });
  return static_cast<std::int64_t>(moves.size());
}

std::vector<AnnotatorAgreement> read_agreements(Reader& reader, UnitOwner owner, AnnotatorId annotator) {
  const std::optional<Quorum> quorum = find_quorum(reader, annotator);
  if (!quorum) return {};
  const std::vector<Votes> votes = read_votes(reader, owner, *quorum);
  const auto judged = [](Vote vote) { return vote == Vote::kPerfect || vote == Vote::kCriticised; };
  std::vector<AnnotatorAgreement> agreements;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    for (std::size_t k = i + 1; k < votes.size(); ++k) {
      std::vector<VerdictPair> pairs;
      for (const auto& [response, judgment] : votes[i]) {
        const Vote first = vote_of(votes[i], response), second = vote_of(votes[k], response);
        if (judged(first) && judged(second)) pairs.push_back({first == Vote::kPerfect, second == Vote::kPerfect});
      }
      if (!pairs.empty()) agreements.push_back(measure_agreement(quorum->names[i], quorum->names[k], pairs));
    }
  }
  return agreements;
}

}  // namespace cutd
