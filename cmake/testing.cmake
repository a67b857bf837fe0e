# SPDX-License-Identifier: MIT
#
# threading_add_test(<name> SOURCES <file>... [LIBS <target>...] [LABELS <label>...] [TIMEOUT <seconds>])
#   A GoogleTest program; each of its cases is a ctest entry of its own, in a process of its own. Without LIBS it links
#   all rooms, and so may use the whole public interface. The label is `fast` unless another is given.
#
# threading_add_python_test(<name> FILE <file> [LABELS <label>...] [TIMEOUT <seconds>] [ENVIRONMENT <NAME=value>...])
#   A file of unittest cases as one ctest entry; its cases are counted one by one.
#
# threading_add_room_tests(<room>)
#   Every tests/<room>/*_test.cpp as one such program, linked with that room and those below it.

if(CMAKE_CROSSCOMPILING)
  # Debian has GoogleTest's sources, too: another processor's is built along.
  add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
else()
  find_package(GTest REQUIRED)
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)
include(GoogleTest)

function(threading_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;LABELS")
  if(NOT arg_LIBS)
    set(arg_LIBS threadingpp_trace threadingpp_timer threadingpp_threads)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS fast)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)  # the watchdog bites long before
  endif()

  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE threading_test_support ${arg_LIBS})
  if(arg_LIBS MATCHES "threadingpp_(parking|primitives|threads|timer|trace)")
    target_link_libraries(${name} PRIVATE threading_lot_check)
  endif()
  if(arg_LIBS MATCHES "threadingpp_(threads|timer|trace)")
    target_link_libraries(${name} PRIVATE threading_thread_check)
  endif()
  # GoogleTest's header alone, without which these files take a third less to compile.
  target_precompile_headers(${name} REUSE_FROM threading_test_support)
  threadingpp_warnings(${name})
  # Tests break on purpose the rules that the analysis enforces: they release elsewhere, or not at all.
  target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:Clang>:-Wno-thread-safety>)
  if(THREADINGPP_VALGRIND)
    threading_add_valgrind_tests(${name} "${arg_LABELS}")
    return()
  endif()
  gtest_discover_tests(${name}
    TEST_PREFIX ${name}/
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endfunction()

# A program under both of valgrind's race detectors: an entry each, since starting the tools is what takes time.
# --fair-sched=try: a thread that yields lets another run, of which only one does at a time.
# --join-list-vol=0: drd keeps a record of all that each thread did between two releases until every thread has learnt
# of it, and counts among those the last ten that were joined, so that next to nothing is ever dropped: 368,000 records
# instead of 4,000 in the tests of the lot. What a thread did is still compared with all others until it is joined.
set(valgrind_options --quiet --error-exitcode=99 --fair-sched=try
  --suppressions=${PROJECT_SOURCE_DIR}/tests/support/valgrind/suppressions)
set(valgrind_helgrind_options "")
set(valgrind_drd_options --join-list-vol=0)
# The price of each round grows with the rounds before it under drd, so that it gets fewer.
set(valgrind_helgrind_environment THREADING_TEST_ROUNDS=0.02)
set(valgrind_drd_environment THREADING_TEST_ROUNDS=0.005)
function(threading_add_valgrind_tests name labels)
  # These measure what the program's own malloc() allocates, which valgrind puts another in the place of.
  if(name MATCHES "^(primitives_allocation_test|timer_memory_test)$")
    return()
  endif()
  foreach(tool helgrind drd)
    add_test(NAME ${tool}/${name}
      COMMAND ${VALGRIND} --tool=${tool} ${valgrind_options} ${valgrind_${tool}_options} $<TARGET_FILE:${name}>)
    set_tests_properties(${tool}/${name} PROPERTIES LABELS "${tool};${labels}" TIMEOUT 1200
      ENVIRONMENT "${valgrind_${tool}_environment}")
  endforeach()
endfunction()

function(threading_add_python_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILE;TIMEOUT" "LABELS;ENVIRONMENT")
  if(NOT arg_LABELS)
    set(arg_LABELS fast)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tools/run_unittest.py
    ${name} ${CMAKE_CURRENT_SOURCE_DIR}/${arg_FILE})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1;${arg_ENVIRONMENT}")
endfunction()

function(threading_add_room_tests room)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${room}/*_test.cpp)
  foreach(source IN LISTS sources)
    get_filename_component(stem ${source} NAME_WE)
    threading_add_test(${room}_${stem} SOURCES ${source} LIBS threadingpp_${room})
  endforeach()
endfunction()
