// Batches of chat requests: OpenAI Batch and Anthropic Message Batches as pure functions (reference: interfaces.md
// sections 2 and 3). Half the price, an answer within a day, and no duplicate: a batch whose creation's answer was lost
// is found again by the name that it carries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llm_api/wire_format.h"

namespace cutd {

struct BatchItem {
  std::string custom_id;  // 1 to 64 of A-Z a-z 0-9 _ -
  ChatRequest chat;
};

// The JSON Lines of an OpenAI batch; of an Anthropic one the list of requests.
std::string batch_input(WireFormat format, const std::vector<BatchItem>& items);

// OpenAI only: uploads the input; the reply holds a file's id. Costs nothing, so that it may be repeated.
HttpRequest batch_upload_request(const ChatEndpoint& endpoint, const std::string& name, const std::string& input);
std::string read_file_id(const Json& reply);  // Error(kBadInput) for another shape

// Creates the batch: the one request that costs. `name` travels in OpenAI's metadata; Anthropic has none, there the
// custom ids must begin with it.
HttpRequest batch_create_request(const ChatEndpoint& endpoint, const std::string& name,
                                 const std::string& file_or_input);

HttpRequest batch_get_request(const ChatEndpoint& endpoint, const std::string& id);
// Newest first, a hundred a page; `after`: the last id of the page before, or empty.
HttpRequest batch_list_request(const ChatEndpoint& endpoint, const std::string& after);

struct BatchState {
  std::string id;
  std::string name;                       // OpenAI: from its metadata
  std::string status;                     // the provider's word
  bool ended = false;                     // nothing more will come: results may be fetched
  std::int64_t requests = 0;              // in all; 0: not said yet
  std::string created_at;                 // "2026-11-24T03:51:07..."; empty: not said
  std::string failure;                    // why it never ran; empty: it did
  std::vector<std::string> result_files;  // OpenAI: outputs, then errors
};
// Error(kBadInput) for another shape.
BatchState read_batch(WireFormat format, const Json& reply);
struct BatchPage {
  std::vector<BatchState> batches;
  bool more = false;
};
BatchPage read_batch_page(WireFormat format, const Json& reply);

// The requests whose bodies hold the results. Never to a URL that a reply names: the key goes with it.
std::vector<HttpRequest> batch_result_requests(const ChatEndpoint& endpoint, const BatchState& batch);

struct BatchResult {
  std::string custom_id;
  int status = 0;      // HTTP of the one request; 0: it was never run (expired, cancelled) and costs nothing
  std::string body;    // JSON, as a single request's reply would be
  std::string reason;  // of status 0
};
// Lines in any order. Error(kBadInput) naming the line.
std::vector<BatchResult> read_batch_results(WireFormat format, const std::string& lines);

}  // namespace cutd
