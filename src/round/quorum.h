// Several annotators for each response (evaluation/quorum.h), as an annotator of its own: a row of kind quorum whose
// configuration names its members. Its judgments wait like any other's; they are settled from those of its members by
// resolve(), or fail "people: REASON". So everything that reads judgments reads the quorum's, and what each member said
// stays beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/judging_health.h"
#include "evaluation/quorum.h"
#include "round/run_config.h"
#include "store/judgments.h"
#include "store/store.h"

namespace cutd {

struct Quorum {
  QuorumPolicy policy;
  std::vector<AnnotatorId> members;  // as policy.members
  std::vector<std::string> names;
};

// The rows of a run's annotators: the one there is, or the quorum over all of them.
AnnotatorId ensure_annotators(Writer& writer, const RunConfig& config);

// nullopt: `annotator` judges by itself.
std::optional<Quorum> find_quorum(Reader& reader, AnnotatorId annotator);

// Who works when `annotator` is asked: its members, or itself.
std::vector<AnnotatorId> working_annotators(Reader& reader, AnnotatorId annotator);

// Takes every waiting judgment of quorums a step on: asks members, settles, or gives up. Returns how many were moved;
// as often as you like, from one thread alone, beside the members' judges. A crash between two steps loses nothing: the
// votes decide again.
std::int64_t resolve_quorums(Store& store);

// How far each pair of members that judged the same responses of `owner` agrees; empty for a single annotator.
std::vector<AnnotatorAgreement> read_agreements(Reader& reader, UnitOwner owner, AnnotatorId annotator);

}  // namespace cutd
