#include "evaluation/output_order.h"

#include <string>

#include "core/python_random.h"

namespace cutd {

bool shows_second_output_first(std::string_view instruction, std::int64_t seed) {
  const std::string key = "is_switched_outputs" + std::string(instruction) + std::to_string(seed);
  return PythonRandom(key).next_double() * 2 >= 1;
}

}  // namespace cutd
