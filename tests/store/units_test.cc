#include "store/units.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UnitsTest : public StoreTest {
 protected:
  UnitsTest() {
    import(Split::kTrain, {"a", "b", "c"});
    import(Split::kGate, {"g"});
    round_ = new_round(new_run());
  }
  static NewResponse response(std::int64_t id) {
    return {.ids = {id, 2},
            .text = "t",
            .finish_reason = "length",
            .model_hash = kHash,
            .template_version = "v",
            .logprob_sum = -0.5};
  }
  RoundId round_;
};

TEST_F(UnitsTest, KeepsTheirOrderAndPrompts) {
  const auto units = plan(round_, Split::kTrain, {{"b", "a"}, {"c"}});
  read([&](Reader& reader) {
    const auto listed = list_units(reader, round_);
    ASSERT_EQ(listed.size(), 2u);
    EXPECT_EQ(listed[1].number, 1);
    EXPECT_EQ(listed[0].round, round_);
    EXPECT_EQ(listed[0].state, UnitState::kOpen);
    EXPECT_EQ(listed[0].samples, 2);
    EXPECT_EQ(listed[1].samples, 1);
    const auto samples = list_samples(reader, units[0]);
    ASSERT_EQ(samples.size(), 2u);
    EXPECT_EQ(samples[0].instruction, instruction("b"));
    EXPECT_EQ(samples[1].position, 1);
    EXPECT_EQ(samples[0].seed, 7);
    EXPECT_THAT(samples[0].prompt_ids, ElementsAre(1, 2, 3));
  });
}

TEST_F(UnitsTest, SayWhichListOfIdsIsDamaged) {
  const auto units = plan(round_, Split::kTrain, {{"a"}});
  write([&](Writer& writer) { writer.database().run("PRAGMA ignore_check_constraints = ON"); });
  const auto stored = [&](const char* ids) {
    write([&](Writer& writer) { writer.database().run("UPDATE sample SET prompt_ids = ?", ids); });
    return read([&](Reader& reader) { return list_samples(reader, units[0])[0].prompt_ids; });
  };
  EXPECT_THAT(stored("[]"), IsEmpty());
  EXPECT_THAT(stored("[-7,9223372036854775807]"), ElementsAre(-7, std::numeric_limits<std::int64_t>::max()));
  for (const char* bad : {"", "[", "]", "[1", "[1,", "[1,]", "[1 2]", "[1]]", "1,2]", "[9223372036854775808]", "[x]"})
    EXPECT_THAT(error_of(ErrorCode::kInternal, [&] { stored(bad); }), HasSubstr("ids is damaged")) << bad;
}

TEST_F(UnitsTest, ArePlannedOnce) {
  plan(round_, Split::kTrain, {{"a"}});
  error_of(ErrorCode::kConflict, [&] { plan(round_, Split::kTrain, {{"b"}}); });
}

TEST_F(UnitsTest, NeverSampleAHeldOutInstructionForTraining) {
  EXPECT_THAT(error_of(ErrorCode::kConflict,
                       [&] {
                         plan(round_, Split::kTrain, {{"a"}, {"g"}});
                       }),
              HasSubstr("not in split train"));
  read([&](Reader& reader) { EXPECT_THAT(list_units(reader, round_), IsEmpty()); });
  // Past the query: the split that travels with the row does not fit the instruction's, or the round.
  const auto units = plan(round_, Split::kTrain, {{"a"}});
  error_of(ErrorCode::kConflict,
           [&] { execute("UPDATE sample SET instruction_id = (SELECT id FROM instruction WHERE split = 'gate')"); });
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE unit SET split = 'gate'"); });
  error_of(ErrorCode::kConflict, [&] { plan(new_round(new_run()), Split::kGate, {{"g"}}); });
}

TEST_F(UnitsTest, AreAnsweredWholeAndOnce) {
  const auto units = plan(round_, Split::kTrain, {{"a", "b"}, {"c"}});
  const std::vector<NewResponse> two = {response(5), response(6)};
  error_of(ErrorCode::kBadInput, [&] { write([&](Writer& writer) { commit_unit(writer, units[1], two); }); });
  read([&](Reader& reader) {
    EXPECT_EQ(list_open_units(reader, round_).size(), 2u) << "nothing of a refused answer stays";
  });
  write([&](Writer& writer) { commit_unit(writer, units[0], two); });
  error_of(ErrorCode::kConflict, [&] { write([&](Writer& writer) { commit_unit(writer, units[0], two); }); });
  read([&](Reader& reader) {
    const auto open = list_open_units(reader, round_);
    ASSERT_EQ(open.size(), 1u);
    EXPECT_EQ(open[0].id, units[1]);
  });
}

TEST_F(UnitsTest, KeepsResponsesAsTheyCame) {
  const auto units = plan(round_, Split::kTrain, {{"a"}});
  NewResponse odd = response(5);
  odd.text = std::string("a\0\xff'\"\n", 6);
  const auto ids = write([&](Writer& writer) { return commit_unit(writer, units[0], std::span(&odd, 1)); });
  const Response kept = read([&](Reader& reader) { return find_response(reader, ids.at(0)); }).value();
  EXPECT_EQ(kept.text, odd.text);
  EXPECT_THAT(kept.ids, ElementsAre(5, 2));
  EXPECT_EQ(kept.hash, response_hash(std::vector<std::int64_t>{5, 2}));
  EXPECT_EQ(kept.finish_reason, "length");
  EXPECT_EQ(kept.logprob_sum, -0.5);
  EXPECT_EQ(kept.base_logprob_sum, std::nullopt);
  EXPECT_EQ(kept.instruction, instruction("a"));
  EXPECT_EQ(kept.seed, 7);
}

TEST_F(UnitsTest, ListsResponsesByUnitAndPosition) {
  const auto units = plan(round_, Split::kTrain, {{"b", "a"}, {"c"}});
  answer(units[1]);
  answer(units[0]);
  std::vector<InstructionId> order;
  for (const Response& one : read([&](Reader& reader) { return list_responses(reader, round_); }))
    order.push_back(one.instruction);
  EXPECT_THAT(order, ElementsAre(instruction("b"), instruction("a"), instruction("c")));
}

TEST_F(UnitsTest, RecordsBaseLogprobsOfResponsesThatAreThere) {
  const auto units = plan(round_, Split::kTrain, {{"a"}});
  const BaseLogprob known{answer(units[0]).at(0), -2.5};
  write([&](Writer& writer) { record_base_logprobs(writer, std::span(&known, 1)); });
  EXPECT_EQ(read([&](Reader& reader) { return find_response(reader, known.response); })->base_logprob_sum, -2.5);
  const BaseLogprob unknown{ResponseId{99}, -1};
  error_of(ErrorCode::kNotFound,
           [&] { write([&](Writer& writer) { record_base_logprobs(writer, std::span(&unknown, 1)); }); });
}

}  // namespace
}  // namespace cutd
