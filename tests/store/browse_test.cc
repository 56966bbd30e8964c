#include "store/browse.h"

#include <algorithm>

#include "store/round_figures.h"
#include "store/statistics.h"
#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class BrowseTest : public StoreTest {
 protected:
  BrowseTest() {
    import(Split::kTrain, {"apple pie", "banana bread", "cherry cake", "date loaf"});
    run_ = new_run();
    round_ = new_round(run_);
    for (const UnitId unit :
         plan(round_, Split::kTrain, {{"apple pie", "banana bread"}, {"cherry cake", "date loaf"}})) {
      answer(unit);
    }
    judge(round_);
  }
  std::vector<std::int64_t> responses(const BrowseFilter& filter, PageQuery page = {}) {
    std::vector<std::int64_t> ids;
    for (const auto& row : read([&](Reader& reader) { return browse_responses(reader, filter, page); })) {
      ids.push_back(row.id.value);
    }
    return ids;
  }
  std::vector<std::int64_t> judgments(const BrowseFilter& filter, PageQuery page = {}) {
    std::vector<std::int64_t> ids;
    for (const auto& row : read([&](Reader& reader) { return browse_judgments(reader, filter, page); })) {
      ids.push_back(row.judgment.judgment.id.value);
    }
    return ids;
  }

  RunId run_;
  RoundId round_;
};

BrowseFilter searching(const std::string& text) {
  BrowseFilter filter;
  filter.search = text;
  return filter;
}

TEST_F(BrowseTest, ShowsResponsesNewestFirstWithTheirJudgments) {
  const auto rows = read([](Reader& reader) { return browse_responses(reader, {}, {}); });
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_EQ(rows[0].instruction.text, "date loaf");
  EXPECT_EQ(rows[0].belongs.round, round_);
  EXPECT_EQ(rows[0].belongs.run, run_);
  ASSERT_THAT(rows[0].judgments, SizeIs(1));
  EXPECT_EQ(rows[0].judgments[0].judgment.label, JudgmentLabel::kNegative);
}

TEST_F(BrowseTest, PagesFollowOneAnotherWithoutGapOrRepeat) {
  const std::vector<std::int64_t> all = responses({});
  std::vector<std::int64_t> paged;
  PageQuery page;
  page.limit = 3;
  for (std::vector<std::int64_t> some; !(some = responses({}, page)).empty(); page.before = some.back()) {
    paged.insert(paged.end(), some.begin(), some.end());
  }
  EXPECT_EQ(paged, all);
}

TEST_F(BrowseTest, EveryFilterNarrowsTheSameWayWhicheverIndexLeads) {
  BrowseFilter label;
  label.label = JudgmentLabel::kPositive;
  EXPECT_THAT(responses(label), SizeIs(2));
  const std::vector<std::int64_t> expected = responses(label);
  for (int which = 0; which < 4; ++which) {
    BrowseFilter filter = label;
    if (which == 0) filter.run = run_;
    if (which == 1) filter.round = round_;
    if (which == 2) filter.annotator = annotator();
    if (which == 3) filter.state = JudgmentState::kDone;
    EXPECT_EQ(responses(filter), expected) << which;
    EXPECT_THAT(judgments(filter), SizeIs(2)) << which;
  }
  BrowseFilter failed;
  failed.state = JudgmentState::kFailed;
  EXPECT_THAT(responses(failed), IsEmpty());
  BrowseFilter gate;
  gate.split = Split::kGate;
  EXPECT_THAT(responses(gate), IsEmpty());
  BrowseFilter other;
  other.round = RoundId{99};
  EXPECT_THAT(responses(other), IsEmpty());
  BrowseFilter one;
  one.instruction = instruction("cherry cake");
  EXPECT_THAT(responses(one), SizeIs(1));
}

TEST_F(BrowseTest, SearchFindsAllWordsAndTheBeginningOfTheLast) {
  EXPECT_THAT(responses(searching("apple")), SizeIs(1));
  EXPECT_THAT(responses(searching("cherry ca")), SizeIs(1));
  EXPECT_THAT(responses(searching("cherry pie")), IsEmpty());
  EXPECT_THAT(responses(searching("CHERRY")), SizeIs(1));
  BrowseFilter both = searching("apple");
  both.label = JudgmentLabel::kNegative;
  EXPECT_THAT(responses(both), IsEmpty());
}

TEST_F(BrowseTest, NothingInASearchIsAnOperator) {
  for (const char* text :
       {"\"", "' OR 1=1 --", "apple AND", "NEAR(", "*", "a*b", "col:apple", "^apple", "-", "ü*", "\xe2\x80\x94"}) {
    EXPECT_NO_THROW({
      try {
        responses(searching(text));
        judgments(searching(text));
      } catch (const SqliteError&) {
        throw;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      }
    }) << text;
  }
  EXPECT_EQ(search_query("don't panic"), "\"don\" \"t\" \"panic\"*");
  EXPECT_EQ(search_query(" ?! "), std::nullopt);
}

TEST_F(BrowseTest, JudgmentsArePagedWithinAResponse) {
  const std::vector<std::int64_t> all = judgments({});
  ASSERT_THAT(all, SizeIs(4));
  const auto rows = read([](Reader& reader) { return browse_judgments(reader, {}, {}); });
  PageQuery page;
  page.before = rows[1].judgment.judgment.response.value;
  page.before_judgment = rows[1].judgment.judgment.id.value;
  EXPECT_THAT(judgments({}, page), ElementsAre(all[2], all[3]));
}

TEST_F(BrowseTest, CountsFollowEveryChange) {
  const auto counts = [&] {
    return read([](Reader& reader) { return list_annotators(reader, std::nullopt); }).at(0).counts;
  };
  EXPECT_EQ(counts().done, 4);
  EXPECT_EQ(counts().positive, 2);
  EXPECT_EQ(counts().negative, 2);
  EXPECT_EQ(counts().pending, 0);
  EXPECT_THAT(read([&](Reader& reader) { return list_annotators(reader, run_); }), SizeIs(1));
  EXPECT_THAT(read([&](Reader& reader) { return list_annotators(reader, RunId{9}); }), IsEmpty());
  const AnnotatorId editor = annotator();
  const LabelCounts labels = read([&](Reader& reader) { return count_labels(reader, round_, editor); });
  EXPECT_EQ(labels.judgments, 4);
  EXPECT_EQ(labels.positives, 2);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(BrowseTest, TheFunnelCountsResponsesNotJudgments) {
  const RoundFigures figures = read([&](Reader& reader) { return read_round_figures(reader, round_); });
  EXPECT_EQ(figures.instructions, 4);
  EXPECT_EQ(figures.planned, 4);
  EXPECT_EQ(figures.generated, 4);
  EXPECT_EQ(figures.judged, 4);
  EXPECT_EQ(figures.positives, 2);
  std::int64_t counted = 0;
  for (const WordBin& bin : figures.words) counted += bin.count;
  EXPECT_EQ(counted, 4);
}

TEST(WordBinsTest, CoverEveryLengthInEqualSteps) {
  EXPECT_THAT(word_bins({}), IsEmpty());
  const std::vector<WordBin> bins = word_bins({3, 4, 100, 51}, 10);
  EXPECT_LE(bins.front().from, 3);
  EXPECT_GE(bins.back().to, 100);
  for (std::size_t i = 1; i < bins.size(); ++i) EXPECT_EQ(bins[i].from, bins[i - 1].to + 1);
  EXPECT_EQ(count_words("  two\twords\n"), 2);
}

}  // namespace
}  // namespace cutd
