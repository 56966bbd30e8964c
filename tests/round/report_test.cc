#include "round/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "round/report_html.h"
#include "round/report_plots.h"
#include "support/rehearsal.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAttack = "</div><script>alert(1)</script><img src=x onerror=\"alert(2)\">' & \x01";

ReportData hostile_data() {
  ReportData data;
  data.summary.name = kAttack;
  data.summary.reason = kAttack;
  data.frozen.model_dir = kAttack;
  data.frozen.template_version = kAttack;
  data.frozen.config.annotators[0].name = kAttack;
  data.frozen.config.prompt_template.system = kAttack;
  RoundSummary round;
  round.number = 1;
  round.reason = kAttack;
  round.adapter = kAttack;
  data.summary.rounds = {round};
  data.examples = {{kAttack,
                    kAttack,
                    "improved",
                    {{"untrained", kAttack, kAttack, false, true}, {"round 1", kAttack, kAttack, true, false}}}};
  return data;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(HtmlEscapedTest, LeavesNothingThatABrowserWouldInterpret) {
  EXPECT_EQ(html_escaped("<b a=\"1\" c='2'>&amp;"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
  EXPECT_EQ(html_escaped("a\nb\tc"), "a\nb\tc");
  EXPECT_EQ(html_escaped(std::string("\x01\x1b[2J\x7f\0x", 8)), "\uFFFD\uFFFD[2J\uFFFD\uFFFDx");
  EXPECT_EQ(html_escaped("grün 日本"), "grün 日本");
}

TEST(ReportPageTest, TextsThatLookLikeMarkupAreInert) {
  const std::string page = report_page(hostile_data());
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("onerror=\"")));
  EXPECT_GE(count_of(page, "&lt;script&gt;"), 10U);
  EXPECT_EQ(count_of(page, "<div"), count_of(page, "</div>"));
}

TEST(ReportPageTest, AsksForNothingOutsideItself) {
  const std::string page = report_page(hostile_data());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* part : {"http://", "https://", "url(", "@import", "<link", "<iframe", "javascript:"})
    EXPECT_THAT(page, Not(HasSubstr(part))) << part;
}

TEST(ReportPageTest, ARunThatHasJustBegunHasAPage) {
  const std::string page = report_page(ReportData{});
  EXPECT_THAT(page, HasSubstr("<h2>Rounds</h2>"));
  EXPECT_THAT(page, Not(HasSubstr("<svg")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(AxisTicksTest, AreRoundNumbersAroundTheRange) {
  EXPECT_EQ(axis_ticks(0, 1, 5), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  const std::vector<double> ticks = axis_ticks(0, 2.13, 4);
  EXPECT_EQ(ticks.front(), 0);
  EXPECT_GE(ticks.back(), 2.13);
  EXPECT_LE(ticks.size(), 6U);
  EXPECT_GE(axis_ticks(5, 5, 4).size(), 2U);  // no range at all
}

TEST(ReportPlotsTest, WithoutDataThereIsNoPlot) {
  EXPECT_EQ(score_plot(RunSummary{}), "");
  EXPECT_EQ(loss_plot({}), "");
  EXPECT_EQ(detected_plot({{1, 1, 2.0, std::nullopt}}), "");
  EXPECT_EQ(length_plot({}, 8, 40), "");
}

TEST(ReportPlotsTest, DrawsEveryStepAndSkipsWhatIsNotANumber) {
  const std::string plot = loss_plot({{1, 1, 2.0, {}}, {1, 2, std::nan(""), {}}, {2, 1, 1.5, {}}});
  EXPECT_EQ(count_of(plot, "<circle"), 2U);
  EXPECT_THAT(plot, HasSubstr("round 2, step 1: 1.5"));
  EXPECT_THAT(plot, Not(HasSubstr("nan")));
}

TEST(ReportPlotsTest, ShowsTheBaselineAndTheOutcomeOfEachRound) {
  RunSummary summary;
  summary.baseline = ScoreSummary{};
  summary.baseline->share = {42, 200, 0.21, {0.16, 0.27}};
  RoundSummary round;
  round.number = 1;
  round.outcome = Outcome::kRejected;
  round.gate = ScoreSummary{};
  round.gate->share = {133, 200, 0.665, {0.6, 0.73}};
  summary.rounds = {round};
  const std::string plot = score_plot(summary);
  EXPECT_THAT(plot, HasSubstr("class=\"reference\""));
  EXPECT_THAT(plot, HasSubstr("round 1, rejected: 66.5 % (95 % interval 60.0 to 73.0), 133 of 200"));
  EXPECT_THAT(plot, HasSubstr("hollow"));
}

TEST(ReportTest, SaysWhatTheRunBuiltOn) {
  const RehearsalFiles files;
  RunConfig config = files.config();
  config.limits.rounds = 1;
  const auto finish = [&] {
    Rehearsal rehearsal(files.data_dir());
    const RunId run = rehearsal.runs().start(config, files.files());
    EXPECT_EQ(rehearsal.finish(run), RunState::kCompleted);
    return run;
  };
  const RunId first = finish();
  config.limits.start_from = "kept";
  const RunId second = finish();
  Rehearsal later(files.data_dir());
  const auto page = [&](RunId run) {
    return later.store().read([&](Reader& reader) { return report_html(reader, run, files.data_dir()); });
  };
  EXPECT_THAT(page(first), HasSubstr("the model itself, untrained"));
  EXPECT_THAT(page(first), Not(HasSubstr(">start<")));
  EXPECT_THAT(page(second), HasSubstr("(round 1 of run 1), hash "));
  EXPECT_THAT(page(second), HasSubstr(">start<"));
}

TEST(LengthQuantilesTest, AreThoseOfTheWords) {
  const ReportLengths lengths = length_quantiles("round 1", {30, 10, 20, 40, 50});
  EXPECT_EQ(lengths.median, 30);
  EXPECT_EQ(lengths.quarter, 20);
  EXPECT_EQ(lengths.three_quarters, 40);
}

TEST(ReportTest, IsWrittenForAWholeRunWithExamplesAndPlots) {
  const RehearsalFiles files;
  Rehearsal rehearsal(files.data_dir());
  const RunId run = rehearsal.runs().start(files.config(), files.files());
  ASSERT_EQ(rehearsal.finish(run), RunState::kCompleted);
  const auto path = files.data_dir() / "report.html";
  rehearsal.store().read([&](Reader& reader) { write_report(reader, run, files.data_dir(), path); });
  const std::string page = read_file(path);
  EXPECT_EQ(count_of(page, "<svg"), 4U);
  EXPECT_THAT(page, HasSubstr("class=\"example\""));
  EXPECT_THAT(page, HasSubstr("Describe the use of one "));
  EXPECT_THAT(page, HasSubstr("Write one paragraph of plain prose"));
  // The same run gives the same page: nothing in it depends on when it was written.
  EXPECT_EQ(page, rehearsal.store().read([&](Reader& reader) { return report_html(reader, run, files.data_dir()); }));
  EXPECT_THROW(rehearsal.store().read([&](Reader& reader) { return report_html(reader, RunId{9}, files.data_dir()); }),
               Error);
}

}  // namespace
}  // namespace cutd
