# Precompiled headers: ATen for LibTorch's files, always; for the others JSON, fmt and GoogleTest, whose parsing is half
# of what most of them cost. Those still include what they use: the lint preset has neither it nor unity builds, which
# shows it. GCC takes the tests' header alone: with -O2 it forgets that what it precompiled are system headers, and
# warns of libstdc++.
option(CUTD_PCH "Precompile the headers that most files include" ON)

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
if(CUTD_PCH AND CMAKE_CXX_COMPILER_ID MATCHES Clang)
  cutd_add_pch(source_pch ${common_headers})
  if(CUTD_DAEMON)
    cutd_add_pch(command_pch <CLI/CLI.hpp> ${common_headers})
    target_link_libraries(command_pch PRIVATE CLI11_headers)
  endif()
endif()
if(CUTD_PCH AND CUTD_TESTS)
  cutd_add_pch(test_pch <gmock/gmock.h> <gtest/gtest.h> ${common_headers})
  target_compile_options(test_pch PRIVATE ${CUTD_TEST_OPTIONS})
  target_link_libraries(test_pch PRIVATE GTest::gmock)
endif()

# cutd_precompile(TARGET torch_pch|source_pch|command_pch|test_pch)
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
