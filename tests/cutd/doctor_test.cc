#include "cutd/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/clock.h"
#include "core/log.h"
#include "store/store.h"
#include "support/folders.h"
#include "support/temporary_directory.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class DoctorTest : public ::testing::Test {
 protected:
  void make_store() const { Store(folder_.path(), clock_, logger_); }

  const TemporaryDirectory folder_;
  const SystemClock clock_;
  mutable NullLogger logger_;
};

TEST_F(DoctorTest, AFolderThatCanBeMadeIsWell) {
  const Finding finding = check_data_dir(folder_ / "new" / "data");
  EXPECT_EQ(finding.health, Health::kOk);
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(DoctorTest, AFolderOfOursIsWellAndStaysAsItWas) {
  EXPECT_EQ(check_data_dir(folder_.path()).health, Health::kOk);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(DoctorTest, AFolderThatOthersMayReadIsAWarning) {
  fs::permissions(folder_.path(), fs::perms::others_read, fs::perm_options::add);
  const Finding finding = check_data_dir(folder_.path());
  EXPECT_EQ(finding.health, Health::kWarning);
  EXPECT_THAT(finding.advice, HasSubstr("chmod 700"));
}

TEST_F(DoctorTest, AFileInThePlaceOfTheFolderIsAProblem) {
  std::ofstream(folder_ / "data") << "no folder";
  const Finding finding = check_data_dir(folder_ / "data");
  EXPECT_EQ(finding.health, Health::kProblem);
  EXPECT_THAT(finding.found, HasSubstr((folder_ / "data").string()));
  EXPECT_FALSE(finding.advice.empty());
}

TEST_F(DoctorTest, TellsTheDiskOfAFolderThatIsNotThereYet) {
  EXPECT_THAT(check_disk(folder_ / "a" / "b").found, HasSubstr("GiB free"));
}

TEST_F(DoctorTest, SeesThatNobodyWorksInTheFolder) {
  EXPECT_EQ(check_daemon(folder_.path()).health, Health::kOk);
  std::ofstream(folder_ / "cutd.sock") << "";
  EXPECT_THAT(check_daemon(folder_.path()).found, HasSubstr("left behind"));
}

TEST_F(DoctorTest, SeesAHolderThatDoesNotAnswer) {
  const Store held(folder_.path(), clock_, logger_);
  const Finding finding = check_daemon(folder_.path());
  EXPECT_EQ(finding.health, Health::kWarning);
  EXPECT_THAT(finding.advice, HasSubstr("cutd.log"));
}

TEST_F(DoctorTest, ASoundStoreIsWellQuicklyAndInFull) {
  make_store();
  EXPECT_EQ(check_store_file(folder_.path(), false).health, Health::kOk);
  EXPECT_EQ(check_store_file(folder_.path(), true).health, Health::kOk);
}

TEST_F(DoctorTest, ADamagedStoreIsAProblemWithAdvice) {
  make_store();
  std::fstream file(store_path(folder_.path()), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 3 + 100);
  file << std::string(8000, '\x5a');
  file.close();
  const Finding finding = check_store_file(folder_.path(), false);
  EXPECT_EQ(finding.health, Health::kProblem);
  EXPECT_THAT(finding.advice, HasSubstr("backups"));
}

TEST_F(DoctorTest, AMissingEngineIsNamed) {
  const Finding finding = check_engine(folder_ / "no-engine");
  EXPECT_EQ(finding.health, Health::kProblem);
  EXPECT_THAT(finding.found, HasSubstr("no-engine"));
}

TEST_F(DoctorTest, AsksAnEngineWhatItIs) {
  // A script in its place, since the stand-in takes its mode before the daemon's own flags.
  const fs::path program = folder_ / "engine";
  std::ofstream(program) << "#!/bin/sh\nexec " << (program_folder() / "fake_engine").string() << " good \"$@\"\n";
  fs::permissions(program, fs::perms::owner_all);
  const Finding finding = check_engine(program);
  EXPECT_EQ(finding.health, Health::kOk) << finding.found;
  EXPECT_THAT(finding.found, HasSubstr("version fake"));
}

TEST_F(DoctorTest, ABrokenModelIsNamed) {
  fs::create_directories(folder_ / "models" / "half");
  std::ofstream(folder_ / "models" / "half" / "config.json") << "{";
  const std::vector<Finding> findings = check_models(folder_.path(), "");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].health, Health::kProblem);
  EXPECT_THAT(findings[0].found, HasSubstr("half"));
}

TEST_F(DoctorTest, AModelThatIsNotThereIsAProblem) {
  EXPECT_EQ(check_models(folder_.path(), "absent").at(0).health, Health::kProblem);
  EXPECT_EQ(check_models(folder_.path(), "").at(0).health, Health::kOk);  // none yet
}

TEST_F(DoctorTest, WarnsOfAModelLargerThanTheMemory) {
  EXPECT_EQ(check_machine(0).health, Health::kOk);
  EXPECT_EQ(check_machine(std::uintmax_t{1} << 50).health, Health::kWarning);
}

TEST(DoctorTextTest, PutsTheAdviceUnderTheFinding) {
  const std::vector<Finding> findings = {{"disk", Health::kOk, "70.0 GiB free", ""},
                                         {"engine", Health::kProblem, "absent", "build it"}};
  EXPECT_EQ(findings_text(findings),
            "ok        disk      70.0 GiB free\n"
            "problem   engine    absent\n"
            "                    > build it\n");
  EXPECT_EQ(findings_json(findings).at(1).at("health"), "problem");
}

}  // namespace
}  // namespace cutd
