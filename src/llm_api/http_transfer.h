// One request on libcurl: the easy handle with every promise of http_client.h set on it, and what it collected.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "llm_api/address_guard.h"
#include "llm_api/gzip_reader.h"
#include "llm_api/http_client.h"

namespace cutd {

struct CurlEasyDeleter {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
struct CurlListDeleter {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

CurlList make_curl_list(const std::vector<std::string>& lines);

class HttpTransfer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Error(kUsage) for a request that must not be sent. All arguments but `request` outlive the transfer.
  HttpTransfer(HttpRequest request, const HttpClientOptions& options, const AddressGuard& guard, curl_slist* resolve);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  CURL* handle() const { return easy_.get(); }
  void started(Time now) { started_ = now; }
  // When waiting for the first byte of the reply ends; nullopt once it came.
  std::optional<Time> first_byte_deadline() const;

  // After libcurl is done with the handle.
  HttpOutcome outcome(CURLcode code);
  HttpFailure first_byte_missing() const;
  HttpFailure cancelled();

 private:
  void set_request();
  void set_safety();
  void set_limits();

  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int before_request(void* self, char* remote, char* local, int remote_port, int local_port);

  bool take_body(std::string_view bytes);
  bool take_header(std::string_view line);
  HttpFailure failure(CURLcode code);
  std::string take_what_came();
  HttpFailureKind failure_kind(CURLcode code) const;
  std::string cause(CURLcode code, HttpFailureKind kind) const;

  // Constant after construction.
  const HttpRequest request_;
  const HttpClientOptions& options_;
  const AddressGuard& guard_;
  std::string url_;
  std::string origin_;
  CurlList headers_;
  std::unique_ptr<CURL, CurlEasyDeleter> easy_;

  // Changed by libcurl's callbacks, in the thread of step().
  Time started_;
  char error_text_[CURL_ERROR_SIZE] = "";
  bool maybe_sent_ = false;
  bool address_refused_ = false;
  bool too_large_ = false;
  bool garbled_ = false;
  bool head_whole_ = false;
  std::size_t header_bytes_ = 0;
  std::size_t packed_bytes_ = 0;
  std::unique_ptr<GzipReader> gzip_;
  std::string packed_;  // while nothing could be unpacked
  HttpReply reply_;
};

}  // namespace cutd
