#include "server/message.h"

#include <ctime>

#include <fmt/format.h>

#include "decide/json.h"

namespace headroom::server {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

/// As HTTP has it: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string date() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  ::gmtime_r(&now, &time);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[time.tm_wday], time.tm_mday,
                     kMonths[time.tm_mon], time.tm_year + 1900, time.tm_hour, time.tm_min,
                     time.tm_sec);
}

// What the dashboard needs and nothing more: no page of another's may frame, script or read us.
constexpr std::string_view kSecurity =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

}  // namespace

Answer refusal(int status, std::string_view what) {
  decide::JsonWriter quoted;
  quoted.write(std::string(what));
  return {.status = status, .body = "{\"error\": " + quoted.take() + "}\n"};
}

std::string head_of(const Answer& answer, std::optional<std::size_t> length, bool close) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n{}Cache-Control: {}\r\n", answer.status,
                  reason_of(answer.status), date(), kSecurity, answer.cache);
  if (answer.status != 304) head += fmt::format("Content-Type: {}\r\n", answer.type);
  if (length && answer.status != 304) head += fmt::format("Content-Length: {}\r\n", *length);
  for (const auto& [name, value] : answer.fields) head += fmt::format("{}: {}\r\n", name, value);
  if (close) head += "Connection: close\r\n";
  return head + "\r\n";
}

}  // namespace headroom::server
