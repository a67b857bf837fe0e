// SPDX-License-Identifier: MIT
//
// What control groups allow, read from a tree that stands for /proc and /sys.
#include "platform/cpu_quota.hpp"

#include <pthread.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace {

using threading::platform::cpu_quota;
using threading::platform::kNoQuota;

class CpuQuota : public testing::Test {
 protected:
  CpuQuota() {
    std::string name = (std::filesystem::temp_directory_path() / "cpu_quota_XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) root_ = name;
  }
  ~CpuQuota() override {
    std::error_code ignored;
    if (!root_.empty()) std::filesystem::remove_all(root_, ignored);
  }
  void SetUp() override { ASSERT_FALSE(root_.empty()); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream file(root_ + path);
    file << text;
    ASSERT_TRUE(file.flush()) << path;
  }
  void write_groups(const std::string& text) { write("/proc/self/cgroup", text); }
  // Version 2: of the group "" or "/a" …
  void write_max(const std::string& group, const std::string& text) {
    write("/sys/fs/cgroup" + group + "/cpu.max", text);
  }
  // Version 1: `folder` is the mount and the group.
  void write_cfs(const std::string& folder, const std::string& quota, const std::string& period) {
    write("/sys/fs/cgroup/" + folder + "/cpu.cfs_quota_us", quota);
    write("/sys/fs/cgroup/" + folder + "/cpu.cfs_period_us", period);
  }
  int quota() const { return cpu_quota(root_.c_str()); }

  std::string root_;
};

TEST_F(CpuQuota, NoneWhereThereAreNoFiles) {
  EXPECT_EQ(quota(), kNoQuota);
  write_groups("0::/a/b\n4:cpu:/a/b\n");
  EXPECT_EQ(quota(), kNoQuota);
  write_max("/a/b", "max 100000\n");
  EXPECT_EQ(quota(), kNoQuota);
}

TEST_F(CpuQuota, IsRoundedDownButNotToNothing) {
  write_groups("0::/a\n");
  write_max("/a", "150000 100000\n");
  EXPECT_EQ(quota(), 1);
  write_max("/a", "199999 100000\n");
  EXPECT_EQ(quota(), 1);
  write_max("/a", "300000 100000\n");
  EXPECT_EQ(quota(), 3);
  write_max("/a", "10000 20000\n");
  EXPECT_EQ(quota(), 1);
  write_max("/a", "9223372036854775807 1\n");
  EXPECT_EQ(quota(), kNoQuota);
}

TEST_F(CpuQuota, TheStrictestOfTheGroupAndItsParentsCounts) {
  write_groups("0::/a/b/c\n");
  write_max("/a/b/c", "400000 100000\n");
  EXPECT_EQ(quota(), 4);
  write_max("/a/b", "max 100000\n");
  EXPECT_EQ(quota(), 4);
  write_max("/a", "200000 100000\n");
  EXPECT_EQ(quota(), 2);
  write_max("", "100000 100000\n");
  EXPECT_EQ(quota(), 1);
}

TEST_F(CpuQuota, AnotherGroupsDoesNotCount) {
  write_groups("0::/a/b\n");
  write_max("/a/b", "300000 100000\n");
  write_max("/a/b/c", "100000 100000\n");
  write_max("/b", "100000 100000\n");
  write_cfs("cpu/a/b", "100000", "100000");
  EXPECT_EQ(quota(), 3);
}

// With a control-group namespace the group is "/"; in a container without, the host's path leads nowhere, or there may
// be no /proc.
TEST_F(CpuQuota, TheMountsRootCountsWhateverTheGroup) {
  write_max("", "200000 100000\n");
  EXPECT_EQ(quota(), 2);
  for (const char* const groups : {"0::/\n", "0::/docker/1234\n", "0::/../beside\n", "0::/a", ""}) {
    write_groups(groups);
    EXPECT_EQ(quota(), 2) << groups;
  }
}

TEST_F(CpuQuota, OfVersion1) {
  write_groups("11:memory:/m\n4:cpu,cpuacct:/a/b\n1:name=systemd:/s\n0::/s\n");
  write_cfs("cpu,cpuacct/a/b", "-1\n", "100000\n");
  EXPECT_EQ(quota(), kNoQuota);
  write_cfs("cpu,cpuacct/a/b", "350000\n", "100000\n");
  EXPECT_EQ(quota(), 3);
  write_cfs("cpu,cpuacct/a", "200000\n", "100000\n");
  EXPECT_EQ(quota(), 2);
  write_cfs("cpu,cpuacct", "50000\n", "50000\n");
  EXPECT_EQ(quota(), 1);
}

TEST_F(CpuQuota, OfVersion1WhereverItIsMounted) {
  write_cfs("cpu/a", "200000\n", "100000\n");
  for (const char* const groups : {"1:cpu:/a\n", "4:cpuacct,cpu:/a\n", "4:cpuset,cpu,cpuacct:/a"}) {
    write_groups(groups);
    EXPECT_EQ(quota(), 2) << groups;
  }
  for (const char* const groups : {"1:cpuset:/a\n", "1:cpuacct:/a\n", "1:name=cpu:/a\n"}) {
    write_groups(groups);
    EXPECT_EQ(quota(), kNoQuota) << groups;
  }
}

TEST_F(CpuQuota, NoneInRubbish) {
  write_groups("0::/a\n1:cpu:/a\n");
  for (const char* const text : {"", "\n", "rubbish", "150000", "100000 max", "100000 0", "0 100000", "-1 100000",
                                 "100000 -1", "1e5 100000", "\nmax", "99999999999999999999999 -"}) {
    write_max("/a", text);
    EXPECT_EQ(quota(), kNoQuota) << text;
  }
  for (const char* const text : {"", "rubbish", "0", "-1"}) {
    write_cfs("cpu/a", "100000", text);
    EXPECT_EQ(quota(), kNoQuota) << text;
    write_cfs("cpu/a", text, "100000");
    EXPECT_EQ(quota(), kNoQuota) << text;
  }
  write_max("/a", "100000 100000");
  EXPECT_EQ(quota(), 1);
  for (const char* const groups : {"", "\n", "0", "0:", ":::::\n", "a/a", "0:/a", "0:x:/a\n", "2::/a\n"}) {
    write_groups(groups);
    EXPECT_EQ(quota(), kNoQuota) << groups;
  }
}

TEST_F(CpuQuota, NoneOfAGroupWhosePathIsTooLong) {
  const std::string parent = "/" + std::string(99, 'x');
  std::string longest;
  for (int i = 0; i < 10; ++i) longest += parent;
  write_groups("0::" + longest + "\n1:cpu:/a\n");
  write_max(longest, "100000 100000\n");
  write_max(parent, "100000 100000\n");
  EXPECT_EQ(quota(), kNoQuota);
  write_cfs("cpu/a", "300000\n", "100000\n");
  EXPECT_EQ(quota(), 3) << "the lines after a long one are read";
  write_max("", "200000 100000\n");
  EXPECT_EQ(quota(), 2) << "the mount's root always counts";
  EXPECT_EQ(cpu_quota((root_ + longest).c_str()), kNoQuota);
  // What was read of a line is not taken for all of it.
  std::filesystem::remove_all(root_ + "/sys");
  write_cfs("cpu" + parent, "100000\n", "100000\n");
  write_groups("1:cpu," + std::string(300, 'c') + ":" + parent + parent + parent + "\n");
  EXPECT_EQ(quota(), kNoQuota);
}

// Wherever the buffers end: of the line, of the path, and of the path with the file's name.
TEST_F(CpuQuota, NoEndOfALongLineIsTakenForALine) {
  write_cfs("cpu/a", "100000\n", "100000\n");
  for (std::size_t size = 1; size < 1100; ++size) {
    write_groups("0::/" + std::string(size, 'x') + "1:cpu:/a\n");
    ASSERT_EQ(quota(), kNoQuota) << size;
  }
}

struct Asked {
  std::string root;
  int quota = 0;
};

TEST_F(CpuQuota, IsNoCancellationPoint) {
  write_max("", "200000 100000\n");
  Asked asked{root_};
  pthread_t thread;
  const auto ask = [](void* argument) -> void* {
    pthread_cancel(pthread_self());
    auto& mine = *static_cast<Asked*>(argument);
    mine.quota = cpu_quota(mine.root.c_str());
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, nullptr, ask, &asked), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
  EXPECT_EQ(asked.quota, 2);
}

}  // namespace
