# SPDX-License-Identifier: MIT
#
# A sanitizer covers a whole program or nothing, so its flags go to every target of the build.

set(flags_address -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
set(flags_thread -fsanitize=thread -fno-omit-frame-pointer)

if(THREADINGPP_SANITIZE)
  if(NOT DEFINED flags_${THREADINGPP_SANITIZE})
    message(FATAL_ERROR "THREADINGPP_SANITIZE is '${THREADINGPP_SANITIZE}'; it may be address, thread or empty")
  endif()
  add_compile_options(${flags_${THREADINGPP_SANITIZE}})
  add_link_options(${flags_${THREADINGPP_SANITIZE}})
endif()
