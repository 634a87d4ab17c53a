#pragma once

#include <string_view>

namespace headroom::gateway {

/// A client's message and what the gateway has to do with it: RFC 9112 and RFC 9110 where they
/// say so, the stricter reading where they leave a choice that proxies and servers made
/// differently (which is how requests get smuggled).
struct FramingCase {
  const char* why;
  std::string_view request;    // with its body, complete
  int expected_status;         // of the gateway's refusal; 0: passed to the replica
  std::string_view forwarded;  // what the replica must see of it, or ""
  bool in_body = false;        // the fault is in the body: the head is good, and the reader of
                               // chunks finds it (400 if the replica has not begun its answer)
};

// clang-format off
inline constexpr FramingCase kFramingCases[] = {
    // --- the request line -----------------------------------------------------------------
    {"the least request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, "GET / HTTP/1.1\r\nHost: a\r\n"},
    {"an unknown method passes", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 0, "BREW /pot HTTP/1.1\r\n"},
    {"methods are case-sensitive: another method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 0, "get / HTTP/1.1\r\n"},
    {"a query stays as it is", "GET /a%20b/?x=[1]&y=|\"^ HTTP/1.1\r\nHost: a\r\n\r\n", 0, "GET /a%20b/?x=[1]&y=|\"^ HTTP/1.1\r\n"},
    {"two slashes are a path, no authority", "GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n", 0, "GET //b/c HTTP/1.1\r\nHost: a\r\n"},
    {"one empty line before is skipped", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, "GET / HTTP/1.1\r\n"},
    {"two empty lines are not", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a bare LF before", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a bare CR before", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"no method", "/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a method with a colon: a field line came first", "Host: a\r\nGET / HTTP/1.1\r\n\r\n", 400, ""},
    {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a tab for the space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a tab before the version", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, ""},
    {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"an empty target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a fragment", "GET /#top HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"raw UTF-8 in the target", "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a control in the target", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"DEL in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"NUL in the target", std::string_view("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28), 400, ""},
    {"a target that is no path", "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, ""},
    {"a bare CR after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400, ""},
    {"0.9's simple request", "GET /\r\n", 400, ""},

    // --- versions and methods -------------------------------------------------------------
    {"1.0 goes out as 1.1", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 0, "GET / HTTP/1.1\r\nHost: a\r\n"},
    {"1.0 needs no Host; 1.1, which goes out, does", "GET / HTTP/1.0\r\n\r\n", 0, "GET / HTTP/1.1\r\nHost:\r\n"},
    {"1.2 is read as 1.1", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0, "GET / HTTP/1.1\r\nHost: a\r\n"},
    {"2.0 in 1.1's clothes", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, ""},
    {"0.9 with a version", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, ""},
    {"HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ""},
    {"a version without a minor", "GET / HTTP/1\r\nHost: a\r\n\r\n", 400, ""},
    {"a version of two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, ""},
    {"a version of two major digits", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a signed version", "GET / HTTP/+1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"another protocol", "GET / ICAP/1.1\r\nHost: a\r\n\r\n", 400, ""},
    {"CONNECT makes no tunnels here", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501, ""},
    {"TRACE would show credentials", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, ""},
    {"* with OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0, "OPTIONS * HTTP/1.1\r\nHost: a\r\n"},
    {"* with another method", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""},

    // --- absolute-form --------------------------------------------------------------------
    {"the authority takes Host's place", "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", 0, "GET /x?y HTTP/1.1\r\nHost: b:81\r\n"},
    {"without a path", "GET http://b HTTP/1.1\r\nHost: b\r\n\r\n", 0, "GET / HTTP/1.1\r\n"},
    {"a query without a path", "GET HTTP://b?q HTTP/1.1\r\nHost: b\r\n\r\n", 0, "GET /?q HTTP/1.1\r\n"},
    {"OPTIONS without a path asks the server", "OPTIONS http://b HTTP/1.1\r\nHost: b\r\n\r\n", 0, "OPTIONS * HTTP/1.1\r\n"},
    {"1.0 without Host", "GET http://b/ HTTP/1.0\r\n\r\n", 0, "GET / HTTP/1.1\r\nHost: b\r\n"},
    {"Host must be there all the same", "GET http://b/ HTTP/1.1\r\n\r\n", 400, ""},
    {"a user in the authority", "GET http://u@b/ HTTP/1.1\r\nHost: b\r\n\r\n", 400, ""},
    {"no authority", "GET http:///x HTTP/1.1\r\nHost: b\r\n\r\n", 400, ""},

    // --- Host -----------------------------------------------------------------------------
    {"no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", 400, ""},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, ""},
    {"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, ""},
    {"an empty Host: the client knows no authority (RFC 9112 3.2)", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 0, "GET / HTTP/1.1\r\nHost:\r\n"},
    {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, ""},
    {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, ""},
    {"a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, ""},
    {"a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, ""},
    {"a Host with a scheme", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", 400, ""},
    {"a port that is no number", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, ""},
    {"a port out of range", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400, ""},
    {"a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400, ""},
    {"raw UTF-8 in Host", "GET / HTTP/1.1\r\nHost: caf\xc3\xa9\r\n\r\n", 400, ""},
    {"a broken escape in Host", "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", 400, ""},
    {"IPv6 without brackets", "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", 400, ""},
    {"IPv6 that is none", "GET / HTTP/1.1\r\nHost: [1::2::3]\r\n\r\n", 400, ""},
    {"something behind IPv6", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400, ""},
    {"IPv6 with a port", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0, "Host: [::1]:8080\r\n"},
    {"an underscore, as in container names", "GET / HTTP/1.1\r\nHost: my_app:80\r\n\r\n", 0, "Host: my_app:80\r\n"},

    // --- field lines ----------------------------------------------------------------------
    {"one space after the colon, none at the end", "GET / HTTP/1.1\r\nHost:a\r\nX: \t y  z \t\r\n\r\n", 0, "Host: a\r\nX: y  z\r\n"},
    {"an empty value", "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n", 0, "X:\r\n"},
    {"obs-text in a value passes", "GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\r\n\r\n", 0, "X: caf\xc3\xa9\r\n"},
    {"a tab inside a value passes", "GET / HTTP/1.1\r\nHost: a\r\nX: y\tz\r\n\r\n", 0, "X: y\tz\r\n"},
    {"whitespace before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, ""},
    {"a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400, ""},
    {"a field folded with a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n", 400, ""},
    {"a space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", 400, ""},
    {"a tab before the colon", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400, ""},
    {"a line without a colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, ""},
    {"an empty name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400, ""},
    {"a name that is no token", "GET / HTTP/1.1\r\nHost: a\r\nX@Y: z\r\n\r\n", 400, ""},
    {"a name with a control", "GET / HTTP/1.1\r\nHost: a\r\nX\x01: z\r\n\r\n", 400, ""},
    {"a name that isn't ASCII", "GET / HTTP/1.1\r\nHost: a\r\n\xc3\xa9: z\r\n\r\n", 400, ""},
    {"a bare LF ends a field", "GET / HTTP/1.1\r\nHost: a\r\nX: y\nContent-Length: 3\r\n\r\nabc", 400, ""},
    {"a bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, ""},
    {"a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 3\r\n\r\nabc", 400, ""},
    {"a CR too many", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400, ""},
    {"a bare CR ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n", 400, ""},
    {"NUL in a value", std::string_view("GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n", 35), 400, ""},
    {"a control in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\x0bz\r\n\r\n", 400, ""},
    {"DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: y\x7fz\r\n\r\n", 400, ""},

    // --- Content-Length -------------------------------------------------------------------
    {"a length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 0, "Content-Length: 3\r\n"},
    {"a length of zero", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 0, "Content-Length: 0\r\n"},
    {"zeros before it go", "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 003\r\n\r\nabc", 0, "Content-Length: 3\r\n"},
    {"a length with GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 0, "Content-Length: 3\r\n"},
    {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400, ""},
    {"two equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, ""},
    {"a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400, ""},
    {"an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400, ""},
    {"a plus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400, ""},
    {"a minus", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400, ""},
    {"hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400, ""},
    {"a space inside", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 0\r\n\r\n0123456789", 400, ""},
    {"a fraction", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3.0\r\n\r\nabc", 400, ""},
    {"2^63", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n", 400, ""},
    {"2^64 + 3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551619\r\n\r\nabc", 400, ""},

    // --- Transfer-Encoding ----------------------------------------------------------------
    {"chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0, "Transfer-Encoding: chunked\r\n"},
    {"codings have no case", "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 0, "Transfer-Encoding: chunked\r\n"},
    {"with a length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
    {"before a length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400, ""},
    {"twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
    {"once more as another", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, ""},
    {"twice in one", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, ""},
    {"chunked, but not at the end", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400, ""},
    {"an empty element before", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , chunked\r\n\r\n0\r\n\r\n", 400, ""},
    {"empty", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", 400, ""},
    {"quoted", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400, ""},
    {"with a parameter", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 400, ""},
    {"a vertical tab before it", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n", 400, ""},
    {"in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""},
    {"a coding more", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, ""},
    {"another coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 501, ""},
    {"a coding that only looks like it", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, ""},

    // --- chunks ---------------------------------------------------------------------------
    {"sizes are written anew", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n", 0, "\r\na\r\n0123456789\r\n0\r\n\r\n"},
    {"extensions are dropped", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y;z\"\r\nabc\r\n0;l\r\n\r\n", 0, "\r\n3\r\nabc\r\n0\r\n\r\n"},
    {"a trailer is kept", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum:  1 \r\n\r\n", 0, "\r\n0\r\nX-Sum: 1\r\n\r\n"},
    {"a trailer that frames is dropped", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 9\r\nX: y\r\n\r\n", 0, "\r\n0\r\nX: y\r\n\r\n"},
    {"no size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"an extension without a size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n;x\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a signed size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"0x", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a space before the size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a space after the size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a space before an extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3 ;x\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"17 digits", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000003\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a size over 2^63 - 1", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a bare LF after the size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a bare CR after the size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\rabc\r\n0\r\n\r\n", 400, "", true},
    {"an LF in an extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\ny\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"a CR in an extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\ry\r\nabc\r\n0\r\n\r\n", 400, "", true},
    {"data longer than its size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400, "", true},
    {"data without CRLF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc0\r\n\r\n", 400, "", true},
    {"data with a bare LF", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n", 400, "", true},
    {"a bare LF at the end", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n", 400, "", true},
    {"a folded trailer", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n z\r\n\r\n", 400, "", true},
    {"a trailer without a colon", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX\r\n\r\n", 400, "", true},
    {"a trailer with a control", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: \x01\r\n\r\n", 400, "", true},

    // --- fields for this hop --------------------------------------------------------------
    {"Connection and what it names are removed", "GET / HTTP/1.1\r\nX-Hop: 1\r\nConnection: close, x-hop\r\nHost: a\r\n\r\n", 0, "GET / HTTP/1.1\r\nHost: a\r\n"},
    {"Connection may not name Host", "GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n", 400, ""},
    {"nor a framing field", "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 3\r\n\r\nabc", 400, ""},
    {"nor the other", "POST / HTTP/1.1\r\nHost: a\r\nConnection: transfer-encoding\r\nContent-Length: 3\r\n\r\nabc", 400, ""},
    {"nor a forwarding field", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Forwarded-For\r\n\r\n", 400, ""},
    {"nor a credential", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Authorization\r\n\r\n", 400, ""},
    {"nor cookies", "GET / HTTP/1.1\r\nHost: a\r\nConnection: cookie\r\n\r\n", 400, ""},
    {"nor the trace", "GET / HTTP/1.1\r\nHost: a\r\nConnection: traceparent\r\n\r\n", 400, ""},
    {"an option that is no token", "GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n", 400, ""},
    {"another expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 0\r\n\r\n", 417, ""},
    {"an upgrade to h2c is not passed on", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\nX: y\r\n\r\n", 0, "Host: a\r\nX: y\r\n"},
};
// clang-format on

}  // namespace headroom::gateway
