#include "core/json.h"

template class nlohmann::basic_json<nlohmann::ordered_map>;
template class nlohmann::detail::lexer<cutd::Json,
                                       nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
template class nlohmann::detail::parser<cutd::Json,
                                        nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
