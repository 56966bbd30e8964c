#include "weights/ggml_types.h"

#include <array>
#include <string>

#include "weights/gguf.h"

namespace cutd {
namespace {

constexpr std::array<GgmlType, 34> kTypes = {{
    {0, "F32", true, 1, 4},      {1, "F16", true, 1, 2},       {2, "Q4_0", true, 32, 18},
    {3, "Q4_1", true, 32, 20},   {6, "Q5_0", false, 0, 0},     {7, "Q5_1", false, 0, 0},
    {8, "Q8_0", true, 32, 34},   {9, "Q8_1", false, 0, 0},     {10, "Q2_K", false, 0, 0},
    {11, "Q3_K", false, 0, 0},   {12, "Q4_K", false, 0, 0},    {13, "Q5_K", false, 0, 0},
    {14, "Q6_K", false, 0, 0},   {15, "Q8_K", false, 0, 0},    {16, "IQ2_XXS", false, 0, 0},
    {17, "IQ2_XS", false, 0, 0}, {18, "IQ3_XXS", false, 0, 0}, {19, "IQ1_S", false, 0, 0},
    {20, "IQ4_NL", false, 0, 0}, {21, "IQ3_S", false, 0, 0},   {22, "IQ2_S", false, 0, 0},
    {23, "IQ4_XS", false, 0, 0}, {24, "I8", false, 0, 0},      {25, "I16", false, 0, 0},
    {26, "I32", false, 0, 0},    {27, "I64", false, 0, 0},     {28, "F64", false, 0, 0},
    {29, "IQ1_M", false, 0, 0},  {30, "BF16", true, 1, 2},     {34, "TQ1_0", false, 0, 0},
    {35, "TQ2_0", false, 0, 0},  {39, "MXFP4", false, 0, 0},   {40, "NVFP4", false, 0, 0},
    {41, "Q1_0", false, 0, 0},
}};

}  // namespace

const GgmlType* find_ggml_type(std::uint32_t number) {
  for (const GgmlType& type : kTypes) {
    if (type.number == number) return &type;
  }
  return nullptr;
}

std::string ggml_type_name(std::uint32_t type) {
  const GgmlType* row = find_ggml_type(type);
  return row != nullptr ? row->name : "type " + std::to_string(type);
}

}  // namespace cutd
