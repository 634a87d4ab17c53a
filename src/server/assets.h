#pragma once

#include <span>
#include <string_view>

#include "server/message.h"

namespace headroom::server {

/// A file that the program brings: the dashboard's, and openapi.json.
struct Asset {
  std::string_view name;  // "index.html"
  std::string_view etag;  // of the contents, without quotes
  std::string_view bytes;
  std::string_view gzip;  // the same, compressed
};

/// Made by cmake/Embed.cmake.
extern const std::span<const Asset> kAssets;

/// By its path without the "/" ("" is index.html); null: there is none.
const Asset* find_asset(std::string_view path);

/// The file, compressed where the client takes that, or 304 where it has it.
Answer serve(const Asset& asset, const Request& request);

}  // namespace headroom::server
