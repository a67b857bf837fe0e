// SPDX-License-Identifier: MIT
#include "walker.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include <threading/with.hpp>

namespace threadsum {
namespace {

enum class Kind { file, directory, other };

struct Entry {
  std::string name;
  Kind kind;
};

// A directory whose entries are being visited.
struct Level {
  std::string path;
  std::vector<Entry> entries;
  std::size_t next = 0;
};

std::string error_text(int number) { return std::generic_category().message(number); }

Kind kind_of_mode(mode_t mode) {
  if (S_ISREG(mode)) return Kind::file;
  if (S_ISDIR(mode)) return Kind::directory;
  return Kind::other;
}

// Some file systems leave the type out of the directory entry.
Kind kind_of(int directory, const dirent& entry) {
  if (entry.d_type == DT_REG) return Kind::file;
  if (entry.d_type == DT_DIR) return Kind::directory;
  if (entry.d_type != DT_UNKNOWN) return Kind::other;
  struct stat status {};
  if (::fstatat(directory, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return Kind::other;
  return kind_of_mode(status.st_mode);
}

bool is_dot(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

struct CloseDirectory {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

// The sorted entries of `path`. Throws std::system_error.
std::vector<Entry> list(const std::string& path, bool named) {
  // Without O_NOFOLLOW a directory that is swapped for a link between two
  // looks would lead the walk out of the tree.
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (named ? 0 : O_NOFOLLOW);
  const int descriptor = ::open(path.c_str(), flags);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category());
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(descriptor));
  if (!stream) {
    const int number = errno;
    ::close(descriptor);
    throw std::system_error(number, std::generic_category());
  }
  std::vector<Entry> entries;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    if (!is_dot(entry->d_name)) entries.push_back({entry->d_name, kind_of(descriptor, *entry)});
    errno = 0;
  }
  if (errno != 0) throw std::system_error(errno, std::generic_category());
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

std::string join(const std::string& directory, const std::string& name) {
  if (directory.back() == '/') return directory + name;
  return directory + '/' + name;
}

class Walk {
 public:
  Walk(threading::BoundedSemaphore& open_files, WalkSink& sink) : open_files_(open_files), sink_(sink) {}

  // False: the sink ended the walk.
  bool root(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return sink_.problem(path, error_text(errno));
    switch (kind_of_mode(status.st_mode)) {
      case Kind::file: return sink_.file(path, true);
      case Kind::other: return sink_.problem(path, "Not a regular file or directory");
      case Kind::directory: break;
    }
    if (!enter(path, true)) return false;
    return below();
  }

 private:
  // A stack of our own: a tree may be deeper than a thread's stack.
  bool below() {
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.entries.size()) {
        levels_.pop_back();
        continue;
      }
      const Entry& entry = level.entries[level.next++];
      std::string path = join(level.path, entry.name);
      if (entry.kind == Kind::file && !sink_.file(std::move(path), false)) return false;
      if (entry.kind == Kind::directory && !enter(path, false)) return false;
    }
    return true;
  }

  bool enter(const std::string& path, bool named) {
    try {
      threading::With hold(open_files_);
      levels_.push_back({path, list(path, named)});
      return true;
    } catch (const std::system_error& error) {
      return sink_.problem(path, error.code().message());
    }
  }

  threading::BoundedSemaphore& open_files_;
  WalkSink& sink_;
  std::vector<Level> levels_;
};

}  // namespace

void walk(const std::vector<std::string>& roots, threading::BoundedSemaphore& open_files, WalkSink& sink) {
  for (const std::string& path : roots) {
    if (!Walk(open_files, sink).root(path)) return;
  }
}

}  // namespace threadsum
