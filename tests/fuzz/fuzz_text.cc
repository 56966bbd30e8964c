// A model folder's tokenizer and chat template. Their libraries are Rust: a panic there ends the process here.
#include "core/error.h"
#include "core/json.h"
#include "fuzz/driver.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "text/tokenizer_config.h"

using namespace cutd;

namespace {

template <typename Work>
void attempt(Work work) {
  try {
    work();
  } catch (const Error&) {
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  if (data[0] == 't') {
    attempt([&] {
      const Tokenizer tokenizer = Tokenizer::from_json(text, {}, "x");
      const std::vector<TokenId> ids = tokenizer.encode("Hello, world: \xC3\xA9\n", true);
      tokenizer.decode(ids, true);
    });
  } else if (data[0] == 'c') {
    attempt([&] { parse_tokenizer_config(parse_json(text, "x"), nullptr, "x"); });
  } else {
    attempt([&] {
      const ChatTemplate chat(text, {{"bos_token", "<s>"}, {"eos_token", "</s>"}}, "x");
      chat.render(Json::array({{{"role", "user"}, {"content", "Hi"}}}), {true});
    });
  }
  return 0;
}
