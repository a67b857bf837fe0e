// SPDX-License-Identifier: MIT
//
// /proc/self/cgroup has one line for each hierarchy, NUMBER:CONTROLLERS:GROUP. Of interest are
//
//   0::/a/b               the unified hierarchy (version 2). cpu.max holds "QUOTA PERIOD" or "max PERIOD".
//   4:cpu,cpuacct:/a/b    version 1, where cpu is among the controllers. cpu.cfs_quota_us (-1: none) and
//                         cpu.cfs_period_us hold a number each.
//
// A quota binds the groups below it, too, so all from the own one up to the mount's root are read. In a container
// that sees its own group as the mount's root, the path may still be the host's: what is missing is no quota.
#include "platform/cpu_quota.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace threading::inline v1::platform {
namespace {

constexpr std::string_view kUnifiedMount = "/sys/fs/cgroup";
// Either name may be a link to the other, or missing.
constexpr std::string_view kMounts[] = {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"};

class Text {
 public:
  // Returns: false if it does not fit; nothing is appended then.
  bool append(std::string_view more) noexcept {
    if (more.size() >= sizeof text_ - size_) return false;
    more.copy(text_ + size_, more.size());
    cut(size_ + more.size());
    return true;
  }
  void cut(std::size_t size) noexcept { text_[size_ = size] = '\0'; }
  const char* c_str() const noexcept { return text_; }
  std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[512] = "";
  std::size_t size_ = 0;
};

class File {
 public:
  explicit File(const char* path) noexcept : descriptor_(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Returns: false if there is none left. A line that does not fit is given as an empty one.
  bool read_line(Text& line) noexcept {
    line.cut(0);
    bool fits = true;
    bool is_any = false;
    for (char byte; read_byte(byte); is_any = true) {
      if (byte == '\n') return true;
      fits = fits && line.append({&byte, 1});
      if (!fits) line.cut(0);
    }
    return is_any;
  }

 private:
  bool read_byte(char& byte) noexcept {
    if (at_ == size_) {
      at_ = 0;
      size_ = descriptor_ < 0 ? 0 : std::max(ssize_t{0}, read(descriptor_, bytes_, sizeof bytes_));
      if (size_ == 0) return false;
    }
    byte = bytes_[at_++];
    return true;
  }

  const int descriptor_;
  ssize_t at_ = 0;
  ssize_t size_ = 0;
  char bytes_[256];
};

// The numbers that a group's file begins with. Returns: how many; 0 also where there is no such file.
int read_numbers(Text& group, std::string_view name, long long (&numbers)[2]) noexcept {
  const std::size_t size = group.view().size();
  if (!group.append(name)) return 0;
  File file(group.c_str());
  group.cut(size);
  Text line;
  if (!file.read_line(line)) return 0;
  int count = 0;
  const char* text = line.c_str();
  for (long long& number : numbers) {
    char* rest = nullptr;
    number = std::strtoll(text, &rest, 10);
    if (rest == text) break;
    text = rest;
    ++count;
  }
  return count;
}

int whole_processors(long long quota, long long period) noexcept {
  if (quota <= 0 || period <= 0) return kNoQuota;
  return static_cast<int>(std::clamp(quota / period, 1LL, static_cast<long long>(kNoQuota)));
}

int unified_quota(Text& group) noexcept {
  long long numbers[2];
  return read_numbers(group, "/cpu.max", numbers) == 2 ? whole_processors(numbers[0], numbers[1]) : kNoQuota;
}

int quota_of_version_1(Text& group) noexcept {
  long long quota[2];
  long long period[2];
  if (read_numbers(group, "/cpu.cfs_quota_us", quota) == 0) return kNoQuota;
  if (read_numbers(group, "/cpu.cfs_period_us", period) == 0) return kNoQuota;
  return whole_processors(quota[0], period[0]);
}

// The least of the group's and of those above it.
int least_quota(const char* root, std::string_view mount, std::string_view group,
                int (*quota_of)(Text& group) noexcept) noexcept {
  Text path;
  if (!path.append(root) || !path.append(mount)) return kNoQuota;
  const std::size_t top = path.view().size();
  if (!path.append(group)) return kNoQuota;
  int least = quota_of(path);
  while (path.view().size() > top) {
    path.cut(std::max(top, path.view().rfind('/')));
    least = std::min(least, quota_of(path));
  }
  return least;
}

// Returns: what stands before the separator, which is removed from `text` along with it.
std::string_view take_field(std::string_view& text, char separator) noexcept {
  const std::string_view field = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), field.size() + 1));
  return field;
}

bool names_cpu(std::string_view controllers) noexcept {
  while (!controllers.empty()) {
    if (take_field(controllers, ',') == "cpu") return true;
  }
  return false;
}

int least_of_all_groups(const char* root) noexcept {
  // Also where /proc tells nothing.
  int least = least_quota(root, kUnifiedMount, "", unified_quota);
  Text line;
  if (!line.append(root) || !line.append("/proc/self/cgroup")) return least;
  File groups(line.c_str());
  while (groups.read_line(line)) {
    std::string_view group = line.view();
    const std::string_view number = take_field(group, ':');
    const std::string_view controllers = take_field(group, ':');
    if (number == "0" && controllers.empty()) {
      least = std::min(least, least_quota(root, kUnifiedMount, group, unified_quota));
    } else if (names_cpu(controllers)) {
      for (const std::string_view mount : kMounts) {
        least = std::min(least, least_quota(root, mount, group, quota_of_version_1));
      }
    }
  }
  return least;
}

}  // namespace

int cpu_quota(const char* root) noexcept {
  // open(), read() and close() are cancellation points; the library's waits are not.
  int before = 0;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  const int least = least_of_all_groups(root);
  pthread_setcancelstate(before, nullptr);
  return least;
}

}  // namespace threading::inline v1::platform
