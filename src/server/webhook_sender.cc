#include "server/webhook_sender.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "core/error.h"
#include "llm_api/http_client.h"
#include "llm_api/url.h"

namespace cutd {
namespace {

constexpr std::int64_t kFirstDelay = 5'000'000;
constexpr std::int64_t kLongestDelay = 3'600'000'000;
constexpr std::int64_t kMostAttempts = 12;
constexpr std::int64_t kAtOnce = 16;

std::string secret_bytes(const std::string& secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (!secret.starts_with(kPrefix)) return secret;
  std::string bytes(secret.size(), '\0');
  std::size_t length = 0;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), secret.data() + kPrefix.size(),
                        secret.size() - kPrefix.size(), nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (failed != 0) throw Error(ErrorCode::kUsage, "the webhook secret begins with whsec_ but is no base64 behind it");
  bytes.resize(length);
  return bytes;
}

HttpClientOptions client_options(const WebhookSenderOptions& options) {
  HttpClientOptions client;
  client.max_in_flight = static_cast<std::size_t>(kAtOnce);
  client.first_byte_ms = 10'000;
  client.total_ms = 15'000;
  client.max_reply_bytes = 64U << 10;
  client.allow_http = !options.allow_private.empty();
  client.allow_private = options.allow_private;
  return client;
}

HttpRequest request_of(const Delivery& delivery, const std::string& secret, std::int64_t now) {
  HttpRequest request;
  request.url = delivery.url;
  request.body = to_json_text(delivery.payload);
  const std::string id = "cutd_" + std::to_string(delivery.id);
  const std::int64_t timestamp = now / 1'000'000;
  request.headers = {{"Content-Type", "application/json"},
                     {"webhook-id", id},
                     {"webhook-timestamp", std::to_string(timestamp)},
                     {"webhook-signature", webhook_signature(secret, id, timestamp, request.body)}};
  return request;
}

}  // namespace

std::string webhook_signature(const std::string& secret, const std::string& id, std::int64_t timestamp,
                              const std::string& body) {
  const std::string key = secret_bytes(secret);
  const std::string text = id + "." + std::to_string(timestamp) + "." + body;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_final(&state, mac.data());
  std::array<char, sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES, sodium_base64_VARIANT_ORIGINAL)> base64{};
  sodium_bin2base64(base64.data(), base64.size(), mac.data(), mac.size(), sodium_base64_VARIANT_ORIGINAL);
  return std::string("v1,") + base64.data();
}

std::optional<std::int64_t> webhook_delay(std::int64_t attempts) {
  if (attempts >= kMostAttempts) return std::nullopt;
  return std::min(kLongestDelay, kFirstDelay << std::clamp<std::int64_t>(attempts - 1, 0, 20));
}

std::string checked_webhook_url(const std::string& url, const WebhookSenderOptions& options) {
  return checked_url(url, {!options.allow_private.empty()}, AddressGuard(options.allow_private));
}

WebhookSender::WebhookSender(Store& store, WebhookSenderOptions options, const Clock& clock, Logger& logger)
    : store_(store), options_(std::move(options)), clock_(clock), logger_(logger) {}

WebhookSender::~WebhookSender() { stop(); }

void WebhookSender::begin() {
  thread_ = std::thread([this] { loop(); });
}

void WebhookSender::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WebhookSender::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      run_once();
    } catch (const std::exception& error) {
      logger_.error(std::string("webhooks: ") + error.what());
    }
    lock.lock();
    wake_.wait_for(lock, std::chrono::milliseconds(options_.poll_ms), [this] { return stopping_; });
  }
}

void WebhookSender::run_once() {
  if (store_.read([](Reader& reader) { return has_unannounced_events(reader); })) {
    store_.write([](Writer& writer) { announce_round_events(writer); });
  }
  const auto due = store_.read(
      [&](Reader& reader) { return due_deliveries(reader, clock_.wall_micros(), 2 * kLongestDelay, kAtOnce); });
  if (!due.empty()) send(due);
}

void WebhookSender::send(const std::vector<Delivery>& due) {
  std::string secret;
  try {
    secret = options_.secret();
  } catch (const Error& error) {
    for (const Delivery& delivery : due) settle(delivery, std::nullopt, error.what());
    return;
  }
  HttpClient client(client_options(options_));
  for (const Delivery& delivery : due) {
    client.submit(request_of(delivery, secret, clock_.wall_micros()), [this, &delivery](const HttpOutcome& outcome) {
      if (const auto* reply = std::get_if<HttpReply>(&outcome)) {
        const bool taken = reply->status >= 200 && reply->status < 300;
        settle(delivery, reply->status, taken ? "" : "status " + std::to_string(reply->status));
      } else {
        settle(delivery, std::nullopt, std::get<HttpFailure>(outcome).message);
      }
    });
  }
  while (client.open() > 0) {
    client.step(100);
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;  // unsettled: sent again after the restart
  }
}

void WebhookSender::settle(const Delivery& delivery, std::optional<std::int64_t> status, const std::string& failure) {
  if (failure.empty()) {
    store_.write([&](Writer& writer) { settle_delivered(writer, delivery.id, status.value_or(200)); });
    return;
  }
  const auto delay = webhook_delay(delivery.attempts + 1);
  if (!delay) logger_.warning("webhook " + std::to_string(delivery.webhook) + " gave up a delivery: " + failure);
  store_.write([&](Writer& writer) {
    settle_undelivered(writer, delivery.id, status, failure,
                       delay ? std::optional(writer.now() + *delay) : std::nullopt);
  });
}

}  // namespace cutd
