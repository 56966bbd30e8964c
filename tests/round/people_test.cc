#include "round/people.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/yaml.h"
#include "round/frozen_run.h"
#include "round/instruction_sets.h"
#include "round/quorum.h"
#include "store/check.h"
#include "store/judgments.h"
#include "store/queue_views.h"
#include "store/queue_work.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "support/error_of.h"
#include "support/folders.h"
#include "support/rehearsal.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Runs of one round whose annotator is people, played by this test.
class PeopleTest : public testing::Test {
 protected:
  RunConfig config(const std::string& human) const {
    return files_.config("annotators: [{name: reviewers, kind: human, human: {" + human + "}}]\n");
  }
  RunConfig one_round(const std::string& human) const {
    RunConfig one = config(human);
    one.limits.rounds = 1;
    return one;
  }

  UserId person(Store& store, const std::string& name) {
    return store.write([&](Writer& writer) {
      writer.database().run("INSERT INTO user (name, role, tags, created_at) VALUES (?, 'annotator', '[]', 0)", name);
      return UserId{writer.database().last_row_id()};
    });
  }

  // Takes what it can get and judges it; how many. Without `of_round` the first item of the round itself is given back.
  int judge_some(Store& store, UserId user, bool of_round = true) {
    int judged = 0;
    while (true) {
      const bool more = store.write([&](Writer& writer) {
        const std::int64_t now = clock_.boot_millis();
        const ClaimResult claimed = claim_task(writer, {user, now, {}, 1});
        if (!claimed.item) return false;
        if (!of_round && claimed.item->instruction.starts_with("Explain")) {
          release_task(writer, {user, claimed.item->token, now});
          return false;
        }
        const bool good = claimed.item->response.size() % 2 == 0;
        submit_judgment(writer, {user, claimed.item->token, now},
                        {good ? JudgmentLabel::kPositive : JudgmentLabel::kNegative,
                         good ? "Perfect." : "Say it in fewer words.",
                         {}});
        return true;
      });
      if (!more) return judged;
      ++judged;
    }
  }

  // Everybody judges until the run is over.
  RunState work_through(Rehearsal& rehearsal, RunId run, const std::vector<UserId>& people) {
    Store& store = rehearsal.store();
    for (int i = 0; i < 3000; ++i) {
      const RunState state = store.read([&](Reader& reader) { return find_run(reader, run)->state; });
      if (state != RunState::kActive || rehearsal.runs().failure()) return state;
      for (const UserId user : people) judge_some(store, user);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return RunState::kActive;
  }

  SystemClock clock_;
  NullLogger log_;
  RehearsalFiles files_;
};

TEST_F(PeopleTest, JudgeAWholeRunWithEverybodysWordKept) {
  Rehearsal rehearsal(files_.data_dir());
  Store& store = rehearsal.store();
  const RunId run =
      rehearsal.runs().start(one_round("overlap: 2, agreement: all, guidelines: Be kind."), files_.files());
  const std::vector<UserId> people = {person(store, "anna"), person(store, "ben"), person(store, "cem")};
  rehearsal.runs().begin();
  EXPECT_EQ(work_through(rehearsal, run, people), RunState::kCompleted);
  rehearsal.runs().stop();
  std::vector<std::string> said;
  for (const ProgressMessage& message : rehearsal.runs().progress().messages_after(0)) said.push_back(message.text);
  EXPECT_THAT(said, Contains(HasSubstr("round 1 needs people: ")));
  store.read([&](Reader& reader) {
    const Round round = find_round(reader, run, 1).value();
    EXPECT_EQ(round.phase, Phase::kCompleted);
    const std::vector<Queue> queues = list_queues(reader, round.id);
    ASSERT_EQ(queues.size(), 1u);
    EXPECT_EQ(queues[0].state, "closed");
    for (const QueueTask& task : list_queue_tasks(reader, queues[0].id)) EXPECT_EQ(task.work.size(), 2u);
    for (const Judgment& judgment : list_judgments(reader, round.id, queues[0].annotator)) {
      EXPECT_TRUE(judgment.validated);
      EXPECT_THAT(judgment.raw, HasSubstr("user "));
    }
    EXPECT_THAT(check_store(reader, store.data_dir()), IsEmpty());
  });
}

// Where the annotators that work by themselves disagree, and only there, people are asked; their word stands.
TEST_F(PeopleTest, DecideWhereTheOthersDisagree) {
  Rehearsal rehearsal(files_.data_dir());
  Store& store = rehearsal.store();
  RunConfig config = files_.config(
      "annotators:\n"
      "  - {name: lenient, kind: rule, guideline: {require_subject: false}}\n"
      "  - {name: strict, kind: rule, guideline: {min_words: 1, max_words: 2}}\n"
      "  - {name: reviewers, kind: human, role: referee}\n"
      "quorum: {rule: weighted}\n"
      "alarms: {min_judgments: 1000, kappa: 0}\n");
  config.limits.rounds = 1;
  const RunId run = rehearsal.runs().start(config, files_.files());
  const UserId anna = person(store, "anna");
  rehearsal.runs().begin();
  EXPECT_EQ(work_through(rehearsal, run, {anna}), RunState::kCompleted);
  rehearsal.runs().stop();
  store.read([&](Reader& reader) {
    const Round round = find_round(reader, run, 1).value();
    const AnnotatorId quorum = frozen_annotator(*find_run(reader, run));
    const std::vector<AnnotatorId> members = find_quorum(reader, quorum)->members;
    std::map<ResponseId, std::vector<Judgment>> said;
    for (const AnnotatorId member : members) {
      for (const Judgment& judgment : list_judgments(reader, round.id, member))
        said[judgment.response].push_back(judgment);
    }
    std::size_t decided_by_people = 0;
    for (const Judgment& judgment : list_judgments(reader, round.id, quorum)) {
      const std::vector<Judgment>& votes = said.at(judgment.response);
      ASSERT_GE(votes.size(), 2u);
      const bool disagreed = votes[0].label != votes[1].label;
      EXPECT_EQ(votes.size(), disagreed ? 3u : 2u);
      EXPECT_EQ(judgment.label, votes.back().label);
      if (disagreed) {
        EXPECT_EQ(judgment.text, votes.back().text);
        ++decided_by_people;
      }
    }
    EXPECT_GT(decided_by_people, 0u);
    EXPECT_LT(decided_by_people, 6u);
    EXPECT_THAT(check_store(reader, store.data_dir()), IsEmpty());
  });
}

TEST_F(PeopleTest, AreWaitedForUntilTheQueueIsClosed) {
  Rehearsal rehearsal(files_.data_dir());
  Store& store = rehearsal.store();
  const RunId run = rehearsal.runs().start(one_round("overlap: 1"), files_.files());
  const UserId anna = person(store, "anna");
  rehearsal.runs().begin();
  // The evaluation of the untrained model is judged; of the round three of six responses.
  std::optional<Queue> queue;
  for (int i = 0; i < 3000 && !queue; ++i) {
    const auto at_work = store.read([](Reader& reader) { return list_queues_at_work(reader); });
    for (const Queue& one : at_work) {
      if (one.round) queue = one;
      else judge_some(store, anna, false);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(queue);
  const auto phase = [&] { return store.read([&](Reader& reader) { return find_round(reader, run, 1)->phase; }); };
  for (int i = 0; i < 3000 && phase() != Phase::kJudging; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (int i = 0; i < 3000; ++i) {  // all units are in the queue
    tend_queues(store, clock_.boot_millis(), [](const std::string&) {});
    if (store.read([&](Reader& reader) { return count_queue(reader, queue->id, 0).needed; }) == 6) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (int i = 0; i < 3; ++i) {
    store.write([&](Writer& writer) {
      const std::int64_t now = clock_.boot_millis();
      const LeasedItem item = claim_task(writer, {anna, now, {}, 1}).item.value();
      submit_judgment(writer, {anna, item.token, now}, {JudgmentLabel::kNegative, "Say it in fewer words.", {}});
    });
  }
  EXPECT_EQ(phase(), Phase::kJudging);
  store.write([&](Writer& writer) { close_queue(writer, queue->id, clock_.boot_millis()); });
  EXPECT_NE(work_through(rehearsal, run, {anna}), RunState::kActive);
  rehearsal.runs().stop();
  store.read([&](Reader& reader) {
    EXPECT_EQ(find_round(reader, run, 1)->phase, Phase::kCompleted);
    EXPECT_EQ(find_manifest(reader, queue->round.value())->negatives, 3);
    EXPECT_THAT(check_store(reader, store.data_dir()), IsEmpty());
  });
}

TEST_F(PeopleTest, ReadGuidelinesAndGoldFromFilesBesideTheConfiguration) {
  std::ofstream(files_ / "rules.md") << "# Rules\nBe kind.\n";
  {
    std::ofstream gold(files_ / "gold.jsonl");
    for (int i = 0; i < 30; ++i)
      gold << to_json_text({{"instruction", "q" + std::to_string(i)}, {"response", "r"}, {"label", "negative"}})
           << "\n";
  }
  Rehearsal rehearsal(files_.data_dir());
  rehearsal.runs().start(one_round("guidelines_file: rules.md, gold: gold.jsonl, gold_share: 0.1"), files_.files());
  rehearsal.store().read([&](Reader& reader) {
    EXPECT_EQ(reader.database().integer("SELECT count(*) FROM gold"), 30);
    const Annotator annotator = find_annotator(reader, AnnotatorId{1}).value();
    EXPECT_EQ(parse_annotator(annotator.config.parse(), "annotator").human.guidelines, "# Rules\nBe kind.\n");
    EXPECT_EQ(queue_settings(annotator).gold_share, 0.1);
  });
}

TEST_F(PeopleTest, RefuseGoldThatCouldBeToldApartOrSaysTooLittle) {
  const auto refusal = [&](const std::string& line, const std::string& more) {
    std::ofstream(files_ / "gold.jsonl") << line << "\n";
    const RunConfig one = config("gold: gold.jsonl, gold_share: 0.1" + more);
    return error_of(ErrorCode::kBadInput, [&] { read_gold(one.annotator(), files_.files()); });
  };
  const std::string good = R"({"instruction": "q", "response": "r", "label": "negative"})";
  EXPECT_THAT(refusal(good, ""), HasSubstr("at least 30"));
  EXPECT_THAT(refusal(good, ", suggest: true"), HasSubstr("\"suggestion\" is missing"));
  EXPECT_THAT(refusal(R"({"instruction": "q", "response": "r", "label": "so-so"})", ""), HasSubstr("so-so"));
}

TEST_F(PeopleTest, OfTheShippedExampleReadItsGuidelines) {
  const std::filesystem::path path = source_folder() / "examples/people.yaml";
  const RunConfig example =
      with_guidelines(parse_run_config(read_yaml_file(path), path.string()), files_beside(path.parent_path()));
  EXPECT_THAT(example.annotator().human.guidelines, HasSubstr("Quote the words that are wrong"));
  EXPECT_EQ(human_defect(example.annotator().human), "");
}

TEST_F(PeopleTest, MeasureAgreementOfWhatIsCounted) {
  const StoredJson stored(to_json_text(annotator_json(config("overlap: 3").annotator())));
  EXPECT_EQ(queue_settings({{1}, "reviewers", "v", "human", stored}).overlap, 3);
  Queue single;
  Store store(files_.data_dir(), clock_, log_);
  EXPECT_FALSE(store.read([&](Reader& reader) { return queue_agreement(reader, single); }).alpha);
}

}  // namespace
}  // namespace cutd
