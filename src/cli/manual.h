#pragma once

#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the name is CLI11's
class App;
}

/// What the verbs say about themselves, taken from the app that also prints their help: the
/// completions, the man pages and docs/verbs.md are made of it, so that none forgets a flag.
namespace headroom::cli {

struct Parameter {
  std::vector<std::string> names;    // "-o", "--output"; of an argument: none
  std::string value;                 // "FORMAT"; "": it takes none
  std::vector<std::string> choices;  // where only these will do
  std::string about;
  std::string group;
  bool required = false;
  bool repeats = false;
};

struct Exit {
  std::string code;  // "0", "130 or 143"
  std::string about;
};

struct Verb {
  std::string name;                   // "run"; of the program itself: ""
  std::string about;                  // a sentence
  std::vector<std::string> synopsis;  // a line for each way to call it
  std::vector<Parameter> arguments, options;
  std::vector<std::string> notes;     // paragraphs; lines that begin with two spaces are literal
  std::vector<std::string> examples;  // lines
  std::vector<Exit> exits;
};

/// The program itself, then its verbs in their order.
/// A description's first line says what for, further ones are its synopsis. Of a footer's
/// paragraphs "Examples:" and "Exit codes:" are known by their first words.
std::vector<Verb> verbs_of(const CLI::App& app);

/// A page of a manual, before it is roff or Markdown. In texts `…` is literal.
struct Item {
  std::string term, text;
};
struct Block {  // one of them
  std::string paragraph;
  std::vector<std::string> literal;
  std::vector<Item> items;
};
struct Section {
  std::string title;
  std::vector<Block> blocks;
  bool part = false;  // of the section before
};
struct Page {
  std::string name;  // "headroom-run"
  std::string about;
  std::vector<Section> sections;
};

/// The page of verbs[which]; all of them are seen from the program's own.
Page page_of(const std::vector<Verb>& verbs, std::size_t which);

/// As man(1) wants it, in section 1. `date` is YYYY-MM-DD.
std::string roff(const Page& page, const std::string& date);

/// All verbs on one page (docs/verbs.md).
std::string markdown(const std::vector<Page>& pages);

}  // namespace headroom::cli
