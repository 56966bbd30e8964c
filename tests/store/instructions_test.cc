#include "store/instructions.h"

#include "core/hash.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class InstructionsTest : public StoreTest {
 protected:
  std::vector<std::string> draw(RunId run, std::int64_t count, std::int64_t seed = 1) {
    std::vector<std::string> texts;
    for (const Instruction& instruction :
         read([&](Reader& reader) { return draw_instructions(reader, run, count, seed); })) {
      texts.push_back(instruction.text);
    }
    return texts;
  }
  std::int64_t unused(RunId run) {
    return read([&](Reader& reader) { return count_unused_instructions(reader, run); });
  }
};

TEST_F(InstructionsTest, ImportsOnceHoweverOften) {
  EXPECT_EQ(import(Split::kTrain, {"a", "b"}).added, 2);
  const ImportCounts again = import(Split::kTrain, {"a", "b", "c"});
  EXPECT_EQ(again.added, 1);
  EXPECT_EQ(again.known, 2);
  EXPECT_EQ(read([](Reader& reader) { return count_instructions(reader, Split::kTrain); }), 3);
}

TEST_F(InstructionsTest, TellsInstructionAndInputApart) {
  write([](Writer& writer) {
    const std::vector<NewInstruction> two = {{"a", "b"}, {"a\nb", ""}};
    EXPECT_EQ(import_instructions(writer, two, Split::kTrain, "test").added, 2);
  });
}

TEST_F(InstructionsTest, KeepsAReferenceAndNeverAnotherOne) {
  const auto import_with = [&](Split split, const std::string& reference) {
    write([&](Writer& writer) {
      const std::vector<NewInstruction> one = {{"a", "", reference}};
      import_instructions(writer, one, split, "test");
    });
  };
  import(Split::kGate, {"a"});
  import_with(Split::kGate, "An answer.");  // added to what was known without
  import_with(Split::kGate, "An answer.");
  import_with(Split::kGate, "");
  EXPECT_THAT(error_of(ErrorCode::kConflict, [&] { import_with(Split::kTrain, "Another."); }),
              testing::HasSubstr("\"a\" has another reference answer"));
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE instruction_reference SET text = 'x'"); });
  error_of(ErrorCode::kConflict, [&] { execute("DELETE FROM instruction_reference"); });
}

TEST_F(InstructionsTest, HoldsOutWhatHasNotTrained) {
  import(Split::kTrain, {"a"});
  EXPECT_EQ(import(Split::kGate, {"a"}).held_out, 1);
  EXPECT_EQ(read([](Reader& reader) { return count_instructions(reader, Split::kGate); }), 1);
}

TEST_F(InstructionsTest, NeverReleasesAHeldOutOne) {
  import(Split::kGate, {"a"});
  EXPECT_EQ(import(Split::kTrain, {"a"}).kept_held_out, 1);
  EXPECT_EQ(import(Split::kReport, {"a"}).kept_held_out, 1);
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE instruction SET split = 'train'"); });
  error_of(ErrorCode::kConflict, [&] { execute("DELETE FROM instruction"); });
}

TEST_F(InstructionsTest, CannotHoldOutWhatHasTrained) {
  import(Split::kTrain, {"a"});
  plan(new_round(new_run({"a"})), Split::kTrain, {{"a"}});
  EXPECT_EQ(import(Split::kGate, {"a"}).already_trained, 1);
  error_of(ErrorCode::kConflict, [&] { execute("UPDATE instruction SET split = 'gate'"); });
}

TEST_F(InstructionsTest, DrawsOnlyFromTheRunsOwnAndNeverTwice) {
  import(Split::kTrain, {"a", "b", "c", "another run's"});
  const RunId run = new_run({"a", "b", "c"});
  EXPECT_THAT(draw(run, 10), UnorderedElementsAre("a", "b", "c"));
  const std::string first = draw(run, 1).at(0);
  const RoundId round = new_round(run);
  plan(round, Split::kTrain, {{first}});
  EXPECT_EQ(unused(run), 2);
  EXPECT_THAT(draw(run, 10), testing::Not(testing::Contains(first)));
  EXPECT_EQ(unused(new_run({"a", "b", "c"})), 3) << "what one run has used is new to another";
}

TEST_F(InstructionsTest, DrawsFirstWhatEarlierRunsUsedLeast) {
  const std::vector<std::string> texts = {"a", "b", "c", "d"};
  import(Split::kTrain, texts);
  const RunId first = new_run(texts);
  plan(new_round(first), Split::kTrain, {{"a", "b", "c"}});
  const RunId second = new_run(texts);
  plan(new_round(second), Split::kTrain, {{"a", "b"}, {"b"}});
  const RunId third = new_run(texts);
  plan(new_round(new_run(texts)), Split::kTrain, {{"d"}});  // later: it must not change what the third one draws
  const auto spared = [&](std::int64_t count) {
    std::vector<std::string> drawn;
    for (const Instruction& one :
         read([&](Reader& reader) { return draw_instructions(reader, third, count, 1, true); }))
      drawn.push_back(one.text);
    return drawn;
  };
  EXPECT_THAT(spared(1), ElementsAre("d"));
  EXPECT_THAT(spared(2), ElementsAre("d", "c"));
  EXPECT_THAT(spared(10), UnorderedElementsAre("a", "b", "c", "d"));
}

TEST_F(InstructionsTest, DrawsNothingThatWasHeldOutLater) {
  import(Split::kTrain, {"a", "b"});
  const RunId run = new_run({"a", "b"});
  import(Split::kReport, {"a"});
  EXPECT_THAT(draw(run, 10), ElementsAre("b"));
  EXPECT_EQ(unused(run), 1);
}

TEST_F(InstructionsTest, DrawsBySeedAndContentWhateverTheOrderOfImport) {
  const std::vector<std::string> texts = {"a", "b", "c", "d", "e", "f"};
  import(Split::kTrain, texts);
  const auto drawn = draw(new_run(texts), 4);
  EXPECT_EQ(draw(new_run(texts), 4), drawn);
  EXPECT_NE(draw(new_run(texts), 4, 2), drawn);

  const TemporaryDirectory other;
  Store second(other / "data", clock_, log_);
  const auto again = second.write([&](Writer& writer) {
    std::vector<NewInstruction> reversed;
    for (auto text = texts.rbegin(); text != texts.rend(); ++text) reversed.push_back({*text, ""});
    import_instructions(writer, reversed, Split::kTrain, "test");
    NewRun run{.config = Json::object(), .base_model_hash = kHash, .round_count = 1};
    for (const Instruction& instruction : list_instructions(writer, Split::kTrain)) run.train.push_back(instruction.id);
    std::vector<std::string> found;
    for (const Instruction& one : draw_instructions(writer, create_run(writer, run), 4, 1)) found.push_back(one.text);
    return found;
  });
  EXPECT_EQ(again, drawn);
}

TEST_F(InstructionsTest, SelectsHeldOutOnesOnly) {
  import(Split::kGate, {"a", "b", "c"});
  import(Split::kReport, {"d"});
  read([&](Reader& reader) {
    EXPECT_EQ(select_held_out(reader, Split::kGate, 2, 5).size(), 2u);
    EXPECT_EQ(select_held_out(reader, Split::kGate, -1, 5).size(), 3u);
    error_of(ErrorCode::kInternal, [&] { select_held_out(reader, Split::kTrain, 1, 5); });
  });
}

TEST_F(InstructionsTest, ListsInPagesAndByHash) {
  import(Split::kTrain, {"a", "b", "c"});
  read([&](Reader& reader) {
    EXPECT_EQ(list_instructions(reader, Split::kTrain, 1, 1).at(0).text, "b");
    EXPECT_THAT(list_instructions(reader, Split::kGate), IsEmpty());
    const auto hashes = list_instruction_hashes(reader, Split::kTrain);
    EXPECT_TRUE(std::is_sorted(hashes.begin(), hashes.end()));
    EXPECT_THAT(hashes, testing::Contains(instruction_hash("a", "")));
    EXPECT_EQ(find_instruction(reader, {99}), std::nullopt);
  });
}

}  // namespace
}  // namespace cutd
