#include "server/assets.h"

#include <algorithm>

#include <fmt/format.h>

#include "server/fields.h"

namespace headroom::server {
namespace {

struct Type {
  std::string_view ending, type;
};
constexpr Type kTypes[] = {{".html", "text/html; charset=utf-8"},
                           {".js", "text/javascript; charset=utf-8"},
                           {".css", "text/css; charset=utf-8"},
                           {".svg", "image/svg+xml"},
                           {".json", "application/json"},
                           {".png", "image/png"},
                           {".woff2", "font/woff2"}};

std::string_view type_of(std::string_view name) {
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

}  // namespace

const Asset* find_asset(std::string_view path) {
  const auto name = path.empty() ? std::string_view("index.html") : path;
  const auto found = std::ranges::find(kAssets, name, &Asset::name);
  return found == kAssets.end() ? nullptr : &*found;
}

Answer serve(const Asset& asset, const Request& request) {
  const bool gzip = !asset.gzip.empty() && takes(request.accept_encoding, "gzip");
  const auto etag = fmt::format("\"{}{}\"", asset.etag, gzip ? "-gzip" : "");
  Answer answer{.type = type_of(asset.name), .cache = "no-cache"};
  answer.fields.emplace_back("ETag", etag);
  answer.fields.emplace_back("Vary", "Accept-Encoding");
  const bool known = any_of_list(request.if_none_match, [&etag](std::string_view element) {
    if (element.starts_with("W/")) element.remove_prefix(2);
    return element == "*" || element == etag;
  });
  if (known) {
    answer.status = 304;
    return answer;
  }
  answer.fixed = gzip ? asset.gzip : asset.bytes;
  if (gzip) answer.fields.emplace_back("Content-Encoding", "gzip");
  return answer;
}

}  // namespace headroom::server
