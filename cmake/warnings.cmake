# SPDX-License-Identifier: MIT
#
# threadingpp_warnings(<target>): what every target of this project is compiled with.

# GCC 12 warns when a failed exchange is ordered more strongly than a successful one, which C++17 allows.
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
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond;-Wlogical-op;-Wsuggest-override;-Wno-invalid-memory-model>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${THREADINGPP_WERROR}>:-Werror>)

function(threadingpp_warnings target)
  target_compile_options(${target} PRIVATE ${THREADINGPP_WARNINGS})
endfunction()
