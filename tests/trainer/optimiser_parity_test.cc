// Whole runs of AdamW steps against the golden ones (golden README, "optimiser"): losses, learning rates, gradient
// norms and every LoRA matrix after the recorded steps.
#include <cmath>

#include "trainer/training_support.h"
#include "weights/safetensors.h"

namespace cutd {
namespace {

namespace fs = std::filesystem;

class OptimiserParityTest : public TrainingTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    golden_ = golden_folder();
    if (golden_.empty()) GTEST_SKIP() << "no golden data beside the checkout";
    fs::create_directories(folder_ / "llama");
    for (const char* name : {"config.json", "model.safetensors"}) {
      write_file_durably(folder_ / "llama" / name, read_file(golden_ / "models/llama" / name));
    }
    policy_ = std::make_unique<Policy>(folder_ / "llama", at::kFloat, at::kCPU);
    record_ = read_json_file(golden_ / "cut-loss/tiny-llama/optimiser.json").at(GetParam());
    job_.init_adapter_dir = golden_ / "cut-loss/tiny-llama/adapter";
    job_.data = write_pool();
    job_.config = recorded_config();
  }

  // The pool as a manifest in its own order.
  fs::path write_pool() const {
    Manifest manifest{{"golden", "alpaca", "always"}, {}};
    const Json samples = read_json_file(golden_ / "cut-loss/tiny-llama/samples.json");
    for (const Json& sample : samples.at("pool")) {
      ManifestRow row;
      row.instruction_hash = std::string(1, static_cast<char>('a' + sample.at("id").get<int>()));
      row.example.kind = example_kind_from_name(sample.at("kind").get<std::string>());
      row.example.prompt_ids = sample.at("prompt_ids").get<std::vector<std::int64_t>>();
      if (row.example.kind == ExampleKind::kAlignN) {
        row.example.prompt_judge_ids = sample.at("prompt_judge_ids").get<std::vector<std::int64_t>>();
      }
      row.example.response_ids = sample.at("response_ids").get<std::vector<std::int64_t>>();
      manifest.rows.push_back(std::move(row));
    }
    return write_manifest(folder_.path(), manifest);
  }

  TrainConfig recorded_config() const {
    const Json& settings = record_.at("settings");
    const Json& schedule = record_.at("schedule");
    TrainConfig config;
    config.objective.variant = record_.at("variant").get<std::string>();
    if (settings.contains("threshold")) config.objective.lambda = settings.at("threshold").get<double>();
    if (settings.contains("lambda")) config.objective.lambda = settings.at("lambda").get<double>();
    if (settings.contains("weight_unlike")) config.objective.alpha = settings.at("weight_unlike").get<double>();
    if (settings.contains("alpha")) config.objective.alpha = settings.at("alpha").get<double>();
    if (settings.contains("gamma")) config.objective.gamma = settings.at("gamma").get<double>();
    config.lora.dropout = 0;
    config.learning_rate = schedule.at("lr").get<double>();
    config.warmup_steps = schedule.at("warmup_steps").get<std::int64_t>();
    config.total_steps = schedule.at("total_steps").get<std::int64_t>();
    config.weight_decay = schedule.at("weight_decay").get<double>();
    config.max_grad_norm = schedule.at("max_grad_norm").get<double>();
    config.per_device_train_batch_size = schedule.at("micro").get<std::int64_t>();
    config.gradient_accumulation_steps = schedule.at("batch").get<std::int64_t>() / config.per_device_train_batch_size;
    config.num_train_epochs = 10;
    config.shuffle = false;
    config.save_steps = 0;
    return config;
  }

  // The norm of every matrix's change after `step` steps, and each value where they are recorded.
  void compare_parameters(const fs::path& adapter, const std::string& step) const {
    const SafetensorsFile expected(golden_ / "cut-loss/tiny-llama/optimiser.safetensors");
    const SafetensorsFile got(adapter / "adapter_model.safetensors");
    const SafetensorsFile before(job_.init_adapter_dir / "adapter_model.safetensors");
    for (const auto& [name, norm] : record_.at("delta_norms").at(step).items()) {
      const std::vector<float> values = values_of(got, name);
      const std::vector<float> start = values_of(before, name);
      const std::string recorded = GetParam() + ".step" + step + "." + name;
      const std::vector<float> reference =
          expected.find(recorded) == nullptr ? std::vector<float>() : values_of(expected, recorded);
      if (step == "5") {
        ASSERT_EQ(reference.size(), values.size()) << recorded;
      }
      double change = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!reference.empty()) {
          ASSERT_NEAR(values[i], reference[i], 1e-5) << name << " at " << i << " after step " << step;
        }
        change += std::pow(static_cast<double>(values[i]) - start[i], 2);
      }
      EXPECT_NEAR(std::sqrt(change), norm.get<double>(), 1e-4 * norm.get<double>() + 1e-7) << name;
    }
  }
  static std::vector<float> values_of(const SafetensorsFile& file, const std::string& name) {
    const TensorView& tensor = file.at(name);
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    convert_to_float(tensor.dtype, tensor.bytes, values);
    return values;
  }

  fs::path golden_;
  Json record_;
};

TEST_P(OptimiserParityTest, EveryRecordedStepIsTheSame) {
  for (const auto& [step, norms] : record_.at("delta_norms").items()) {
    reports_.clear();
    job_.config.max_steps = std::stoll(step);
    job_.output_dir = folder_ / ("after-" + step);
    train(job_);
    ASSERT_EQ(static_cast<std::int64_t>(reports_.size()), job_.config.max_steps);
    for (std::size_t i = 0; i < reports_.size(); ++i) {
      const Json& expected = record_.at("log").at(i);
      EXPECT_NEAR(reports_[i].loss, expected.at("loss").get<double>(), 1e-5 * expected.at("loss").get<double>()) << i;
      EXPECT_NEAR(reports_[i].learning_rate, expected.at("lr").get<double>(), 1e-8 * job_.config.learning_rate) << i;
      const double norm = expected.at("grad_norm_before_clip").get<double>();
      EXPECT_NEAR(reports_[i].grad_norm, norm, 1e-4 * norm) << i;
    }
    compare_parameters(job_.output_dir, step);
  }
}

INSTANTIATE_TEST_SUITE_P(Runs, OptimiserParityTest,
                         ::testing::Values("released-schedule", "fast-schedule", "decay-and-clip",
                                           "paper-fast-schedule"),
                         [](const auto& run) {
                           std::string name = run.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace cutd
