#include "policy/read.h"

#include "policy/documents.h"
#include "policy/neighbours.h"
#include "policy/reader.h"

namespace headroom::policy {

Result<std::vector<Autoscaler>> read_documents(std::string_view text, const std::string& file,
                                               const Environment& environment) {
  Problems problems;
  const Tree tree = parse(text, problems);
  std::vector<Autoscaler> autoscalers;
  Neighbours neighbours;
  Substitution substitution(environment);
  for (const Node* document : tree.documents) {
    if (document->open || problems.full()) break;  // cut short: what is missing was not left out
    Reader reader(problems, substitution);
    Autoscaler autoscaler = reader.read_document(*document);
    neighbours.check(*document, autoscaler, problems);
    fill_in(autoscaler);
    autoscalers.push_back(std::move(autoscaler));
  }
  if (autoscalers.empty() && !problems.any()) {
    problems.add({1, 1}, "found no document, expected at least one Autoscaler");
  }
  if (problems.any()) return fail(problems.error(file, text));
  return autoscalers;
}

Result<std::vector<Autoscaler>> read_file(const std::string& path, const Environment& environment) {
  const auto text = read_text(path);
  if (!text) return fail(text.error());
  return read_documents(*text, path, environment);
}

}  // namespace headroom::policy
