// The daemon's figures in Prometheus' text format. No label names a person or an item: values are few and closed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/process_routes.h"

namespace cutd {

// A family of equal figures, told apart by the one label `label` ("" where there is just one).
struct Metric {
  struct Value {
    std::string label_value;
    double value = 0;
  };
  std::string name;
  std::string help;
  bool counter = false;  // else a gauge
  std::string label;
  std::vector<Value> values;
};

struct MetricSet {
  std::vector<Metric> metrics;
  // cutd_http_request_seconds
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;  // per bucket, the last one is of what took longer than every bound
  double seconds = 0;
};

// Reads store, disk, engine and server now.
MetricSet read_metrics(const ProcessContext& context);

// Text format 0.0.4, written by prometheus-cpp.
std::string metrics_text(const MetricSet& set);

}  // namespace cutd
