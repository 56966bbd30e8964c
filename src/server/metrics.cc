#include "server/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

#include "core/files.h"
#include "server/queue_routes.h"
#include "store/statistics.h"

namespace cutd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

Metric gauge(const char* name, const char* help, double value) { return {name, help, false, "", {{"", value}}}; }
Metric counter(const char* name, const char* help, double value) { return {name, help, true, "", {{"", value}}}; }

Metric by_label(const char* name, const char* help, const char* label, const std::vector<LabelledCount>& counts) {
  Metric metric{name, help, false, label, {}};
  for (const LabelledCount& count : counts) {
    metric.values.push_back({count.label, static_cast<double>(count.count)});
  }
  return metric;
}

void add_server(const ServerCounters& counters, MetricSet& set) {
  Metric replies{"cutd_http_requests_total", "Requests answered, by status class.", true, "status", {}};
  for (std::size_t i = 1; i < counters.replies.size(); ++i) {
    replies.values.push_back({std::to_string(i) + "xx", static_cast<double>(counters.replies[i])});
  }
  set.metrics.push_back(std::move(replies));
  set.metrics.push_back(
      gauge("cutd_http_connections", "Connections open.", static_cast<double>(counters.connections_open)));
  set.metrics.push_back(counter("cutd_http_connections_turned_away_total", "Connections beyond a limit.",
                                static_cast<double>(counters.turned_away)));
  set.bounds.assign(ServerCounters::kBounds.begin(), ServerCounters::kBounds.end());
  for (const auto& count : counters.took) set.counts.push_back(count);
  set.seconds = static_cast<double>(counters.nanoseconds) / 1e9;
}

void add_store(const StoreStatistics& statistics, MetricSet& set) {
  set.metrics.push_back(by_label("cutd_judgments", "Judgments, by state.", "state", statistics.judgments));
  set.metrics.push_back(by_label("cutd_rounds", "Rounds, by phase.", "phase", statistics.rounds));
  set.metrics.push_back(
      by_label("cutd_webhook_deliveries", "Webhook deliveries, by state.", "state", statistics.deliveries));
  set.metrics.push_back(gauge("cutd_last_round_completed_timestamp_seconds", "When a round last completed; 0: never.",
                              static_cast<double>(statistics.last_completed_at) / 1e6));
  set.metrics.push_back(gauge("cutd_store_bytes", "Size of the database.", static_cast<double>(statistics.bytes)));
}

void add_money(const StoreStatistics& statistics, MetricSet& set) {
  set.metrics.push_back(counter("cutd_judge_cost_usd", "Spent on judges, ever, in dollars.",
                                static_cast<double>(statistics.spent) / 1e6));
  set.metrics.push_back(gauge("cutd_judge_reserved_usd", "Reserved for requests under way or lost, in dollars.",
                              static_cast<double>(statistics.reserved) / 1e6));
  set.metrics.push_back(gauge("cutd_judge_unknown_attempts", "Paid requests whose outcome was lost.",
                              static_cast<double>(statistics.unknown_attempts)));
}

void add_queue(const QueueCounts& counts, double lease_seconds, MetricSet& set) {
  const auto add = [&](const char* name, const char* help, std::int64_t value) {
    set.metrics.push_back(gauge(name, help, static_cast<double>(value)));
  };
  add("cutd_queue_open", "Items that could be given to people, of queues at work.", counts.open);
  add("cutd_queue_leased", "Items that people hold.", counts.leased);
  add("cutd_queue_submitted", "Judgments of people counted, of queues at work.", counts.submitted);
  add("cutd_queue_overdue", "Leases beyond their time that nothing has ended yet.", counts.overdue);
  add("cutd_queue_needs_review", "Items that wait for an operator.", counts.needs_review);
  set.metrics.push_back(
      gauge("cutd_queue_oldest_lease_seconds", "Since the longest held item was claimed; 0: none is.", lease_seconds));
}

ClientMetric plain(const Metric& metric, const Metric::Value& value) {
  ClientMetric result;
  if (!metric.label.empty()) result.label.push_back({metric.label, value.label_value});
  if (metric.counter) result.counter.value = value.value;
  else result.gauge.value = value.value;
  return result;
}

MetricFamily histogram(const MetricSet& set) {
  MetricFamily family;
  family.name = "cutd_http_request_seconds";
  family.help = "Time that handlers took.";
  family.type = MetricType::Histogram;
  ClientMetric metric;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < set.counts.size(); ++i) {
    below += set.counts[i];
    const double bound = i < set.bounds.size() ? set.bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({below, bound});
  }
  metric.histogram.sample_count = below;
  metric.histogram.sample_sum = set.seconds;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

MetricSet read_metrics(const ProcessContext& context) {
  MetricSet set;
  add_server(context.counters(), set);
  context.store.read([&](Reader& reader) {
    const StoreStatistics statistics = read_statistics(reader);
    add_store(statistics, set);
    add_money(statistics, set);
    const std::int64_t now = context.clock.wall_micros();
    const std::int64_t held = statistics.oldest_lease_at > 0 ? now - statistics.oldest_lease_at : 0;
    add_queue(counts_at_work(reader, context.clock.boot_millis()),
              static_cast<double>(std::max<std::int64_t>(held, 0)) / 1e6, set);
  });
  const Json engine = context.engine();
  set.metrics.push_back(
      gauge("cutd_engine_running", "1 while the model process runs.", engine.value("running", false) ? 1 : 0));
  set.metrics.push_back(
      counter("cutd_engine_starts_total", "Starts of the model process.", engine.value("starts", 0.0)));
  set.metrics.push_back(gauge("cutd_failed", "1 when a worker has ended for good.", context.runs.failure() ? 1 : 0));
  set.metrics.push_back(gauge("cutd_free_disk_bytes", "Free for the data folder.",
                              static_cast<double>(free_disk_bytes(context.store.data_dir()))));
  set.metrics.push_back(
      counter("cutd_epoch", "Starts of the daemon on this folder.", static_cast<double>(context.store.epoch())));
  return set;
}

std::string metrics_text(const MetricSet& set) {
  std::vector<MetricFamily> families;
  for (const Metric& metric : set.metrics) {
    MetricFamily family;
    family.name = metric.name;
    family.help = metric.help;
    family.type = metric.counter ? MetricType::Counter : MetricType::Gauge;
    for (const Metric::Value& value : metric.values) family.metric.push_back(plain(metric, value));
    families.push_back(std::move(family));
  }
  families.push_back(histogram(set));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace cutd
