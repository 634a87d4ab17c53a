#include "server/assets.h"

#include <algorithm>

#include <fmt/format.h>

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

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// Whether any of the elements, separated by commas, is one for which `holds`.
template <class Holds>
bool any_of_list(std::string_view list, const Holds& holds) {
  while (!list.empty()) {
    const auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(element.size() + 1, list.size()));
    if (holds(trimmed(element))) return true;
  }
  return false;
}

bool takes_gzip(std::string_view accept_encoding) {
  return any_of_list(accept_encoding, [](std::string_view element) {
    const auto coding = trimmed(element.substr(0, element.find(';')));
    const auto weight = element.find("q=0");
    // "q=0", "q=0.0" and "q=0.000" refuse it, "q=0.5" does not.
    const bool refused = weight != std::string_view::npos &&
                         element.find_first_of("123456789", weight) == std::string_view::npos;
    return coding == "gzip" && !refused;
  });
}

}  // namespace

const Asset* find_asset(std::string_view path) {
  const auto name = path.empty() ? std::string_view("index.html") : path;
  const auto found = std::ranges::find(kAssets, name, &Asset::name);
  return found == kAssets.end() ? nullptr : &*found;
}

Answer serve(const Asset& asset, const Request& request) {
  const bool gzip = !asset.gzip.empty() && takes_gzip(request.accept_encoding);
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
