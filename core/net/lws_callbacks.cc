#include "net/lws_callbacks.h"

#include <string_view>
#include <utility>

#include "base/fault.h"
#include "net/connection.h"

namespace tickwire {
namespace {

constexpr int kGoOn = 0;
constexpr int kHangUp = -1;

int result(bool ok) {
  return ok ? kGoOn : kHangUp;
}

int on_receive(lws* wsi, Connection& client, const char* bytes, std::size_t size) {
  Fragment fragment;
  fragment.bytes = std::string_view(bytes, size);
  fragment.first = lws_is_first_fragment(wsi) != 0;
  fragment.final = lws_is_final_fragment(wsi) != 0;
  fragment.binary = lws_frame_is_binary(wsi) != 0;
  fragment.rsv1 = (lws_get_reserved_bits(wsi) & 0x40) != 0;
  fragment.bytes_to_come = lws_remaining_packet_payload(wsi);
  client.on_fragment(fragment);
  return kGoOn;
}

thread_local Connection* adopted = nullptr;
thread_local int adopted_socket = -1;
thread_local bool adopting = false;

Connection* owner_of(lws* wsi) {
  auto* client = static_cast<Connection*>(lws_get_opaque_user_data(wsi));
  if (client == nullptr && adopted != nullptr && lws_get_socket_fd(wsi) == adopted_socket) {
    client = std::exchange(adopted, nullptr);
    lws_set_opaque_user_data(wsi, client);
    client->on_adopted(wsi);
  }
  return client;
}

int dispatch(lws* wsi, Connection* client, lws_callback_reasons reason, const void* in, std::size_t size) {
  const auto* bytes = static_cast<const char*>(in);
  switch (reason) {
    case LWS_CALLBACK_HTTP:  // its own HTTP is never asked for
      return kHangUp;
    case LWS_CALLBACK_ESTABLISHED:
      return result(client->on_open());
    case LWS_CALLBACK_RECEIVE:
      return on_receive(wsi, *client, bytes, size);
    case LWS_CALLBACK_RECEIVE_PONG:
      client->on_pong();
      return kGoOn;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      client->on_writable();
      return kGoOn;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      return result(client->on_peer_close(std::string_view(bytes, size)));
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
      client->on_ending();
      return kGoOn;
    case LWS_CALLBACK_CLOSED:
      client->on_ended();
      return kGoOn;
    case LWS_CALLBACK_WSI_DESTROY:
      delete client;
      return kGoOn;
    default:
      return kGoOn;
  }
}

}  // namespace

AdoptionScope::AdoptionScope(Connection* client, int socket) {
  adopted = client;
  adopted_socket = socket;
  adopting = true;
}

AdoptionScope::~AdoptionScope() {
  adopted = nullptr;
  adopting = false;
}

bool adopting_on_this_thread() {
  return adopting;
}

int client_callback(lws* wsi, lws_callback_reasons reason, void* /*user*/, void* in, std::size_t size) {
  int answer = kHangUp;
  Connection* client = nullptr;
  const bool well = contained(Boundary::kWebsocket, "a callback of libwebsockets", [&] {
    client = wsi == nullptr ? nullptr : owner_of(wsi);
    answer = client == nullptr ? kGoOn : dispatch(wsi, client, reason, in, size);
  });
  if (!well && client != nullptr) client->on_fault();
  return answer;
}

}  // namespace tickwire
