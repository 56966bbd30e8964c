// Annotators, judgments and the frozen manifest made from them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/domain.h"
#include "store/store.h"
#include "store/units.h"

namespace cutd {

struct NewAnnotator {
  std::string name;
  std::string version;  // hash of guideline or prompt
  std::string kind;     // rule | llm | batch | webhook | human
  Json config;
};

// The annotator of that name and version, made when it is new. What the version does not depend on (price, limits) is
// as given last.
AnnotatorId ensure_annotator(Writer& writer, const NewAnnotator& annotator);
std::optional<Annotator> find_annotator(Reader& reader, AnnotatorId id);
std::vector<Annotator> list_annotators(Reader& reader);  // by id

// Asks `annotator` about every response of `owner` that it was not asked about yet: pending rows. Call it
// as often as you like; judging overlaps generation. Returns how many were added.
std::int64_t request_judgments(Writer& writer, UnitOwner owner, AnnotatorId annotator);

// The same for one response; harmless when it was asked for already.
void request_judgment(Writer& writer, ResponseId response, AnnotatorId annotator);

// A pending judgment with what the judge needs to see, the instruction's reference among it.
struct PendingJudgment {
  JudgmentId id;
  Instruction instruction;
  Response response;
};
std::vector<PendingJudgment> list_pending_judgments(Reader& reader, UnitOwner owner, AnnotatorId annotator,
                                                    std::int64_t limit = -1);  // by id

struct JudgmentCounts {
  std::int64_t pending = 0;
  std::int64_t done = 0;    // and validated
  std::int64_t failed = 0;  // or not validated: no label either way
  std::string failure;      // why one of them failed, as an example; empty when none did
};
JudgmentCounts count_judgments(Reader& reader, UnitOwner owner, AnnotatorId annotator);

bool is_pending(Reader& reader, JudgmentId judgment);
std::int64_t count_pending(Reader& reader, AnnotatorId annotator);                // of all owners
std::vector<AnnotatorId> list_annotators_with_pending_judgments(Reader& reader);  // by id

// Counts a try, before it is made.
void begin_judgment_attempt(Writer& writer, JudgmentId judgment);

struct JudgmentResult {
  JudgmentLabel label = JudgmentLabel::kNegative;
  std::string text;
  std::string raw;
  bool validated = true;
};
// pending -> done and pending -> failed; Error(kConflict) when it is not pending any more. A failure keeps
// the raw reply, is never a label and can never enter a manifest.
void settle_judgment(Writer& writer, JudgmentId judgment, const JudgmentResult& result);
void fail_judgment(Writer& writer, JudgmentId judgment, const std::string& reason, const std::string& raw = "");
// failed -> pending, all of an owner's; returns how many.
std::int64_t retry_failed_judgments(Writer& writer, UnitOwner owner, AnnotatorId annotator);

std::vector<Judgment> list_judgments(Reader& reader, UnitOwner owner, AnnotatorId annotator);  // by response
std::vector<Judgment> list_judgments(Reader& reader, ResponseId response);                     // by id

struct NewManifest {
  RoundId round;
  std::string sha256;
  std::string path;                   // relative to the data folder
  std::vector<JudgmentId> judgments;  // in the order of the file's rows
};
// One per round. Every judgment must be validated and of a training response of this round; positives and
// negatives are counted from them. Error(kConflict) otherwise, or when the round has a manifest already.
ManifestId freeze_manifest(Writer& writer, const NewManifest& manifest);
std::optional<FrozenManifest> find_manifest(Reader& reader, RoundId round);
std::vector<JudgmentId> list_manifest_judgments(Reader& reader, ManifestId manifest);  // in file order

}  // namespace cutd
