#include "cli/admin.h"

#include <algorithm>
#include <filesystem>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/fd.h"
#include "base/time.h"
#include "cli/paths.h"

namespace headroom::cli {
namespace {

namespace http = boost::beast::http;
using Local = boost::asio::local::stream_protocol;
using Stream = boost::beast::basic_stream<Local>;
using Answer = http::response<http::string_body>;

constexpr std::chrono::seconds kEachOfSeveral{2};  // one that hangs is not waited for
constexpr std::uint64_t kMostBytes = 64 << 20;

std::string socket_of(const std::string& journal) {
  return (std::filesystem::path(journal).parent_path() / "admin.sock").string();
}

/// A path may be longer than an address of a socket: its folder, opened, is short.
class ShortPath {
 public:
  explicit ShortPath(const std::filesystem::path& path)
      : folder_(
            ::open(path.has_parent_path() ? path.parent_path().c_str() : ".", O_PATH | O_CLOEXEC)),
        name_(fmt::format("/proc/self/fd/{}/{}", folder_.get(), path.filename().string())) {}
  const std::string& name() const { return name_; }

 private:
  Fd folder_;
  std::string name_;
};

/// No socket, or one that nobody serves any more.
bool is_nobody(boost::system::error_code error) {
  return error == boost::system::errc::no_such_file_or_directory ||
         error == boost::system::errc::connection_refused;
}

/// One exchange; each step ends by itself or with the stream's patience.
class Exchange {
 public:
  explicit Exchange(std::chrono::seconds patience) : patience_(patience) {}

  Result<Answer> run(const std::string& journal, http::request<http::string_body> request) {
    const auto socket = socket_of(journal);
    const ShortPath path(socket);
    step([&](auto done) { stream_.async_connect(Local::endpoint(path.name()), done); });
    if (is_nobody(error_)) {
      return fail({Code::unavailable, "no Headroom runs with the journal " + journal, {}});
    }
    step([&](auto done) {
      http::async_write(stream_, request, [done](auto error, std::size_t) { done(error); });
    });
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostBytes);
    step([&](auto done) {
      http::async_read(stream_, buffer_, parser, [done](auto error, std::size_t) { done(error); });
    });
    if (error_ == boost::beast::error::timeout) {
      return fail({Code::unavailable,
                   fmt::format("{}: no answer within {}", socket, to_string(Millis(patience_))),
                   {}});
    }
    if (error_) return fail({Code::unavailable, socket + ": " + error_.message(), {}});
    return parser.release();
  }

 private:
  template <class Start>
  void step(Start start) {
    if (error_) return;
    stream_.expires_after(patience_);
    start([this](boost::system::error_code error) { error_ = error; });
    io_.restart();
    io_.run();
  }

  std::chrono::seconds patience_;
  boost::asio::io_context io_;
  Stream stream_{io_};
  boost::beast::flat_buffer buffer_;
  boost::system::error_code error_;
};

Code code_of(http::status status) {
  if (status == http::status::bad_request) return Code::invalid;
  if (status == http::status::conflict) return Code::conflict;
  return Code::unavailable;
}

bool has(const boost::json::value& state, const std::string& name) {
  return std::ranges::any_of(list_at(state, "/autoscalers"), [&name](const auto& autoscaler) {
    return text_at(autoscaler, "/name") == name;
  });
}

const boost::json::value* at(const boost::json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  return value.find_pointer({pointer.data(), pointer.size()}, error);
}

}  // namespace

/// Whether somebody is there, though nothing may be answered.
bool Admin::is_served() const {
  boost::asio::io_context io;
  Local::socket socket(io);
  boost::system::error_code error;
  socket.open(Local(), error);
  socket.non_blocking(true, error);
  const auto path = socket_of(journal_);
  socket.connect(Local::endpoint(ShortPath(path).name()), error);
  return !is_nobody(error);
}

std::vector<Admin::Asked> Admin::ask_all() {
  std::vector<Admin> all;
  for (const auto& journal : known_journals()) {
    if (Admin admin(journal); admin.is_served()) all.push_back(std::move(admin));
  }
  std::vector<Asked> asked;
  for (auto& admin : all) {
    auto state = admin.state(all.size() > 1 ? kEachOfSeveral : kPatience);
    asked.push_back({std::move(admin), std::move(state)});
  }
  return asked;
}

Result<Admin> Admin::find(const std::string& journal, const std::string& name) {
  if (!journal.empty()) {
    Admin admin(journal);
    if (auto state = admin.state(); !state) return fail(state.error());
    return admin;
  }
  std::vector<Admin> fitting;
  std::string silent;
  bool any = false;
  for (auto& [admin, state] : ask_all()) {
    any = true;
    if (!state) {
      silent += "; " + state.error().what;
    } else if (name.empty() || has(*state, name)) {
      fitting.push_back(std::move(admin));
    }
  }
  if (fitting.size() == 1) return fitting.front();
  if (!any) {
    return fail({Code::unavailable,
                 "no running Headroom was found; start one (headroom run --help), or say which by "
                 "its --journal PATH"});
  }
  if (fitting.empty()) {
    return fail({Code::unavailable,
                 fmt::format("no running Headroom {}{}",
                             name.empty() ? "answers" : fmt::format("has \"{}\"", name), silent)});
  }
  std::vector<std::string> journals;
  for (const auto& admin : fitting) journals.push_back(admin.journal());
  return fail(
      {Code::invalid,
       fmt::format("which one? {} --journal: {}",
                   name.empty() ? "Say a name, or" : fmt::format("Several run \"{}\". Say", name),
                   fmt::join(journals, ", "))});
}

Result<boost::json::value> Admin::ask(std::string_view method, const std::string& path,
                                      const std::string& body,
                                      std::chrono::seconds patience) const {
  http::request<http::string_body> request(http::string_to_verb({method.data(), method.size()}),
                                           path, 11, body);
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  if (method != "GET") request.set(http::field::content_type, "application/json");
  request.prepare_payload();
  const auto answer = Exchange(patience).run(journal_, std::move(request));
  if (!answer) return fail(answer.error());
  boost::system::error_code error;
  auto json = boost::json::parse(answer->body(), error);
  if (answer->result() != http::status::ok) {
    auto what = error ? std::string() : text_at(json, "/error");
    if (what.empty()) what = fmt::format("{}: answered {}", path, answer->result_int());
    return fail({code_of(answer->result()), std::move(what), {}});
  }
  if (error) return fail({Code::unavailable, path + ": no JSON: " + error.message(), {}});
  return json;
}

std::string text_at(const boost::json::value& value, std::string_view pointer) {
  const auto* const found = at(value, pointer);
  if (found == nullptr || !found->is_string()) return "";
  return std::string(found->as_string());
}

bool true_at(const boost::json::value& value, std::string_view pointer) {
  const auto* const found = at(value, pointer);
  return found != nullptr && found->is_bool() && found->as_bool();
}

std::optional<double> number_at(const boost::json::value& value, std::string_view pointer) {
  const auto* const found = at(value, pointer);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::vector<boost::json::value> list_at(const boost::json::value& value, std::string_view pointer) {
  const auto* const found = at(value, pointer);
  if (found == nullptr || !found->is_array()) return {};
  return {found->as_array().begin(), found->as_array().end()};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace headroom::cli
