# headroom_room(<name> [ROOMS <room>...] [LINK <library>...])
#
# The folder src/<name> as the library headroom_<name>. Its headers are seen as
# "<name>/x.h", and only by the rooms that list it: each room's include folder
# is a folder of its own in the build tree with one link in it, so an include
# that points up finds no file. tests/layering holds that.
function(headroom_room name)
  cmake_parse_arguments(ROOM "" "" "ROOMS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$") # a program's, which links the room
  set(include ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${include}/${name} SYMBOLIC)

  headroom_batches(batches ${name} ${CMAKE_CURRENT_SOURCE_DIR} ${sources})
  add_library(headroom_${name} STATIC ${batches})
  target_include_directories(headroom_${name} PUBLIC ${include})
  list(TRANSFORM ROOM_ROOMS PREPEND headroom_)
  target_link_libraries(headroom_${name} PUBLIC ${ROOM_ROOMS} ${ROOM_LINK} PRIVATE headroom_flags)
endfunction()
