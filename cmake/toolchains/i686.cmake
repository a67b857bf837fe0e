# SPDX-License-Identifier: MIT
#
# 32-bit x86 with Debian's cross compiler, which unlike g++-multilib may be installed beside those for other processors.
# The programs run on an x86-64 kernel as they are: they name the loader and the libraries that came with the compiler.

set(CMAKE_SYSTEM_PROCESSOR i686)
set(triplet i686-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)

# The old kind of run path also serves the libraries that a library needs.
string(CONCAT CMAKE_EXE_LINKER_FLAGS_INIT
  "-Wl,--dynamic-linker=${root}/lib/ld-linux.so.2 -Wl,--disable-new-dtags -Wl,-rpath,${root}/lib")
