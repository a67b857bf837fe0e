# SPDX-License-Identifier: MIT
#
# threadingpp_warnings(<target>): what every target of this project is compiled with.

set(THREADINGPP_WARNINGS
  -Wall -Wextra -Wpedantic
  -Wcast-align
  -Wconversion
  -Wdouble-promotion
  -Wformat=2
  -Wimplicit-fallthrough
  -Wnon-virtual-dtor
  -Wold-style-cast
  -Woverloaded-virtual
  -Wshadow
  -Wundef
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond;-Wlogical-op;-Wsuggest-override>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${THREADINGPP_WERROR}>:-Werror>)

function(threadingpp_warnings target)
  target_compile_options(${target} PRIVATE ${THREADINGPP_WARNINGS})
endfunction()
