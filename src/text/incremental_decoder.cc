#include "text/incremental_decoder.h"

#include "native/cutd_native.h"
#include "text/native_result.h"

namespace cutd {

void IncrementalDecoder::Free::operator()(CutdDecoder* decoder) const { cutd_decoder_free(decoder); }

IncrementalDecoder::IncrementalDecoder(const Tokenizer& tokenizer, bool skip_special_tokens) {
  CutdDecoder* decoder = nullptr;
  NativeResult result;
  const int code = cutd_decoder_new(tokenizer.handle_.get(), skip_special_tokens, &decoder, result.out());
  decoder_.reset(decoder);
  result.check(code, "cannot start decoding");
}

std::string IncrementalDecoder::push(TokenId id) { return push(std::span<const TokenId>(&id, 1)); }

std::string IncrementalDecoder::push(std::span<const TokenId> ids) {
  NativeResult result;
  result.check(cutd_decoder_push(decoder_.get(), ids.data(), ids.size(), result.out()), "cannot decode the ids");
  return std::string(result.bytes());
}

std::string IncrementalDecoder::finish() {
  NativeResult result;
  result.check(cutd_decoder_finish(decoder_.get(), result.out()), "cannot decode the ids");
  return std::string(result.bytes());
}

}  // namespace cutd
