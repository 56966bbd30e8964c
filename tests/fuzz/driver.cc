// The main program of a fuzz target where libFuzzer is not at hand: mutates the inputs of a corpus, the same ones for
// the same seed.
//
//   fuzz_x CORPUS [--runs N | --seconds N] [--seed N]   an input that took too long, or the last one before a death, is
//                                                       left in fuzz_x.input
//   fuzz_x FILE                                         once, with that input
#include "fuzz/driver.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <random>
#include <vector>

#include "fuzz/mutate.h"

namespace {

using Clock = std::chrono::steady_clock;
using cutd::fuzz::kMostBytes;

constexpr std::chrono::seconds kMostTime{5};  // of the CPU for one input, under sanitizers

struct Options {
  std::filesystem::path corpus;
  std::uint64_t runs = 1'000;
  std::optional<std::int64_t> seconds;
  std::uint64_t seed = 1;
};

std::optional<Options> parse(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.size() % 2 == 0) return std::nullopt;
  Options options;
  options.corpus = arguments[0];
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    const std::uint64_t number = std::strtoull(arguments[i + 1].c_str(), nullptr, 10);
    if (arguments[i] == "--runs") options.runs = number;
    else if (arguments[i] == "--seconds") options.seconds = static_cast<std::int64_t>(number);
    else if (arguments[i] == "--seed") options.seed = number;
    else return std::nullopt;
  }
  return options;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());  // the same order, the same inputs
  std::vector<std::string> corpus;
  for (const auto& path : paths) corpus.push_back(read(path));
  return corpus;
}

// The input at work, in a mapped file: it is still there when the process is not.
class LastInput {
 public:
  explicit LastInput(std::string path) : path_(std::move(path)) {
    const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, kMostBytes) != 0) cutd::fuzz::violated("cannot write " + path_);
    map_ = ::mmap(nullptr, kMostBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map_ == MAP_FAILED) cutd::fuzz::violated("cannot map " + path_);
    ::close(file);
  }
  ~LastInput() {
    ::munmap(map_, kMostBytes);
    if (!kept_) std::filesystem::remove(path_);
  }
  LastInput(const LastInput&) = delete;
  LastInput& operator=(const LastInput&) = delete;

  void set(const std::string& input) {
    std::memset(map_, 0, kMostBytes);
    std::memcpy(map_, input.data(), input.size());
  }
  // Leaves the file, as long as the input.
  void keep(const std::string& input) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << input;
    kept_ = true;
  }

 private:
  std::string path_;
  void* map_ = nullptr;
  bool kept_ = false;
};

// Of this thread: however busy the machine is, an input costs the same. (What waits for ever, ctest ends.)
std::chrono::nanoseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// Returns the CPU time that it took.
std::chrono::nanoseconds run(const std::string& input) {
  // A copy of exactly that size: a byte beyond its end is seen by the sanitizer.
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  const auto begin = cpu_time();
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  return cpu_time() - begin;
}

int fuzz(const Options& options, const std::string& name) {
  const std::vector<std::string> corpus = read_corpus(options.corpus);
  if (corpus.empty()) cutd::fuzz::violated("no input in " + options.corpus.string());
  std::mt19937_64 random(options.seed);
  LastInput last(name + ".input");
  const auto begin = Clock::now();
  std::uint64_t count = 0;
  std::chrono::nanoseconds longest{};
  for (;; ++count) {
    const bool over = options.seconds ? Clock::now() - begin > std::chrono::seconds(*options.seconds)
                                      : count >= options.runs + corpus.size();
    if (over) break;
    const std::string input = count < corpus.size() ? corpus[count] : cutd::fuzz::mutated(corpus, random);
    last.set(input);
    const auto took = run(input);
    longest = std::max(longest, took);
    if (took <= kMostTime) continue;
    last.keep(input);
    std::cerr << name << ": one input took " << std::chrono::duration<double>(took).count() << " s; see " << name
              << ".input\n";
    return 1;
  }
  std::cout << name << ": " << count << " inputs in " << std::chrono::duration<double>(Clock::now() - begin).count()
            << " s, the longest " << std::chrono::duration<double>(longest).count() << " s\n";
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const auto options = parse({words + 1, words + count});
  if (!options) {
    std::cerr << "usage: " << words[0] << " CORPUS [--runs N | --seconds N] [--seed N], or " << words[0] << " FILE\n";
    return 2;
  }
  if (std::filesystem::is_directory(options->corpus)) {
    return fuzz(*options, std::filesystem::path(words[0]).filename().string());
  }
  run(read(options->corpus));
  return 0;
}
