# headroom_embed(<room> <file or folder>...)
#
# The files (those of a folder, without its subfolders) as part of the room's library: see
# src/server/assets.h. Made when one of them changes, by this same file run as a script, so that
# nothing but CMake is needed.
function(headroom_embed room)
  set(files)
  foreach(each ${ARGN})
    if(IS_DIRECTORY ${each})
      file(GLOB found CONFIGURE_DEPENDS LIST_DIRECTORIES false ${each}/*)
      list(APPEND files ${found})
    else()
      list(APPEND files ${each})
    endif()
  endforeach()
  set(made ${CMAKE_CURRENT_BINARY_DIR}/embedded/${room}.cpp)
  add_custom_command(OUTPUT ${made}
    COMMAND ${CMAKE_COMMAND} -D "OUT=${made}" -D "FILES=${files}" -P ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/Embed.cmake
    COMMENT "Embedding the dashboard" VERBATIM)
  target_sources(headroom_${room} PRIVATE ${made})
endfunction()

# As a script: OUT and FILES are set.
if(CMAKE_SCRIPT_MODE_FILE AND DEFINED OUT)
  # Appends the file's bytes to `code` as an array of that name.
  function(append_array name file)
    file(READ ${file} hex HEX)
    if(file MATCHES "\\.gz$") # without its time: the same file is the same bytes
      string(REGEX REPLACE "^(1f8b08..)........" "\\100000000" hex "${hex}")
    endif()
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
      "\\1\n" bytes "${bytes}") # lines that an editor can bear
    set(code "${code}const unsigned char ${name}[] = {${bytes}0};\n" PARENT_SCOPE)
  endfunction()

  set(code "// Made by cmake/Embed.cmake.\n#include \"server/assets.h\"\n\n")
  string(APPEND code "namespace headroom::server {\nnamespace {\n\n")
  string(APPEND code "template <std::size_t N>\nstd::string_view text(const unsigned char (&bytes)[N]) {\n")
  string(APPEND code "  return {reinterpret_cast<const char*>(bytes), N - 1};  // a 0 is added\n}\n\n")
  set(rows "")
  set(at 0)
  foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    file(SHA256 ${file} sum)
    string(SUBSTRING ${sum} 0 32 sum)
    append_array(kBytes${at} ${file})
    file(ARCHIVE_CREATE OUTPUT ${OUT}.gz PATHS ${file} FORMAT raw COMPRESSION GZip)
    append_array(kGzip${at} ${OUT}.gz)
    file(REMOVE ${OUT}.gz)
    string(APPEND rows "    {\"${name}\", \"${sum}\", text(kBytes${at}), text(kGzip${at})},\n")
    math(EXPR at "${at} + 1")
  endforeach()
  string(APPEND code "\nconst Asset kAll[] = {\n${rows}};\n\n}  // namespace\n\n")
  string(APPEND code "const std::span<const Asset> kAssets = kAll;\n\n}  // namespace headroom::server\n")
  file(WRITE ${OUT} "${code}")
endif()
