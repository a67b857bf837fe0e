// SPDX-License-Identifier: MIT
//
// SHA-256 of one file.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <openssl/evp.h>

namespace threadsum {

// What one thread needs to sum files, made once per thread: a buffer, and
// libcrypto's algorithm and context.
class Digester {
 public:
  Digester();

  // Reads the file to its end and returns its sum in hexadecimal.
  // `named`: follow a symbolic link. After each piece `piece(bytes)` is called;
  // when it returns false the reading ends and nothing is returned.
  // Throws std::exception, whose what() is the reason, when the file cannot be
  // opened or read, or is not a regular file (any more).
  std::optional<std::string> sum(const std::string& path, bool named, const std::function<bool(std::size_t)>& piece);

 private:
  struct FreeAlgorithm {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
  };
  struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  std::string finish();

  std::unique_ptr<EVP_MD, FreeAlgorithm> algorithm_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
  std::unique_ptr<unsigned char[]> buffer_;
};

}  // namespace threadsum
