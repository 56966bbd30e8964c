#include "server/unix_address.h"

#include <fcntl.h>
#include <sys/un.h>

#include "core/error.h"

namespace cutd {

UnixAddress::UnixAddress(const std::filesystem::path& path) : name_(path.string()) {
  if (name_.size() < sizeof(sockaddr_un::sun_path)) return;
  folder_ = UniqueFd(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) throw_errno("cannot open " + path.parent_path().string());
  name_ = "/proc/self/fd/" + std::to_string(folder_.get()) + "/" + path.filename().string();
}

}  // namespace cutd
