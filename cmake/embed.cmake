# cutd_embed(TARGET DIR [STEM NAME] [ONLY FILE]): every file under DIR is placed in the binary by .incbin and listed in
#   std::span<const cutd::EmbeddedFile> cutd::embedded_<target>(), or embedded_NAME()
# (name relative to DIR; declared in core/embedded.h by CUTD_DECLARE_EMBEDDED).
function(cutd_embed target directory)
  cmake_parse_arguments(ARG "" "STEM;ONLY" "" ${ARGN})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${directory}
       ${CMAKE_SOURCE_DIR}/${directory}/*)
  if(ARG_ONLY)
    set(files ${ARG_ONLY})
  endif()
  list(SORT files)
  string(REPLACE "_lib" "" stem ${target})
  if(ARG_STEM)
    set(stem ${ARG_STEM})
  endif()
  set(assembly ".section .rodata\n")
  set(externs "")
  set(rows "")
  set(index 0)
  set(paths "")
  foreach(file IN LISTS files)
    set(path ${CMAKE_SOURCE_DIR}/${directory}/${file})
    set(symbol cutd_embedded_${stem}_${index})
    string(APPEND assembly
      ".global ${symbol}\n.global ${symbol}_end\n${symbol}:\n.incbin \"${path}\"\n${symbol}_end:\n.byte 0\n")
    string(APPEND externs "extern \"C\" const char ${symbol}[];\nextern \"C\" const char ${symbol}_end[];\n")
    string(APPEND rows
      "    {\"${file}\", {${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}},\n")
    list(APPEND paths ${path})
    math(EXPR index "${index} + 1")
  endforeach()
  string(APPEND assembly ".section .note.GNU-stack,\"\",@progbits\n")
  set(output ${CMAKE_BINARY_DIR}/embedded/${stem})
  file(CONFIGURE OUTPUT ${output}.S CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT ${output}.cc CONTENT
"#include \"core/embedded.h\"
#include <vector>
${externs}
namespace cutd {
std::span<const EmbeddedFile> embedded_${stem}() {
  static const std::vector<EmbeddedFile> files = {
${rows}  };
  return files;
}
}  // namespace cutd
" @ONLY)
  set_source_files_properties(${output}.S PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE ${output}.S ${output}.cc)
endfunction()
