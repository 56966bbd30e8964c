#include "llm_api/gzip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace cutd {

struct GzipReader::Stream {
  z_stream zlib{};
};

GzipReader::GzipReader() : stream_(std::make_unique<Stream>()) {
  constexpr int kGzipOnly = 16;
  if (::inflateInit2(&stream_->zlib, MAX_WBITS + kGzipOnly) != Z_OK) throw Error(ErrorCode::kResource, "out of memory");
}

GzipReader::~GzipReader() { ::inflateEnd(&stream_->zlib); }

GzipReader::State GzipReader::read(std::string_view bytes, std::string& output, std::size_t limit) {
  if (state_ == State::kEnd && !bytes.empty()) state_ = State::kBroken;
  if (state_ != State::kMore) return state_;
  z_stream& zlib = stream_->zlib;
  std::array<char, 16384> block;
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zlib.avail_in = static_cast<uInt>(bytes.size());
  do {
    zlib.next_out = reinterpret_cast<Bytef*>(block.data());
    zlib.avail_out = static_cast<uInt>(block.size());
    const int code = ::inflate(&zlib, Z_NO_FLUSH);
    const std::size_t made = block.size() - zlib.avail_out;
    if (made > limit - std::min(limit, output.size())) return state_ = State::kTooLarge;
    output.append(block.data(), made);
    if (code == Z_STREAM_END) return state_ = zlib.avail_in == 0 ? State::kEnd : State::kBroken;
    if (code != Z_OK && code != Z_BUF_ERROR) return state_ = State::kBroken;
  } while (zlib.avail_in > 0 || zlib.avail_out == 0);
  return state_;
}

}  // namespace cutd
