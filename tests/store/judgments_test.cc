#include "store/judgments.h"

#include "core/hash.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

class JudgmentsTest : public StoreTest {
 protected:
  JudgmentsTest() {
    import(Split::kTrain, {"a", "b", "c"});
    round_ = new_round(new_run());
    units_ = plan(round_, Split::kTrain, {{"a", "b"}, {"c"}});
    editor_ = annotator();
  }
  std::int64_t request() {
    return write([&](Writer& writer) { return request_judgments(writer, round_, editor_); });
  }
  std::vector<PendingJudgment> pending(std::int64_t limit = -1) {
    return read([&](Reader& reader) { return list_pending_judgments(reader, round_, editor_, limit); });
  }
  void settle(JudgmentId id, JudgmentResult result) {
    write([&](Writer& writer) { settle_judgment(writer, id, result); });
  }
  void fail(JudgmentId id) {
    write([&](Writer& writer) { fail_judgment(writer, id, "unusable: empty", "raw bytes"); });
  }
  JudgmentCounts counts() {
    return read([&](Reader& reader) { return count_judgments(reader, round_, editor_); });
  }
  std::string freeze(const std::vector<JudgmentId>& judgments) {
    return error_of(ErrorCode::kConflict, [&] {
      write([&](Writer& writer) { freeze_manifest(writer, {round_, kHash, "m.jsonl", judgments}); });
    });
  }

  RoundId round_;
  std::vector<UnitId> units_;
  AnnotatorId editor_;
};

const JudgmentResult kPerfect{JudgmentLabel::kPositive, "Perfect.", "Perfect."};
const JudgmentResult kCriticised{JudgmentLabel::kNegative, "Too long.", " Too long.\n"};

TEST_F(JudgmentsTest, AnAnnotatorIsItsNameAndVersion) {
  const auto ensure = [&](const std::string& name, const std::string& version) {
    return write([&](Writer& writer) { return ensure_annotator(writer, {name, version, "rule", {{"k", 1}}}); });
  };
  const AnnotatorId first = ensure("critic", "v1");
  EXPECT_EQ(ensure("critic", "v1"), first);
  EXPECT_NE(ensure("critic", "v2"), first);
  EXPECT_EQ(read([&](Reader& reader) { return find_annotator(reader, first); })->config.parse().at("k"), 1);
}

TEST_F(JudgmentsTest, AreAskedForOnceAsResponsesArrive) {
  EXPECT_EQ(request(), 0);
  answer(units_[0]);
  EXPECT_EQ(request(), 2);
  EXPECT_EQ(request(), 0);
  answer(units_[1]);
  EXPECT_EQ(request(), 1);
  EXPECT_EQ(pending().size(), 3u);
  EXPECT_EQ(pending(2).size(), 2u);
  EXPECT_EQ(pending()[2].instruction.text, "c");
  EXPECT_THAT(pending()[2].response.text, HasSubstr("answer"));
}

TEST_F(JudgmentsTest, AreSettledOnce) {
  answer(units_[0]);
  request();
  const JudgmentId id = pending()[0].id;
  write([&](Writer& writer) { begin_judgment_attempt(writer, id); });
  settle(id, kCriticised);
  error_of(ErrorCode::kConflict, [&] { settle(id, kPerfect); });
  error_of(ErrorCode::kConflict, [&] { fail(id); });
  error_of(ErrorCode::kConflict, [&] { write([&](Writer& writer) { begin_judgment_attempt(writer, id); }); });
  const Judgment kept = read([&](Reader& reader) { return list_judgments(reader, round_, editor_); }).at(0);
  EXPECT_EQ(kept.label, JudgmentLabel::kNegative);
  EXPECT_EQ(kept.text, "Too long.");
  EXPECT_EQ(kept.raw, " Too long.\n");
  EXPECT_EQ(kept.hash, judgment_hash("Too long."));
  EXPECT_EQ(kept.attempts, 1);
  EXPECT_TRUE(kept.validated);
}

TEST_F(JudgmentsTest, AFailureIsAStateAndNeverALabel) {
  answer(units_[0]);
  request();
  const JudgmentId id = pending()[0].id;
  fail(id);
  const Judgment kept = read([&](Reader& reader) { return list_judgments(reader, round_, editor_); }).at(0);
  EXPECT_EQ(kept.state, JudgmentState::kFailed);
  EXPECT_EQ(kept.label, std::nullopt);
  EXPECT_EQ(kept.raw, "raw bytes");
  EXPECT_EQ(kept.failure, "unusable: empty");
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE judgment SET label = 'positive' WHERE state = 'failed'"); });
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE judgment SET validated = 1 WHERE state = 'failed'"); });
}

TEST_F(JudgmentsTest, CountsOnlyValidatedOnesAsDone) {
  answer(units_[0]);
  answer(units_[1]);
  request();
  const auto all = pending();
  settle(all[0].id, kPerfect);
  JudgmentResult doubtful = kPerfect;
  doubtful.validated = false;
  settle(all[1].id, doubtful);
  EXPECT_EQ(counts().done, 1);
  EXPECT_EQ(counts().failed, 1);
  EXPECT_EQ(counts().pending, 1);
  fail(all[2].id);
  EXPECT_EQ(counts().failed, 2);
  EXPECT_EQ(counts().failure, "unusable: empty");
}

TEST_F(JudgmentsTest, AskAgainAboutFailedOnesOnly) {
  answer(units_[0]);
  request();
  const auto all = pending();
  settle(all[0].id, kPerfect);
  fail(all[1].id);
  EXPECT_EQ(write([&](Writer& writer) { return retry_failed_judgments(writer, round_, editor_); }), 1);
  ASSERT_EQ(pending().size(), 1u);
  EXPECT_EQ(pending()[0].id, all[1].id);
}

TEST_F(JudgmentsTest, ListsThoseOfOneResponse) {
  const auto responses = answer(units_[0]);
  request();
  const AnnotatorId other = write([&](Writer& writer) {
    return ensure_annotator(writer, {"other", "v1", "rule", Json::object()});
  });
  write([&](Writer& writer) { request_judgments(writer, round_, other); });
  EXPECT_EQ(read([&](Reader& reader) { return list_judgments(reader, responses[0]); }).size(), 2u);
}

using ManifestsTest = JudgmentsTest;

TEST_F(ManifestsTest, FreezesValidatedJudgmentsInTheirOrder) {
  for (const UnitId unit : units_) answer(unit);
  std::vector<JudgmentId> ids;
  for (const Judgment& judgment : judge(round_)) ids.push_back(judgment.id);
  std::swap(ids[0], ids[2]);
  write([&](Writer& writer) { freeze_manifest(writer, {round_, kHash, "m.jsonl", ids}); });
  const FrozenManifest kept = read([&](Reader& reader) { return find_manifest(reader, round_); }).value();
  EXPECT_EQ(kept.positives, 2);
  EXPECT_EQ(kept.negatives, 1);
  EXPECT_EQ(read([&](Reader& reader) { return list_manifest_judgments(reader, kept.id); }), ids);
  EXPECT_THAT(freeze(ids), HasSubstr("already"));
}

TEST_F(ManifestsTest, TakeNothingThatIsNotAValidatedJudgmentOfTheirRound) {
  answer(units_[0]);
  request();
  const auto all = pending();
  fail(all[0].id);
  JudgmentResult doubtful = kPerfect;
  doubtful.validated = false;
  settle(all[1].id, doubtful);
  answer(units_[1]);
  request();
  const JudgmentId open = pending().at(0).id;
  for (const JudgmentId id : {all[0].id, all[1].id, open, JudgmentId{99}})
    EXPECT_THAT(freeze({id}), HasSubstr("no validated judgment"));

  const RoundId other = trained_round(new_run());
  const auto theirs = read([&](Reader& reader) { return list_judgments(reader, other, editor_); });
  EXPECT_THAT(freeze({theirs.at(0).id}), HasSubstr("no validated judgment"));
  EXPECT_FALSE(read([&](Reader& reader) { return find_manifest(reader, round_); }));
}

TEST_F(ManifestsTest, TheSchemaItselfRefusesWhatIsNotValidated) {
  const RoundId trained = trained_round(new_run());
  answer(units_[0]);
  request();
  const std::string values = "VALUES (1, 99, " + std::to_string(pending()[0].id.value) + ", 'train', 1)";
  error_of(ErrorCode::kConflict, [&] {
    execute("INSERT INTO manifest_entry (manifest_id, position, judgment_id, split, validated) " + values);
  });
  // A judgment that has entered a manifest stays what it was.
  error_of(ErrorCode::kConflict,
           [&] { execute("UPDATE judgment SET validated = 0 WHERE id IN (SELECT judgment_id FROM manifest_entry)"); });
  EXPECT_TRUE(read([&](Reader& reader) { return find_manifest(reader, trained); }));
}

}  // namespace
}  // namespace cutd
