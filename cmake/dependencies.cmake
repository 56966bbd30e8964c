# Everything the project links that it did not write. scripts/setup puts it on the machine; the
# downloads live in CUTD_CACHE (outside the tree), keyed by version.
find_package(Threads REQUIRED)

if(DEFINED ENV{CUTD_CACHE_DIR})
  set(default_cache $ENV{CUTD_CACHE_DIR})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(default_cache $ENV{XDG_CACHE_HOME}/cutd)
else()
  set(default_cache $ENV{HOME}/.cache/cutd)
endif()
set(CUTD_CACHE ${default_cache} CACHE PATH "Folder of pinned downloads (scripts/setup)")

# Header-only libraries. CUTD_HEADERS overrides /usr/include on machines without the packages.
set(CUTD_HEADERS "" CACHE PATH "Folder with nlohmann/, CLI/ and fmt/ where Debian's packages are absent")
foreach(library nlohmann_json fmt_headers CLI11_headers)
  add_library(${library} INTERFACE)
  if(CUTD_HEADERS)
    target_include_directories(${library} SYSTEM INTERFACE ${CUTD_HEADERS})
  endif()
endforeach()
target_compile_definitions(fmt_headers INTERFACE FMT_HEADER_ONLY)

# --- The Rust text library: tokenizers, minijinja, YAML, SHA-256 behind a C ABI (src/native) -----
set(CUTD_NATIVE_LIBRARY "" CACHE FILEPATH "A ready libcutd_native.a (GPU machines have no cargo)")
add_library(native_text STATIC IMPORTED)
add_library(native::text ALIAS native_text)
set_target_properties(native_text PROPERTIES IMPORTED_NO_SYSTEM ON)  # src/ is ours: its headers get our warnings
target_include_directories(native_text INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(CUTD_NATIVE_LIBRARY)
  set_target_properties(native_text PROPERTIES IMPORTED_LOCATION ${CUTD_NATIVE_LIBRARY})
else()
  find_program(CARGO cargo REQUIRED)
  set(native_target ${CUTD_CACHE}/cargo-target)
  set(native_library ${CMAKE_BINARY_DIR}/libcutd_native.a)
  file(GLOB_RECURSE native_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/native/src/*.rs)
  # cargo's target folder is shared by every checkout; the copy pins the one this tree built.
  add_custom_command(
    OUTPUT ${native_library}
    COMMAND ${CMAKE_COMMAND} -E env CARGO_TARGET_DIR=${native_target}
            ${CARGO} build --release --locked --manifest-path ${CMAKE_SOURCE_DIR}/src/native/Cargo.toml
    COMMAND ${CMAKE_COMMAND} -E copy ${native_target}/release/libcutd_native.a ${native_library}
    DEPENDS ${native_sources} ${CMAKE_SOURCE_DIR}/src/native/Cargo.toml
            ${CMAKE_SOURCE_DIR}/src/native/Cargo.lock
    COMMENT "cargo build (text library)" USES_TERMINAL)
  add_custom_target(native_build DEPENDS ${native_library})
  set_target_properties(native_text PROPERTIES IMPORTED_LOCATION ${native_library})
  add_dependencies(native_text native_build)
endif()
target_link_libraries(native_text INTERFACE Threads::Threads dl m)

# --- LibTorch: imported targets over the PyPI wheel; no find_package(Torch) -----------------------
if(CUTD_ENGINE)
  set(CUTD_TORCH_SITE ${CUTD_CACHE}/torch-2.11.0 CACHE PATH "Folder that holds torch/ and nvidia/")
  set(torch_root ${CUTD_TORCH_SITE}/torch)
  if(NOT EXISTS ${torch_root}/lib/libtorch_cpu.so)
    message(FATAL_ERROR "LibTorch is not at ${torch_root}. Run scripts/setup, or pass "
                        "-DCUTD_TORCH_SITE=<site-packages folder that holds torch 2.11.0>.")
  endif()
  add_library(torch::c10 SHARED IMPORTED)
  set_target_properties(torch::c10 PROPERTIES IMPORTED_LOCATION ${torch_root}/lib/libc10.so)
  add_library(torch::cpu SHARED IMPORTED)
  set_target_properties(torch::cpu PROPERTIES
    IMPORTED_LOCATION ${torch_root}/lib/libtorch_cpu.so
    INTERFACE_LINK_LIBRARIES "torch::c10;Threads::Threads"
    INTERFACE_LINK_OPTIONS "-Wl,--unresolved-symbols=ignore-in-shared-libs")
  # Our own parallel loops must share LibTorch's OpenMP runtime: two would fight for the cores.
  file(GLOB torch_gomp ${torch_root}/lib/libgomp*.so*)
  if(torch_gomp)
    list(GET torch_gomp 0 torch_gomp)
    target_link_libraries(torch::cpu INTERFACE ${torch_gomp})
  else()
    target_link_libraries(torch::cpu INTERFACE gomp)
  endif()
  target_include_directories(torch::cpu SYSTEM INTERFACE
    ${torch_root}/include ${torch_root}/include/torch/csrc/api/include)
  set(CMAKE_BUILD_RPATH ${torch_root}/lib)
  set(CMAKE_INSTALL_RPATH ${torch_root}/lib)

  function(cutd_use_torch target visibility)
    target_link_libraries(${target} ${visibility} torch::cpu)
    target_compile_options(${target} PRIVATE -fopenmp)
    cutd_precompile(${target} torch_pch)
  endfunction()
endif()

# libcutd_cuda.so: the only code that includes CUDA headers. Compiled on every machine; it links the
# wheel's CUDA libraries, whose own dependencies are resolved where a GPU is.
function(cutd_cuda_plugin)
  find_path(CUTD_CUDA_INCLUDE cuda_runtime_api.h
    HINTS ${CUTD_TORCH_SITE}/nvidia/cu13/include /usr/local/cuda/include)
  if(NOT CUTD_CUDA_INCLUDE)
    message(FATAL_ERROR "CUDA's headers are not in ${CUTD_TORCH_SITE}/nvidia/cu13/include. Run scripts/setup, or pass "
                        "-DCUTD_CUDA_INCLUDE=<folder of cuda_runtime_api.h> or -DCUTD_CUDA=OFF.")
  endif()
  find_library(CUTD_CUDART NAMES libcudart.so.13 cudart
    HINTS ${CUTD_TORCH_SITE}/nvidia/cu13/lib /usr/local/cuda/lib64 REQUIRED)
  add_library(cutd_cuda MODULE ${CMAKE_SOURCE_DIR}/src/cuda/plugin.cc)
  set_target_properties(cutd_cuda PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  target_include_directories(cutd_cuda PRIVATE ${CMAKE_SOURCE_DIR}/src)
  # crt/ is a wheel of its own (nvidia-cuda-crt), which torch does not ask for: CUTD_HEADERS may bring it.
  target_include_directories(cutd_cuda SYSTEM PRIVATE ${CUTD_CUDA_INCLUDE} ${CUTD_CUDA_INCLUDE}/cccl ${CUTD_HEADERS})
  target_compile_options(cutd_cuda PRIVATE ${CUTD_WARNINGS})
  target_link_libraries(cutd_cuda PRIVATE torch::cpu
    ${CUTD_TORCH_SITE}/torch/lib/libtorch_cuda.so ${CUTD_TORCH_SITE}/torch/lib/libc10_cuda.so ${CUTD_CUDART})
  target_link_options(cutd_cuda PRIVATE -Wl,--unresolved-symbols=ignore-in-shared-libs)
endfunction()

# --- Daemon-only ---------------------------------------------------------------------------------
if(CUTD_DAEMON)
  # SQLite 3.54.1: the amalgamation inside the libsqlite3-sys crate (reliability finding 4).
  set(sqlite_source ${CUTD_CACHE}/sqlite-3.54.1)
  if(NOT EXISTS ${sqlite_source}/sqlite3.c)
    message(FATAL_ERROR "SQLite's source is not at ${sqlite_source}. Run scripts/setup.")
  endif()
  add_library(sqlite STATIC ${sqlite_source}/sqlite3.c)
  target_include_directories(sqlite SYSTEM PUBLIC ${sqlite_source})
  target_compile_options(sqlite PRIVATE -w -O2)   # in every build: half of what the store's tests do is in it
  if(CUTD_SANITIZE MATCHES undefined)             # what of its own it gets wrong is not ours to find
    target_compile_options(sqlite PRIVATE -fno-sanitize=undefined)
  endif()
  target_compile_definitions(sqlite PRIVATE
    SQLITE_DQS=0 SQLITE_THREADSAFE=2 SQLITE_DEFAULT_MEMSTATUS=0 SQLITE_DEFAULT_FOREIGN_KEYS=1
    SQLITE_LIKE_DOESNT_MATCH_BLOBS SQLITE_OMIT_DEPRECATED SQLITE_OMIT_SHARED_CACHE
    SQLITE_OMIT_LOAD_EXTENSION SQLITE_ENABLE_FTS5 SQLITE_ENABLE_API_ARMOR)
  target_link_libraries(sqlite PUBLIC Threads::Threads dl m)

  find_package(CURL 7.88 REQUIRED)
  find_package(ZLIB REQUIRED)         # replies are unpacked by us, so that a cut one is seen
  find_package(Boost 1.81 REQUIRED)   # headers only: Asio and Beast
  add_library(boost_headers INTERFACE)
  target_link_libraries(boost_headers INTERFACE Boost::headers)
  find_path(CUTD_SODIUM_INCLUDE sodium.h REQUIRED)
  find_library(CUTD_SODIUM NAMES libsodium.a sodium REQUIRED)
  add_library(sodium INTERFACE)
  target_include_directories(sodium SYSTEM INTERFACE ${CUTD_SODIUM_INCLUDE})
  target_link_libraries(sodium INTERFACE ${CUTD_SODIUM})
  find_library(CUTD_PROMETHEUS NAMES prometheus-cpp-core REQUIRED)  # its text serialiser alone
  add_library(prometheus_text INTERFACE)
  target_link_libraries(prometheus_text INTERFACE ${CUTD_PROMETHEUS})
  add_library(spdlog_headers INTERFACE)
  target_compile_definitions(spdlog_headers INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)
endif()

if(CUTD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
