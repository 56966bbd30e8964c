#include "round/adapter_files.h"

#include <fstream>
#include <limits>

#include "core/files.h"
#include "round/round_fixture.h"
#include "weights/peft.h"

namespace cutd {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class AdapterFilesTest : public RoundTest {
 protected:
  // An adapter folder as an engine leaves it.
  fs::path written(float value, const std::string& name = "new") {
    PeftAdapter adapter;
    adapter.r = 1;
    adapter.lora_alpha = 1;
    adapter.base_model_name_or_path = "somewhere";
    adapter.modules["model.layers.0.mlp.down_proj"] = {12, 8, std::vector<float>(12, value),
                                                       std::vector<float>(8, value)};
    const fs::path folder = temporary_path(daemon().store, name);
    write_adapter(folder, adapter);
    return folder;
  }
  PublishedAdapter publish(const fs::path& folder) {
    return publish_adapter(daemon().store.data_dir(), folder, AdapterKind::kDelta, "tiny-1-r1", files_.model);
  }
  fs::path data(const std::string& path) { return daemon().store.data_dir() / path; }
};

TEST_F(AdapterFilesTest, PublishesUnderANameThatHoldsTheContent) {
  const PublishedAdapter published = publish(written(1));
  EXPECT_THAT(published.path, HasSubstr("deltas/tiny-1-r1-" + published.hash.substr(0, 12)));
  EXPECT_EQ(hash_directory(data(published.path)), published.folder_hash);
  EXPECT_NE(publish(written(2)).path, published.path);
  EXPECT_TRUE(fs::is_empty(data("tmp")));
}

TEST_F(AdapterFilesTest, ARedoFindsItsOwnWork) {
  const PublishedAdapter first = publish(written(1));
  EXPECT_EQ(publish(written(1)).path, first.path);
  EXPECT_TRUE(fs::is_empty(data("tmp")));
}

TEST_F(AdapterFilesTest, NeverOverwritesAnotherContent) {
  const PublishedAdapter first = publish(written(1));
  std::ofstream(data(first.path) / "adapter_config.json", std::ios::app) << " ";
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { publish(written(1)); }), HasSubstr("exists with other content"));
}

TEST_F(AdapterFilesTest, PublishesNothingThatCannotBeReadBack) {
  const fs::path broken = written(1);
  std::ofstream(broken / "adapter_model.safetensors", std::ios::trunc) << "x";
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { publish(broken); }), HasSubstr("adapter_model.safetensors"));
  const fs::path infinite = written(std::numeric_limits<float>::infinity());
  error_of(ErrorCode::kBadInput, [&] { publish(infinite); });
  EXPECT_FALSE(fs::exists(data("deltas")) && !fs::is_empty(data("deltas")));
}

TEST_F(AdapterFilesTest, ChecksAFolderAgainstItsRow) {
  const PublishedAdapter published = publish(written(1));
  Adapter adapter;
  adapter.path = published.path;
  adapter.folder_hash = published.folder_hash;
  check_adapter(daemon().store.data_dir(), adapter);
  std::ofstream(data(published.path) / "adapter_model.safetensors", std::ios::app) << "x";
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { check_adapter(daemon().store.data_dir(), adapter); }),
              HasSubstr("hash differs"));
  fs::rename(data(published.path) / "adapter_model.safetensors", data("elsewhere"));
  fs::create_symlink(data("elsewhere"), data(published.path) / "adapter_model.safetensors");
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { check_adapter(daemon().store.data_dir(), adapter); }),
              HasSubstr("symbolic link"));
  fs::remove_all(data(published.path));
  EXPECT_THAT(error_of(ErrorCode::kBadInput, [&] { check_adapter(daemon().store.data_dir(), adapter); }),
              HasSubstr("missing"));
}

TEST_F(AdapterFilesTest, AStartSweepsWhatACrashLeft) {
  written(1, "half");
  const PublishedAdapter stranger = publish(written(2));
  fs::create_directories(data("checkpoints/round-77"));
  reopen();
  EXPECT_TRUE(fs::is_empty(data("tmp")));
  EXPECT_FALSE(fs::exists(data(stranger.path)));
  EXPECT_FALSE(fs::exists(data("checkpoints/round-77")));
  // Never deleted: moved where a person can look at it, under a name of this start.
  ASSERT_FALSE(fs::is_empty(data("quarantine")));
  EXPECT_EQ(hash_directory(fs::directory_iterator(data("quarantine"))->path()), stranger.folder_hash);
  publish(written(2));
  reopen();
  EXPECT_EQ(std::distance(fs::directory_iterator(data("quarantine")), fs::directory_iterator{}), 2);
}

TEST_F(AdapterFilesTest, AStartKeepsWhatAnOpenRoundNeeds) {
  const RunId run = start();
  engine_.after_step = [](std::int64_t step, std::stop_token) {
    if (step == 2) engine_dies();
  };
  work(run, [&] { return engine_.calls("train") == 1; });
  engine_.after_step = {};
  reopen();
  EXPECT_FALSE(fs::is_empty(checkpoint_folder(daemon().store.data_dir(), daemon().round(run).id)));
  work(run);
  reopen();
  EXPECT_THAT(daemon().check(), IsEmpty());
  EXPECT_EQ(daemon().outcome(run), undisturbed());
}

}  // namespace
}  // namespace cutd
