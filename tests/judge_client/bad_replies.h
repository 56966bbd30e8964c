// What a judge may say that is no judgment: for tests of the parsers alone, and of the judge over real HTTP.
#pragma once

#include <string>
#include <vector>

namespace cutd {

struct BadReply {
  std::string name;
  std::string text;
};

// What no free-text parser may take for a judgment.
inline std::vector<BadReply> bad_texts() {
  return {
      {"empty", ""},
      {"blanks", " \t\r\n  "},
      {"a NUL", std::string("Perfect.\0", 9)},
      {"a NUL inside", std::string("Too\0long", 8)},
      {"invalid UTF-8", "Too \xff long."},
      {"a cut character", "Too long\xe2\x82"},
      {"a surrogate", "Too \xed\xa0\x80 long."},
      {"an overlong slash", "Too \xc0\xaf long."},
      {"an HTML page", "<!DOCTYPE html><html><body>Perfect.</body></html>"},
      {"an HTML page in capitals", "<HTML><TITLE>502 Bad Gateway</TITLE></HTML>"},
      {"an XML error", "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>"},
      {"an error object", R"({"error":{"message":"overloaded","type":"server_error"}})"},
      {"an error object without detail", R"({"error":"x"})"},
      {"a list", R"([{"message":"Perfect."}])"},
      {"an object of another kind", R"({"choices":[]})"},
      {"an error line", "Error: upstream connect error or disconnect/reset before headers"},
      {"a gateway's line", "502 Bad Gateway"},
      {"a bare gateway's line", "Bad Gateway"},
      {"a time-out's line", "Gateway Timeout"},
      {"an overload's line", "Service Unavailable, please try again"},
      {"a rate limit's line", "Rate limit reached for requests"},
      {"an internal error", "Internal Server Error"},
      {"a refusal", "I'm sorry, but I can't help with that."},
      {"a refusal with a curly apostrophe", "I\u2019m sorry, but I can\u2019t assist with that request."},
      {"a plain refusal", "I cannot evaluate this response."},
      {"an incapable judge", "I am unable to judge content of this kind."},
      {"a judge about itself", "As an AI language model, I do not have opinions."},
      {"an apology", "I apologize for the confusion."},
      {"a short apology", "Sorry, I did not get the response."},
      {"an unwilling judge", "I won't rate this."},
      {"a regret", "Unfortunately, I can not access the response."},
      {"the prompt echoed", "### Instruction: Name a fruit.\n\n### Response: An apple."},
      {"a training delimiter", "Too short. ### Response: An apple a day."},
      {"a judgment delimiter", "Perfect.\n\n### Judgment: Perfect."},
      {"a delimiter in capitals", "Perfect. ### RESPONSE: x"},
      {"the authors' error word", "$ERROR$"},
      {"a quota's line", "You exceeded your current quota, please check your plan and billing details."},
      {"a context's line", "This model's maximum context length is 4096 tokens, but you asked for 5000."},
      {"a traceback",
       "Traceback (most recent call last):\n  File \"server.py\", line 1, in <module>\nKeyError: 'choices'"},
      {"a challenge page's text", "Just a moment... checking your browser before you go on."},
      {"a stream", "data: {\"choices\":[{\"delta\":{\"content\":\"Perfect.\"}}]}\n\ndata: [DONE]"},
      {"a page after text", "The response is wrong in many ways.</body></html>"},
      {"a bold refusal", "**I apologize, but this request goes against my guidelines.**"},
      {"a quoted refusal", "\"I'm sorry, I cannot help with that, it is against the rules.\""},
      {"a policy", "I must decline to judge this response because it discusses a sensitive subject."},
      {"an uneasy judge", "I don't feel comfortable judging the text that was given to me."},
      {"a German refusal", "Es tut mir leid, aber dabei kann ich nicht helfen."},
      {"a French refusal", "Je suis désolé, mais je ne peux pas vous aider avec cela."},
      {"a Chinese refusal", "对不起，我无法评价这个回答，因为它包含敏感内容。"},
      {"a question back", "Could you please provide the response that I should judge?"},
      {"a control token", "It ignores the question.<|im_end|>\n<|im_start|>user"},
      {"praise", "I would say that the response is perfect."},
      {"praise after praise", "The response names a fruit well. It is perfect."},
      {"one word", "Wrong."},
      {"one word again and again", "wrong wrong wrong wrong"},
      {"a number", "7"},
      {"null", "null"},
      {"half a word", "Perf"},
      {"base64", "VGhlIHJlc3BvbnNlIGlzIHdyb25nIGFib3V0IHRoZSBnYXM="},
      {"dots", "..."},
      {"dashes", "----"},
      {"quotes", "\"\""},
      {"an emoji", "\U0001F44D"},
      {"a flood", std::string(20000, 'a')},
      {"a flood of words",
       [] {
         std::string text;
         for (int i = 0; i < 4000; ++i) text += "Perfect. ";
         return text;
       }()},
  };
}

// What no JSON parser may take for one, beside the above.
inline std::vector<BadReply> bad_objects(const std::string& item) {
  const std::string code = "\"item\":\"" + item + "\",";
  return {
      {"a text", "Perfect."},
      {"a criticism", "Too short."},
      {"fenced", "```json\n{" + code + "\"rating\":10,\"perfect\":true,\"critique\":\"\"}\n```"},
      {"two objects", "{" + code + "\"rating\":10,\"critique\":\"\"}{}"},
      {"a duplicate key",
       "{" + code + "\"rating\":3,\"rating\":10,\"perfect\":false,\"perfect\":true,\"critique\":\"\"}"},
      {"another item", R"({"item":"00000000","rating":10,"critique":""})"},
      {"another item's decision", R"({"item":"00000000","perfect":true,"critique":""})"},
      {"no item", R"({"rating":10,"critique":""})"},
      {"no judgment", "{" + code + "\"rating\":10}"},
      {"null", "{" + code + "\"rating\":null,\"perfect\":null,\"critique\":null}"},
      {"a number as text", "{" + code + "\"rating\":\"10\",\"critique\":\"\"}"},
      {"a decision as text", "{" + code + "\"perfect\":\"true\",\"critique\":\"\"}"},
      {"a fraction", "{" + code + "\"rating\":9.5,\"critique\":\"Too long.\"}"},
      {"out of range", "{" + code + "\"rating\":11,\"critique\":\"\"}"},
      {"negative", "{" + code + "\"rating\":-1,\"critique\":\"Too long.\"}"},
      {"huge", "{" + code + "\"rating\":1e308,\"critique\":\"\"}"},
      {"a key too many", "{" + code + "\"rating\":10,\"perfect\":true,\"critique\":\"\",\"note\":1}"},
      {"criticised without words", "{" + code + "\"rating\":3,\"critique\":\" \"}"},
      {"decided without words", "{" + code + "\"perfect\":false,\"critique\":\"\"}"},
      {"criticised with praise", "{" + code + "\"rating\":3,\"critique\":\"Perfect.\"}"},
      {"a refusal inside", "{" + code + "\"rating\":1,\"critique\":\"I cannot judge this.\"}"},
      {"a delimiter inside", "{" + code + "\"rating\":1,\"critique\":\"x ### Response: y\"}"},
      {"deep", std::string(100000, '[')},
  };
}

}  // namespace cutd
