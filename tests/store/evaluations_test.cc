#include "store/evaluations.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;

class EvaluationsTest : public StoreTest {
 protected:
  EvaluationsTest() {
    import(Split::kGate, {"a", "b"});
    key_ = {kHash, std::string(64, 'b'), annotator(), std::string(64, 'c')};
    id_ = ensure(key_);
    units_ = plan(id_, Split::kGate, {{"a"}, {"b"}});
  }
  EvaluationId ensure(const EvaluationKey& key, Split split = Split::kGate) {
    return write([&](Writer& writer) { return ensure_evaluation(writer, key, split); });
  }
  void finish(std::vector<EvaluationItem> items) {
    write([&](Writer& writer) { finish_evaluation(writer, id_, items, {{"score", 0.5}}); });
  }
  std::vector<EvaluationItem> judged_items() {
    for (const UnitId unit : units_) answer(unit);
    std::vector<EvaluationItem> items;
    for (const Judgment& judgment : judge(id_)) {
      const Response response = read([&](Reader& reader) { return find_response(reader, judgment.response); }).value();
      items.push_back(
          {response.instruction, response.id, judgment.id, judgment.label == JudgmentLabel::kPositive, {{"words", 3}}});
    }
    return items;
  }

  EvaluationKey key_;
  EvaluationId id_;
  std::vector<UnitId> units_;
};

TEST_F(EvaluationsTest, OfTheSameThingAreOne) {
  EXPECT_EQ(ensure(key_), id_);
  for (std::string EvaluationKey::*part :
       {&EvaluationKey::model_hash, &EvaluationKey::set_hash, &EvaluationKey::decoding_hash}) {
    EvaluationKey other = key_;
    other.*part = std::string(64, 'f');
    EXPECT_NE(ensure(other), id_);
  }
  EvaluationKey other = key_;
  other.annotator = write([](Writer& writer) {
    return ensure_annotator(writer, {"editor", "v2", "rule", Json::object()});
  });
  EXPECT_NE(ensure(other), id_);
  error_of(ErrorCode::kConflict, [&] { ensure(key_, Split::kReport); });
}

TEST_F(EvaluationsTest, AreFinishedWithItemsAndSummary) {
  const auto items = judged_items();
  finish(items);
  const Evaluation kept = read([&](Reader& reader) { return find_evaluation(reader, key_); }).value();
  EXPECT_EQ(kept.state, EvaluationState::kDone);
  EXPECT_EQ(kept.summary.at("score"), 0.5);
  const auto listed = read([&](Reader& reader) { return list_evaluation_items(reader, id_); });
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].instruction, instruction("a"));
  EXPECT_TRUE(listed[0].perfect);
  EXPECT_FALSE(listed[1].perfect);
  EXPECT_EQ(listed[0].measures.at("words"), 3);
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { finish(items); }), HasSubstr("done already"));
}

TEST_F(EvaluationsTest, AreNotFinishedWithAnOpenUnit) {
  answer(units_[0]);
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { finish({}); }), HasSubstr("open units"));
}

TEST_F(EvaluationsTest, TakeNoItemThatIsNotTheirs) {
  const auto items = judged_items();
  std::vector<EvaluationItem> wrong_label = items;
  wrong_label[0].perfect = !wrong_label[0].perfect;
  std::vector<EvaluationItem> wrong_response = items;
  wrong_response[0].response = wrong_response[1].response;
  std::vector<EvaluationItem> wrong_judgment = items;
  wrong_judgment[0].judgment = JudgmentId{99};
  for (const auto& wrong : {wrong_label, wrong_response, wrong_judgment}) {
    EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { finish(wrong); }), HasSubstr("does not belong"));
  }
  EXPECT_EQ(read([&](Reader& reader) { return find_evaluation(reader, id_); })->state, EvaluationState::kOpen);
}

TEST_F(EvaluationsTest, NeverHoldATrainingResponse) {
  const RoundId round = trained_round(new_run());
  const Judgment judgment = read([&](Reader& reader) { return list_judgments(reader, round, key_.annotator); }).at(0);
  judged_items();
  error_of(ErrorCode::kConflict, [&] {
    execute("INSERT INTO evaluation_item (evaluation_id, judgment_id, split, validated, measures) VALUES (1, " +
            std::to_string(judgment.id.value) + ", 'gate', 1, '{}')");
  });
}

}  // namespace
}  // namespace cutd
