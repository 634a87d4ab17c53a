#include "server/secrets.h"

#include <array>
#include <fstream>

#include <openssl/sha.h>
#include <sys/stat.h>

#include "base/log.h"
#include "server/guard.h"

namespace headroom::server {
namespace {

constexpr std::size_t kMostRead = 1 << 20;

/// What tells one content of a file from another, without keeping it; empty: it is no file, or
/// cannot be read.
std::string print_of(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  std::ifstream in(file, std::ios::binary);
  std::string bytes(kMostRead, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto size = in.gcount();
  if (size <= 0) return {};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> print;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<std::size_t>(size),
         print.data());
  return {print.begin(), print.end()};
}

bool may_be_read_again(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

}  // namespace

Result<Secrets> Secrets::load(const Files& files) {
  Secrets secrets;
  secrets.files_ = files;
  if (files.certificate.empty() != files.key.empty()) {
    return fail({Code::invalid, "a certificate needs its key, and a key its certificate", {}});
  }
  if (!files.token.empty()) {
    secrets.token_print_ = print_of(files.token);
    auto token = read_token(files.token);
    if (!token) return fail(token.error());
    secrets.token_ = std::move(*token);
  }
  if (!files.certificate.empty()) {
    secrets.tls_print_ = print_of(files.certificate) + print_of(files.key);
    auto tls = Tls::load({files.certificate, files.key});
    if (!tls) return fail(tls.error());
    secrets.tls_.emplace(std::move(*tls));
  }
  return secrets;
}

Secrets::Changed Secrets::reread() { return {.token = reread_token(), .tls = reread_tls()}; }

bool Secrets::reread_token() {
  if (files_.token.empty() || !may_be_read_again(files_.token)) return false;
  auto print = print_of(files_.token);
  if (print == token_print_) return false;
  token_print_ = std::move(print);
  auto token = read_token(files_.token);
  if (!token) {
    log::error("admin: {}; not taken, the token from before goes on", to_string(token.error()));
    return false;
  }
  if (*token == token_) return false;
  token_ = std::move(*token);
  log::info("admin: {}: the token was read again, taken", files_.token);
  return true;
}

bool Secrets::reread_tls() {
  const auto& [_, certificate, key] = files_;
  if (!tls_ || !may_be_read_again(certificate) || !may_be_read_again(key)) return false;
  auto print = print_of(certificate) + print_of(key);
  if (print == tls_print_) return false;
  tls_print_ = std::move(print);
  auto tls = Tls::load({certificate, key});
  if (!tls) {
    log::error("admin: {}; not taken, the certificate from before goes on", to_string(tls.error()));
    return false;
  }
  *tls_ = std::move(*tls);
  log::info("admin: {}: the certificate was read again, taken", certificate);
  return true;
}

}  // namespace headroom::server
