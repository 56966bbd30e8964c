# Precompiled headers, with GCC: ATen for LibTorch's files; for the tests GoogleTest, JSON and fmt. Those still include what
# they use: the preset `alone` has neither these nor units, which shows it. The other files go without: with -O2 GCC
# forgets that what it precompiled are system headers, and warns of libstdc++. Clang goes without: its precompiled header
# names absolute paths, so that the compiler cache would know nothing in a second clone.
set(common_headers <nlohmann/json.hpp> <fmt/format.h> <algorithm> <array> <atomic> <charconv> <chrono> <cmath>
    <condition_variable> <cstdint> <deque> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional> <set>
    <span> <sstream> <stop_token> <string> <string_view> <thread> <utility> <variant> <vector>)

# cutd_add_pch(NAME HEADERS...): a header that cutd_precompile() reuses.
function(cutd_add_pch name)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC ${CUTD_WARNINGS})  # GCC takes a PCH only under equal -Wpedantic
  target_link_libraries(${name} PRIVATE nlohmann_json fmt_headers)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

if(CUTD_ENGINE)  # one for every LibTorch translation unit (388 MB, 23 s to make)
  cutd_add_pch(torch_pch <ATen/ATen.h> <ATen/Parallel.h> <ATen/core/grad_mode.h>)
  target_link_libraries(torch_pch PRIVATE torch::cpu)
  target_compile_options(torch_pch PRIVATE -fopenmp)
endif()
if(CUTD_TESTS AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  cutd_add_pch(test_pch <gmock/gmock.h> <gtest/gtest.h> ${common_headers})
  target_compile_options(test_pch PRIVATE ${CUTD_TEST_OPTIONS})
  target_link_libraries(test_pch PRIVATE GTest::gmock)
endif()

# cutd_precompile(TARGET torch_pch|test_pch)
function(cutd_precompile target pch)
  if(NOT TARGET ${pch})
    return()
  endif()
  # Programs are compiled with -fPIE by default, which a header precompiled with -fPIC does not fit.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  target_link_libraries(${target} PRIVATE fmt_headers)
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()
