#include "pairwise/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

namespace cutd {
namespace {

UniqueFd open_journal(const std::filesystem::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600));
  if (file.get() < 0) throw_errno("cannot open " + path.string());
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    throw Error(ErrorCode::kBusy, "another process is judging into " + path.string());
  return file;
}

}  // namespace

PairJournal::PairJournal(const std::filesystem::path& path) : path_(path), file_(open_journal(path)) {
  const std::string text = read_file(path);
  std::size_t at = 0;
  std::int64_t number = 0;
  for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string origin = path.string() + ":" + std::to_string(++number);
    apply(parse_json(text.substr(at, end - at), origin), origin);
  }
  if (at < text.size() && ::ftruncate(file_.get(), static_cast<off_t>(at)) != 0)
    throw_errno("cannot cut the torn last line off " + path.string());
}

const JournalState& PairJournal::state(const std::string& key) const {
  static const JournalState kNothing;
  const auto found = states_.find(key);
  return found == states_.end() ? kNothing : found->second;
}

void PairJournal::apply(const Json& line, const std::string& origin) {
  const auto key = json_get<std::string>(line, "key", origin);
  const auto number = json_get<std::int64_t>(line, "number", origin);
  const auto event = json_get<std::string>(line, "event", origin);
  JournalState& state = states_[key];
  Row& row = rows_[{key, number}];
  if (event == "attempt") {
    row.reserved = json_get<std::int64_t>(line, "reserved", origin);
    spent_ += row.reserved;
    state.attempts = std::max(state.attempts, number);
    state.open = true;
    return;
  }
  if (event != "reply" && event != "failure") throw_json_member(origin, "event", "is unknown");
  if (event == "failure" && json_get<bool>(line, "charged", origin)) {
    state.failure = json_get<std::string>(line, "reason", origin);
    return;
  }
  if (!row.settled) spent_ -= row.reserved;
  row.settled = true;
  state.open = false;
  if (event == "failure") {
    state.failure = json_get<std::string>(line, "reason", origin);
    return;
  }
  const auto cost = json_get<std::int64_t>(line, "cost", origin);
  spent_ += cost;
  HttpReply reply;
  reply.status = json_get<int>(line, "status", origin);
  reply.headers = {{"content-type", json_get<std::string>(line, "content_type", origin)}};
  reply.body = json_get<std::string>(line, "body", origin);
  reply.elapsed_ms = json_get<std::int64_t>(line, "elapsed_ms", origin);
  if (reply.status != 200) {
    state.failure = "HTTP status " + std::to_string(reply.status);
    return;
  }
  state.reply = std::move(reply);
  state.reply_cost = cost;
}

void PairJournal::append(const std::vector<Json>& lines) {
  std::string text;
  for (const Json& line : lines) text += to_json_text(line) + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(file_.get(), text.data() + at, text.size() - at);
    if (written < 0) throw_errno("cannot write " + path_.string());
    at += static_cast<std::size_t>(written);
  }
  if (::fdatasync(file_.get()) != 0) throw_errno("cannot sync " + path_.string());
  for (const Json& line : lines) apply(line, path_.string());
}

void PairJournal::begin(const std::vector<JournalAttempt>& attempts) {
  std::vector<Json> lines;
  lines.reserve(attempts.size());
  for (const JournalAttempt& attempt : attempts) {
    lines.push_back(
        {{"event", "attempt"}, {"key", attempt.key}, {"number", attempt.number}, {"reserved", attempt.reserved}});
  }
  if (!lines.empty()) append(lines);
}

void PairJournal::settle(const std::string& key, std::int64_t number, std::int64_t cost, const HttpReply& reply) {
  append({{{"event", "reply"},
           {"key", key},
           {"number", number},
           {"cost", cost},
           {"status", reply.status},
           {"elapsed_ms", reply.elapsed_ms},
           {"content_type", std::string(reply.header("content-type"))},
           {"body", reply.body}}});
}

void PairJournal::fail(const std::string& key, std::int64_t number, bool charged, const std::string& reason) {
  append({{{"event", "failure"}, {"key", key}, {"number", number}, {"charged", charged}, {"reason", reason}}});
}

}  // namespace cutd
