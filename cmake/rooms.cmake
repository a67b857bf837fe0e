# SPDX-License-Identifier: MIT
#
# threadingpp_room(<name> [<room below>...]): the sources of one layer as the static library threadingpp_<name>.
# The link interface follows the dependency table of ARCHITECTURE.md; tools/check_layers.py holds includes to it.

find_package(Threads REQUIRED)
set_property(GLOBAL PROPERTY THREADINGPP_ROOMS "")

# What every translation unit of the library is compiled with, and so must be whoever links its rooms.
add_library(threadingpp_common INTERFACE)
target_compile_features(threadingpp_common INTERFACE cxx_std_20)
target_include_directories(threadingpp_common INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(threadingpp_common INTERFACE Threads::Threads)

if(THREADINGPP_PARKER STREQUAL "condvar")
  target_compile_definitions(threadingpp_common INTERFACE THREADING_PARKER_CONDVAR)
elseif(NOT THREADINGPP_PARKER STREQUAL "futex")
  message(FATAL_ERROR "THREADINGPP_PARKER is '${THREADINGPP_PARKER}'; it may be futex or condvar")
endif()

if(THREADINGPP_BACKEND STREQUAL "schedule")
  target_compile_definitions(threadingpp_common INTERFACE THREADING_BACKEND_SCHEDULE)
  target_include_directories(threadingpp_common INTERFACE ${PROJECT_SOURCE_DIR}/tests)
elseif(NOT THREADINGPP_BACKEND STREQUAL "native")
  message(FATAL_ERROR "THREADINGPP_BACKEND is '${THREADINGPP_BACKEND}'; it may be native or schedule")
endif()

function(threadingpp_room name)
  # A new source in a room is picked up by the next build without a line here.
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(sources)
    add_library(threadingpp_${name} STATIC ${sources})
    set_target_properties(threadingpp_${name} PROPERTIES
      CXX_VISIBILITY_PRESET hidden
      VISIBILITY_INLINES_HIDDEN ON
      POSITION_INDEPENDENT_CODE ON)
    target_compile_options(threadingpp_${name} PRIVATE -fno-semantic-interposition)
    threadingpp_warnings(threadingpp_${name})
    # Half of what these files take to compile are the standard library's headers. Not for who builds the library alone,
    # as the test consumer/add_subdirectory does: there each file must include what it needs.
    if(THREADINGPP_BUILD_TESTS AND name STREQUAL "base")
      target_precompile_headers(threadingpp_base PRIVATE
        <algorithm> <chrono> <functional> <memory> <optional> <stop_token> <string> <utility> <vector>)
    elseif(THREADINGPP_BUILD_TESTS)
      target_precompile_headers(threadingpp_${name} REUSE_FROM threadingpp_base)
    endif()
    set_property(GLOBAL APPEND PROPERTY THREADINGPP_ROOMS ${name})
    set(scope PUBLIC)
  else()
    add_library(threadingpp_${name} INTERFACE)  # a room of headers only
    set(scope INTERFACE)
  endif()
  list(TRANSFORM ARGN PREPEND threadingpp_ OUTPUT_VARIABLE below)
  target_link_libraries(threadingpp_${name} ${scope} threadingpp_common ${below})
endfunction()
