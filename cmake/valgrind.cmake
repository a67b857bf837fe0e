# SPDX-License-Identifier: MIT
#
# For helgrind and drd: every target is instrumented as for the thread sanitizer, whose runtime is replaced by one that
# tells valgrind which atomic operations order what. See tests/support/valgrind/orders.cpp.

if(NOT THREADINGPP_VALGRIND)
  return()
endif()
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR THREADINGPP_SANITIZE)
  message(FATAL_ERROR "THREADINGPP_VALGRIND needs GCC, and no sanitizer")
endif()

find_program(VALGRIND valgrind REQUIRED)
add_library(threadingpp_orders STATIC ${PROJECT_SOURCE_DIR}/tests/support/valgrind/orders.cpp)
set_target_properties(threadingpp_orders PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_compile_features(threadingpp_orders PRIVATE cxx_std_20)
target_compile_options(threadingpp_orders PRIVATE -fno-sanitize=thread)

add_compile_options(-fsanitize=thread --param=tsan-instrument-func-entry-exit=0 -U__SANITIZE_THREAD__ -Wno-tsan)
link_libraries(threadingpp_orders)
# A stack that is used again looks like shared memory to helgrind: see the function that is called instead.
add_link_options(-Wl,--wrap=pthread_attr_setstack)
