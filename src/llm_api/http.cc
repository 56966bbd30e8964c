#include "llm_api/http.h"

namespace cutd {

std::string_view HttpReply::header(std::string_view name) const {
  for (const HttpHeader& header : headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

const char* http_failure_name(HttpFailureKind kind) {
  switch (kind) {
    case HttpFailureKind::kRefused: return "refused";
    case HttpFailureKind::kResolve: return "resolve";
    case HttpFailureKind::kConnect: return "connect";
    case HttpFailureKind::kCertificate: return "certificate";
    case HttpFailureKind::kTls: return "tls";
    case HttpFailureKind::kTimeout: return "timeout";
    case HttpFailureKind::kInterrupted: return "interrupted";
    case HttpFailureKind::kTooLarge: return "too_large";
    case HttpFailureKind::kGarbled: return "garbled";
    case HttpFailureKind::kCancelled: return "cancelled";
  }
  return "interrupted";
}

}  // namespace cutd
