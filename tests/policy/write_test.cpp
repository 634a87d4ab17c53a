#include <random>
#include <string>

#include <gtest/gtest.h>

#include "policy/document.h"
#include "policy/fields.h"
#include "policy/read.h"

namespace headroom::policy {
namespace {

/// Fills every field with something inside of its bounds, by the same definition that the reader
/// and the writer follow: a field added there is tested here.
class Any {
 public:
  explicit Any(std::uint64_t seed) : random_(seed) {}

  template <class T>
  T make() {
    T made{};
    Filler<T> filler{*this, made};
    Fields<T>::visit(filler);
    return made;
  }

  std::size_t below(std::size_t count) { return random_() % count; }
  std::int64_t between(std::int64_t min, std::int64_t max) {
    const auto span = static_cast<std::uint64_t>(max - min) + 1;
    const auto far = random_() >> (random_() % 64);  // small ones, too
    return min + static_cast<std::int64_t>(span == 0 ? far : far % span);
  }
  template <class Value>
  const Value& one_of(const std::vector<Value>& values) {
    return values[below(values.size())];
  }

  std::string text(const Form& form) {
    if (&form == &form::kDnsLabel)
      return one_of<std::string>({"a", "shop-1", "true", "null", "0", "1e3", "y"});
    if (&form == &form::kPath)
      return one_of<std::string>({"/", "/healthz", "/a?b=c&d#e", "/$(WORD)", "/'\"{}"});
    if (&form == &form::kHost) return one_of<std::string>({"localhost", "127.0.0.1", "1", "[::1]"});
    if (&form == &form::kHeaderName)
      return one_of<std::string>({"Host", "X-A", "!#$%&'*+.^_`|~", "1", "-"});
    if (&form == &form::kHeaderValue)
      return one_of<std::string>({"", "a b", "a\tb", "é", "# x", "a: b", "$$(X)"});
    if (&form == &form::kListen) {
      return one_of<std::string>(
          {":0", "[::1]:80", "localhost:8080", "unix:/run/a b", "unix:$$(NAME)"});
    }
    if (&form == &form::kCidr) return one_of<std::string>({"10.0.0.0/8", "::/0", "fd00::/8"});
    std::string any;
    static const std::vector<std::string> kPieces = {"a",        "-",
                                                     "--",       ":",
                                                     ": ",       " ",
                                                     "#",        " #",
                                                     "\n",       "\t",
                                                     "\r",       "\"",
                                                     "'",        "\\",
                                                     "$(PORT)",  "$(NAME)",
                                                     "$",        "(",
                                                     ")",        "{",
                                                     "}",        "[",
                                                     "]",        ",",
                                                     "&",        "*",
                                                     "!",        "|",
                                                     ">",        "%",
                                                     "@",        "`",
                                                     "?",        "é",
                                                     "😀",        "0",
                                                     "1.5",      "true",
                                                     "null",     "~",
                                                     ".inf",     "\x01",
                                                     "\x7f",     "\x1b",
                                                     "\xc2\x85", "\xe2\x80\xa8",
                                                     "yes",      "0x1f",
                                                     "1:30",     "<<",
                                                     "$$"};
    for (std::size_t left = below(4) + (&form == &form::kAny ? 0 : 1); left > 0; --left)
      any += one_of(kPieces);
    return any;
  }

  // A value of each kind.
  void fill(std::string& to, const Text& kind) { to = text(kind.form); }
  void fill(bool& to, const Flag&) { to = below(2) == 0; }
  void fill(Replicas& to, const Whole& kind) {
    to.count = static_cast<std::int32_t>(between(kind.min, kind.max));
  }
  template <class Number>
  void fill(Number& to, const Whole& kind) {
    to = static_cast<Number>(between(kind.min, kind.max));
  }
  template <class Number>
  void fill(Number& to, const Bytes& kind) {
    to = static_cast<Number>(between(kind.min, kind.max));
  }
  void fill(double& to, const Real& kind) {
    to = kind.min + (kind.max - kind.min) * static_cast<double>(between(0, 1 << 30)) / (1 << 30);
  }
  void fill(Millis& to, const Seconds& kind) {
    to = std::chrono::seconds{between(kind.min, kind.max)};
  }
  void fill(Millis& to, const Duration& kind) {
    to = Millis{between(kind.min.count(), kind.max.count())};
  }
  void fill(Quantity& to, const Amount& kind) { to = {between(kind.min.milli, kind.max.milli)}; }
  template <class E>
  void fill(E& to, const Word&) {
    to = static_cast<E>(below(kWords<E>.size()));
  }
  void fill(std::vector<std::string>& to, const Texts& kind) {
    for (std::size_t left = std::max(kind.min, below(12)); left > 0; --left)
      to.push_back(text(kind.form));
  }
  void fill(std::map<std::string, std::string>& to, const Variables&) {
    for (const char* name : {"A", "null", "true", "n", "_1"}) {
      if (below(3) == 0) to[name] = text(form::kAny);
    }
  }
  void fill(std::map<std::string, std::string>& to, const Pairs&) {
    for (const char* name : {"a.b/c", "null", "true", "1", "a b", ""}) {
      if (below(3) == 0) to[name] = text(form::kAny);
    }
  }
  template <class T>
  void fill(T& to, const Level&) {
    to = make<T>();
  }
  template <class T>
  void fill(std::vector<T>& to, const Levels& kind) {
    for (std::size_t left = std::max(kind.min, below(3)); left > 0; --left) to.push_back(make<T>());
  }

 private:
  template <class T>
  struct Filler {
    Any& any;
    T& to;
    template <class M, class Kind>
    void field(std::string_view, M T::*member, const Kind& kind, const About& about) {
      if (!about.required && any.below(2) == 0) return;
      if constexpr (requires { (to.*member).has_value(); }) {
        any.fill((to.*member).emplace(), kind);
      } else {
        any.fill(to.*member, kind);
      }
    }
    template <class Inner>
    void level(std::string_view, const About&, const Inner& inner) {
      inner(*this);
    }
    void fixed(std::string_view, std::string_view, const About&,
               std::initializer_list<std::string_view>) {}
    void later(std::string_view) {}
    template <class E, class... Inner>
    void one_of(std::string_view name, E T::*member, const About& about,
                const Choice<Inner>&... choices) {
      field(name, member, Word{}, about);
      std::size_t index = 0;
      const auto fill_chosen = [&](const auto& each) {
        if (index++ == static_cast<std::size_t>(to.*member)) each.fields(*this);
      };
      (fill_chosen(choices), ...);
    }
  };
  std::mt19937_64 random_;
};

void mend(std::optional<Probe>& probe, bool once) {
  if (!probe) return;
  if (probe->http_get) {
    probe->tcp_socket.reset();
    probe->exec.reset();
  } else if (probe->exec) {
    probe->tcp_socket.reset();
    if (probe->exec->command[0].empty()) probe->exec->command[0] = "a";
  } else {
    probe->tcp_socket.emplace();
  }
  if (once) probe->success_threshold = 1;
}

void mend(Metric& metric, bool is_process) {
  using Type = MetricTarget::Type;
  if (is_process && metric.type == Metric::Type::container_resource) {
    metric.type = Metric::Type::resource;
    metric.container.clear();
  }
  const bool of_resource =
      metric.type == Metric::Type::resource || metric.type == Metric::Type::container_resource;
  if (is_process && of_resource) metric.name = "memory";
  auto& [type, utilization, value, average] = metric.target;
  if (of_resource && type == Type::value) type = Type::average_value;
  if (!of_resource && type == Type::utilization) type = Type::average_value;
  if (metric.type == Metric::Type::pods) type = Type::average_value;
  utilization = type == Type::utilization ? utilization.value_or(50) : std::optional<int>{};
  value = type == Type::value ? value.value_or(Quantity{1}) : std::optional<Quantity>{};
  average = type == Type::average_value ? average.value_or(Quantity{1}) : std::optional<Quantity>{};
}

void mend_idle(Autoscaler& a) {
  if (a.idle_replicas) a.idle_replicas->count %= std::max(1, a.min_replicas.count);
}

/// Makes what must fit together fit.
Autoscaler mended(Autoscaler a) {
  auto& process = a.target.process;
  if (!process.command.empty() && process.command[0].empty()) process.command[0] = "a";
  mend(process.startup_probe, true);
  mend(process.readiness_probe, false);
  mend(process.liveness_probe, true);
  if (a.min_replicas > a.max_replicas) std::swap(a.min_replicas, a.max_replicas);
  const bool is_process = a.target.process != Process{};
  if (is_process) a.target.scale_target_ref.reset();
  if (!is_process && !a.target.scale_target_ref) a.target.scale_target_ref = {"", "Kind", "a"};
  if (!is_process) a.gateway.reset();
  for (auto& metric : a.metrics) mend(metric, is_process);
  if (a.scaling_modifiers && a.scaling_modifiers->target.empty()) a.scaling_modifiers->target = "1";
  if (!a.gateway) {
    a.concurrency.reset();
    a.objective.reset();
    a.min_replicas.count = std::max(1, a.min_replicas.count);
    a.max_replicas = std::max(a.max_replicas, a.min_replicas);
    mend_idle(a);
    if (a.metrics.empty() && a.triggers.empty()) {
      a.metrics = {{.name = "cpu", .target = {.average_utilization = 80}}};
    }
    return a;
  }
  auto& limits = a.gateway->limits;
  limits.request_line = std::min(limits.request_line, limits.head);
  mend_idle(a);
  if (!a.concurrency && a.metrics.empty() && a.triggers.empty()) a.concurrency.emplace();
  if (a.concurrency) {
    a.concurrency->activation_scale = 0;
    a.concurrency->window -= a.concurrency->window % 1s;
    a.concurrency->scale_down_delay -= a.concurrency->scale_down_delay % 1s;
  }
  return a;
}

TEST(Write, ReadsBackAsItWas) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    const auto wanted = mended(Any(seed).make<Autoscaler>());
    const auto text = write_document(wanted);
    const auto again = read(text);
    ASSERT_TRUE(again) << to_string(again.error()) << "\n" << text;
    ASSERT_EQ(again->size(), 1U) << text;
    ASSERT_EQ(again->front(), wanted) << text << "\n--- read as\n"
                                      << write_document(again->front());
    ASSERT_EQ(write_document(again->front()), text);
  }
}

TEST(Write, LeavesDefaultsOut) {
  Autoscaler a;
  a.name = "shop";
  a.target.process.command = {"./shop", "--port", "$(PORT)", "--note", "costs 5 $(EUR)"};
  a.gateway.emplace();
  a.max_replicas = {4};
  a.concurrency.emplace();
  EXPECT_EQ(write_document(a), R"yaml(apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata:
  name: shop
spec:
  target:
    process:
      command: [./shop, --port, $(PORT), --note, "costs 5 $$(EUR)"]
  gateway: {}
  maxReplicas: 4
)yaml");
}

TEST(Write, AnObjectiveIsItsLatencyAndWhatIsNotUsual) {
  struct Case {
    Objective objective;
    const char* written;
  };
  const Case cases[] = {
      {{.latency = 100ms}, "  objective:\n    latency: 100ms\n"},
      {{.latency = 1500ms, .percentile = 99.9},
       "  objective:\n    latency: 1.5s\n    percentile: 99.9\n"},
  };
  for (const auto& [objective, written] : cases) {
    auto autoscaler = read(document())->front();
    autoscaler.objective = objective;
    const auto text = write_document(autoscaler);
    EXPECT_NE(text.find(written), std::string::npos) << text;
    EXPECT_EQ(read(text)->front(), autoscaler);
  }
}

TEST(Write, QuotesWhatYamlWouldTakeForSomethingElse) {
  struct Case {
    const char* why;
    const char* text;
    const char* written;
  };
  const Case cases[] = {
      {"a word", "shop", "shop"},
      {"a path", "./shop", "./shop"},
      {"an option", "--port", "--port"},
      {"an option with a value", "--port=8080", "--port=8080"},
      {"a number", "8080", "\"8080\""},
      {"a number with a unit is one for YAML 1.1 at times", "1e3", "\"1e3\""},
      {"a negative number", "-1", "\"-1\""},
      {"true", "true", "\"true\""},
      {"YAML 1.1's true", "YES", "\"YES\""},
      {"null", "~", "\"~\""},
      {"nothing", "", "\"\""},
      {"infinite", ".inf", "\".inf\""},
      {"a document's start", "---", "\"---\""},
      {"a map", "a: b", "\"a: b\""},
      {"a comment", "a #b", "\"a #b\""},
      {"in a list a comma separates", "a,b", "\"a,b\""},
      {"an alias", "*a", "\"*a\""},
      {"lines", "a\nb\t\"c\"\\", "\"a\\nb\\x09\\\"c\\\"\\\\\""},
      {"a terminal's escape", "\x1b[0m", "\"\\x1B[0m\""},
      {"letters", "größe", "\"größe\""},
  };
  for (const auto& [why, text, written] : cases) {
    SCOPED_TRACE(why);
    Autoscaler a;
    a.name = "a";
    a.target.process.command = {"a", text};
    EXPECT_NE(write_document(a).find("command: [a, " + std::string(written) + "]\n"),
              std::string::npos)
        << write_document(a);
  }
}

}  // namespace
}  // namespace headroom::policy
