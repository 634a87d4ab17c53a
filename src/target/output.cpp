#include "target/output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

namespace headroom::target {
namespace {

constexpr std::size_t kTailLines = 50, kTailBytes = 8 << 10;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

void Tail::add(std::string_view line) {
  lines_.emplace_back(line);
  ++of_this_life_;
  bytes_ += line.size() + 1;
  written_ += line.size() + 1;
  while (lines_.size() > kTailLines || bytes_ > kTailBytes + 1) {
    bytes_ -= lines_.front().size() + 1;
    lines_.pop_front();
  }
}

void Tail::hand_over(HandedOutput& to) const {
  to.lines.assign(lines_.begin(), lines_.end());
  to.written = written_;
  to.of_this_life = of_this_life_;
}

void Tail::adopt(const HandedOutput& from) {
  for (const auto& line : from.lines) add(line);
  written_ = from.written;
  of_this_life_ = from.of_this_life;
}

std::string Tail::text() const { return fmt::format("{}", fmt::join(lines_, "\n")); }

Written Tail::since(std::uint64_t after) const {
  Written written{.text = "", .end = written_};
  std::uint64_t at = written_ - bytes_;
  written.lost = after < at;
  for (const auto& line : lines_) {
    if (at >= after) written.text.append(line).append("\n");
    at += line.size() + 1;
  }
  return written;
}

std::string Tail::brief() const {
  constexpr std::size_t kLines = 5;
  std::string all;
  const auto count = std::min({kLines, of_this_life_, lines_.size()});
  for (std::size_t n = lines_.size() - count; n < lines_.size(); ++n) {
    if (!all.empty()) all += " / ";
    all += printable(lines_[n], 200);
  }
  return all;
}

RotatingFile::RotatingFile(std::string path, std::int64_t max_bytes, std::int32_t max_files)
    : path_(std::move(path)), max_bytes_(max_bytes), max_files_(max_files) {}

bool RotatingFile::open() {
  if (file_) return true;
  file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644));
  struct stat info {};
  if (!file_ || ::fstat(file_.get(), &info) != 0) return false;
  size_ = info.st_size;
  return true;
}

void RotatingFile::rotate() {
  file_.reset();
  const auto numbered = [this](int n) { return n == 0 ? path_ : fmt::format("{}.{}", path_, n); };
  if (max_files_ <= 0) ::unlink(path_.c_str());
  for (int n = max_files_; n > 0; --n) ::rename(numbered(n - 1).c_str(), numbered(n).c_str());
}

void RotatingFile::failed(const char* what) {
  if (!std::exchange(failing_, true)) {
    log::warn("output file {}: {}: {}; lines are dropped", path_, what, std::strerror(errno));
  }
}

void RotatingFile::write(std::string_view line) {
  const auto more = static_cast<std::int64_t>(line.size()) + 1;
  if (!open()) return failed("not opened");
  if (size_ > 0 && size_ + more > max_bytes_) {
    rotate();
    if (!open()) return failed("not opened");
  }
  std::string text(line);
  text += '\n';
  if (!write_all(file_.get(), text)) return failed("not written");
  size_ += more;
  failing_ = false;
}

Output::Output(boost::asio::io_context& io, const policy::Output& to, const Names& names)
    : out_(io, "stdout"), err_(io, "stderr"), to_(to.to), names_(names) {
  if (to_ != policy::Output::To::files) return;
  const auto& directory = to.directory.empty() ? names.directory : to.directory;
  ::mkdir(directory.c_str(), 0755);  // where that fails, opening the file says so
  file_ = std::make_unique<RotatingFile>(
      fmt::format("{}/{}-{}.log", directory, names.autoscaler, names.replica), to.max_bytes,
      to.max_files);
}

void Output::attach(Fd out, Fd err) {
  finish();
  tail_.new_life();
  attached_ = std::make_shared<bool>(true);
  out_.pipe.assign(out.release());
  err_.pipe.assign(err.release());
  read(out_);
  read(err_);
}

HandedOutput Output::hand_over() const {
  HandedOutput handed;
  tail_.hand_over(handed);
  handed.begun_out = out_.lines.text();
  handed.begun_err = err_.lines.text();
  const auto end_of = [](const Source& source) {
    if (!source.pipe.is_open()) return Fd();
    return Fd(::fcntl(const_cast<Source&>(source).pipe.native_handle(), F_DUPFD_CLOEXEC, 3));
  };
  handed.out = end_of(out_);
  handed.err = end_of(err_);
  return handed;
}

void Output::adopt(HandedOutput handed) {
  tail_.adopt(handed);
  attached_ = std::make_shared<bool>(true);
  const auto read_on = [this](Source& source, Fd pipe, std::string begun) {
    source.lines.begin_with(std::move(begun));
    if (!pipe) return;
    source.pipe.assign(pipe.release());
    read(source);
  };
  read_on(out_, std::move(handed.out), std::move(handed.begun_out));
  read_on(err_, std::move(handed.err), std::move(handed.begun_err));
}

void Output::read(Source& source) {
  source.pipe.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this, &source, attached = std::weak_ptr(attached_)](boost::system::error_code error) {
        if (error || attached.expired()) return;
        if (take(source)) read(source);
      });
}

/// One piece, so that a replica that writes without end leaves time for everything else.
/// False at the end of the stream.
bool Output::take(Source& source) {
  std::array<char, 64 << 10> piece;
  const auto got = ::read(source.pipe.native_handle(), piece.data(), piece.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  const auto each = [&](std::string_view text) { line(source, text); };
  if (got == 0) {
    if (source.lines.begun()) source.lines.end(each);
    return false;
  }
  source.lines.add({piece.data(), static_cast<std::size_t>(got)}, each);
  return true;
}

void Output::close(Source& source) {
  if (!source.pipe.is_open()) return;
  for (int pieces = 0; pieces < 16; ++pieces) {
    errno = 0;
    if (!take(source) || errno == EAGAIN) break;
  }
  if (source.lines.begun()) source.lines.end([&](std::string_view text) { line(source, text); });
  boost::system::error_code ignored;
  source.pipe.close(ignored);
}

void Output::finish() {
  attached_.reset();
  close(out_);
  close(err_);
}

void Output::line(const Source& source, std::string_view text) {
  tail_.add(text);
  if (to_ == policy::Output::To::inherit) {
    log::pass_on({names_.autoscaler, names_.replica, source.name, text});
  }
  if (file_) file_->write(text);
}

}  // namespace headroom::target
