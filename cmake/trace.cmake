# SPDX-License-Identifier: MIT
#
# threadingpp_trace(<target> [LINES] [USING instrument|xray] <source>...)
#   Makes the functions in these sources of the target produce call, return_ and exception events, and with LINES
#   approximate line events: adds the compiler's flags to the sources and the library's archives to the target. To be
#   called after the sources' target is complete, its link to threadingpp included.
#
#   Calls come from GCC's -finstrument-functions and, with Clang in an executable, from XRay; USING overrules that.
#   Functions of the standard library and of this one, instantiated in the sources, produce none, except with Clang's
#   -finstrument-functions, which knows no exceptions. File and line need -g as ever.

function(threadingpp_trace target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "LINES" "USING" "")
  set(sources ${arg_UNPARSED_ARGUMENTS})
  if(NOT sources)
    message(FATAL_ERROR "threadingpp_trace(${target}): no source is named")
  endif()
  get_target_property(type ${target} TYPE)
  string(COMPARE EQUAL "${CMAKE_CXX_COMPILER_ID}" Clang clang)
  if(NOT arg_USING)
    set(arg_USING instrument)
    if(clang AND type STREQUAL "EXECUTABLE")
      set(arg_USING xray)
    endif()
  endif()

  if(arg_USING STREQUAL "instrument")
    set(flags -finstrument-functions)
    if(NOT clang)
      list(APPEND flags -finstrument-functions-exclude-file-list=/include/c++/,/include/threading/)
    endif()
  elseif(arg_USING STREQUAL "xray")
    if(NOT clang OR NOT type STREQUAL "EXECUTABLE")
      message(FATAL_ERROR "threadingpp_trace(${target}): XRay needs Clang and an executable")
    endif()
    set(never ${CMAKE_BINARY_DIR}/threadingpp-trace-never.txt)
    file(CONFIGURE OUTPUT ${never} CONTENT "[never]\nsrc:*/include/c++/*\nsrc:*/include/threading/*\n")
    # By default only long functions are instrumented.
    set(flags -fxray-instrument -fxray-instruction-threshold=1 -fxray-attr-list=${never})
  else()
    message(FATAL_ERROR "threadingpp_trace(${target}): USING '${arg_USING}'; it may be instrument or xray")
  endif()
  set(archives threadingpp::trace_${arg_USING} threadingpp::trace_throw)
  if(arg_LINES)
    list(APPEND flags -fsanitize-coverage=trace-pc)
    list(APPEND archives threadingpp::trace_lines)
  endif()

  set_property(SOURCE ${sources} TARGET_DIRECTORY ${target} APPEND PROPERTY COMPILE_OPTIONS ${flags})
  target_link_libraries(${target} PRIVATE ${archives})
  # The archives call the library. The linker reads static ones in order, so that it must come again after them.
  get_target_property(linked ${target} LINK_LIBRARIES)
  foreach(library threadingpp::static threadingpp_static threadingpp_trace)
    if(library IN_LIST linked)
      target_link_libraries(${target} PRIVATE ${library})
    endif()
  endforeach()
endfunction()
