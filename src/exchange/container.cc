#include "exchange/container.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "core/blanks.h"
#include "core/error.h"
#include "core/files.h"

namespace cutd {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: the gzip format

struct Unpacker {
  Unpacker() {
    if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw Error(ErrorCode::kResource, "zlib cannot start");
  }
  ~Unpacker() { inflateEnd(&stream); }
  z_stream stream{};
};

std::vector<RawRecord> list_records(const std::string& text, const std::string& name) {
  const Json list = parse_json(text, name, 64);
  std::vector<RawRecord> records;
  for (const Json& value : list) records.push_back({value, name + ": record " + std::to_string(records.size())});
  return records;
}

std::vector<RawRecord> line_records(const std::string& text, const std::string& name) {
  std::vector<RawRecord> records;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    const std::string origin = name + ":" + std::to_string(++number);
    if (!is_blank(line)) records.push_back({parse_json(line, origin, 64), origin});
    at = end + 1;
  }
  return records;
}

}  // namespace

std::string gunzip(std::string_view bytes, const std::string& origin, std::size_t max_bytes) {
  Unpacker unpacker;
  z_stream& stream = unpacker.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  std::size_t left = bytes.size();
  std::string text;
  std::vector<char> buffer(1 << 16);
  for (bool member_ended = false;;) {
    if (stream.avail_in == 0 && left > 0) {
      stream.avail_in = static_cast<uInt>(std::min(left, std::size_t{1} << 30));
      left -= stream.avail_in;
    }
    if (member_ended && stream.avail_in == 0) return text;
    if (member_ended) inflateReset(&stream);  // files joined by cat have several members
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END)
      throw Error(ErrorCode::kBadInput, origin + ": the gzip data are damaged or cut off");
    text.append(buffer.data(), buffer.size() - stream.avail_out);
    if (text.size() > max_bytes)
      throw Error(ErrorCode::kBadInput, origin + ": more than " + std::to_string(max_bytes) + " bytes when unpacked");
    member_ended = code == Z_STREAM_END;
  }
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw Error(ErrorCode::kResource, "zlib cannot start");
  std::string packed;
  std::array<char, 1 << 16> buffer;
  std::size_t at = 0;
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    const std::size_t part = std::min(bytes.size() - at, std::size_t{1} << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
    stream.avail_in = static_cast<uInt>(part);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    code = deflate(&stream, at + part == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    at += part - stream.avail_in;
    packed.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  return packed;
}

std::vector<RawRecord> read_records(const std::filesystem::path& path, std::size_t max_bytes) {
  std::string text = read_file(path);
  if (text.starts_with("\x1f\x8b")) text = gunzip(text, path.string(), max_bytes);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string::npos) throw Error(ErrorCode::kBadInput, path.string() + ": holds no records");
  std::vector<RawRecord> records =
      text[first] == '[' ? list_records(text, path.string()) : line_records(text, path.string());
  if (records.empty()) throw Error(ErrorCode::kBadInput, path.string() + ": holds no records");
  for (const RawRecord& record : records) {
    if (!record.value.is_object())
      throw Error(ErrorCode::kBadInput, record.origin + ": must be an object, not " + record.value.type_name());
  }
  return records;
}

void write_records(const std::filesystem::path& path, const std::vector<Json>& records) {
  std::filesystem::path name = path;
  const bool packed = name.extension() == ".gz";
  if (packed) name.replace_extension();
  std::string text;
  if (name.extension() == ".jsonl") {
    for (const Json& record : records) text += to_json_text(record) + "\n";
  } else if (name.extension() == ".json") {
    text = to_json_text(Json(records), 2) + "\n";
  } else {
    throw Error(ErrorCode::kUsage, path.string() + ": the name must end in .json, .jsonl, .json.gz or .jsonl.gz");
  }
  write_file_durably(path, packed ? gzip(text) : text);
}

}  // namespace cutd
