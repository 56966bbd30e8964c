#include "llm_api/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "llm_api/http_transfer.h"
#include "llm_api/url.h"

namespace cutd {
namespace {

// libcurl wants to be initialised once in a process, before any handle.
void initialise_curl() {
  static const CURLcode code = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK)
    throw Error(ErrorCode::kInternal, std::string("libcurl cannot start: ") + ::curl_easy_strerror(code));
}

}  // namespace

class HttpClient::Impl {
 public:
  explicit Impl(HttpClientOptions options) : options_(std::move(options)), guard_(options_.allow_private) {
    if (const std::string defect = proxy_defect(options_.proxy); !defect.empty())
      throw Error(ErrorCode::kUsage, "the proxy is refused: " + defect);
    initialise_curl();
    multi_.reset(::curl_multi_init());
    if (!multi_) throw Error(ErrorCode::kResource, "libcurl cannot start: out of memory");
    ::curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    ::curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 1L);  // none is kept; the cache must not grow with N
    resolve_ = make_curl_list(options_.resolve);
  }
  ~Impl() {
    for (auto& [handle, running] : running_) ::curl_multi_remove_handle(multi_.get(), handle);
  }

  void submit(HttpRequest request, Done done) {
    {
      const std::lock_guard lock(mutex_);
      submitted_.push_back({std::move(request), std::move(done)});
    }
    wake();
  }

  void wake() { ::curl_multi_wakeup(multi_.get()); }

  void step(std::int64_t wait_ms) {
    work();
    if (ended_.empty()) {
      ::curl_multi_poll(multi_.get(), nullptr, 0, poll_ms(wait_ms), nullptr);
      work();
    }
    while (!ended_.empty()) {
      Ended ended = std::move(ended_.front());
      ended_.pop_front();
      ended.done(std::move(ended.outcome));
    }
  }

  void cancel_all() {
    for (auto& [handle, running] : running_) {
      ::curl_multi_remove_handle(multi_.get(), handle);
      ended_.push_back({std::move(running.done), running.transfer->cancelled()});
    }
    running_.clear();
    take_submitted();
    for (Submitted& one : waiting_) {
      ended_.push_back(
          {std::move(one.done), HttpFailure{HttpFailureKind::kCancelled, false, 0, "stopped before it was sent"}});
    }
    waiting_.clear();
  }

  std::size_t open() const {
    const std::lock_guard lock(mutex_);
    return submitted_.size() + waiting_.size() + running_.size() + ended_.size();
  }
  std::size_t in_flight() const { return running_.size(); }

 private:
  struct MultiDeleter {
    void operator()(CURLM* multi) const { ::curl_multi_cleanup(multi); }
  };

  struct Submitted {
    HttpRequest request;
    Done done;
  };
  struct Running {
    std::unique_ptr<HttpTransfer> transfer;
    Done done;
  };
  struct Ended {
    Done done;
    HttpOutcome outcome;
  };

  void work() {
    start_waiting();
    int running = 0;
    const CURLMcode code = ::curl_multi_perform(multi_.get(), &running);
    if (code != CURLM_OK)
      throw Error(ErrorCode::kInternal, std::string("libcurl failed: ") + ::curl_multi_strerror(code));
    collect_ended();
    expire_first_bytes();
  }

  void take_submitted() {
    const std::lock_guard lock(mutex_);
    std::move(submitted_.begin(), submitted_.end(), std::back_inserter(waiting_));
    submitted_.clear();
  }

  // Only as many as have a place are handed to libcurl, whose clocks start then.
  void start_waiting() {
    take_submitted();
    while (!waiting_.empty() && running_.size() < options_.max_in_flight) {
      Submitted next = std::move(waiting_.front());
      waiting_.pop_front();
      try {
        auto transfer = std::make_unique<HttpTransfer>(std::move(next.request), options_, guard_, resolve_.get());
        CURL* handle = transfer->handle();
        transfer->started(std::chrono::steady_clock::now());
        if (::curl_multi_add_handle(multi_.get(), handle) != CURLM_OK)
          throw Error(ErrorCode::kResource, "libcurl takes no more requests");
        running_.emplace(handle, Running{std::move(transfer), std::move(next.done)});
      } catch (const Error& error) {
        ended_.push_back({std::move(next.done), HttpFailure{HttpFailureKind::kRefused, false, 0, error.what()}});
      }
    }
  }

  void collect_ended() {
    int left = 0;
    while (const CURLMsg* message = ::curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      end(running_.find(message->easy_handle), [code](HttpTransfer& transfer) { return transfer.outcome(code); });
    }
  }

  void expire_first_bytes() {
    const auto now = std::chrono::steady_clock::now();
    for (auto at = running_.begin(); at != running_.end();) {
      const auto deadline = at->second.transfer->first_byte_deadline();
      const auto present = at++;
      if (deadline && *deadline <= now) {
        end(present, [](HttpTransfer& transfer) -> HttpOutcome { return transfer.first_byte_missing(); });
      }
    }
  }

  template <typename Outcome>
  void end(std::map<CURL*, Running>::iterator at, const Outcome& outcome) {
    HttpOutcome result = outcome(*at->second.transfer);  // before the handle is removed: it reads its facts
    ::curl_multi_remove_handle(multi_.get(), at->first);
    ended_.push_back({std::move(at->second.done), std::move(result)});
    running_.erase(at);
  }

  int poll_ms(std::int64_t wait_ms) const {
    const auto now = std::chrono::steady_clock::now();
    for (const auto& [handle, running] : running_) {
      const auto deadline = running.transfer->first_byte_deadline();
      if (!deadline) continue;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now).count();
      wait_ms = std::min<std::int64_t>(wait_ms, left);
    }
    return static_cast<int>(std::clamp<std::int64_t>(wait_ms, 0, 60'000));
  }

  // Constant after construction.
  const HttpClientOptions options_;
  const AddressGuard guard_;
  CurlList resolve_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;

  // Owned by the thread of step().
  std::deque<Submitted> waiting_;
  std::map<CURL*, Running> running_;
  std::deque<Ended> ended_;

  mutable std::mutex mutex_;
  std::vector<Submitted> submitted_;  // guarded by mutex_
};

HttpClient::HttpClient(HttpClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

void HttpClient::submit(HttpRequest request, Done done) { impl_->submit(std::move(request), std::move(done)); }
void HttpClient::wake() { impl_->wake(); }
void HttpClient::step(std::int64_t wait_ms) { impl_->step(wait_ms); }
void HttpClient::cancel_all() { impl_->cancel_all(); }
std::size_t HttpClient::open() const { return impl_->open(); }
std::size_t HttpClient::in_flight() const { return impl_->in_flight(); }

}  // namespace cutd
