// SPDX-License-Identifier: MIT
//
// Visits every regular file below the given paths, in an order that depends on
// the names alone.
#pragma once

#include <string>
#include <vector>

#include <threading/semaphore.hpp>

namespace threadsum {

// Receives what the walk finds. Each member returns false to end the walk.
class WalkSink {
 public:
  virtual ~WalkSink() = default;

  // A regular file. `named`: it was given on the command line, where symbolic
  // links are followed; below a directory they are not.
  virtual bool file(std::string path, bool named) = 0;

  // Something that can be neither summed nor walked into, and why.
  virtual bool problem(std::string path, std::string why) = 0;
};

// Walks `roots` one after another; a directory's entries in byte order of their
// names, a subdirectory where its name stands. Symbolic links, devices, sockets
// and pipes below a directory are passed over in silence; named on the command
// line they are a problem, except a link to a file or directory. A directory is
// closed again before its entries are visited, and `open_files` is held while
// it is open.
void walk(const std::vector<std::string>& roots, threading::BoundedSemaphore& open_files, WalkSink& sink);

}  // namespace threadsum
