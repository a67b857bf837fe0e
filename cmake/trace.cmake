# SPDX-License-Identifier: MIT
#
# threadingpp_trace(<target> [LINES] [USING instrument|xray] <source>...)
#   Makes the functions in these sources of the target produce call, return_ and exception events, and with LINES
#   approximate line events: adds the compiler's flags to the sources and the library's archives to the target. To be
#   called after the sources' target is complete, its link to threadingpp included.
#
#   Calls come from GCC's -finstrument-functions and, with Clang in an executable, from XRay; USING overrules that.
#   Inline functions of the standard library and of this one that the sources use produce none, except with Clang and
#   `instrument`, which cannot leave them out. With Clang a function has no events where it is inlined. File and line
#   need -g as ever.

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
    if(clang)
      # Before inlining, its calls refer to functions that exist only inlined; the linker would miss them.
      set(flags -finstrument-functions-after-inlining)
    else()
      set(flags -finstrument-functions)
      set(never /include/c++/,/include/threading/)
      if(CMAKE_LIBRARY_ARCHITECTURE)  # where the standard library's configuration is
        string(APPEND never ,/${CMAKE_LIBRARY_ARCHITECTURE}/c++/)
      endif()
      list(APPEND flags -finstrument-functions-exclude-file-list=${never})
    endif()
  elseif(arg_USING STREQUAL "xray")
    if(NOT clang OR NOT type STREQUAL "EXECUTABLE")
      message(FATAL_ERROR "threadingpp_trace(${target}): XRay needs Clang and an executable")
    endif()
    # Regular expressions, but for the asterisks.
    set(never ${CMAKE_BINARY_DIR}/threadingpp-trace-never.txt)
    file(CONFIGURE OUTPUT ${never} CONTENT "[never]\nsrc:*/include/*c\\+\\+/*\nsrc:*/include/threading/*\n")
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

  # The same source in another target stays as it is.
  list(TRANSFORM flags REPLACE "(.+)" "$<$<STREQUAL:$<TARGET_PROPERTY:NAME>,${target}>:\\1>")
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
