#include "pairwise/python_literal.h"

#include <cctype>
#include <charconv>
#include <string>

#include "core/error.h"

namespace cutd {
namespace {

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | (code >> 18));
    text += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class LiteralReader {
 public:
  explicit LiteralReader(std::string_view text) : text_(text) {}

  Json read_all() {
    Json value = read_value(0);
    skip_blanks();
    if (at_ != text_.size()) fail("something follows the value");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::kBadInput, "not a Python literal: " + why + " at character " + std::to_string(at_));
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_blanks() {
    while (at_ < text_.size() && (std::isspace(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '#')) {
      if (text_[at_] == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      else ++at_;
    }
  }

  bool take(char wanted) {
    skip_blanks();
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  Json read_value(int depth) {
    if (depth > kMaxJsonDepth) fail("nested too deeply");
    skip_blanks();
    const char next = peek();
    if (next == '[') return read_list(']', depth);
    if (next == '(') return read_list(')', depth);
    if (next == '{') return read_dictionary(depth);
    if (next == '\'' || next == '"') return read_texts();
    if (std::isdigit(static_cast<unsigned char>(next)) != 0 || next == '-' || next == '+' || next == '.')
      return read_number();
    return read_word();
  }

  Json read_list(char close, int depth) {
    ++at_;
    Json list = Json::array();
    bool comma = false;
    while (!take(close)) {
      if (!list.empty() && !comma) fail("a comma is missing");
      list.push_back(read_value(depth + 1));
      comma = take(',');
    }
    if (close == ')' && list.size() == 1 && !comma) return list.front();  // parentheses alone make no tuple
    return list;
  }

  Json read_dictionary(int depth) {
    ++at_;
    Json object = Json::object();
    bool comma = true;
    while (!take('}')) {
      if (!comma) fail("a comma is missing");
      const Json key = read_value(depth + 1);
      if (!key.is_string()) fail("a key is no text");
      if (!take(':')) fail("a colon is missing");
      object[key.get<std::string>()] = read_value(depth + 1);
      comma = take(',');
    }
    return object;
  }

  Json read_texts() {  // texts side by side are one
    std::string text;
    do {
      text += read_text();
      skip_blanks();
    } while (peek() == '\'' || peek() == '"');
    return text;
  }

  std::string read_text() {
    const char quote = text_[at_];
    const std::string triple(3, quote);
    const bool is_long = text_.substr(at_).starts_with(triple);
    at_ += is_long ? 3 : 1;
    std::string text;
    for (;;) {
      if (at_ >= text_.size()) fail("a text does not end");
      if (is_long ? text_.substr(at_).starts_with(triple) : text_[at_] == quote) break;
      if (!is_long && text_[at_] == '\n') fail("a text does not end on its line");
      if (text_[at_] == '\\') read_escape(text);
      else text += text_[at_++];
    }
    at_ += is_long ? 3 : 1;
    return text;
  }

  void read_escape(std::string& text) {
    static constexpr std::string_view kLetters = "abfnrtv\\'\"";
    static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
    ++at_;
    const char letter = peek();
    if (letter == '\n') {
      ++at_;
    } else if (const auto found = kLetters.find(letter); letter != '\0' && found != std::string_view::npos) {
      text += kMeanings[found];
      ++at_;
    } else if (letter == 'x' || letter == 'u' || letter == 'U') {
      ++at_;
      append_utf8(text, read_code(letter == 'x' ? 2 : letter == 'u' ? 4 : 8, 16));
    } else if (letter >= '0' && letter <= '7') {
      std::size_t digits = 1;
      while (digits < 3 && at_ + digits < text_.size() && text_[at_ + digits] >= '0' && text_[at_ + digits] <= '7')
        ++digits;
      append_utf8(text, read_code(digits, 8));
    } else if (letter == 'N') {
      fail("a \\N escape");
    } else {
      text += '\\';  // an unknown escape stays as it is
    }
  }

  std::uint32_t read_code(std::size_t digits, int base) {
    std::uint32_t code = 0;
    const std::string_view part = text_.substr(at_, digits);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), code, base);
    if (part.size() != digits || error != std::errc() || end != part.data() + part.size()) fail("a broken escape");
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) fail("an escape that is no character");
    at_ += digits;
    return code;
  }

  Json read_number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.' ||
                                  text_[at_] == '-' || text_[at_] == '+'))
      ++at_;
    std::string_view part = text_.substr(begin, at_ - begin);
    if (part.front() == '+') part.remove_prefix(1);
    std::int64_t whole = 0;
    const char* last = part.data() + part.size();
    if (const auto [end, error] = std::from_chars(part.data(), last, whole); error == std::errc() && end == last)
      return whole;
    double value = 0;
    const auto [end, error] = std::from_chars(part.data(), last, value);
    if (part.empty() || error != std::errc() || end != last) fail("a broken number");
    return value;
  }

  Json read_word() {
    const std::pair<std::string_view, Json> words[] = {{"True", true}, {"False", false}, {"None", nullptr}};
    for (const auto& [word, value] : words) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      if (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '_') break;
      return value;
    }
    fail(at_ < text_.size() ? "unexpected text" : "the text ends too early");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Json parse_python_literal(std::string_view text) { return LiteralReader(text).read_all(); }

}  // namespace cutd
