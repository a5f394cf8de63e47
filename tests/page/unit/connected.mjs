import { connect } from "../../../web/client.js";
import { FakeSocket, settle } from "./fakes.mjs";

// A client that is connected, and the server's end of it.
export async function connected(options, url = "ws://h/ws") {
  const client = connect(url, options);
  FakeSocket.last.welcome();
  await settle();
  return { client, server: FakeSocket.last };
}
