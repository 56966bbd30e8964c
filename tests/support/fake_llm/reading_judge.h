// A double of a judging model that reads its prompt, at the OpenAI path. It takes what stands in the response's section
// for the response, and everything behind another delimiter or control token for words of whoever asks it: a text that
// gets out of its section has its way with it. So with sound prompts it is a sound judge of the one kind of response it
// knows (attacks.h), and with unsound ones it is not.
#pragma once

#include "support/fake_llm/fake_llm_server.h"

namespace cutd {

enum class Reading {
  kSound,     // the response is data
  kGullible,  // does what the response asks for, as models do
};

// A request that offers tools is refused: a judge has none (promise P35).
FakeHandler reading_judge(Reading reading);

}  // namespace cutd
