# What every target is compiled with, and what makes compiling quick.

# Ours alone: the system's headers are included as such and do not warn.
add_library(headroom_flags INTERFACE)
target_compile_options(headroom_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-align -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 inside the standard library at -O2 (bugs 105329, 105562).
  target_compile_options(headroom_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
  # A source in a batch (Batches.cmake) looks to it like a header.
  target_compile_options(headroom_flags INTERFACE -Wno-subobject-linkage)
endif()

set(HEADROOM_SANITIZE "" CACHE STRING "address,undefined or thread or nothing")
if(HEADROOM_SANITIZE)
  add_compile_options(-fsanitize=${HEADROOM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HEADROOM_SANITIZE})
  if(HEADROOM_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan) # Asio has fences, which g++ says it does not follow
  endif()
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # The sloppiness is what ccache asks for where headers are precompiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()
find_program(MOLD mold)
if(MOLD AND NOT HEADROOM_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()
find_package(Threads REQUIRED)
