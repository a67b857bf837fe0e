// SPDX-License-Identifier: MIT
#include "support/delays.hpp"

#include <algorithm>
#include <cstdlib>

namespace support {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

double factor(const char* variable) {
  const char* text = std::getenv(variable);
  const double value = text == nullptr ? 1.0 : std::strtod(text, nullptr);
  return value > 0.0 ? value : 1.0;
}

}  // namespace

double time_scale() {
  static const double scale = factor("THREADING_TEST_SCALE") * (kSanitized ? 3.0 : 1.0);
  return scale;
}

double stress_scale() {
  static const double scale = factor("THREADING_STRESS_SCALE");
  return scale;
}

int rounds(int count) {
  static const double scale = factor("THREADING_TEST_ROUNDS") * (kSanitized ? 0.1 : 1.0);
  return std::max(1, static_cast<int>(count * scale));
}

int crowd(int count) {
  static const auto most = static_cast<int>(factor("THREADING_TEST_CROWD"));
  return std::getenv("THREADING_TEST_CROWD") == nullptr ? count : std::min(count, most);
}

}  // namespace support
