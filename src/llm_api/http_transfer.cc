#include "llm_api/http_transfer.h"

#include <algorithm>
#include <cctype>

#include "core/blanks.h"
#include "core/error.h"
#include "llm_api/url.h"

namespace cutd {
namespace {

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = ::curl_easy_setopt(handle, option, value);
  if (code != CURLE_OK)
    throw Error(ErrorCode::kInternal, std::string("libcurl refused an option: ") + ::curl_easy_strerror(code));
}

// A header must not be able to end its line, and libcurl drops one that is empty.
void check_header(const HttpHeader& header) {
  const auto name_char = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
  const auto value_char = [](unsigned char c) { return c >= 0x20 && c != 0x7f; };
  const bool good = !header.name.empty() && !header.value.empty() &&
                    std::all_of(header.name.begin(), header.name.end(), name_char) &&
                    std::all_of(header.value.begin(), header.value.end(), value_char);
  if (!good)
    throw Error(ErrorCode::kUsage, "the value of the header \"" + header.name.substr(0, 64) +
                                       "\" cannot be sent (empty, or a line break in it?)");
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::int64_t millis_between(HttpTransfer::Time from, HttpTransfer::Time to) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
}

}  // namespace

CurlList make_curl_list(const std::vector<std::string>& lines) {
  CurlList list;
  for (const std::string& line : lines) {
    curl_slist* longer = ::curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw Error(ErrorCode::kResource, "out of memory");
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

HttpTransfer::HttpTransfer(HttpRequest request, const HttpClientOptions& options, const AddressGuard& guard,
                           curl_slist* resolve)
    : request_(std::move(request)),
      options_(options),
      guard_(guard),
      url_(checked_url(request_.url, {options.allow_http}, guard)),
      origin_(url_origin(url_)),
      easy_(::curl_easy_init()) {
  if (!easy_) throw Error(ErrorCode::kResource, "out of memory");
  set_request();
  set_safety();
  set_limits();
  if (resolve != nullptr) set(handle(), CURLOPT_RESOLVE, resolve);
}

void HttpTransfer::set_request() {
  std::vector<std::string> lines;
  for (const HttpHeader& header : request_.headers) {
    check_header(header);
    lines.push_back(header.name + ": " + header.value);
  }
  lines.push_back("Accept-Encoding: gzip");
  lines.push_back("Expect:");  // after a 417 libcurl would send the request once more
  headers_ = make_curl_list(lines);
  set(handle(), CURLOPT_URL, url_.c_str());
  set(handle(), CURLOPT_HTTPHEADER, headers_.get());
  set(handle(), CURLOPT_USERAGENT, "cutd");
  if (!request_.post) return;
  set(handle(), CURLOPT_POST, 1L);
  set(handle(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(handle(), CURLOPT_POSTFIELDS, request_.body.data());
}

void HttpTransfer::set_safety() {
  CURL* curl = handle();
  set(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(curl, CURLOPT_FRESH_CONNECT, 1L);
  set(curl, CURLOPT_FORBID_REUSE, 1L);
  set(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set(curl, CURLOPT_PROTOCOLS_STR, options_.allow_http ? "http,https" : "https");
  set(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  set(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  set(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_file.empty()) {
    set(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    set(curl, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(curl, CURLOPT_PROXY, options_.proxy.c_str());  // "" also switches the environment's off
  set(curl, CURLOPT_NOPROXY, "");
  set(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's word that it connected is not the server's first byte
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_QUICK_EXIT, 1L);             // a slow name server must not hold up a stop
  set(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);  // gzip_reader.h
  set(curl, CURLOPT_OPENSOCKETFUNCTION, &HttpTransfer::on_socket);
  set(curl, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(curl, CURLOPT_PREREQFUNCTION, &HttpTransfer::before_request);
  set(curl, CURLOPT_PREREQDATA, static_cast<void*>(this));
}

void HttpTransfer::set_limits() {
  CURL* curl = handle();
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_ms));
  set(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_ms));
  set(curl, CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  set(curl, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(curl, CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  set(curl, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(curl, CURLOPT_ERRORBUFFER, static_cast<char*>(error_text_));
  set(curl, CURLOPT_PRIVATE, static_cast<void*>(this));
}

std::optional<HttpTransfer::Time> HttpTransfer::first_byte_deadline() const {
  if (header_bytes_ > 0) return std::nullopt;
  return started_ + std::chrono::milliseconds(options_.first_byte_ms);
}

// --- libcurl's callbacks ---------------------------------------------------------------------------

// The address that libcurl is about to connect to, after name resolution: what the name said when the URL was
// checked does not matter. A proxy's own address is the operator's choice.
curl_socket_t HttpTransfer::on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const bool permitted = !transfer.options_.proxy.empty() || transfer.guard_.permits(address->addr);
  if (purpose != CURLSOCKTYPE_IPCXN || !permitted) {
    transfer.address_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Connection and TLS stand, and the first byte of the request comes next.
int HttpTransfer::before_request(void* self, char*, char*, int, int) {
  static_cast<HttpTransfer*>(self)->maybe_sent_ = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t HttpTransfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpTransfer*>(self)->take_body({bytes, size * count}) ? size * count : 0;
}

std::size_t HttpTransfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpTransfer*>(self)->take_header({bytes, size * count}) ? size * count : 0;
}

bool HttpTransfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > options_.max_header_bytes) {
    too_large_ = true;
    return false;
  }
  head_whole_ = is_blank(line);
  if (line.starts_with("HTTP/")) {  // also after each 1xx
    reply_.headers.clear();
    gzip_.reset();
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const std::string name = lower(trim_blanks(line.substr(0, colon)));
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (name == "content-encoding" && lower(value) != "identity") {
    // A second coding, or one we did not ask for, cannot be undone.
    if (gzip_ || (lower(value) != "gzip" && lower(value) != "x-gzip")) garbled_ = true;
    gzip_ = std::make_unique<GzipReader>();
  }
  // Of two lengths one is wrong, and nobody can tell which: libcurl takes the last.
  const std::string_view earlier = name == "content-length" ? reply_.header(name) : std::string_view();
  if (!earlier.empty() && earlier != value) garbled_ = true;
  reply_.headers.push_back({name, std::string(value)});
  return true;
}

bool HttpTransfer::take_body(std::string_view bytes) {
  packed_bytes_ += bytes.size();
  if (packed_bytes_ > options_.max_reply_bytes) too_large_ = true;
  else if (!gzip_) reply_.body += bytes;
  else {
    const auto state = gzip_->read(bytes, reply_.body, options_.max_reply_bytes);
    if (state == GzipReader::State::kTooLarge) too_large_ = true;
    if (state == GzipReader::State::kBroken) garbled_ = true;
    if (reply_.body.empty()) packed_ += bytes;
    else packed_.clear();
  }
  return !too_large_ && !garbled_;
}

// --- outcomes --------------------------------------------------------------------------------------

HttpOutcome HttpTransfer::outcome(CURLcode code) {
  long status = 0;
  ::curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  reply_.status = static_cast<int>(status);
  reply_.elapsed_ms = millis_between(started_, std::chrono::steady_clock::now());
  if (gzip_ && packed_bytes_ > 0 && gzip_->state() != GzipReader::State::kEnd) garbled_ = true;
  // A connection that ends inside the head is a success to libcurl.
  if (code == CURLE_OK && !head_whole_ && !garbled_) return failure(CURLE_GOT_NOTHING);
  if (code == CURLE_OK && !garbled_ && status >= 200) return std::move(reply_);
  return failure(code);
}

HttpFailure HttpTransfer::failure(CURLcode code) {
  const HttpFailureKind kind = failure_kind(code);
  return {kind, maybe_sent_, reply_.status, origin_ + ": " + cause(code, kind), take_what_came()};
}

std::string HttpTransfer::take_what_came() { return std::move(reply_.body.empty() ? packed_ : reply_.body); }

HttpFailureKind HttpTransfer::failure_kind(CURLcode code) const {
  if (too_large_) return HttpFailureKind::kTooLarge;
  if (address_refused_ && !maybe_sent_ && code == CURLE_COULDNT_CONNECT) return HttpFailureKind::kRefused;
  switch (code) {
    case CURLE_OK:
    case CURLE_WRITE_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING: return HttpFailureKind::kGarbled;
    case CURLE_UNSUPPORTED_PROTOCOL:
      return maybe_sent_ ? HttpFailureKind::kGarbled : HttpFailureKind::kRefused;  // HTTP/0.9
    case CURLE_URL_MALFORMAT: return HttpFailureKind::kRefused;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return HttpFailureKind::kResolve;
    case CURLE_COULDNT_CONNECT: return HttpFailureKind::kConnect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return HttpFailureKind::kCertificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER: return HttpFailureKind::kTls;
    case CURLE_OPERATION_TIMEDOUT: return maybe_sent_ ? HttpFailureKind::kTimeout : HttpFailureKind::kConnect;
    default: return garbled_ ? HttpFailureKind::kGarbled : HttpFailureKind::kInterrupted;
  }
}

std::string HttpTransfer::cause(CURLcode code, HttpFailureKind kind) const {
  switch (kind) {
    case HttpFailureKind::kRefused: return "its address is not public; list it in allow_private to permit it";
    case HttpFailureKind::kTooLarge:
      return "the reply is larger than " + std::to_string(options_.max_reply_bytes >> 20) + " MiB (or its head than " +
             std::to_string(options_.max_header_bytes >> 10) + " KiB)";
    case HttpFailureKind::kGarbled: return "the reply is not HTTP/1.1, or not the gzip that it says it is";
    case HttpFailureKind::kTimeout: return "no whole reply within " + std::to_string(options_.total_ms) + " ms";
    default: break;
  }
  if (code == CURLE_GOT_NOTHING) return "the connection ended before the reply's head was whole";
  const std::string detail = error_text_[0] != '\0' ? error_text_ : ::curl_easy_strerror(code);
  switch (kind) {
    case HttpFailureKind::kResolve: return detail + ": check the host in the base URL";
    case HttpFailureKind::kConnect: return detail + ": check the base URL, and that the server runs";
    case HttpFailureKind::kCertificate:
      return detail + ": the server must renew its certificate, or name the authority that signed it in ca_file";
    case HttpFailureKind::kTls: return detail + ": check that the base URL's port speaks https";
    default: return detail;
  }
}

HttpFailure HttpTransfer::first_byte_missing() const {
  const auto kind = maybe_sent_ ? HttpFailureKind::kTimeout : HttpFailureKind::kConnect;
  return {kind, maybe_sent_, 0, origin_ + ": no answer within " + std::to_string(options_.first_byte_ms) + " ms"};
}

HttpFailure HttpTransfer::cancelled() {
  return {HttpFailureKind::kCancelled, maybe_sent_, 0, origin_ + ": stopped before the reply was whole",
          take_what_came()};
}

}  // namespace cutd
