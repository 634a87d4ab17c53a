#pragma once

#include <string>
#include <string_view>

#include "control/status.h"

namespace headroom::server {

enum class Format { text, open_metrics };  // Prometheus' 0.0.4, OpenMetrics 1.0
/// By what `Accept` asks for; text where it does not say.
Format format_of(std::string_view accept);
std::string_view content_type(Format format);

/// Everything there is to measure. Labels are names of autoscalers and words of our own, never
/// what a request brought.
std::string metrics(const control::Board& board, std::string_view version, Format format);

}  // namespace headroom::server
