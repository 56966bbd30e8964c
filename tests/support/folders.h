#pragma once
#include <filesystem>

namespace cutd {

// The folder of the sources, and that of the built programs. CMake writes the one file that knows them
// (BUILD/folders.cc): what the compiler cache holds of every other file serves any clone.
std::filesystem::path source_folder();
std::filesystem::path program_folder();

}  // namespace cutd
