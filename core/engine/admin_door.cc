#include "engine/admin_door.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "net/socket_address.h"

namespace tickwire {
namespace {

constexpr int kBacklog = 64;

Error bad(std::string_view what) {
  return {ErrorCode::kBadConfig, fmt::format("admin.listen {}", what), "admin.listen"};
}

// The folder that an environment variable names; empty: it is not set, or is no absolute path.
std::string folder_named(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value == '/' ? value : "";
}

}  // namespace

Result<AdminAddress> parse_admin_listen(const Config& config) {
  const std::string& text = config.admin_listen;
  if (text.empty() || text == "off") return AdminAddress{};
  if (text == "auto") return AdminAddress{.kind = AdminAddress::Kind::kAuto, .path = {}, .tcp = {}};
  if (text.find('/') != std::string::npos) {
    if (text.size() <= kSocketPathBytesMax) {
      return AdminAddress{.kind = AdminAddress::Kind::kPath, .path = text, .tcp = {}};
    }
    return bad(
        fmt::format("is a path of {} bytes, and the path of a socket has {} at most; name a shorter one",
                    text.size(), kSocketPathBytesMax));
  }
  const auto tcp = parse_listen(text, "admin.listen");
  if (!tcp || tcp->proxy != ProxyProtocol::kOff) {
    return bad(
        fmt::format("must be auto, off, the path of a socket (with a slash) or host:port, not \"{}\"", text));
  }
  if (config.auth_admin_token.empty()) {
    return bad(
        fmt::format("= \"{}\" needs auth.admin_token, which is empty: set one (as "
                    "TICKWIRE_AUTH__ADMIN_TOKEN, or in a file that auth.admin_token_file names), or leave "
                    "admin.listen at "
                    "auto, a socket that only this user and root can use",
                    text));
  }
  return AdminAddress{.kind = AdminAddress::Kind::kTcp, .path = {}, .tcp = *tcp};
}

std::vector<std::string> admin_folders() {
  std::vector<std::string> folders;
  if (const std::string runtime = folder_named("XDG_RUNTIME_DIR"); !runtime.empty()) {
    folders.push_back(runtime + "/tickwire");
  }
  folders.push_back(fmt::format("/run/user/{}/tickwire", ::geteuid()));
  const std::string temporary = folder_named("TMPDIR");
  folders.push_back(fmt::format("{}/tickwire-{}", temporary.empty() ? "/tmp" : temporary, ::geteuid()));
  return folders;
}

Status AdminDoor::open(const Config& config, const std::string& public_address) {
  const auto wanted = parse_admin_listen(config);
  if (!wanted) return wanted.error();
  switch (wanted->kind) {
    case AdminAddress::Kind::kOff:
      return ok_status();
    case AdminAddress::Kind::kAuto:
      open_anywhere(public_address);
      return ok_status();
    case AdminAddress::Kind::kPath:
      return open_socket(wanted->path);
    case AdminAddress::Kind::kTcp:
      return open_tcp(wanted->tcp);
  }
  return ok_status();
}

Status AdminDoor::open_tcp(const ListenAddress& wanted) {
  const auto socket = open_listener(wanted.host, wanted.port, kBacklog, true, "admin.listen");
  if (!socket) return socket.error();
  socket_ = *socket;
  door_ = Door::kAdminTcp;
  address_ = address_text(wanted.host, bound_port(socket_));
  return ok_status();
}

Status AdminDoor::open_socket(const std::string& path) {
  const auto socket = file_.listen(path, kBacklog);
  if (!socket) return socket.error();
  socket_ = *socket;
  address_ = std::filesystem::absolute(path).string();
  return ok_status();
}

// A plant of another network (a container, say) may hold the name: then the process' number makes it unique.
void AdminDoor::open_anywhere(const std::string& public_address) {
  std::string why;
  for (const std::string& folder : admin_folders()) {
    Status opened = make_private_folder(folder);
    if (opened) {
      remove_dead_sockets(folder);
      opened = open_socket(fmt::format("{}/{}.sock", folder, public_address));
      if (!opened) opened = open_socket(fmt::format("{}/{}.{}.sock", folder, public_address, ::getpid()));
    }
    if (opened) return;
    why += (why.empty() ? "" : "; ") + opened.error().message;
  }
  spdlog::warn("no admin listener, `tickwire top` will not find this server: {}", why);
}

}  // namespace tickwire
