# SPDX-License-Identifier: MIT
#
# 64-bit RISC-V with Debian's cross compiler; the programs run under qemu's user-mode emulator. That shows word size, ABI and
# alignment, and no weak memory: the emulator runs on the host's memory model.

set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(triplet riscv64-linux-gnu)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv64 -L ${root})
# GCC 12 calls libatomic to exchange a byte, which tests and programs do; the library itself does not.
set(CMAKE_CXX_STANDARD_LIBRARIES "-latomic")
