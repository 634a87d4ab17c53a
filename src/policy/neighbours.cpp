#include "policy/neighbours.h"

#include <algorithm>

#include <fmt/format.h>

#include "policy/forms.h"

namespace headroom::policy {

void Neighbours::check(const Node& document, const Autoscaler& autoscaler, Problems& problems) {
  const Node* name = document.find({"metadata", "name"});
  const Node* listen = document.find({"spec", "gateway", "listen"});
  if (listen == nullptr) listen = document.find({"spec", "gateway"});
  const Seen now{autoscaler.namespace_, autoscaler.name,
                 autoscaler.gateway ? autoscaler.gateway->listen : "", document.place.line};

  const auto same_name = std::ranges::find_if(seen_, [&now](const Seen& other) {
    return other.name == now.name && other.namespace_ == now.namespace_;
  });
  if (name != nullptr && !now.name.empty() && same_name != seen_.end()) {
    problems.add(name->place,
                 fmt::format("name: found \"{}\" again, expected another name than the "
                             "document on line {}",
                             now.name, same_name->line));
  }
  const auto same_address = std::ranges::find_if(seen_, [&now](const Seen& other) {
    return !other.listen.empty() && collide(other.listen, now.listen);
  });
  if (listen != nullptr && same_address != seen_.end()) {
    problems.add(listen->place,
                 fmt::format("listen: found \"{}\", expected another address than \"{}\" of {}",
                             now.listen, same_address->listen, same_address->name));
  }
  seen_.push_back(now);
}

}  // namespace headroom::policy
