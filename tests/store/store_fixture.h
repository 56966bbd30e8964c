// A store in a folder of its own, and verbs that make rows, so that a test reads as a story.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"
#include "store/adapters.h"
#include "store/check.h"
#include "store/evaluations.h"
#include "store/instructions.h"
#include "store/judgments.h"
#include "store/rounds.h"
#include "store/runs.h"
#include "store/store.h"
#include "store/units.h"
#include "support/error_of.h"
#include "support/temporary_directory.h"

namespace cutd {

const std::string kHash(64, 'a');

class StoreTest : public testing::Test {
 protected:
  StoreTest() { open(); }

  void open() { store_ = std::make_unique<Store>(folder_.path() / "data", clock_, log_); }
  void reopen() {
    store_.reset();
    open();
  }
  Store& store() { return *store_; }
  std::filesystem::path data_dir() const { return folder_.path() / "data"; }

  template <typename Command>
  auto write(Command command) {
    return store_->write(std::move(command));
  }
  template <typename Query>
  auto read(Query query) {
    return store_->read(std::move(query));
  }
  // One statement, past the typed queries: what a bug or a careless hand would do.
  void execute(const std::string& sql);

  ImportCounts import(Split split, const std::vector<std::string>& texts);
  InstructionId instruction(const std::string& text);         // imported before
  RunId new_run(const std::vector<std::string>& train = {});  // drawing from these
  RoundId new_round(RunId run);
  AnnotatorId annotator();

  // One unit per list of instruction texts.
  std::vector<UnitId> plan(UnitOwner owner, Split split, const std::vector<std::vector<std::string>>& units);
  std::vector<ResponseId> answer(UnitId unit);
  // Asks about all responses of `owner` and settles: positive for even positions.
  std::vector<Judgment> judge(UnitOwner owner);
  // From `created` up to `phase`, through every phase between.
  void bring_to(RoundId round, Phase phase);
  AdapterId publish(RoundId round, AdapterKind kind);
  // A round in `evaluating`, trained from a manifest and with both adapters.
  RoundId trained_round(RunId run);

  Round round(RoundId id) {
    return read([&](Reader& reader) { return find_round(reader, id); }).value();
  }
  std::vector<std::string> check() {
    return read([&](Reader& reader) { return check_store(reader, data_dir()); });
  }

  TemporaryDirectory folder_;
  SystemClock clock_;
  NullLogger log_;
  std::unique_ptr<Store> store_;
  int stories_ = 0;  // rounds made by trained_round(), each with texts of its own
};

}  // namespace cutd
