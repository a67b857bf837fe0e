// SPDX-License-Identifier: MIT
// expect: a local without a factory
#include <threading/local.hpp>

struct Buffer {
  explicit Buffer(int size);
};

void use() {
#if defined(BAD)
  threading::local<Buffer> buffer;
#else
  threading::local<Buffer> buffer([] { return Buffer(4096); });
#endif
  buffer.get();
}
