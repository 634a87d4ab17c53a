#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include <boost/json/parse.hpp>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "server/api.h"
#include "server/api_parts.h"
#include "server/request_reader.h"
#include "server/target_parts.h"

namespace {

using namespace headroom;
using server::Answer;

constexpr const char* kToken = "0123456789abcdef";

/// A server without sockets: a journal on disk, a board with one autoscaler, and a loop that does
/// what it is told.
class World {
 public:
  World() {
    log::set_level(log::Level::error);
    const auto folder = std::filesystem::temp_directory_path() /
                        ("headroom-fuzz-admin-" + std::to_string(::getpid()));
    folder_ = folder;
    path_ = folder / "journal.db";
    auto journal = journal::Journal::open(path_, journal::Journal::Mode::write);
    check(journal.has_value(), "a journal can be made");
    check(journal->event({.autoscaler = "a", .unix_ms = 5, .text = "x"}).has_value(),
          "and written");
    auto status = std::make_shared<control::Status>();
    status->name = "a";
    board_.put(std::move(status));
    server::Doors doors{
        .board = board_,
        .journal = path_,
        .loop = *io_,
        .hold = [](const std::string&, auto, auto) { return Result<void>(); },
        .release = [](const std::string&) { return Result<void>(); },
        .written = [](const std::string&, auto, std::uint64_t after) -> Result<target::Written> {
          return target::Written{"text\n", after + 5, false};
        }};
    api_.emplace(io_, doors, server::Api::Settings{"1", server::Guard(kToken, {"shop"})});
  }

  ~World() {
    api_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// What is answered: exactly once.
  Answer ask(const server::Request& request, server::Door door) {
    std::vector<Answer> answers;
    api_->answer(request, door,
                 [&answers](Answer answer) { answers.push_back(std::move(answer)); });
    // A loop that does not come to it is told so, which takes its time: here it comes at once.
    while (answers.empty() && io_->run_one() > 0) {
    }
    io_->poll();
    io_->restart();
    check(answers.size() == 1, "each request has one answer");
    return std::move(answers.front());
  }

 private:
  std::filesystem::path folder_;
  std::string path_;
  control::Board board_;
  std::shared_ptr<boost::asio::io_context> io_ = std::make_shared<boost::asio::io_context>(1);
  std::optional<server::Api> api_;
};

void check_answer(const server::Request& request, server::Door door, const Answer& answer) {
  check(answer.status >= 200 && answer.status < 600 && answer.status != 500,
        "a status that is one");
  const auto head = server::head_of(answer, answer.bytes().size(), answer.close);
  check(head.find("\r\n\r\n") == head.size() - 4, "nothing that was sent ends the head");
  if (answer.status >= 400) {
    boost::system::error_code error;
    const auto json = boost::json::parse({answer.body.data(), answer.body.size()}, error);
    check(!error && json.is_object(), "an error is JSON, whatever was sent");
  }
  const bool changes = request.method == "POST" || request.method == "PUT";
  if (answer.status < 300 && changes && !door.local) {
    check(request.authorization.find(kToken) != std::string::npos, "no change without the token");
  }
  // By what the server takes it for, however it is written.
  const auto target = server::read_target(request.target);
  const bool api = target && target->path.front() == "api";
  check(target || answer.status >= 400, "what is no target is refused");
  if (answer.status < 300 && !door.local && !door.loopback && api) {
    check(request.authorization.find(kToken) != std::string::npos, "no reading by others, either");
  }
  if (answer.status < 300 && !door.local && request.fetch_site == "cross-site") {
    check(!api, "nor by another site's page");
  }
}

}  // namespace

/// Any bytes as what a client sends; the first one says how they come, in parts of what size.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  if (size == 0) return 0;
  const server::Door door{.local = (data[0] & 1) != 0, .loopback = (data[0] & 2) != 0};
  const std::size_t step = (data[0] & 4) != 0 ? 5 : size;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  server::RequestReader reader;
  for (std::size_t at = 0; at < text.size(); at += step) {
    auto state = reader.feed(text.substr(at, step));
    while (state == server::RequestReader::State::whole) {
      const auto request = reader.take();
      check_answer(request, door, world.ask(request, door));
      state = reader.feed({});
    }
    if (state == server::RequestReader::State::refused) {
      check(reader.refused().close && reader.refused().status >= 400, "a refusal ends it");
      return 0;
    }
  }
  return 0;
}
