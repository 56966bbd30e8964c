# Compiler settings for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)  # the daemon's sanitizer builds: half the time of GCC's
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -gline-tables-only -fno-omit-frame-pointer")
endif()

# ccache where present; the sloppiness settings are what GCC's precompiled headers need. Paths are taken
# relative to the checkout, so that a second clone or worktree finds what the first one compiled.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# Our own code only; third-party headers come in as SYSTEM.
set(CUTD_WARNINGS -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -Wno-missing-field-initializers)

# Tests run once for each time they are compiled: without optimising, instrumented ones compile in two thirds of the time.
# Not with LibTorch, whose precompiled header wants the options that it was made with.
set(CUTD_TEST_OPTIONS -O0)

if(CUTD_SANITIZE)
  add_compile_options(-fsanitize=${CUTD_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CUTD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    # Under its older name, and relative (to where Ninja compiles): ccache hashes the list's text and no path.
    file(RELATIVE_PATH ignorelist ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/cmake/sanitizer_ignorelist.txt)
    add_compile_options(-fsanitize-blacklist=${ignorelist})
    if(NOT CUTD_SANITIZE MATCHES thread)  # a third of the time in which a test program starts goes into relocating it
      add_link_options(-no-pie)
    endif()
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # GCC 12 reports false findings in instrumented std::variant and std::optional
    list(APPEND CUTD_WARNINGS -Wno-maybe-uninitialized)
    if(CUTD_SANITIZE MATCHES thread)
      list(APPEND CUTD_WARNINGS -Wno-tsan)
    endif()
  endif()
endif()
