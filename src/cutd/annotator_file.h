// Annotators out of a configuration file, for the commands that need nothing else of it.
#pragma once

#include <string>
#include <vector>

#include "judge_client/annotator.h"

namespace cutd {

// The list `annotators` of a run's configuration, or the one annotator that the file is about. Error(kUsage, kNotFound)
// naming file and key.
std::vector<AnnotatorConfig> read_annotator_file(const std::string& path);

// The one called `name`; empty: the first.
AnnotatorConfig choose_annotator(const std::vector<AnnotatorConfig>& annotators, const std::string& name,
                                 const std::string& path);

}  // namespace cutd
