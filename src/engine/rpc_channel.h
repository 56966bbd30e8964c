// One end of the socket pair between the programs: whole lines in, whole lines out, never blocking.
// The owner polls fd() for POLLIN, and for POLLOUT while wants_write(). One thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "core/unique_fd.h"
#include "engine/line_buffer.h"

namespace cutd {

class RpcChannel {
 public:
  RpcChannel(UniqueFd socket, std::size_t max_line_bytes);

  int fd() const { return socket_.get(); }

  // Appends a line ('\n' included) to what is to be sent.
  void queue(std::string line);
  bool wants_write() const { return !outgoing_.empty(); }

  // Sends what the socket takes now. False when the peer is gone.
  bool flush();

  // Reads what is there now and hands on each whole line. False at end of file or when the peer is
  // gone. Throws Error(kBadInput) for a line beyond the bound, and what `on_line` throws.
  bool receive(const std::function<void(std::string_view line)>& on_line);

 private:
  UniqueFd socket_;
  LineBuffer incoming_;
  std::deque<std::string> outgoing_;
  std::size_t sent_ = 0;  // bytes of outgoing_.front() already sent
};

}  // namespace cutd
