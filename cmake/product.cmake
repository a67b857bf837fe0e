# SPDX-License-Identifier: MIT
#
# The libraries that users link: threadingpp::threadingpp (shared) and threadingpp::static.

get_property(rooms GLOBAL PROPERTY THREADINGPP_ROOMS)
list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:threadingpp_\\1>" OUTPUT_VARIABLE objects)
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.hpp)

add_library(threadingpp SHARED ${objects})
add_library(threadingpp_static STATIC ${objects})
add_library(threadingpp::threadingpp ALIAS threadingpp)
add_library(threadingpp::static ALIAS threadingpp_static)

foreach(library threadingpp threadingpp_static)
  target_sources(${library} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  target_compile_features(${library} PUBLIC cxx_std_20)
  target_link_libraries(${library} PUBLIC Threads::Threads PRIVATE ${THREADINGPP_BACKTRACE} ${CMAKE_DL_LIBS})
  # The sources are objects of other targets, so nothing else tells which linker to use.
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
endforeach()

set_target_properties(threadingpp PROPERTIES
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR})
set_target_properties(threadingpp_static PROPERTIES
  OUTPUT_NAME threadingpp
  EXPORT_NAME static
  EXCLUDE_FROM_ALL $<NOT:$<BOOL:${THREADINGPP_INSTALL}>>)
# What reads debugging information for trace events is nobody else's to call.
target_link_options(threadingpp PRIVATE -Wl,--exclude-libs,libbacktrace.a)
if(NOT THREADINGPP_SANITIZE)  # a sanitizer's runtime comes with the executable
  target_link_options(threadingpp PRIVATE -Wl,--no-undefined)
endif()
