#include "control/status.h"

#include "base/text.h"
#include "journal/journal.h"

namespace headroom::control {

void Board::put(std::shared_ptr<const Status> status) {
  const std::lock_guard lock(mutex_);
  auto& at = statuses_[status->name];
  at = std::move(status);
}

void Board::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  statuses_.erase(name);
}

void Board::set_late(std::size_t decisions) {
  const std::lock_guard lock(mutex_);
  late_ = decisions;
}

void Board::set_refused(std::string_view why) {
  const std::lock_guard lock(mutex_);
  refused_ = printable(why, journal::kEventBytes);
}

void Board::set_stopping() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
}

std::vector<std::shared_ptr<const Status>> Board::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const Status>> all;
  all.reserve(statuses_.size());
  for (const auto& [name, status] : statuses_) all.push_back(status);
  return all;
}

std::shared_ptr<const Status> Board::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = statuses_.find(name);
  return found == statuses_.end() ? nullptr : found->second;
}

std::size_t Board::late() const {
  const std::lock_guard lock(mutex_);
  return late_;
}

std::string Board::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

bool Board::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

}  // namespace headroom::control
