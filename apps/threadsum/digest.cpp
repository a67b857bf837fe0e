// SPDX-License-Identifier: MIT
#include "digest.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace threadsum {
namespace {

// Large enough that a system call is small beside hashing what it brought, and
// small enough to stay in a core's second-level cache.
constexpr std::size_t kBufferBytes = 128 * 1024;

[[noreturn]] void throw_errno(int number) { throw std::system_error(number, std::generic_category()); }

void require(bool worked) {
  if (!worked) throw std::runtime_error("libcrypto could not compute SHA-256");
}

class OpenFile {
 public:
  OpenFile(const std::string& path, bool named) {
    // The walk saw a regular file, but that was a moment ago: O_NOFOLLOW refuses
    // a link that took its place, and O_NONBLOCK keeps open() from waiting for
    // the writer of a pipe.
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (named ? 0 : O_NOFOLLOW);
    descriptor_ = ::open(path.c_str(), flags);
    if (descriptor_ < 0) throw_errno(errno);
  }
  ~OpenFile() { ::close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  void require_regular() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) throw_errno(errno);
    if (!S_ISREG(status.st_mode)) throw std::runtime_error("Not a regular file");
  }

  // 0: the end.
  std::size_t read(unsigned char* to, std::size_t most) const {
    for (;;) {
      const ssize_t count = ::read(descriptor_, to, most);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) throw_errno(errno);
    }
  }

 private:
  int descriptor_;
};

}  // namespace

Digester::Digester()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      context_(EVP_MD_CTX_new()),
      buffer_(new unsigned char[kBufferBytes]) {
  require(algorithm_ && context_);
}

std::optional<std::string> Digester::sum(const std::string& path, bool named,
                                         const std::function<bool(std::size_t)>& piece) {
  const OpenFile file(path, named);
  file.require_regular();
  require(EVP_DigestInit_ex(context_.get(), algorithm_.get(), nullptr) == 1);
  while (const std::size_t count = file.read(buffer_.get(), kBufferBytes)) {
    require(EVP_DigestUpdate(context_.get(), buffer_.get(), count) == 1);
    if (!piece(count)) return std::nullopt;
  }
  return finish();
}

std::string Digester::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned int length = 0;
  require(EVP_DigestFinal_ex(context_.get(), raw.data(), &length) == 1);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * length);
  for (unsigned int i = 0; i < length; ++i) {
    hex += kDigits[raw[i] >> 4];
    hex += kDigits[raw[i] & 15];
  }
  return hex;
}

}  // namespace threadsum
