#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/fd.h"
#include "base/time.h"
#include "policy/autoscaler.h"
#include "target/handed.h"
#include "target/process.h"

namespace headroom::target {

/// The last lines: at most 50, at most 8 KiB.
class Tail {
 public:
  void hand_over(HandedOutput& to) const;
  void adopt(const HandedOutput& from);
  /// What came after the first `after` bytes, newlines included, as far as it is kept.
  Written since(std::uint64_t after) const;
  void add(std::string_view line);
  std::string text() const;  // one a line, no newline at the end
  /// The process is another from here on.
  void new_life() { of_this_life_ = 0; }
  /// The newest few of this life on one line, fit for a message; empty where there are none.
  std::string brief() const;

 private:
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t written_ = 0;  // all that ever came
  std::size_t of_this_life_ = 0;
};

/// Cuts a stream into lines: at newlines, and at 8 KiB where there is none.
class Lines {
 public:
  template <class Each>
  void add(std::string_view bytes, Each each) {
    while (!bytes.empty()) {
      const auto newline = bytes.find('\n');
      const auto part = bytes.substr(0, std::min(newline, kMost - begun_.size()));
      begun_ += part;
      bytes.remove_prefix(part.size());
      const bool ended = !bytes.empty() && bytes.front() == '\n';
      if (ended) bytes.remove_prefix(1);
      if (ended || begun_.size() == kMost) end(each);
    }
  }
  template <class Each>
  void end(Each each) {
    if (begun_.ends_with('\r')) begun_.pop_back();
    each(std::string_view(begun_));
    begun_.clear();
  }
  bool begun() const { return !begun_.empty(); }
  const std::string& text() const { return begun_; }
  void begin_with(std::string text) { begun_ = std::move(text); }

 private:
  static constexpr std::size_t kMost = 8 << 10;
  std::string begun_;
};

/// A log file that is renamed to .1, .2, … when it is full.
class RotatingFile {
 public:
  RotatingFile(std::string path, std::int64_t max_bytes, std::int32_t max_files);
  /// A line that cannot be written is dropped; the first one of a row is said in the log.
  void write(std::string_view line);

 private:
  bool open();
  void rotate();
  void failed(const char* what);

  std::string path_;
  std::int64_t max_bytes_;
  std::int32_t max_files_;
  Fd file_;
  std::int64_t size_ = 0;
  bool failing_ = false;
};

/// Takes what a replica writes to stdout and stderr, and passes it on line by line.
class Output {
 public:
  /// Whose it is. A file is `<directory>/<autoscaler>-<replica>.log`.
  struct Names {
    std::string autoscaler;
    ReplicaId replica = 0;
    std::string directory;
  };
  Output(boost::asio::io_context& io, const policy::Output& to, const Names& names);

  /// The pipes of a process that just started.
  void attach(Fd out, Fd err);
  /// For a successor, which reads on from here; we must not any more.
  HandedOutput hand_over() const;
  void adopt(HandedOutput handed);
  /// Takes what is still in the pipes (at most 1 MiB of each) and closes them.
  void finish();
  const Tail& tail() const { return tail_; }

 private:
  struct Source {
    Source(boost::asio::io_context& io, const char* its_name) : pipe(io), name(its_name) {}
    boost::asio::posix::stream_descriptor pipe;
    Lines lines;
    const char* name;
  };
  void read(Source& source);
  bool take(Source& source);
  void close(Source& source);
  void line(const Source& source, std::string_view text);

  // Handlers hold it weakly: one that is due when its pipe closes must not find the next.
  std::shared_ptr<bool> attached_;
  Source out_, err_;
  Tail tail_;
  policy::Output::To to_;
  Names names_;
  std::unique_ptr<RotatingFile> file_;
};

}  // namespace headroom::target
