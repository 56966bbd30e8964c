// Which of two outputs a judge is shown first: AlpacaEval's RandomSwitchTwoColumnsProcessor, bit for bit.
#pragma once

#include <cstdint>
#include <string_view>

namespace cutd {

// True: output_2 is shown in the first place, and the preference is turned back as 3 - x. Depends on the instruction
// and the seed alone: CPython's random.Random("is_switched_outputs" + instruction + str(seed)).choices([False, True]).
bool shows_second_output_first(std::string_view instruction, std::int64_t seed = 0);

}  // namespace cutd
