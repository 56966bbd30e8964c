// Delimiters in text from outside. A judging prompt shows an instruction, a response and perhaps a reference in
// sections; none of them may end its section or begin another one (reliability P35), however it writes the marker:
// case, blanks, invisible and look-alike characters do not hide it. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cutd {

// The lines of a template that stand directly before and after a place ({{name}}) that shows a text from outside:
// "### Response:", "</response>". Only what looks like one: three bytes at
// least, and a heading, a tag, a rule, or a label that ends with a colon. Those beside {{item}} are none.
std::vector<std::string> section_markers(const std::string& text);

// The training template's delimiters and the control tokens of common chat templates.
const std::vector<std::string>& common_markers();

// `text` with each of `markers` broken wherever it stands. A marker that begins with hashes keeps one of them, any
// other gets a blank after its first character. Text without markers is returned unchanged.
std::string break_markers(std::string_view text, const std::vector<std::string>& markers);

// How often one of `markers` stands in `text`.
std::size_t count_markers(std::string_view text, const std::vector<std::string>& markers);

}  // namespace cutd
