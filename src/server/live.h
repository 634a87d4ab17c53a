#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/status.h"
#include "server/views.h"

namespace headroom::server {

/// What there is to see now, and the latency of the last 10 s, which is a difference of what
/// was counted then and now. Bounded: eleven Statuses of each autoscaler on the board.
class Live {
 public:
  explicit Live(const control::Board& board) : board_(board) {}

  /// Remembers what is on the board; to be called once a second.
  void look();

  std::vector<Seen> all() const;  // by name
  std::optional<Seen> find(const std::string& name) const;
  const control::Board& board() const { return board_; }

 private:
  using Past = std::deque<std::shared_ptr<const control::Status>>;
  Seen seen(std::shared_ptr<const control::Status> status) const;

  const control::Board& board_;
  std::map<std::string, Past> past_;
};

}  // namespace headroom::server
