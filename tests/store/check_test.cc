#include "store/check.h"

#include "store/store_fixture.h"

namespace cutd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Each test damages one thing in a sound store and the checker must name it: the checker's negative control.
class CheckTest : public StoreTest {
 protected:
  CheckTest() : run_(new_run()), round_(trained_round(run_)) {
    const Adapter adapter =
        read([&](Reader& reader) { return find_adapter(reader, round_, AdapterKind::kCumulative); }).value();
    cumulative_ = data_dir() / adapter.path;
    write([&](Writer& writer) { promote_round(writer, round_, std::nullopt, adapter.id, "better"); });
  }
  // Statements behind the store's back: no triggers, no foreign keys.
  void damage(const std::string& sql) {
    write([&](Writer& writer) {
      const auto triggers = writer.database().all("SELECT name FROM sqlite_schema WHERE type = 'trigger'",
                                                  [](Statement& row) { return row.text(0); });
      for (const std::string& trigger : triggers) writer.database().run("DROP TRIGGER " + trigger);
      writer.database().run_script(sql);
    });
  }
  void damage_without_foreign_keys(const std::string& sql) {
    store_.reset();
    {
      Database database(store_path(data_dir()), OpenMode::kReadWrite);
      database.run_script("PRAGMA foreign_keys = OFF");
      database.run_script(sql);
    }
    open();
  }
  void expect_finding(const std::string& words) { EXPECT_THAT(check(), Contains(HasSubstr(words))); }

  RunId run_;
  RoundId round_;
  std::filesystem::path cumulative_;
};

TEST_F(CheckTest, FindsNothingInASoundStore) { EXPECT_THAT(check(), IsEmpty()); }

TEST_F(CheckTest, FindsARowThatRefersToNothing) {
  damage_without_foreign_keys("UPDATE sample SET unit_id = 999 WHERE id = 1");
  expect_finding("refers to nothing in unit");
}

TEST_F(CheckTest, FindsAUnitThatIsDoneWithoutItsResponses) {
  damage_without_foreign_keys("DELETE FROM response WHERE id = 1");
  expect_finding("is done with 0 responses for 1 samples");
}

TEST_F(CheckTest, FindsAnOpenUnitWithResponses) {
  damage("UPDATE unit SET state = 'open' WHERE id = 1");
  expect_finding("is open with 1 responses");
}

TEST_F(CheckTest, FindsAPhaseThatNoEventLedTo) {
  damage("UPDATE round SET phase = 'training', outcome = NULL");
  expect_finding("is training but its last event says completed");
}

TEST_F(CheckTest, FindsAGapInTheHistory) {
  damage("DELETE FROM round_event WHERE to_phase = 'judging'");
  expect_finding("begins in 'judging' where the one before ended in 'generating'");
}

TEST_F(CheckTest, FindsAChangedManifest) {
  const FrozenManifest manifest = read([&](Reader& reader) { return find_manifest(reader, round_); }).value();
  std::ofstream(data_dir() / manifest.path, std::ios::app) << "late judgment";
  expect_finding("another SHA-256 than its row");
  std::filesystem::remove(data_dir() / manifest.path);
  expect_finding("manifest " + manifest.path);
}

TEST_F(CheckTest, FindsATrainingWithoutAManifest) {
  damage_without_foreign_keys("DELETE FROM manifest");
  expect_finding("was trained without a manifest");
}

TEST_F(CheckTest, FindsAManifestThatCountsWrong) {
  damage("UPDATE manifest SET positives = 7");
  expect_finding("counts 7");
}

TEST_F(CheckTest, FindsAFlippedBitInAnAdapter) {
  std::ofstream(cumulative_ / "adapter_model.safetensors", std::ios::app) << "x";
  expect_finding("has another hash than its row");
}

TEST_F(CheckTest, FindsAMissingAdapterFolder) {
  std::filesystem::remove_all(cumulative_);
  expect_finding("has a row but no folder");
}

TEST_F(CheckTest, FindsAServingPointerThatNoPromotionSet) {
  damage("UPDATE serving SET adapter_id = NULL");
  expect_finding("serves adapter none, its last promoted round made");
}

TEST_F(CheckTest, FindsAQuarantinedAdapterThatServes) {
  damage("UPDATE adapter SET state = 'quarantined'");
  expect_finding("which is quarantined");
  expect_finding("was promoted with 0 adapters");
}

TEST_F(CheckTest, FindsHeldOutInstructionsInTraining) {
  damage_without_foreign_keys("DROP TRIGGER instruction_held_out_for_ever; UPDATE instruction SET split = 'gate'");
  expect_finding("which is held out (gate)");
  expect_finding("of a held-out instruction");
}

TEST_F(CheckTest, FindsContentsThatDoNotFitTheirHash) {
  damage(
      "UPDATE instruction SET text = 'another' WHERE id = 1; UPDATE response SET ids = '[1]' WHERE id = 1; "
      "UPDATE judgment SET text = 'another' WHERE id = 1");
  expect_finding("instruction 1 has another hash");
  expect_finding("response 1 has another hash");
  expect_finding("judgment 1 has another hash");
}

TEST_F(CheckTest, FindsADoneEvaluationWithAnOpenUnit) {
  import(Split::kGate, {"g"});
  const EvaluationKey key{kHash, kHash, annotator(), kHash};
  const EvaluationId id = write([&](Writer& writer) { return ensure_evaluation(writer, key, Split::kGate); });
  plan(id, Split::kGate, {{"g"}});
  damage("UPDATE evaluation SET state = 'done', summary = '{}'");
  expect_finding("is done but its unit");
}

}  // namespace
}  // namespace cutd
