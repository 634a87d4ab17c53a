#include "policy/tree.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/text.h"

namespace headroom::policy {
namespace {

constexpr std::size_t kMostNodes = 100'000;
constexpr std::size_t kMostExpanded = 4 << 20;
constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kMostDocuments = 1000;

Place place_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};  // of a null mark: -1 + 1, unknown
}

/// yaml-cpp gives \N and \_ as Latin-1 has them: one byte, which is no character in UTF-8.
std::string in_utf8(std::string_view value) {
  std::string text;
  while (!value.empty()) {
    const auto bytes = character_bytes(value);
    if (bytes == 0) text += '\xC2';
    const auto taken = std::max<std::size_t>(bytes, 1);
    text += value.substr(0, taken);
    value.remove_prefix(taken);
  }
  return text;
}

/// Builds the tree from yaml-cpp's events: its own tree drops the places of aliases and would
/// grow without bound. After the first bound is passed nothing more is taken.
class Builder : public YAML::EventHandler {
 public:
  Builder(Tree& tree, Problems& problems) : tree_(tree), problems_(problems) {}

  bool stopped() const { return stopped_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    stack_.clear();
    anchors_.clear();
    if (++documents_ > kMostDocuments) stop(mark, "found more", "at most 1,000 documents");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (Node* node = add(mark, anchor, Node::Kind::null)) node->open = false;
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (stopped_) return;
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end() || known->second->open) {
      stop(mark, "found an alias of what it stands in", "an alias of something before");
      return;
    }
    if (count(mark, known->second->nodes, known->second->bytes, known->second->height)) {
      attach(known->second);
    }
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto text = in_utf8(value);
    if (!count(mark, 0, text.size(), 0)) return;
    Node* node = add(mark, anchor, Node::Kind::scalar);
    if (node == nullptr) return;
    node->open = false;
    node->text = std::move(text);
    node->bytes = node->text.size();
    node->quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    check_tag(mark, tag, {"str", "int", "float", "bool"});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag, {"seq"});
    if (Node* node = add(mark, anchor, Node::Kind::sequence)) stack_.push_back(node);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag, {"map"});
    if (Node* node = add(mark, anchor, Node::Kind::map)) stack_.push_back(node);
  }
  void OnMapEnd() override {
    if (!stopped_) check_names(*stack_.back());
    close();
  }

 private:
  void stop(const YAML::Mark& mark, std::string_view found, std::string_view expected) {
    problems_.add(place_of(mark), fmt::format("{}, expected {}", found, expected));
    stopped_ = true;
  }

  /// Whether so much more stays within the bounds; `levels` below the level that is being read.
  bool count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes, std::size_t levels) {
    if (stopped_) return false;
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > kMostNodes) {
      stop(mark, "found more", "at most 100,000 values, aliases expanded");
    } else if (bytes_ > kMostExpanded) {
      stop(mark, "found more", "at most 4 MiB of text, aliases expanded");
    } else if (stack_.size() + levels > kMostLevels) {
      stop(mark, "found more", "at most 64 levels");
    }
    return !stopped_;
  }

  Node* add(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
    if (!count(mark, 1, 0, 1)) return nullptr;
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.place = place_of(mark);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    // What is left out has no place of its own: its name's says more than the next line's.
    const bool is_value = !stack_.empty() && stack_.back()->kind == Node::Kind::map &&
                          stack_.back()->items.size() % 2 == 1;
    if (kind == Node::Kind::null && is_value) node.place = stack_.back()->items.back()->place;
    attach(&node);
    return &node;
  }

  void attach(const Node* node) {
    if (!stack_.empty()) {
      stack_.back()->items.push_back(node);
    } else if (node->kind != Node::Kind::null) {
      tree_.documents.push_back(node);
    }
  }

  void close() {
    if (stopped_) return;
    Node& node = *stack_.back();
    stack_.pop_back();
    node.open = false;
    for (const Node* item : node.items) {
      node.nodes += item->nodes;
      node.bytes += item->bytes;
      node.height = std::max(node.height, item->height + 1);
    }
  }

  void check_tag(const YAML::Mark& mark, std::string_view tag,
                 std::initializer_list<std::string_view> known) {
    constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
    if (stopped_ || tag == "!" || tag == "?") return;
    const auto fits = [&](std::string_view name) { return tag.substr(kPrefix.size()) == name; };
    if (tag.starts_with(kPrefix) && std::ranges::any_of(known, fits)) return;
    problems_.add(place_of(mark),
                  fmt::format("found the tag \"{}\", expected none", printable(tag, 60)));
  }

  void check_names(const Node& map) {
    std::unordered_map<std::string_view, const Node*> names;
    for (std::size_t i = 0; i < map.items.size() && !problems_.full(); i += 2) {
      const Node& name = *map.items[i];
      if (name.kind != Node::Kind::scalar) {
        problems_.add(name.place, "found no text as a name, expected \"name: value\"");
        continue;
      }
      const auto [first, is_new] = names.emplace(name.text, &name);
      if (is_new) continue;
      problems_.add(name.place,
                    fmt::format("found \"{}\" again, expected it once (it is on line {})",
                                printable(name.text, 60), first->second->place.line));
    }
  }

  Tree& tree_;
  Problems& problems_;
  std::vector<Node*> stack_;  // what is open, from the root
  std::unordered_map<YAML::anchor_t, const Node*> anchors_;
  std::size_t documents_ = 0, nodes_ = 0, bytes_ = 0;
  bool stopped_ = false;
};

/// What yaml-cpp would take for the end of the text (U+0004), or pass on unseen.
bool check_characters(std::string_view text, Problems& problems) {
  Place place{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto bytes = character_bytes(text.substr(i));
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const bool control = (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
    if (bytes == 0 || control) {
      problems.add(place,
                   fmt::format("found the byte 0x{:02X}, expected UTF-8 without control characters",
                               static_cast<unsigned char>(c)));
      return false;
    }
    place.column += static_cast<int>(bytes);
    if (c == '\n') place = {place.line + 1, 1};
    i += bytes;
  }
  return true;
}

int to_characters(std::string_view text, Place place) {
  for (int line = 1; line < place.line; ++line) {
    const auto end = text.find('\n');
    if (end == text.npos) return place.column;
    text.remove_prefix(end + 1);
  }
  const auto before = text.substr(0, static_cast<std::size_t>(std::max(0, place.column - 1)));
  const auto inside = std::ranges::count_if(before, [](char c) { return (c & 0xC0) == 0x80; });
  return place.column - static_cast<int>(inside);
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void Problems::add(Place place, std::string what) {
  if (!full()) list_.push_back({place, std::move(what)});
}

std::vector<Error> Problems::errors(const std::string& file, std::string_view text) const {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  auto sorted = list_;
  std::ranges::stable_sort(sorted, [](const Problem& a, const Problem& b) {
    return std::pair{a.place.line, a.place.column} < std::pair{b.place.line, b.place.column};
  });
  std::vector<Error> all;
  for (auto& [place, what] : sorted) {
    all.push_back({Code::invalid, std::move(what), {file, place.line, to_characters(text, place)}});
  }
  return all;
}

Error Problems::error(const std::string& file, std::string_view text) const {
  auto all = errors(file, text);
  Error first = std::move(all.front());
  for (std::size_t i = 1; i < all.size(); ++i) first.what += "\n" + to_string(all[i]);
  return first;
}

const Node* Node::find(std::string_view name) const {
  for (std::size_t i = 0; kind == Kind::map && i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::scalar && items[i]->text == name) return items[i + 1];
  }
  return nullptr;
}

const Node* Node::find(std::initializer_list<std::string_view> path) const {
  const Node* here = this;
  for (const auto name : path) {
    here = here->find(name);
    if (here == nullptr || here->kind == Kind::null) return nullptr;
  }
  return here;
}

std::string_view words_of(Node::Kind kind) {
  constexpr std::array<std::string_view, 4> kWords = {"nothing", "a text", "a list", "a map"};
  return kWords.at(static_cast<std::size_t>(kind));
}

Tree parse(std::string_view text, Problems& problems) {
  Tree tree;
  if (text.size() > kMostText) {
    problems.add({}, fmt::format("found {} bytes, expected at most 1 MiB", text.size()));
    return tree;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!check_characters(text, problems)) return tree;
  Builder builder(tree, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (!builder.stopped() && parser.HandleNextDocument(builder)) continue;
  } catch (const YAML::Exception& problem) {
    if (builder.stopped()) return tree;  // what comes after the first bound is not looked at
    problems.add(place_of(problem.mark), fmt::format("found no valid YAML: {}", problem.msg));
  }
  return tree;
}

}  // namespace headroom::policy
