#include "core/error.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cutd {
namespace {

constexpr std::array<std::pair<ErrorCode, const char*>, 10> kNames = {{
    {ErrorCode::kUsage, "usage"},
    {ErrorCode::kBadInput, "bad_input"},
    {ErrorCode::kNotFound, "not_found"},
    {ErrorCode::kConflict, "conflict"},
    {ErrorCode::kBusy, "busy"},
    {ErrorCode::kUnavailable, "unavailable"},
    {ErrorCode::kResource, "resource"},
    {ErrorCode::kIo, "io"},
    {ErrorCode::kCancelled, "cancelled"},
    {ErrorCode::kInternal, "internal"},
}};

}  // namespace

const char* error_code_name(ErrorCode code) {
  for (const auto& [value, name] : kNames) {
    if (value == code) return name;
  }
  return "internal";
}

ErrorCode error_code_from_name(const std::string& name) {
  for (const auto& [value, known] : kNames) {
    if (name == known) return value;
  }
  return ErrorCode::kInternal;
}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kConflict: return kExitUsage;
    case ErrorCode::kBadInput:
    case ErrorCode::kNotFound: return kExitBadInput;
    case ErrorCode::kBusy: return kExitBusy;
    case ErrorCode::kUnavailable:
    case ErrorCode::kResource:
    case ErrorCode::kIo:
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal: return kExitUnexpected;
  }
  return kExitUnexpected;
}

void throw_errno(const std::string& what) {
  const int number = errno;
  ErrorCode code = ErrorCode::kIo;
  if (number == ENOSPC || number == EDQUOT || number == EMFILE || number == ENFILE) code = ErrorCode::kResource;
  if (number == ENOENT) code = ErrorCode::kNotFound;
  throw Error(code, what + ": " + std::strerror(number));
}

}  // namespace cutd
