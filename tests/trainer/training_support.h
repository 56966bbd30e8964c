// What the tests of training share: a tiny model with its data, trained in place; golden data where it is there.
#pragma once

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "core/error.h"
#include "support/golden.h"
#include "support/temporary_directory.h"
#include "support/tiny_model.h"
#include "trainer/trainer.h"

namespace cutd {

// The error that `action` ends with; one without message when it does not.
inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kInternal, "");
}

class TrainingTest : public ::testing::Test {
 protected:
  TrainingTest() {
    at::set_num_threads(1);  // the model is too small for more
    write_tiny_model(folder_ / "model");
    job_.data = write_tiny_manifest(folder_.path(), 12);
    job_.output_dir = folder_ / "adapter";
    job_.config.gradient_accumulation_steps = 3;
    job_.config.num_train_epochs = 2;
    job_.config.learning_rate = 1e-2;
    job_.config.lora.r = 4;
    job_.config.lora.alpha = 4;
    job_.config.save_steps = 0;
    policy_ = std::make_unique<Policy>(folder_ / "model", at::kFloat, at::kCPU);
  }

  // Trains and remembers the losses by step.
  TrainingResult train(const TrainingJob& job, std::stop_token stop = {}) {
    TrainingEvents events;
    events.on_step = [this](const StepReport& step) {
      reports_.push_back(step);
      if (on_step_) on_step_(step);
    };
    events.on_message = [this](const std::string& message) { messages_ += message + "\n"; };
    return train_round(*policy_, job, stop, events);
  }
  std::vector<double> losses() const {
    std::vector<double> result;
    for (const StepReport& report : reports_) result.push_back(report.loss);
    return result;
  }
  static std::string adapter_bytes(const std::filesystem::path& folder) {
    return read_file(folder / "adapter_model.safetensors");
  }

  const TemporaryDirectory folder_;
  TrainingJob job_;
  std::unique_ptr<Policy> policy_;
  std::vector<StepReport> reports_;
  std::string messages_;
  std::function<void(const StepReport&)> on_step_;
};

}  // namespace cutd
