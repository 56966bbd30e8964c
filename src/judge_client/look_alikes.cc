#include "judge_client/look_alikes.h"

#include <algorithm>
#include <iterator>

namespace cutd {
namespace {

struct LookAlike {
  char32_t character;
  char32_t ascii;
};

// By character.
constexpr LookAlike kLookAlikes[] = {
    {0x131, 'i'},  {0x17F, 's'},  {0x1C0, '|'},  {0x251, 'a'},  {0x261, 'g'},  {0x2D0, ':'},                 // Latin
    {0x391, 'a'},  {0x392, 'b'},  {0x395, 'e'},  {0x396, 'z'},  {0x397, 'h'},  {0x399, 'i'},  {0x39A, 'k'},  // Greek
    {0x39C, 'm'},  {0x39D, 'n'},  {0x39F, 'o'},  {0x3A1, 'p'},  {0x3A4, 't'},  {0x3A5, 'y'},  {0x3A7, 'x'},  //
    {0x3B1, 'a'},  {0x3B9, 'i'},  {0x3BA, 'k'},  {0x3BD, 'v'},  {0x3BF, 'o'},  {0x3C1, 'p'},  {0x3C5, 'u'},  //
    {0x405, 's'},  {0x406, 'i'},  {0x408, 'j'},  {0x410, 'a'},  {0x412, 'b'},  {0x415, 'e'},  {0x41A, 'k'},  // Cyrillic
    {0x41C, 'm'},  {0x41D, 'h'},  {0x41E, 'o'},  {0x420, 'p'},  {0x421, 'c'},  {0x422, 't'},  {0x423, 'y'},  //
    {0x425, 'x'},  {0x430, 'a'},  {0x435, 'e'},  {0x43A, 'k'},  {0x43C, 'm'},  {0x43E, 'o'},  {0x440, 'p'},  //
    {0x441, 'c'},  {0x442, 't'},  {0x443, 'y'},  {0x445, 'x'},  {0x455, 's'},  {0x456, 'i'},  {0x458, 'j'},  //
    {0x4BB, 'h'},  {0x501, 'd'},  {0x51B, 'q'},  {0x51D, 'w'},                                               //
    {0x570, 'h'},  {0x578, 'n'},  {0x57D, 'u'},  {0x585, 'o'},  {0x589, ':'},  {0x5C3, ':'},   // Armenian, Hebrew
    {0x1433, '>'}, {0x1438, '<'},                                                              // Canadian syllables
    {0x2039, '<'}, {0x203A, '>'}, {0x2044, '/'}, {0x2215, '/'}, {0x2223, '|'}, {0x2236, ':'},  // signs
    {0x22D5, '#'}, {0x2317, '#'}, {0x2502, '|'}, {0x266F, '#'}, {0x2758, '|'}, {0x27E8, '<'},  //
    {0x27E9, '>'}, {0x29F8, '/'}, {0x3008, '<'}, {0x3009, '>'}, {0xA789, ':'}, {0xFE13, ':'},  //
    {0xFE55, ':'}, {0xFE5F, '#'}, {0xFE64, '<'}, {0xFE65, '>'}, {0xFFE8, '|'},                 //
};

// Of an alphabet of 26 letters that begins at `first`.
char32_t letter(char32_t c, char32_t first) { return 'a' + (c - first) % 26; }

}  // namespace

char32_t ascii_look(char32_t c) {
  if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;                  // full-width
  if (c >= 0x1D400 && c <= 0x1D6A3) return letter(c, 0x1D400);  // mathematical: thirteen alphabets, both cases
  if (c >= 0x24B6 && c <= 0x24E9) return letter(c, 0x24B6);     // circled
  if (c >= 'A' && c <= 'Z') return c + ('a' - 'A');
  if (c < 0x80) return c;
  const auto found = std::lower_bound(std::begin(kLookAlikes), std::end(kLookAlikes), c,
                                      [](const LookAlike& one, char32_t value) { return one.character < value; });
  return found != std::end(kLookAlikes) && found->character == c ? found->ascii : c;
}

}  // namespace cutd
